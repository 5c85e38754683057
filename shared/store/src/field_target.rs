//! The target of a form's own field.

use std::str::FromStr;

use domain::property::{PropertyName, PropertyNameError};

/// The target of a form's field: the contact's address, a property, or nothing.
///
/// No property is named `email`, so the address and a property never have the same text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FieldTarget {
    /// The contact's address.
    Email,
    /// A property of the contact.
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
    /// Returns the target's name. `None` if the field is left out.
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
    fn target_has_one_text() {
        assert_eq!("email".parse(), Ok(FieldTarget::Email));
        let firstname = PropertyName::parse("firstname").unwrap();
        assert_eq!("firstname".parse(), Ok(FieldTarget::Property(firstname)));
        for text in ["email", "firstname", "email_2"] {
            assert_eq!(text.parse::<FieldTarget>().unwrap().name(), Some(text));
        }
        assert_eq!(FieldTarget::Nothing.name(), None);
    }

    #[test]
    fn other_parts_of_a_contact_are_not_targets() {
        for text in ["", "Email", "marketing", "hs_marketable_status", "first name"] {
            assert!(text.parse::<FieldTarget>().is_err(), "{text}");
        }
    }
}
