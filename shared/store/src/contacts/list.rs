//! Lists and searches of contacts. The 16 buckets are read in parallel and merged in the order of the contacts' ids.

mod best;
mod scan;
mod source;

use domain::Timestamp;
use domain::contact::Contact;
use domain::filter::{Access, Direction, Filter};
use domain::ids::{AccountId, BUCKETS, ContactId};
use domain::limits::{BUCKET_PAGE_MAX, SEARCH_BYTES_MAX, SEARCH_EXAMINED_MAX};
use domain::period::Period;

use self::source::Reading;
use crate::StoreError;
use crate::operation::Operation;
use crate::store::Store;

pub use scan::{Examined, Scan, ScannedPage};

/// A request for a page of contacts in the order of ids.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// The account.
    pub account: AccountId,
    /// The filter. `None` selects all contacts.
    pub filter: Option<&'a Filter>,
    /// The contact after which the page begins, in the order of ids, which is the order of creation.
    pub after: Option<ContactId>,
    /// The maximum number of contacts.
    pub limit: usize,
}

/// A page of contacts as of now.
#[derive(Clone, Debug)]
pub struct ContactPage {
    /// The contacts.
    pub contacts: Vec<Contact>,
    /// The period that decides their states.
    pub period: Period,
    /// The contact after which the next page begins, if there may be one.
    pub next: Option<ContactId>,
}

/// The amount of contacts that were read for a page, or for a part of it.
#[derive(Default)]
struct Amount {
    contacts: usize,
    bytes: usize,
    last: Option<ContactId>,
}

impl Amount {
    fn add(&mut self, contact: &Contact) {
        self.contacts += 1;
        self.bytes += contact.properties.bytes();
        self.last = Some(contact.id);
    }

    /// Returns true if it is as much as one page may cost: `most` contacts, or too many bytes.
    fn is_enough(&self, most: usize) -> bool {
        self.contacts >= most || self.bytes >= SEARCH_BYTES_MAX
    }
}

/// The number of contacts that a search with a filter reads before it filters them.
const ROUND: usize = BUCKETS as usize * BUCKET_PAGE_MAX;

impl Store {
    /// Returns a page of the account's contacts without the deleted ones, all as of one period. They are in the order
    /// of creation.
    ///
    /// A filtered page ends early when [`SEARCH_EXAMINED_MAX`] contacts, or [`SEARCH_BYTES_MAX`] bytes of them, were
    /// examined. Its cursor then continues after them. Contacts outside the filter's [`Access`] are not read.
    ///
    /// # Errors
    ///
    /// [`crate::Refused::NotFound`] if there is no such account.
    pub async fn search(&self, search: Search<'_>, wall_clock: Timestamp) -> Result<ContactPage, StoreError> {
        self.search_by_id(search, Direction::Ascending, wall_clock).await
    }

    /// The same as [`Self::search`], in either direction. `after` precedes the page in that direction.
    ///
    /// # Errors
    ///
    /// The same as [`Self::search`].
    pub async fn search_by_id(
        &self,
        search: Search<'_>,
        direction: Direction,
        wall_clock: Timestamp,
    ) -> Result<ContactPage, StoreError> {
        self.search_within(search, direction, SEARCH_EXAMINED_MAX, wall_clock).await
    }

    /// The same as [`Self::search_by_id`], with another number of contacts after which a filtered page ends early. It
    /// is rounded up to whole reads.
    ///
    /// # Errors
    ///
    /// The same as [`Self::search`].
    pub async fn search_within(
        &self,
        search: Search<'_>,
        direction: Direction,
        examined_max: usize,
        wall_clock: Timestamp,
    ) -> Result<ContactPage, StoreError> {
        let op = self.operation(search.account, wall_clock);
        loop {
            let begun = op.read_current_period(Vec::new()).await?.period.number;
            let page = op.page(&search, direction, examined_max).await?;
            if page.period.number == begun {
                return Ok(page);
            }
            // Some contacts were read before the update date and some after it. A contact may have been kept in
            // between.
            op.retries.retry_now("the period closed during a read").await?;
        }
    }
}

