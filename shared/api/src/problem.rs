//! Errors as the API answers them: problem documents (RFC 9457).

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use domain::limits::RETRY_AFTER_SECONDS;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::{Refused, StoreError, StoredResponse};
use utoipa::ToSchema;

use crate::view_text::encode;

/// The media type of problem documents (RFC 9457 §3).
pub const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! slugs {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:ident, $title:literal;)+) => {
        /// What kind of problem it is. Callers tell problems apart by this and nothing else.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum ProblemType { $($(#[$doc])* $variant,)+ }

        impl ProblemType {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The last part of the problem's `type`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Its HTTP status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)+ }
            }

            /// Its title, which is always the same.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }
    };
}

slugs! {
    /// The request itself is wrong; `errors` says where.
    InvalidRequest = "invalid-request", BAD_REQUEST, "The request is not valid";
    /// There is no token, or it is not a known one.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "A valid bearer token is needed";
    /// The webhook is not known to come from the form's provider.
    Unverified = "unverified", UNAUTHORIZED, "The webhook could not be verified";
    /// The token's owner may not do this.
    PermissionDenied = "permission-denied", FORBIDDEN, "This is not permitted";
    /// The account has marketing contacts switched off.
    MarketingContactsOff = "marketing-contacts-off", FORBIDDEN, "Marketing contacts are switched off";
    /// The account lives on the wall clock.
    NotASandbox = "not-a-sandbox", FORBIDDEN, "The account is not a sandbox";
    /// The account has no such thing.
    NotFound = "not-found", NOT_FOUND, "Not found";
    /// The path exists, but not with this method.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "The method is not allowed here";
    /// The address belongs to a contact already.
    ContactExists = "contact-exists", CONFLICT, "The contact exists already";
    /// The number of contacts is no longer the one that was confirmed.
    CountChanged = "count-changed", CONFLICT, "The number of contacts has changed";
    /// A request with this `Idempotency-Key` is being worked on.
    IdempotencyKeyInUse = "idempotency-key-in-use", CONFLICT, "The Idempotency-Key is in use";
    /// Marketing contacts can't be switched off while there are some.
    MarketingContactsInUse = "marketing-contacts-in-use", CONFLICT, "There are still marketing contacts";
    /// The account has as many of these as it may have.
    LimitReached = "limit-reached", CONFLICT, "The account has as many as it may have";
    /// The account would be left without an admin who has a token.
    LastAdmin = "last-admin", CONFLICT, "An account keeps at least one admin";
    /// A sandbox's clock moves forward only.
    ClockNotForward = "clock-not-forward", CONFLICT, "The clock moves forward only";
    /// The contact has moved on since the version that `If-Match` names.
    VersionMismatch = "version-mismatch", PRECONDITION_FAILED, "The contact has changed";
    /// The body is too large.
    PayloadTooLarge = "payload-too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body is of a kind that is not read here.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The media type is not supported";
    /// The `Idempotency-Key` was used for another request.
    IdempotencyKeyReused = "idempotency-key-reused", UNPROCESSABLE_ENTITY, "The Idempotency-Key was used before";
    /// More requests than are taken.
    TooManyRequests = "too-many-requests", TOO_MANY_REQUESTS, "Too many requests";
    /// Something is broken here; nothing of the inside is told.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong";
    /// The table could not be had in time. Trying again may help.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available just now";
}

impl ProblemType {
    fn retry_after(self) -> Option<u64> {
        matches!(self, Self::Unavailable | Self::TooManyRequests).then_some(RETRY_AFTER_SECONDS)
    }

    /// How one says who one is, where that is what is missing (RFC 9110 §15.5.2).
    fn scheme(self) -> Option<&'static str> {
        match self {
            Self::Unauthenticated => Some("Bearer"),
            Self::Unverified => Some("Signature"),
            _ => None,
        }
    }
}

/// Returns the `type` of problem documents of a kind.
pub(crate) fn type_of(slug: ProblemType) -> String {
    format!("urn:tidemark:problem:{}", slug.as_str())
}

/// One thing that is wrong with a request.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where: the path of a field such as `contacts[3].email`, the name of a query parameter or of a header.
    pub field: String,
    /// What was expected there.
    pub message: String,
}

