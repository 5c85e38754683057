//! Stored responses of requests with an `Idempotency-Key`.

use serde::{Deserialize, Serialize};

use super::Entity;

/// The response to a request.
#[derive(Serialize, Deserialize)]
pub(crate) struct AnswerItem {
    pub(crate) fingerprint: String,
    pub(crate) status: u16,
    /// The body, encrypted with a key that is derived from the request's.
    #[serde(with = "serde_bytes")]
    pub(crate) body: Vec<u8>,
    /// True if the body was compressed before it was encrypted. Absent in items with a short body, and in those of
    /// older releases.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) compressed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    pub(crate) expires_at: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a function of a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Entity for AnswerItem {
    const TAG: &'static str = "answer";
}

/// The results of one transaction of a request that needs several.
#[derive(Serialize, Deserialize)]
pub(crate) struct AnswerPartItem {
    pub(crate) fingerprint: String,
    /// A list of [`PartResultItem`] in JSON, encrypted with a key that is derived from the request's.
    #[serde(with = "serde_bytes")]
    pub(crate) results: Vec<u8>,
    pub(crate) expires_at: i64,
}

impl Entity for AnswerPartItem {
    const TAG: &'static str = "answer-part";
}

/// The result for one contact.
#[derive(Serialize, Deserialize)]
pub(crate) struct PartResultItem {
    pub(crate) contact: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    pub(crate) outcome: String,
}
