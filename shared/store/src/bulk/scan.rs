//! Reads of the contacts that an audience may select: from all buckets in parallel, in the order of their ids.
//!
//! Reads run ahead of the consumer, but only so far that the memory stays bounded. The consumer's own task polls them,
//! so a dropped scan reads nothing more.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::pin::{Pin, pin};

use domain::Timestamp;
use domain::filter::Access;
use domain::ids::{AccountId, Bucket, ContactId, SegmentId};
use domain::limits::{BATCH_READ_MAX, BULK_PAGE_MAX};
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::audience::{Audience, Memberships, Part};
use crate::contacts::Loaded;
use crate::items::{ContactItem, MemberItem, decode, unreadable};
use crate::keys::{Item, Key, SK, bucket_pk, member_pk};
use crate::operation::Operation;
use crate::store::{Query, QueryPage, Store};
use crate::{ContactRef, StoreError};

/// A contact that an audience may select. It is read as it is stored, and settled later.
pub(crate) struct Candidate {
    pub(crate) loaded: Loaded,
    /// The memberships in the audience's static lists.
    pub(crate) lists: Memberships,
    /// The time before the read, for the confirmation of refusals.
    pub(crate) asked: Instant,
}

/// The candidates of a page, and the contact up to which the page reads. It is `None` for the last page.
struct Page {
    candidates: Vec<Candidate>,
    read_to: Option<ContactId>,
}

/// A read in progress, with the number of its stream.
type Read<'s> = Pin<Box<dyn Future<Output = (usize, Result<Page, StoreError>)> + Send + 's>>;

/// The part of the table that one stream reads, in the order of ids.
#[derive(Clone)]
enum Source {
    /// One bucket of contacts up to a contact, with the memberships in these lists.
    Bucket { bucket: Bucket, to: Option<ContactId>, lists: Vec<SegmentId> },
    /// The members of a static list in one bucket.
    List { bucket: Bucket, list: SegmentId },
    /// Contacts with known ids.
    Keys(BTreeSet<ContactId>),
}

/// The state of reading one source.
struct Stream {
    source: Source,
    /// The maximum number of contacts of a page.
    page: usize,
    /// The contact after which the next page begins.
    after: Option<ContactId>,
    buffer: VecDeque<Candidate>,
    reading: bool,
    finished: bool,
}

impl Stream {
    /// Returns true if the next page should be read: the buffer is soon empty.
    fn wants_more(&self) -> bool {
        !self.reading && !self.finished && self.buffer.len() <= self.page / 2
    }
}

/// The contacts that an audience may select, in the order of their ids.
pub(crate) struct Scan<'s> {
    store: &'s Store,
    account: AccountId,
    streams: Vec<Stream>,
    reads: FuturesUnordered<Read<'s>>,
    failed: Option<StoreError>,
}

impl<'s> Operation<'s> {
    /// Begins a scan after the contact `after`, in pages of [`BULK_PAGE_MAX`].
    pub(crate) async fn scan(
        &self,
        audience: &Audience,
        after: Option<ContactId>,
    ) -> Result<Scan<'s>, StoreError> {
        self.scan_in_pages(audience, after, BULK_PAGE_MAX).await
    }

    /// Begins a scan after the contact `after`, in pages of this size. The scan holds up to two pages of each bucket.
    pub(crate) async fn scan_in_pages(
        &self,
        audience: &Audience,
        after: Option<ContactId>,
        page: usize,
    ) -> Result<Scan<'s>, StoreError> {
        let (sources, from) = self.sources(audience).await?;
        let first = from.and_then(ContactId::previous);
        let after = after.max(first);
        let stream =
            |source| Stream { source, page, after, buffer: VecDeque::new(), reading: false, finished: false };
        let streams = sources.into_iter().map(stream).collect();
        let mut scan = Scan {
            store: self.store,
            account: self.account,
            streams,
            reads: FuturesUnordered::new(),
            failed: None,
        };
        scan.start_reads();
        Ok(scan)
    }

    /// Returns the sources that contain all contacts of an audience, and the first contact to read.
    async fn sources(&self, audience: &Audience) -> Result<(Vec<Source>, Option<ContactId>), StoreError> {
        if let ([Part::List(list)], false) = (audience.any_of.as_slice(), audience.counts_all) {
            let sources = Bucket::all().map(|bucket| Source::List { bucket, list: *list });
            return Ok((sources.collect(), None));
        }
        let (from, to) = match audience.access() {
            Some(Access::Keys { mut ids, emails }) => {
                let emails: Vec<ContactRef> = emails.into_iter().map(ContactRef::Email).collect();
                ids.extend(self.resolve(&emails).await?.into_iter().flatten());
                return Ok((vec![Source::Keys(ids)], None));
            }
            Some(Access::Range { from, to }) => (from, to),
            None => (None, None),
        };
        let to = to.map_or(audience.until, |to| to.min(audience.until));
        let lists: Vec<SegmentId> = audience.lists().collect();
        let source = |bucket| Source::Bucket { bucket, to: Some(to), lists: lists.clone() };
        Ok((Bucket::all().map(source).collect(), from))
    }
}

