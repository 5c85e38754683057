//! Lists and searches of contacts. The 16 buckets are read in parallel and merged in the order of the contacts' ids.

use std::collections::VecDeque;

use domain::Timestamp;
use domain::contact::Contact;
use domain::filter::Filter;
use domain::ids::{AccountId, BUCKETS, Bucket, ContactId};
use domain::limits::{BUCKET_PAGE_MAX, SEARCH_BYTES_MAX, SEARCH_EXAMINED_MAX, SEARCH_ROUND_BYTES_MAX};
use domain::period::Period;
use futures_util::future::try_join_all;

use crate::StoreError;
use crate::items::{ContactItem, decode};
use crate::keys::bucket_pk;
use crate::store::{Query, Store};

/// A request for a page of contacts.
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

/// The state of reading one bucket.
struct Stream {
    query: Query,
    buffer: VecDeque<Contact>,
    exhausted: bool,
}

/// The divisor of a page: a stream is read ahead when its buffer is below that share.
const READ_AHEAD: usize = 4;

impl Stream {
    fn is_drained(&self) -> bool {
        self.buffer.is_empty() && self.exhausted
    }

    fn wants_more(&self) -> bool {
        self.buffer.is_empty() && !self.exhausted
    }

    /// Returns true if the stream is soon empty. An account's ids are spread evenly, so all streams become empty at
    /// about the same time.
    fn is_low(&self) -> bool {
        !self.exhausted && self.buffer.len() <= self.query.limit / READ_AHEAD
    }
}

/// The contacts that were read for a page, or for a part of it.
#[derive(Default)]
struct Examined {
    contacts: usize,
    bytes: usize,
    last: Option<ContactId>,
}

impl Examined {
    fn add(&mut self, contact: &Contact) {
        self.contacts += 1;
        self.bytes += contact.properties.bytes();
        self.last = Some(contact.id);
    }

    /// Returns true if it is as much as one page may cost.
    fn is_enough(&self) -> bool {
        self.contacts >= SEARCH_EXAMINED_MAX || self.bytes >= SEARCH_BYTES_MAX
    }
}

impl Store {
    /// Returns a page of the account's contacts without the deleted ones, all as of one period.
    ///
    /// A filtered page ends early when [`SEARCH_EXAMINED_MAX`] contacts, or [`SEARCH_BYTES_MAX`] bytes of them, were
    /// examined. Its cursor then continues after them.
    ///
    /// # Errors
    ///
    /// [`crate::Refused::NotFound`] if there is no such account.
    pub async fn search(&self, search: Search<'_>, wall_clock: Timestamp) -> Result<ContactPage, StoreError> {
        let op = self.operation(search.account, wall_clock);
        loop {
            let begun = op.read_current_period(Vec::new()).await?.period.number;
            let page = self.page(&search, wall_clock).await?;
            if page.period.number == begun {
                return Ok(page);
            }
            // Some contacts were read before the update date and some after it. A contact may have been kept in
            // between.
            op.retries.retry_now("the period closed during a read").await?;
        }
    }

    async fn page(&self, search: &Search<'_>, wall_clock: Timestamp) -> Result<ContactPage, StoreError> {
        let mut streams = streams(search);
        let mut contacts: Vec<Contact> = Vec::new();
        let mut examined = Examined::default();
        loop {
            // One contact more than the limit shows if there is a next page.
            let wanted = search.limit + 1 - contacts.len();
            let round = if search.filter.is_some() { usize::from(BUCKETS) * BUCKET_PAGE_MAX } else { wanted };
            let raw = self.next_contacts(&mut streams, round).await?;
            raw.iter().for_each(|contact| examined.add(contact));
            // The period is read after the contacts, so it is never older than the period in which they were written.
            let op = self.operation(search.account, wall_clock);
            let period = op.read_current_period(Vec::new()).await?.period;
            let settled = op.settle(raw, &period).await?;
            let matching = settled.into_iter().map(|loaded| loaded.contact).filter(|contact| {
                contact.is_visible() && search.filter.is_none_or(|filter| filter.matches(contact))
            });
            contacts.extend(matching.take(wanted));
            let next = if contacts.len() > search.limit {
                // Contacts examined after the page's last one are read again for the next page.
                contacts.truncate(search.limit);
                contacts.last().map(|contact| contact.id)
            } else if streams.iter().all(Stream::is_drained) {
                None
            } else if examined.is_enough() {
                examined.last
            } else {
                continue;
            };
            return Ok(ContactPage { contacts, period, next });
        }
    }

