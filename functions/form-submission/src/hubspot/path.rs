//! The identifiers of an account and a form in `HubSpot`'s paths.

use std::str::FromStr;

use domain::ids::{AccountId, FormId, IdError, PortalId};
use store::Form;

/// The account in one of `HubSpot`'s paths. `HubSpot`'s clients send the portal number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Portal {
    /// The account's portal number.
    Number(PortalId),
    /// The account's id.
    Id(AccountId),
}

impl Portal {
    /// Returns true if the form belongs to this account.
    pub(super) fn has(self, form: &Form) -> bool {
        match self {
            Self::Number(portal) => form.portal == portal,
            Self::Id(account) => form.account == account,
        }
    }
}

impl FromStr for Portal {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(Self::Number).or_else(|_| text.parse().map(Self::Id))
    }
}

/// Parses a form's guid or id from one of `HubSpot`'s paths. `HubSpot`'s clients send the guid.
pub(super) fn form(text: &str) -> Result<FormId, IdError> {
    FormId::from_guid(text).or_else(|_| text.parse())
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn portal_parses_from_number_or_id() {
        let id = AccountId::new(Timestamp::from_millis(1_800_000_000_000), 1);
        let number = PortalId::new(7);
        assert_eq!(id.to_string().parse(), Ok(Portal::Id(id)));
        assert_eq!(number.to_string().parse(), Ok(Portal::Number(number)));
        assert!(
            "62515".parse::<Portal>().is_err(),
            "HubSpot's own, shorter numbers are not portal numbers here"
        );
    }

    #[test]
    fn form_parses_from_guid_or_id() {
        let id = FormId::new(Timestamp::from_millis(1_800_000_000_000), 1);
        for name in [id.to_string(), id.guid(), id.guid().to_uppercase()] {
            assert_eq!(form(&name), Ok(id), "{name}");
        }
        assert!(form("x").is_err());
    }
}
