//! The inbox's worker: settles the submissions that a flood has left there, many in one transaction.
//!
//! Messages may come late, repeat, and come in any order and to several at once: each submission counts once, and what is
//! not done comes again.

use std::collections::HashSet;

use api::problem::chain;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use domain::Timestamp;
use store::{InboxTask, Store};

/// Settles what the messages of a batch name, for as long as `go_on` says so, and names the messages that are not done,
/// which the queue then brings again.
pub async fn handle(
    store: &Store,
    event: SqsEvent,
    wall: Timestamp,
    go_on: impl Fn() -> bool,
) -> SqsBatchResponse {
    let messages: Vec<(String, Option<InboxTask>)> = event.records.into_iter().map(read).collect();
    let tasks: Vec<InboxTask> = messages.iter().filter_map(|(_, task)| *task).collect();
    let report = store.settle_inbox(&tasks, wall, go_on).await;
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
    let failed = messages.into_iter().filter(|(_, task)| task.is_none_or(|task| unsettled.contains(&task)));
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed
        .map(|(id, _)| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failure
        })
        .collect();
    response
}

/// A message's id and what it names. What names nothing is logged, without what stands there, which may be anything.
fn read(message: SqsMessage) -> (String, Option<InboxTask>) {
    let task = match serde_json::from_str(message.body.as_deref().unwrap_or_default()) {
        Ok(task) => Some(task),
        Err(error) => {
            let column = error.column();
            tracing::error!(column, "a message names no submission in the inbox");
            None
        }
    };
    (message.message_id.unwrap_or_default(), task)
}
