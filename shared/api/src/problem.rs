//! Errors in responses of the API: problem documents (RFC 9457).

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use domain::decision::Refusal;
use domain::limits::RETRY_AFTER_SECONDS;
use domain::string_enum::string_enum;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::{Refused, StoreError, StoredResponse};
use utoipa::ToSchema;

use crate::view_text::encode;

/// The media type of problem documents (RFC 9457 §3).
pub const PROBLEM_JSON: &str = "application/problem+json";

string_enum! {
    /// The type of a problem (RFC 9457 §3.1.1). Clients distinguish problems by it alone. Its text is the slug, the last
    /// part of the document's `type`.
    pub enum ProblemType {
        /// The request is not valid. `errors` lists the fields.
        InvalidRequest = "invalid-request",
        /// The bearer token is missing or unknown.
        Unauthenticated = "unauthenticated",
        /// The webhook's signature or secret is missing, wrong or stale.
        Unverified = "unverified",
        /// The caller may not do this, or a page of this origin may not submit the form.
        PermissionDenied = "permission-denied",
        /// The account has marketing contacts switched off.
        MarketingContactsOff = "marketing-contacts-off",
        /// The account uses the wall clock, which cannot be moved.
        NotASandbox = "not-a-sandbox",
        /// The account does not have the requested resource.
        NotFound = "not-found",
        /// The path exists, but not with the method of the request.
        MethodNotAllowed = "method-not-allowed",
        /// Another contact has the address.
        ContactExists = "contact-exists",
        /// Marketing contacts cannot be switched off while the usage is above 0.
        MarketingContactsInUse = "marketing-contacts-in-use",
        /// The number of selected contacts is not the confirmed one.
        CountChanged = "count-changed",
        /// The account has the maximum number of forms, segments, users, tokens or unfinished jobs, or a list that of
        /// members.
        LimitReached = "limit-reached",
        /// An automation uses the form or the segment.
        InUse = "in-use",
        /// The automation is not paused.
        NotPaused = "not-paused",
        /// The account would have no admin with a token.
        LastAdmin = "last-admin",
        /// A sandbox's clock moves forward only.
        ClockNotForward = "clock-not-forward",
        /// The file of an import is not uploaded, or not to its end.
        UploadMissing = "upload-missing",
        /// A file is not complete yet.
        NotFinished = "not-finished",
        /// The import has started, so it cannot be changed.
        ImportStarted = "import-started",
        /// The contact's version is not the one in `If-Match`.
        VersionMismatch = "version-mismatch",
        /// The body is too large.
        PayloadTooLarge = "payload-too-large",
        /// The media type or the content coding of the body is not supported.
        UnsupportedMediaType = "unsupported-media-type",
        /// The `Idempotency-Key` was used for another request.
        IdempotencyKeyReused = "idempotency-key-reused",
        /// An internal error. The response contains nothing about its cause.
        Internal = "internal",
        /// The table did not respond in time. A retry may succeed.
        Unavailable = "unavailable",
    }
}

impl ProblemType {
    /// Returns the HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.status_and_title().0
    }

    /// Returns the title, a sentence without a full stop that is always the same.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.status_and_title().1
    }

    const fn status_and_title(self) -> (StatusCode, &'static str) {
        match self {
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "The request is not valid"),
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, "A valid bearer token is required"),
            Self::Unverified => (StatusCode::UNAUTHORIZED, "The webhook could not be verified"),
            Self::PermissionDenied => (StatusCode::FORBIDDEN, "The request is not permitted"),
            Self::MarketingContactsOff => (StatusCode::FORBIDDEN, "Marketing contacts are switched off"),
            Self::NotASandbox => (StatusCode::FORBIDDEN, "The account is not a sandbox"),
            Self::NotFound => (StatusCode::NOT_FOUND, "The resource does not exist"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "The path does not support this method")
            }
            Self::ContactExists => (StatusCode::CONFLICT, "Another contact has this address"),
            Self::MarketingContactsInUse => {
                (StatusCode::CONFLICT, "The account still has marketing contacts")
            }
            Self::CountChanged => (StatusCode::CONFLICT, "Another number of contacts matches"),
            Self::LimitReached => (StatusCode::CONFLICT, "The account has reached a limit"),
            Self::InUse => (StatusCode::CONFLICT, "An automation uses it"),
            Self::NotPaused => (StatusCode::CONFLICT, "The automation is not paused"),
            Self::LastAdmin => (StatusCode::CONFLICT, "An account must keep an admin with a token"),
            Self::ClockNotForward => (StatusCode::CONFLICT, "The clock can only move forward"),
            Self::UploadMissing => (StatusCode::CONFLICT, "The file is not uploaded"),
            Self::NotFinished => (StatusCode::CONFLICT, "The file is not complete"),
            Self::ImportStarted => (StatusCode::CONFLICT, "The import has started"),
            Self::VersionMismatch => (StatusCode::PRECONDITION_FAILED, "The contact does not match If-Match"),
            Self::PayloadTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body's format is not supported")
            }
            Self::IdempotencyKeyReused => {
                (StatusCode::UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request")
            }
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "An internal error occurred"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "The service is temporarily unavailable"),
        }
    }

    /// Returns the seconds in `Retry-After`, which only a 503 response has.
    fn retry_after(self) -> Option<u64> {
        matches!(self, Self::Unavailable).then_some(RETRY_AFTER_SECONDS)
    }

    /// Returns the scheme in `WWW-Authenticate`, which a 401 response must have (RFC 9110 §15.5.2).
    fn scheme(self) -> Option<&'static str> {
        match self {
            Self::Unauthenticated => Some("Bearer"),
            Self::Unverified => Some("Signature"),
            _ => None,
        }
    }
}

