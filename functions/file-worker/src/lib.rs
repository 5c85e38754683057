//! The worker of imports and exports: reads uploaded files and applies their rows, and writes files with contacts.
//!
//! A message names an import or an export. Messages may repeat, be late and arrive at several workers at once, because
//! each step is stored only once. If the time is up, the worker sends a message that continues behind the waiting
//! messages of other accounts.

mod export;
mod import;
mod results;
mod row;

use std::collections::HashSet;

use api::Queue;
use api::problem::chain;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use bootstrap::Batch;
use domain::Timestamp;
use file_store::{FileError, Files};
use store::{BoxError, FileJob, FileTask, Store, StoreError};

/// The parts that a worker needs, with its clock and its time limit.
struct Worker<'w, C, G> {
    store: &'w Store,
    files: &'w Files,
    clock: &'w C,
    should_continue: &'w G,
}

/// The error of working on an import or an export.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error("could not use the table")]
    Store(#[from] StoreError),
    #[error("could not use a file")]
    Files(#[from] FileError),
    #[error("could not write the results of an import")]
    Results(#[source] FileError),
    #[error("could not send the message that continues")]
    Queue(#[source] BoxError),
    #[error("a stored text is unreadable")]
    Text(#[from] BoxError),
}

/// The end of the work on one message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Worked {
    /// Nothing remains for this message: the import or export is finished, or another worker works on it.
    Finished,
    /// The time is up.
    OutOfTime,
    /// A caller or another worker has changed the import or export. It is opened again, once.
    Superseded,
}

/// Works on the imports and exports that the messages of a batch name, as long as `should_continue` returns true. The
/// response names the messages that are not done, and the queue delivers them again.
pub async fn handle(
    store: &Store,
    files: &Files,
    queue: &Queue<FileTask>,
    event: SqsEvent,
    wall_clock: impl Fn() -> Timestamp + Send + Sync,
    should_continue: impl Fn() -> bool + Send + Sync,
) -> SqsBatchResponse {
    let batch = Batch::<FileTask>::read(event);
    let worker = Worker { store, files, clock: &wall_clock, should_continue: &should_continue };
    let mut done = HashSet::new();
    for task in batch.tasks() {
        match Box::pin(worker.work(queue, *task)).await {
            Ok(worked) => {
                tracing::info!(account = %task.account, job = %task.job, ?worked, "worked on a file");
                done.insert(*task);
            }
            Err(error) => {
                tracing::error!(account = %task.account, job = %task.job, error = chain(&error), "a file failed");
            }
        }
    }
    batch.failed(|task| done.contains(task))
}

impl<C, G> Worker<'_, C, G>
where
    C: Fn() -> Timestamp + Send + Sync,
    G: Fn() -> bool + Send + Sync,
{
    async fn work(&self, queue: &Queue<FileTask>, task: FileTask) -> Result<Worked, WorkError> {
        let mut worked = self.step(task).await?;
        if worked == Worked::Superseded {
            // A cancelled import has results to write. If another worker works on it, the second try finds that out.
            worked = self.step(task).await?;
        }
        if worked == Worked::OutOfTime {
            queue.send(vec![task]).await.map_err(WorkError::Queue)?;
        }
        Ok(worked)
    }

    async fn step(&self, task: FileTask) -> Result<Worked, WorkError> {
        match task.job {
            FileJob::Import(import) => self.import(task.account, import).await,
            FileJob::Export(export) => self.export(task.account, export).await,
        }
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}
