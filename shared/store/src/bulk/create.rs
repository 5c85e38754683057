//! Previews, and the creation of bulk jobs.

use domain::Timestamp;
use domain::bulk::{Forecast, Tally};
use domain::decision::Command;
use domain::filter::Filter;
use domain::ids::{AccountId, JobId};
use domain::limits::{OPEN_JOBS_MAX, STORED_FILTER_BYTES_MAX};
use domain::period::Period;
use domain::source::Actor;

use super::Target;
use super::audience::{Audience, Part, Resolved, is_named};
use super::count::{Count, WhileInTime};
use super::job::BulkJob;
use crate::items::{BulkJobItem, BulkQueueItem, Items, PartItem, SummaryItem};
use crate::job_state::{JobKind, JobState};
use crate::jobs::Job;
use crate::keys::Key;
use crate::operation::{Operation, Step};
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Refused, Responder, StoreError, StoredResponse};

/// A command for many contacts, to preview or to carry out.
#[derive(Clone, Debug)]
pub struct BulkRequest {
    /// The account.
    pub account: AccountId,
    /// The command for each contact.
    pub command: Command,
    /// The contacts.
    pub target: Target,
    /// The number of contacts that the caller confirmed. It is optional for named contacts only.
    pub confirm_count: Option<u64>,
    /// The actor that the history shows.
    pub actor: Actor,
}

/// The result of a preview.
#[derive(Clone, Debug)]
pub enum Preview {
    /// The count is complete.
    Complete {
        /// The consequence of the command.
        forecast: Box<Forecast>,
        /// The counts behind it.
        tally: Box<Tally>,
        /// The filter that was applied, with the instants that its dates mean.
        filter: Option<Filter>,
    },
    /// The count continues as a job.
    Continues(Box<BulkJob>),
}

/// A resolved request with the count of its contacts, which may be incomplete.
pub(crate) struct Planned {
    resolved: Resolved,
    count: Count,
    /// The period at the end of a complete count.
    period: Option<Period>,
}

/// The beginning of a request.
enum Begun {
    /// An earlier try of the request was answered.
    Replayed(StoredResponse),
    Planned(Box<Planned>),
}

impl Store {
    /// Returns the consequence of a command, counted while `should_continue` returns true. A longer count continues as a
    /// job.
    ///
    /// # Errors
    ///
    /// [`Refused::MarketingContactsOff`], [`Refused::Invalid`] if the selected segment or job does not exist, and
    /// [`Refused::LimitReached`] if a job is needed and the account has too many unfinished ones.
    pub async fn preview(
        &self,
        request: &BulkRequest,
        wall_clock: Timestamp,
        should_continue: impl Fn() -> bool + Sync,
        responder: Responder<'_, Preview>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(request.account, wall_clock);
        let plan = match op.begin(request, &responder, &should_continue).await? {
            Begun::Replayed(response) => return Ok(response),
            Begun::Planned(plan) => plan,
        };
        let kind = match request.target {
            Target::Selected(_) => JobKind::Preview,
            Target::Review(_) => JobKind::Review,
        };
        let (op, keys) = (op.renewed(), request.keys());
        let response = op.mutate(&keys, responder, async |mut items| {
            if let Some(period) = &plan.period {
                return Ok(Step::unchanged(plan.complete(request.command, period)));
            }
            let (transaction, job) = op.create_job(request, &plan, kind, None, &mut items).await?;
            Ok(Step::Commit(transaction, Preview::Continues(Box::new(job))))
        });
        let response = response.await?;
        op.record_segment_count(&plan).await?;
        Ok(response)
    }

