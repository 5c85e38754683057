//! The description of the API.

use std::sync::LazyLock;

use api::token::sha256_hex;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use domain::limits::DOCUMENT_KEPT_SECONDS;

/// The OpenAPI 3.1 document of all functions. It is committed, so that no function has to know the others; a test
/// holds it equal to what they declare.
const DOCUMENT: &str = include_str!("../openapi.json");

/// The document's entity tag: another document has another one.
static TAG: LazyLock<String> = LazyLock::new(|| format!("\"{}\"", sha256_hex(DOCUMENT.as_bytes())));

/// Describes this API.
///
/// An OpenAPI 3.1 document of every route. No token is needed. It may be kept for a day.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "Description", security(()),
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of a document that was read before.")),
    responses(
        (status = 200, description = "The OpenAPI document.", body = Object, content_type = "application/json", headers(
            ("ETag" = String, description = "Names this version of the document."),
            ("Cache-Control" = String, description = "How long it may be kept: a day."),
        )),
        (status = 304, description = "The document is the one that `If-None-Match` names.", headers(
            ("ETag" = String, description = "Names this version of the document."),
            ("Cache-Control" = String, description = "How long it may be kept: a day."),
        )),
    ),
)]
pub(crate) async fn get_openapi_document(headers: HeaderMap) -> Response {
    let kept = format!("public, max-age={DOCUMENT_KEPT_SECONDS}");
    let cached: [(HeaderName, &str); 2] = [(ETAG, &TAG), (CACHE_CONTROL, &kept)];
    if is_known(&headers) {
        return (StatusCode::NOT_MODIFIED, cached).into_response();
    }
    (cached, [(CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

/// Returns true if `If-None-Match` names the document (RFC 9110 §13.1.2: weak comparison).
fn is_known(headers: &HeaderMap) -> bool {
    let given = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = given.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.trim_start_matches("W/") == *TAG)
}
