//! Protection that applies to all responses and requests of the console.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    CONTENT_SECURITY_POLICY, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Method, StatusCode};

use crate::text;

/// The content security policy. Pages have no inline script or style, load nothing from elsewhere, and can't be framed.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The part of the policy that names the servers to which a script may connect.
const CONNECT: &str = "connect-src 'self'";

/// The origin of the file server, for a page whose script sends a file there. Other pages connect to the console alone.
#[derive(Clone)]
pub(crate) struct UploadsTo(pub(crate) String);

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Adds the headers with which browsers restrict the pages.
pub(crate) async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // Paths have ids alone, but other sites need not know even these.
        (REFERRER_POLICY, "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let policy = policy(response.extensions_mut().remove().as_ref());
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// Returns the policy of a page. An origin that is no header's value is left out, and the upload then fails.
fn policy(uploads: Option<&UploadsTo>) -> HeaderValue {
    let more = uploads.map(|UploadsTo(origin)| POLICY.replace(CONNECT, &format!("{CONNECT} {origin}")));
    let more = more.and_then(|policy| HeaderValue::from_str(&policy).ok());
    more.unwrap_or(HeaderValue::from_static(POLICY))
}

/// Rejects a post that a page of another origin has sent. Cookies are `SameSite=Strict`, so such a post has no session.
/// This is the second lock.
pub(crate) async fn require_same_origin(request: Request, next: Next) -> Response {
    if request.method() == Method::POST && !is_same_origin(request.headers()) {
        return (StatusCode::FORBIDDEN, Body::from(text::OTHER_ORIGIN)).into_response();
    }
    next.run(request).await
}

/// Returns true if a page of this origin has sent the request. Browsers say so in `Sec-Fetch-Site`, and all of them send
/// `Origin` with a post.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text(SEC_FETCH_SITE) {
        return site == "same-origin";
    }
    let host = text(ORIGIN).and_then(|origin| Some(origin.split_once("://")?.1));
    host.is_some_and(|host| Some(host) == text(HOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_with_an_upload_connects_to_the_file_server() {
        assert_eq!(policy(None), POLICY);
        let allowed = policy(Some(&UploadsTo("http://127.0.0.1:4567".to_owned())));
        let allowed = allowed.to_str().unwrap();
        assert!(allowed.contains("; connect-src 'self' http://127.0.0.1:4567; "), "{allowed}");
        assert_eq!(policy(Some(&UploadsTo("http://a\nb".to_owned()))), POLICY);
    }

    #[test]
    fn only_posts_of_the_same_origin_are_accepted() {
        for (headers, accepted) in [
            (vec![("sec-fetch-site", "same-origin")], true),
            (
                vec![("sec-fetch-site", "same-site"), ("origin", "https://a.example"), ("host", "a.example")],
                false,
            ),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("sec-fetch-site", "none")], false),
            (vec![("origin", "https://a.example"), ("host", "a.example")], true),
            (vec![("origin", "https://b.example"), ("host", "a.example")], false),
            (vec![("origin", "null"), ("host", "a.example")], false),
            (vec![("host", "a.example")], false),
            (vec![], false),
        ] {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(is_same_origin(&map), accepted, "{headers:?}");
        }
    }
}
