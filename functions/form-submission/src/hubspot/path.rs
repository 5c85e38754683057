//! The names of an account and a form in `HubSpot`'s paths.

use std::str::FromStr;

use domain::ids::{AccountId, FormId, IdError, PortalId};
use store::Form;

/// An account in `HubSpot`'s paths: its portal number, as `HubSpot`'s clients send it, or its id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Portal {
    /// Its portal number.
    Number(PortalId),
    /// Its id.
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

/// Parses a form in `HubSpot`'s paths: its guid, as `HubSpot`'s clients send it, or its id.
pub(super) fn form(text: &str) -> Result<FormId, IdError> {
    FormId::from_guid(text).or_else(|_| text.parse())
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn account_is_named_by_its_number_or_its_id() {
        let id = AccountId::new(Timestamp::from_millis(1_800_000_000_000), 1);
        let number = PortalId::new(7);
        assert_eq!(id.to_string().parse(), Ok(Portal::Id(id)));
        assert_eq!(number.to_string().parse(), Ok(Portal::Number(number)));
        assert!(
            "62515".parse::<Portal>().is_err(),
            "HubSpot's own numbers of fewer digits are no portal here"
        );
    }

    #[test]
    fn form_is_named_by_its_guid_or_its_id() {
        let id = FormId::new(Timestamp::from_millis(1_800_000_000_000), 1);
        for name in [id.to_string(), id.guid(), id.guid().to_uppercase()] {
            assert_eq!(form(&name), Ok(id), "{name}");
        }
        assert!(form("x").is_err());
    }
}
