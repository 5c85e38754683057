//! The description of the API.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// The OpenAPI 3.1 document of all functions. It is committed, so that no function has to know the others; a test
/// holds it equal to what they declare.
const DOCUMENT: &str = include_str!("../openapi.json");

/// Describes this API.
///
/// An OpenAPI 3.1 document of every route. No token is needed.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "Description", security(()),
    responses((status = 200, description = "The OpenAPI document.", body = Object, content_type = "application/json")),
)]
pub(crate) async fn describe_api() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}
