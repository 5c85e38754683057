//! `application/json`: `{"fields": {…}, "submission_id"?, "submitted_at"?, "page_url"?}`.

use api::Problem;
use api::fields::{Errors, Fields, FromFields, Place};
use api::parse::string;
use api::request::RequestBody as _;
use http::HeaderMap;
use serde_json::Value;

use crate::answers::plain;

use super::{PAGE_URL, SUBMISSION_ID, SUBMITTED_AT, Sent};

/// A submission as its JSON says it.
struct Document(Sent);

impl FromFields for Document {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let sent = fields.required("fields", pairs);
        let submission_id = fields.optional(SUBMISSION_ID, string());
        let submitted_at = fields.optional(SUBMITTED_AT, string());
        let page_url = fields.optional(PAGE_URL, string());
        let is_whole =
            sent.is_some() && submission_id.is_some() && submitted_at.is_some() && page_url.is_some();
        let sent = Sent {
            fields: sent.unwrap_or_default(),
            submission_id: submission_id.flatten(),
            submitted_at: submitted_at.flatten(),
            page_url: page_url.flatten(),
            is_form_post: false,
        };
        if is_whole {
            return Some(Self(sent));
        }
        // It goes no further than this, so what else is wrong is listed here.
        for (name, message) in sent.problems() {
            fields.refuse::<()>(name, message);
        }
        None
    }
}

/// Reads a JSON body.
///
/// # Errors
///
/// `invalid-request` with everything that is wrong with it.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Sent, Problem> {
    let mut errors = Errors::default();
    let document = Document::from_bytes(headers, body, &mut errors)?;
    errors.check()?;
    document
        .map(|Document(sent)| sent)
        .ok_or_else(|| Problem::internal("a reader refused without saying why"))
}

/// The fields: an object whose names are the form's own.
fn pairs(value: Value, place: &mut Place<'_>) -> Option<Vec<(String, String)>> {
    let Value::Object(values) = value else { return place.refuse("expected an object") };
    // Every field is read, so that every problem is listed, before the first bad one decides.
    let read: Vec<_> = values
        .into_iter()
        .map(|(name, value)| {
            let texts = texts(value, &mut place.field(&name))?;
            Some(texts.into_iter().map(move |text| (name.clone(), text)).collect::<Vec<_>>())
        })
        .collect();
    Some(read.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
}

/// A field's values: one, or a list of them; `null` says nothing.
fn texts(value: Value, place: &mut Place<'_>) -> Option<Vec<String>> {
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    let mut texts = Vec::new();
    for value in values {
        match value {
            Value::Null => {}
            Value::Bool(flag) => texts.push(flag.to_string()),
            Value::Number(number) => texts.push(plain(&number)),
            Value::String(text) => texts.push(text),
            Value::Array(_) | Value::Object(_) => {
                return place.refuse("expected a string, a number, true, false, null or a list of these");
            }
        }
    }
    Some(texts)
}
