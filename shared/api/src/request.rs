//! The extractors of requests: [`MutationRequest`] for routes that change something, [`Query`] and [`ReadRequest`] for
//! routes that only read.

use axum::extract::{FromRef, FromRequest, FromRequestParts, Request as HttpRequest};
use axum::response::Response;
use domain::limits::{BODY_BYTES_MAX, IDEMPOTENCY_KEY_CHARS_MAX};
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, IF_MATCH};
use http::request::Parts;
use http::{Method, Uri};
use sha2::{Digest as _, Sha256};
use store::{IdempotencyClaim, IfMatch, StoreError, StoredResponse};

use crate::body;
use crate::context::{Clock, Context};
use crate::fields::{Errors, FromFields, Nothing, Reported, read_object, read_query};
use crate::identity::Identity;
use crate::json;
use crate::problem::{Problem, ProblemType};
use crate::respond::{conclude, conclude_with_token};
use crate::token::{Secret, bearer};

/// The header that identifies a request, so that the request is applied once even if it is sent repeatedly.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request that changes something. All errors in its headers, its query and its body are listed in one problem.
pub struct MutationRequest<B, Q = Nothing> {
    /// The parsed body.
    pub body: B,
    /// The parsed query. Unknown parameters are errors.
    pub query: Q,
    /// The claim to the request's `Idempotency-Key`, if it has one.
    pub claim: Option<IdempotencyClaim>,
    /// The version in the request's `If-Match`, if it has one.
    pub if_match: Option<IfMatch>,
    /// The caller's bearer token.
    pub bearer: Option<Secret>,
}

/// The body of a request without a body, such as a DELETE. An empty JSON object counts as no body, because many clients
/// send one with every request. Any other body is an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoBody;

/// The parsed body, [`Reported`] for errors in its fields, or a problem of the body as a whole.
pub type ReadBody<B> = Result<Result<B, Reported>, Problem>;

/// A type that is parsed from a request body. Every [`FromFields`] is parsed from a JSON object.
pub trait RequestBody: Sized {
    /// The maximum size of the body in bytes.
    const BYTES_MAX: usize = BODY_BYTES_MAX;

    /// Parses the body and adds its errors to `errors`.
    ///
    /// # Errors
    ///
    /// A problem of the body as a whole, such as its media type.
    fn from_bytes(headers: &HeaderMap, bytes: &[u8], errors: &mut Errors) -> ReadBody<Self>;

    /// Returns the bytes that distinguish this body from another one with the same `Idempotency-Key`.
    fn fingerprinted(bytes: &[u8]) -> &[u8] {
        bytes
    }
}

impl<T: FromFields> RequestBody for T {
    fn from_bytes(headers: &HeaderMap, bytes: &[u8], errors: &mut Errors) -> ReadBody<Self> {
        if bytes.is_empty() {
            return Ok(Err(errors.push("", "the request must have a body")));
        }
        body::require_json(headers)?;
        match json::parse(bytes) {
            Ok(value) => Ok(read_object(value, errors)),
            Err(message) => Ok(Err(errors.push("", message))),
        }
    }
}

impl RequestBody for NoBody {
    fn from_bytes(_: &HeaderMap, bytes: &[u8], errors: &mut Errors) -> ReadBody<Self> {
        if bytes.is_empty() || json::is_empty_object(bytes) {
            return Ok(Ok(Self));
        }
        Ok(Err(errors.push("", "the request must not have a body")))
    }

    fn fingerprinted(_: &[u8]) -> &[u8] {
        &[]
    }
}

impl<B, Q> MutationRequest<B, Q> {
    /// Concludes the request: sends the response, and stores a refusal under the request's claim
    /// (see [`conclude`](crate::respond::conclude)).
    ///
    /// # Errors
    ///
    /// The problem to respond with.
    pub async fn conclude(
        &self,
        context: &Context,
        result: Result<StoredResponse, StoreError>,
    ) -> Result<Response, Problem> {
        conclude(context, self.claim.as_ref(), result).await
    }

    /// Concludes a request whose response has a sealed token in its member `token` (see
    /// [`conclude_with_token`](crate::respond::conclude_with_token)).
    ///
    /// # Errors
    ///
    /// The problem to respond with.
    pub async fn conclude_with_token(
        &self,
        context: &Context,
        result: Result<StoredResponse, StoreError>,
    ) -> Result<Response, Problem> {
        conclude_with_token(context, self.claim.as_ref(), self.bearer()?, result).await
    }

    /// Returns the caller's bearer token, under which a new token is created.
    ///
    /// # Errors
    ///
    /// `unauthenticated` if the request has no token. A request that an authorizer accepted has one.
    pub fn bearer(&self) -> Result<&Secret, Problem> {
        self.bearer
            .as_ref()
            .ok_or_else(|| Problem::new(ProblemType::Unauthenticated, "The bearer token is missing."))
    }
}

