//! Notices: the events of an account that are rare and that people want to know of.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::event::{Event, EventId, EventType, Fact};
use domain::ids::AccountId;
use domain::limits::NOTICE_KEPT;

use super::events::events;
use super::{Change, Followed, Numbered};
use crate::StoreError;
use crate::items::{FactItem, NoticeIdItem, NoticeItem, decode};
use crate::keys::{Key, NOTICE_PREFIX, notice_pk};
use crate::listing::Listing;
use crate::store::{Query, Store};
use crate::transaction::Transaction;

/// An event that is stored for the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The event's id.
    pub id: EventId,
    /// The type.
    pub kind: EventType,
    /// The account's instant at which it happened.
    pub at: Timestamp,
    /// Its ids and numbers, by name.
    pub facts: BTreeMap<String, Fact>,
}

impl From<NoticeItem> for Notice {
    fn from(NoticeItem { id, kind, at, facts, .. }: NoticeItem) -> Self {
        let facts = facts.into_iter().map(|(name, fact)| (name, fact.into()));
        Self { id, kind, at, facts: facts.collect() }
    }
}

impl Store {
    /// Stores the notices that follow from changes.
    pub(super) async fn follow_notices(
        &self,
        changes: &[Numbered],
        wall_clock: Timestamp,
        followed: &mut Followed,
    ) {
        for numbered in changes {
            // The others give no notices, and are far more.
            let may_give = matches!(
                numbered.change,
                Change::Period(_) | Change::Statement(..) | Change::Job(..) | Change::AutomationState(..)
            );
            if !may_give {
                continue;
            }
            for event in events(numbered, &domain::marketing::ClosedPeriodEnds::default()) {
                if let Err(error) = self.notify(&event, wall_clock).await {
                    followed.fail([numbered.sequence_number.clone()], error);
                }
            }
        }
    }

    /// Stores an event as a notice, if it is one and is not stored already.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub(crate) async fn notify(&self, event: &Event, wall_clock: Timestamp) -> Result<(), StoreError> {
        let Event { id, account, at, what } = event;
        if !what.kind().is_notice() {
            return Ok(());
        }
        let expires_at = wall_clock.plus(NOTICE_KEPT).seconds();
        let facts = what.facts().into_iter().map(|(name, fact)| (name.to_owned(), FactItem::from(fact)));
        let at = at.unwrap_or(wall_clock);
        let item = NoticeItem { id: *id, kind: what.kind(), at, facts: facts.collect(), expires_at };
        let mark = Key::notice_id(*account, *id);
        let retries = self.retries();
        loop {
            if self.get::<NoticeIdItem>(mark.clone()).await?.is_some() {
                return Ok(());
            }
            let mut transaction = Transaction::default();
            transaction.put(self.put_new(mark.clone(), &NoticeIdItem { expires_at })?);
            transaction.put(self.put_any(Key::notice(*account, at, *id), &item)?);
            if self.commit(transaction, &retries).await? {
                return Ok(());
            }
        }
    }

    /// Returns the account's notices, newest first. The list begins before the notice `after`.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn notices(
        &self,
        account: AccountId,
        after: Option<(Timestamp, EventId)>,
        limit: usize,
        wall_clock: Timestamp,
    ) -> Result<Listing<Notice>, StoreError> {
        let mut query = Query {
            pk: notice_pk(account),
            prefix: NOTICE_PREFIX,
            after: after.map(|(at, id)| Key::notice(account, at, id).sk),
            limit,
            newest_first: true,
        };
        let mut items = Vec::new();
        loop {
            let page = self.query(&query).await?;
            for item in page.items {
                let item: NoticeItem = decode(item)?;
                // DynamoDB deletes expired items later.
                if item.expires_at > wall_clock.seconds() {
                    items.push(item.into());
                }
            }
            query.after = page.next;
            query.limit = limit.saturating_sub(items.len());
            if query.after.is_none() || query.limit == 0 {
                return Ok(Listing { items, more: query.after.is_some() });
            }
        }
    }
}
