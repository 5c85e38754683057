//! The sweep of the contacts that left at the end of a closed period, a bucket a message.
//!
//! What it writes is what reads show already, so it may come late, stop, repeat and run twice at once.

use std::collections::HashSet;

use api::problem::chain;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use bootstrap::Batch;
use domain::Timestamp;
use store::{Store, StoreError, SweepTask};

/// Sweeps the buckets that the messages of a batch name, for as long as `should_continue` says so, and names the messages that are
/// not done, which the queue then delivers again.
pub async fn handle(
    store: &Store,
    event: SqsEvent,
    wall_clock: impl Fn() -> Timestamp,
    should_continue: impl Fn() -> bool,
) -> SqsBatchResponse {
    let batch = Batch::<SweepTask>::read(event);
    let mut done = HashSet::new();
    for task in batch.tasks() {
        match sweep(store, *task, wall_clock(), &should_continue).await {
            Ok(true) => {
                done.insert(*task);
            }
            Ok(false) => {}
            Err(error) => tracing::error!(error = chain(&error), "a sweep failed"),
        }
    }
    batch.failed(|task| done.contains(task))
}

/// Sweeps one bucket. Returns true if it is finished.
async fn sweep(
    store: &Store,
    task: SweepTask,
    wall_clock: Timestamp,
    should_continue: impl Fn() -> bool,
) -> Result<bool, StoreError> {
    let swept = store.sweep(task, wall_clock, should_continue).await?;
    tracing::info!(
        account = %task.account,
        period = task.period.number(),
        bucket = task.bucket.number(),
        contacts = swept.contacts,
        finished = swept.finished,
        "swept a bucket"
    );
    Ok(swept.finished)
}
