//! The worker of bulk jobs. It works through the account's jobs one after the other.

use domain::Timestamp;
use domain::ids::{AccountId, JobId};
use domain::limits::{BULK_FAILURES_MAX, BULK_UNAVAILABLE_PAUSE};

use super::audience::Audience;
use crate::StoreError;
use crate::items::{BulkDefinitionItem, BulkJobItem, BulkQueueItem, unreadable};
use crate::job_state::{JobKind, JobState};
use crate::jobs::Job;
use crate::keys::Key;
use crate::operation::{Operation, Step};
use crate::store::Store;
use crate::transaction::Transaction;

/// The result of a worker's run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BulkProgress {
    /// The number of contacts that the run has changed.
    pub changed: u64,
    /// The number of jobs that the run has finished.
    pub jobs: u64,
    /// True if nothing remains for this run: the account has no unfinished job, or another worker is working on it.
    /// Otherwise another message must continue.
    pub finished: bool,
}

/// The end of the work on one job in one run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Worked {
    /// The job is finished.
    Finished,
    /// The time is up.
    OutOfTime,
    /// Another worker or a caller has changed the job.
    Superseded,
}

/// One run of the worker for an account.
pub(super) struct Run<'s, C, G> {
    pub(super) store: &'s Store,
    pub(super) account: AccountId,
    pub(super) clock: C,
    pub(super) should_continue: G,
    pub(super) progress: BulkProgress,
}

impl Store {
    /// Works through the account's unfinished bulk jobs, in their order, while `should_continue` returns true.
    ///
    /// It may stop at any point, run twice and run in parallel: each transaction has the condition that the job is
    /// still as it was read.
    ///
    /// # Errors
    ///
    /// See [`StoreError`]. Everything that was committed before stays counted.
    pub async fn work_on_bulk_jobs(
        &self,
        account: AccountId,
        clock: impl Fn() -> Timestamp + Send + Sync,
        should_continue: impl Fn() -> bool + Send + Sync,
    ) -> Result<BulkProgress, StoreError> {
        self.lease(Job::Bulk(account), clock()).await?;
        let progress = BulkProgress::default();
        let mut run = Run { store: self, account, clock, should_continue, progress };
        run.work().await?;
        Ok(run.progress)
    }
}

impl<'s, C, G> Run<'s, C, G>
where
    C: Fn() -> Timestamp + Send + Sync,
    G: Fn() -> bool + Send + Sync,
{
    async fn work(&mut self) -> Result<(), StoreError> {
        let (mut superseded, mut failures, mut fault) = (None, 0, None);
        while (self.should_continue)() {
            let queue: Option<BulkQueueItem> = self.store.get(Key::bulk_queue(self.account)).await?;
            let first = queue.unwrap_or_default().jobs()?.first().copied();
            let Some(job) = first.filter(|job| superseded != Some(*job)) else {
                // A superseded job that is still in the queue belongs to another worker.
                self.progress.finished = true;
                break;
            };
            let before = self.progress;
            match self.work_on(job).await {
                Ok(Worked::Finished) => self.progress.jobs += 1,
                Ok(Worked::OutOfTime) => break,
                Ok(Worked::Superseded) => superseded = Some(job),
                Err(StoreError::Unavailable(why, source)) => {
                    failures = if self.progress == before { failures + 1 } else { 0 };
                    if failures >= BULK_FAILURES_MAX {
                        return Err(StoreError::Unavailable(why, source));
                    }
                    tokio::time::sleep(BULK_UNAVAILABLE_PAUSE).await;
                }
                // The job has failed and left the queue, so the next ones follow.
                Err(error) => {
                    fault.get_or_insert(error);
                }
            }
        }
        fault.map_or(Ok(()), Err)
    }

    /// Works on one job. A job that can't be continued fails, so that it does not stop the following ones. A job that
    /// can't be read only leaves the queue.
    async fn work_on(&mut self, id: JobId) -> Result<Worked, StoreError> {
        let (job_key, definition_key) =
            (Key::bulk_job(self.account, id), Key::bulk_definition(self.account, id));
        let mut items = self.operation().read(vec![job_key.clone(), definition_key.clone()]).await?;
        let job = match items.take::<BulkJobItem>(&job_key) {
            Ok(Some(job)) => job,
            unusable => {
                self.remove_from_queue(id).await?;
                return Err(unusable.err().unwrap_or_else(|| unreadable::<BulkQueueItem>("job")));
            }
        };
        if job.state.is_finished() {
            return Ok(Worked::Superseded);
        }
        let definition = items.take::<BulkDefinitionItem>(&definition_key);
        let mut work = JobWork { run: self, job };
        let result = match definition {
            Ok(Some(definition)) => work.advance(definition).await,
            Ok(None) => Err(unreadable::<BulkJobItem>("definition")),
            Err(error) => Err(error),
        };
        if let Err(StoreError::Fault(..)) = &result {
            work.finish(JobState::Failed).await?;
        }
        result
    }

    /// Removes a job from the account's queue.
    async fn remove_from_queue(&self, id: JobId) -> Result<(), StoreError> {
        let (op, key, id) = (self.operation(), Key::bulk_queue(self.account), id.to_string());
        op.transact(async || {
            let queue: BulkQueueItem = op.store.get(key.clone()).await?.unwrap_or_default();
            let mut transaction = Transaction::default();
            if queue.open.contains(&id) {
                transaction.put(op.put_queue(&queue, &op.queue_without(&queue, &id))?);
            }
            Ok(Step::Commit(transaction, ()))
        })
        .await
    }

    pub(super) fn operation(&self) -> Operation<'s> {
        self.store.operation(self.account, (self.clock)())
    }
}

/// The work on one job.
pub(super) struct JobWork<'w, 's, C, G> {
    pub(super) run: &'w mut Run<'s, C, G>,
    /// The job as it is stored.
    pub(super) job: BulkJobItem,
}

impl<C, G> JobWork<'_, '_, C, G>
where
    C: Fn() -> Timestamp + Send + Sync,
    G: Fn() -> bool + Send + Sync,
{
    async fn advance(&mut self, definition: BulkDefinitionItem) -> Result<Worked, StoreError> {
        let audience = Audience::of_item(definition)?;
        match self.job.kind {
            JobKind::DeleteMembers => self.delete_members(&audience).await,
            JobKind::Preview | JobKind::Review => self.count(&audience).await,
            JobKind::Change | JobKind::Enrol if self.job.matched.is_none() => match self
                .count(&audience)
                .await?
            {
                // The count is confirmed, so the changes follow.
                Worked::Finished if self.job.state == JobState::Running => self.carry_out(&audience).await,
                worked => Ok(worked),
            },
            JobKind::Change | JobKind::Enrol => self.carry_out(&audience).await,
        }
    }

    /// Changes the selected contacts, or enrols them.
    async fn carry_out(&mut self, audience: &Audience) -> Result<Worked, StoreError> {
        match self.job.kind {
            JobKind::Enrol => Box::pin(self.enrol(audience)).await,
            _ => Box::pin(self.change(audience)).await,
        }
    }
}