/// Returns the `type` in problem documents of this type.
pub(crate) fn type_of(problem_type: ProblemType) -> String {
    format!("urn:tidemark:problem:{problem_type}")
}

/// One error in a request.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The path of the field, such as `contacts[3].email`, or the name of the query parameter or header.
    pub field: String,
    /// A description of the valid values, such as `expected true or false`.
    pub message: String,
}

impl fmt::Debug for FieldError {
    /// Omits the field, because its name is the caller's own text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldError").finish_non_exhaustive()
    }
}

/// The schema of a problem document (RFC 9457) in the OpenAPI document. [`Problem`] renders it.
#[derive(ToSchema)]
#[schema(as = Problem, description = "A problem document (RFC 9457).")]
#[expect(dead_code, reason = "it describes the document; the fields are for the OpenAPI document alone")]
pub struct ProblemDocument {
    /// `urn:tidemark:problem:` and the slug of the problem. Clients distinguish problems by it.
    #[schema(example = "urn:tidemark:problem:invalid-request")]
    r#type: String,
    /// A short sentence that is always the same for a `type`.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// A sentence about this case.
    detail: String,
    /// The id of the request, which is also in the log.
    #[schema(required = false, nullable = false)]
    instance: Option<String>,
    /// All errors in the request, for `invalid-request`. The fields that the caller may not change, for
    /// `permission-denied`.
    #[schema(required = false, nullable = false)]
    errors: Option<Vec<FieldError>>,
    /// The contact that has the address, for `contact-exists`.
    #[schema(required = false, nullable = false)]
    contact_id: Option<String>,
    /// The number of contacts that match now, for `count-changed`.
    #[schema(required = false, nullable = false)]
    matched: Option<u64>,
    /// The number of contacts that would change, for `count-changed`.
    #[schema(required = false, nullable = false)]
    would_change: Option<u64>,
}

/// The error of a handler, which becomes a problem document.
pub struct Problem {
    problem_type: ProblemType,
    detail: String,
    errors: Vec<FieldError>,
    /// Further members of the document.
    members: Map<String, Value>,
    cause: Option<Cause>,
}

/// The fault that caused a problem, for the layer that logs it.
#[derive(Clone)]
pub(crate) struct Cause(pub(crate) Arc<dyn Error + Send + Sync>);

/// A problem document, for the layer that adds the request's id.
#[derive(Clone)]
pub(crate) struct Document(pub(crate) Map<String, Value>);

impl Problem {
    /// Creates a problem of this type. `detail` is a sentence about this case, without personal data.
    #[must_use]
    pub fn new(problem_type: ProblemType, detail: impl Into<String>) -> Self {
        Self { problem_type, detail: detail.into(), errors: Vec::new(), members: Map::new(), cause: None }
    }

    /// Creates the problem of a request with these errors.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [FieldError { field, message }] if !field.is_empty() => format!("{field}: {message}."),
            [FieldError { message, .. }] => sentence(message),
            more => format!("The request has {} errors, which are listed in errors.", more.len()),
        };
        Self { errors, ..Self::new(ProblemType::InvalidRequest, detail) }
    }

    /// Creates the problem of a request with one error.
    #[must_use]
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// Creates the problem for a resource that does not exist or belongs to another account. `noun` is a noun such as
    /// "contact".
    #[must_use]
    pub fn not_found(noun: &'static str) -> Self {
        Refused::NotFound(noun).into()
    }

    /// Creates the problem of an internal error. The cause is logged with its chain, and the response does not contain
    /// it.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "An internal error occurred. The request is not at fault.";
        Self { cause: Some(Cause(Arc::from(cause.into()))), ..Self::new(ProblemType::Internal, detail) }
    }

    /// Returns the type.
    #[must_use]
    pub fn problem_type(&self) -> ProblemType {
        self.problem_type
    }

    /// Returns the sentence about this case.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns the errors in the request, by field.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// Returns the document without the request's id, as a response that can be stored.
    #[must_use]
    pub fn to_answer(&self) -> StoredResponse {
        StoredResponse {
            status: self.problem_type.status().as_u16(),
            body: Value::Object(self.document()).to_string(),
            etag: None,
            location: None,
        }
    }

    fn document(&self) -> Map<String, Value> {
        let mut document = Map::new();
        document.insert("type".to_owned(), json!(type_of(self.problem_type)));
        document.insert("title".to_owned(), json!(self.problem_type.title()));
        document.insert("status".to_owned(), json!(self.problem_type.status().as_u16()));
        document.insert("detail".to_owned(), json!(self.detail));
        if !self.errors.is_empty() {
            document.insert("errors".to_owned(), json!(self.errors));
        }
        document.extend(self.members.clone());
        document
    }
}

