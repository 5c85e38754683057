//! Listing and searching contacts: 16 buckets read in parallel and merged in the order of the contacts' ids.

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

/// A page of contacts that is asked for.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// Whose.
    pub account: AccountId,
    /// Which ones; all if not said.
    pub filter: Option<&'a Filter>,
    /// Only those after this one, in the order of their ids, which is that of their making.
    pub after: Option<ContactId>,
    /// How many at most.
    pub limit: usize,
}

/// A page of contacts as of now.
#[derive(Clone, Debug)]
pub struct ContactPage {
    /// The contacts.
    pub contacts: Vec<Contact>,
    /// The period that their states follow from.
    pub period: Period,
    /// Where the next page goes on after, if there may be more.
    pub next: Option<ContactId>,
}

/// A bucket that is being read.
struct Stream {
    query: Query,
    buffer: VecDeque<Contact>,
    exhausted: bool,
}

/// The share of its page below which a stream is read ahead.
const READ_AHEAD: usize = 4;

impl Stream {
    fn is_drained(&self) -> bool {
        self.buffer.is_empty() && self.exhausted
    }

    fn wants_more(&self) -> bool {
        self.buffer.is_empty() && !self.exhausted
    }

    /// Returns true if the stream is soon empty. The ids of an account are spread evenly, so all streams are at about the same
    /// time.
    fn is_low(&self) -> bool {
        !self.exhausted && self.buffer.len() <= self.query.limit / READ_AHEAD
    }
}

/// What was read for a page, or for a part of it.
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

    /// Whether it is as much as one page may cost.
    fn is_enough(&self) -> bool {
        self.contacts >= SEARCH_EXAMINED_MAX || self.bytes >= SEARCH_BYTES_MAX
    }
}

impl Store {
    /// A page of the account's contacts, deleted ones left out, all of them as of one period.
    ///
    /// A filtered page ends early when [`SEARCH_EXAMINED_MAX`] contacts, or [`SEARCH_BYTES_MAX`] bytes of them, were
    /// examined; its cursor then goes on.
    ///
    /// # Errors
    ///
    /// [`crate::Refused::NotFound`] if there is no such account.
    pub async fn search(&self, search: Search<'_>, wall_clock: Timestamp) -> Result<ContactPage, StoreError> {
        let mut retries = self.retries();
        loop {
            let begun = self
                .read_current_period(search.account, wall_clock, Vec::new(), &mut retries)
                .await?
                .period
                .number;
            let page = self.page(&search, wall_clock).await?;
            if page.period.number == begun {
                return Ok(page);
            }
            // Some of it was read before the update date and some after: a contact may have been kept in between.
            retries.retry_now("the period closed during a read").await?;
        }
    }

    async fn page(&self, search: &Search<'_>, wall_clock: Timestamp) -> Result<ContactPage, StoreError> {
        let mut streams = streams(search);
        let mut contacts: Vec<Contact> = Vec::new();
        let mut examined = Examined::default();
        loop {
            // One more than the page holds tells whether there is a next one.
            let wanted = search.limit + 1 - contacts.len();
            let round = if search.filter.is_some() { usize::from(BUCKETS) * BUCKET_PAGE_MAX } else { wanted };
            let raw = self.next_contacts(&mut streams, round).await?;
            raw.iter().for_each(|contact| examined.add(contact));
            // The period is read after the contacts, so it is never older than what they were written under.
            let mut retries = self.retries();
            let period =
                self.read_current_period(search.account, wall_clock, Vec::new(), &mut retries).await?.period;
            let settled = self.settle(search.account, raw, &period, &mut retries).await?;
            let matching = settled.into_iter().map(|loaded| loaded.contact).filter(|contact| {
                contact.is_visible() && search.filter.is_none_or(|filter| filter.matches(contact))
            });
            contacts.extend(matching.take(wanted));
            let next = if contacts.len() > search.limit {
                // What was examined beyond the page's last contact is read again with the next page.
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

    /// The next contacts over all buckets, in the order of their ids, as they were written; fewer than `count` if they
    /// are large.
    async fn next_contacts(&self, streams: &mut [Stream], count: usize) -> Result<Vec<Contact>, StoreError> {
        let (mut contacts, mut round) = (Vec::new(), Examined::default());
        while round.contacts < count && round.bytes < SEARCH_ROUND_BYTES_MAX {
            // A bucket whose next contact is not known might hold the smallest id.
            if streams.iter().any(Stream::wants_more) {
                // Others are read with it if this round needs them for certain: one query after another would take longer.
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
    // Ids spread evenly, so a sixteenth and a little is nearly always enough for a page.
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
    fn a_page_costs_so_many_contacts_or_so_many_bytes() {
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
