//! `application/json`: `{"fields": {…}, "submission_id"?, "submitted_at"?, "page_url"?}`.

use api::Problem;
use api::fields::{Errors, Fields, FromFields, Place};
use api::json::mended;
use api::parse::string;
use api::request::RequestBody as _;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Value;

use super::{PAGE_URL, SUBMISSION_ID, SUBMITTED_AT, Sent, is_page_url};
use crate::flatten::{self, Path, is_described};
use form_mapping::answers::{Collector, FieldAnswer, Kind, scalar};
use form_mapping::names::names;

/// A submission as its JSON says it.
struct Document(Sent);

impl FromFields for Document {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let sent = fields.required("fields", answers);
        let submission_id = fields.optional(SUBMISSION_ID, string());
        let submitted_at = fields.optional(SUBMITTED_AT, string());
        let page_url = fields.optional(PAGE_URL, |value, _| Some(page_url(&value)));
        let is_whole =
            sent.is_some() && submission_id.is_some() && submitted_at.is_some() && page_url.is_some();
        let sent = Sent {
            fields: sent.unwrap_or_default(),
            submission_id: submission_id.flatten(),
            submitted_at: submitted_at.flatten(),
            page_url: page_url.flatten().flatten(),
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

/// Reads a JSON body, whatever media type it came with.
///
/// # Errors
///
/// `invalid-request` with everything that is wrong with it.
pub(super) fn read(body: &[u8]) -> Result<Sent, Problem> {
    let mut errors = Errors::default();
    let json = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let document = Document::from_bytes(&json, mended(body).as_bytes(), &mut errors)?;
    errors.check()?;
    document
        .map(|Document(sent)| sent)
        .ok_or_else(|| Problem::internal("a reader refused without saying why"))
}

/// Returns the address of a page on the web, if it is one.
fn page_url(value: &Value) -> Option<String> {
    value.as_str().filter(|url| is_page_url(url)).map(str::to_owned)
}

/// The fields: an object whose names are the form's own.
fn answers(value: Value, place: &mut Place<'_>) -> Option<Vec<FieldAnswer>> {
    let Value::Object(values) = value else { return place.refuse("expected an object") };
    let mut out = Collector::default();
    // Every field is read, so that every problem is listed, before the first bad one decides.
    let read: Vec<Option<()>> = values
        .into_iter()
        .map(|(name, value)| field(&name, value, &mut place.field(&name), &mut out))
        .collect();
    read.into_iter().collect::<Option<()>>().map(|()| out.finish().into_vec())
}

/// Takes a field: a value, a list of them, or an object that describes the field and has such a value.
fn field(name: &str, value: Value, place: &mut Place<'_>, out: &mut Collector) -> Option<()> {
    let names = names([Some(name)]);
    match value {
        Value::Object(values) if is_described(&values) => {
            let _ = texts(values.get("value").cloned().unwrap_or_default(), &mut place.field("value"))?;
            flatten::field(&Path::new(names), &Value::Object(values), out);
        }
        value => out.push(FieldAnswer::new(names, Kind::Text, texts(value, place)?)),
    }
    Some(())
}

/// A field's values: one, or a list of them; `null` says nothing.
fn texts(value: Value, place: &mut Place<'_>) -> Option<Vec<String>> {
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    let mut texts = Vec::new();
    for value in values.iter().filter(|value| !value.is_null()) {
        match scalar(value) {
            Some(text) => texts.push(text),
            None => {
                return place.refuse("expected a string, a number, true, false, null or a list of these");
            }
        }
    }
    Some(texts)
}
