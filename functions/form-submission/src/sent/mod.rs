//! A submission as it was sent, whatever it was encoded in.

mod json;
mod multipart;
mod urlencoded;

use api::fields::Errors;
use api::{Problem, Slug, body};
use axum::body::Bytes;
use domain::Timestamp;
use domain::limits::{PAGE_URL_CHARS_MAX, SUBMISSION_ID_CHARS_MAX};
use http::HeaderMap;
use url::Url;

const SUBMISSION_ID: &str = "submission_id";
const SUBMITTED_AT: &str = "submitted_at";
const PAGE_URL: &str = "page_url";

/// What was sent, in its own words.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Sent {
    /// Names and values in the order in which they came. A name stands more than once where several values have it,
    /// such as ticked boxes.
    pub(crate) fields: Vec<(String, String)>,
    /// The sender's id for this delivery.
    pub(crate) submission_id: Option<String>,
    /// When the person sent it, by their own clock (RFC 3339).
    pub(crate) submitted_at: Option<String>,
    /// The page that the form stands on.
    pub(crate) page_url: Option<String>,
    /// Whether it has the encoding of a form that a browser posts by itself.
    pub(crate) is_form_post: bool,
}

/// Reads a body by its media type.
///
/// # Errors
///
/// `unsupported-media-type`, or `invalid-request` for a body that is not what its media type says.
pub(crate) fn read(headers: &HeaderMap, body: Bytes) -> Result<Sent, Problem> {
    let media_type = body::media_type(headers).unwrap_or_default();
    match media_type.as_str() {
        "application/x-www-form-urlencoded" => from_form_post(urlencoded::read(&body)),
        "multipart/form-data" => from_form_post(multipart::read(headers, body)?),
        _ if body::require_json(headers).is_ok() => json::read(headers, &body),
        _ => Err(Problem::new(
            Slug::UnsupportedMediaType,
            "A submission is application/json, application/x-www-form-urlencoded or multipart/form-data.",
        )),
    }
}

/// What a form post says: three names are about the submission, all others are the person's.
fn from_form_post(pairs: Vec<(String, String)>) -> Result<Sent, Problem> {
    let mut sent = Sent { is_form_post: true, ..Sent::default() };
    let mut errors = Errors::default();
    for (name, value) in pairs {
        let slot = match name.as_str() {
            SUBMISSION_ID => &mut sent.submission_id,
            SUBMITTED_AT => &mut sent.submitted_at,
            PAGE_URL => &mut sent.page_url,
            _ => {
                sent.fields.push((name, value));
                continue;
            }
        };
        // A hidden field that no script has filled is sent all the same.
        if value.is_empty() {
            continue;
        }
        if slot.is_some() {
            errors.note(name, "is given twice");
        } else {
            *slot = Some(value);
        }
    }
    errors.check().map(|()| sent)
}

impl Sent {
    /// What is said of the submission itself, by the names under which a form's field map may speak of it.
    pub(crate) fn about_itself(&self) -> impl Iterator<Item = (&str, &str)> {
        [(SUBMISSION_ID, &self.submission_id), (SUBMITTED_AT, &self.submitted_at), (PAGE_URL, &self.page_url)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// Notes what is wrong with what is said of the submission itself.
    pub(crate) fn check(&self, errors: &mut Errors) {
        for (name, message) in self.problems() {
            errors.note(name, message);
        }
    }

    /// What is wrong with what is said of the submission itself, by its names.
    fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if let Some(id) = &self.submission_id
            && !(1..=SUBMISSION_ID_CHARS_MAX).contains(&id.chars().count())
        {
            problems.push((SUBMISSION_ID, format!("expected 1 to {SUBMISSION_ID_CHARS_MAX} characters")));
        }
        if let Some(Err(error)) = self.submitted_at.as_deref().map(str::parse::<Timestamp>) {
            problems.push((SUBMITTED_AT, error.to_string()));
        }
        if self.page_url.as_deref().is_some_and(|url| !is_page_url(url)) {
            let message = format!("expected an absolute URL of at most {PAGE_URL_CHARS_MAX} characters");
            problems.push((PAGE_URL, message));
        }
        problems
    }
}

/// Any scheme will do: pages within apps have their own.
fn is_page_url(text: &str) -> bool {
    text.chars().count() <= PAGE_URL_CHARS_MAX && Url::parse(text).is_ok()
}

#[cfg(test)]
mod tests;
