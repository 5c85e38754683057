//! The sweep of the contacts that left at the end of a closed period. Each message names one bucket.
//!
//! The sweep writes the state that reads already show. So it may run late, stop, repeat and run twice at once.

use std::collections::HashSet;

use api::problem::chain;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use bootstrap::Batch;
use domain::Timestamp;
use metrics::Metric;
use store::{Store, StoreError, SweepTask};

/// Sweeps the buckets that the messages of a batch name, as long as `should_continue` returns true. The response
/// names the messages that are not done, and the queue delivers them again.
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

/// Sweeps one bucket. Returns true if the bucket is finished.
async fn sweep(
    store: &Store,
    task: SweepTask,
    wall_clock: Timestamp,
    should_continue: impl Fn() -> bool,
) -> Result<bool, StoreError> {
    let swept = store.sweep(task, wall_clock, should_continue).await?;
    Metric::ContactsSwept.record(swept.contacts);
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
