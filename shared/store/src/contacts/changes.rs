//! Searches of contacts by the instant of their latest change, through the `changed` index.
//!
//! The index contains keys only and is eventually consistent. So it finds contacts, and each contact of a page is then
//! read consistently and judged by its present value.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::contact::Contact;
use domain::filter::Direction;
use domain::ids::{AccountId, Bucket, ContactId};
use domain::limits::{
    BATCH_READ_MAX, CHANGED_KEYS_MAX, CHANGED_KEYS_PAGE, CHANGED_PERIODS_MAX, CHANGED_ROUNDS_MAX,
    SWEEP_INDEXED_AFTER,
};
use domain::period::{Period, PeriodNumber, Statement};
use futures_util::future::{try_join, try_join_all};

use crate::StoreError;
use crate::error::call_error;
use crate::items::{StatementItem, decode};
use crate::keys::{
    CHANGED_INDEX, CHANGED_PK, CHANGED_SK, Collection, LEAVING_INDEX, LEAVING_PK, SK, account_pk, changed_pk,
    changed_sk, deleted_pk, deleted_sk, leaving_pk, parse_changed_sk, parse_deleted_sk,
};
use crate::operation::Operation;
use crate::store::{Query, Store};

/// A request for a page of the contacts that changed within a range of time.
#[derive(Clone, Debug)]
pub struct ChangedContacts {
    /// The account.
    pub account: AccountId,
    /// The instants of the latest change, by the account's clock. A contact that left at an update date changed at that
    /// instant.
    pub changed: RangeInclusive<Timestamp>,
    /// The ids. All of them are [`ContactId::LOWEST`] to [`ContactId::HIGHEST`].
    pub ids: RangeInclusive<ContactId>,
    /// The order.
    pub order: ChangeOrder,
    /// The number of contacts before the page.
    pub offset: usize,
    /// The maximum number of contacts.
    pub limit: usize,
}

/// The order of contacts that changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeOrder {
    /// By the instant of the change, and for one instant by id.
    Instant(Direction),
    /// By id.
    Id(Direction),
}

/// The result of a search of contacts by change.
#[derive(Clone, Debug)]
pub enum ChangedResult {
    /// A page of contacts.
    Page(Box<ChangedPage>),
    /// The index can't answer the request: it is switched off, or not complete for the whole range. All contacts have to
    /// be read instead.
    NotIndexed,
    /// The range has more contacts than one request may count.
    TooMany,
}

/// A page of contacts that changed, as of now.
#[derive(Clone, Debug)]
pub struct ChangedPage {
    /// The contacts.
    pub contacts: Vec<Contact>,
    /// The period that decides their states.
    pub period: Period,
    /// The number of contacts over all pages.
    pub total: u64,
}

/// The contacts that the indexes show, each with the instant of its change.
type Found = BTreeMap<ContactId, Timestamp>;

/// The keys of a search, or the reason why it has none.
enum Keys {
    Found(Found),
    NotIndexed,
    TooMany,
}

/// The number of keys that a search may still read.
struct Budget(AtomicUsize);

/// A part of one partition of an index.
struct IndexRange {
    index: &'static str,
    pk: (&'static str, String),
    /// The name of the index's sort key, and the range of its values. Only this attribute is returned.
    sk: (&'static str, RangeInclusive<String>),
}

impl Budget {
    /// Counts keys that were read. Returns false if they are more than the search may read.
    fn take(&self, keys: usize) -> bool {
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            // Later pages are refused as well.
            Some(left.saturating_sub(keys))
        });
        before.is_ok_and(|left| left >= keys)
    }
}

impl ChangedContacts {
    fn selects(&self, contact: &Contact) -> bool {
        contact.is_visible() && self.changed.contains(&contact.updated_at) && self.ids.contains(&contact.id)
    }

    /// Returns the ids of the page, in order.
    fn page(&self, found: &Found) -> Vec<ContactId> {
        let mut places: Vec<_> = found.iter().collect();
        let direction = match self.order {
            ChangeOrder::Instant(direction) => {
                // A stable sort, so contacts of one instant stay in the order of their ids.
                places.sort_by_key(|(_, at)| **at);
                direction
            }
            ChangeOrder::Id(direction) => direction,
        };
        if direction == Direction::Descending {
            places.reverse();
        }
        places.into_iter().skip(self.offset).take(self.limit).map(|(id, _)| *id).collect()
    }
}

impl Store {
    /// Returns a page of the contacts that changed within a range of time, without the deleted ones and all as of one
    /// period, and the number of all of them.
    ///
    /// The keys of all matches are read, and of the contacts only those of the page. The index follows a write within a
    /// second or so. A contact that has changed since is judged by its present value if it is on the page.
    ///
    /// # Errors
    ///
    /// [`crate::Refused::NotFound`] if there is no such account.
    pub async fn changed_contacts(
        &self,
        request: &ChangedContacts,
        wall_clock: Timestamp,
    ) -> Result<ChangedResult, StoreError> {
        let op = self.operation(request.account, wall_clock);
        loop {
            let period = op.read_current_period(Vec::new()).await?.period;
            let found = match op.changed_keys(request, &period).await? {
                Keys::Found(found) => found,
                Keys::NotIndexed => return Ok(ChangedResult::NotIndexed),
                Keys::TooMany => return Ok(ChangedResult::TooMany),
            };
            if let Some(page) = op.changed_page(request, found, period).await? {
                return Ok(ChangedResult::Page(Box::new(page)));
            }
            op.retries.retry_now("the period closed during a read").await?;
        }
    }

