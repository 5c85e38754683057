//! The worker of bulk jobs: works through the unfinished jobs of an account, one after the other.
//!
//! A message names an account. Messages may repeat, be late and arrive at several workers at once, because each
//! transaction of a job is committed only once. If the time is up, the worker sends a message that continues behind the
//! waiting messages of other accounts.

use std::collections::HashSet;

use api::Queue;
use api::problem::chain;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use bootstrap::Batch;
use domain::Timestamp;
use store::{BoxError, BulkTask, Store, StoreError};

/// The error of working on an account's jobs.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error("could not work on the jobs")]
    Store(#[from] StoreError),
    #[error("could not send the message that continues")]
    Queue(#[source] BoxError),
}

/// Works on the bulk jobs of the accounts that the messages of a batch name, as long as `should_continue` returns true.
/// The response names the messages that are not done, and the queue delivers them again.
pub async fn handle(
    store: &Store,
    queue: &Queue<BulkTask>,
    event: SqsEvent,
    wall_clock: impl Fn() -> Timestamp + Send + Sync,
    should_continue: impl Fn() -> bool + Send + Sync,
) -> SqsBatchResponse {
    let batch = Batch::<BulkTask>::read(event);
    let mut done = HashSet::new();
    for task in batch.tasks() {
        match work(store, queue, *task, &wall_clock, &should_continue).await {
            Ok(()) => {
                done.insert(*task);
            }
            Err(error) => tracing::error!(account = %task.account, error = chain(&error), "bulk jobs failed"),
        }
    }
    batch.failed(|task| done.contains(task))
}

async fn work(
    store: &Store,
    queue: &Queue<BulkTask>,
    task: BulkTask,
    wall_clock: impl Fn() -> Timestamp + Send + Sync,
    should_continue: impl Fn() -> bool + Send + Sync,
) -> Result<(), WorkError> {
    let progress = store.work_on_bulk_jobs(task.account, wall_clock, should_continue).await?;
    tracing::info!(
        account = %task.account,
        changed = progress.changed,
        jobs = progress.jobs,
        finished = progress.finished,
        "worked on bulk jobs"
    );
    if progress.finished { Ok(()) } else { queue.send(vec![task]).await.map_err(WorkError::Queue) }
}
