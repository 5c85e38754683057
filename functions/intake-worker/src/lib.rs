//! The inbox's worker: settles the submissions that a flood has left there, many in one transaction.
//!
//! Messages may come late, repeat, and come in any order and to several workers at once: each submission counts once, and
//! what is not done is delivered again.

use std::collections::HashSet;

use api::problem::chain;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use bootstrap::Batch;
use domain::Timestamp;
use store::{InboxTask, Store};

/// Settles the submissions that the messages of a batch name, for as long as `should_continue` says so, and names the messages that
/// are not done, which the queue then delivers again.
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
