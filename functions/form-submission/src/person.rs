//! Who submits, and what they say of themselves: answers made an address and properties.
//!
//! It is the same for every sender: a form that was made here, `HubSpot`'s endpoint, the providers' webhooks.
//!
//! - An answer that the form maps, by any of its names, fills what it is mapped to, or nothing.
//! - The address is that of the answers that the form maps to it; else of a question that asks for an address; else of
//!   a field with a name that is usual for one (`USUAL_NAMES`), the most usual first. An unmapped `email` (in any case)
//!   is never anything else.
//! - Every other answer fills the property with the name nearest to its own.
//! - Where several answers fill the same property, those that the form maps count and the others do not; of what then
//!   remains, the values are joined with `;`, as those of ticked boxes are.
//! - An empty value says nothing: a box left empty leaves what is known of the person as it is.
//! - Control characters are removed. The person at the form could not see them, let alone remove them.
//! - What is said of the submission itself, such as `page_url`, is kept only where the form maps it.
//! - A name without any letter or digit of any script means nothing, and its value is left out. One with letters of
//!   other scripts alone is near to no property's name, and the form has to map it.
//! - So it is with an answer of a type that nothing is known of.

use std::collections::{BTreeMap, BTreeSet};

use api::fields::Errors;
use api::problem::FieldError;
use domain::address::EmailAddress;
use domain::limits::{FIELD_NAME_SHOWN_CHARS_MAX, FORM_FIELD_NAME_CHARS_MAX, SUBMISSION_FIELDS_MAX};
use domain::property::{PropertyName, tidy_name};
use domain::words;
use store::FieldTarget;

use crate::answers::{Answer, Kind};

/// What stands between the values of one property.
const SEPARATOR: &str = ";";

/// The name that is never a property's own.
const EMAIL: &str = "email";

/// The names that fields for an address usually have, the most usual first, in lower case and without anything but
/// letters and digits: `your-email` and `Your email *` are `youremail`.
const USUAL_NAMES: [&str; 22] = [
    EMAIL,
    "emailaddress",
    "youremail",
    "youremailaddress",
    "mail",
    "mailaddress",
    "yourmail",
    "emailaddr",
    "useremail",
    "contactemail",
    "customeremail",
    "workemail",
    "businessemail",
    "companyemail",
    "emailid",
    "emailadresse",
    "mailadresse",
    "adresseemail",
    "courriel",
    "correo",
    "correoelectronico",
    "correoelectrónico",
];

/// A form's own field names, each with what it fills.
pub(crate) type FieldMap = BTreeMap<String, FieldTarget>;

/// Who submits.
pub(crate) struct Person {
    /// Their address.
    pub(crate) email: EmailAddress,
    /// What they say of themselves.
    pub(crate) properties: Vec<(PropertyName, Option<String>)>,
}

words! {
    /// Why answers are no person's. Where there are several reasons it is the first of these.
    pub(crate) enum Reason {
        /// There is no address among them.
        NoAddress = "no-address",
        /// What stands in an address's place is none.
        InvalidAddress = "invalid-address",
        /// There are several addresses, and nothing says which one is the person's.
        SeveralAddresses = "several-addresses",
        /// A question is of a type that nothing is known of, and the form does not map it.
        UnknownFieldType = "unknown-field-type",
        /// A field's name is near to no property's, and the form does not map it.
        UnmappedField = "unmapped-field",
        /// A value cannot be a property's, or there are too many of them.
        InvalidValue = "invalid-value",
    }
}

/// Answers that are no person's.
pub(crate) struct Rejection {
    /// Why, in a word.
    pub(crate) reason: Reason,
    /// Everything that is wrong with them, by the field's own names: `fields.Your email`.
    pub(crate) errors: Vec<FieldError>,
}

/// What is wrong with answers, while they are read.
struct Problems<'e> {
    errors: &'e mut Errors,
    /// Of each of them.
    reasons: Vec<Reason>,
}

impl Problems<'_> {
    fn note(&mut self, reason: Reason, field: impl Into<String>, message: impl Into<String>) {
        self.errors.note(field, message);
        self.reasons.push(reason);
    }
}

/// One value, and where it comes from.
struct Part<'a> {
    /// The field's own name.
    name: &'a str,
    is_mapped: bool,
    value: String,
}

