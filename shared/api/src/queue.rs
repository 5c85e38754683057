//! Queues as dependencies: SQS in production, a channel within the process in the local stack and in tests.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use store::BoxError;

use crate::problem::chain;

/// The future of a send.
type Sending = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// A queue of tasks of one kind, which a worker processes soon and at least once each.
pub struct Queue<T>(Arc<dyn Fn(Vec<T>) -> Sending + Send + Sync>);

impl<T> Queue<T> {
    /// Creates a queue that sends tasks with `send`.
    pub fn new<F>(send: impl Fn(Vec<T>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self(Arc::new(move |tasks| Box::pin(send(tasks))))
    }

    /// Sends these tasks.
    ///
    /// # Errors
    ///
    /// The queue's error if it did not accept all tasks.
    pub async fn send(&self, tasks: Vec<T>) -> Result<(), BoxError> {
        (self.0)(tasks).await
    }

    /// Sends a task that a schedule also finds. If that fails, the failure is logged, and the schedule sends the task later,
    /// because it is due.
    pub async fn enqueue(&self, task: T) {
        if let Err(error) = self.send(vec![task]).await {
            tracing::warn!(error = chain(&*error), "a task was not queued");
        }
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}
