//! The results of the store's changes. The store hands them to the function that renders a response to store. Requests in
//! `HubSpot`'s format have no idempotency key, so their responses are rendered afterwards.

use std::sync::{Mutex, PoisonError};

use store::StoredResponse;

use crate::envelope::Failure;

/// Returns a response that is not sent, because the store's operations store one with a claim only.
pub(crate) fn empty() -> StoredResponse {
    StoredResponse { status: 200, body: String::new(), etag: None, location: None }
}

/// The result of a change, once the store has made it.
pub(crate) struct Kept<T>(Mutex<Option<T>>);

impl<T: Clone> Kept<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Keeps the result. The returned response is not sent.
    pub(crate) fn keep(&self, result: &T) -> StoredResponse {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result.clone());
        empty()
    }

    /// Returns the result.
    ///
    /// # Errors
    ///
    /// A fault if the change has no result.
    pub(crate) fn take(self) -> Result<T, Failure> {
        let result = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        result.ok_or_else(|| api::Problem::internal("a change without a result").into())
    }
}
