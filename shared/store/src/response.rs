//! Answers that are kept, so that a repeated request gets the first one again.

use domain::Timestamp;
use sha2::{Digest, Sha256};

use crate::seal::Seal;

/// An HTTP answer as far as it is kept with an `Idempotency-Key`.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body; empty for none.
    pub body: String,
    /// The `ETag` header.
    pub etag: Option<String>,
    /// The `Location` header.
    pub location: Option<String>,
}

impl std::fmt::Debug for StoredResponse {
    /// Without the body, which holds people's data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A claim to an `Idempotency-Key`: the key within its scope, and what the request was.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyClaim {
    /// Where the key is unique: an account's id, or the operator.
    pub(crate) scope: String,
    /// The key's digest. The key itself is the caller's and may be long.
    pub(crate) key: String,
    /// Tells whether a later request with the key is the same request.
    pub(crate) fingerprint: String,
    /// What the answer is kept under.
    pub(crate) seal: Seal,
    /// When the answer may be forgotten, on the wall clock.
    pub(crate) expires_at: Timestamp,
}

impl IdempotencyClaim {
    /// A claim within `scope` to `key`, for the request with this fingerprint, made at wall-clock time `now`.
    #[must_use]
    pub fn new(scope: impl ToString, key: &str, fingerprint: &[u8; 32], now: Timestamp) -> Self {
        let scope = scope.to_string();
        Self {
            seal: Seal::new(&scope, key),
            scope,
            key: digest(key),
            fingerprint: hex(fingerprint),
            expires_at: now.plus(domain::limits::IDEMPOTENCY_KEPT),
        }
    }
}

/// How an operation ends: what to answer when it has happened, and under which claim to keep the answer.
///
/// The store writes the answer in the same transaction as the change. If an earlier request with the same claim
/// has happened, its answer comes back instead and nothing is changed.
pub struct Responder<'a, T> {
    pub(crate) claim: Option<&'a IdempotencyClaim>,
    pub(crate) render: &'a (dyn Fn(&T) -> StoredResponse + Send + Sync),
}

impl<'a, T> Responder<'a, T> {
    /// Ends with what `render` makes of the result, kept under `claim` if there is one.
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

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