    /// Returns the sort keys of a part of an index. `None` if the budget is used up.
    async fn index_keys(
        &self,
        range: &IndexRange,
        budget: &Budget,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let IndexRange { index, pk: (pk_name, pk), sk: (sk_name, sks) } = range;
        let request = self
            .client
            .query()
            .table_name(&*self.table)
            .index_name(*index)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .projection_expression("#sk")
            .expression_attribute_names("#pk", *pk_name)
            .expression_attribute_names("#sk", *sk_name)
            .expression_attribute_values(":pk", AttributeValue::S(pk.clone()))
            .expression_attribute_values(":from", AttributeValue::S(sks.start().clone()))
            .expression_attribute_values(":to", AttributeValue::S(sks.end().clone()))
            .limit(i32::try_from(CHANGED_KEYS_PAGE).unwrap_or(i32::MAX));
        let (mut keys, mut after) = (Vec::new(), None);
        loop {
            let page = request.clone().set_exclusive_start_key(after).send().await;
            let output = page.map_err(|error| call_error("a query of changed contacts", error))?;
            let items = output.items.unwrap_or_default();
            if !budget.take(items.len()) {
                return Ok(None);
            }
            let sk = |mut item: HashMap<String, AttributeValue>| match item.remove(*sk_name) {
                Some(AttributeValue::S(sk)) => Some(sk),
                _ => None,
            };
            keys.extend(items.into_iter().filter_map(sk));
            after = output.last_evaluated_key;
            if after.is_none() {
                return Ok(Some(keys));
            }
        }
    }

    /// Returns the sort keys of several parts of an index, which are read in parallel. `None` if the budget is used up.
    async fn all_index_keys(
        &self,
        ranges: &[IndexRange],
        budget: &Budget,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let read = try_join_all(ranges.iter().map(|range| self.index_keys(range, budget))).await?;
        let all: Option<Vec<Vec<String>>> = read.into_iter().collect();
        Ok(all.map(|all| all.into_iter().flatten().collect()))
    }
}

