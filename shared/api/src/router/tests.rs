//! Tests of the layers with a small router.

use std::collections::HashMap;
use std::io;

use axum::extract::State;
use domain::Timestamp;
use domain::ids::{AccountId, UserId};
use domain::permission::{Principal, PrincipalKind, Role};
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use serde_json::json;
use tower::ServiceExt as _;

use super::*;
use crate::context::Clock;
use crate::identity::{AccountCaller, Identity, to_context};
use crate::path::{PathId, PathText};
use crate::problem::PROBLEM_JSON;
use crate::request::Query;
use crate::routes;

#[utoipa::path(get, path = "/things/{id}", responses((status = 200)))]
async fn thing(PathId(id): PathId<AccountId>, Query(_): Query) -> String {
    id.to_string()
}

#[utoipa::path(get, path = "/texts/{text}", responses((status = 200)))]
async fn text(PathText(text): PathText) -> String {
    text
}

#[utoipa::path(get, path = "/broken", responses((status = 200)))]
async fn broken() -> Result<(), Problem> {
    let source = io::Error::other("the disk is gone");
    Err(store::StoreError::Fault("the item can't be read".into(), Some(source.into())).into())
}

#[utoipa::path(get, path = "/who", responses((status = 200)))]
async fn who(AccountCaller(principal): AccountCaller, State(_): State<Clock>) -> String {
    principal.account.to_string()
}

fn router() -> Router {
    let api = routes!(thing, text, broken, who);
    behind_api_gateway(with_not_found(super::routes(api, Clock::new(|| Timestamp::MIN))))
}

async fn send(request: http::Request<Body>) -> (http::response::Parts, String) {
    let response = router().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

fn get(path: &str) -> http::Request<Body> {
    http::Request::get(path).body(Body::empty()).unwrap()
}

/// Returns the request of an API Gateway event.
fn event(path: &str, context: &serde_json::Map<String, Value>) -> http::Request<Body> {
    let event = json!({
        "version": "2.0", "routeKey": "GET /who", "rawPath": path, "rawQueryString": "",
        "headers": {"host": "api.example.org"}, "isBase64Encoded": false,
        "requestContext": {
            "accountId": "1", "apiId": "a", "requestId": "req-1", "stage": "$default", "timeEpoch": 0,
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "authorizer": {"lambda": context},
        },
    });
    lambda_http::request::from_str(&event.to_string()).unwrap().map(Body::new)
}

async fn problem(request: http::Request<Body>) -> (http::response::Parts, HashMap<String, Value>) {
    let (parts, body) = send(request).await;
    assert_eq!(parts.headers[CONTENT_TYPE], PROBLEM_JSON);
    (parts, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn unknown_path_and_method_are_problem_documents() {
    let (parts, body) = problem(get("/nothing")).await;
    assert_eq!((parts.status.as_u16(), &body["type"]), (404, &json!("urn:tidemark:problem:not-found")));

    let (parts, body) = problem(http::Request::delete("/broken").body(Body::empty()).unwrap()).await;
    assert_eq!(
        (parts.status.as_u16(), &body["type"]),
        (405, &json!("urn:tidemark:problem:method-not-allowed"))
    );
    assert_eq!(parts.headers[ALLOW], "GET,HEAD");
}

#[tokio::test]
async fn invalid_path_and_query_are_problem_documents() {
    let id = AccountId::new(Timestamp::MIN, 1);
    let (parts, body) = send(get(&format!("/things/{id}"))).await;
    assert_eq!((parts.status.as_u16(), body), (200, id.to_string()));

    for (path, status, slug) in [
        ("/things/7".to_owned(), 404, "not-found"),
        ("/things/%FF".to_owned(), 400, "invalid-request"),
        ("/texts/%ff%fe".to_owned(), 400, "invalid-request"),
        (format!("/things/{id}?x=1"), 400, "invalid-request"),
    ] {
        let (parts, body) = problem(get(&path)).await;
        assert_eq!(
            (parts.status.as_u16(), &body["type"]),
            (status, &json!(format!("urn:tidemark:problem:{slug}")))
        );
    }
    assert_eq!(send(get("/texts/ada%2Bx%40example.org")).await.1, "ada+x@example.org");
}

#[tokio::test]
async fn identity_and_request_id_come_from_the_event() {
    let account = AccountId::new(Timestamp::MIN, 1);
    let caller = PrincipalKind::User { id: UserId::new(Timestamp::MIN, 2), role: Role::Member };
    let principal = Principal { account, caller, name: "Ada".into(), modify_marketing_contacts: true };
    let context = to_context(&Identity::Account(principal));
    let (parts, body) = send(event("/who", &context)).await;
    assert_eq!((parts.status.as_u16(), body), (200, account.to_string()));
    assert_eq!(parts.headers[CACHE_CONTROL], "no-store");

    for path in ["/who", "/nothing", "/things/7", "/broken"] {
        let (parts, body) = problem(event(path, &serde_json::Map::new())).await;
        assert_eq!(body["instance"], "req-1", "{path}");
        let length = Value::Object(body.into_iter().collect()).to_string().len();
        assert_eq!(parts.headers[CONTENT_LENGTH], length.to_string(), "{path}");
    }
    let (parts, _) = problem(event("/who", &serde_json::Map::new())).await;
    assert_eq!(parts.status, 401);
}

#[tokio::test]
async fn headers_do_not_set_an_identity() {
    let request = http::Request::get("/who")
        .header("x-amzn-request-context", r#"{"authorizer":{"lambda":{"kind":"operator"}}}"#)
        .header("authorization", "Bearer tmk_a")
        .body(Body::empty())
        .unwrap();
    assert_eq!(problem(request).await.0.status, 401);
}

#[tokio::test]
async fn routers_of_several_functions_merge() {
    let clock = || Clock::new(|| Timestamp::MIN);
    let one = super::routes(routes!(text), clock());
    let two = super::routes(routes!(broken), clock());
    let both = with_not_found(one.merge(two));
    for (path, status) in [("/texts/a", 200), ("/broken", 500), ("/nothing", 404)] {
        assert_eq!(both.clone().oneshot(get(path)).await.unwrap().status(), status, "{path}");
    }
}
