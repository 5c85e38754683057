//! The layers around all routers of the API.

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

/// Returns the router of one function's routes. The local stack merges several routers into one.
pub fn routes<S: Clone + Send + Sync + 'static>(api: impl Routes<S>, state: S) -> Router {
    api.serve()
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(finish))
        .with_state(state)
}

/// Adds the response for paths that do not exist. It must be added last, because a router has one such response.
pub fn with_not_found(routes: Router) -> Router {
    routes.fallback(not_found.layer(from_fn(finish)))
}

/// Finishes the responses of outer layers, which may refuse or fail, in the same way as those of routes. A layer
/// outside this one must have set the request's id.
pub fn finished(router: Router) -> Router {
    router.layer(from_fn(finish))
}

/// Adds the outermost layer of functions behind API Gateway, which reads the identity from the event.
pub fn behind_api_gateway(router: Router) -> Router {
    router.layer(from_fn(take_from_api_gateway))
}

async fn not_found() -> Problem {
    Problem::new(ProblemType::NotFound, "The path does not exist.")
}

async fn method_not_allowed() -> Problem {
    Problem::new(ProblemType::MethodNotAllowed, "The path does not support the method of the request.")
}

/// Finishes a response: logs a fault once with its chain, adds the request's id to a problem document, and sets
/// `Cache-Control: no-store`, because responses contain personal data and tokens.
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
