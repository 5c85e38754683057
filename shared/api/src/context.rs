//! What every handler is given.

use std::fmt;
use std::sync::Arc;

use axum::extract::FromRef;
use domain::Timestamp;
use store::Store;

/// The clock as an argument: the wall clock in production, a set one in tests.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that shows what `now` answers.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The wall-clock instant. A sandbox's own clock stands with its account and is the store's concern.
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
    /// The table.
    pub store: Store,
    /// The wall clock.
    pub clock: Clock,
    /// The base address that callers reach the API at, without a slash at its end, where the deployment knows it.
    pub public_url: Option<Arc<str>>,
}

impl Context {
    /// A context without a public address.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, public_url: None }
    }

    /// The same with a public address; an empty one counts as none.
    #[must_use]
    pub fn with_public_url(self, url: &str) -> Self {
        let url = url.trim_end_matches('/');
        Self { public_url: (!url.is_empty()).then(|| url.into()), ..self }
    }
}

impl FromRef<Context> for Clock {
    fn from_ref(context: &Context) -> Self {
        context.clock.clone()
    }
}
