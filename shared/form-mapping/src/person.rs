//! The person who submits a form: the address and the properties in the answers.
//!
//! The rules are the same for every sender: a native form, `HubSpot`'s endpoint and the providers' webhooks.
//!
//! - An answer that the form maps, by any of its names, fills its target, or nothing.
//! - The address is found by the rules of [`address`]. An unmapped `email` (in any case) is never a property.
//! - Every other answer fills a property by the rules of [`fill`].
//! - A form with a list of fields leaves the other fields out. The address is always accepted.
//! - A value without a visible character is ignored. So an empty input does not change the contact.
//! - Control characters are removed, because the visitor could neither see nor remove them.
//! - Information about the submission itself, such as `page_url` or the answer to a captcha, is stored only if the form
//!   maps it.
//! - An answer of an unknown type must be mapped by the form.

mod address;
mod fill;

use std::collections::{BTreeMap, BTreeSet};

use api::fields::Errors;
use api::problem::FieldError;
use domain::address::EmailAddress;
use domain::limits::{FIELD_NAME_SHOWN_CHARS_MAX, SUBMISSION_FIELDS_MAX};
use domain::property::{PropertyName, field_key};
use domain::string_enum;
use domain::unseen::is_visible;
use store::{FieldTarget, Form};

use crate::answers::{FieldAnswer, Kind};

/// The name of a field that is never a property.
const EMAIL: &str = "email";

/// A form's own field names, each with its target.
pub type FieldMap = BTreeMap<String, FieldTarget>;

/// A form's settings for its fields.
pub struct FormFields<'f> {
    /// The targets of mapped fields.
    map: &'f FieldMap,
    /// The keys of the accepted fields, by which names compare. `None` accepts all fields.
    accepted: Option<BTreeSet<String>>,
}

impl<'f> From<&'f Form> for FormFields<'f> {
    fn from(form: &'f Form) -> Self {
        Self::new(&form.field_map, form.fields.as_ref())
    }
}

impl<'f> FormFields<'f> {
    /// Creates the settings of a form with this map. The form accepts the listed fields only, or all fields for `None`.
    pub fn new(map: &'f FieldMap, accepted: Option<&BTreeSet<String>>) -> Self {
        Self { map, accepted: accepted.map(|names| names.iter().map(|name| field_key(name)).collect()) }
    }

    /// Returns true if the form accepts the answer, by any of its names.
    fn accepts(&self, answer: &FieldAnswer) -> bool {
        let is_among =
            |accepted: &BTreeSet<String>| answer.names.iter().any(|name| accepted.contains(&field_key(name)));
        answer.is_about() || self.accepted.as_ref().is_none_or(is_among)
    }
}

/// The person who submits a form.
pub struct Person {
    /// The person's e-mail address.
    pub email: EmailAddress,
    /// The properties that the answers fill, each with its value.
    pub properties: Vec<(PropertyName, Option<String>)>,
    /// The number of fields that the form does not accept.
    pub left_out: u64,
}

string_enum! {
    /// The reason for rejecting a submission. Of several reasons, the first in this order applies.
    pub enum Reason {
        /// The answers contain no address.
        NoAddress = "no-address",
        /// The value of the address field is not an address.
        InvalidAddress = "invalid-address",
        /// The answers contain several addresses, and none of them is more likely the person's.
        SeveralAddresses = "several-addresses",
        /// A question has an unknown type, and the form does not map it.
        UnknownFieldType = "unknown-field-type",
        /// There are too many fields, or a value was cut when it was stored.
        InvalidValue = "invalid-value",
        /// The webhook was created so long ago that its delivery may have been forgotten.
        Stale = "stale",
    }
}

/// The rejection of a submission.
pub struct Rejection {
    /// The first reason.
    pub reason: Reason,
    /// All errors, each with the field's own name: `fields.Your email`.
    pub errors: Vec<FieldError>,
}

/// The errors found while answers are read.
struct Problems<'e> {
    errors: &'e mut Errors,
    /// The reason of each error.
    reasons: Vec<Reason>,
}

impl Problems<'_> {
    fn note(&mut self, reason: Reason, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(field, message);
        self.reasons.push(reason);
    }
}

/// An answer that is not left out, with its target if the form maps it.
struct Placed<'a> {
    answer: &'a FieldAnswer,
    target: Option<&'a FieldTarget>,
}

