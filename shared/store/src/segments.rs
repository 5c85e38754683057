//! Segments: stored filters, and static lists of contacts.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::contact::Contact;
use domain::decision::Command;
use domain::filter::Filter;
use domain::ids::{AccountId, ContactId, JobId, SegmentId};
use domain::limits::STORED_FILTER_BYTES_MAX;
use domain::source::Actor;

use crate::bulk::{Audience, Part, filter_too_long};
use crate::expressions::{Expression, number};
use crate::holdings::{Holding, Holdings};
use crate::items::{
    BulkJobItem, BulkQueueItem, CountItem, FilterText, PartResultItem, SegmentItem, SummaryItem, unreadable,
};
use crate::job_state::{JobKind, JobState, SelectionKind};
use crate::keys::{Collection, Key, PK};
use crate::members::{ChangeMembers, MembersReport};
use crate::operation::{Operation, Step};
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{ContactPage, ContactRef, Listing, Refused, Responder, Search, StoreError, StoredResponse};

/// A segment.
#[derive(Clone, Debug)]
pub struct Segment {
    /// The segment's id.
    pub id: SegmentId,
    /// The display name.
    pub name: String,
    /// The filter. `None` for a static list.
    pub filter: Option<Filter>,
    /// The number of members of a static list. It still counts contacts that were deleted since. 0 for a filter.
    pub members: u64,
    /// The number of contacts in the latest complete count, and its time.
    pub counted: Option<(u64, Timestamp)>,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of the last change of the name or the filter.
    pub updated_at: Timestamp,
    /// The number of the segment's versions. Each change of the name or the filter is one.
    pub version: u64,
}

/// A request to create a segment.
#[derive(Clone, Debug)]
pub struct NewSegment {
    /// The display name.
    pub name: String,
    /// The contacts that belong to it.
    pub content: SegmentContent,
}

/// The contacts that belong to a new segment.
#[derive(Clone, Debug)]
pub enum SegmentContent {
    /// The contacts that match a filter, at any time.
    Filter(Filter),
    /// A static list, with its first members.
    List(Vec<ContactRef>),
}

/// A change of a segment. Fields that are `None` do not change.
#[derive(Clone, Debug, Default)]
pub struct UpdateSegment {
    /// The display name.
    pub name: Option<String>,
    /// The filter. A static list can't have one.
    pub filter: Option<Filter>,
}

impl SegmentItem {
    fn into_segment(self) -> Result<Segment, StoreError> {
        Ok(Segment {
            id: self.id,
            name: self.name,
            filter: self.filter.map(|filter| filter.filter()).transpose()?,
            members: self.members,
            counted: self.counted.zip(self.counted_at),
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        })
    }
}

/// Returns a filter as it is stored.
fn stored(filter: &Filter) -> Result<FilterText, StoreError> {
    let text = FilterText::of(filter)?;
    if text.bytes() > STORED_FILTER_BYTES_MAX {
        Err(filter_too_long("filterGroups").into())
    } else {
        Ok(text)
    }
}

