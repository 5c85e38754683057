//! Events as AWS documents them (`tests/fixtures/events`), filled in.

use serde_json::{Map, Value, json};

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).expect("a fixture in JSON")
}

/// A request through the HTTP API by whom the authorizer says.
pub fn http(method: &str, path: &str, by: &Map<String, Value>, body: &str) -> String {
    let mut event = fixture(include_str!("../fixtures/events/http-api.json"));
    event["rawPath"] = path.into();
    event["routeKey"] = format!("{method} {path}").into();
    event["requestContext"]["routeKey"] = event["routeKey"].clone();
    event["requestContext"]["http"]["method"] = method.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["requestContext"]["authorizer"] = json!({"lambda": by});
    event["headers"]["content-type"] = "application/json".into();
    event["headers"]["content-length"] = body.len().to_string().into();
    if !body.is_empty() {
        event["body"] = body.into();
    }
    event.to_string()
}

/// The question that the HTTP API asks its authorizer.
pub fn authorization(token: &str) -> String {
    let mut event = fixture(include_str!("../fixtures/events/authorizer.json"));
    let header = format!("Bearer {token}");
    event["headers"]["authorization"] = header.as_str().into();
    event["identitySource"] = json!([header]);
    event.to_string()
}

/// A tick of the schedule.
pub fn tick() -> String {
    fixture(include_str!("../fixtures/events/schedule.json")).to_string()
}

/// A batch with one message.
pub fn message(body: &str) -> String {
    let mut event = fixture(include_str!("../fixtures/events/queue.json"));
    event["Records"][0]["body"] = body.into();
    event.to_string()
}
