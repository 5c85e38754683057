//! The worker of automations: acts for the contacts that wait for an automation.
//!
//! A message names an automation. Messages may repeat, be late and arrive at several workers at once, because acting for
//! a contact and enrolling it are one transaction. If the time is up, the worker sends a message that continues behind
//! the waiting messages of other automations.

use std::collections::HashSet;

use api::Queue;
use api::problem::chain;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use bootstrap::Batch;
use domain::Timestamp;
use store::{AutomationTask, BoxError, Store, StoreError};

/// The error of working on an automation.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error("could not work on the automation")]
    Store(#[from] StoreError),
    #[error("could not send the message that continues")]
    Queue(#[source] BoxError),
}

/// Works on the automations that the messages of a batch name, as long as `should_continue` returns true. The response
/// names the messages that are not done, and the queue delivers them again.
pub async fn handle(
    store: &Store,
    queue: &Queue<AutomationTask>,
    event: SqsEvent,
    wall_clock: impl Fn() -> Timestamp + Send + Sync,
    should_continue: impl Fn() -> bool + Send + Sync,
) -> SqsBatchResponse {
    let batch = Batch::<AutomationTask>::read(event);
    let mut done = HashSet::new();
    for task in batch.tasks() {
        match work(store, queue, *task, &wall_clock, &should_continue).await {
            Ok(()) => {
                done.insert(*task);
            }
            Err(error) => tracing::error!(
                account = %task.account,
                automation = %task.automation,
                error = chain(&error),
                "an automation failed"
            ),
        }
    }
    batch.failed(|task| done.contains(task))
}

async fn work(
    store: &Store,
    queue: &Queue<AutomationTask>,
    task: AutomationTask,
    wall_clock: impl Fn() -> Timestamp + Send + Sync,
    should_continue: impl Fn() -> bool + Send + Sync,
) -> Result<(), WorkError> {
    let progress = store.work_on_automation(task, wall_clock, should_continue).await?;
    tracing::info!(
        account = %task.account,
        automation = %task.automation,
        turns = progress.turns,
        finished = progress.finished,
        "worked on an automation"
    );
    if progress.finished { Ok(()) } else { queue.send(vec![task]).await.map_err(WorkError::Queue) }
}
