//! Reads of bulk jobs, and their end.

use aws_sdk_dynamodb::types::Put;
use domain::Timestamp;
use domain::filter::Filter;
use domain::ids::{AccountId, JobId};
use domain::limits::BULK_JOB_KEPT;

use super::audience::Audience;
use super::job::BulkJob;
use crate::expressions::{Expression, number};
use crate::items::{BulkDefinitionItem, BulkJobItem, BulkQueueItem, decode};
use crate::job_state::{JobKind, JobState};
use crate::jobs::Job;
use crate::keys::{Collection, EXPIRES_AT, Key, account_pk};
use crate::operation::{Operation, Step};
use crate::store::{Query, Store};
use crate::transaction::Transaction;
use crate::{Listing, Refused, Responder, StoreError, StoredResponse};

impl BulkJobItem {
    /// Returns true if callers see the job.
    fn is_visible(&self) -> bool {
        self.kind != JobKind::DeleteMembers
    }
}

impl Store {
    /// Returns a bulk job of the account. One read.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn bulk_job(&self, account: AccountId, job: JobId) -> Result<BulkJob, StoreError> {
        let item: Option<BulkJobItem> = self.get(Key::bulk_job(account, job)).await?;
        let item = item.filter(BulkJobItem::is_visible).ok_or(Refused::NotFound("job"))?;
        Ok(BulkJob::of(&item))
    }

    /// Returns a filter for the contacts that a job selects, its exceptions included. `None` if no filter expresses the
    /// selection, as for a static list. One read.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn bulk_job_filter(
        &self,
        account: AccountId,
        job: JobId,
    ) -> Result<Option<Filter>, StoreError> {
        let item: Option<BulkDefinitionItem> = self.get(Key::bulk_definition(account, job)).await?;
        Ok(Audience::of_item(item.ok_or(Refused::NotFound("job"))?)?.filter())
    }

    /// Returns the account's bulk jobs, newest first. The list begins before the job `after`.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn bulk_jobs(
        &self,
        account: AccountId,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Listing<BulkJob>, StoreError> {
        let mut query = Query {
            pk: account_pk(account),
            prefix: Collection::Jobs.prefix(),
            after: after.map(|job| Key::bulk_job(account, job).sk),
            limit,
            newest_first: true,
        };
        let mut items = Vec::new();
        loop {
            let page = self.query(&query).await?;
            for item in page.items {
                let item: BulkJobItem = decode(item)?;
                if item.is_visible() {
                    items.push(BulkJob::of(&item));
                }
            }
            match page.next {
                // Hidden jobs make a page shorter than its limit.
                Some(next) if items.len() < limit => query.after = Some(next),
                next => return Ok(Listing { more: next.is_some() || items.len() > limit, items }),
            }
        }
    }
}

impl Store {
    /// Cancels a bulk job. Contacts that it has changed stay changed. A finished job stays as it is.
    ///
    /// The worker's next transaction fails, because the job's version has changed.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn cancel_bulk_job(
        &self,
        account: AccountId,
        job: JobId,
        wall_clock: Timestamp,
        responder: Responder<'_, BulkJob>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let keys = [Key::bulk_job(account, job), Key::bulk_queue(account)];
        op.mutate_in_period(&keys, responder, async |mut opened| {
            let item: Option<BulkJobItem> = opened.items.take(&Key::bulk_job(account, job))?;
            let mut item = item.filter(BulkJobItem::is_visible).ok_or(Refused::NotFound("job"))?;
            if item.state.is_finished() {
                return Ok(Step::unchanged(BulkJob::of(&item)));
            }
            let queue: BulkQueueItem = opened.items.take(&Key::bulk_queue(account))?.unwrap_or_default();
            item.state = JobState::Cancelled;
            let transaction = op.finish_job(&mut item, &queue, opened.now)?;
            Ok(Step::Commit(transaction, BulkJob::of(&item)))
        })
        .await
    }
}

impl Operation<'_> {
    /// Returns the transaction that stores the end of a job and removes it from the queue.
    pub(super) fn finish_job(
        &self,
        job: &mut BulkJobItem,
        queue: &BulkQueueItem,
        now: Timestamp,
    ) -> Result<Transaction, StoreError> {
        let (store, account) = (self.store, self.account);
        let expires_at = self.wall_clock.plus(BULK_JOB_KEPT).seconds();
        job.finished_at = Some(now);
        job.expires_at = Some(expires_at);
        let version = job.version;
        job.version += 1;
        let mut transaction = Transaction::default();
        transaction.put(store.put_versioned(Key::bulk_job(account, job.id), job, version)?);
        transaction.put(self.put_queue(queue, &self.queue_without(queue, &job.id.to_string()))?);
        // The job of a lost definition must end as well, so the update has no condition.
        let expression = Expression::default().name(EXPIRES_AT).value("expires_at", number(expires_at));
        transaction.update(store.update_any(
            Key::bulk_definition(account, job.id),
            "SET #expires_at = :expires_at",
            &expression,
        )?);
        Ok(transaction)
    }

    /// Returns the account's queue without a job.
    pub(super) fn queue_without(&self, queue: &BulkQueueItem, id: &str) -> BulkQueueItem {
        let open = queue.open.iter().filter(|open| *open != id).cloned().collect();
        let (_, due_at) = Job::Bulk(self.account).due(self.wall_clock);
        queue.with(self.account, open, due_at)
    }

    /// Builds the put of the account's queue, on the condition that it is still the one that was read.
    pub(super) fn put_queue(
        &self,
        queue: &BulkQueueItem,
        changed: &BulkQueueItem,
    ) -> Result<Put, StoreError> {
        let key = Key::bulk_queue(self.account);
        match queue.version {
            0 => self.store.put_new(key, changed),
            version => self.store.put_versioned(key, changed, version),
        }
    }
}
