//! Verification and parsing of form providers' webhooks.
//!
//! [`verify`] runs first, over raw bytes. [`read`] then extracts the provider's id for the delivery and converts the
//! payload to [`form_mapping::answers`]. [`form_mapping::person`] converts these to a contact. Members that are not
//! needed are ignored.

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

/// A parsed webhook.
#[derive(Default)]
pub(crate) struct Delivery {
    /// The provider's id for the delivery, which identifies repeated deliveries. It comes from signed bytes. `None` if
    /// the provider sends no id, which is possible only for providers that do not sign.
    pub(crate) id: Option<String>,
    /// The event that the webhook reports.
    pub(crate) event: Event,
    /// The event type in the provider's words, for providers whose webhooks report events of any type. A form's
    /// `event_types` list the accepted types.
    pub(crate) event_type: Option<String>,
    /// The time at which the person sent the form, for providers whose signature covers this time but no time of
    /// signing. It identifies a replay of an old delivery.
    pub(crate) made_at: Option<Timestamp>,
}

/// The event that a webhook reports.
#[derive(Default)]
pub(crate) enum Event {
    /// A person sent a form.
    Submission(Answers),
    /// Another event, such as a cancelled appointment. The webhook is accepted and changes nothing.
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

    /// Sets the time at which the person sent the form. A text that is not a valid time is ignored.
    fn made_at(self, text: Option<&str>) -> Self {
        Self { made_at: text.and_then(|text| text.parse().ok()), ..self }
    }
}

/// Parses a verified webhook.
///
/// # Errors
///
/// `invalid-request` with all missing and invalid members, by their paths in the body, or `unsupported-media-type`. A
/// submission with unusable answers is not an error here.
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
        // A native form has no provider, and verification refuses all webhooks of native forms.
        Provider::Generic | Provider::Native => posted::read(&posted::GENERIC, headers, body),
    }
}

/// Parses a body that is a JSON object. The media type is ignored, because the signature already proves that the body
/// is from the provider.
fn json(
    body: &[u8],
    reader: impl FnOnce(&Members<'_>, &mut Errors) -> Option<Delivery>,
) -> Result<Delivery, Problem> {
    let document = members::parse(body)?;
    let mut errors = Errors::default();
    let delivery = reader(&Members::root(&document), &mut errors);
    errors.check()?;
    delivery.ok_or_else(|| Problem::internal("a parser rejected a request without an error"))
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