impl Store {
    /// Creates a segment. The report is that of a static list's first members.
    ///
    /// A list with many members needs several transactions. If the request is cut short and repeated with the same
    /// claim, it completes the list that it began.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if there is no such account, and [`Refused::LimitReached`].
    pub async fn create_segment(
        &self,
        account: AccountId,
        new: &NewSegment,
        wall_clock: Timestamp,
        responder: Responder<'_, (Segment, MembersReport)>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let refs = match &new.content {
            SegmentContent::List(refs) => refs,
            SegmentContent::Filter(filter) => {
                let filter = stored(filter)?;
                return op
                    .mutate_in_period(&[Key::account(account)], responder, async |mut opened| {
                        let holdings = Holdings::read(account, &mut opened.items)?;
                        let item = op.new_segment(new, Some(filter.clone()), opened.now);
                        let transaction = op.add_segment(&item, holdings)?;
                        Ok(Step::Commit(transaction, (item.into_segment()?, MembersReport::default())))
                    })
                    .await;
            }
        };
        if let Some(response) = op.replayed(&responder).await? {
            return Ok(response);
        }
        let segment = match op.begun_segment(&responder).await? {
            Some(begun) => begun,
            None => op.begin_list(new, &responder).await?,
        };
        let change = ChangeMembers { add: refs.clone(), remove: Vec::new() };
        let report = op.change_members(segment, &change).await?;
        let keys = [Key::segment(account, segment)];
        op.renewed()
            .mutate(&keys, responder, async |mut items| {
                let item = items.take::<SegmentItem>(&Key::segment(account, segment))?;
                let segment = item.ok_or(Refused::NotFound("segment"))?.into_segment()?;
                Ok(Step::unchanged((segment, report.clone())))
            })
            .await
    }

    /// Returns the account's segments, in the order of their creation.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn segments(
        &self,
        account: AccountId,
        after: Option<SegmentId>,
        limit: usize,
    ) -> Result<Listing<Segment>, StoreError> {
        let after = after.map(|segment| Key::segment(account, segment).sk);
        let listing = self.list::<SegmentItem, Stored>(account, Collection::Segments, after, limit).await?;
        let items = listing.items.into_iter().map(|Stored(item)| item.into_segment());
        Ok(Listing { items: items.collect::<Result<_, _>>()?, more: listing.more })
    }

    /// Returns a segment of the account.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn segment(&self, account: AccountId, segment: SegmentId) -> Result<Segment, StoreError> {
        let item: Option<SegmentItem> = self.get(Key::segment(account, segment)).await?;
        item.ok_or(Refused::NotFound("segment"))?.into_segment()
    }

    /// Changes a segment's name or filter. Jobs that wait keep the filter with which they were confirmed.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], and [`Refused::Invalid`] for a filter of a static list.
    pub async fn update_segment(
        &self,
        account: AccountId,
        segment: SegmentId,
        change: &UpdateSegment,
        wall_clock: Timestamp,
        responder: Responder<'_, Segment>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let key = Key::segment(account, segment);
        let filter = change.filter.as_ref().map(stored).transpose()?;
        op.mutate_in_period(std::slice::from_ref(&key), responder, async |mut opened| {
            let item = opened.items.take::<SegmentItem>(&key)?;
            let mut item = item.ok_or(Refused::NotFound("segment"))?;
            if filter.is_some() && item.filter.is_none() {
                let message = "is not allowed for a static list".to_owned();
                return Err(Refused::Invalid { field: "filterGroups", message }.into());
            }
            item.name = change.name.clone().unwrap_or(item.name);
            item.updated_at = opened.now;
            // The members of a list change at the same time, so only these attributes are written.
            let mut expression = Expression::default()
                .name("name")
                .name("updated_at")
                .name("version")
                .text("name", item.name.clone())
                .text("updated_at", item.updated_at.to_string())
                .value("version", number(item.version))
                .value("next", number(item.version + 1));
            let mut update = "SET #name = :name, #updated_at = :updated_at, #version = :next".to_owned();
            if let Some(filter) = &filter {
                item.filter = Some(filter.clone());
                item.counted = None;
                let value = serde_dynamo::to_attribute_value(filter).map_err(|error| {
                    StoreError::Fault("could not encode a filter".to_owned(), Some(error.into()))
                })?;
                expression = expression.name("filter").name("counted").value("filter", value);
                update.push_str(", #filter = :filter REMOVE #counted");
            }
            let mut transaction = Transaction::default();
            let condition = "#version = :version";
            transaction.update(self.update_if(key.clone(), &update, condition, &expression)?);
            item.version += 1;
            Ok(Step::Commit(transaction, item.into_segment()?))
        })
        .await
    }

    /// Deletes a segment. Its contacts stay. Jobs that wait keep the definition with which they were confirmed, so the
    /// members of a list are removed by a job behind them.
    ///
    /// Returns true with the response if the account now has such a job, so that the caller sends the account to the
    /// queue of bulk jobs.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn delete_segment(
        &self,
        account: AccountId,
        segment: SegmentId,
        actor: Actor,
        wall_clock: Timestamp,
        responder: Responder<'_, ()>,
    ) -> Result<(StoredResponse, bool), StoreError> {
        let op = self.operation(account, wall_clock);
        let key = Key::segment(account, segment);
        let keys = [key.clone(), Key::account(account), Key::bulk_queue(account)];
        let has_job = AtomicBool::new(false);
        let response = op.mutate_in_period(&keys, responder, async |mut opened| {
            let item = opened.items.take::<SegmentItem>(&key)?.ok_or(Refused::NotFound("segment"))?;
            if let Some(automation) = item.used_by.first() {
                return Err(Refused::InUse { what: "segment", automation: automation.clone() }.into());
            }
            let mut holdings = Holdings::read(account, &mut opened.items)?;
            holdings.remove(Holding::Segment);
            let mut transaction = if item.filter.is_none() {
                has_job.store(true, Ordering::Relaxed);
                let queue: BulkQueueItem = opened.items.take(&Key::bulk_queue(account))?.unwrap_or_default();
                op.append_job(&op.removal(&item, actor, opened.now), &removed_list(&item), &queue)?
            } else {
                Transaction::default()
            };
            transaction.delete(self.delete_unused(key.clone())?);
            transaction.put(self.put_holdings(holdings)?);
            Ok(Step::Commit(transaction, ()))
        });
        Ok((response.await?, has_job.load(Ordering::Relaxed)))
    }

    /// Returns a page of a segment's contacts as of now, in the order of their ids. The page begins after the contact
    /// `after`.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn segment_contacts(
        &self,
        account: AccountId,
        segment: SegmentId,
        after: Option<ContactId>,
        limit: usize,
        wall_clock: Timestamp,
    ) -> Result<ContactPage, StoreError> {
        let found = self.segment(account, segment).await?;
        if let Some(filter) = &found.filter {
            return self.search(Search { account, filter: Some(filter), after, limit }, wall_clock).await;
        }
        let op = self.operation(account, wall_clock);
        let audience = list_audience(segment, ContactId::new(wall_clock, u128::MAX));
        loop {
            let period = op.read_current_period(Vec::new()).await?.period;
            let mut contacts = op.list_page(&audience, after, limit + 1, &period).await?;
            // The period is read again, so that all states are of the same period.
            let after_period = op.read_current_period(Vec::new()).await?.period;
            if period.number == after_period.number {
                let more = contacts.len() > limit;
                contacts.truncate(limit);
                let next = contacts.last().map(|contact| contact.id).filter(|_| more);
                return Ok(ContactPage { contacts, period: after_period, next });
            }
            op.retries.retry_now("the period closed during a read").await?;
        }
    }

    /// Stores the number of contacts that a complete count found, if the selection is a whole segment. A deleted segment
    /// stays deleted.
    pub(crate) async fn record_count_of(
        &self,
        account: AccountId,
        selection: (SelectionKind, Option<&str>),
        audience: &Audience,
        contacts: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (SelectionKind::Segment, Some(id), true) = (selection.0, selection.1, audience.except.is_empty())
        else {
            return Ok(());
        };
        let segment = id.parse().map_err(|_| unreadable::<BulkJobItem>("segment"))?;
        let expression = Expression::default()
            .name("counted")
            .name("counted_at")
            .name(PK)
            .value("counted", number(contacts))
            .value("counted_at", AttributeValue::S(now.to_string()));
        let update = "SET #counted = :counted, #counted_at = :counted_at";
        self.update_alone(Key::segment(account, segment), update, "attribute_exists(#pk)", &expression).await
    }
}