impl fmt::Debug for FieldError {
    /// Without the field, whose name is the caller's own text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldError").finish_non_exhaustive()
    }
}

/// A problem document (RFC 9457) as it stands in the OpenAPI document. [`Problem`] renders it.
#[derive(ToSchema)]
#[schema(as = Problem, description = "What went wrong (RFC 9457).")]
#[expect(dead_code, reason = "it describes the document; the fields are for the OpenAPI document alone")]
pub struct ProblemDocument {
    /// `urn:tidemark:problem:` and the slug that tells problems apart.
    #[schema(example = "urn:tidemark:problem:invalid-request")]
    r#type: String,
    /// The slug in words.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened in this case.
    detail: String,
    /// The request's id, to be named when asking about it.
    #[schema(required = false, nullable = false)]
    instance: Option<String>,
    /// Everything that is wrong with the request, for `invalid-request`; the fields that the caller may not change, for
    /// `permission-denied`.
    #[schema(required = false, nullable = false)]
    errors: Option<Vec<FieldError>>,
    /// The contact that has the address, for `contact-exists`.
    #[schema(required = false, nullable = false)]
    contact_id: Option<String>,
}

/// What a handler answers when it does not do what was asked.
pub struct Problem {
    slug: ProblemType,
    detail: String,
    errors: Vec<FieldError>,
    contact_id: Option<String>,
    cause: Option<Cause>,
}

/// The fault behind a problem, on its way to the one place that logs it.
#[derive(Clone)]
pub(crate) struct Cause(pub(crate) Arc<dyn Error + Send + Sync>);

/// A problem document on its way to the one place that adds the request's id.
#[derive(Clone)]
pub(crate) struct Document(pub(crate) Map<String, Value>);

impl Problem {
    /// A problem of this kind; `detail` says what happened in this case, for people, without their data.
    #[must_use]
    pub fn new(slug: ProblemType, detail: impl Into<String>) -> Self {
        Self { slug, detail: detail.into(), errors: Vec::new(), contact_id: None, cause: None }
    }

    /// A request with these things wrong.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [FieldError { field, message }] if !field.is_empty() => format!("{field}: {message}."),
            [FieldError { message, .. }] => format!("{message}."),
            more => format!("{} things in the request are not valid; see errors.", more.len()),
        };
        Self { errors, ..Self::new(ProblemType::InvalidRequest, detail) }
    }

    /// A request with one thing wrong.
    #[must_use]
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// Returns the answer for a thing that does not exist or is another account's. `noun` is a noun such as "contact".
    #[must_use]
    pub fn not_found(noun: &'static str) -> Self {
        Refused::NotFound(noun).into()
    }

    /// Something broke. The cause is logged, with its chain, and not told.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "The request could not be worked on. Nothing of it can be fixed by the caller.";
        Self { cause: Some(Cause(Arc::from(cause.into()))), ..Self::new(ProblemType::Internal, detail) }
    }

    /// What kind of problem it is.
    #[must_use]
    pub fn slug(&self) -> ProblemType {
        self.slug
    }

    /// What happened in this case.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Everything that is wrong with the request.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// The document without the request's id, as an answer that can be kept.
    #[must_use]
    pub fn to_answer(&self) -> StoredResponse {
        StoredResponse {
            status: self.slug.status().as_u16(),
            body: Value::Object(self.document()).to_string(),
            etag: None,
            location: None,
        }
    }

    fn document(&self) -> Map<String, Value> {
        let mut document = Map::new();
        document.insert("type".to_owned(), json!(type_of(self.slug)));
        document.insert("title".to_owned(), json!(self.slug.title()));
        document.insert("status".to_owned(), json!(self.slug.status().as_u16()));
        document.insert("detail".to_owned(), json!(self.detail));
        if !self.errors.is_empty() {
            document.insert("errors".to_owned(), json!(self.errors));
        }
        if let Some(id) = &self.contact_id {
            document.insert("contact_id".to_owned(), json!(id));
        }
        document
    }
}

impl Problem {
    /// The response with a document of another kind, for callers who know another API's errors: everything else about
    /// it is the same, and a fault is logged as ever.
    pub fn into_response_as(self, document: &impl Serialize) -> Response {
        let mut response = self.into_response();
        response.extensions_mut().remove::<Document>();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = Body::from(encode(document));
        response
    }
}