impl<'s> Scan<'s> {
    /// Returns the next contact. `None` after the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Candidate>, StoreError> {
        loop {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            let is_unknown = |stream: &Stream| stream.buffer.is_empty() && !stream.finished;
            if self.streams.iter().any(is_unknown) {
                // A stream whose next contact is not known might have the smallest id.
                self.start_reads();
                if let Some((stream, page)) = self.reads.next().await {
                    self.accept(stream, page);
                }
                continue;
            }
            let fronts = self.streams.iter().enumerate();
            let fronts = fronts.filter_map(|(n, stream)| Some((stream.buffer.front()?.id(), n)));
            let Some((_, first)) = fronts.min() else { return Ok(None) };
            let Some(stream) = self.streams.get_mut(first) else { return Ok(None) };
            let candidate = stream.buffer.pop_front();
            if stream.wants_more() {
                self.start_reads();
            }
            return Ok(candidate);
        }
    }

    /// Awaits `work`, and continues to read ahead in the meantime.
    pub(crate) async fn while_reading<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        while !self.reads.is_empty() {
            match select(work.as_mut(), self.reads.next()).await {
                Either::Left((result, _)) => return result,
                Either::Right((Some((stream, page)), _)) => self.accept(stream, page),
                Either::Right((None, _)) => {}
            }
        }
        work.await
    }

    fn start_reads(&mut self) {
        let (store, account) = (self.store, self.account);
        for (number, stream) in self.streams.iter_mut().enumerate() {
            if stream.wants_more() {
                stream.reading = true;
                let (source, after, page) = (stream.source.clone(), stream.after, stream.page);
                let read = async move { (number, read_page(store, account, &source, after, page).await) };
                self.reads.push(Box::pin(read));
            }
        }
    }

    fn accept(&mut self, number: usize, page: Result<Page, StoreError>) {
        let Some(stream) = self.streams.get_mut(number) else { return };
        stream.reading = false;
        match page {
            Ok(Page { candidates, read_to }) => {
                stream.buffer.extend(candidates);
                stream.finished = read_to.is_none();
                stream.after = read_to.or(stream.after);
            }
            Err(error) => self.failed = Some(error),
        }
        self.start_reads();
    }
}

/// Reads the next page of a source.
async fn read_page(
    store: &Store,
    account: AccountId,
    source: &Source,
    after: Option<ContactId>,
    limit: usize,
) -> Result<Page, StoreError> {
    match source {
        Source::Bucket { bucket, to, lists } => {
            let pk = bucket_pk(account, *bucket);
            let (items, read_to, asked) = store.sorted_page(pk, after, *to, limit).await?;
            let mut candidates = Vec::new();
            for item in items {
                candidates.push(Candidate::of(item, asked)?);
            }
            for list in lists {
                let pk = member_pk(account, *list, *bucket);
                let members = store.members_until(pk, after, read_to).await?;
                for candidate in &mut candidates {
                    let since = members.get(&candidate.id());
                    candidate.lists.extend(since.map(|since| (*list, *since)));
                }
            }
            Ok(Page { candidates, read_to })
        }
        Source::List { bucket, list } => {
            let pk = member_pk(account, *list, *bucket);
            let (items, read_to, _) = store.sorted_page(pk, after, None, limit).await?;
            let mut members = Vec::new();
            for item in items {
                members.push(member(item)?);
            }
            let mut candidates = store.candidates(account, members.iter().map(|(id, _)| *id)).await?;
            let since: HashMap<ContactId, Timestamp> = members.into_iter().collect();
            for candidate in &mut candidates {
                let since = since.get(&candidate.id());
                candidate.lists.extend(since.map(|since| (*list, *since)));
            }
            Ok(Page { candidates, read_to })
        }
        Source::Keys(ids) => {
            let rest = ids.iter().copied().filter(|id| Some(*id) > after);
            let page: Vec<ContactId> = rest.take(limit).collect();
            let read_to = page.last().copied().filter(|_| page.len() == limit);
            Ok(Page { candidates: store.candidates(account, page.into_iter()).await?, read_to })
        }
    }
}

