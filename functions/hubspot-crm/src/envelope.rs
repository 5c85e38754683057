//! The responses to refused requests, in `HubSpot`'s envelope. Programs parse some of its texts, so these are exact.

use std::collections::BTreeMap;

use api::identity::RequestId;
use api::{Problem, ProblemType};
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::ids::ContactId;
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::StoreError;

/// The category of an error, by which clients distinguish errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Category {
    /// The token is missing or unknown.
    InvalidAuthentication,
    /// The token may not do this.
    MissingScopes,
    /// The object does not exist.
    ObjectNotFound,
    /// Another object has the value.
    Conflict,
    /// The request is not valid.
    ValidationError,
    /// The account has reached a limit.
    LimitReached,
    /// The table is not available, or the service has a defect.
    Unavailable,
}

impl Category {
    /// Returns the category in responses.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidAuthentication => "INVALID_AUTHENTICATION",
            Self::MissingScopes => "MISSING_SCOPES",
            Self::ObjectNotFound => "OBJECT_NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::ValidationError => "VALIDATION_ERROR",
            Self::LimitReached => "LIMIT_EXCEEDED",
            Self::Unavailable => "INTERNAL_ERROR",
        }
    }

    /// Returns the type by which logs and metrics know the error.
    const fn problem_type(self) -> ProblemType {
        match self {
            Self::InvalidAuthentication => ProblemType::Unauthenticated,
            Self::MissingScopes => ProblemType::PermissionDenied,
            Self::ObjectNotFound => ProblemType::NotFound,
            Self::Conflict => ProblemType::ContactExists,
            Self::ValidationError => ProblemType::InvalidRequest,
            Self::LimitReached => ProblemType::LimitReached,
            Self::Unavailable => ProblemType::Internal,
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidAuthentication => StatusCode::UNAUTHORIZED,
            Self::MissingScopes => StatusCode::FORBIDDEN,
            Self::ObjectNotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::ValidationError | Self::LimitReached => StatusCode::BAD_REQUEST,
            Self::Unavailable => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Values by name that describe an error, such as the ids that were not found.
pub(crate) type ErrorContext = BTreeMap<&'static str, Vec<String>>;

/// One error of a request with several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Detail {
    /// The description.
    pub(crate) message: String,
    /// The code, by which programs distinguish errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<&'static str>,
    /// The field of the request.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<String>,
    /// The values that it is about.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) context: ErrorContext,
}

/// The refusal of a request, which becomes an envelope.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) category: Category,
    pub(crate) message: String,
    pub(crate) errors: Vec<Detail>,
    pub(crate) context: ErrorContext,
    /// The page about scopes, for a missing one.
    scopes_page: Option<&'static str>,
    /// The contact that has the address, for a conflict.
    pub(crate) existing: Option<ContactId>,
    /// Another status than that of the category.
    status: Option<StatusCode>,
    /// The fault behind it, which is logged as usual.
    problem: Option<Box<Problem>>,
}

/// An envelope, for the layer that adds the request's id.
#[derive(Clone)]
struct Envelope(Map<String, Value>);

impl Failure {
    /// Creates a refusal with this message.
    pub(crate) fn new(category: Category, message: impl Into<String>) -> Self {
        Self {
            category,
            message: message.into(),
            errors: Vec::new(),
            context: ErrorContext::new(),
            scopes_page: None,
            existing: None,
            status: None,
            problem: None,
        }
    }

