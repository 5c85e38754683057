//! Responses: rendering them, sending new and stored ones, and concluding mutations.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION};
use serde::Serialize;
use serde_json::Value;
use store::{IdempotencyClaim, Refused, StoreError, StoredResponse};

use crate::context::Context;
use crate::problem::{Problem, ProblemType, from_document};
use crate::token::{Secret, open};
use crate::view_text::encode;

/// Returns a response with a JSON body. Handlers add `ETag` and `Location` by struct update.
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> StoredResponse {
    StoredResponse { status: status.as_u16(), body: encode(body), etag: None, location: None }
}

/// Returns a response without a body: 204.
#[must_use]
pub fn no_content() -> StoredResponse {
    StoredResponse {
        status: StatusCode::NO_CONTENT.as_u16(),
        body: String::new(),
        etag: None,
        location: None,
    }
}

/// Returns the response of a route that only reads: 200 with this body.
///
/// # Errors
///
/// No errors in practice; see [`send`].
pub fn ok(body: &impl Serialize) -> Result<Response, Problem> {
    send(json(StatusCode::OK, body))
}

/// Converts a new or stored response to an HTTP response.
///
/// # Errors
///
/// `internal` if the status, a header or the document is not valid.
pub fn send(response: StoredResponse) -> Result<Response, Problem> {
    let StoredResponse { status, body, etag, location } = response;
    let status = StatusCode::from_u16(status).map_err(Problem::internal)?;
    let mut response = if status.is_client_error() || status.is_server_error() {
        from_document(status, serde_json::from_str(&body).map_err(Problem::internal)?)
    } else {
        with_body(status, body)
    };
    set(&mut response, ETAG, etag)?;
    set(&mut response, LOCATION, location)?;
    Ok(response)
}

fn with_body(status: StatusCode, body: String) -> Response {
    let is_empty = body.is_empty();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if !is_empty {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

fn set(response: &mut Response, name: HeaderName, value: Option<String>) -> Result<(), Problem> {
    if let Some(value) = value {
        response.headers_mut().insert(name, HeaderValue::try_from(value).map_err(Problem::internal)?);
    }
    Ok(())
}

/// Concludes a mutation and returns the store's response. A refusal is stored under the request's claim first, so that
/// a repeated request is refused with the same response even if the account has changed.
///
/// # Errors
///
/// The problem to respond with: a refusal without a claim, a key that was used for another request, or a fault. Faults
/// are never stored, so that the request can be retried.
pub async fn conclude(
    context: &Context,
    claim: Option<&IdempotencyClaim>,
    result: Result<StoredResponse, StoreError>,
) -> Result<Response, Problem> {
    send(stored(context, claim, result).await?)
}

/// Concludes a request that created a bearer token. The stored response contains [`NewToken::sealed`] in its member
/// `token`. The caller receives the token itself in the first response and in every repeat of it.
///
/// [`NewToken::sealed`]: crate::token::NewToken::sealed
///
/// # Errors
///
/// The same as for [`conclude`], and `idempotency-key-reused` for a repeat with another bearer token than that of the
/// first request, because the sealed token cannot be opened with it.
pub async fn conclude_with_token(
    context: &Context,
    claim: Option<&IdempotencyClaim>,
    bearer: &Secret,
    result: Result<StoredResponse, StoreError>,
) -> Result<Response, Problem> {
    send(reveal(bearer, stored(context, claim, result).await?)?)
}

/// Returns the response that is stored for the request. A refusal is stored now if the request has a claim.
async fn stored(
    context: &Context,
    claim: Option<&IdempotencyClaim>,
    result: Result<StoredResponse, StoreError>,
) -> Result<StoredResponse, Problem> {
    match (result, claim) {
        (Ok(response), _) => Ok(response),
        (Err(StoreError::Refused(refused)), Some(claim)) if refused != Refused::IdempotencyKeyReused => {
            let response = Problem::from(refused).to_answer();
            Ok(context.store.save_refusal(claim, response, context.clock.now()).await?)
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// Replaces the sealed token in a response by the token. A response without a token, such as a refusal, is unchanged.
fn reveal(bearer: &Secret, response: StoredResponse) -> Result<StoredResponse, Problem> {
    let mut body: Value = serde_json::from_str(&response.body).map_err(Problem::internal)?;
    let Some(token) = body.get_mut("token") else { return Ok(response) };
    let secret = token.as_str().and_then(|sealed| open(bearer, sealed)).ok_or_else(|| {
        let detail = "The first request with this Idempotency-Key had another bearer token.";
        Problem::new(ProblemType::IdempotencyKeyReused, detail)
    })?;
    *token = Value::String(secret.expose().to_owned());
    Ok(StoredResponse { body: body.to_string(), ..response })
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use serde_json::json;
    use store::Rng;

    use super::*;
    use crate::problem::{Document, PROBLEM_JSON};
    use crate::token::NewToken;

    async fn text(response: Response) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn response_is_sent_with_its_headers() {
        let stored = StoredResponse {
            etag: Some("\"3\"".into()),
            location: Some("/v1/contacts/con_1".into()),
            ..super::json(StatusCode::CREATED, &json!({"id": "con_1"}))
        };
        let response = send(stored).unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()[ETAG], "\"3\"");
        assert_eq!(response.headers()[LOCATION], "/v1/contacts/con_1");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(text(response).await, r#"{"id":"con_1"}"#);

        let response = send(no_content()).unwrap();
        assert_eq!((response.status().as_u16(), response.headers().len()), (204, 0));
        assert_eq!(text(response).await, "");
    }

    #[tokio::test]
    async fn stored_refusal_is_sent_as_a_problem_document() {
        let stored = Problem::from(Refused::VersionMismatch).to_answer();
        let first = axum::response::IntoResponse::into_response(Problem::from(Refused::VersionMismatch));
        let again = send(stored).unwrap();
        assert_eq!(again.status(), first.status());
        assert_eq!(again.headers()[CONTENT_TYPE], PROBLEM_JSON);
        assert!(again.extensions().get::<Document>().is_some(), "the request's id can still be added");
        assert_eq!(text(again).await, text(first).await);
    }

    #[test]
    fn response_that_is_not_valid_http_is_a_fault() {
        let broken = [
            StoredResponse { status: 99, ..no_content() },
            StoredResponse { location: Some("a\nb".into()), ..no_content() },
            StoredResponse { status: 404, body: "not JSON".into(), ..no_content() },
        ];
        for stored in broken {
            assert_eq!(send(stored).unwrap_err().problem_type(), ProblemType::Internal);
        }
    }

    #[test]
    fn token_is_revealed_only_to_its_creator() {
        let bearer = Secret::new("tmk_a");
        let token = NewToken::mint(&bearer, &Rng::seeded(1));
        let stored = super::json(StatusCode::CREATED, &json!({"id": "tok_1", "token": token.sealed()}));

        let sent: Value = serde_json::from_str(&reveal(&bearer, stored.clone()).unwrap().body).unwrap();
        let revealed = sent["token"].as_str().unwrap();
        assert_eq!(crate::token::sha256_hex(revealed.as_bytes()), token.sha256_hex());
        assert_eq!(sent["id"], "tok_1");
        assert!(!stored.body.contains(revealed.trim_start_matches("tmk_")));

        let problem = reveal(&Secret::new("tmk_b"), stored).unwrap_err();
        assert_eq!(problem.problem_type(), ProblemType::IdempotencyKeyReused);

        let refusal = Problem::from(Refused::NotFound("user")).to_answer();
        assert_eq!(reveal(&bearer, refusal.clone()).unwrap().body, refusal.body);
    }
}
