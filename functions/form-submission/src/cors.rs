//! CORS (Fetch standard): the pages that may post to a form and read the response.
//!
//! A form without a list of origins accepts submissions from any page. With a list, a request from an unlisted page is
//! refused before anything is written. A request without `Origin`, such as a server's, is accepted: CORS restricts only
//! browsers.

use api::{Problem, ProblemType};
use domain::limits::{PREFLIGHT_HEADER_CHARS_MAX, PREFLIGHT_HEADERS_MAX, PREFLIGHT_KEPT_SECONDS};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    ORIGIN, VARY,
};
use store::Form;

/// The result of comparing a request's `Origin` with the form's list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Cors {
    /// The form has no list and accepts submissions from any page.
    Anywhere,
    /// The page is on the form's list.
    Listed(HeaderValue),
    /// The form has a list, and the request has no `Origin`.
    NoOrigin,
    /// The page is not on the form's list.
    NotListed,
}

impl Cors {
    /// Compares a request's `Origin` with the form's list. A form that does not exist has no list, so that any page can
    /// read the 404 response.
    pub(crate) fn of(form: Option<&Form>, request: &HeaderMap) -> Self {
        Self::new(form.map_or(&[], |form| &form.allowed_origins), request)
    }

    /// Compares a request's `Origin` with a list of allowed origins. An empty list allows any.
    fn new(allowed: &[String], request: &HeaderMap) -> Self {
        if allowed.is_empty() {
            return Self::Anywhere;
        }
        let Some(origin) = request.get(ORIGIN) else { return Self::NoOrigin };
        let is_listed = allowed.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(origin.as_bytes()));
        if is_listed { Self::Listed(origin.clone()) } else { Self::NotListed }
    }

    /// Returns an error if the page is not on the form's list.
    ///
    /// # Errors
    ///
    /// `permission-denied`.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        match self {
            Self::NotListed => Err(Problem::new(
                ProblemType::PermissionDenied,
                "Pages of this origin may not submit the form.",
            )),
            Self::Anywhere | Self::Listed(_) | Self::NoOrigin => Ok(()),
        }
    }

    /// Adds the response headers that allow a page to read the response. Without them, a page's script sees neither
    /// results nor problems.
    pub(crate) fn allow_reading(&self, answer: &mut HeaderMap) {
        match self {
            Self::Anywhere => {
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
                return;
            }
            Self::Listed(origin) => {
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            }
            Self::NoOrigin | Self::NotListed => {}
        }
        answer.append(VARY, HeaderValue::from_static("Origin"));
    }

    /// Adds the headers of a preflight response: the methods and headers that a page may send.
    pub(crate) fn allow_posting(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        if matches!(self, Self::NotListed) {
            return;
        }
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed_headers(request));
        answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(PREFLIGHT_KEPT_SECONDS));
        answer.append(VARY, HeaderValue::from_name(ACCESS_CONTROL_REQUEST_HEADERS));
    }
}

/// Returns the headers that a page wants to send. All are allowed, because none of them grants a right here, and
/// scripts for analytics and tracing add theirs to every request.
fn allowed_headers(request: &HeaderMap) -> HeaderValue {
    let asked = request.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter();
    let asked = asked.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let names = asked.filter(|name| name.len() <= PREFLIGHT_HEADER_CHARS_MAX);
    let names = names.filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok());
    let names: Vec<String> = names.take(PREFLIGHT_HEADERS_MAX).map(|name| name.as_str().to_owned()).collect();
    let allowed = if names.is_empty() { CONTENT_TYPE.as_str().to_owned() } else { names.join(",") };
    HeaderValue::try_from(allowed).unwrap_or(HeaderValue::from_name(CONTENT_TYPE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(allowed: &[&str], origin: Option<&'static str>) -> Cors {
        let allowed: Vec<String> = allowed.iter().map(|&origin| origin.to_owned()).collect();
        let origin = origin.map(|origin| (ORIGIN, HeaderValue::from_static(origin)));
        Cors::new(&allowed, &HeaderMap::from_iter(origin))
    }

    fn readable(cors: &Cors) -> HeaderMap {
        let mut headers = HeaderMap::new();
        cors.allow_reading(&mut headers);
        headers
    }

    #[test]
    fn form_without_origins_accepts_any_page() {
        for origin in [None, Some("null"), Some("https://example.org")] {
            let headers = readable(&cors(&[], origin));
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
            assert!(!headers.contains_key(VARY));
        }
    }

    #[test]
    fn form_with_origins_accepts_only_listed_pages() {
        let list = ["https://example.org", "http://localhost:3000"];
        for origin in ["https://example.org", "http://localhost:3000", "https://EXAMPLE.org"] {
            let headers = readable(&cors(&list, Some(origin)));
            assert_eq!(
                (&headers[ACCESS_CONTROL_ALLOW_ORIGIN], &headers[VARY]),
                (&origin.parse().unwrap(), &HeaderValue::from_static("Origin"))
            );
        }
        for origin in
            ["null", "http://example.org", "https://example.org:8443", "https://example.org.evil", "*", ""]
        {
            let found = cors(&list, Some(origin));
            assert_eq!(found, Cors::NotListed, "{origin}");
            let headers = readable(&found);
            assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
            assert_eq!(headers[VARY], "Origin", "a cached response must not serve another page");
        }
        assert_eq!(cors(&list, None), Cors::NoOrigin);
    }

    fn allowed(cors: &Cors, asked: &str) -> HeaderMap {
        let request = [(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_str(asked).unwrap())];
        let mut headers = HeaderMap::new();
        cors.allow_posting(&HeaderMap::from_iter(request), &mut headers);
        headers
    }

    #[test]
    fn preflight_allows_the_requested_headers() {
        let listed = cors(&["https://example.org"], Some("https://example.org"));
        let headers = allowed(&listed, "baggage,content-type, Sentry-Trace");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_METHODS], "POST");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_HEADERS], "baggage,content-type,sentry-trace");
        assert_eq!(headers[ACCESS_CONTROL_MAX_AGE], "600");
        assert_eq!(headers[VARY], "access-control-request-headers");
        for nothing in ["", ",", "a b, ü"] {
            assert_eq!(allowed(&listed, nothing)[ACCESS_CONTROL_ALLOW_HEADERS], "content-type", "{nothing}");
        }
        let many = vec!["x".repeat(PREFLIGHT_HEADER_CHARS_MAX); 1000].join(",");
        let bounded = PREFLIGHT_HEADERS_MAX * (PREFLIGHT_HEADER_CHARS_MAX + 1) - 1;
        assert_eq!(allowed(&listed, &many)[ACCESS_CONTROL_ALLOW_HEADERS].len(), bounded);
        assert_eq!(allowed(&listed, &"x".repeat(10_000))[ACCESS_CONTROL_ALLOW_HEADERS], "content-type");
        assert!(
            allowed(&cors(&["https://example.org"], Some("https://example.com")), "content-type").is_empty()
        );
    }
}