impl Problem {
    /// Returns the response with the document of another API, for callers that expect that API's errors. The status and
    /// the other headers are the same, and a fault is logged as usual.
    pub fn into_response_as(self, document: &impl Serialize) -> Response {
        let mut response = self.into_response();
        response.extensions_mut().remove::<Document>();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = Body::from(encode(document));
        response
    }

    /// Returns another response in place of the problem document, such as a page. A fault is logged as usual.
    pub fn into_response_with(self, mut response: Response) -> Response {
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

impl fmt::Debug for Problem {
    /// Omits the texts, because they may repeat names that the caller chose.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem").field("type", &self.problem_type).finish_non_exhaustive()
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let problem_type = match &refused {
            Refused::NotFound(_) => ProblemType::NotFound,
            Refused::ContactExists(_) => ProblemType::ContactExists,
            Refused::VersionMismatch => ProblemType::VersionMismatch,
            Refused::Widening { .. } => ProblemType::PermissionDenied,
            Refused::MarketingContactsOff | Refused::Status(Refusal::MarketingContactsOff) => {
                ProblemType::MarketingContactsOff
            }
            Refused::Status(_) => ProblemType::LimitReached,
            Refused::MarketingContactsInUse { .. } => ProblemType::MarketingContactsInUse,
            Refused::CountChanged { .. } => ProblemType::CountChanged,
            Refused::IdempotencyKeyReused => ProblemType::IdempotencyKeyReused,
            Refused::LastAdmin => ProblemType::LastAdmin,
            Refused::LimitReached { .. } => ProblemType::LimitReached,
            Refused::InUse { .. } => ProblemType::InUse,
            Refused::NotPaused => ProblemType::NotPaused,
            Refused::ImportStarted => ProblemType::ImportStarted,
            Refused::OperatorsTerms { .. } | Refused::MarketingPermission => ProblemType::PermissionDenied,
            Refused::NotASandbox => ProblemType::NotASandbox,
            Refused::ClockNotForward { .. } => ProblemType::ClockNotForward,
            Refused::Invalid { field, message } => return Self::invalid_field(*field, message.clone()),
        };
        let members = match &refused {
            Refused::ContactExists(id) => json!({"contact_id": id.to_string()}),
            Refused::CountChanged { matched, would_change, .. } => {
                json!({"matched": matched, "would_change": would_change})
            }
            Refused::InUse { automation, .. } => json!({"automation_id": automation}),
            _ => Value::Null,
        };
        let members = if let Value::Object(members) = members { members } else { Map::new() };
        let errors = match &refused {
            Refused::OperatorsTerms { fields } => fields.iter().map(|field| operators_term(field)).collect(),
            Refused::Widening { fields } => fields.iter().map(|field| widening(field)).collect(),
            _ => Vec::new(),
        };
        Self { members, errors, ..Self::new(problem_type, sentence(&refused.to_string())) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refused) => refused.into(),
            StoreError::Unavailable(..) => {
                let detail =
                    "The request could not be completed in time. Repeat it with the same Idempotency-Key.";
                Self { cause: Some(Cause(Arc::new(error))), ..Self::new(ProblemType::Unavailable, detail) }
            }
            StoreError::Fault(..) => Self::internal(error),
        }
    }
}

fn operators_term(field: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message: "is a term of the contract, which only the operator may change".to_owned(),
    }
}

fn widening(field: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message:
            "lets the form set more contacts marketing, which needs the permission modify_marketing_contacts"
                .to_owned(),
    }
}

/// Returns the text with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Returns the error and its chain of sources in one line, for the log.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let words = source.to_string();
        // Some errors end with the text of their source.
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
        let mut response = response(self.problem_type, self.document());
        // The log line and the metric of the request name it.
        response.extensions_mut().insert(self.problem_type);
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

/// Returns a response with this document. The layer that knows the request's id completes it.
fn response(problem_type: ProblemType, document: Map<String, Value>) -> Response {
    let mut response = from_document(problem_type.status(), document);
    if let Some(seconds) = problem_type.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(scheme) = problem_type.scheme() {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
    }
    response
}

/// Returns a response with a problem document, new or stored.
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
    fn slugs_are_unique_and_have_an_error_status() {
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
    async fn document_of_an_invalid_request_lists_its_errors() {
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
                "detail": "The request has 2 errors, which are listed in errors.",
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
            (Refused::Status(Refusal::MarketingContactsOff), 403, "marketing-contacts-off"),
            (Refused::Status(Refusal::CapReached), 409, "limit-reached"),
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
        let message = "is a term of the contract, which only the operator may change";
        let errors = json!([{"field": "term", "message": message}, {"field": "tier", "message": message}]);
        assert_eq!(body["errors"], errors);
    }

    #[tokio::test]
    async fn response_of_a_fault_hides_its_cause() {
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
    fn chain_of_a_fault_includes_its_source() {
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
