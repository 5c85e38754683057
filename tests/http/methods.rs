//! Paths and methods that do not exist.

use std::collections::{BTreeMap, BTreeSet};

use api::ProblemType;
use http::Method;
use serde_json::json;
use testkit::{Api, at};

use super::START;
use super::walk::Fixture;
use crate::openapi::operations;

#[tokio::test(start_paused = true)]
async fn path_accepts_only_its_documented_methods() {
    let (operations, _) = operations::every();
    let fixture = Fixture::start(Api::with_stream(at(START)).await).await;
    let mut paths: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for operation in &operations {
        paths.entry(fixture.path(operation)).or_default().insert(operation.method.as_str());
    }
    let methods = [
        Method::GET,
        Method::PUT,
        Method::POST,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
    ];
    for (path, described) in &paths {
        for method in methods.iter().filter(|method| !described.contains(method.as_str())) {
            let reply = fixture.api.request(method.clone(), path).token(&fixture.account.token).await;
            // A fixed segment such as `search` matches `{id}` for this method, and no resource has that id.
            if reply.status == 404 && path.matches('/').count() == 3 {
                reply.problem(ProblemType::NotFound);
                continue;
            }
            reply.problem(ProblemType::MethodNotAllowed);
            let allow = reply.header("allow").unwrap_or_default();
            let allowed: BTreeSet<&str> =
                allow.split(',').map(str::trim).filter(|name| *name != "HEAD").collect();
            assert!(described.is_subset(&allowed), "{method} {path} allows {allow}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_path_is_not_found() {
    let api = Api::start(at(START)).await;
    let account = api.account(json!({})).await;
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v2/usage",
        "/v1/usage/",
        "/v1//usage",
        "/V1/usage",
        "/v1/Usage",
        "/v1/contacts/",
        "/v1/contacts/a/b",
        "/v1/contacts/by-email",
        "/v1/contacts/by-email/a@b.example/marketing",
        "/v1/%75sage/x",
        "/v1/forms/a/submissions/b",
        "/.env",
        "/v1/usage/../account",
        "/v1/hooks",
        "/v1/hooks/a/b",
        "/v1/forms/a/rejected/b/c",
        "/submissions/v3/integration/submit/a",
        "/v1/ada@example.org",
        "/%00",
    ] {
        let reply = api.get(path).token(&account.token).await;
        assert_eq!(reply.status, 404, "{path} {}", reply.text());
        let problem = reply.problem(ProblemType::NotFound);
        assert!(!problem.to_string().contains("ada"), "the problem repeats the path");
    }
    // The response is the same without a token.
    api.get("/v1/nothing").await.problem(ProblemType::NotFound);
}

#[tokio::test(start_paused = true)]
async fn path_that_is_not_utf_8_is_rejected() {
    let api = Api::start(at(START)).await;
    let account = api.account(json!({})).await;
    for path in [
        "/v1/contacts/%FF",
        "/v1/contacts/by-email/%C3%28@example.org",
        "/v1/forms/%E2%82",
        "/v1/contacts/%FF/marketing",
    ] {
        api.get(path).token(&account.token).await.assert_invalid(&["path"]);
    }
    // A percent sign without two hexadecimal digits is literal.
    for path in ["/v1/contacts/%", "/v1/contacts/%zz", "/v1/contacts/%F", "/v1/contacts/con_%2F..%2F"] {
        api.get(path).token(&account.token).await.problem(ProblemType::NotFound);
    }
    api.get("/v1/contacts/by-email/%zz").token(&account.token).await.assert_invalid(&["email"]);
}

#[tokio::test(start_paused = true)]
async fn head_returns_the_status_of_get_without_a_body() {
    let api = Api::start(at(START)).await;
    let account = api.account(json!({})).await;
    let reply = api.request(Method::HEAD, "/v1/usage").token(&account.token).await;
    assert_eq!((reply.status, reply.text()), (200, ""));
}
