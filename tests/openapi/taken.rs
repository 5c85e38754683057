//! The types of requests in the document are those that are read. Every body of the document is sent with every field
//! spoilt, and the answer has to name each of them, once, as a field that is known and wrong.

use std::collections::BTreeMap;

use api::ProblemType;
use serde_json::{Map, Value, json};
use testkit::{Api, at};

use super::operations::{self, Operation};
use super::schema::Schemas;
use crate::http::walk::Fixture;

/// What a problem says of a field that is not read.
const UNKNOWN: &str = "is not a known field";
/// What a problem says of a query parameter that is not read.
const UNKNOWN_PARAMETER: &str = "is not a known parameter";
/// A name that nothing has.
const STRANGER: &str = "colour";

/// How a field is spoilt.
#[derive(Clone, Copy, PartialEq)]
enum Spoilt {
    /// By a value of another type.
    Mistyped,
    /// By `null`.
    Null,
}

/// What is sent, and for each field that has to be named whether it is one that is not known.
type Sent = (Value, BTreeMap<String, bool>);

/// The bodies of the schema with everything spoilt, one for each way to put such a body together. With `deep`, lists
/// and objects are right and what is within them is spoilt, with a stranger in each object of fixed fields.
fn bodies(schemas: &Schemas, schema: &Value, how: Spoilt, deep: bool) -> Vec<Sent> {
    objects(schemas, schema, how, deep, "")
}

