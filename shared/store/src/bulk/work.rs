//! The parts of a job's work that change no contact: the count, the removal of a list's members, and the job's end.

use domain::Timestamp;
use domain::bulk::Forecast;
use domain::ids::{Bucket, ContactId};
use domain::limits::{BATCH_READ_MAX, BULK_CHECKPOINT};
use domain::period::Period;
use tokio::time::Instant;

use super::audience::Audience;
use super::count::{Checkpoint, Count};
use super::run::{JobWork, Run, Worked};
use crate::StoreError;
use crate::items::{BulkJobItem, BulkQueueItem, ForecastItem};
use crate::job_state::{JobKind, JobState};
use crate::keys::{Key, member_pk};
use crate::store::Query;

/// The checkpoint of a job's count, which stores the count with the job.
struct StoreCount<'c, 's, C, G> {
    run: &'c Run<'s, C, G>,
    job: &'c mut BulkJobItem,
    stored_at: Instant,
    superseded: bool,
}

impl<C, G> Checkpoint for StoreCount<'_, '_, C, G>
where
    C: Fn() -> Timestamp + Send + Sync,
    G: Fn() -> bool + Send + Sync,
{
    async fn reached(&mut self, count: &Count) -> Result<bool, StoreError> {
        let is_in_time = (self.run.should_continue)();
        if is_in_time && self.stored_at.elapsed() < BULK_CHECKPOINT {
            return Ok(true);
        }
        self.job.count = count.to_item();
        self.superseded = !self.run.store_job(self.job).await?;
        self.stored_at = Instant::now();
        Ok(is_in_time && !self.superseded)
    }
}

impl<C, G> Run<'_, C, G>
where
    C: Fn() -> Timestamp + Send + Sync,
    G: Fn() -> bool + Send + Sync,
{
    /// Stores the job's progress. Returns false if another worker or a caller has changed the job.
    pub(super) async fn store_job(&self, job: &mut BulkJobItem) -> Result<bool, StoreError> {
        let op = self.operation();
        job.version += 1;
        op.store_next(Key::bulk_job(self.account, job.id), job, |_| Ok(())).await
    }
}

impl<C, G> JobWork<'_, '_, C, G>
where
    C: Fn() -> Timestamp + Send + Sync,
    G: Fn() -> bool + Send + Sync,
{
    /// Counts the selected contacts. A confirmed count of a change begins the changes. Any other complete count finishes
    /// the job.
    pub(super) async fn count(&mut self, audience: &Audience) -> Result<Worked, StoreError> {
        let op = self.run.operation();
        let now = op.read_current_period(Vec::new()).await?.now;
        self.job.state = JobState::Counting;
        self.job.started_at.get_or_insert(now);
        let mut count = Count::of_item(&self.job.count);
        let mut checkpoint =
            StoreCount { run: self.run, job: &mut self.job, stored_at: Instant::now(), superseded: false };
        let counted = op.count_audience(audience, &mut count, &mut checkpoint).await?;
        let superseded = checkpoint.superseded;
        let Some(period) = counted else {
            return Ok(if superseded { Worked::Superseded } else { Worked::OutOfTime });
        };
        self.job.count = count.to_item();
        let (store, account) = (self.run.store, self.run.account);
        let selection = (self.job.selection, self.job.selected.as_deref());
        let matched = count.tally.matched.total();
        store.record_count_of(account, selection, audience, matched, now).await?;
        self.record_count(&period, count).await
    }

    async fn record_count(&mut self, period: &Period, count: Count) -> Result<Worked, StoreError> {
        let forecast = Forecast::new(&count.tally, self.job.command, period);
        self.job.matched = Some(forecast.matched);
        self.job.next_update_at = Some(forecast.next_update_at);
        if !matches!(self.job.kind, JobKind::Change | JobKind::Enrol) {
            self.job.forecast = Some(ForecastItem::from(&forecast));
            return self.finish(JobState::Done).await;
        }
        if self.job.confirm_count.is_some_and(|confirmed| confirmed != forecast.matched) {
            return self.finish(JobState::CountChanged).await;
        }
        self.job.state = JobState::Running;
        Ok(if self.run.store_job(&mut self.job).await? { Worked::Finished } else { Worked::Superseded })
    }

    /// Finishes the job, and removes it from the account's queue.
    pub(super) async fn finish(&mut self, state: JobState) -> Result<Worked, StoreError> {
        let op = self.run.operation();
        let (job_key, queue_key) =
            (Key::bulk_job(self.run.account, self.job.id), Key::bulk_queue(self.run.account));
        loop {
            let mut opened = op.read_current_period(vec![job_key.clone(), queue_key.clone()]).await?;
            let stored: Option<BulkJobItem> = opened.items.take(&job_key)?;
            if stored.is_none_or(|stored| stored.version != self.job.version) {
                return Ok(Worked::Superseded);
            }
            let queue: BulkQueueItem = opened.items.take(&queue_key)?.unwrap_or_default();
            let mut job = self.job.clone();
            job.state = state;
            let transaction = op.finish_job(&mut job, &queue, opened.now)?;
            if op.store.commit(transaction, &op.retries).await? {
                self.job = job;
                return Ok(Worked::Finished);
            }
        }
    }

    /// Removes the members of a deleted list, bucket after bucket. Removed members are the progress.
    pub(super) async fn delete_members(&mut self, audience: &Audience) -> Result<Worked, StoreError> {
        let (store, account) = (self.run.store, self.run.account);
        for list in audience.lists() {
            for bucket in Bucket::all() {
                let pk = member_pk(account, list, bucket);
                let query = Query { pk, prefix: "", after: None, limit: BATCH_READ_MAX, newest_first: false };
                loop {
                    if !(self.run.should_continue)() {
                        return Ok(Worked::OutOfTime);
                    }
                    let op = self.run.operation();
                    let page = store.query(&query).await?;
                    let members: Vec<Key> = page.items.iter().filter_map(Key::of).collect();
                    let ids = members.iter().filter_map(|key| ContactId::from_sortable(&key.sk).ok());
                    let memberships: Vec<Key> = ids.map(|id| Key::membership(account, id, list)).collect();
                    if members.is_empty() {
                        break;
                    }
                    // The members are deleted last, because they are how the next run finds the memberships.
                    store.delete_all(&memberships, &op.retries).await?;
                    store.delete_all(&members, &op.retries).await?;
                }
            }
        }
        self.finish(JobState::Done).await
    }
}