impl Operation<'_> {
    /// Reads the page's contacts. Contacts that do not match any more leave the page, and contacts that have changed
    /// move, until all contacts of the page are read. Returns `None` if the period closed meanwhile.
    async fn changed_page(
        &self,
        request: &ChangedContacts,
        mut found: Found,
        mut period: Period,
    ) -> Result<Option<ChangedPage>, StoreError> {
        let mut read: HashMap<ContactId, Contact> = HashMap::new();
        for _ in 0..CHANGED_ROUNDS_MAX {
            let page = request.page(&found).into_iter();
            let unread: Vec<ContactId> = page.filter(|id| !read.contains_key(id)).collect();
            if unread.is_empty() {
                break;
            }
            let (mut contacts, now) = self.load_all(&unread).await?;
            if now.number != period.number {
                return Ok(None);
            }
            period = now;
            for id in unread {
                match contacts.remove(&id).filter(|contact| request.selects(contact)) {
                    Some(contact) => {
                        found.insert(id, contact.updated_at);
                        read.insert(id, contact);
                    }
                    None => {
                        found.remove(&id);
                    }
                }
            }
        }
        let contacts = request.page(&found).into_iter().filter_map(|id| read.remove(&id)).collect();
        Ok(Some(ChangedPage { contacts, period, total: found.len() as u64 }))
    }

    /// Returns the contacts that the indexes show within the request's ranges.
    ///
    /// Contacts that left at an update date and are not swept are in the `leaving` index. It is read first: a contact
    /// that is swept meanwhile is in both.
    async fn changed_keys(&self, request: &ChangedContacts, period: &Period) -> Result<Keys, StoreError> {
        let indexed_from = period.indexed_from.filter(|from| from <= request.changed.start());
        let Some(indexed_from) = indexed_from else { return Ok(Keys::NotIndexed) };
        if request.changed.is_empty() || request.ids.is_empty() {
            return Ok(Keys::Found(Found::new()));
        }
        let Some(unswept) = self.unswept_since(*request.changed.start(), period).await? else {
            return Ok(Keys::TooMany);
        };
        // Contacts that were deleted before the index was complete can't be told from others that left.
        let is_unknown =
            |closed: &Statement| closed.starts_at < indexed_from && request.changed.contains(&closed.ends_at);
        if unswept.iter().any(is_unknown) {
            return Ok(Keys::NotIndexed);
        }
        let budget = Budget(AtomicUsize::new(CHANGED_KEYS_MAX));
        let mut left = Found::new();
        for closed in &unswept {
            let Some(ids) = self.left(request, closed, &budget).await? else { return Ok(Keys::TooMany) };
            left.extend(ids.into_iter().map(|id| (id, closed.ends_at)));
        }
        let Some(mut found) = self.written(request, &budget).await? else { return Ok(Keys::TooMany) };
        for (id, at) in left {
            let at = found.get(&id).map_or(at, |written| at.max(*written));
            if request.changed.contains(&at) {
                found.insert(id, at);
            } else {
                found.remove(&id);
            }
        }
        Ok(Keys::Found(found))
    }

    /// Returns the closed periods that ended at `from` or later and whose leaving contacts may be missing in the index
    /// of changes, because they are not swept or were swept a moment ago. `None` if they are too many.
    async fn unswept_since(
        &self,
        from: Timestamp,
        period: &Period,
    ) -> Result<Option<Vec<Statement>>, StoreError> {
        let mut unswept = Vec::new();
        if from > period.starts_at {
            // No period has ended since.
            return Ok(Some(unswept));
        }
        let indexed = self.wall_clock.plus(-SWEEP_INDEXED_AFTER);
        let mut query = Query {
            pk: account_pk(self.account),
            prefix: Collection::Statements.prefix(),
            after: None,
            limit: BATCH_READ_MAX,
            newest_first: true,
        };
        loop {
            let page = self.store.query(&query).await?;
            for item in page.items {
                let item: StatementItem = decode(item)?;
                let pending = item.is_swept_after(indexed);
                let closed = item.into_statement()?;
                if closed.ends_at < from {
                    return Ok(Some(unswept));
                }
                unswept.extend(pending.then_some(closed));
                if unswept.len() > CHANGED_PERIODS_MAX {
                    return Ok(None);
                }
            }
            query.after = page.next;
            if query.after.is_none() {
                return Ok(Some(unswept));
            }
        }
    }

    /// Returns the contacts that the `leaving` index shows for a closed period, without the deleted ones. `None` if the
    /// budget is used up.
    async fn left(
        &self,
        request: &ChangedContacts,
        closed: &Statement,
        budget: &Budget,
    ) -> Result<Option<BTreeSet<ContactId>>, StoreError> {
        let (leaving, deleted) = self.ranges_of(request, closed.number);
        let read = try_join(
            self.store.all_index_keys(&leaving, budget),
            self.store.all_index_keys(&deleted, budget),
        );
        let (Some(leaving), Some(deleted)) = read.await? else { return Ok(None) };
        let mut left: BTreeSet<ContactId> =
            leaving.iter().filter_map(|sk| ContactId::from_sortable(sk).ok()).collect();
        for unit in deleted.iter().filter_map(|sk| parse_deleted_sk(sk)) {
            left.remove(&unit);
        }
        Ok(Some(left))
    }

    /// Returns the parts of the indexes with the contacts that were queued in a period, and with the deleted ones of
    /// them.
    fn ranges_of(
        &self,
        request: &ChangedContacts,
        number: PeriodNumber,
    ) -> (Vec<IndexRange>, Vec<IndexRange>) {
        let (first, last) = (*request.ids.start(), *request.ids.end());
        let leaving = Bucket::all().map(|bucket| IndexRange {
            index: LEAVING_INDEX,
            pk: (LEAVING_PK, leaving_pk(self.account, number, bucket)),
            sk: (SK, first.sortable()..=last.sortable()),
        });
        let deleted = Bucket::all().map(|bucket| IndexRange {
            index: CHANGED_INDEX,
            pk: (CHANGED_PK, deleted_pk(self.account, bucket)),
            sk: (CHANGED_SK, deleted_sk(number, first)..=deleted_sk(number, last)),
        });
        (leaving.collect(), deleted.collect())
    }

    /// Returns the contacts that the index of changes shows within the request's ranges. `None` if the budget is used
    /// up.
    async fn written(&self, request: &ChangedContacts, budget: &Budget) -> Result<Option<Found>, StoreError> {
        let (from, to) = (*request.changed.start(), *request.changed.end());
        let (first, last) = (*request.ids.start(), *request.ids.end());
        let ranges: Vec<IndexRange> = Bucket::all()
            .map(|bucket| IndexRange {
                index: CHANGED_INDEX,
                pk: (CHANGED_PK, changed_pk(self.account, bucket)),
                sk: (CHANGED_SK, changed_sk(from, first)..=changed_sk(to, last)),
            })
            .collect();
        let Some(keys) = self.store.all_index_keys(&ranges, budget).await? else { return Ok(None) };
        let mut found = Found::new();
        for (at, id) in keys.iter().filter_map(|sk| parse_changed_sk(sk)) {
            if request.ids.contains(&id) {
                // A contact that changes while the index is read may be in it twice.
                let latest = found.entry(id).or_insert(at);
                *latest = at.max(*latest);
            }
        }
        Ok(Some(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_is_used_up_by_the_first_key_beyond_it() {
        let budget = Budget(AtomicUsize::new(CHANGED_KEYS_MAX));
        assert!(budget.take(CHANGED_KEYS_MAX - 1) && budget.take(1) && budget.take(0));
        assert!(!budget.take(1) && !budget.take(1));
        let budget = Budget(AtomicUsize::new(2));
        assert!(!budget.take(3) && !budget.take(1), "a smaller page is refused as well");
    }
}