/// An answer that has not been left out, and what the form says that it fills.
struct Placed<'a> {
    answer: &'a Answer,
    target: Option<&'a FieldTarget>,
}

/// Makes a person of answers.
///
/// # Errors
///
/// Everything that is wrong with them.
pub(crate) fn of_answers(answers: &[Answer], map: &FieldMap) -> Result<Person, Rejection> {
    let mut errors = Errors::default();
    read(answers, map, &mut errors).map_err(|reasons| {
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
pub(crate) fn read(answers: &[Answer], map: &FieldMap, errors: &mut Errors) -> Result<Person, Vec<Reason>> {
    let mut problems = Problems { errors, reasons: Vec::new() };
    check_names(answers, &mut problems);
    let placed: Vec<Placed<'_>> =
        answers.iter().filter_map(|answer| place(answer, map, &mut problems)).collect();
    let best = placed.iter().filter_map(Placed::rank).min();
    let (of_address, others): (Vec<_>, Vec<_>) =
        placed.iter().partition(|placed| best.is_some() && placed.rank() == best);
    let filled = fill(&others, &mut problems);
    let email = address(&of_address, map, &mut problems);
    let properties: Vec<_> =
        filled.into_iter().filter_map(|(name, parts)| property(name, &parts, &mut problems)).collect();
    match email {
        Some(email) if problems.reasons.is_empty() => Ok(Person { email, properties }),
        _ => Err(problems.reasons),
    }
}

fn check_names(answers: &[Answer], problems: &mut Problems<'_>) {
    let fields = answers.iter().filter(|answer| answer.kind != Kind::About);
    let names: BTreeSet<&[String]> = fields.map(|answer| answer.names.as_slice()).collect();
    if names.len() > SUBMISSION_FIELDS_MAX {
        problems.note(
            Reason::InvalidValue,
            "fields",
            format!("expected at most {SUBMISSION_FIELDS_MAX} fields"),
        );
    }
    if names.iter().copied().flatten().any(|name| is_long(name)) {
        let message = format!("expected names of at most {FORM_FIELD_NAME_CHARS_MAX} characters");
        problems.note(Reason::InvalidValue, "fields", message);
    }
}

fn is_long(name: &str) -> bool {
    name.chars().count() > FORM_FIELD_NAME_CHARS_MAX
}

/// What the form says of an answer; none if it is left out.
fn place<'a>(answer: &'a Answer, map: &'a FieldMap, problems: &mut Problems<'_>) -> Option<Placed<'a>> {
    let target = answer.names.iter().find_map(|name| map.get(name));
    if target == Some(&FieldTarget::Nothing) || (target.is_none() && answer.kind == Kind::About) {
        return None;
    }
    if target.is_none() && answer.kind == Kind::Unknown {
        let message =
            "is of an unknown type; map it in the form's field_map, or leave it out there with null";
        problems.note(Reason::UnknownFieldType, path(answer.name()), message);
        return None;
    }
    if answer.is_cut {
        let message = "was too long to be kept; leave it out in the form's field_map with null";
        problems.note(Reason::InvalidValue, path(answer.name()), message);
        return None;
    }
    Some(Placed { answer, target })
}

impl<'a> Placed<'a> {
    /// How likely the address is to be found here, the lowest first; none if it is not, or if nothing was answered.
    fn rank(&self) -> Option<(u8, usize)> {
        let rank = match (self.target, self.answer.kind) {
            (Some(FieldTarget::Email), _) => (0, 0),
            (Some(_), _) => return None,
            (None, Kind::Email) => (1, self.usual().unwrap_or(usize::MAX)),
            (None, _) => (2, self.usual()?),
        };
        self.values().any(|value| !value.trim().is_empty()).then_some(rank)
    }

    /// How usual its name is for an address.
    fn usual(&self) -> Option<usize> {
        self.answer.names.iter().filter_map(|name| usual(name)).min()
    }

    /// Whether an address is all that it could be, even if the person's has been found elsewhere.
    fn is_address_alone(&self) -> bool {
        match self.target {
            Some(target) => *target == FieldTarget::Email,
            None => self.answer.names.iter().any(|name| name.trim().eq_ignore_ascii_case(EMAIL)),
        }
    }

    fn values(&self) -> impl Iterator<Item = String> + use<'a> {
        self.answer
            .values
            .iter()
            .map(|value| without_control_characters(value))
            .filter(|value| !value.is_empty())
    }
}