/// Reads the person from answers.
///
/// # Errors
///
/// A [`Rejection`] with all errors.
pub fn from_answers(answers: &[FieldAnswer], form: &FormFields<'_>) -> Result<Person, Rejection> {
    let mut errors = Errors::default();
    read(answers, form, &mut errors).map_err(|reasons| {
        let reason = reasons.into_iter().min().unwrap_or(Reason::NoAddress);
        let problem = errors.check().err();
        Rejection { reason, errors: problem.map(|problem| problem.errors().to_vec()).unwrap_or_default() }
    })
}

/// Reads the person from answers, and adds each error to `errors` with the field's own name.
///
/// # Errors
///
/// The reasons for the rejection, one for each added error.
pub fn read(
    answers: &[FieldAnswer],
    form: &FormFields<'_>,
    errors: &mut Errors,
) -> Result<Person, Vec<Reason>> {
    let mut problems = Problems { errors, reasons: Vec::new() };
    check_count(answers, &mut problems);
    let placed: Vec<Placed<'_>> =
        answers.iter().filter_map(|answer| place(answer, form, &mut problems)).collect();
    let best = placed.iter().filter_map(Placed::likeness).min();
    let (of_address, others): (Vec<_>, Vec<_>) =
        placed.iter().partition(|placed| best.is_some() && placed.likeness() == best);
    let others = others.into_iter().filter(|placed| !placed.is_address_only() && placed.has_visible_value());
    let (accepted, left_out): (Vec<_>, Vec<_>) = others.partition(|placed| form.accepts(placed.answer));
    let email = address::read(&of_address, form.map, &mut problems);
    match email {
        Some(email) if problems.reasons.is_empty() => {
            let properties = fill::properties(&accepted);
            Ok(Person { email, properties, left_out: u64::try_from(left_out.len()).unwrap_or(u64::MAX) })
        }
        _ => Err(problems.reasons),
    }
}

fn check_count(answers: &[FieldAnswer], problems: &mut Problems<'_>) {
    let fields = answers.iter().filter(|answer| !answer.is_about());
    let names: BTreeSet<&[String]> = fields.map(|answer| answer.names.as_slice()).collect();
    if names.len() > SUBMISSION_FIELDS_MAX {
        let message = format!("expected at most {SUBMISSION_FIELDS_MAX} fields");
        problems.note(Reason::InvalidValue, "fields", message);
    }
}

/// Returns the answer with its target, or `None` if it is left out.
fn place<'a>(
    answer: &'a FieldAnswer,
    form: &FormFields<'a>,
    problems: &mut Problems<'_>,
) -> Option<Placed<'a>> {
    let target = answer.names.iter().find_map(|name| form.map.get(name));
    if target == Some(&FieldTarget::Nothing) || (target.is_none() && answer.is_about()) {
        return None;
    }
    // A field that the form does not accept causes no error.
    let is_accepted = target == Some(&FieldTarget::Email) || form.accepts(answer);
    let problem = if target.is_none() && answer.kind == Kind::Unknown {
        let message =
            "is of an unknown type; map it in the form's field_map, or leave it out there with null";
        Some((Reason::UnknownFieldType, message))
    } else if answer.is_cut {
        let message = "was too long to be stored; leave it out in the form's field_map with null";
        Some((Reason::InvalidValue, message))
    } else {
        None
    };
    match problem {
        Some((reason, message)) if is_accepted => {
            problems.note(reason, path(answer.name()), message);
            None
        }
        _ => Some(Placed { answer, target }),
    }
}

impl<'a> Placed<'a> {
    /// Returns true if the answer can only be an address, even if the person's address is in another answer.
    fn is_address_only(&self) -> bool {
        match self.target {
            Some(target) => *target == FieldTarget::Email,
            None => self.answer.own_names().any(|name| name.trim().eq_ignore_ascii_case(EMAIL)),
        }
    }

    /// Returns true if the answer has a value with a visible character.
    fn has_visible_value(&self) -> bool {
        self.values().next().is_some()
    }

    /// Returns the values with a visible character, without control characters.
    fn values(&self) -> impl Iterator<Item = String> + use<'a> {
        let values = self.answer.values.iter().map(|value| without_control_characters(value));
        values.filter(|value| is_visible(value))
    }
}

fn without_control_characters(value: &str) -> String {
    value.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect()
}

/// Returns the path of a field in error responses. Form posts have no object `fields`, but the same path is used for
/// them.
fn path(name: &str) -> String {
    let shown: String = name.chars().take(FIELD_NAME_SHOWN_CHARS_MAX).collect();
    format!("fields.{shown}")
}

#[cfg(test)]
mod tests;
