//! Providers' webhooks: how each is told from a forged one, and how its body is read.
//!
//! [`verify`] comes first and looks at raw bytes alone. [`read`] then finds the provider's own id for the delivery, and
//! brings what people answered into the words of [`crate::answers`], of which [`crate::person`] makes a person. What a
//! provider writes besides is its own affair and is passed over: only what is needed has to be there.

mod calendly;
mod jotform;
mod members;
mod netlify;
mod posted;
mod standard;
mod tally;
mod typeform;
mod verifiers;
mod verify;
mod webflow;

use api::Problem;
use api::fields::Errors;
use axum::body::Bytes;
use domain::Timestamp;
use domain::provider::Provider;
use http::HeaderMap;

use form_mapping::answers::Answers;
use members::Members;

pub(crate) use verify::{SECRET_HEADER, SECRET_PARAMETER, Unverified, verify};

/// A webhook that was read.
#[derive(Default)]
pub(crate) struct Delivery {
    /// The provider's own id for it, from the bytes that are signed: what a repeated delivery is known by. None if the
    /// provider gives none, which only those may that sign nothing.
    pub(crate) id: Option<String>,
    /// What it tells.
    pub(crate) event: Event,
    /// Its event type in the provider's words, for a provider whose webhooks may tell of anything. A form can say which
    /// types it takes.
    pub(crate) event_type: Option<String>,
    /// When the person sent the form, for a provider whose signature covers it and no time of signing. It tells an old
    /// delivery that is sent once more.
    pub(crate) made_at: Option<Timestamp>,
}

/// What a webhook tells.
#[derive(Default)]
pub(crate) enum Event {
    /// A person has sent a form.
    Submission(Answers),
    /// Something else, such as that an appointment was cancelled. It is accepted, and nothing follows from it.
    #[default]
    Other,
}

impl Delivery {
    fn submission(id: impl Into<String>, answers: Answers) -> Self {
        Self { id: Some(id.into()), event: Event::Submission(answers), ..Self::default() }
    }

    fn other(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }

    /// Adds the instant at which it was made. A text that is none is passed over.
    fn made_at(self, text: Option<&str>) -> Self {
        Self { made_at: text.and_then(|text| text.parse().ok()), ..self }
    }
}

/// Reads a webhook that was verified.
///
/// # Errors
///
/// `invalid-request` with everything that is missing or wrong in it, by its place in the provider's own body;
/// `unsupported-media-type`. A submission that is merely no person's is not wrong here.
pub(crate) fn read(provider: Provider, headers: &HeaderMap, body: &Bytes) -> Result<Delivery, Problem> {
    match provider {
        Provider::Typeform => json(body, typeform::read),
        Provider::Tally => json(body, tally::read),
        Provider::Webflow => json(body, webflow::read),
        Provider::Netlify => json(body, netlify::read),
        Provider::Calendly => json(body, calendly::read),
        Provider::StandardWebhooks => json(body, |members, errors| standard::read(headers, members, errors)),
        Provider::Jotform => jotform::read(headers, body),
        Provider::GravityForms => posted::read(&posted::GRAVITY_FORMS, headers, body),
        Provider::Wpforms => posted::read(&posted::WPFORMS, headers, body),
        // A native form is no provider's, and none of its hooks is ever verified.
        Provider::Generic | Provider::Native => posted::read(&posted::GENERIC, headers, body),
    }
}

/// Reads a body that is a JSON object, whatever media type it says it has: the signature says that it is the
/// provider's.
fn json(
    body: &[u8],
    reader: impl FnOnce(&Members<'_>, &mut Errors) -> Option<Delivery>,
) -> Result<Delivery, Problem> {
    let document = members::parse(body)?;
    let mut errors = Errors::default();
    let delivery = reader(&Members::root(&document), &mut errors);
    errors.check()?;
    delivery.ok_or_else(|| Problem::internal("a reader refused without saying why"))
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
