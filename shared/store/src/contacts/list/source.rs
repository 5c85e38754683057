//! The contacts of an account that a search reads, in the order of their ids.

use std::collections::{BTreeSet, VecDeque};
use std::ops::RangeInclusive;

use domain::contact::Contact;
use domain::filter::{Access, Direction};
use domain::ids::{AccountId, BUCKETS, Bucket, ContactId};
use domain::limits::{BATCH_READ_MAX, BUCKET_PAGE_MAX, SEARCH_ROUND_BYTES_MAX};
use futures_util::future::try_join_all;

use super::Amount;
use crate::StoreError;
use crate::contacts::ContactRef;
use crate::items::{ContactItem, decode};
use crate::keys::{Key, bucket_pk};
use crate::operation::Operation;
use crate::store::{Query, Store};

/// The part of the contacts that is read, and the order.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    /// The contact after which the reading begins, in this direction.
    pub(super) after: Option<ContactId>,
    pub(super) direction: Direction,
    /// The number of contacts that will probably be read. `None` for many.
    pub(super) expected: Option<usize>,
}

/// The contacts that were not returned yet.
pub(super) enum Source {
    /// Contacts that are read by their keys, in order.
    Keys(VecDeque<ContactId>),
    /// Contacts that are read from all buckets.
    Buckets(Vec<Stream>, Direction),
}

/// The state of reading one bucket.
pub(super) struct Stream {
    query: Query,
    range: Option<RangeInclusive<String>>,
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

    fn front(&self) -> Option<ContactId> {
        self.buffer.front().map(|contact| contact.id)
    }
}

impl Source {
    /// Returns true if all contacts were returned.
    pub(super) fn is_drained(&self) -> bool {
        match self {
            Self::Keys(ids) => ids.is_empty(),
            Self::Buckets(streams, _) => streams.iter().all(Stream::is_drained),
        }
    }

    /// Returns true if the contacts are read by their keys.
    pub(super) fn is_by_key(&self) -> bool {
        matches!(self, Self::Keys(_))
    }
}

impl Operation<'_> {
    /// Returns the contacts of an access. Addresses are looked up in batched reads.
    pub(super) async fn source(&self, access: &Access, reading: Reading) -> Result<Source, StoreError> {
        match access {
            Access::Keys { ids, emails } => {
                let refs: Vec<_> = emails.iter().cloned().map(ContactRef::Email).collect();
                let resolved = self.resolve(&refs).await?;
                let ids: BTreeSet<ContactId> =
                    ids.iter().copied().chain(resolved.into_iter().flatten()).collect();
                let is_after = |id: &ContactId| {
                    reading.after.is_none_or(|after| reading.direction.order(id.cmp(&after)).is_gt())
                };
                let ids = ids.into_iter().filter(is_after);
                Ok(Source::Keys(match reading.direction {
                    Direction::Ascending => ids.collect(),
                    Direction::Descending => ids.rev().collect(),
                }))
            }
            Access::Range { from: None, to: None } => {
                let after = reading.after.map(ContactId::sortable);
                Ok(buckets(self.account, reading, after, None))
            }
            Access::Range { from, to } => Ok(self.range(*from, *to, reading)),
        }
    }

    /// Returns the contacts of a range of ids. A query of a range cannot start at a key outside it, so `after` narrows
    /// the range.
    fn range(&self, from: Option<ContactId>, to: Option<ContactId>, reading: Reading) -> Source {
        let (lowest, highest) = (Some(ContactId::LOWEST), Some(ContactId::HIGHEST));
        let unread = match (reading.after, reading.direction) {
            (Some(after), Direction::Ascending) => after.next().zip(highest),
            (Some(after), Direction::Descending) => lowest.zip(after.previous()),
            (None, _) => lowest.zip(highest),
        };
        let range = unread
            .map(|(low, high)| (from.map_or(low, |from| low.max(from)), to.map_or(high, |to| high.min(to))));
        match range {
            Some((low, high)) if low <= high => {
                buckets(self.account, reading, None, Some(low.sortable()..=high.sortable()))
            }
            _ => Source::Keys(VecDeque::new()),
        }
    }

    /// Returns the next contacts of the source, not settled. Fewer than `count` if they are large, or are read by their
    /// keys.
    pub(super) async fn next_contacts(
        &self,
        source: &mut Source,
        count: usize,
    ) -> Result<Vec<Contact>, StoreError> {
        match source {
            Source::Keys(ids) => {
                let chunk: Vec<ContactId> = ids.drain(..ids.len().min(BATCH_READ_MAX)).collect();
                let keys: Vec<Key> = chunk.iter().map(|id| Key::contact(self.account, *id)).collect();
                let mut items = self.read(keys.clone()).await?;
                let found = keys.iter().filter_map(|key| items.take::<ContactItem>(key).transpose());
                found.map(|item| item?.into_contact()).collect()
            }
            Source::Buckets(streams, direction) => self.store.merged(streams, *direction, count).await,
        }
    }
}

impl Store {
    /// Returns the next contacts over all buckets, in the order of their ids and not settled. Fewer than `count` if
    /// they are large.
    async fn merged(
        &self,
        streams: &mut [Stream],
        direction: Direction,
        count: usize,
    ) -> Result<Vec<Contact>, StoreError> {
        let (mut contacts, mut round) = (Vec::new(), Amount::default());
        while round.contacts < count && round.bytes < SEARCH_ROUND_BYTES_MAX {
            // A bucket whose next contact is not known might hold the next id.
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
            let next = next.min_by(|one, other| direction.order(one.front().cmp(&other.front())));
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
        let page = match &stream.range {
            Some(range) => self.query_range(&stream.query, range).await?,
            None => self.query(&stream.query).await?,
        };
        for item in page.items {
            stream.buffer.push_back(decode::<ContactItem>(item)?.into_contact()?);
        }
        stream.exhausted = page.next.is_none();
        stream.query.after = page.next;
        Ok(())
    }
}

fn buckets(
    account: AccountId,
    reading: Reading,
    after: Option<String>,
    range: Option<RangeInclusive<String>>,
) -> Source {
    // Ids are spread evenly, so a sixteenth and four more are nearly always enough for a page.
    let share = reading.expected.map(|expected| expected.div_ceil(usize::from(BUCKETS)) + 4);
    let limit = share.unwrap_or(BUCKET_PAGE_MAX).min(BUCKET_PAGE_MAX);
    let stream = |bucket| Stream {
        query: Query {
            pk: bucket_pk(account, bucket),
            prefix: "",
            after: after.clone(),
            limit,
            newest_first: reading.direction == Direction::Descending,
        },
        range: range.clone(),
        buffer: VecDeque::new(),
        exhausted: false,
    };
    Source::Buckets(Bucket::all().map(stream).collect(), reading.direction)
}
