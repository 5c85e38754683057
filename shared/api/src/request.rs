//! The extractor of every route that changes something: its body and query, its `Idempotency-Key`, its `If-Match`.

use axum::extract::{FromRef, FromRequest, FromRequestParts, Request as HttpRequest};
use axum::response::Response;
use domain::limits::IDEMPOTENCY_KEY_CHARS_MAX;
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

/// The header that names a request, so that it happens once however often it is sent.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request that changes something, read whole: everything that is wrong with its headers, its query and its body is
/// listed in one problem.
pub struct MutationRequest<B, Q = Nothing> {
    /// What its body says.
    pub body: B,
    /// What its query says; unknown parameters are an error.
    pub query: Q,
    /// The claim to its `Idempotency-Key`.
    pub claim: Option<IdempotencyClaim>,
    /// The version that its `If-Match` names.
    pub if_match: Option<IfMatch>,
    /// The caller's own token, as it came.
    pub bearer: Option<Secret>,
}

/// The body of a request that has none, such as a DELETE. An empty JSON object counts as none, because many clients send
/// one with every request. Any other body is an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoBody;

/// A body, [`Reported`] if something in it is wrong, or a problem of the body as a whole.
pub type ReadBody<B> = Result<Result<B, Reported>, Problem>;

/// How a body is read. Every [`FromFields`] is one that has to be a JSON object.
pub trait RequestBody: Sized {
    /// Reads the body. What is wrong with it is added to `errors`.
    ///
    /// # Errors
    ///
    /// A problem of the body as a whole: its media type, or that it is not JSON.
    fn from_bytes(headers: &HeaderMap, bytes: &[u8], errors: &mut Errors) -> ReadBody<Self>;

    /// Returns the bytes that tell this body from another one under the same `Idempotency-Key`.
    fn fingerprinted(bytes: &[u8]) -> &[u8] {
        bytes
    }
}

impl<T: FromFields> RequestBody for T {
    fn from_bytes(headers: &HeaderMap, bytes: &[u8], errors: &mut Errors) -> ReadBody<Self> {
        if bytes.is_empty() {
            return Ok(Err(errors.push("", "the request needs a body")));
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
        Ok(Err(errors.push("", "the request takes no body")))
    }

    fn fingerprinted(_: &[u8]) -> &[u8] {
        &[]
    }
}

impl<B, Q> MutationRequest<B, Q> {
    /// Ends the request: sends the answer, and keeps a refusal under the request's claim
    /// (see [`conclude`](crate::respond::conclude)).
    ///
    /// # Errors
    ///
    /// The problem to answer with.
    pub async fn conclude(
        &self,
        context: &Context,
        result: Result<StoredResponse, StoreError>,
    ) -> Result<Response, Problem> {
        conclude(context, self.claim.as_ref(), result).await
    }

    /// The same for an answer whose member `token` holds a sealed token (see
    /// [`conclude_with_token`](crate::respond::conclude_with_token)).
    ///
    /// # Errors
    ///
    /// The problem to answer with.
    pub async fn conclude_with_token(
        &self,
        context: &Context,
        result: Result<StoredResponse, StoreError>,
    ) -> Result<Response, Problem> {
        conclude_with_token(context, self.claim.as_ref(), self.bearer()?, result).await
    }

    /// The caller's own token, for minting another in its name.
    ///
    /// # Errors
    ///
    /// `unauthenticated` if it did not come with the request, as it does wherever an authorizer let it through.
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
        let bytes = body::read(&parts.headers, body).await?;

        let mut errors = Errors::default();
        let key = idempotency_key(&parts.headers, &mut errors);
        let precondition = precondition(&parts.headers, &mut errors);
        let query = read_query(parts.uri.query().unwrap_or_default(), &mut errors);
        let body = B::from_bytes(&parts.headers, &bytes, &mut errors)?;
        errors.check()?;
        let (Ok(query), Ok(body)) = (query, body) else {
            return Err(Problem::internal("a reader refused without saying why"));
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

/// A route that takes no query parameters, or those of `Q`, and has no body: the extractor of every reading route.
pub struct Query<Q = Nothing>(pub Q);

impl<S: Sync, Q: FromFields> FromRequestParts<S> for Query<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut errors = Errors::default();
        let query = read_query(parts.uri.query().unwrap_or_default(), &mut errors);
        errors.check()?;
        query.map(Self).map_err(|_| Problem::internal("a reader refused without saying why"))
    }
}

/// A route that only reads and still has a body, such as a search: no claim, no precondition.
pub struct ReadRequest<B, Q = Nothing> {
    /// What its body says.
    pub body: B,
    /// What its query says.
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
            _ => Err(Problem::internal("a reader refused without saying why")),
        }
    }
}

/// The header's only value; several are an error, for which of them was meant is anybody's guess.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName, errors: &mut Errors) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        errors.push(header_name(name), "is given twice");
        return None;
    }
    Some(first)
}

/// The header's name as it is usually written.
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
    /// A tag that no version of ours has.
    Never,
}

/// `If-Match` (RFC 9110 §13.1.1) with one entity tag or `*`. Tags are compared strongly, so a weak one never matches.
fn precondition(headers: &HeaderMap, errors: &mut Errors) -> Precondition {
    let Some(value) = only(headers, &IF_MATCH, errors) else { return Precondition::None };
    let value = value.to_str().unwrap_or_default().trim();
    if value == "*" {
        return Precondition::IfMatch(IfMatch::Any);
    }
    let (weak, tag) = value.strip_prefix("W/").map_or((false, value), |tag| (true, tag));
    let opaque = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let Some(opaque) = opaque.filter(|opaque| !opaque.contains('"')) else {
        errors.push("If-Match", "expected one entity tag in quotes, as the ETag header gave it, or *");
        return Precondition::None;
    };
    let version = opaque.parse::<u64>().ok().filter(|version| version.to_string() == opaque);
    match version {
        Some(version) if !weak => Precondition::IfMatch(IfMatch::Version(version)),
        _ => Precondition::Never,
    }
}

fn never_matches() -> Problem {
    Problem::new(ProblemType::VersionMismatch, "No version has the entity tag that If-Match names.")
}

/// Tells whether two requests are the same: SHA-256 over everything that decides what a request does. Each part is
/// preceded by its length, so that no two requests run together into one text.
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
