//! The current period: reading it with the items of an operation, and closing it when it has ended.

use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::types::Update;
use domain::Timestamp;
use domain::decision::CountChange;
use domain::ids::AccountId;
use domain::period::{Period, PeriodNumber, Statement, Totals};

use metrics::Metric;

use crate::expressions::{Expression, number};
use crate::items::{COUNTED, COUNTED_AT, Items, PeriodItem, StatementItem, additions, decode};
use crate::keys::{Collection, Key, account_pk};
use crate::operation::{Operation, Snapshot, Step};
use crate::retry::Retries;
use crate::store::{Query, Store};
use crate::transaction::Transaction;
use crate::{Listing, Refused, Responder, StoreError, StoredResponse};

/// A period that has not ended, the items that were read with it, and the account's current instant.
pub(crate) struct PeriodSnapshot {
    pub(crate) items: Items,
    pub(crate) period: Period,
    pub(crate) now: Timestamp,
}

impl PeriodSnapshot {
    /// Replaces the period by that of a later read, and keeps the items.
    pub(crate) fn refresh(&mut self, reopened: Self) {
        self.period = reopened.period;
        self.now = reopened.now;
    }
}

impl Snapshot for PeriodSnapshot {
    fn items(&mut self) -> &mut Items {
        &mut self.items
    }
}

/// Confirms a refusal for lack of capacity, when no write of the refused contacts would reveal an outdated read.
///
/// A batched read is not atomic: it may return a contact from before another request used the last capacity, and the
/// period from after it. If the period is the same as before the contacts were read, it had no capacity for them.
///
/// A form's budget needs no confirmation, because its day is read before the contacts.
#[derive(Default)]
pub(crate) struct RefusalCheck(Mutex<Option<(u64, u64)>>);

impl RefusalCheck {
    /// Records the period as it was read before the contacts, and returns true if it is the recorded one already.
    pub(crate) fn observe(&self, period: &Period) -> bool {
        let seen = Some((period.revision, period.marketing));
        let mut before = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *before, seen) == seen
    }

    /// Returns true if everything must be read again, because the period that refuses the contacts is not the recorded
    /// one.
    pub(crate) async fn needs_reread(
        &self,
        period: &Period,
        retries: &Retries<'_>,
    ) -> Result<bool, StoreError> {
        if self.observe(period) {
            return Ok(false);
        }
        retries.retry_now("a refusal was not confirmed").await?;
        Ok(true)
    }
}

/// Returns the account's current period. It follows from the stored one by closing the periods that have ended.
pub(crate) fn current(stored: Period, wall_clock: Timestamp) -> Period {
    let mut period = stored;
    while let Some(closing) = period.closing(period.now(wall_clock)) {
        period = closing.next;
    }
    period
}