fn objects(schemas: &Schemas, schema: &Value, how: Spoilt, deep: bool, place: &str) -> Vec<Sent> {
    let shapes = schemas.shapes(schema).into_iter();
    shapes
        .map(|shape| {
            let mut object = Map::new();
            let mut named = BTreeMap::new();
            // Where names are data, any name has such a value.
            let entry = shape.others.map(|schema| ("a", schema)).filter(|_| deep);
            // A field without a type takes anything, and what it can't use it ignores.
            let has_type = |field: &&Value| {
                schemas
                    .target(field)
                    .as_object()
                    .is_some_and(|target| target.keys().any(|key| key != "description"))
            };
            let fields = shape.fields.into_iter().filter(|(_, field)| has_type(field));
            for (name, field) in fields.chain(entry) {
                let (value, wrong) = spoil(schemas, field, how, deep, &join(place, name));
                object.insert(name.to_owned(), value);
                named.extend(wrong);
            }
            if deep && shape.others.is_none() {
                object.insert(STRANGER.to_owned(), json!(1));
                named.insert(join(place, STRANGER), true);
            }
            (Value::Object(object), named)
        })
        .collect()
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

fn spoil(schemas: &Schemas, schema: &Value, how: Spoilt, deep: bool, place: &str) -> Sent {
    let target = schemas.target(schema);
    if deep && target["type"] == "array" {
        let items = &target["items"];
        let count = schemas.shapes(items).len().max(1);
        // One entry for each way to put it together.
        let entries = (0..count).map(|at| {
            let place = format!("{place}[{at}]");
            objects(schemas, items, how, deep, &place)
                .into_iter()
                .nth(at)
                .unwrap_or_else(|| spoil(schemas, items, how, deep, &place))
        });
        let (entries, named): (Vec<_>, Vec<_>) = entries.unzip();
        return (Value::Array(entries), named.into_iter().flatten().collect());
    }
    let mut within = if deep { objects(schemas, schema, how, deep, place) } else { Vec::new() };
    assert!(within.len() <= 1, "{place} can be put together in several ways");
    if let Some(object) = within.pop() {
        return object;
    }
    match how {
        Spoilt::Mistyped if schemas.takes_anything(schema) => (schemas.wrong(schema), BTreeMap::new()),
        Spoilt::Mistyped => (schemas.wrong(schema), BTreeMap::from([(place.to_owned(), false)])),
        Spoilt::Null if schemas.takes_null(schema) => (Value::Null, BTreeMap::new()),
        Spoilt::Null => (Value::Null, BTreeMap::from([(place.to_owned(), false)])),
    }
}

/// The fields that the answer names, each with whether it is not known. A field that is named twice is an error.
fn named(problem: &Value, unknown: &str) -> BTreeMap<String, bool> {
    let mut named = BTreeMap::new();
    for error in problem["errors"].as_array().unwrap() {
        let field = error["field"].as_str().unwrap().to_owned();
        let again = named.insert(field, error["message"] == unknown);
        assert_eq!(again, None, "named twice: {problem}");
    }
    named
}

async fn walk() -> (Fixture, Vec<Operation>, Schemas) {
    let (operations, schemas) = operations::api();
    (Fixture::start(Api::start(at("2026-11-10T12:00:00.000Z")).await).await, operations, schemas)
}

#[tokio::test]
async fn every_field_of_every_body_is_read_as_what_it_is_described_as() {
    let (walk, operations, schemas) = walk().await;
    let mut sent = 0;
    for operation in &operations {
        let Some(schema) = operation.body() else { continue };
        for (how, deep) in
            [(Spoilt::Mistyped, false), (Spoilt::Mistyped, true), (Spoilt::Null, false), (Spoilt::Null, true)]
        {
            for (body, expected) in bodies(&schemas, schema, how, deep) {
                sent += 1;
                let reply = walk.request(operation).json(&body).await;
                if expected.is_empty() {
                    assert!(reply.status < 300, "{operation} {body} {}", reply.text());
                } else {
                    let problem = reply.problem(ProblemType::InvalidRequest);
                    assert_eq!(named(&problem, UNKNOWN), expected, "{operation} {body}");
                }
            }
        }
    }
    assert!(sent > 60, "{sent}");
}

#[tokio::test]
async fn a_body_that_says_nothing_lacks_what_is_described_as_required() {
    let (walk, operations, schemas) = walk().await;
    for operation in &operations {
        let Some(schema) = operation.body() else { continue };
        let reply = walk.request(operation).json(&json!({})).await;
        let shapes = schemas.shapes(schema);
        let expected: Vec<&str> = match shapes.as_slice() {
            [shape] => shape.required.iter().copied().collect(),
            // One of several ways has to be taken, and none of them is the one that lacks something.
            _ => vec![""],
        };
        if expected.is_empty() {
            assert!(reply.status < 300, "{operation} {}", reply.text());
        } else {
            let named = named(&reply.problem(ProblemType::InvalidRequest), UNKNOWN);
            assert_eq!(named.keys().map(String::as_str).collect::<Vec<_>>(), expected, "{operation}");
        }
    }
}

#[tokio::test]
async fn every_query_parameter_is_read_and_no_other_is_taken() {
    let (walk, operations, _) = walk().await;
    for operation in operations.iter().filter(|operation| !operation.is_public()) {
        let mut expected: BTreeMap<String, bool> =
            operation.parameters("query").into_iter().map(|name| (name.to_owned(), false)).collect();
        expected.insert(STRANGER.to_owned(), true);
        let query: Vec<String> = expected.keys().map(|name| format!("{name}=%C3%BC")).collect();
        let body = operation.body().map(|_| json!({}));
        let reply = walk.request_with(operation, &query.join("&"), body.as_ref()).await;
        let mut named = named(&reply.problem(ProblemType::InvalidRequest), UNKNOWN_PARAMETER);
        named.retain(|field, _| expected.contains_key(field));
        assert_eq!(named, expected, "{operation}");
    }
}

#[tokio::test]
async fn the_headers_of_the_document_are_read() {
    let (walk, operations, _) = walk().await;
    for operation in operations.iter().filter(|operation| !operation.is_public()) {
        for (header, name) in [("idempotency-key", "Idempotency-Key"), ("if-match", "If-Match")] {
            let described = operation.parameters("header").contains(&name);
            let body = operation.body().map(|_| json!({"colour": 1}));
            let reply = walk.request_with(operation, "", body.as_ref()).header(header, "a b").await;
            let is_named = reply.status == 400 && reply.invalid_fields().contains(&name.to_owned());
            // A precondition that is not met is an answer wherever something is changed.
            assert!(is_named || !described, "{operation} does not read {name}");
        }
    }
}

#[test]
fn what_changes_something_has_an_idempotency_key() {
    let (operations, _) = operations::api();
    for operation in operations.iter().filter(|operation| !operation.is_public()) {
        let only_reads = ["/v1/contacts/search", "/v1/eligibility"].contains(&&*operation.path);
        let changes = operation.method != http::Method::GET && !only_reads;
        assert_eq!(operation.parameters("header").contains(&"Idempotency-Key"), changes, "{operation}");
    }
}
