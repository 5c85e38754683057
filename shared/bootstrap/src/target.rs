//! What a request through an HTTP API is aimed at: its host, its path and its query.
//!
//! An HTTP API hands paths on decoded (payload format 2.0, `rawPath`) and queries as they were sent, and `lambda_http`
//! takes both for well formed. A path mostly looks the same decoded. But the address `50%41@example.org` would be taken for
//! `50A@example.org`, which is another person's, and `c#@example.org` for `c`; and a query that holds what no query
//! may, such as a bare `<`, would end in a panic. So both are encoded before they are read. A slash of an address is
//! past help: the API's own routes know nothing of it.
//!
//! The host and the scheme are made of headers, which are a caller's too: broken ones would end in a panic as well.
//! Nothing asks for either, so the headers go and the API's own name stands in their place.

use std::fmt::Write as _;

use lambda_http::LambdaEvent;
use lambda_http::http::header::HOST;
use lambda_http::request::LambdaRequest;

/// The header that says how the caller reached the API.
const SCHEME: &str = "x-forwarded-proto";

/// What a path holds as it is (RFC 3986 §3.3), besides letters and digits. A per cent sign is one of the path's own.
const IN_PATHS: &[u8] = b"/-._~!$&'()*+,;=:@";

/// What a query holds as it is (RFC 3986 §3.4), besides letters and digits. A per cent sign begins what is encoded.
const IN_QUERIES: &[u8] = b"/?-._~!$&'()*+,;=:@%";

/// The event with an address that can be read.
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

/// Encodes everything but letters, digits and `kept`.
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

    /// The address that a handler is given for what an HTTP API hands on.
    fn address_of(path: &str, query: &str) -> String {
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
    fn a_path_is_encoded_as_it_once_was() {
        for (path, expected) in [
            ("/v1/contacts/con_1", "/v1/contacts/con_1"),
            ("/v1/by-email/a+b_c@example.org", "/v1/by-email/a+b_c@example.org"),
            ("/v1/by-email/50%41@example.org", "/v1/by-email/50%2541@example.org"),
            ("/v1/by-email/c#@example.org", "/v1/by-email/c%23@example.org"),
            ("/v1/by-email/a b", "/v1/by-email/a%20b"),
            ("/v1/by-email/ü?x", "/v1/by-email/%C3%BC%3Fx"),
            ("/v1/by-email/\u{0}\n", "/v1/by-email/%00%0A"),
        ] {
            assert_eq!(address_of(path, ""), format!("https://api.example.org{expected}"));
        }
    }

    #[test]
    fn a_query_stays_as_it_was_sent_but_for_what_no_query_may_hold() {
        for (query, expected) in [
            ("limit=2&after=a%2Fb", "limit=2&after=a%2Fb"),
            ("a=%&b=?/:@", "a=%&b=?/:@"),
            ("a=<\"{|}^`\\>#b", "a=%3C%22%7B%7C%7D%5E%60%5C%3E%23b"),
            ("a=ü b", "a=%C3%BC%20b"),
        ] {
            assert_eq!(
                address_of("/v1/contacts", query),
                format!("https://api.example.org/v1/contacts?{expected}")
            );
        }
    }
}