impl fmt::Debug for Problem {
    /// Without the texts, which may repeat names that the caller chose.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem").field("slug", &self.slug).finish_non_exhaustive()
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let slug = match &refused {
            Refused::NotFound(_) => ProblemType::NotFound,
            Refused::ContactExists(_) => ProblemType::ContactExists,
            Refused::VersionMismatch => ProblemType::VersionMismatch,
            Refused::Widening { .. } => ProblemType::PermissionDenied,
            Refused::MarketingContactsOff => ProblemType::MarketingContactsOff,
            Refused::MarketingContactsInUse { .. } => ProblemType::MarketingContactsInUse,
            Refused::IdempotencyKeyReused => ProblemType::IdempotencyKeyReused,
            Refused::LastAdmin => ProblemType::LastAdmin,
            Refused::LimitReached { .. } => ProblemType::LimitReached,
            Refused::OperatorsTerms { .. } | Refused::MarketingPermission => ProblemType::PermissionDenied,
            Refused::NotASandbox => ProblemType::NotASandbox,
            Refused::ClockNotForward { .. } => ProblemType::ClockNotForward,
            Refused::Invalid { field, message } => return Self::invalid_field(*field, message.clone()),
        };
        let contact_id = match &refused {
            Refused::ContactExists(id) => Some(id.to_string()),
            _ => None,
        };
        let errors = match &refused {
            Refused::OperatorsTerms { fields } => fields.iter().map(|field| operators_term(field)).collect(),
            _ => Vec::new(),
        };
        Self { contact_id, errors, ..Self::new(slug, sentence(&refused.to_string())) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refused) => refused.into(),
            StoreError::Unavailable(..) => {
                let detail =
                    "The request could not be worked on in time. Repeat it, with the same Idempotency-Key.";
                Self { cause: Some(Cause(Arc::new(error))), ..Self::new(ProblemType::Unavailable, detail) }
            }
            StoreError::Fault(..) => Self::internal(error),
        }
    }
}

fn operators_term(field: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message: "is a term of the contract, which the operator changes".to_owned(),
    }
}

/// The text with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// The error and everything that led to it, in one line, for a log.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let words = source.to_string();
        // Some errors repeat their source in their own words.
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = source.source();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = response(self.slug, self.document());
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

/// The response with this document, to be finished by the layer that knows the request's id.
fn response(slug: ProblemType, document: Map<String, Value>) -> Response {
    let mut response = from_document(slug.status(), document);
    if let Some(seconds) = slug.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(scheme) = slug.scheme() {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
    }
    response
}

