//! The scheduled rollover: closes the periods that have ended and queues their sweeps. It also queues submissions in
//! the inbox, bulk jobs, automations, imports and exports again if their messages were lost.
//!
//! It finds all of them in the `due` index only. So the cost of a run depends on the number of due items, not on the
//! number of accounts. It may stop at any point, because unfinished items are still due at the next run.

use std::collections::HashSet;

use api::Queue;
use api::problem::chain;
use domain::Timestamp;
use metrics::Metric;
use serde::Serialize;
use store::{
    AutomationTask, BoxError, BulkTask, Due, FileTask, InboxTask, Store, StoreError, SweepTask, Tasks,
};
use thiserror::Error;

/// The queues to which a run sends tasks.
#[derive(Clone, Debug)]
pub struct Queues {
    /// The queue of sweeps of closed periods. It delays messages, so the `leaving` index is up to date before a sweep
    /// begins.
    pub sweeps: Queue<SweepTask>,
    /// The queue of submissions in the inbox.
    pub inbox: Queue<InboxTask>,
    /// The queue of accounts with unfinished bulk jobs.
    pub bulk: Queue<BulkTask>,
    /// The queue of automations for which contacts wait.
    pub automations: Queue<AutomationTask>,
    /// The queue of unfinished imports and exports.
    pub files: Queue<FileTask>,
}

/// The result of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RolledOver {
    /// The number of accounts whose ended periods were closed.
    pub accounts: u64,
    /// The number of sweeps that were queued.
    pub sweeps: u64,
    /// The number of submissions in the inbox that were queued again.
    pub inbox: u64,
    /// The number of accounts whose bulk jobs were queued again.
    pub bulk: u64,
    /// The number of automations that were queued again.
    pub automations: u64,
    /// The number of imports and exports that were queued again.
    pub files: u64,
    /// True if the run processed all due items.
    pub finished: bool,
}

/// The error of a run that did not process all due items. The others were processed, and failed items are still due.
#[derive(Debug, Error)]
pub enum RolloverError {
    /// The due items could not be read.
    #[error("could not read what is due")]
    Due(#[source] StoreError),
    /// Some due items failed. Each was logged.
    #[error("{0} due items failed")]
    Failed(u64),
}

/// The error of one due item.
#[derive(Debug, Error)]
enum DueError {
    #[error("could not use the table")]
    Store(#[from] StoreError),
    #[error("could not send it to its queue")]
    Queue(#[source] BoxError),
}

/// A run in progress.
struct Tick<'a, G> {
    store: &'a Store,
    queues: &'a Queues,
    wall_clock: Timestamp,
    should_continue: G,
    done: HashSet<Due>,
    failed: u64,
    /// The end of the oldest period that could not be closed.
    oldest_open: Option<Timestamp>,
    result: RolledOver,
}

/// Processes the items that are due at `wall_clock`, as long as `should_continue` returns true.
///
/// The failure of one account does not affect the others.
///
/// # Errors
///
/// [`RolloverError`], after all other items were processed.
pub async fn roll_over(
    store: &Store,
    queues: &Queues,
    wall_clock: Timestamp,
    should_continue: impl Fn() -> bool,
) -> Result<RolledOver, RolloverError> {
    let result = RolledOver { finished: true, ..RolledOver::default() };
    let mut tick = Tick {
        store,
        queues,
        wall_clock,
        should_continue,
        done: HashSet::new(),
        failed: 0,
        oldest_open: None,
        result,
    };
    for shard in Store::due_shards() {
        // Closing a period makes its sweep due, which the second pass finds. An item that both find is processed once.
        for _pass in 0..2 {
            tick.pass(shard).await.map_err(RolloverError::Due)?;
        }
    }
    tick.record().await;
    match tick.failed {
        0 => Ok(tick.result),
        failed => Err(RolloverError::Failed(failed)),
    }
}

impl<G: Fn() -> bool> Tick<'_, G> {
    async fn pass(&mut self, shard: u8) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.store.due(shard, self.wall_clock, after).await?;
            for due in page.due {
                if !(self.should_continue)() {
                    self.result.finished = false;
                    return Ok(());
                }
                if self.done.insert(due)
                    && let Err(error) = self.act(due).await
                {
                    self.failed += 1;
                    self.oldest_open = match (due, self.oldest_open) {
                        (Due::Period(_, ended_at), Some(oldest)) => Some(oldest.min(ended_at)),
                        (Due::Period(_, ended_at), None) => Some(ended_at),
                        (Due::Job(_), oldest) => oldest,
                    };
                    tracing::error!(?due, error = chain(&error), "a due item failed");
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Records what an operator watches: the run, periods that could not be closed, and the submissions that wait.
    ///
    /// A run with a failed item is a run: the failure has alarms of its own. An inbox that cannot be counted fails
    /// nothing, because no item depends on the count.
    async fn record(&self) {
        Metric::ScheduleRuns.record(1);
        let open = self.oldest_open.map_or(0, |end| (self.wall_clock.to_utc() - end.to_utc()).num_seconds());
        Metric::OpenPeriodLateness.record(u64::try_from(open).unwrap_or_default());
        match self.store.inbox_depth(self.wall_clock).await {
            Ok(depth) => Metric::InboxDepth.record(depth),
            Err(error) => tracing::warn!(error = chain(&error), "the inbox was not counted"),
        }
    }

    async fn act(&mut self, due: Due) -> Result<(), DueError> {
        match due {
            Due::Period(account, _) => {
                self.store.close_ended(account, self.wall_clock).await?;
                self.result.accounts += 1;
            }
            Due::Job(job) => {
                let Some(tasks) = self.store.rest_of(job).await? else { return Ok(()) };
                // The lease begins after the messages are sent: a crash in between sends them twice, which does no
                // harm.
                self.send(tasks).await.map_err(DueError::Queue)?;
                self.store.lease(job, self.wall_clock).await?;
            }
        }
        Ok(())
    }

    /// Sends tasks to their queue and counts them.
    async fn send(&mut self, tasks: Tasks) -> Result<(), BoxError> {
        match tasks {
            Tasks::Sweeps(tasks) => {
                let count = tasks.len() as u64;
                self.queues.sweeps.send(tasks).await?;
                self.result.sweeps += count;
            }
            Tasks::Inbox(tasks) => {
                let count = tasks.len() as u64;
                self.queues.inbox.send(tasks).await?;
                self.result.inbox += count;
            }
            Tasks::Bulk(tasks) => {
                let count = tasks.len() as u64;
                self.queues.bulk.send(tasks).await?;
                self.result.bulk += count;
            }
            Tasks::Automations(tasks) => {
                let count = tasks.len() as u64;
                self.queues.automations.send(tasks).await?;
                self.result.automations += count;
            }
            Tasks::Files(tasks) => {
                let count = tasks.len() as u64;
                self.queues.files.send(tasks).await?;
                self.result.files += count;
            }
        }
        Ok(())
    }
}
