//! The state of all handlers: the store, the clock and the public address.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::FromRef;
use domain::Timestamp;
use domain::limits::COUNT_TIME_MAX;
use store::Store;

use crate::queue::Queue;

/// A clock as a dependency: the wall clock in production, a fixed one in tests.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// Creates a clock that returns the result of `now`.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Returns the wall-clock instant. The store applies the clock of a sandbox, which is stored with its account.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The state of every router.
#[derive(Clone)]
pub struct Context {
    /// The store over the deployment's table.
    pub store: Store,
    /// The wall clock.
    pub clock: Clock,
    /// The base address of the API for callers, without a slash at its end. `None` if it is not configured.
    pub public_url: Option<Arc<str>>,
    /// The maximum time for which a request counts contacts.
    count_time: Duration,
}

impl Context {
    /// Creates a context without a public address.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, public_url: None, count_time: COUNT_TIME_MAX }
    }

    /// Returns the context with a public address. An empty address counts as none.
    #[must_use]
    pub fn with_public_url(self, url: &str) -> Self {
        let url = url.trim_end_matches('/');
        Self { public_url: (!url.is_empty()).then(|| url.into()), ..self }
    }

    /// Returns the context with another maximum time for counts. It is for tests, whose contacts are few.
    #[must_use]
    pub fn with_count_time(self, count_time: Duration) -> Self {
        Self { count_time, ..self }
    }

    /// Returns a function that returns true until the maximum time for a count, from now, has passed.
    pub fn count_time(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let (begun, most) = (Instant::now(), self.count_time);
        move || begun.elapsed() < most
    }
}

/// The state of a router that also sends tasks to a queue.
pub struct WithQueue<T> {
    /// The context of the handlers.
    pub context: Context,
    /// The queue.
    pub queue: Queue<T>,
}

impl<T> Clone for WithQueue<T> {
    fn clone(&self) -> Self {
        Self { context: self.context.clone(), queue: self.queue.clone() }
    }
}

impl<T> FromRef<WithQueue<T>> for Context {
    fn from_ref(state: &WithQueue<T>) -> Self {
        state.context.clone()
    }
}

impl<T> FromRef<WithQueue<T>> for Clock {
    fn from_ref(state: &WithQueue<T>) -> Self {
        state.context.clock.clone()
    }
}

impl FromRef<Context> for Clock {
    fn from_ref(context: &Context) -> Self {
        context.clock.clone()
    }
}