/// A problem document as a response, be it new or kept.
pub(crate) fn from_document(status: StatusCode, document: Map<String, Value>) -> Response {
    let mut response = Response::new(Body::from(Value::Object(document.clone()).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    response.extensions_mut().insert(Document(document));
    response
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::ids::ContactId;
    use http_body_util::BodyExt as _;

    use super::*;

    async fn read(response: Response) -> Value {
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn slugs_differ_and_have_the_status_of_an_error() {
        for slug in ProblemType::ALL {
            assert!(slug.status().is_client_error() || slug.status().is_server_error(), "{slug:?}");
            assert_eq!(
                ProblemType::ALL.iter().filter(|other| other.as_str() == slug.as_str()).count(),
                1,
                "{slug:?}"
            );
            assert!(slug.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{slug:?}");
        }
    }

    #[tokio::test]
    async fn a_document_says_type_title_status_detail_and_what_is_wrong() {
        let problem = Problem::invalid(vec![
            FieldError { field: "name".into(), message: "is required".into() },
            FieldError { field: "role".into(), message: "expected one of member, admin".into() },
        ]);
        let response = problem.into_response();
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
        assert_eq!(
            read(response).await,
            json!({
                "type": "urn:tidemark:problem:invalid-request", "title": "The request is not valid", "status": 400,
                "detail": "2 things in the request are not valid; see errors.",
                "errors": [{"field": "name", "message": "is required"},
                           {"field": "role", "message": "expected one of member, admin"}],
            })
        );
    }

    #[tokio::test]
    async fn each_refusal_has_its_slug() {
        let id = ContactId::new(Timestamp::MIN, 7);
        let table = [
            (Refused::NotFound("contact"), 404, "not-found"),
            (Refused::ContactExists(id), 409, "contact-exists"),
            (Refused::VersionMismatch, 412, "version-mismatch"),
            (Refused::MarketingContactsOff, 403, "marketing-contacts-off"),
            (Refused::MarketingContactsInUse { marketing: 3 }, 409, "marketing-contacts-in-use"),
            (Refused::IdempotencyKeyReused, 422, "idempotency-key-reused"),
            (Refused::LastAdmin, 409, "last-admin"),
            (Refused::LimitReached { what: "forms", max: 7 }, 409, "limit-reached"),
            (Refused::OperatorsTerms { fields: vec!["term", "tier"] }, 403, "permission-denied"),
            (Refused::MarketingPermission, 403, "permission-denied"),
            (Refused::NotASandbox, 403, "not-a-sandbox"),
            (Refused::ClockNotForward { now: Timestamp::MIN }, 409, "clock-not-forward"),
            (Refused::Invalid { field: "cap", message: "too large".into() }, 400, "invalid-request"),
        ];
        for (refused, status, slug) in table {
            let response = Problem::from(refused).into_response();
            assert_eq!(response.status().as_u16(), status);
            let body = read(response).await;
            assert_eq!(body["type"], format!("urn:tidemark:problem:{slug}"));
            assert!(body["detail"].as_str().unwrap().ends_with('.'), "{body}");
            assert_eq!(body.get("contact_id").is_some(), slug == "contact-exists");
        }
    }

    #[tokio::test]
    async fn operators_terms_are_named_with_the_reason() {
        let refused = Refused::OperatorsTerms { fields: vec!["term", "tier"] };
        let body = read(Problem::from(refused).into_response()).await;
        let detail = "An account's admin can't change term, tier: only the operator changes the terms of the contract.";
        assert_eq!(body["detail"], detail);
        let message = "is a term of the contract, which the operator changes";
        let errors = json!([{"field": "term", "message": message}, {"field": "tier", "message": message}]);
        assert_eq!(body["errors"], errors);
    }

    #[tokio::test]
    async fn what_is_broken_is_not_told() {
        let fault = StoreError::Fault("the item of ada@example.org is broken".into(), None);
        let response = Problem::from(fault).into_response();
        assert_eq!(response.status(), 500);
        assert!(response.extensions().get::<Cause>().is_some());
        assert!(!read(response).await.to_string().contains("ada"));

        let response = Problem::from(StoreError::Unavailable("throttled".into(), None)).into_response();
        assert_eq!(
            (response.status().as_u16(), response.headers()[RETRY_AFTER].as_bytes()),
            (503, &b"1"[..])
        );
        assert!(!read(response).await.to_string().contains("throttled"));
    }

    #[test]
    fn a_fault_is_told_with_its_chain() {
        let source = std::io::Error::other("the disk is gone");
        let fault = StoreError::Fault("the item can't be read".into(), Some(source.into()));
        assert_eq!(chain(&fault), "the item can't be read: the disk is gone");
    }

    #[test]
    fn a_missing_token_names_the_scheme() {
        let response = Problem::new(ProblemType::Unauthenticated, "No token.").into_response();
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
    }

    #[tokio::test]
    async fn another_document_has_the_same_status_headers_and_cause() {
        let problem = Problem::from(StoreError::Unavailable("throttled".into(), None));
        let response = problem.into_response_as(&json!({"status": "error"}));
        assert_eq!(
            (response.status().as_u16(), response.headers()[RETRY_AFTER].as_bytes()),
            (503, &b"1"[..])
        );
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert!(
            response.extensions().get::<Cause>().is_some()
                && response.extensions().get::<Document>().is_none()
        );
        assert_eq!(read(response).await, json!({"status": "error"}));
    }

    #[test]
    fn debug_output_repeats_no_text_of_the_caller() {
        let problem = Problem::invalid_field("properties.ada@example.org", "is not known");
        assert!(!format!("{problem:?} {:?}", problem.errors()).contains("ada"));
    }
}
