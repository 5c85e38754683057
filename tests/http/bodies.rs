//! Bodies that cannot be read, at every operation that takes one: each has its problem document, and none is a fault.

use api::ProblemType;
use domain::limits::{BODY_BYTES_MAX, PUBLIC_BODY_BYTES_MAX};
use serde_json::json;
use testkit::{Api, at};

use super::START;
use super::walk::Fixture;
use crate::openapi::operations::{self, Operation};

const JSON: &str = "application/json";

/// The operations with a JSON body, in an account that has something of everything.
async fn with_bodies() -> (Fixture, Vec<Operation>) {
    let (mut operations, _) = operations::api();
    operations.retain(|operation| operation.body().is_some());
    assert!(operations.len() > 12);
    (Fixture::start(Api::start(at(START)).await).await, operations)
}

#[tokio::test]
async fn what_is_not_one_json_text_is_refused_as_a_whole() {
    let (walk, operations) = with_bodies().await;
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
    // Those who fill in a form can't mend what a page sends.
    let mended: [&[u8]; 3] =
        [b"{\"a\": \"\xc3\x28\"}", b"{\"a\": \"\\ud800\"}", b"\xef\xbb\xbf\xef\xbb\xbf{}"];
    for operation in &operations {
        let is_read = |text: &&&[u8]| {
            !operation.is_public() || (!mended.contains(text) && text.len() <= PUBLIC_BODY_BYTES_MAX)
        };
        for text in texts.iter().filter(is_read) {
            let reply = walk.request(operation).body(JSON, *text).await;
            assert_eq!(
                reply.invalid_fields(),
                [""],
                "{operation} {:?}",
                String::from_utf8_lossy(&text[..text.len().min(40)])
            );
        }
    }
}

#[tokio::test]
async fn what_is_json_and_no_object_is_refused_as_a_whole() {
    let (walk, operations) = with_bodies().await;
    for operation in &operations {
        for text in ["null", "true", "-0", "18446744073709551616", "\"{}\"", "[]", "[{}]", "\"\\u0000\""] {
            let reply = walk.request(operation).body(JSON, text).await;
            assert_eq!(reply.invalid_fields(), [""], "{operation} {text}");
        }
    }
}

#[tokio::test]
async fn strange_numbers_and_characters_are_wrong_values_and_nothing_worse() {
    let (walk, operations) = with_bodies().await;
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
        let Some(body) = walk.body(operation) else { continue };
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
                let reply = walk.request(operation).body(JSON, format!("{{{}}}", fields.join(", "))).await;
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
    walk.api.assert_exact(&walk.account).await;
}

#[tokio::test]
async fn another_media_type_is_refused() {
    let (walk, operations) = with_bodies().await;
    for operation in &operations {
        let body = walk.body(operation).unwrap().to_string();
        for media_type in
            ["text/plain", "text/json", "application/xml", "application/octet-stream", "application/jsonp"]
        {
            let reply = walk.request(operation).body(media_type, body.as_bytes()).await;
            reply.problem(ProblemType::UnsupportedMediaType);
        }
        let compressed =
            walk.request(operation).body(JSON, body.as_bytes()).header("content-encoding", "gzip").await;
        compressed.problem(ProblemType::UnsupportedMediaType);
    }
    for media_type in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"]
    {
        let reply = walk.api.patch("/v1/account").token(&walk.account.token).body(media_type, "{}").await;
        assert_eq!(reply.status, 200, "{media_type}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large_and_one_at_the_limit_is_read() {
    let (walk, operations) = with_bodies().await;
    for operation in &operations {
        let body = walk.body(operation).unwrap().to_string();
        let filled = |bytes: usize| format!("{body}{}", " ".repeat(bytes - body.len()));
        let is_post_of_a_page = operation.is_public() && !operation.path.starts_with("/v1/hooks/");
        let max = if is_post_of_a_page { PUBLIC_BODY_BYTES_MAX } else { BODY_BYTES_MAX };
        let over = walk.request(operation).body(JSON, filled(max + 1)).await;
        over.problem(ProblemType::PayloadTooLarge);
        let announced =
            walk.request(operation).body(JSON, "{}").header("content-length", "99999999999").await;
        announced.problem(ProblemType::PayloadTooLarge);
        let full = walk.request(operation).body(JSON, filled(max)).await;
        assert!(full.status < 300, "{operation} {}", full.text());
    }
}

#[tokio::test]
async fn a_body_where_none_is_taken_is_refused() {
    let (operations, _) = operations::api();
    let walk = Fixture::start(Api::start(at(START)).await).await;
    for operation in operations.iter().filter(|operation| operation.method == http::Method::DELETE) {
        let reply = walk.request(operation).json(&json!({"erase": true})).await;
        assert_eq!(reply.invalid_fields(), [""], "{operation}");
    }
    walk.api.assert_exact(&walk.account).await;
}

#[tokio::test]
async fn empty_object_where_no_body_is_taken_is_no_body() {
    let (operations, _) = operations::api();
    let walk = Fixture::start(Api::start(at(START)).await).await;
    let retry = |operation: &Operation| operation.path.ends_with("/retry");
    let mut without: Vec<_> = operations
        .iter()
        .filter(|operation| operation.method == http::Method::DELETE || retry(operation))
        .collect();
    without.sort_by_key(|operation| !retry(operation));
    assert!(without.len() > 3);
    for operation in without {
        let reply = walk.request(operation).json(&json!({})).await;
        assert!(reply.status < 300 || reply.status == 409, "{operation} {}", reply.text());
    }
    walk.api.assert_exact(&walk.account).await;
}

#[tokio::test]
async fn names_that_are_repeated_in_a_problem_are_cut_and_cleaned() {
    let (walk, _) = with_bodies().await;
    let long = "x".repeat(10_000);
    let body = json!({long: 1, "a\r\n\u{1b}[31mb": 2});
    let reply = walk.api.post("/v1/contacts").token(&walk.account.token).json(&body).await;
    let mut fields = reply.invalid_fields();
    fields.sort();
    assert_eq!(fields, ["a\u{fffd}\u{fffd}\u{fffd}[31mb".to_owned(), format!("{}…", "x".repeat(100))]);
}
