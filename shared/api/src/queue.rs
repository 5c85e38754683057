//! Queues as an argument: SQS in production, a channel of the process in the local stack and in tests.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use store::BoxError;

/// Sending under way.
type Sending = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// Takes tasks of one kind, to be done soon and at least once each.
pub struct Queue<T>(Arc<dyn Fn(Vec<T>) -> Sending + Send + Sync>);

impl<T> Queue<T> {
    /// A queue that takes tasks by `send`.
    pub fn new<F>(send: impl Fn(Vec<T>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self(Arc::new(move |tasks| Box::pin(send(tasks))))
    }

    /// Asks for these tasks.
    ///
    /// # Errors
    ///
    /// The queue's own, when not all of them were taken.
    pub async fn send(&self, tasks: Vec<T>) -> Result<(), BoxError> {
        (self.0)(tasks).await
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
