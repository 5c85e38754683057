//! Reading the period together with what is decided on it, and closing it when it has ended.

use domain::Timestamp;
use domain::ids::AccountId;
use domain::period::{Period, PeriodNumber, Statement};

use crate::expressions::{Expression, number};
use crate::items::{Items, PeriodItem, StatementItem, decode};
use crate::keys::{Collection, Key, account_pk};
use crate::retry::Retries;
use crate::store::{Query, Store};
use crate::transaction::{Part, Transaction};
use crate::{Listing, Refused, StoreError};

/// A period that has not ended, what was read with it, and the account's instant.
pub(crate) struct PeriodSnapshot {
    pub(crate) items: Items,
    pub(crate) period: Period,
    pub(crate) now: Timestamp,
}

/// Makes sure that there is no room for people about whom nothing is written, so that no write tells whether what was
/// read still holds. A batched read is not one instant: it may show them as they were before another request gave them
/// the last place, and the period as it is since. If the period was the same before they were read, it had no room for
/// them when they were.
///
/// A form's budget needs no second check, because its day is read before the people are.
#[derive(Default)]
pub(crate) struct RefusalCheck(Option<(u64, u64)>);

impl RefusalCheck {
    /// Notes the period as it was read before the people.
    pub(crate) fn observe(&mut self, period: &Period) {
        self.0 = Some((period.revision, period.marketing));
    }

    /// Whether all is to be read again, because the period that refuses them is not the one that was seen before.
    pub(crate) async fn needs_reread(
        &mut self,
        period: &Period,
        retries: &mut Retries<'_>,
    ) -> Result<bool, StoreError> {
        let before = self.0;
        self.observe(period);
        if self.0 == before {
            return Ok(false);
        }
        retries.retry_now("a refusal is made sure of").await?;
        Ok(true)
    }
}

/// Returns the period that a stored one has become by its account's instant, after the closing of all that have ended.
pub(crate) fn current(stored: Period, wall_clock: Timestamp) -> Period {
    let mut period = stored;
    while let Some(closing) = period.closing(period.now(wall_clock)) {
        period = closing.next;
    }
    period
}

impl Store {
    /// Reads the account's period and `keys` in one batched read. If the period has ended by then it is closed
    /// first, whoever asks, so nobody ever sees or decides on a period that is over.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if there is no such account.
    pub(crate) async fn read_current_period(
        &self,
        account: AccountId,
        wall_clock: Timestamp,
        mut keys: Vec<Key>,
        retries: &mut Retries<'_>,
    ) -> Result<PeriodSnapshot, StoreError> {
        let period_key = Key::period(account);
        keys.push(period_key.clone());
        loop {
            let mut items = self.batch_get(&keys, retries).await?;
            let Some(item) = items.take::<PeriodItem>(&period_key)? else {
                return Err(Refused::NotFound("account").into());
            };
            let period = item.into_period()?;
            let now = period.now(wall_clock);
            if !period.has_ended(now) {
                return Ok(PeriodSnapshot { items, period, now });
            }
            self.close(account, &period, wall_clock, retries).await?;
        }
    }

    /// Closes what has ended, in one transaction: the period item moves on and the statements are written. Losing
    /// the race to another closer is as good as winning it.
    async fn close(
        &self,
        account: AccountId,
        period: &Period,
        wall_clock: Timestamp,
        retries: &mut Retries<'_>,
    ) -> Result<(), StoreError> {
        let Some(closing) = period.closing(period.now(wall_clock)) else { return Ok(()) };
        let as_read = Expression::default()
            .name("revision")
            .name("marketing")
            .name("leaving")
            .value("revision", number(period.revision))
            .value("marketing", number(period.marketing))
            .value("leaving", number(period.leaving));
        let condition = "#revision = :revision AND #marketing = :marketing AND #leaving = :leaving";
        let mut transaction = Transaction::new(self.rng());
        let next = PeriodItem::of(account, &closing.next);
        transaction.put(Part::Period, self.put_if(Key::period(account), &next, condition, &as_read)?);
        for statement in &closing.statements {
            let item = StatementItem::of(account, statement, wall_clock);
            transaction.put(Part::Statement, self.put_new(Key::statement(account, statement.number), &item)?);
        }
        if self.commit(transaction, retries).await? {
            let closed = closing.statements.len();
            tracing::info!(%account, closed, now_in = closing.next.number.number(), "closed ended periods");
        }
        Ok(())
    }

    /// The account's current period, with the usage at this instant. One read.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if there is no such account.
    pub async fn usage(&self, account: AccountId, wall_clock: Timestamp) -> Result<Period, StoreError> {
        Ok(self.read_current_period(account, wall_clock, Vec::new(), &mut self.retries()).await?.period)
    }

    /// The closed periods, newest first, from the one before `after` on.
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
        // Closes what has ended, so that its statement is there.
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
