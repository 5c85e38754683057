//! Bodies of requests and responses.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use serde_json::Value;

use crate::envelope::Failure;

/// Reads the JSON object in a request's body. The media type is not checked, because some clients send none.
///
/// # Errors
///
/// A refusal of a body that is too large, or no JSON object.
pub(crate) async fn json_of(request: Request) -> Result<Value, Failure> {
    let value = json_value_of(request).await?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Failure::invalid("Invalid input JSON: expected an object"))
    }
}

/// Reads the JSON in a request's body, which some operations expect to be an array.
///
/// # Errors
///
/// A refusal of a body that is too large, or no JSON.
pub(crate) async fn json_value_of(request: Request) -> Result<Value, Failure> {
    let (parts, body) = request.into_parts();
    let bytes = api::body::read(&parts.headers, body).await?;
    api::json::parse(&bytes).map_err(|error| Failure::invalid(format!("Invalid input JSON: {error}")))
}

/// Returns a response with a JSON body.
pub(crate) fn respond(status: StatusCode, body: &impl Serialize) -> Result<Response, Failure> {
    let text = serde_json::to_string(body).map_err(|error| Failure::from(api::Problem::internal(error)))?;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Returns a response without a body.
pub(crate) fn no_content() -> Result<Response, Failure> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}
