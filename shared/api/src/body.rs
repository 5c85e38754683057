//! Request bodies before they are parsed: their size, media type and content coding.

use axum::body::{Body, Bytes};
use domain::limits::BODY_BYTES_MAX;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::problem::{Problem, ProblemType};

/// Reads a whole body of at most [`BODY_BYTES_MAX`] bytes.
///
/// # Errors
///
/// `payload-too-large`; `unsupported-media-type` for a compressed body; `invalid-request` if the connection breaks.
pub async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    read_up_to(BODY_BYTES_MAX, headers, body).await
}

/// Reads a whole body of at most `max` bytes, for routes with a limit of their own.
///
/// # Errors
///
/// The same as for [`read`].
pub async fn read_up_to(max: usize, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > max) {
        return Err(too_large(max));
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Problem::new(ProblemType::UnsupportedMediaType, "Compressed bodies are not supported."));
    }
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(max)),
        Err(_) => Err(Problem::invalid_field("", "the body ended before it was complete")),
    }
}

fn too_large(max: usize) -> Problem {
    Problem::new(ProblemType::PayloadTooLarge, format!("The body may have at most {max} bytes."))
}

/// Returns the media type of the body in lower case, without parameters.
#[must_use]
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default().trim();
    (!essence.is_empty()).then(|| essence.to_ascii_lowercase())
}

/// Checks that the body is JSON: `application/json` or a type that ends in `+json` (RFC 6839), with any parameters.
///
/// # Errors
///
/// `unsupported-media-type` otherwise.
pub fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    match media_type(headers) {
        Some(essence) if is_json(&essence) => Ok(()),
        _ => Err(Problem::new(
            ProblemType::UnsupportedMediaType,
            "The media type of the body must be application/json.",
        )),
    }
}

fn is_json(essence: &str) -> bool {
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    fn headers(name: http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn json_media_types_are_accepted() {
        for value in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert!(require_json(&headers(CONTENT_TYPE, value)).is_ok(), "{value}");
        }
        for value in
            ["", "text/json", "text/plain", "application/jsonx", "application/x-www-form-urlencoded", ";json"]
        {
            let problem = require_json(&headers(CONTENT_TYPE, value)).unwrap_err();
            assert_eq!(problem.problem_type(), ProblemType::UnsupportedMediaType, "{value}");
        }
        assert!(require_json(&HeaderMap::new()).is_err());
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let full = vec![b'x'; BODY_BYTES_MAX];
        assert_eq!(read(&HeaderMap::new(), Body::from(full.clone())).await.unwrap().len(), BODY_BYTES_MAX);
        let over = [full, vec![b'x']].concat();
        let problem = read(&HeaderMap::new(), Body::from(over)).await.unwrap_err();
        assert_eq!(problem.problem_type(), ProblemType::PayloadTooLarge);
        let problem = read(&headers(CONTENT_LENGTH, "1048577"), Body::empty()).await.unwrap_err();
        assert_eq!(problem.problem_type(), ProblemType::PayloadTooLarge);
    }

    #[tokio::test]
    async fn a_compressed_body_is_not_read() {
        let problem = read(&headers(CONTENT_ENCODING, "gzip"), Body::empty()).await.unwrap_err();
        assert_eq!(problem.problem_type(), ProblemType::UnsupportedMediaType);
        assert!(read(&headers(CONTENT_ENCODING, "identity"), Body::from("{}")).await.is_ok());
    }

    #[tokio::test]
    async fn base64_body_of_lambda_is_decoded() {
        let body = lambda_http::Body::from_maybe_encoded(true, "eyJhIjoxfQ==");
        let bytes = read(&HeaderMap::new(), Body::new(body)).await.unwrap();
        assert_eq!(&bytes[..], b"{\"a\":1}");
    }
}
