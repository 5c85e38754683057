//! The part of a contact that a column fills.

use std::str::FromStr;

use domain::property::{PropertyName, PropertyNameError};
use serde::{Deserialize, Serialize};

/// The text of [`Target::Email`].
const EMAIL: &str = "email";

/// The text of [`Target::Unsubscribed`].
pub(crate) const UNSUBSCRIBED: &str = "unsubscribed";

/// The text of [`Target::Bounced`].
pub(crate) const BOUNCED: &str = "bounced";

/// The part of a contact that a column fills.
///
/// No property has the name of another part, so each text is one target. `Nothing` has no text: it is `null` in
/// requests and stored items.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "Option<String>", into = "Option<String>")]
pub enum Target {
    /// The contact's address.
    Email,
    /// The fact that the address is unsubscribed from marketing.
    Unsubscribed,
    /// The fact that the address has bounced.
    Bounced,
    /// A property of the contact.
    Property(PropertyName),
    /// Nothing: the column is left out.
    Nothing,
}

impl Target {
    /// Returns the target's name, or `None` if the column is left out.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Email => Some(EMAIL),
            Self::Unsubscribed => Some(UNSUBSCRIBED),
            Self::Bounced => Some(BOUNCED),
            Self::Property(name) => Some(name.as_str()),
            Self::Nothing => None,
        }
    }
}

impl FromStr for Target {
    type Err = PropertyNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            EMAIL => Self::Email,
            UNSUBSCRIBED => Self::Unsubscribed,
            BOUNCED => Self::Bounced,
            _ => Self::Property(PropertyName::parse(text)?),
        })
    }
}

impl TryFrom<Option<String>> for Target {
    type Error = PropertyNameError;

    fn try_from(text: Option<String>) -> Result<Self, Self::Error> {
        text.map_or(Ok(Self::Nothing), |text| text.parse())
    }
}

impl From<Target> for Option<String> {
    fn from(target: Target) -> Self {
        target.name().map(str::to_owned)
    }
}
