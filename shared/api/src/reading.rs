//! Test helpers that parse bodies as requests send them.

#![allow(
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Value;

use crate::fields::Errors;
use crate::request::RequestBody;

/// Parses a JSON body, or returns all of its errors: each field with its message.
pub fn read<B: RequestBody>(body: &Value) -> Result<B, Vec<(String, String)>> {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let mut errors = Errors::default();
    let read = B::from_bytes(&headers, body.to_string().as_bytes(), &mut errors).unwrap();
    match errors.check() {
        Ok(()) => Ok(read.unwrap()),
        Err(problem) => {
            assert!(read.is_err());
            let listed = problem.errors().iter();
            Err(listed.map(|error| (error.field.clone(), error.message.clone())).collect())
        }
    }
}

/// Returns the fields with errors in a body, in the order of the list of errors.
pub fn wrong<B: RequestBody>(body: &Value) -> Vec<String> {
    let Err(errors) = read::<B>(body) else { panic!("{body} was accepted") };
    errors.into_iter().map(|(field, _)| field).collect()
}