    /// Creates a job that carries out a command, after the contacts were counted and their number was compared with the
    /// confirmed one. If the count takes longer than `should_continue` allows, the job counts first.
    ///
    /// The caller sends the account to the queue of bulk jobs. A lost message does no harm, because unfinished jobs are
    /// due.
    ///
    /// # Errors
    ///
    /// [`Refused::CountChanged`], and the errors of [`Self::preview`].
    pub async fn create_bulk_job(
        &self,
        request: &BulkRequest,
        wall_clock: Timestamp,
        should_continue: impl Fn() -> bool + Sync,
        responder: Responder<'_, BulkJob>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(request.account, wall_clock);
        let plan = match op.begin(request, &responder, &should_continue).await? {
            Begun::Replayed(response) => return Ok(response),
            Begun::Planned(plan) => plan,
        };
        request.confirm(&plan)?;
        let (op, keys) = (op.renewed(), request.keys());
        let response = op.mutate(&keys, responder, async |mut items| {
            let (transaction, job) = op.create_job(request, &plan, JobKind::Change, None, &mut items).await?;
            Ok(Step::Commit(transaction, job))
        });
        let response = response.await?;
        op.record_segment_count(&plan).await?;
        Ok(response)
    }
}

impl BulkRequest {
    /// Returns the keys of the items that the request refers to, with the queue of jobs.
    fn keys(&self) -> Vec<Key> {
        let queue = Key::bulk_queue(self.account);
        std::iter::once(queue).chain(self.target.keys(self.account)).collect()
    }

    /// Compares the confirmed number with the count, if it is complete.
    pub(crate) fn confirm(&self, plan: &Planned) -> Result<(), StoreError> {
        if self.confirm_count.is_none() && !is_named(&self.target) {
            let message = "is required unless the selection names its contacts".to_owned();
            return Err(Refused::Invalid { field: "confirm_count", message }.into());
        }
        let (Some(confirmed), Some(period)) = (self.confirm_count, &plan.period) else { return Ok(()) };
        let forecast = Forecast::new(&plan.count.tally, self.command, period);
        if forecast.matched == confirmed {
            return Ok(());
        }
        let would_change = forecast.would.changed();
        Err(Refused::CountChanged { confirmed, matched: forecast.matched, would_change }.into())
    }
}

impl Planned {
    /// Returns the consequence of a command, if the count is complete.
    pub(crate) fn forecast(&self, command: Command) -> Option<Forecast> {
        self.period.as_ref().map(|period| Forecast::new(&self.count.tally, command, period))
    }

    /// Returns the number of selected contacts, if the count is complete.
    pub(crate) fn matched(&self) -> Option<u64> {
        self.period.as_ref().map(|_| self.count.tally.matched.total())
    }

    fn complete(&self, command: Command, period: &Period) -> Preview {
        let filter = self.resolved.audience.any_of.iter().find_map(|part| match part {
            Part::Filter(filter) => Some(filter.clone()),
            Part::List(_) | Part::ChangedBy(_) | Part::Contacts(_) => None,
        });
        Preview::Complete {
            forecast: Box::new(Forecast::new(&self.count.tally, command, period)),
            tally: Box::new(self.count.tally),
            filter,
        }
    }
}