/// A segment as it is stored.
struct Stored(SegmentItem);

impl From<SegmentItem> for Stored {
    fn from(item: SegmentItem) -> Self {
        Self(item)
    }
}

/// Returns the audience of a list's members up to a contact.
fn list_audience(segment: SegmentId, until: ContactId) -> Audience {
    Audience {
        any_of: vec![Part::List(segment)],
        state: None,
        counts_all: false,
        except: BTreeSet::new(),
        until,
    }
}

/// Returns the audience of the job that removes the members of a list.
fn removed_list(item: &SegmentItem) -> Audience {
    list_audience(item.id, ContactId::new(item.created_at, 0))
}

impl Operation<'_> {
    fn new_segment(&self, new: &NewSegment, filter: Option<FilterText>, now: Timestamp) -> SegmentItem {
        SegmentItem {
            id: SegmentId::new(self.wall_clock, self.store.rng().bits()),
            name: new.name.clone(),
            filter,
            members: 0,
            counted: None,
            counted_at: None,
            used_by: BTreeSet::new(),
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// Returns the transaction that stores a new segment and counts it.
    fn add_segment(&self, item: &SegmentItem, mut holdings: Holdings) -> Result<Transaction, StoreError> {
        holdings.add(Holding::Segment)?;
        let mut transaction = Transaction::default();
        transaction.put(self.store.put_new(Key::segment(self.account, item.id), item)?);
        transaction.put(self.store.put_holdings(holdings)?);
        Ok(transaction)
    }

    /// Returns the list that an earlier try of the same request has begun.
    async fn begun_segment<T>(&self, responder: &Responder<'_, T>) -> Result<Option<SegmentId>, StoreError> {
        let Some(claim) = responder.claim else { return Ok(None) };
        let parts = self.store.answer_parts(claim, self.wall_clock).await?;
        Ok(parts.into_iter().find_map(|part| part.contact.parse().ok()))
    }

    /// Creates a list without members, and stores its id as a part of the response.
    async fn begin_list<T>(
        &self,
        new: &NewSegment,
        responder: &Responder<'_, T>,
    ) -> Result<SegmentId, StoreError> {
        self.transact(async || {
            let mut opened = self.read_current_period(vec![Key::account(self.account)]).await?;
            let holdings = Holdings::read(self.account, &mut opened.items)?;
            let item = self.new_segment(new, None, opened.now);
            let mut transaction = self.add_segment(&item, holdings)?;
            if let Some(claim) = responder.claim {
                let part = PartResultItem {
                    contact: item.id.to_string(),
                    email: None,
                    outcome: "created".to_owned(),
                };
                self.store.attach_part(&mut transaction, claim, &[part])?;
            }
            Ok(Step::Commit(transaction, item.id))
        })
        .await
    }

    /// Returns the job that removes the members of a deleted list.
    fn removal(&self, item: &SegmentItem, actor: Actor, now: Timestamp) -> BulkJobItem {
        BulkJobItem {
            id: JobId::new(self.wall_clock, self.store.rng().bits()),
            kind: JobKind::DeleteMembers,
            command: Command::SetNonMarketingPending,
            state: JobState::Waiting,
            selection: SelectionKind::Segment,
            selected: None,
            name: String::new(),
            actor,
            confirm_count: None,
            automation_queue: None,
            matched: None,
            summary: SummaryItem::default(),
            examined: 0,
            place: None,
            count: CountItem::default(),
            forecast: None,
            next_update_at: None,
            created_at: now.max(item.created_at),
            started_at: None,
            finished_at: None,
            version: 1,
            expires_at: None,
        }
    }

    /// Reads up to `count` contacts of a list, settled against a period.
    async fn list_page(
        &self,
        audience: &Audience,
        after: Option<ContactId>,
        count: usize,
        period: &domain::period::Period,
    ) -> Result<Vec<Contact>, StoreError> {
        let mut scan = self.scan(audience, after).await?;
        let mut contacts = Vec::new();
        while contacts.len() < count
            && let Some(mut candidate) = scan.next().await?
        {
            self.settle_loaded(std::slice::from_mut(&mut candidate.loaded), period).await?;
            let contact = candidate.loaded.contact;
            if contact.is_visible() && audience.selects(&contact, &candidate.lists) {
                contacts.push(contact);
            }
        }
        Ok(contacts)
    }
}
