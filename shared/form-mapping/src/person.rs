//! Who submits, and what they say of themselves: answers made an address and properties.
//!
//! It is the same for every sender: a form that was made here, `HubSpot`'s endpoint, the providers' webhooks.
//!
//! - An answer that the form maps, by any of its names, fills what it is mapped to, or nothing.
//! - The address is found as [`address`] says. An unmapped `email` (in any case) is never anything else.
//! - Every other answer fills a property as [`fill`] says.
//! - A form that lists the fields that it takes leaves the others out. The address is always taken.
//! - A value without anything visible says nothing: a box left empty leaves what is known of the person as it is.
//! - Control characters are removed. The person at the form could not see them, let alone remove them.
//! - What is said of the submission itself, such as `page_url` or the answer to a captcha, is kept only where the form maps
//!   it.
//! - An answer of a type that nothing is known of has to be mapped.

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

/// The name that is never a property's own.
const EMAIL: &str = "email";

/// A form's own field names, each with what it fills.
pub type FieldMap = BTreeMap<String, FieldTarget>;

/// The fields of a form, as far as the form says something of them.
pub struct FormFields<'f> {
    /// What they fill.
    map: &'f FieldMap,
    /// Those that the form takes, in the form in which names compare; `None` for all.
    taken: Option<BTreeSet<String>>,
}

impl<'f> From<&'f Form> for FormFields<'f> {
    fn from(form: &'f Form) -> Self {
        Self::new(&form.field_map, form.fields.as_ref())
    }
}

impl<'f> FormFields<'f> {
    /// The fields of a form that maps them so and takes these, or all.
    pub fn new(map: &'f FieldMap, taken: Option<&BTreeSet<String>>) -> Self {
        Self { map, taken: taken.map(|names| names.iter().map(|name| field_key(name)).collect()) }
    }

    /// Returns true if the form takes the answer, by any of its names.
    fn take(&self, answer: &FieldAnswer) -> bool {
        let is_among =
            |taken: &BTreeSet<String>| answer.names.iter().any(|name| taken.contains(&field_key(name)));
        answer.is_about() || self.taken.as_ref().is_none_or(is_among)
    }
}

/// Who submits.
pub struct Person {
    /// Their address.
    pub email: EmailAddress,
    /// What they say of themselves.
    pub properties: Vec<(PropertyName, Option<String>)>,
    /// The number of fields that the form does not take.
    pub left_out: u64,
}

string_enum! {
    /// Why answers are no person's. Where there are several reasons it is the first of these.
    pub enum Reason {
        /// There is no address among them.
        NoAddress = "no-address",
        /// What stands in an address's place is none.
        InvalidAddress = "invalid-address",
        /// There are several addresses, and nothing says which one is the person's.
        SeveralAddresses = "several-addresses",
        /// A question is of a type that nothing is known of, and the form does not map it.
        UnknownFieldType = "unknown-field-type",
        /// There are too many fields, or a value was cut when it was kept.
        InvalidValue = "invalid-value",
        /// The delivery was made so long ago that a repeat of it would no longer be known.
        Stale = "stale",
    }
}

/// Answers that are no person's.
pub struct Rejection {
    /// Why, in a word.
    pub reason: Reason,
    /// Everything that is wrong with them, by the field's own names: `fields.Your email`.
    pub errors: Vec<FieldError>,
}

/// What is wrong with answers, while they are read.
struct Problems<'e> {
    errors: &'e mut Errors,
    /// Of each of them.
    reasons: Vec<Reason>,
}

impl Problems<'_> {
    fn note(&mut self, reason: Reason, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(field, message);
        self.reasons.push(reason);
    }
}

/// An answer that has not been left out, and what the form says that it fills.
struct Placed<'a> {
    answer: &'a FieldAnswer,
    target: Option<&'a FieldTarget>,
}

/// Makes a person of answers.
///
/// # Errors
///
/// Everything that is wrong with them.
pub fn of_answers(answers: &[FieldAnswer], form: &FormFields<'_>) -> Result<Person, Rejection> {
    let mut errors = Errors::default();
    read(answers, form, &mut errors).map_err(|reasons| {
        let reason = reasons.into_iter().min().unwrap_or(Reason::NoAddress);
        let problem = errors.check().err();
        Rejection { reason, errors: problem.map(|problem| problem.errors().to_vec()).unwrap_or_default() }
    })
}

/// Makes a person of answers, and notes what is wrong by the field's own name.
///
/// # Errors
///
/// The reasons for which they are no person's, one for each thing that is noted.
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
    let others = others.into_iter().filter(|placed| !placed.is_address_alone() && placed.says_something());
    let (taken, left_out): (Vec<_>, Vec<_>) = others.partition(|placed| form.take(placed.answer));
    let email = address::read(&of_address, form.map, &mut problems);
    match email {
        Some(email) if problems.reasons.is_empty() => {
            let properties = fill::properties(&taken);
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

/// What the form says of an answer; none if it is left out.
fn place<'a>(
    answer: &'a FieldAnswer,
    form: &FormFields<'a>,
    problems: &mut Problems<'_>,
) -> Option<Placed<'a>> {
    let target = answer.names.iter().find_map(|name| form.map.get(name));
    if target == Some(&FieldTarget::Nothing) || (target.is_none() && answer.is_about()) {
        return None;
    }
    // What the form leaves out can't be wrong.
    let is_wanted = target == Some(&FieldTarget::Email) || form.take(answer);
    let problem = if target.is_none() && answer.kind == Kind::Unknown {
        let message =
            "is of an unknown type; map it in the form's field_map, or leave it out there with null";
        Some((Reason::UnknownFieldType, message))
    } else if answer.is_cut {
        let message = "was too long to be kept; leave it out in the form's field_map with null";
        Some((Reason::InvalidValue, message))
    } else {
        None
    };
    match problem {
        Some((reason, message)) if is_wanted => {
            problems.note(reason, path(answer.name()), message);
            None
        }
        _ => Some(Placed { answer, target }),
    }
}

impl<'a> Placed<'a> {
    /// Whether an address is all that it could be, even if the person's has been found elsewhere.
    fn is_address_alone(&self) -> bool {
        match self.target {
            Some(target) => *target == FieldTarget::Email,
            None => self.answer.own_names().any(|name| name.trim().eq_ignore_ascii_case(EMAIL)),
        }
    }

    /// Returns true if something visible was answered.
    fn says_something(&self) -> bool {
        self.values().next().is_some()
    }

    /// The values with something visible in them, without control characters.
    fn values(&self) -> impl Iterator<Item = String> + use<'a> {
        let values = self.answer.values.iter().map(|value| without_control_characters(value));
        values.filter(|value| is_visible(value))
    }
}

fn without_control_characters(value: &str) -> String {
    value.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect()
}

/// Where in the request a field stands. Form posts have no `fields`, but their problems are told alike.
fn path(name: &str) -> String {
    let shown: String = name.chars().take(FIELD_NAME_SHOWN_CHARS_MAX).collect();
    format!("fields.{shown}")
}

#[cfg(test)]
mod tests;
