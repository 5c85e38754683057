//! What a form's own field fills.

use std::fmt;
use std::str::FromStr;

use domain::property::{PropertyName, PropertyNameError};

/// What a field of a form fills: the person's address, or a property.
///
/// `email` is no property's name, so the two never have the same text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FieldTarget {
    /// The person's address.
    Email,
    /// A property of the person.
    Property(PropertyName),
}

/// The text of [`FieldTarget::Email`].
const EMAIL: &str = "email";

impl FromStr for FieldTarget {
    type Err = PropertyNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == EMAIL { Ok(Self::Email) } else { PropertyName::parse(text).map(Self::Property) }
    }
}

impl fmt::Display for FieldTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email => f.write_str(EMAIL),
            Self::Property(name) => f.write_str(name.as_str()),
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
            assert_eq!(text.parse::<FieldTarget>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_parts_of_a_contact_are_no_targets() {
        for text in ["", "Email", "marketing", "hs_marketable_status", "first name"] {
            assert!(text.parse::<FieldTarget>().is_err(), "{text}");
        }
    }
}