    /// Creates the refusal of a request that is not valid.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Category::ValidationError, message)
    }

    /// Creates the refusal for an object that does not exist. `id` is the text in the request.
    pub(crate) fn not_found(id: &str) -> Self {
        Self::new(Category::ObjectNotFound, "resource not found").about("id", [id.to_owned()])
    }

    /// Creates the refusal for a token without a scope, in the form in which connectors look for it.
    pub(crate) fn missing_scopes(scopes: &[&str]) -> Self {
        let message = "This app hasn't been granted all required scopes to make this call. Read more about required \
                       scopes here: https://developers.hubspot.com/scopes.";
        let context = ErrorContext::from([(
            "requiredGranularScopes",
            scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        )]);
        let detail = Detail {
            message: "One or more of the following scopes are required.".to_owned(),
            code: None,
            place: None,
            context,
        };
        let mut failure = Self::new(Category::MissingScopes, message);
        failure.scopes_page = Some("https://developers.hubspot.com/scopes");
        failure.errors = vec![detail];
        failure
    }

    /// Returns the refusal with values that describe it.
    pub(crate) fn about(mut self, name: &'static str, values: impl Into<Vec<String>>) -> Self {
        self.context.insert(name, values.into());
        self
    }

    /// Returns the status of the response.
    pub(crate) fn status(&self) -> StatusCode {
        self.status.unwrap_or(self.category.status())
    }

    fn envelope(&self) -> Map<String, Value> {
        let mut envelope = Map::new();
        let mut set = |name: &str, value: Value| envelope.insert(name.to_owned(), value);
        set("status", json!("error"));
        set("message", json!(self.message));
        set("category", json!(self.category.as_str()));
        if !self.errors.is_empty() {
            set("errors", json!(self.errors));
        }
        if !self.context.is_empty() {
            set("context", json!(self.context));
        }
        if let Some(page) = self.scopes_page {
            set("links", json!({"scopes": page}));
        }
        envelope
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let category = match problem.problem_type() {
            ProblemType::Unauthenticated => Category::InvalidAuthentication,
            ProblemType::PermissionDenied | ProblemType::MarketingContactsOff => Category::MissingScopes,
            ProblemType::NotFound => Category::ObjectNotFound,
            ProblemType::ContactExists | ProblemType::InUse | ProblemType::NotFinished => Category::Conflict,
            ProblemType::LimitReached => Category::LimitReached,
            ProblemType::Internal | ProblemType::Unavailable => Category::Unavailable,
            _ => Category::ValidationError,
        };
        let mut failure = Self::new(category, problem.detail());
        failure.status = match problem.problem_type() {
            ProblemType::Unavailable => Some(StatusCode::SERVICE_UNAVAILABLE),
            ProblemType::PayloadTooLarge => Some(StatusCode::PAYLOAD_TOO_LARGE),
            ProblemType::UnsupportedMediaType => Some(StatusCode::UNSUPPORTED_MEDIA_TYPE),
            _ => None,
        };
        failure.problem = Some(Box::new(problem));
        failure
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl IntoResponse for Failure {
    fn into_response(mut self) -> Response {
        let (status, envelope) = (self.status(), self.envelope());
        // A problem has the headers of its type, such as `Retry-After`, and its fault is logged by the outer layer.
        let problem = self.problem.take();
        let problem =
            problem.map_or_else(|| Problem::new(self.category.problem_type(), ""), |problem| *problem);
        let mut response = problem.into_response_as(&Value::Null);
        *response.status_mut() = status;
        response.extensions_mut().insert(Envelope(envelope));
        response
    }
}

/// Completes the envelopes of refused requests with the request's id. The id is also in the log.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    if let Some(Envelope(mut envelope)) = response.extensions_mut().remove::<Envelope>() {
        let id = id.map(|RequestId(id)| id).unwrap_or_default();
        envelope.insert("correlationId".to_owned(), json!(correlation_id(&id)));
        response.headers_mut().remove(CONTENT_LENGTH);
        *response.body_mut() = Body::from(Value::Object(envelope).to_string());
    }
    response
}

/// Returns the id of a request in the form of a UUID, which clients expect. An id of 32 hexadecimal digits keeps them. Of
/// another one, such as API Gateway's, the UUID contains the digest.
fn correlation_id(id: &str) -> String {
    let is_hex = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = if is_hex { id.to_owned() } else { api::token::sha256_hex(id.as_bytes()) };
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlation_id_is_a_uuid() {
        assert_eq!(correlation_id(&"0123456789abcdef".repeat(2)), "01234567-89ab-cdef-0123-456789abcdef");
        assert_eq!(correlation_id("JKJaXmPLvHcESHA=").len(), 36);
        assert_ne!(correlation_id("a"), correlation_id("b"));
    }
}
