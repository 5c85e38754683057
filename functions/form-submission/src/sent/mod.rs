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

use crate::answers::Answer;

pub(crate) const SUBMISSION_ID: &str = "submission_id";
pub(crate) const SUBMITTED_AT: &str = "submitted_at";
pub(crate) const PAGE_URL: &str = "page_url";

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
    if let Some(pairs) = form_post(headers, &body)? {
        return from_form_post(pairs);
    }
    if body::require_json(headers).is_ok() {
        return json::read(headers, &body);
    }
    Err(unsupported())
}

/// The names and values of a body that has an encoding of form posts, in their order. None for one of another media
/// type.
///
/// # Errors
///
/// `invalid-request` for a body that is not what its media type says.
pub(crate) fn form_post(headers: &HeaderMap, body: &Bytes) -> Result<Option<Vec<(String, String)>>, Problem> {
    match body::media_type(headers).unwrap_or_default().as_str() {
        "application/x-www-form-urlencoded" => Ok(Some(urlencoded::read(body))),
        "multipart/form-data" => multipart::read(headers, body.clone()).map(Some),
        _ => Ok(None),
    }
}

/// What a body is answered that has none of the media types of submissions.
pub(crate) fn unsupported() -> Problem {
    Problem::new(
        Slug::UnsupportedMediaType,
        "A submission is application/json, application/x-www-form-urlencoded or multipart/form-data.",
    )
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
    /// Each value as an answer, and what is said of the submission itself.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        let fields = self.fields.iter().map(|(name, value)| Answer::text(name, value));
        fields.chain(self.about_itself().map(|(name, value)| Answer::about(name, value))).collect()
    }

    /// What is said of the submission itself, by the names under which a form's field map may speak of it.
    fn about_itself(&self) -> impl Iterator<Item = (&str, &str)> {
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
