//! The search for the person's address among the answers.
//!
//! The address is the value of the first of these that has a visible value:
//!
//! - a field that the form maps to `email`;
//! - a question that asks for an address;
//! - a field with a usual name for an address, the most usual first;
//! - a field whose name contains a word for e-mail and whose value is an address.
//!
//! Several fields of the same likeness are accepted if they contain spellings of one address. White space and unseen
//! characters around an address are removed, because they are copied along unnoticed.

use domain::address::{EmailAddress, is_unseen};
use domain::usual_names::{AddressName, address_name};
use store::FieldTarget;

use super::{EMAIL, FieldMap, Placed, Problems, Reason, path};
use crate::answers::Kind;

/// The likeness of an answer to the person's address, the likeliest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likeness {
    /// The form maps the field to the address.
    Mapped,
    /// The question asks for an address, with a name that may be usual for one.
    Asked(AddressName),
    /// The field's name refers to an address.
    Named(AddressName),
}

/// The rank of a name that does not refer to an address, after all others.
const UNUSUAL: AddressName = AddressName::Repeated(u32::MAX);

impl Placed<'_> {
    /// Returns the likeness of the answer to the address. Returns `None` if it cannot be the address, or has no visible
    /// value.
    pub(super) fn likeness(&self) -> Option<Likeness> {
        let name = || self.answer.own_names().filter_map(address_name).min();
        let likeness = match (self.target, self.answer.kind) {
            (Some(FieldTarget::Email), _) => Likeness::Mapped,
            (Some(_), _) | (None, Kind::Unknown) => return None,
            (None, Kind::Email) => Likeness::Asked(name().unwrap_or(UNUSUAL)),
            (None, _) => Likeness::Named(name()?),
        };
        let has_value = match likeness {
            // Such a field may ask for something else, such as consent to e-mails.
            Likeness::Named(AddressName::Word(_) | AddressName::Repeated(_)) => {
                self.addresses().next().is_some()
            }
            _ => self.has_visible_value(),
        };
        has_value.then_some(likeness)
    }

    fn addresses(&self) -> impl Iterator<Item = EmailAddress> {
        self.values().filter_map(|value| EmailAddress::parse(value.trim_matches(is_unseen)).ok())
    }
}

/// Returns the only address of these answers, or adds the error if there is none or more than one.
pub(super) fn read(
    placed: &[&Placed<'_>],
    map: &FieldMap,
    problems: &mut Problems<'_>,
) -> Option<EmailAddress> {
    let mut addresses = placed.iter().flat_map(|placed| placed.addresses());
    if let Some(email) = addresses.next() {
        if addresses.all(|other| other.same_as(&email)) {
            return Some(email);
        }
        let message = "expected one e-mail address, got several";
        problems.note(Reason::SeveralAddresses, path(first_name(placed)), message);
        return None;
    }
    match placed.iter().find_map(|placed| placed.values().next()) {
        None => {
            let message = "is required: the person's e-mail address";
            problems.note(Reason::NoAddress, path(expected_field(map)), message);
        }
        Some(value) => {
            let error = EmailAddress::parse(value.trim_matches(is_unseen)).err();
            let message = error.map(|error| error.to_string()).unwrap_or_default();
            problems.note(Reason::InvalidAddress, path(first_name(placed)), message);
        }
    }
    None
}

/// Returns the name of the first field with a visible value.
fn first_name<'a>(placed: &[&Placed<'a>]) -> &'a str {
    placed.iter().find(|placed| placed.has_visible_value()).map_or(EMAIL, |placed| placed.answer.name())
}

/// Returns the name of the field in which the address is expected.
fn expected_field(map: &FieldMap) -> &str {
    map.iter().find(|(_, target)| **target == FieldTarget::Email).map_or(EMAIL, |(name, _)| name)
}
