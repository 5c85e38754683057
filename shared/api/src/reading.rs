//! For tests: bodies as requests send them.

#![allow(
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Value;

use crate::fields::Errors;
use crate::request::RequestBody;

/// What is made of a JSON body, or everything that is wrong with it: each field with what was expected.
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

/// The fields that are wrong with a body, in the order in which they are listed.
pub fn wrong<B: RequestBody>(body: &Value) -> Vec<String> {
    let Err(errors) = read::<B>(body) else { panic!("{body} was read") };
    errors.into_iter().map(|(field, _)| field).collect()
}