/// How usual a name is for an address. `form_fields[email]` is as usual as `email`.
fn usual(name: &str) -> Option<usize> {
    let innermost = name.trim_end_matches(']').rsplit('[').next().unwrap_or(name);
    [name, innermost].into_iter().find_map(|name| {
        let letters = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
        let letters: String = letters.take(FORM_FIELD_NAME_CHARS_MAX).collect();
        USUAL_NAMES.iter().position(|usual| *usual == letters)
    })
}

/// The values that are not empty, in their order, by the property that they fill.
fn fill<'a>(others: &[&Placed<'a>], problems: &mut Problems<'_>) -> BTreeMap<PropertyName, Vec<Part<'a>>> {
    let mut filled: BTreeMap<PropertyName, Vec<Part<'a>>> = BTreeMap::new();
    let mut nameless = BTreeSet::new();
    for placed in others.iter().filter(|placed| !placed.is_address_alone()) {
        let answer = placed.answer;
        let property = match placed.target {
            Some(FieldTarget::Property(property)) => Some(property.clone()),
            Some(_) => continue,
            None => answer.names.iter().find_map(|name| tidy_name(name)),
        };
        let Some(property) = property else {
            nameless.insert(answer.name());
            continue;
        };
        for value in placed.values() {
            let part = Part { name: answer.name(), is_mapped: placed.target.is_some(), value };
            filled.entry(property.clone()).or_default().push(part);
        }
    }
    for name in nameless.into_iter().filter(|name| means_something(name) && !is_long(name)) {
        let message = "is near to no property's name; map it in the form's field_map";
        problems.note(Reason::UnmappedField, path(name), message);
    }
    filled.values_mut().for_each(prefer_mapped);
    filled
}

/// Whether a name has letters or digits, of whatever script.
fn means_something(name: &str) -> bool {
    name.chars().any(char::is_alphanumeric)
}

fn without_control_characters(value: &str) -> String {
    value.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect()
}

fn prefer_mapped(parts: &mut Vec<Part<'_>>) {
    if parts.iter().any(|part| part.is_mapped) {
        parts.retain(|part| part.is_mapped);
    }
}

fn address(placed: &[&Placed<'_>], map: &FieldMap, problems: &mut Problems<'_>) -> Option<EmailAddress> {
    let given = placed.iter().flat_map(|placed| placed.values().map(|value| (placed.answer.name(), value)));
    let mut given: Vec<(&str, String)> = given
        .map(|(name, value)| (name, value.trim().to_owned()))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    given.dedup_by(|(_, one), (_, other)| one == other);
    match given.as_slice() {
        [] => {
            let message = "is required: the person's e-mail address";
            problems.note(Reason::NoAddress, path(address_field(map)), message);
        }
        [(name, text)] => match EmailAddress::parse(text) {
            Ok(email) => return Some(email),
            Err(error) => problems.note(Reason::InvalidAddress, path(name), error.to_string()),
        },
        [(name, _), ..] => {
            let message = "expected one e-mail address, got several";
            problems.note(Reason::SeveralAddresses, path(name), message);
        }
    }
    None
}

/// The field that the address is expected in.
fn address_field(map: &FieldMap) -> &str {
    map.iter().find(|(_, target)| **target == FieldTarget::Email).map_or(EMAIL, |(name, _)| name)
}

fn property(
    name: PropertyName,
    parts: &[Part<'_>],
    problems: &mut Problems<'_>,
) -> Option<(PropertyName, Option<String>)> {
    let value = parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(SEPARATOR);
    match name.check_value(&value) {
        Ok(()) => Some((name, Some(value))),
        Err(error) => {
            let field = path(parts.first().map_or("", |part| part.name));
            problems.note(Reason::InvalidValue, field, error.to_string());
            None
        }
    }
}

/// Where in the request a field stands. Form posts have no `fields`, but their problems are told alike.
fn path(name: &str) -> String {
    let shown: String = name.chars().take(FIELD_NAME_SHOWN_CHARS_MAX).collect();
    format!("fields.{shown}")
}

#[cfg(test)]
mod tests;
