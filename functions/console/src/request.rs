//! Calls of the API, in this process.

use api::identity::{Identity, RequestId};
use api::problem::{FieldError, Problem, ProblemType};
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use store::StoreError;
use tower::ServiceExt as _;

use crate::signed::Signed;
use crate::typed::Typed;

/// A request to the API.
#[derive(Clone)]
pub(crate) struct Call {
    method: Method,
    path: String,
    body: Option<Value>,
    key: Option<String>,
    if_match: Option<String>,
}

impl Call {
    fn new(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        Self { method, path: path.into(), body, key: None, if_match: None }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, None)
    }

    pub(crate) fn post(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::POST, path, Some(body))
    }

    /// Creates a post without a body.
    pub(crate) fn act(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path, None)
    }

    pub(crate) fn patch(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::PATCH, path, Some(body))
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, None)
    }

    /// Carries the key of the form, so that a form that is posted twice acts once.
    pub(crate) fn once(self, typed: &Typed) -> Self {
        Self { key: typed.filled("key").map(str::to_owned), ..self }
    }

    /// Carries the version that the form was filled in for, so that nobody's later change is lost.
    pub(crate) fn if_version(self, typed: &Typed) -> Self {
        Self { if_match: typed.filled("version").map(|version| format!("\"{version}\"")), ..self }
    }
}

/// The API's answer to a successful call.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The body. `null` if there is none.
    pub(crate) body: Value,
}

/// The API's refusal of a call, or its fault.
#[derive(Clone)]
pub(crate) struct Refusal {
    pub(crate) kind: ProblemType,
    /// A sentence about this case.
    pub(crate) detail: String,
    /// The errors by field.
    pub(crate) errors: Vec<FieldError>,
    /// The whole problem document.
    pub(crate) document: Value,
}

impl Refusal {
    /// Creates the refusal of a field that the console itself checks, before it calls the API.
    pub(crate) fn of_console(field: &str, message: &str) -> Self {
        refusal(&Problem::invalid_field(field, message))
    }

    /// Returns the HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// Returns the message for a field of the request.
    pub(crate) fn error_of(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }

    /// Returns a number in the problem document.
    pub(crate) fn number(&self, member: &str) -> Option<u64> {
        self.document.get(member)?.as_u64()
    }

    /// Returns true if the request was not at fault, so that it may be sent again.
    pub(crate) fn is_fault(&self) -> bool {
        self.status().is_server_error()
    }
}

impl std::fmt::Debug for Refusal {
    /// Omits the texts, which may repeat what a person typed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refusal").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The reason for which a page could not be shown.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A fault, or a resource that does not exist.
    Problem(Problem),
    /// A refusal of the API that its page does not show by itself.
    Refusal(Refusal),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl Signed {
    /// Calls the API with the identity of the person who is signed in.
    pub(crate) async fn call(&self, call: Call) -> Result<Answer, Refusal> {
        answer(self.response(call).await?).await
    }

    /// Returns the API's response to a call, as it is.
    pub(crate) async fn response(&self, call: Call) -> Result<Response, Refusal> {
        let Ok(request) = self.http_request(call) else {
            // A form's own fields and ids always fit, so the sender has written others.
            return Err(Refusal::of_console("key", "expected the fields as the page has them"));
        };
        match Router::clone(&self.console.api).oneshot(request).await {
            Ok(response) => Ok(response),
            Err(never) => match never {},
        }
    }

    /// Returns the API's response to a call for a file: the file itself, or a redirect to it.
    pub(crate) async fn file(&self, call: Call) -> Result<Response, Refusal> {
        let response = self.response(call).await?;
        if response.status().is_success() || response.status().is_redirection() {
            return Ok(response);
        }
        Err(json(response).await.map_or_else(|refusal| refusal, refusal_of))
    }

    fn http_request(&self, call: Call) -> Result<Request<Body>, http::Error> {
        let Call { method, path, body, key, if_match } = call;
        let mut request = Request::builder().method(method).uri(path);
        // A new token is derived from the caller's own secret, which is the session's here.
        request = request.header(AUTHORIZATION, format!("Bearer {}", self.secret.expose()));
        if let Some(key) = key {
            request = request.header(api::request::IDEMPOTENCY_KEY, key);
        }
        if let Some(if_match) = if_match {
            request = request.header(IF_MATCH, if_match);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request = request.extension(Identity::Account(self.principal.clone()));
        request = request.extension(RequestId(self.request_id.clone()));
        if let Some(url) = &self.gateway_url {
            request = request.extension(url.clone());
        }
        request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
    }
}

async fn answer(response: Response) -> Result<Answer, Refusal> {
    let status = response.status();
    let body = json(response).await?;
    if status.is_success() { Ok(Answer { status, body }) } else { Err(refusal_of(body)) }
}

async fn json(response: Response) -> Result<Value, Refusal> {
    match response.into_body().collect().await {
        Ok(body) => Ok(serde_json::from_slice(&body.to_bytes()).unwrap_or_default()),
        Err(error) => Err(refusal(&Problem::internal(error))),
    }
}

fn refusal_of(document: Value) -> Refusal {
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let slug = text("type");
    let kind = slug.rsplit(':').next().and_then(|slug| slug.parse().ok()).unwrap_or(ProblemType::Internal);
    let errors = document.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let member =
        |error: &Value, name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let errors = errors
        .iter()
        .map(|error| FieldError { field: member(error, "field"), message: member(error, "message") })
        .collect();
    Refusal { kind, detail: text("detail"), errors, document }
}

fn refusal(problem: &Problem) -> Refusal {
    refusal_of(serde_json::from_str(&problem.to_answer().body).unwrap_or_default())
}