impl Candidate {
    fn of(item: Item, asked: Instant) -> Result<Self, StoreError> {
        let contact = decode::<ContactItem>(item)?.into_contact()?;
        let stored_version = contact.version;
        Ok(Self { loaded: Loaded { contact, stored_version }, lists: Memberships::new(), asked })
    }

    pub(crate) fn id(&self) -> ContactId {
        self.loaded.contact.id
    }
}

/// Returns the contact and its time of creation in a member's item.
fn member(item: Item) -> Result<(ContactId, Timestamp), StoreError> {
    let id = id_of(&item).ok_or_else(|| unreadable::<MemberItem>("sort key"))?;
    Ok((id, decode::<MemberItem>(item)?.created_at))
}

fn id_of(item: &Item) -> Option<ContactId> {
    ContactId::from_sortable(item.get(SK)?.as_s().ok()?).ok()
}

impl Store {
    /// Reads contacts by their ids, in the order of the ids. Those that do not exist are left out.
    pub(crate) async fn candidates(
        &self,
        account: AccountId,
        ids: impl Iterator<Item = ContactId>,
    ) -> Result<Vec<Candidate>, StoreError> {
        let (retries, asked) = (self.retries(), Instant::now());
        let keys: Vec<Key> = ids.map(|id| Key::contact(account, id)).collect();
        let mut candidates = Vec::new();
        for chunk in keys.chunks(BATCH_READ_MAX) {
            for (_, item) in self.batch_get(chunk, &retries).await?.0 {
                candidates.push(Candidate::of(item, asked)?);
            }
        }
        candidates.sort_unstable_by_key(Candidate::id);
        Ok(candidates)
    }

    /// Reads a page of a partition whose sort keys are contacts, with the contact up to which it reads and the time
    /// before the read.
    async fn sorted_page(
        &self,
        pk: String,
        after: Option<ContactId>,
        to: Option<ContactId>,
        limit: usize,
    ) -> Result<(Vec<Item>, Option<ContactId>, Instant), StoreError> {
        let asked = Instant::now();
        let query =
            Query { pk, prefix: "", after: after.map(ContactId::sortable), limit, newest_first: false };
        let QueryPage { mut items, next } = self.query_patiently(&query).await?;
        let read_to = next.and_then(|next| ContactId::from_sortable(&next).ok());
        // Everything after the last contact of interest is cut off, and ends the reading.
        let read_to = read_to.filter(|read_to| to.is_none_or(|to| *read_to < to));
        if let Some(to) = to {
            items.retain(|item| id_of(item).is_none_or(|id| id <= to));
        }
        Ok((items, read_to, asked))
    }

    /// Reads the members of a list in one bucket after a contact and up to another one, each with the contact's time of
    /// creation.
    async fn members_until(
        &self,
        pk: String,
        after: Option<ContactId>,
        to: Option<ContactId>,
    ) -> Result<HashMap<ContactId, Timestamp>, StoreError> {
        let (mut members, mut after) = (HashMap::new(), after);
        loop {
            let (items, read_to, _) = self.sorted_page(pk.clone(), after, to, BULK_PAGE_MAX).await?;
            for item in items {
                let (id, since) = member(item)?;
                members.insert(id, since);
            }
            after = read_to;
            if after.is_none() {
                return Ok(members);
            }
        }
    }

    /// Reads a page, and retries while the table is not available.
    async fn query_patiently(&self, query: &Query) -> Result<QueryPage, StoreError> {
        let retries = self.retries();
        loop {
            match self.query(query).await {
                Err(StoreError::Unavailable(why, _)) => retries.back_off(&why).await?,
                result => return result,
            }
        }
    }
}
