//! `/v1/openapi.json`: the API's OpenAPI document.

use std::sync::LazyLock;

use api::token::sha256_hex;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use domain::limits::DOCUMENT_KEPT_SECONDS;

/// The OpenAPI 3.1 document of all functions. The file is committed, so that no function depends on the others. A test
/// checks that it is equal to their declarations.
const DOCUMENT: &str = include_str!("../openapi.json");

/// The document's `ETag`: the SHA-256 of the document, in quotes.
static TAG: LazyLock<String> = LazyLock::new(|| format!("\"{}\"", sha256_hex(DOCUMENT.as_bytes())));

/// Returns the API's OpenAPI document.
///
/// The OpenAPI 3.1 document describes every route. This operation is public. Clients may cache the response for a day.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "Description", security(()),
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of a cached document.")),
    responses(
        (status = 200, description = "The OpenAPI document.", body = Object, content_type = "application/json", headers(
            ("ETag" = String, description = "The tag of this version of the document."),
            ("Cache-Control" = String, description = "The time for which clients may cache the document: a day."),
        )),
        (status = 304, description = "The cached document is current.", headers(
            ("ETag" = String, description = "The tag of this version of the document."),
            ("Cache-Control" = String, description = "The time for which clients may cache the document: a day."),
        )),
    ),
)]
pub(crate) async fn get_openapi_document(headers: HeaderMap) -> Response {
    let cache_control = format!("public, max-age={DOCUMENT_KEPT_SECONDS}");
    let cached: [(HeaderName, &str); 2] = [(ETAG, &TAG), (CACHE_CONTROL, &cache_control)];
    if matches_cached(&headers) {
        return (StatusCode::NOT_MODIFIED, cached).into_response();
    }
    (cached, [(CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

/// Returns true if `If-None-Match` contains the document's tag (RFC 9110 §13.1.2: weak comparison).
fn matches_cached(headers: &HeaderMap) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.trim_start_matches("W/") == *TAG)
}