impl<S, B, Q> FromRequest<S> for MutationRequest<B, Q>
where
    S: Sync,
    Clock: FromRef<S>,
    B: RequestBody,
    Q: FromFields,
{
    type Rejection = Problem;

    async fn from_request(request: HttpRequest, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let identity = Identity::from_request_parts(&mut parts, state).await?;
        let bytes = body::read_up_to(B::BYTES_MAX, &parts.headers, body).await?;

        let mut errors = Errors::default();
        let key = idempotency_key(&parts.headers, &mut errors);
        let precondition = precondition(&parts.headers, &mut errors);
        let query = read_query(parts.uri.query().unwrap_or_default(), &mut errors);
        let body = B::from_bytes(&parts.headers, &bytes, &mut errors)?;
        errors.check()?;
        let (Ok(query), Ok(body)) = (query, body) else {
            return Err(Problem::internal("a parser rejected a request without an error"));
        };

        let if_match = match precondition {
            Precondition::None => None,
            Precondition::IfMatch(if_match) => Some(if_match),
            Precondition::Never => return Err(never_matches()),
        };
        let claim = key.map(|key| {
            let fingerprint = fingerprint(&parts, &identity.caller(), B::fingerprinted(&bytes));
            IdempotencyClaim::new(identity.scope(), &key, &fingerprint, Clock::from_ref(state).now())
        });
        let bearer = parts.headers.get(AUTHORIZATION).and_then(|value| bearer(value.to_str().ok()?));
        Ok(Self { body, query, claim, if_match, bearer })
    }
}

/// The query of a request that only reads and has no body. Without `Q`, every query parameter is an error.
pub struct Query<Q = Nothing>(pub Q);

impl<S: Sync, Q: FromFields> FromRequestParts<S> for Query<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut errors = Errors::default();
        let query = read_query(parts.uri.query().unwrap_or_default(), &mut errors);
        errors.check()?;
        query.map(Self).map_err(|_| Problem::internal("a parser rejected a request without an error"))
    }
}

/// A request that only reads and has a body, such as a search. It has no claim and no precondition.
pub struct ReadRequest<B, Q = Nothing> {
    /// The parsed body.
    pub body: B,
    /// The parsed query. Unknown parameters are errors.
    pub query: Q,
}

impl<S: Sync, B: RequestBody, Q: FromFields> FromRequest<S> for ReadRequest<B, Q> {
    type Rejection = Problem;

    async fn from_request(request: HttpRequest, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = body::read(&parts.headers, body).await?;
        let mut errors = Errors::default();
        let query = read_query(parts.uri.query().unwrap_or_default(), &mut errors);
        let body = B::from_bytes(&parts.headers, &bytes, &mut errors)?;
        errors.check()?;
        match (query, body) {
            (Ok(query), Ok(body)) => Ok(Self { body, query }),
            _ => Err(Problem::internal("a parser rejected a request without an error")),
        }
    }
}

/// Returns the header's only value. Several values are an error, because it is unknown which of them was meant.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName, errors: &mut Errors) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        errors.push(header_name(name), "is given twice");
        return None;
    }
    Some(first)
}

/// Returns the header's name in its usual spelling.
fn header_name(name: &HeaderName) -> &'static str {
    if *name == IF_MATCH { "If-Match" } else { "Idempotency-Key" }
}

fn idempotency_key(headers: &HeaderMap, errors: &mut Errors) -> Option<String> {
    let value = only(headers, &IDEMPOTENCY_KEY, errors)?.as_bytes();
    let fits =
        (1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
    if !fits {
        errors.push(
            "Idempotency-Key",
            format!("expected 1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters without spaces"),
        );
        return None;
    }
    Some(String::from_utf8_lossy(value).into_owned())
}

enum Precondition {
    None,
    IfMatch(IfMatch),
    /// A tag that no version can have.
    Never,
}

/// Parses `If-Match` (RFC 9110 §13.1.1): one entity tag or `*`. Tags are compared strongly, so a weak tag never
/// matches.
fn precondition(headers: &HeaderMap, errors: &mut Errors) -> Precondition {
    let Some(value) = only(headers, &IF_MATCH, errors) else { return Precondition::None };
    let value = value.to_str().unwrap_or_default().trim();
    if value == "*" {
        return Precondition::IfMatch(IfMatch::Any);
    }
    let (weak, tag) = value.strip_prefix("W/").map_or((false, value), |tag| (true, tag));
    let opaque = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let Some(opaque) = opaque.filter(|opaque| !opaque.contains('"')) else {
        errors.push("If-Match", "expected * or one entity tag in quotes, as in the ETag header");
        return Precondition::None;
    };
    let version = opaque.parse::<u64>().ok().filter(|version| version.to_string() == opaque);
    match version {
        Some(version) if !weak => Precondition::IfMatch(IfMatch::Version(version)),
        _ => Precondition::Never,
    }
}

fn never_matches() -> Problem {
    Problem::new(ProblemType::VersionMismatch, "No version can have the entity tag in If-Match.")
}

/// Returns the fingerprint that identical requests share: SHA-256 over everything that determines the effect of a
/// request. Each part is preceded by its length, so that different requests never have the same input.
fn fingerprint(parts: &Parts, caller: &str, body: &[u8]) -> [u8; 32] {
    let Parts { method, uri, headers, .. } = parts;
    digest(method, uri, headers.get(IF_MATCH).map(HeaderValue::as_bytes), caller, body)
}

fn digest(method: &Method, uri: &Uri, if_match: Option<&[u8]>, caller: &str, body: &[u8]) -> [u8; 32] {
    let query = uri.query().unwrap_or_default();
    let mut hash = Sha256::new();
    let parts = [
        b"tidemark request 1",
        method.as_str().as_bytes(),
        uri.path().as_bytes(),
        query.as_bytes(),
        if_match.unwrap_or_default(),
        caller.as_bytes(),
        body,
    ];
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
