//! Answers against the OpenAPI document: whatever a test asks for, the answer's status, its kind of problem and its media
//! type are described. So the lists of refusals in the document stay whole without being checked one by one.

use std::sync::LazyLock;

use api::problem::PROBLEM_JSON;
use http::Method;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::Value;

use crate::Reply;

/// The committed document.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../functions/account/openapi.json")).expect("a document")
});

/// Returns what the document does not say of an answer, if anything. Paths and methods that it does not know are answered
/// by no operation.
#[must_use]
pub fn undescribed(method: &Method, path: &str, reply: &Reply) -> Option<String> {
    let operation = operation(method, path)?;
    let status = reply.status.to_string();
    let Some(response) = operation["responses"].get(&status).map(resolved) else {
        return Some(format!("{status} is not described"));
    };
    let may_be_kept = response["headers"]["Cache-Control"].is_object();
    if (reply.header(CACHE_CONTROL.as_str()) == Some("no-store")) == may_be_kept {
        return Some(format!("whether it may be kept is not as described: {may_be_kept}"));
    }
    if reply.body.is_empty() {
        return (!response["content"].is_null()).then(|| format!("{status} has no body"));
    }
    let media_type = reply.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let content = &response["content"][media_type];
    if content.is_null() {
        return Some(format!("{status} with a body of the type {media_type:?} is not described"));
    }
    let kind = &reply.json()["type"];
    let is_listed = media_type != PROBLEM_JSON || kinds(content).any(|listed| listed == kind);
    (!is_listed).then(|| format!("{status} with the type {kind} is not described"))
}

/// Returns the operation that answers a request. A path without variables goes before one with them.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or_default();
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    let fitting = paths.iter().filter(|(template, _)| fits(template, path));
    let (_, item) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
    item.get(method.as_str().to_ascii_lowercase())
}

fn fits(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(variable), Some(value)) if variable.starts_with('{') && !value.is_empty() => {}
            (Some(segment), Some(value)) if segment == value => {}
            _ => return false,
        }
    }
}

/// Returns the response itself, or the shared one that it names.
fn resolved(response: &'static Value) -> &'static Value {
    match response["$ref"].as_str() {
        Some(name) => {
            &DOCUMENT["components"]["responses"][name.trim_start_matches("#/components/responses/")]
        }
        None => response,
    }
}

/// Returns the types of problem documents that the content of a response lists.
fn kinds(content: &Value) -> impl Iterator<Item = &Value> {
    let parts = content["schema"]["allOf"].as_array().into_iter().flatten();
    parts.filter_map(|part| part["properties"]["type"]["enum"].as_array()).flatten()
}
