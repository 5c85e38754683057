//! What all routers of the API have around them.

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::handler::Handler as _;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use domain::limits::BODY_BYTES_MAX;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, HeaderValue};
use serde_json::Value;

use crate::identity::{RequestId, take_from_api_gateway};
use crate::problem::{Cause, Document, Problem, ProblemType, chain};
use crate::routes::Routes;

/// The router of one function's routes. Several of them can be merged into one, as the local stack does.
pub fn routes<S: Clone + Send + Sync + 'static>(api: impl Routes<S>, state: S) -> Router {
    api.serve()
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(finish))
        .with_state(state)
}

/// The same with an answer for paths that are not there. It is the last thing to add: a router has one such answer.
pub fn with_not_found(routes: Router) -> Router {
    routes.fallback(not_found.layer(from_fn(finish)))
}

/// A router whose outer layers may refuse or fail as well: their responses are finished as those of routes are. The
/// request's id has to be known by then.
pub fn finished(router: Router) -> Router {
    router.layer(from_fn(finish))
}

/// A router as API Gateway's events reach it: the outermost layer, which makes the event's identity known within.
pub fn behind_api_gateway(router: Router) -> Router {
    router.layer(from_fn(take_from_api_gateway))
}

async fn not_found() -> Problem {
    Problem::new(ProblemType::NotFound, "There is nothing at this path.")
}

async fn method_not_allowed() -> Problem {
    Problem::new(ProblemType::MethodNotAllowed, "This path does not take the request's method.")
}

/// Finishes every response: logs a fault, once, with its chain; adds the request's id to a problem document; and says
/// that answers, which hold people's data and tokens, are not to be kept on the way.
async fn finish(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    if let Some(Cause(cause)) = response.extensions_mut().remove::<Cause>() {
        let request_id = id.as_ref().map_or("", |RequestId(id)| id.as_str());
        tracing::error!(
            request_id,
            status = response.status().as_u16(),
            error = chain(&*cause),
            "request failed"
        );
    }
    if let Some(Document(mut document)) = response.extensions_mut().remove::<Document>()
        && let Some(RequestId(id)) = id
    {
        document.insert("instance".to_owned(), Value::String(id));
        response.headers_mut().remove(CONTENT_LENGTH);
        *response.body_mut() = Body::from(Value::Object(document).to_string());
    }
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
