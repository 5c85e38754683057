//! The sweep of those who left at the end of a closed period, a bucket a message.
//!
//! What it writes is what reads show already, so it may come late, stop, repeat and run twice at once.

use api::problem::chain;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use domain::Timestamp;
use store::{Store, StoreError, SweepTask, Swept};
use thiserror::Error;

/// Why a message was not done. It comes again.
#[derive(Debug, Error)]
enum MessageError {
    /// Where it stops to be one; serde's own words would repeat what stands there, which may be anything.
    #[error("the message is no sweep, from its column {column} on")]
    Unreadable { column: usize },
    #[error("the message has no body")]
    Empty,
    #[error("could not sweep")]
    Store(#[from] StoreError),
}

/// Sweeps what the messages of a batch ask for, for as long as `go_on` says so, and names those that are not done,
/// which the queue then brings again.
pub async fn handle(
    store: &Store,
    event: SqsEvent,
    wall: impl Fn() -> Timestamp,
    go_on: impl Fn() -> bool,
) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        let done = match sweep_message(store, &message, wall(), &go_on).await {
            Ok(swept) => swept.finished,
            Err(error) => {
                tracing::error!(error = chain(&error), "a sweep failed");
                false
            }
        };
        if !done {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message.message_id.unwrap_or_default();
            response.batch_item_failures.push(failure);
        }
    }
    response
}

async fn sweep_message(
    store: &Store,
    message: &SqsMessage,
    wall: Timestamp,
    go_on: impl Fn() -> bool,
) -> Result<Swept, MessageError> {
    let body = message.body.as_deref().ok_or(MessageError::Empty)?;
    let unreadable = |error: serde_json::Error| MessageError::Unreadable { column: error.column() };
    let task: SweepTask = serde_json::from_str(body).map_err(unreadable)?;
    let swept = store.sweep(task, wall, go_on).await?;
    tracing::info!(
        account = %task.account,
        period = task.period.number(),
        bucket = task.bucket.number(),
        contacts = swept.contacts,
        finished = swept.finished,
        "swept a bucket"
    );
    Ok(swept)
}