    /// Returns the next contacts over all buckets, in the order of their ids and not settled. Fewer than `count` if
    /// they are large.
    async fn next_contacts(&self, streams: &mut [Stream], count: usize) -> Result<Vec<Contact>, StoreError> {
        let (mut contacts, mut round) = (Vec::new(), Examined::default());
        while round.contacts < count && round.bytes < SEARCH_ROUND_BYTES_MAX {
            // A bucket whose next contact is not known might hold the smallest id.
            if streams.iter().any(Stream::wants_more) {
                // Other buckets that this round certainly needs are read in parallel, because queries in sequence are
                // slower.
                let buffered: usize = streams.iter().map(|stream| stream.buffer.len()).sum();
                let ahead = round.contacts + buffered < count;
                let hungry =
                    streams.iter_mut().filter(|stream| stream.wants_more() || (ahead && stream.is_low()));
                try_join_all(hungry.map(|stream| self.fill(stream))).await?;
                continue;
            }
            let next = streams.iter_mut().filter(|stream| !stream.buffer.is_empty());
            let next = next.min_by_key(|stream| stream.buffer.front().map(|contact| contact.id));
            match next.and_then(|stream| stream.buffer.pop_front()) {
                Some(contact) => {
                    round.add(&contact);
                    contacts.push(contact);
                }
                None => break,
            }
        }
        Ok(contacts)
    }

    async fn fill(&self, stream: &mut Stream) -> Result<(), StoreError> {
        let page = self.query(&stream.query).await?;
        for item in page.items {
            stream.buffer.push_back(decode::<ContactItem>(item)?.into_contact()?);
        }
        stream.exhausted = page.next.is_none();
        stream.query.after = page.next;
        Ok(())
    }
}

fn streams(search: &Search<'_>) -> Vec<Stream> {
    // Ids are spread evenly, so a sixteenth and four more are nearly always enough for a page.
    let share = search.limit.div_ceil(usize::from(BUCKETS)) + 4;
    let limit = if search.filter.is_some() { BUCKET_PAGE_MAX } else { share.min(BUCKET_PAGE_MAX) };
    Bucket::all()
        .map(|bucket| Stream {
            query: Query {
                pk: bucket_pk(search.account, bucket),
                prefix: "",
                after: search.after.map(ContactId::sortable),
                limit,
                newest_first: false,
            },
            buffer: VecDeque::new(),
            exhausted: false,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::ids::UserId;
    use domain::marketing::{EffectiveState, Marketing, StoredState};
    use domain::property::{Properties, PropertyName};
    use domain::source::{Actor, Source, SourceType};

    use super::*;

    fn contact(n: u128, bytes: usize) -> Contact {
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
        }
    }

    #[test]
    fn page_ends_at_its_maximum_of_contacts_or_bytes() {
        let mut examined = Examined::default();
        let (small, last) = (contact(1, 2), contact(2, 2));
        for _ in 1..SEARCH_EXAMINED_MAX {
            examined.add(&small);
        }
        assert!(!examined.is_enough());
        examined.add(&last);
        assert!(examined.is_enough() && examined.last == Some(last.id));

        let mut examined = Examined::default();
        let large = contact(1, 64 * 1024);
        assert_eq!(large.properties.bytes(), 64 * 1024);
        for _ in 1..SEARCH_BYTES_MAX / large.properties.bytes() {
            examined.add(&large);
        }
        assert!(!examined.is_enough());
        examined.add(&large);
        assert!(examined.is_enough());
    }
}
