//! Functions behind API Gateway.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use api::Context;
use api::identity::RequestId;
use api::problem::ProblemType;
use api::router::{behind_api_gateway, with_not_found};
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use lambda_http::Adapter;
use metrics::Metric;
use tower::util::MapRequest;

use crate::function;
use crate::target::well_formed;

/// Runs an HTTP function that needs only the context. It is the whole `main` of such a function.
pub async fn run_http(make_router: impl FnOnce(Context) -> Router) -> ExitCode {
    function::run(async |function| serve_http(make_router(function.context()?), &function.name).await).await
}

/// Serves these routes, as the function of this name, until Lambda ends the process.
///
/// # Errors
///
/// An error if the Runtime API cannot be reached.
pub async fn serve_http(routes: Router, function: &str) -> Result<(), lambda_runtime::Error> {
    lambda_runtime::run(MapRequest::new(Adapter::from(serving(routes, function)), well_formed)).await
}

/// Returns the function's router with the layers that it has in Lambda.
fn serving(routes: Router, function: &str) -> Router {
    let logged = with_not_found(routes).layer(from_fn_with_state(Arc::from(function), log_request));
    behind_api_gateway(logged)
}

/// Logs one line for each request. It contains the route and never the path, because paths contain addresses.
async fn log_request(State(function): State<Arc<str>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let request_id = request.extensions().get::<RequestId>().cloned();
    let method = request.method().clone();
    let started = Instant::now();
    let response = next.run(request).await;
    let refusal = response.extensions().get::<ProblemType>().map(|problem| problem.as_str());
    if let Some(refusal) = refusal {
        Metric::Refusals.record_for(refusal, 1);
    }
    tracing::info!(
        function = &*function,
        method = method.as_str(),
        route = route.as_ref().map_or("none", MatchedPath::as_str),
        status = response.status().as_u16(),
        refusal,
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        request_id = request_id.as_ref().map_or("", |RequestId(id)| id.as_str()),
        "request answered"
    );
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use serde_json::{Value, json};
    use tower::ServiceExt as _;
    use tracing::Level;

    use super::*;
    use crate::logging::tests::logged;

    fn event(path: &str) -> http::Request<Body> {
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "q=ada",
            "headers": {"host": "api.example.org", "authorization": "Bearer tmk_a"}, "isBase64Encoded": false,
            "requestContext": {
                "accountId": "1", "apiId": "a", "requestId": "req-1", "stage": "$default", "timeEpoch": 0,
                "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            },
        });
        lambda_http::request::from_str(&event.to_string()).unwrap().map(Body::new)
    }

    /// Returns the only line that a request logs, and the status of its response.
    fn line(path: &str) -> (Value, u16) {
        let routes = Router::new().route("/v1/contacts/by-email/{email}", get(async || "ok"));
        let router = serving(routes, "contacts");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut status = 0;
        let lines = logged(Level::TRACE, || {
            let response = runtime.block_on(async { router.oneshot(event(path)).await });
            status = response.unwrap().status().as_u16();
        });
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        (line.clone(), status)
    }

    #[test]
    fn request_log_line_has_the_route_and_not_the_path() {
        let (line, status) = line("/v1/contacts/by-email/ada@example.org");
        assert_eq!(status, 200);
        for (name, value) in [
            ("message", json!("request answered")),
            ("function", json!("contacts")),
            ("method", json!("GET")),
            ("route", json!("/v1/contacts/by-email/{email}")),
            ("status", json!(200)),
            ("request_id", json!("req-1")),
        ] {
            assert_eq!(line[name], value, "{name}");
        }
        assert!(line["duration_ms"].is_u64());
        assert!(!line.to_string().contains("ada") && !line.to_string().contains("tmk_"));
    }

    #[test]
    fn unknown_path_is_not_logged() {
        let (line, status) = line("/v1/ada@example.org");
        assert_eq!((status, &line["route"], &line["status"]), (404, &json!("none"), &json!(404)));
        assert!(!line.to_string().contains("ada"));
    }
}
