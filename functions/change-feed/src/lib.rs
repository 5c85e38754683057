//! The change feed: carries out what follows from the changes of the table, in the order of its stream.
//!
//! A record may arrive repeatedly, and late. Nothing that is promised exactly depends on the feed, and following a record
//! a second time has no further effect. So the function may stop anywhere.
//!
//! Lambda continues a stream at the first record that the response names, and repeats all records after it. The others
//! of a batch are followed all the same, so a record that can't be followed delays the others and loses none.

use std::collections::BTreeSet;

use api::Queue;
use api::problem::chain;
use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use domain::Timestamp;
use store::{AutomationTask, Followed, Store, StreamRecord};

/// Follows the records of a batch. The response names the records that are not done.
///
/// The automations that have something to do are queued before the records count as done. So no message is lost, and
/// one may be sent twice.
pub async fn handle(
    store: &Store,
    queue: &Queue<AutomationTask>,
    event: Event,
    wall_clock: Timestamp,
) -> DynamoDbEventResponse {
    let records = records(event);
    let numbers = records.iter().map(|record| record.sequence_number.clone()).collect();
    let followed = store.follow(records, wall_clock).await;
    let failed = settle(numbers, followed, queue).await;
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures = failed.into_iter().map(failure).collect();
    response
}

fn failure(sequence_number: String) -> DynamoDbBatchItemFailure {
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = Some(sequence_number);
    failure
}

/// Returns the records of an event, without those parts that following them does not need.
#[must_use]
pub fn records(event: Event) -> Vec<StreamRecord> {
    event.records.into_iter().map(record).collect()
}

fn record(record: EventRecord) -> StreamRecord {
    let (old, new) = (record.change.old_image, record.change.new_image);
    StreamRecord {
        // DynamoDB numbers every record. Lambda repeats the whole batch if a response names an empty number.
        sequence_number: record.change.sequence_number.unwrap_or_default(),
        // An item always has its key, so an empty image is a missing one.
        old: (!old.is_empty()).then(|| old.into()),
        new: (!new.is_empty()).then(|| new.into()),
    }
}

/// Queues the automations, and returns the numbers of the records that are not done: all of them if the queue does not
/// accept the automations.
async fn settle(numbers: Vec<String>, followed: Followed, queue: &Queue<AutomationTask>) -> Vec<String> {
    for (number, error) in &followed.failed {
        tracing::error!(sequence_number = number, error = chain(error), "a record could not be followed");
    }
    let tasks: BTreeSet<AutomationTask> = followed.tasks.into_iter().collect();
    tracing::info!(
        records = numbers.len(),
        failed = followed.failed.len(),
        automations = tasks.len(),
        "followed the changes"
    );
    if !tasks.is_empty()
        && let Err(error) = queue.send(tasks.into_iter().collect()).await
    {
        tracing::error!(error = chain(&*error), "the automations were not queued");
        return numbers;
    }
    followed.failed.into_iter().map(|(number, _)| number).collect()
}

#[cfg(test)]
mod tests;
