//! The query parameters and headers of the document against those that the operations read. Bodies need no such test,
//! because one declaration both parses and describes them.

use std::collections::BTreeMap;

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{Api, at};

use super::operations::{self, Operation};
use super::schema::Schemas;
use crate::http::walk::Fixture;

/// The message for an unknown query parameter.
const UNKNOWN_PARAMETER: &str = "is not a known parameter";
/// A name that no parameter has.
const UNKNOWN_NAME: &str = "colour";

/// Returns the fields in a problem's errors. The value is true if the message is `unknown`.
///
/// # Panics
///
/// If a field occurs twice.
fn named(problem: &Value, unknown: &str) -> BTreeMap<String, bool> {
    let mut named = BTreeMap::new();
    for error in problem["errors"].as_array().unwrap() {
        let field = error["field"].as_str().unwrap().to_owned();
        let earlier = named.insert(field, error["message"] == unknown);
        assert_eq!(earlier, None, "named twice: {problem}");
    }
    named
}

async fn fixture() -> (Fixture, Vec<Operation>, Schemas) {
    let (operations, schemas) = operations::api();
    (Fixture::start(Api::with_stream(at("2026-11-10T12:00:00.000Z")).await).await, operations, schemas)
}

#[tokio::test(start_paused = true)]
async fn described_query_parameters_are_the_only_ones() {
    let (fixture, operations, _) = fixture().await;
    for operation in operations.iter().filter(|operation| !operation.is_public()) {
        let mut expected: BTreeMap<String, bool> =
            operation.parameters("query").into_iter().map(|name| (name.to_owned(), false)).collect();
        expected.insert(UNKNOWN_NAME.to_owned(), true);
        let query: Vec<String> = expected.keys().map(|name| format!("{name}=%C3%BC")).collect();
        let body = operation.body().map(|_| json!({}));
        let reply = fixture.request_with(operation, &query.join("&"), body.as_ref()).await;
        let mut named = named(&reply.problem(ProblemType::InvalidRequest), UNKNOWN_PARAMETER);
        named.retain(|field, _| expected.contains_key(field));
        assert_eq!(named, expected, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn described_headers_are_read() {
    let (fixture, operations, _) = fixture().await;
    for operation in operations.iter().filter(|operation| !operation.is_public()) {
        for (header, name) in [("idempotency-key", "Idempotency-Key"), ("if-match", "If-Match")] {
            let described = operation.parameters("header").contains(&name);
            let body = operation.body().map(|_| json!({"colour": 1}));
            let reply = fixture.request_with(operation, "", body.as_ref()).header(header, "a b").await;
            let is_named = reply.status == 400 && reply.invalid_fields().contains(&name.to_owned());
            // Every mutation reads If-Match, although it is not described for all of them.
            assert!(is_named || !described, "{operation} does not read {name}");
        }
    }
}

#[test]
fn mutations_have_an_idempotency_key() {
    let (operations, _) = operations::api();
    for operation in operations.iter().filter(|operation| !operation.is_public()) {
        let only_reads = ["/v1/contacts/search", "/v1/eligibility", "/v1/automations/{id}/test"]
            .contains(&&*operation.path);
        let changes = operation.method != http::Method::GET && !only_reads;
        assert_eq!(operation.parameters("header").contains(&"Idempotency-Key"), changes, "{operation}");
    }
}
