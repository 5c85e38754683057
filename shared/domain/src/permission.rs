//! Who asks, and what that one may do.

use crate::ids::{AccountId, IntegrationId, UserId};
use crate::source::{Actor, Source, SourceType};
use crate::string_enum::string_enum;

string_enum! {
    /// A user's role. Only admins manage users, tokens and the account.
    pub enum Role {
        /// Works with contacts and forms.
        Member = "member",
        /// Manages the account as well.
        Admin = "admin",
    }
}

/// Whose token it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PrincipalKind {
    /// A user of the account.
    User {
        /// Which one.
        id: UserId,
        /// Their role.
        role: Role,
    },
    /// An integration.
    Integration {
        /// Which one.
        id: IntegrationId,
        /// Whether contacts that it creates are set marketing.
        set_marketing: bool,
    },
}

/// The account and the user or integration that a request acts for. It comes from the token alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Principal {
    /// The one account that the token belongs to.
    pub account: AccountId,
    /// Whose token it is.
    pub caller: PrincipalKind,
    /// The user's or integration's name.
    pub name: String,
    /// The permission `modify_marketing_contacts`.
    pub modify_marketing_contacts: bool,
}

impl std::fmt::Debug for Principal {
    /// Without the name, which is a person's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Principal").field("account", &self.account).field("caller", &self.caller).finish()
    }
}

impl Principal {
    /// Whether users, tokens, the account and the sandbox clock may be managed.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        matches!(self.caller, PrincipalKind::User { role: Role::Admin, .. })
    }

    /// As the one by whom a state is changed.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self.caller {
            PrincipalKind::User { id, .. } => Actor::User(id),
            PrincipalKind::Integration { id, .. } => Actor::Integration(id),
        }
    }

    /// As the source of a change when the request names no other: `manual` for a user's token, `integration` for
    /// an integration's.
    #[must_use]
    pub fn source(&self) -> Source {
        let (kind, id) = match self.caller {
            PrincipalKind::User { id, .. } => (SourceType::Manual, id.to_string()),
            PrincipalKind::Integration { id, .. } => (SourceType::Integration, id.to_string()),
        };
        Source { kind, name: self.name.clone(), id: Some(id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn principal(caller: PrincipalKind) -> Principal {
        Principal {
            account: AccountId::new(Timestamp::MIN, 1),
            caller,
            name: "Ada".to_owned(),
            modify_marketing_contacts: true,
        }
    }

    fn callers() -> [PrincipalKind; 3] {
        let id = UserId::new(Timestamp::MIN, 2);
        [
            PrincipalKind::User { id, role: Role::Admin },
            PrincipalKind::User { id, role: Role::Member },
            PrincipalKind::Integration { id: IntegrationId::new(Timestamp::MIN, 3), set_marketing: true },
        ]
    }

    #[test]
    fn of_all_callers_only_an_admin_may_manage_the_account() {
        assert_eq!(callers().map(|caller| principal(caller).is_admin()), [true, false, false]);
    }

    #[test]
    fn what_is_shown_of_a_caller_is_no_name() {
        for caller in callers() {
            let said = format!("{caller:?}");
            let shown = format!("{:?}", principal(caller));
            assert!(shown.contains("acc_") && shown.contains(&said), "{shown}");
            assert!(!shown.contains("Ada"), "{shown}");
        }
    }
}
