//! The inbox's worker: applies the submissions that a burst has left in the inbox, many in one transaction.
//!
//! Messages may arrive late, repeatedly, in any order and at several workers at once. Each submission still counts
//! once. The queue delivers the messages of unapplied submissions again.

use std::collections::HashSet;

use api::problem::chain;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use bootstrap::Batch;
use domain::Timestamp;
use store::{InboxTask, Store};

/// Applies the submissions that the messages of a batch name, as long as `should_continue` returns true. The response
/// names the messages that are not done, and the queue delivers them again.
pub async fn handle(
    store: &Store,
    event: SqsEvent,
    wall_clock: Timestamp,
    should_continue: impl Fn() -> bool,
) -> SqsBatchResponse {
    let batch = Batch::<InboxTask>::read(event);
    let tasks: Vec<InboxTask> = batch.tasks().copied().collect();
    let report = store.settle_inbox(&tasks, wall_clock, should_continue).await;
    for error in &report.errors {
        tracing::error!(error = chain(error), "submissions in the inbox could not be settled");
    }
    tracing::info!(
        settled = report.settled,
        already = report.already,
        unsettled = report.unsettled.len(),
        "worked through the inbox"
    );
    let unsettled: HashSet<InboxTask> = report.unsettled.into_iter().collect();
    batch.failed(|task| !unsettled.contains(task))
}
