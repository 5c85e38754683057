//! The scheduled rollover: closes the periods that have ended, asks for the sweeps of those who left, and asks again for
//! submissions that the queue has forgotten in the inbox.
//!
//! It finds all of them in the `due` index and nowhere else, so a tick costs by what is due and not by how many accounts
//! there are. It may stop at any point: what is not done is still due at the next tick.

use std::collections::HashSet;

use api::Queue;
use api::problem::chain;
use domain::Timestamp;
use serde::Serialize;
use store::{BoxError, Due, InboxTask, Store, StoreError, SweepTask, Tasks};
use thiserror::Error;

/// Where a tick asks for what others do.
#[derive(Clone, Debug)]
pub struct Queues {
    /// The sweeps of closed periods. Its own delay lets the `leaving` index catch up with the table before one begins.
    pub sweeps: Queue<SweepTask>,
    /// Submissions that wait in the inbox.
    pub inbox: Queue<InboxTask>,
}

/// What a tick has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RolledOver {
    /// Accounts whose ended periods were closed.
    pub accounts: u64,
    /// Sweeps that were asked for.
    pub sweeps: u64,
    /// Submissions in the inbox that were asked for again.
    pub inbox: u64,
    /// Whether it came to the end of what was due.
    pub finished: bool,
}

/// Why a tick did not do all that was due. The rest was done, and what failed is still due.
#[derive(Debug, Error)]
pub enum RolloverError {
    /// What is due could not be read.
    #[error("could not read what is due")]
    Due(#[source] StoreError),
    /// Some of it failed; each was logged.
    #[error("{0} of the due things failed")]
    Failed(u64),
}

/// One due thing that failed.
#[derive(Debug, Error)]
enum DueError {
    #[error("could not use the table")]
    Store(#[from] StoreError),
    #[error("could not send it to its queue")]
    Queue(#[source] BoxError),
}

/// A tick under way.
struct Tick<'a, G> {
    store: &'a Store,
    queues: &'a Queues,
    wall_clock: Timestamp,
    should_continue: G,
    done: HashSet<Due>,
    failed: u64,
    result: RolledOver,
}

/// Does what is due at wall-clock time `wall_clock`, for as long as `should_continue` says so.
///
/// An account that fails does not keep the others waiting.
///
/// # Errors
///
/// [`RolloverError`], after everything that could be done was done.
pub async fn roll_over(
    store: &Store,
    queues: &Queues,
    wall_clock: Timestamp,
    should_continue: impl Fn() -> bool,
) -> Result<RolledOver, RolloverError> {
    let result = RolledOver { finished: true, ..RolledOver::default() };
    let mut tick =
        Tick { store, queues, wall_clock, should_continue, done: HashSet::new(), failed: 0, result };
    for shard in Store::due_shards() {
        // Closing a period makes its sweep due, which the second pass finds; what both find is done once.
        for _pass in 0..2 {
            tick.pass(shard).await.map_err(RolloverError::Due)?;
        }
    }
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
                    tracing::error!(?due, error = chain(&error), "a due thing failed");
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn act(&mut self, due: Due) -> Result<(), DueError> {
        match due {
            Due::Period(account) => {
                self.store.close_ended(account, self.wall_clock).await?;
                self.result.accounts += 1;
            }
            Due::Job(job) => {
                let Some(tasks) = self.store.rest_of(job).await? else { return Ok(()) };
                // The lease begins after the messages are sent: a crash in between sends them twice, which does no harm.
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
        }
        Ok(())
    }
}
