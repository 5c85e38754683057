//! Who submits, and what they say of themselves: a form's own fields made an address and properties.
//!
//! - A field that the form maps fills what it is mapped to. Of the others, `email` (in any case) is the address, and
//!   every other one fills the property with the name nearest to its own.
//! - Where several fields fill the same property, those that the form maps count and the others do not; of what then
//!   remains, the values are joined with `;`, as those of ticked boxes are.
//! - An empty value says nothing: a box left empty leaves what is known of the person as it is.
//! - Control characters are removed. The person at the form could not see them, let alone remove them.
//! - What is said of the submission itself, such as `page_url`, is kept only where the form maps it.
//! - A name without any letter or digit of any script means nothing, and its value is left out. One with letters of
//!   other scripts alone is near to no property's name, and the form has to map it.

use std::collections::{BTreeMap, BTreeSet};

use api::fields::Errors;
use domain::address::EmailAddress;
use domain::limits::{FIELD_NAME_SHOWN_CHARS_MAX, FORM_FIELD_NAME_CHARS_MAX, SUBMISSION_FIELDS_MAX};
use domain::property::{PropertyName, tidy_name};
use store::FieldTarget;

use crate::sent::Sent;

/// What stands between the values of one property.
const SEPARATOR: &str = ";";

/// A form's own field names, each with what it fills.
pub(crate) type FieldMap = BTreeMap<String, FieldTarget>;

/// Who submits.
pub(crate) struct Person {
    /// Their address.
    pub(crate) email: EmailAddress,
    /// What they say of themselves.
    pub(crate) properties: Vec<(PropertyName, Option<String>)>,
}

/// One value, and where it comes from.
struct Part<'s> {
    /// The field's own name.
    name: &'s str,
    is_mapped: bool,
    value: String,
}

/// Reads the person out of a submission. None if anything is wrong, which is then noted by the field's own name.
pub(crate) fn read(sent: &Sent, map: &FieldMap, errors: &mut Errors) -> Option<Person> {
    let before = errors.count();
    check_names(sent, map, errors);
    let mut filled = fill(sent, map);
    let email = address(filled.remove(&FieldTarget::Email), map, errors);
    let properties =
        filled.into_iter().filter_map(|(target, parts)| property(target, &parts, errors)).collect();
    let person = Person { email: email?, properties };
    (errors.count() == before).then_some(person)
}

fn check_names(sent: &Sent, map: &FieldMap, errors: &mut Errors) {
    let names: BTreeSet<&str> = sent.fields.iter().map(|(name, _)| name.as_str()).collect();
    if names.len() > SUBMISSION_FIELDS_MAX {
        errors.note("fields", format!("expected at most {SUBMISSION_FIELDS_MAX} fields"));
    }
    let (short, long): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| name.chars().count() <= FORM_FIELD_NAME_CHARS_MAX);
    if !long.is_empty() {
        errors.note("fields", format!("expected names of at most {FORM_FIELD_NAME_CHARS_MAX} characters"));
    }
    for name in short.into_iter().filter(|name| target(name, map).is_none() && means_something(name)) {
        errors.note(path(name), "is near to no property's name; map it in the form's field_map");
    }
}

/// The values that are not empty, in their order, by what they fill.
fn fill<'s>(sent: &'s Sent, map: &FieldMap) -> BTreeMap<FieldTarget, Vec<Part<'s>>> {
    let fields = sent.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let about_itself = sent.about_itself().filter(|(name, _)| map.contains_key(*name));
    let mut filled: BTreeMap<FieldTarget, Vec<Part<'s>>> = BTreeMap::new();
    for (name, value) in fields.chain(about_itself) {
        let value = without_control_characters(value);
        if let Some(target) = target(name, map).filter(|_| !value.is_empty()) {
            let part = Part { name, is_mapped: map.contains_key(name), value };
            filled.entry(target).or_default().push(part);
        }
    }
    filled.values_mut().for_each(prefer_mapped);
    filled
}

/// What a field fills; none if its name is near to no property's.
fn target(name: &str, map: &FieldMap) -> Option<FieldTarget> {
    match map.get(name) {
        Some(target) => Some(target.clone()),
        None if name.trim().eq_ignore_ascii_case("email") => Some(FieldTarget::Email),
        None => tidy_name(name).map(FieldTarget::Property),
    }
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

fn address(parts: Option<Vec<Part<'_>>>, map: &FieldMap, errors: &mut Errors) -> Option<EmailAddress> {
    let mut given: Vec<(&str, &str)> = parts
        .iter()
        .flatten()
        .map(|part| (part.name, part.value.trim()))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    given.dedup_by_key(|(_, text)| *text);
    match given.as_slice() {
        [] => errors.note(path(address_field(map)), "is required: the person's e-mail address"),
        [(name, text)] => match EmailAddress::parse(text) {
            Ok(email) => return Some(email),
            Err(error) => errors.note(path(name), error.to_string()),
        },
        [(name, _), ..] => errors.note(path(name), "expected one e-mail address, got several"),
    }
    None
}

/// The field that the address is expected in.
fn address_field(map: &FieldMap) -> &str {
    map.iter().find(|(_, target)| **target == FieldTarget::Email).map_or("email", |(name, _)| name)
}

fn property(
    target: FieldTarget,
    parts: &[Part<'_>],
    errors: &mut Errors,
) -> Option<(PropertyName, Option<String>)> {
    let FieldTarget::Property(property) = target else { return None };
    let value = parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(SEPARATOR);
    match property.check_value(&value) {
        Ok(()) => Some((property, Some(value))),
        Err(error) => {
            errors.note(path(parts.first().map_or("", |part| part.name)), error.to_string());
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
