//! The caller of a request and its permissions.

use crate::ids::{AccountId, IntegrationId, UserId};
use crate::source::{Actor, Source, SourceType};
use crate::string_enum::string_enum;

string_enum! {
    /// A user's role. Only admins manage users, tokens and the account.
    pub enum Role {
        /// A user who works with contacts and forms.
        Member = "member",
        /// A user who also manages the account.
        Admin = "admin",
    }
}

/// The kind of caller that a token belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PrincipalKind {
    /// A user of the account.
    User {
        /// The user's id.
        id: UserId,
        /// The user's role.
        role: Role,
    },
    /// An integration.
    Integration {
        /// The integration's id.
        id: IntegrationId,
        /// True if contacts that the integration creates are set marketing.
        set_marketing: bool,
    },
}

/// The account and the user or integration that a request acts for. Both follow from the token alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Principal {
    /// The account that the token belongs to.
    pub account: AccountId,
    /// The user or integration that the token belongs to.
    pub caller: PrincipalKind,
    /// The user's or integration's name.
    pub name: String,
    /// True if the caller has the permission `modify_marketing_contacts`.
    pub modify_marketing_contacts: bool,
}

impl std::fmt::Debug for Principal {
    /// Formats the principal without its name, which is personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Principal").field("account", &self.account).field("caller", &self.caller).finish()
    }
}

impl Principal {
    /// Returns true if the caller may manage users, tokens, the account and the sandbox clock.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        matches!(self.caller, PrincipalKind::User { role: Role::Admin, .. })
    }

    /// Returns the caller as the actor of a change.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self.caller {
            PrincipalKind::User { id, .. } => Actor::User(id),
            PrincipalKind::Integration { id, .. } => Actor::Integration(id),
        }
    }

    /// Returns the source of a change if the request names no other: `manual` for a user's token, `integration` for an
    /// integration's.
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
    fn only_an_admin_may_manage_the_account() {
        assert_eq!(callers().map(|caller| principal(caller).is_admin()), [true, false, false]);
    }

    #[test]
    fn debug_output_contains_no_name() {
        for caller in callers() {
            let kind = format!("{caller:?}");
            let shown = format!("{:?}", principal(caller));
            assert!(shown.contains("acc_") && shown.contains(&kind), "{shown}");
            assert!(!shown.contains("Ada"), "{shown}");
        }
    }
}
