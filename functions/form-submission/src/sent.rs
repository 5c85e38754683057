//! A submission as it was sent, independent of its encoding.

mod charset;
mod json;
mod multipart;
mod nested;
mod urlencoded;

use api::fields::Errors;
use api::json::mended;
use api::{Problem, ProblemType, body};
use axum::body::Bytes;
use domain::Timestamp;
use domain::limits::{PAGE_URL_CHARS_MAX, SUBMISSION_ID_CHARS_MAX};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};
use url::Url;

use form_mapping::answers::{Collector, FieldAnswer};

pub(crate) use json::Document;
pub(crate) use nested::fields;

pub(crate) const SUBMISSION_ID: &str = "submission_id";
pub(crate) const SUBMITTED_AT: &str = "submitted_at";
pub(crate) const PAGE_URL: &str = "page_url";

/// The media type of a plain HTML form. Many programs also send JSON with it.
const URLENCODED: &str = "application/x-www-form-urlencoded";

/// The submission as the sender wrote it.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Sent {
    /// The fields in the order in which they were sent. A field with several values, such as ticked boxes, may occur
    /// more than once.
    pub(crate) fields: Vec<FieldAnswer>,
    /// The sender's id for this submission.
    pub(crate) submission_id: Option<String>,
    /// The time at which the person sent the form, by their own clock (RFC 3339).
    pub(crate) submitted_at: Option<String>,
    /// The address of the page that contains the form.
    pub(crate) page_url: Option<String>,
    /// True if the body has an encoding in which browsers post forms without a script.
    pub(crate) is_form_post: bool,
}

/// Parses a body according to its media type.
///
/// # Errors
///
/// `unsupported-media-type`, or `invalid-request` for a body that does not match its media type.
pub(crate) fn read(headers: &HeaderMap, body: Bytes) -> Result<Sent, Problem> {
    if body::require_json(headers).is_ok() || disguised_object(headers, &body).is_some() {
        return json::read(&body);
    }
    form_post(headers, &body)?.ok_or_else(unsupported).and_then(from_form_post)
}

/// Returns the names and values of a form post in their order. Returns `None` for a body of another media type.
///
/// # Errors
///
/// `invalid-request` for a body that does not match its media type.
pub(crate) fn form_post(headers: &HeaderMap, body: &Bytes) -> Result<Option<Vec<(String, String)>>, Problem> {
    match body::media_type(headers).unwrap_or_default().as_str() {
        URLENCODED => Ok(Some(urlencoded::read(headers, body))),
        "multipart/form-data" => multipart::read(headers, body.clone()).map(Some),
        _ => Ok(None),
    }
}

/// Returns the JSON object that was sent with the media type of a form post. curl and PHP send that media type by
/// default.
pub(crate) fn disguised_object(headers: &HeaderMap, body: &[u8]) -> Option<Map<String, Value>> {
    if body::media_type(headers)? != URLENCODED {
        return None;
    }
    let text = mended(body);
    // Form posts rarely begin with a brace. The check avoids parsing most of them as JSON.
    text.trim_start().starts_with('{').then(|| serde_json::from_str(&text).ok())?
}

/// Returns a parameter of the body's media type.
fn media_type_parameter(headers: &HeaderMap, wanted: &str) -> Option<String> {
    parameter(headers.get(CONTENT_TYPE)?.to_str().ok()?, wanted)
}

/// Returns a parameter of a header such as `form-data; name="email"`. A backslash escapes only a quote, because
/// browsers have sent other backslashes unescaped.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let (_, mut rest) = header.split_once(';')?;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, next) = parameter_value(after.trim_start());
        // If a parameter has no value, `name` also contains the parameter after it.
        if name.rsplit(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(wanted)) {
            return Some(value);
        }
        rest = next;
    }
}

/// Returns the parameter value at the start of a text, and the rest of the text.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return (value.trim().to_owned(), rest);
    };
    let mut value = String::new();
    let mut rest = quoted;
    while let Some((before, after)) = rest.split_once('"') {
        rest = after;
        match before.strip_suffix('\\') {
            Some(before) => value.extend([before, "\""]),
            None => {
                value.push_str(before);
                return (value, rest);
            }
        }
    }
    value.push_str(rest);
    (value, "")
}

/// Returns the problem for a body whose media type is not one of those of submissions.
pub(crate) fn unsupported() -> Problem {
    Problem::new(
        ProblemType::UnsupportedMediaType,
        "A submission is application/json, application/x-www-form-urlencoded or multipart/form-data.",
    )
}

/// Converts a form post to a submission. Three names contain facts about the submission. All others are fields.
fn from_form_post(pairs: Vec<(String, String)>) -> Result<Sent, Problem> {
    let mut sent = Sent { is_form_post: true, ..Sent::default() };
    let mut errors = Errors::default();
    let mut others = Vec::new();
    for (name, value) in pairs {
        let slot = match name.as_str() {
            SUBMISSION_ID => &mut sent.submission_id,
            SUBMITTED_AT => &mut sent.submitted_at,
            PAGE_URL => &mut sent.page_url,
            _ => {
                others.push((name, value));
                continue;
            }
        };
        // Browsers also send a hidden field that no script has filled.
        if value.is_empty() || (name == PAGE_URL && !is_page_url(&value)) {
            continue;
        }
        if slot.is_some() {
            errors.push(name, "is given twice");
        } else {
            *slot = Some(value);
        }
    }
    errors.check()?;
    let mut fields = Collector::default();
    nested::fields(&others, &mut fields);
    sent.fields = fields.finish().into_vec();
    Ok(sent)
}

impl Sent {
    /// Returns the fields and the facts about the submission as answers.
    pub(crate) fn answers(&self) -> Vec<FieldAnswer> {
        let fields = self.fields.iter().cloned();
        fields.chain(self.about_itself().map(|(name, value)| FieldAnswer::about(name, value))).collect()
    }

    /// Returns the facts about the submission, with the names that a form's field map may use for them.
    fn about_itself(&self) -> impl Iterator<Item = (&str, &str)> {
        [(SUBMISSION_ID, &self.submission_id), (SUBMITTED_AT, &self.submitted_at), (PAGE_URL, &self.page_url)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// Adds the errors in the facts about the submission to `errors`.
    pub(crate) fn check(&self, errors: &mut Errors) {
        for (name, message) in self.problems() {
            errors.push(name, message);
        }
    }

    /// Returns the names of the invalid facts about the submission, each with a message.
    pub(crate) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if let Some(id) = &self.submission_id
            && !(1..=SUBMISSION_ID_CHARS_MAX).contains(&id.chars().count())
        {
            problems.push((SUBMISSION_ID, format!("expected 1 to {SUBMISSION_ID_CHARS_MAX} characters")));
        }
        if let Some(Err(error)) = self.submitted_at.as_deref().map(str::parse::<Timestamp>) {
            problems.push((SUBMITTED_AT, error.to_string()));
        }
        problems
    }
}

/// Returns true for an http or https address of at most 2048 characters. Any other address is ignored, because forms in
/// apps and emails have no such address, and the submission does not depend on it.
pub(crate) fn is_page_url(text: &str) -> bool {
    text.chars().count() <= PAGE_URL_CHARS_MAX
        && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

#[cfg(test)]
mod tests;