impl Operation<'_> {
    /// Reads a page, for which at most about `most` contacts are examined.
    async fn page(
        &self,
        search: &Search<'_>,
        direction: Direction,
        most: usize,
    ) -> Result<ContactPage, StoreError> {
        let Search { account: _, filter, after, limit } = *search;
        let access = filter.map_or(Access::ALL, Filter::access);
        let expected = filter.is_none().then_some(limit);
        let mut source = self.source(&access, Reading { after, direction, expected }).await?;
        let mut contacts: Vec<Contact> = Vec::new();
        let mut examined = Amount::default();
        loop {
            // One contact more than the limit shows if there is a next page.
            let wanted = limit + 1 - contacts.len();
            let raw = self.next_contacts(&mut source, if filter.is_some() { ROUND } else { wanted }).await?;
            raw.iter().for_each(|contact| examined.add(contact));
            let (visible, period) = self.as_of_now(raw).await?;
            let matching = visible.into_iter().filter(|contact| is_match(filter, contact));
            contacts.extend(matching.take(wanted));
            let next = if contacts.len() > limit {
                // Contacts examined after the page's last one are read again for the next page.
                contacts.truncate(limit);
                contacts.last().map(|contact| contact.id)
            } else if source.is_drained() {
                None
            } else if examined.is_enough(most) {
                examined.last
            } else {
                continue;
            };
            return Ok(ContactPage { contacts, period, next });
        }
    }

    /// Settles contacts and leaves out the deleted ones. The period is read after the contacts, so it is never older
    /// than the period in which they were written.
    async fn as_of_now(&self, raw: Vec<Contact>) -> Result<(Vec<Contact>, Period), StoreError> {
        let period = self.read_current_period(Vec::new()).await?.period;
        let settled = self.settle(raw, &period).await?;
        let visible = settled.into_iter().map(|loaded| loaded.contact).filter(Contact::is_visible);
        Ok((visible.collect(), period))
    }
}

fn is_match(filter: Option<&Filter>, contact: &Contact) -> bool {
    filter.is_none_or(|filter| filter.matches(contact))
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::ids::UserId;
    use domain::marketing::{EffectiveState, Marketing, StoredState};
    use domain::property::{Properties, PropertyName};
    use domain::source::{Actor, Source, SourceType};

    use super::*;

    pub(super) fn contact(n: u128, bytes: usize) -> Contact {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let source = Source { kind: SourceType::Manual, name: "Ada".to_owned(), id: None };
        let actor = Actor::User(UserId::new(now, 1));
        let mut properties = Properties::default();
        let value = "x".repeat(bytes.saturating_sub(1));
        properties.merge(std::iter::once((PropertyName::parse("p").unwrap(), Some(value)))).unwrap();
        Contact {
            id: ContactId::new(now, n),
            email: None,
            properties,
            unsubscribed: false,
            bounced: false,
            marketing: Marketing::new(
                StoredState::NonMarketing,
                EffectiveState::NonMarketing,
                now,
                source,
                actor,
            ),
            created_at: now,
            updated_at: now,
            version: 1,
            deleted_at: None,
            chain: Vec::new(),
            unenrolled: false,
            imported: None,
            edited: None,
        }
    }

    #[test]
    fn page_ends_at_its_maximum_of_contacts_or_bytes() {
        let mut examined = Amount::default();
        let (small, last) = (contact(1, 2), contact(2, 2));
        for _ in 1..SEARCH_EXAMINED_MAX {
            examined.add(&small);
        }
        assert!(!examined.is_enough(SEARCH_EXAMINED_MAX));
        examined.add(&last);
        assert!(examined.is_enough(SEARCH_EXAMINED_MAX) && examined.last == Some(last.id));

        let mut examined = Amount::default();
        let large = contact(1, 64 * 1024);
        assert_eq!(large.properties.bytes(), 64 * 1024);
        for _ in 1..SEARCH_BYTES_MAX / large.properties.bytes() {
            examined.add(&large);
        }
        assert!(!examined.is_enough(SEARCH_EXAMINED_MAX));
        examined.add(&large);
        assert!(examined.is_enough(SEARCH_EXAMINED_MAX));
    }
}
