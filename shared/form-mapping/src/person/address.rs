//! The person's address among their answers.
//!
//! It is the value of a field that the form maps to `email`; else of a question that asks for an address; else of a field
//! with a usual name for one, the most usual first; else of a field in whose name a word means e-mail and whose value is an
//! address. Each is looked for only where nothing better was answered.
//!
//! Several fields of the same likeness are one person if their addresses are one, in whatever spelling. White space and
//! unseen characters around an address are pasted along and removed.

use domain::address::{EmailAddress, is_unseen};
use domain::usual_names::{AddressName, address_name};
use store::FieldTarget;

use super::{EMAIL, FieldMap, Placed, Problems, Reason, path};
use crate::answers::Kind;

/// How likely the person's address is to be found in an answer, the likeliest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likeness {
    /// The form maps the field to the address.
    Mapped,
    /// The question asks for an address, with a name that is more or less usual for one.
    Asked(AddressName),
    /// The field's name speaks of an address.
    Named(AddressName),
}

/// The place of a name that says nothing of an address, behind all others.
const UNUSUAL: AddressName = AddressName::Repeated(u32::MAX);

impl Placed<'_> {
    /// Returns how likely the address is to be found here; `None` if it is not, or if nothing was answered.
    pub(super) fn likeness(&self) -> Option<Likeness> {
        let name = || self.answer.own_names().filter_map(address_name).min();
        let likeness = match (self.target, self.answer.kind) {
            (Some(FieldTarget::Email), _) => Likeness::Mapped,
            (Some(_), _) | (None, Kind::Unknown) => return None,
            (None, Kind::Email) => Likeness::Asked(name().unwrap_or(UNUSUAL)),
            (None, _) => Likeness::Named(name()?),
        };
        let is_there = match likeness {
            // Such a name may ask for something else, such as a consent to e-mails.
            Likeness::Named(AddressName::Word(_) | AddressName::Repeated(_)) => {
                self.addresses().next().is_some()
            }
            _ => self.says_something(),
        };
        is_there.then_some(likeness)
    }

    fn addresses(&self) -> impl Iterator<Item = EmailAddress> {
        self.values().filter_map(|value| EmailAddress::parse(value.trim_matches(is_unseen)).ok())
    }
}

/// Returns the one address of these answers, or notes why there is none.
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

/// Returns the name of the first field with a value.
fn first_name<'a>(placed: &[&Placed<'a>]) -> &'a str {
    placed.iter().find(|placed| placed.says_something()).map_or(EMAIL, |placed| placed.answer.name())
}

/// Returns the field that the address is expected in.
fn expected_field(map: &FieldMap) -> &str {
    map.iter().find(|(_, target)| **target == FieldTarget::Email).map_or(EMAIL, |(name, _)| name)
}
