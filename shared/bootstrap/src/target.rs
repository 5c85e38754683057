//! The target of a request through an HTTP API: its host, its path and its query.
//!
//! An HTTP API passes paths decoded (payload format 2.0, `rawPath`) and queries as they were sent. `lambda_http`
//! expects both to be well formed. Most paths are the same when decoded. But the address `50%41@example.org` would be
//! read as `50A@example.org`, which belongs to another person, and `c#@example.org` as `c`. A query with an invalid
//! character, such as a bare `<`, would cause a panic. So both are encoded before they are parsed. A slash in an
//! address cannot be recovered, because it already separates segments of the route.
//!
//! The host and the scheme come from headers, which the caller controls, so malformed ones would also cause a panic. No
//! handler needs either. So the headers are removed, and `lambda_http` uses the API's own domain name.

use std::fmt::Write as _;

use lambda_http::LambdaEvent;
use lambda_http::http::header::HOST;
use lambda_http::request::LambdaRequest;

/// The header with the scheme by which the caller reached the API.
const SCHEME: &str = "x-forwarded-proto";

/// The unencoded characters of a path (RFC 3986 §3.3), besides letters and digits. A percent sign in a decoded path
/// is an ordinary character, so it is encoded.
const IN_PATHS: &[u8] = b"/-._~!$&'()*+,;=:@";

/// The unencoded characters of a query (RFC 3986 §3.4), besides letters and digits. A percent sign begins an encoded
/// byte, so it is not encoded again.
const IN_QUERIES: &[u8] = b"/?-._~!$&'()*+,;=:@%";

/// Returns the event with a well-formed target.
pub(crate) fn well_formed(mut event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    if let LambdaRequest::ApiGatewayV2(request) = &mut event.payload {
        request.raw_path = request.raw_path.as_deref().map(|path| encoded(path, IN_PATHS));
        request.raw_query_string =
            request.raw_query_string.as_deref().map(|query| encoded(query, IN_QUERIES));
        request.headers.remove(HOST);
        request.headers.remove(SCHEME);
    }
    event
}

/// Encodes all bytes except letters, digits and `kept`.
fn encoded(text: &str, kept: &[u8]) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use lambda_http::Context;
    use serde_json::json;

    use super::*;

    /// Returns the URL that a handler receives for the path and query of an HTTP API.
    fn url_of(path: &str, query: &str) -> String {
        let event = json!({
            "version": "2.0", "rawPath": path, "rawQueryString": query, "isBase64Encoded": false,
            "headers": {"host": "no host", "x-forwarded-proto": "no scheme"},
            "requestContext": {
                "stage": "$default", "domainName": "api.example.org", "http": {"method": "GET", "path": path},
            },
        });
        let event = LambdaEvent::new(serde_json::from_value(event).unwrap(), Context::default());
        lambda_http::Request::from(well_formed(event).payload).uri().to_string()
    }

    #[test]
    fn decoded_path_is_encoded_again() {
        for (path, expected) in [
            ("/v1/contacts/con_1", "/v1/contacts/con_1"),
            ("/v1/by-email/a+b_c@example.org", "/v1/by-email/a+b_c@example.org"),
            ("/v1/by-email/50%41@example.org", "/v1/by-email/50%2541@example.org"),
            ("/v1/by-email/c#@example.org", "/v1/by-email/c%23@example.org"),
            ("/v1/by-email/a b", "/v1/by-email/a%20b"),
            ("/v1/by-email/ü?x", "/v1/by-email/%C3%BC%3Fx"),
            ("/v1/by-email/\u{0}\n", "/v1/by-email/%00%0A"),
        ] {
            assert_eq!(url_of(path, ""), format!("https://api.example.org{expected}"));
        }
    }

    #[test]
    fn query_changes_only_in_invalid_characters() {
        for (query, expected) in [
            ("limit=2&after=a%2Fb", "limit=2&after=a%2Fb"),
            ("a=%&b=?/:@", "a=%&b=?/:@"),
            ("a=<\"{|}^`\\>#b", "a=%3C%22%7B%7C%7D%5E%60%5C%3E%23b"),
            ("a=ü b", "a=%C3%BC%20b"),
        ] {
            assert_eq!(
                url_of("/v1/contacts", query),
                format!("https://api.example.org/v1/contacts?{expected}")
            );
        }
    }
}
