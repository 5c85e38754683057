//! Unreadable bodies, sent to every operation with a body: the response is a problem document, never an internal error.

use api::ProblemType;
use domain::limits::{BODY_BYTES_MAX, IMPORT_BODY_BYTES_MAX, PUBLIC_BODY_BYTES_MAX};
use serde_json::json;
use testkit::{Api, at};

use super::START;
use super::walk::Fixture;
use crate::openapi::operations::{self, Operation};

const JSON: &str = "application/json";

/// Returns the operations with a JSON body, and a fixture whose account has a resource of every kind.
async fn with_bodies() -> (Fixture, Vec<Operation>) {
    let (mut operations, _) = operations::api();
    operations.retain(|operation| operation.body().is_some());
    assert!(operations.len() > 12);
    (Fixture::start(Api::with_stream(at(START)).await).await, operations)
}

#[tokio::test(start_paused = true)]
async fn malformed_json_body_is_rejected() {
    let (fixture, operations) = with_bodies().await;
    let deep = [b"{\"a\":".repeat(100_000), b"1".to_vec(), b"}".repeat(100_000)].concat();
    let lists = b"[".repeat(200_000);
    let texts: [&[u8]; 19] = [
        b"",
        b"{",
        b"{\"name\"",
        b"{'name': 1}",
        b"{name: 1}",
        b"{\"a\": 1,}",
        b"{\"a\": NaN}",
        b"{\"a\": 1e999}",
        b"{\"a\": -}",
        b"{\"a\": 01}",
        b"{} {}",
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0",
        b"{\"a\": \"\xc3\x28\"}",
        b"{\"a\": \"\\ud800\"}",
        b"{\"a\": \"\n\"}",
        b"{\"a\": 1, \"a\": 2}",
        &deep,
        &lists,
    ];
    // Public operations repair these bodies, because a person who fills in a form cannot correct the page's request.
    let repaired: [&[u8]; 3] =
        [b"{\"a\": \"\xc3\x28\"}", b"{\"a\": \"\\ud800\"}", b"\xef\xbb\xbf\xef\xbb\xbf{}"];
    for operation in &operations {
        let is_read = |text: &&&[u8]| {
            !operation.is_public() || (!repaired.contains(text) && text.len() <= PUBLIC_BODY_BYTES_MAX)
        };
        for text in texts.iter().filter(is_read) {
            let reply = fixture.request(operation).body(JSON, *text).await;
            assert_eq!(
                reply.invalid_fields(),
                [""],
                "{operation} {:?}",
                String::from_utf8_lossy(&text[..text.len().min(40)])
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn json_body_that_is_not_an_object_is_rejected() {
    let (fixture, operations) = with_bodies().await;
    for operation in &operations {
        for text in ["null", "true", "-0", "18446744073709551616", "\"{}\"", "[]", "[{}]", "\"\\u0000\""] {
            let reply = fixture.request(operation).body(JSON, text).await;
            assert_eq!(reply.invalid_fields(), [""], "{operation} {text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unusual_numbers_and_characters_are_invalid_values() {
    let (fixture, operations) = with_bodies().await;
    let values = [
        "-0",
        "-0.0",
        "1e308",
        "5e-324",
        "18446744073709551616",
        "-9223372036854775809",
        "0.1e1",
        "\"\\u0000\"",
        "\"\\u001b[2J\"",
        "\"\\ud83d\\ude00\"",
        "\"\\uffff\"",
        "\"\\u202e\"",
        "{\"__proto__\": {}}",
        "[[[[[[]]]]]]",
    ];
    for operation in &operations {
        let Some(body) = fixture.body(operation) else { continue };
        for name in body.as_object().unwrap().keys() {
            for value in values {
                let mut fields: Vec<String> = body
                    .as_object()
                    .unwrap()
                    .iter()
                    .filter(|(other, _)| *other != name)
                    .map(|(other, value)| format!("{}: {value}", json!(other)))
                    .collect();
                fields.push(format!("{}: {value}", json!(name)));
                let reply = fixture.request(operation).body(JSON, format!("{{{}}}", fields.join(", "))).await;
                if reply.status == 400 {
                    let fields = reply.invalid_fields();
                    assert!(
                        fields.iter().all(|field| field.starts_with(name.as_str())),
                        "{operation} {name} {value}: {fields:?}"
                    );
                } else {
                    assert!(
                        reply.status < 300 || [404, 409].contains(&reply.status),
                        "{operation} {name} {value}: {}",
                        reply.text()
                    );
                }
            }
        }
    }
    fixture.api.assert_exact(&fixture.account).await;
}

#[tokio::test(start_paused = true)]
async fn unsupported_media_type_is_rejected() {
    let (fixture, operations) = with_bodies().await;
    for operation in &operations {
        let body = fixture.body(operation).unwrap().to_string();
        for media_type in
            ["text/plain", "text/json", "application/xml", "application/octet-stream", "application/jsonp"]
        {
            let reply = fixture.request(operation).body(media_type, body.as_bytes()).await;
            reply.problem(ProblemType::UnsupportedMediaType);
        }
        let compressed =
            fixture.request(operation).body(JSON, body.as_bytes()).header("content-encoding", "gzip").await;
        compressed.problem(ProblemType::UnsupportedMediaType);
    }
    for media_type in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"]
    {
        let reply =
            fixture.api.patch("/v1/account").token(&fixture.account.token).body(media_type, "{}").await;
        assert_eq!(reply.status, 200, "{media_type}");
    }
}

#[tokio::test(start_paused = true)]
async fn body_over_the_limit_is_too_large() {
    let (fixture, operations) = with_bodies().await;
    for operation in &operations {
        let body = fixture.body(operation).unwrap().to_string();
        let filled = |bytes: usize| format!("{body}{}", " ".repeat(bytes - body.len()));
        let max = match operation.path.as_str() {
            "/v1/imports" => IMPORT_BODY_BYTES_MAX,
            path if operation.is_public() && !path.starts_with("/v1/hooks/") => PUBLIC_BODY_BYTES_MAX,
            _ => BODY_BYTES_MAX,
        };
        let over = fixture.request(operation).body(JSON, filled(max + 1)).await;
        over.problem(ProblemType::PayloadTooLarge);
        let announced =
            fixture.request(operation).body(JSON, "{}").header("content-length", "99999999999").await;
        announced.problem(ProblemType::PayloadTooLarge);
        let full = fixture.request(operation).body(JSON, filled(max)).await;
        assert!(full.status < 300, "{operation} {}", full.text());
    }
}

#[tokio::test(start_paused = true)]
async fn unexpected_body_is_rejected() {
    let (operations, _) = operations::api();
    let fixture = Fixture::start(Api::with_stream(at(START)).await).await;
    for operation in operations.iter().filter(|operation| operation.method == http::Method::DELETE) {
        let reply = fixture.request(operation).json(&json!({"erase": true})).await;
        assert_eq!(reply.invalid_fields(), [""], "{operation}");
    }
    fixture.api.assert_exact(&fixture.account).await;
}

#[tokio::test(start_paused = true)]
async fn empty_object_is_accepted_where_no_body_is_expected() {
    let (operations, _) = operations::api();
    let fixture = Fixture::start(Api::with_stream(at(START)).await).await;
    let retry = |operation: &Operation| operation.path.ends_with("/retry");
    let mut without: Vec<_> = operations
        .iter()
        .filter(|operation| operation.method == http::Method::DELETE || retry(operation))
        .collect();
    without.sort_by_key(|operation| !retry(operation));
    assert!(without.len() > 3);
    for operation in without {
        let reply = fixture.request(operation).json(&json!({})).await;
        assert!(reply.status < 300 || reply.status == 409, "{operation} {}", reply.text());
    }
    fixture.api.assert_exact(&fixture.account).await;
}

#[tokio::test(start_paused = true)]
async fn field_names_in_a_problem_are_shortened_and_cleaned() {
    let (fixture, _) = with_bodies().await;
    let long = "x".repeat(10_000);
    let body = json!({long: 1, "a\r\n\u{1b}[31mb": 2});
    let reply = fixture.api.post("/v1/contacts").token(&fixture.account.token).json(&body).await;
    let mut fields = reply.invalid_fields();
    fields.sort();
    assert_eq!(fields, ["a\u{fffd}\u{fffd}\u{fffd}[31mb".to_owned(), format!("{}…", "x".repeat(100))]);
}
