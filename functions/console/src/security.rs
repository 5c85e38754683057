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

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Adds the headers with which browsers restrict the pages.
pub(crate) async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // Paths have ids alone, but other sites need not know even these.
        (REFERRER_POLICY, "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
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
