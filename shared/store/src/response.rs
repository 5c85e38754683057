//! Stored responses, which a repeated request receives again.
//!
//! Responses are rendered inside the store, because only then the response is stored in the transaction of the change.
//! So a repeat never finds a change without its response, and no lock is necessary.

use domain::Timestamp;
use domain::digest::{hex, sha256_hex};

use crate::seal::Seal;

/// The part of an HTTP response that is stored under an `Idempotency-Key`.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body. Empty if the response has none.
    pub body: String,
    /// The `ETag` header.
    pub etag: Option<String>,
    /// The `Location` header.
    pub location: Option<String>,
}

impl std::fmt::Debug for StoredResponse {
    /// Leaves out the body, because it contains personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A claim to an `Idempotency-Key`: the key, its scope and the fingerprint of the request.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyClaim {
    /// The scope in which the key is unique: an account's id, or the operator.
    pub(crate) scope: String,
    /// The key's digest. The key itself is not stored and may be long.
    pub(crate) key: String,
    /// The digest of the request, which identifies a repeat.
    pub(crate) fingerprint: String,
    /// The key that encrypts the response.
    pub(crate) seal: Seal,
    /// The time at which the response expires, by the wall clock.
    pub(crate) expires_at: Timestamp,
}

impl IdempotencyClaim {
    /// Creates a claim to `key` within `scope`, for the request with this fingerprint, at wall-clock time `now`.
    #[must_use]
    pub fn new(scope: impl ToString, key: &str, fingerprint: &[u8; 32], now: Timestamp) -> Self {
        let scope = scope.to_string();
        Self {
            seal: Seal::new(&scope, key),
            scope,
            key: sha256_hex(key),
            fingerprint: hex(fingerprint),
            expires_at: now.plus(domain::limits::IDEMPOTENCY_KEPT),
        }
    }
}

/// The rendering of an operation's response, and the claim under which it is stored.
///
/// The store writes the response in the transaction of the change. If an earlier request with the same claim was
/// applied, its response is returned instead and nothing changes.
pub struct Responder<'a, T> {
    pub(crate) claim: Option<&'a IdempotencyClaim>,
    pub(crate) render: &'a (dyn Fn(&T) -> StoredResponse + Send + Sync),
}

impl<'a, T> Responder<'a, T> {
    /// Creates a responder. The response of `render` is stored under `claim`, if there is one.
    pub fn new(
        claim: Option<&'a IdempotencyClaim>,
        render: &'a (dyn Fn(&T) -> StoredResponse + Send + Sync),
    ) -> Self {
        Self { claim, render }
    }
}

impl<T> Clone for Responder<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Responder<'_, T> {}
