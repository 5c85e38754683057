//! `HubSpot`'s CRM API: the paths, bodies, status codes and refusals that its clients expect.

mod accounts;
mod batch;
mod contacts;
mod forms;
mod imports;
mod lists;
mod marketing;
mod properties;
mod search;
mod units;

use chrono::TimeDelta;
use http::Method;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::{Value, json};
use testkit::{Api, Reply};

/// The path of contacts.
const CONTACTS: &str = "/crm/v3/objects/contacts";

/// Creates a contact with these properties. Returns its view.
async fn create(api: &Api, token: &str, properties: Value) -> Value {
    api.post(CONTACTS).token(token).json(&json!({"properties": properties})).await.expect(201)
}

/// Creates contacts with these names at `example.org`. Returns their ids.
async fn people(api: &Api, token: &str, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        // Ids of one millisecond have no order.
        api.clock.set(api.clock.now().plus(TimeDelta::milliseconds(1)));
        let created =
            create(api, token, json!({"email": format!("{name}@example.org"), "firstname": name})).await;
        ids.push(id(&created).to_owned());
    }
    ids
}

fn id(view: &Value) -> &str {
    view["id"].as_str().unwrap_or_else(|| panic!("{view} has no id"))
}

/// Returns the ids of results.
fn ids(view: &Value) -> Vec<&str> {
    view["results"].as_array().unwrap().iter().map(id).collect()
}

/// Asserts that a response is an envelope with this status and category. Returns it.
fn refused(reply: &Reply, status: u16, category: &str) -> Value {
    let envelope: Value = reply.json();
    assert_eq!((reply.status, &envelope["category"]), (status, &json!(category)), "{envelope}");
    assert_eq!(envelope["status"], "error");
    assert!(reply.header("content-type").unwrap().starts_with("application/json"), "{:?}", reply.headers);
    let correlation_id = envelope["correlationId"].as_str().unwrap();
    let parts: Vec<usize> = correlation_id.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{correlation_id} is not a UUID");
    assert!(envelope["message"].as_str().is_some_and(|message| !message.is_empty()));
    envelope
}

/// Every method with which a path may be requested.
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Asserts the status of an answer and returns its JSON body, or `null` for an empty one.
#[track_caller]
fn answer(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(reply.header(CACHE_CONTROL.as_str()), Some("no-store"));
    if reply.body.is_empty() {
        return Value::Null;
    }
    assert_eq!(reply.header(CONTENT_TYPE.as_str()), Some("application/json"));
    reply.json()
}

/// Asserts that an answer is a refusal in `HubSpot`'s envelope. Returns its message.
#[track_caller]
fn refusal(reply: &Reply, status: u16, category: &str) -> String {
    let text = reply.text();
    assert_eq!(reply.status, status, "{text}");
    let body = reply.json();
    assert_eq!(
        (body["status"].as_str(), body["category"].as_str()),
        (Some("error"), Some(category)),
        "{text}"
    );
    assert_eq!(body["correlationId"].as_str().map(str::len), Some(36), "{text}");
    body["message"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned()
}

/// Moves the clock by a second, so that numbers of ids differ.
fn tick(api: &Api) {
    api.clock.set(api.clock.now().plus(TimeDelta::seconds(1)));
}
