//! What the API answers, and what has to be true of it whatever was asked.

use api::ProblemType;
use api::problem::PROBLEM_JSON;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Value, json};

/// An answer.
#[derive(Clone)]
pub struct Reply {
    /// Its HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's text, if there is one.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header of visible characters"))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of UTF-8")
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {:?}", self.status, self.text()))
    }

    /// The body of an answer with this status; `null` if there is none.
    ///
    /// # Panics
    ///
    /// If the status is another one.
    #[must_use]
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() {
            assert_eq!(self.header(CONTENT_TYPE.as_str()), None, "a media type of nothing");
            return Value::Null;
        }
        assert_eq!(self.header(CONTENT_TYPE.as_str()), Some("application/json"));
        self.json()
    }

    /// The problem document of a refused request, complete and valid (RFC 9457, and `shared/api/README.md`, Errors).
    ///
    /// # Panics
    ///
    /// If it is another problem, or none, or not whole.
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
        // Where a permission lacks for some fields alone, they are named as well.
        if slug != ProblemType::PermissionDenied {
            assert_eq!(problem["errors"].is_null(), slug != ProblemType::InvalidRequest, "{text}");
        }
        assert_eq!(problem["contact_id"].is_null(), slug != ProblemType::ContactExists, "{text}");
        let waits = matches!(slug, ProblemType::Unavailable | ProblemType::TooManyRequests);
        assert_eq!(self.headers.contains_key(RETRY_AFTER), waits);
        let scheme = match slug {
            ProblemType::Unauthenticated => Some("Bearer"),
            ProblemType::Unverified => Some("Signature"),
            _ => None,
        };
        assert_eq!(self.header(WWW_AUTHENTICATE.as_str()), scheme);
        problem
    }

    /// The fields that an `invalid-request` names, in its order, each with a message.
    ///
    /// # Panics
    ///
    /// If it is another problem, or none.
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
    /// If it was not.
    #[track_caller]
    pub fn assert_invalid(&self, fields: &[&str]) {
        assert_eq!(self.invalid_fields(), fields, "{}", self.text());
    }
}
