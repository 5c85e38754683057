//! The API's responses, and assertions that apply to all of them.

use api::ProblemType;
use api::problem::PROBLEM_JSON;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Value, json};

/// An HTTP response.
#[derive(Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, which may be empty.
    pub body: Vec<u8>,
}

impl Reply {
    /// Returns a header's text. Returns `None` if the header is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header of visible characters"))
    }

    /// Returns the body as text.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of UTF-8")
    }

    /// Parses the body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {:?}", self.status, self.text()))
    }

    /// Asserts the status and returns the JSON body. Returns `null` if the body is empty.
    ///
    /// # Panics
    ///
    /// If the status is different, or the body is not JSON.
    #[must_use]
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() {
            assert_eq!(self.header(CONTENT_TYPE.as_str()), None, "an empty body has no media type");
            return Value::Null;
        }
        assert_eq!(self.header(CONTENT_TYPE.as_str()), Some("application/json"));
        self.json()
    }

    /// Asserts that the body is a complete and valid problem document (RFC 9457, and `shared/api/README.md`, Errors) of
    /// this type. Returns the document.
    ///
    /// # Panics
    ///
    /// If the body is another problem, or not a problem, or incomplete.
    #[track_caller]
    pub fn problem(&self, slug: ProblemType) -> Value {
        let text = self.text();
        assert_eq!(self.status, slug.status().as_u16(), "{text}");
        assert_eq!(self.header(CONTENT_TYPE.as_str()), Some(PROBLEM_JSON), "{text}");
        assert_eq!(self.header(CACHE_CONTROL.as_str()), Some("no-store"), "{text}");
        let problem = self.json();
        assert_eq!(problem["type"], json!(format!("urn:tidemark:problem:{}", slug.as_str())), "{text}");
        assert_eq!(
            (&problem["title"], &problem["status"]),
            (&json!(slug.title()), &json!(self.status)),
            "{text}"
        );
        assert!(
            problem["detail"].as_str().is_some_and(|detail| detail.ends_with('.') && detail.len() > 1),
            "{text}"
        );
        let instance = problem["instance"].as_str().unwrap_or_else(|| panic!("no instance: {text}"));
        assert!(instance.len() == 32 && instance.bytes().all(|b| b.is_ascii_hexdigit()), "{text}");
        // If a permission is missing only for some fields, the problem names these fields.
        if slug != ProblemType::PermissionDenied {
            assert_eq!(problem["errors"].is_null(), slug != ProblemType::InvalidRequest, "{text}");
        }
        assert_eq!(problem["contact_id"].is_null(), slug != ProblemType::ContactExists, "{text}");
        let waits = slug == ProblemType::Unavailable;
        assert_eq!(self.headers.contains_key(RETRY_AFTER), waits);
        let scheme = match slug {
            ProblemType::Unauthenticated => Some("Bearer"),
            ProblemType::Unverified => Some("Signature"),
            _ => None,
        };
        assert_eq!(self.header(WWW_AUTHENTICATE.as_str()), scheme);
        problem
    }

    /// Returns the fields that an `invalid-request` names, in its order. Asserts that each has a message.
    ///
    /// # Panics
    ///
    /// If the body is another problem, or not a problem.
    #[track_caller]
    pub fn invalid_fields(&self) -> Vec<String> {
        let problem = self.problem(ProblemType::InvalidRequest);
        let errors = problem["errors"].as_array().expect("a list of errors");
        let field = |error: &Value| {
            assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{problem}");
            error["field"].as_str().expect("a field").to_owned()
        };
        errors.iter().map(field).collect()
    }

    /// Asserts that the request was refused with `invalid-request` for these fields, in this order.
    ///
    /// # Panics
    ///
    /// If the request was not refused so.
    #[track_caller]
    pub fn assert_invalid(&self, fields: &[&str]) {
        assert_eq!(self.invalid_fields(), fields, "{}", self.text());
    }
}
