//! Submissions in `application/json`: `{"fields": {…}, "submission_id"?, "submitted_at"?, "page_url"?}`.

use api::describe::documented;
use api::fields::{Errors, FieldPath, Fields, FromFields, Reported};
use api::json::mended;
use api::parse::{self, Parser, string};
use api::request::RequestBody as _;
use api::{Problem, describe};
use domain::limits::SUBMISSION_ID_CHARS_MAX;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::Ref;
use utoipa::openapi::schema::{KnownFormat, Object, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use super::{PAGE_URL, SUBMISSION_ID, SUBMITTED_AT, Sent, is_page_url};
use crate::flatten::{self, Path, is_described};
use form_mapping::answers::{Collector, FieldAnswer, Kind, scalar};
use form_mapping::names::names;

/// A submission in JSON.
pub(crate) struct Document(Sent);

impl FromFields for Document {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let answers = fields.required("fields", answers());
        let id = string().about(
            "The sender's id of this submission. A repeat with the same id within 7 days changes nothing.",
        );
        let id = id.with(|object| {
            object.min_length = Some(1);
            object.max_length = Some(SUBMISSION_ID_CHARS_MAX);
        });
        let submission_id = fields.optional(SUBMISSION_ID, id);
        let submitted_at = string()
            .format(KnownFormat::DateTime)
            .about("The instant at which the contact sent it. Stored only if the form maps it.");
        let submitted_at = fields.optional(SUBMITTED_AT, submitted_at);
        let page_url = fields.optional(PAGE_URL, page_url());
        let errors = [answers.as_ref().err(), submission_id.as_ref().err(), submitted_at.as_ref().err()];
        let reported = errors.into_iter().flatten().next().copied();
        let sent = Sent {
            fields: answers.unwrap_or_default(),
            submission_id: submission_id.unwrap_or_default(),
            submitted_at: submitted_at.unwrap_or_default(),
            page_url: page_url?.flatten(),
            is_form_post: false,
        };
        let Some(reported) = reported else { return Ok(Self(sent)) };
        // The submission is rejected here, so its other errors are listed now.
        for (name, message) in sent.problems() {
            let _ = fields.reject::<()>(name, message);
        }
        Err(reported)
    }
}

documented! { Document as "Submission": "A submission in JSON." }

/// Parses a JSON body of any media type.
///
/// # Errors
///
/// `invalid-request` with all errors in the body.
pub(super) fn read(body: &[u8]) -> Result<Sent, Problem> {
    let mut errors = Errors::default();
    let json = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let document = Document::from_bytes(&json, mended(body).as_bytes(), &mut errors)?;
    errors.check()?;
    document
        .map(|Document(sent)| sent)
        .map_err(|_| Problem::internal("a parser rejected a request without an error"))
}

/// Parses the address of a web page. Another value is ignored.
fn page_url() -> impl Parser<Output = Option<String>> {
    let parser = parse::new(
        |value: Value, _| Ok(value.as_str().filter(|url| is_page_url(url)).map(str::to_owned)),
        |_| Object::with_type(SchemaType::AnyValue).into(),
    );
    parser.about(
        "The address of the page with the form. Stored only if it is http or https, with at most 2048 characters, and \
         the form maps it. Another value is ignored.",
    )
}

/// Parses the fields: an object whose names are the form's own.
fn answers() -> impl Parser<Output = Vec<FieldAnswer>> {
    let parser = parse::new(read_answers, |components| {
        components.push((FieldSchema::name().into_owned(), FieldSchema::schema()));
        FieldSchema::schemas(components);
        let name = Object::with_type(Type::String);
        describe::map(name.into(), Ref::from_schema_name(FieldSchema::name()).into(), None).into()
    });
    parser.about(
        "The form's fields by their own names, at most 200. One of them must contain the address: the field that \
         the form maps to `email`, or else a field with a usual name, such as `email` or `E-Mail-Adresse`. A field \
         fills the property that the form maps it to; else the property that its name usually means (`First Name` \
         fills `firstname`); else the property with the name nearest to its own.",
    )
}

fn read_answers(value: Value, path: &mut FieldPath<'_>) -> Result<Vec<FieldAnswer>, Reported> {
    let values = parse::members(value, path)?;
    let mut out = Collector::default();
    // Every field is parsed before the first error is returned, so that every error is listed.
    let read: Vec<Result<(), Reported>> = values
        .into_iter()
        .map(|(name, value)| field(&name, value, &mut path.field(&name), &mut out))
        .collect();
    read.into_iter().collect::<Result<(), Reported>>().map(|()| out.finish().into_vec())
}

/// Parses a field: a value, a list of values, or an object that describes the field and has such a value.
fn field(name: &str, value: Value, path: &mut FieldPath<'_>, out: &mut Collector) -> Result<(), Reported> {
    let names = names([Some(name)]);
    match value {
        Value::Object(values) if is_described(&values) => {
            let _ = texts(values.get("value").cloned().unwrap_or_default(), &mut path.field("value"))?;
            flatten::field(&Path::new(names), &Value::Object(values), out);
        }
        value => out.push(FieldAnswer::new(names, Kind::Text, texts(value, path)?)),
    }
    Ok(())
}

/// Parses the values of a field: one value or a list of values. `null` is skipped.
fn texts(value: Value, path: &mut FieldPath<'_>) -> Result<Vec<String>, Reported> {
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    let mut texts = Vec::new();
    for value in values.iter().filter(|value| !value.is_null()) {
        match scalar(value) {
            Some(text) => texts.push(text),
            None => {
                return path.reject("expected a string, a number, true, false, null or a list of these");
            }
        }
    }
    Ok(texts)
}

/// The value of a field, or several that are joined with `;`. `null` and an empty text change no stored property.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = SubmissionField)]
#[expect(dead_code, reason = "it describes what `texts` reads")]
enum FieldSchema {
    /// One value.
    One(Option<ValueSchema>),
    /// Several values.
    Several(Vec<Option<ValueSchema>>),
}

/// A text, or a number or boolean that is read as a text.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = SubmissionValue)]
#[expect(dead_code, reason = "it describes what `texts` reads")]
enum ValueSchema {
    Text(String),
    Number(f64),
    Truth(bool),
}