impl Operation<'_> {
    /// The same as [`Self::mutate`], with a first read that includes the current period.
    pub(crate) async fn mutate_in_period<T, F>(
        &self,
        keys: &[Key],
        responder: Responder<'_, T>,
        attempt: impl Fn(PeriodSnapshot) -> F,
    ) -> Result<StoredResponse, StoreError>
    where
        F: Future<Output = Result<Step<T>, StoreError>>,
    {
        self.mutate_after(|keys| self.read_current_period(keys), keys, responder, attempt).await
    }

    /// Reads the account's period and `keys` in one batched read. If the period has ended, it is closed first and
    /// everything is read again, so no operation decides on a period that has ended.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if there is no such account.
    pub(crate) async fn read_current_period(&self, mut keys: Vec<Key>) -> Result<PeriodSnapshot, StoreError> {
        let period_key = Key::period(self.account);
        keys.push(period_key.clone());
        loop {
            let mut items = self.store.batch_get(&keys, &self.retries).await?;
            let item = items.take::<PeriodItem>(&period_key)?.ok_or(Refused::NotFound("account"))?;
            let period = item.into_period()?;
            let now = period.now(self.wall_clock);
            if !period.has_ended(now) {
                return Ok(PeriodSnapshot { items, period, now });
            }
            self.close(&period).await?;
        }
    }

    /// Closes the ended periods in one transaction, which replaces the period item and creates the statements. If
    /// another operation closes them first, the result is the same.
    ///
    /// The counts may be as they were after a contact was queued and another one kept. The number of their writes is
    /// not, so no total is lost.
    async fn close(&self, period: &Period) -> Result<(), StoreError> {
        let (store, account) = (self.store, self.account);
        let Some(closing) = period.closing(period.now(self.wall_clock)) else { return Ok(()) };
        let mut as_read = Expression::default()
            .name("revision")
            .name("marketing")
            .name("leaving")
            .name(COUNTED)
            .value("revision", number(period.revision))
            .value("marketing", number(period.marketing))
            .value("leaving", number(period.leaving));
        let counted = if period.totals.counted == 0 {
            format!("attribute_not_exists(#{COUNTED})")
        } else {
            as_read = as_read.value(COUNTED, number(period.totals.counted));
            format!("#{COUNTED} = :{COUNTED}")
        };
        let condition = format!(
            "#revision = :revision AND #marketing = :marketing AND #leaving = :leaving AND {counted}"
        );
        let mut transaction = Transaction::default();
        let next = PeriodItem::of(account, &closing.next);
        transaction.put(store.put_if(Key::period(account), &next, &condition, &as_read)?);
        for statement in &closing.statements {
            let item = StatementItem::of(account, statement, self.wall_clock);
            transaction.put(store.put_new(Key::statement(account, statement.number), &item)?);
        }
        if store.commit(transaction, &self.retries).await? {
            let closed = closing.statements.len();
            tracing::info!(%account, closed, now_in = closing.next.number.number(), "closed ended periods");
            if period.test_clock.is_none() {
                for statement in &closing.statements {
                    let late = (self.wall_clock.to_utc() - statement.ends_at.to_utc()).num_seconds();
                    Metric::PeriodsClosed.record(1);
                    Metric::ClosingLateness.record(u64::try_from(late).unwrap_or_default());
                }
            }
        }
        Ok(())
    }

    /// Adds the change of the period's two counts, if they change.
    pub(crate) fn write_count(
        &self,
        transaction: &mut Transaction,
        period: &Period,
        change: CountChange,
    ) -> Result<(), StoreError> {
        if !change.delta.is_zero() {
            transaction.update(self.count(period, change)?);
        }
        Ok(())
    }

    /// Builds the update of the period's two counts and of the totals. Its condition keeps the counts exact: the period
    /// and its terms are those of the decision, and the usage is not higher than the decision allows.
    pub(crate) fn count(
        &self,
        period: &Period,
        CountChange { delta, usage_at_most, sets }: CountChange,
    ) -> Result<Update, StoreError> {
        let mut condition = "#revision = :revision".to_owned();
        let now = period.now(self.wall_clock);
        let mut expression = Expression::default()
            .name("revision")
            .value("revision", number(period.revision))
            .name(COUNTED_AT)
            .value(COUNTED_AT, number(now.millis()))
            .name("marketing")
            .value("marketing", number(delta.marketing))
            .name("leaving")
            .value("leaving", number(delta.leaving));
        let mut adds = vec!["#marketing :marketing".to_owned(), "#leaving :leaving".to_owned()];
        for (name, added) in additions(&Totals::default().after(delta, &sets)) {
            adds.push(format!("#{name} :{name}"));
            expression = expression.name(&name).value(&name, number(added));
        }
        if let Some(most) = usage_at_most {
            condition.push_str(" AND #marketing <= :most");
            expression = expression.value("most", number(most));
        }
        self.store.update_if(
            Key::period(self.account),
            &format!("SET #{COUNTED_AT} = :{COUNTED_AT} ADD {}", adds.join(", ")),
            &condition,
            &expression,
        )
    }
}

impl Store {
    /// Returns the account's current period, with the usage at this instant. One read.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if there is no such account.
    pub async fn usage(&self, account: AccountId, wall_clock: Timestamp) -> Result<Period, StoreError> {
        Ok(self.operation(account, wall_clock).read_current_period(Vec::new()).await?.period)
    }

    /// Returns the statements of closed periods, newest first. The list begins before the period `after`.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if there is no such account.
    pub async fn statements(
        &self,
        account: AccountId,
        wall_clock: Timestamp,
        after: Option<PeriodNumber>,
        limit: usize,
    ) -> Result<Listing<Statement>, StoreError> {
        // Closes ended periods, so that their statements exist.
        self.usage(account, wall_clock).await?;
        let query = Query {
            pk: account_pk(account),
            prefix: Collection::Statements.prefix(),
            after: after.map(|number| Key::statement(account, number).sk),
            limit,
            newest_first: true,
        };
        let page = self.query(&query).await?;
        let more = page.next.is_some();
        let statements = page.items.into_iter().map(|item| decode::<StatementItem>(item)?.into_statement());
        Ok(Listing { items: statements.collect::<Result<_, _>>()?, more })
    }
}
