//! Events for the functions, built from AWS's documented examples (`tests/fixtures/events`).

use serde_json::{Map, Value, json};

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).expect("a fixture in JSON")
}

/// Returns the event of an HTTP API request, with the authorizer's context of the caller.
pub fn http(method: &str, path: &str, caller: &Map<String, Value>, body: &str) -> String {
    let mut event = fixture(include_str!("../fixtures/events/http-api.json"));
    event["rawPath"] = path.into();
    event["routeKey"] = format!("{method} {path}").into();
    event["requestContext"]["routeKey"] = event["routeKey"].clone();
    event["requestContext"]["http"]["method"] = method.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["requestContext"]["authorizer"] = json!({"lambda": caller});
    event["headers"]["content-type"] = "application/json".into();
    event["headers"]["content-length"] = body.len().to_string().into();
    if !body.is_empty() {
        event["body"] = body.into();
    }
    event.to_string()
}

/// Returns the event that the HTTP API sends to its authorizer.
pub fn authorization(token: &str) -> String {
    let mut event = fixture(include_str!("../fixtures/events/authorizer.json"));
    let header = format!("Bearer {token}");
    event["headers"]["authorization"] = header.as_str().into();
    event["identitySource"] = json!([header]);
    event.to_string()
}

/// Returns the event of a tick of the schedule.
pub fn tick() -> String {
    fixture(include_str!("../fixtures/events/schedule.json")).to_string()
}

/// Returns the event of a batch with one change of the table.
pub fn changes() -> String {
    fixture(include_str!("../fixtures/events/stream.json")).to_string()
}

/// Returns the event of a batch with one queue message.
pub fn message(body: &str) -> String {
    let mut event = fixture(include_str!("../fixtures/events/queue.json"));
    event["Records"][0]["body"] = body.into();
    event.to_string()
}
