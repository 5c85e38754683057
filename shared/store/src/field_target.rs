//! What a form's own field fills.

use std::str::FromStr;

use domain::property::{PropertyName, PropertyNameError};

/// What a field of a form fills: the person's address, a property, or nothing.
///
/// `email` is no property's name, so the two never have the same text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FieldTarget {
    /// The person's address.
    Email,
    /// A property of the person.
    Property(PropertyName),
    /// Nothing: the field is left out.
    Nothing,
}

/// The text of [`FieldTarget::Email`].
const EMAIL: &str = "email";

impl FromStr for FieldTarget {
    type Err = PropertyNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == EMAIL { Ok(Self::Email) } else { PropertyName::parse(text).map(Self::Property) }
    }
}

impl FieldTarget {
    /// The name of what is filled; none for nothing.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Email => Some(EMAIL),
            Self::Property(name) => Some(name.as_str()),
            Self::Nothing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_and_the_properties_have_one_text_each() {
        assert_eq!("email".parse(), Ok(FieldTarget::Email));
        let firstname = PropertyName::parse("firstname").unwrap();
        assert_eq!("firstname".parse(), Ok(FieldTarget::Property(firstname)));
        for text in ["email", "firstname", "email_2"] {
            assert_eq!(text.parse::<FieldTarget>().unwrap().name(), Some(text));
        }
        assert_eq!(FieldTarget::Nothing.name(), None);
    }

    #[test]
    fn other_parts_of_a_contact_are_no_targets() {
        for text in ["", "Email", "marketing", "hs_marketable_status", "first name"] {
            assert!(text.parse::<FieldTarget>().is_err(), "{text}");
        }
    }
}