impl Operation<'_> {
    /// Returns the stored response of an earlier try of the request. Otherwise resolves the target and counts its
    /// contacts.
    async fn begin<T>(
        &self,
        request: &BulkRequest,
        responder: &Responder<'_, T>,
        should_continue: &(impl Fn() -> bool + Sync),
    ) -> Result<Begun, StoreError> {
        let keys = request.keys().into_iter().chain(responder.key()).collect();
        let mut items = self.read(keys).await?;
        match responder.replay(&mut items, self.wall_clock)? {
            Some(response) => Ok(Begun::Replayed(response)),
            None => Ok(Begun::Planned(Box::new(self.plan(request, &mut items, should_continue).await?))),
        }
    }

    async fn plan(
        &self,
        request: &BulkRequest,
        items: &mut Items,
        should_continue: &(impl Fn() -> bool + Sync),
    ) -> Result<Planned, StoreError> {
        let opened = self.read_current_period(Vec::new()).await?;
        if !opened.period.marketing_contacts {
            return Err(Refused::MarketingContactsOff.into());
        }
        self.count_resolved(request, items, should_continue).await
    }

    /// Counts the contacts of a request, even if the account has marketing contacts switched off.
    pub(crate) async fn count_target(
        &self,
        request: &BulkRequest,
        should_continue: &(impl Fn() -> bool + Sync),
    ) -> Result<Box<Planned>, StoreError> {
        let mut items = self.read(request.target.keys(self.account)).await?;
        Ok(Box::new(self.count_resolved(request, &mut items, should_continue).await?))
    }

    async fn count_resolved(
        &self,
        request: &BulkRequest,
        items: &mut Items,
        should_continue: &(impl Fn() -> bool + Sync),
    ) -> Result<Planned, StoreError> {
        let resolved = self.resolve_target(&request.target, items).await?;
        let mut count = Count::default();
        let mut checkpoint = WhileInTime(should_continue);
        let period = self.count_audience(&resolved.audience, &mut count, &mut checkpoint).await?;
        Ok(Planned { resolved, count, period })
    }

    /// Stores a complete count of a segment with the segment.
    async fn record_segment_count(&self, plan: &Planned) -> Result<(), StoreError> {
        let Some(period) = &plan.period else { return Ok(()) };
        let Resolved { audience, kind, selected, .. } = &plan.resolved;
        let (matched, now) = (plan.count.tally.matched.total(), period.now(self.wall_clock));
        self.store.record_count_of(self.account, (*kind, selected.as_deref()), audience, matched, now).await
    }

    /// Returns the transaction that creates a job and appends it to the account's queue. A job that enrols contacts has
    /// the queue of its automation.
    pub(crate) async fn create_job(
        &self,
        request: &BulkRequest,
        plan: &Planned,
        kind: JobKind,
        automation_queue: Option<u64>,
        items: &mut Items,
    ) -> Result<(Transaction, BulkJob), StoreError> {
        let queue: BulkQueueItem = items.take(&Key::bulk_queue(self.account))?.unwrap_or_default();
        // The deletion of a list appends a job to the queue, so a list that exists now has its members for this job.
        request.target.check_exists(self.account, items)?;
        if queue.open.len() >= OPEN_JOBS_MAX {
            return Err(Refused::LimitReached { what: "unfinished jobs", max: OPEN_JOBS_MAX }.into());
        }
        let now = self.read_current_period(Vec::new()).await?.now;
        let is_counted = plan.period.is_some();
        let job = BulkJobItem {
            id: JobId::new(self.wall_clock, self.store.rng().bits()),
            kind,
            command: request.command,
            state: JobState::Waiting,
            selection: plan.resolved.kind,
            selected: plan.resolved.selected.clone(),
            name: plan.resolved.name.clone(),
            actor: request.actor,
            confirm_count: request.confirm_count,
            automation_queue,
            matched: is_counted.then(|| plan.count.tally.matched.total()),
            summary: SummaryItem::default(),
            examined: 0,
            place: None,
            count: plan.count.to_item(),
            forecast: None,
            next_update_at: plan.period.as_ref().map(|period| period.ends_at),
            created_at: now,
            started_at: None,
            finished_at: None,
            version: 1,
            expires_at: None,
        };
        let transaction = self.append_job(&job, &plan.resolved.audience, &queue)?;
        Ok((transaction, BulkJob::of(&job)))
    }

    /// Returns the transaction that stores a new job with its audience and appends it to the queue.
    pub(crate) fn append_job(
        &self,
        job: &BulkJobItem,
        audience: &Audience,
        queue: &BulkQueueItem,
    ) -> Result<Transaction, StoreError> {
        let (store, account) = (self.store, self.account);
        let definition = audience.to_item()?;
        let is_long = |part: &PartItem| matches!(part, PartItem::Filter(text) if text.bytes() > STORED_FILTER_BYTES_MAX);
        if definition.any_of.iter().any(is_long) {
            return Err(filter_too_long("selection.filterGroups").into());
        }
        let (_, due_at) = Job::Bulk(account).due(self.wall_clock);
        let open = queue.open.iter().cloned().chain([job.id.to_string()]).collect();
        let mut transaction = Transaction::default();
        transaction.put(store.put_new(Key::bulk_job(account, job.id), job)?);
        transaction.put(store.put_new(Key::bulk_definition(account, job.id), &definition)?);
        transaction.put(self.put_queue(queue, &queue.with(account, open, due_at))?);
        Ok(transaction)
    }
}

/// Returns the refusal of a filter that is too long to be stored.
pub(crate) fn filter_too_long(field: &'static str) -> Refused {
    let message = format!("expected a filter of at most {STORED_FILTER_BYTES_MAX} bytes");
    Refused::Invalid { field, message }
}
