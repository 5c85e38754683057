//! Comparison of responses with the OpenAPI document. The document must describe the status, the problem type and the
//! media type of every response in the tests. So the document's lists of errors stay complete without separate checks.

use std::sync::LazyLock;

use api::problem::PROBLEM_JSON;
use http::Method;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::Value;

use crate::Reply;

/// The committed OpenAPI document.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../functions/account/openapi.json")).expect("a document")
});

/// Returns a message if the document does not describe the response. Responses to unknown paths and methods are not
/// compared, because they belong to no operation.
#[must_use]
pub fn undescribed(method: &Method, path: &str, reply: &Reply) -> Option<String> {
    let operation = operation(method, path)?;
    let status = reply.status.to_string();
    let Some(response) = operation["responses"].get(&status).map(resolved) else {
        return Some(format!("{status} is not described"));
    };
    let may_be_cached = response["headers"]["Cache-Control"].is_object();
    if (reply.header(CACHE_CONTROL.as_str()) == Some("no-store")) == may_be_cached {
        return Some(format!(
            "Cache-Control differs from the document, which allows caching: {may_be_cached}"
        ));
    }
    if reply.body.is_empty() {
        return (!response["content"].is_null())
            .then(|| format!("{status} has no body, but is described with one"));
    }
    let media_type = reply.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let content = &response["content"][media_type];
    if content.is_null() {
        return Some(format!("{status} with a body of the type {media_type:?} is not described"));
    }
    if media_type != PROBLEM_JSON {
        return None;
    }
    let kind = &reply.json()["type"];
    let is_listed = kinds(content).any(|listed| listed == kind);
    (!is_listed).then(|| format!("{status} with the type {kind} is not described"))
}

/// Returns the operation that serves a request. A path with fewer variables takes precedence.
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

/// Returns the response itself, or the shared response that it refers to.
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
