//! What set a state: the source, the actor behind it, and the default status that a source gives.

use std::collections::BTreeMap;

use crate::ids::{FormId, IntegrationId, UserId};
use crate::provider::Provider;
use crate::string_enum::string_enum;

string_enum! {
    /// The kind of a source that creates contacts or sets their state (the crate's `README.md`, Default status by
    /// source).
    pub enum SourceType {
        /// A form made in the account.
        Form = "form",
        /// A form that the account did not make here.
        ExternalForm = "external_form",
        /// A chat flow.
        Chatflow = "chatflow",
        /// An import.
        Import = "import",
        /// An integration, by its own token.
        Integration = "integration",
        /// A user.
        Manual = "manual",
        /// A meeting link.
        Meeting = "meeting",
        /// A logged email.
        LoggedEmail = "logged_email",
        /// A team inbox.
        TeamInbox = "team_inbox",
        /// A shared document.
        Document = "document",
        /// The email extension.
        EmailExtension = "email_extension",
        /// The mobile app.
        MobileApp = "mobile_app",
        /// The calendar: a leaving contact left at the update date.
        UpdateDate = "update_date",
    }
}

/// What set a state: a type, a name for people and, where there is one, the id of the thing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Its kind.
    pub kind: SourceType,
    /// Its name as people know it, such as the form's.
    pub name: String,
    /// The id of the form, user, integration or chat flow.
    pub id: Option<String>,
}

impl Source {
    /// A form of this provider.
    #[must_use]
    pub fn form(provider: Provider, name: String, id: FormId) -> Self {
        let kind = if provider.is_native() { SourceType::Form } else { SourceType::ExternalForm };
        Self { kind, name, id: Some(id.to_string()) }
    }

    /// The update date itself, which turns leaving contacts into non-marketing ones.
    #[must_use]
    pub fn update_date() -> Self {
        Self { kind: SourceType::UpdateDate, name: "Update date".to_owned(), id: None }
    }
}

/// By whom a state was changed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Actor {
    /// A user of the account.
    User(UserId),
    /// An integration, under its own setting.
    Integration(IntegrationId),
    /// A form, under its own setting.
    Form(FormId),
    /// The program, at an update date.
    System,
}

/// What a source does to the people who come through it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DefaultStatus {
    /// Whether a contact that it creates is set marketing.
    pub new_contact: bool,
    /// Whether a contact that exists already is set marketing too.
    pub existing_contact: bool,
}

/// A source together with the setting that decides for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Intake {
    /// A form, with its own switch or the account's ([`AccountDefaults::for_form`]).
    Form {
        /// Whether it sets people marketing.
        set_marketing: bool,
    },
    /// A chat flow, with its own switch.
    Chatflow {
        /// The chat flow's setting.
        set_marketing: bool,
    },
    /// An integration, with its own switch; only for contacts that it creates.
    Integration {
        /// The integration's `set_marketing`.
        set_marketing: bool,
    },
    /// A user, who may say what is wanted.
    Manual {
        /// The user's choice, if one was made.
        marketing: Option<bool>,
    },
    /// A source whose contacts are always non-marketing at first.
    AlwaysNonMarketing,
}

impl Intake {
    /// Returns the status that the source sets (the crate's `README.md`, Default status by source).
    #[must_use]
    pub fn default_status(self) -> DefaultStatus {
        let (new_contact, existing_contact) = match self {
            Self::Form { set_marketing } => (set_marketing, set_marketing),
            Self::Chatflow { set_marketing } | Self::Integration { set_marketing } => (set_marketing, false),
            Self::Manual { marketing } => (marketing == Some(true), marketing == Some(true)),
            Self::AlwaysNonMarketing => (false, false),
        };
        DefaultStatus { new_contact, existing_contact }
    }
}

/// An account's settings for sources that have no setting of their own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountDefaults {
    /// Whether forms that were not made here set contacts marketing.
    pub external_form: bool,
    /// Whether chat flows do, unless listed in `chatflows`.
    pub chatflow: bool,
    /// The chat flows with a setting of their own, by id.
    pub chatflows: BTreeMap<String, bool>,
}

impl Default for AccountDefaults {
    fn default() -> Self {
        Self { external_form: true, chatflow: false, chatflows: BTreeMap::new() }
    }
}

impl AccountDefaults {
    /// The setting for a form of this provider: its own, if it says one, or else the account's for forms that were not
    /// made here. One that was made here sets people marketing.
    #[must_use]
    pub fn for_form(&self, provider: Provider, set_marketing: Option<bool>) -> bool {
        set_marketing.unwrap_or(provider.is_native() || self.external_form)
    }

    /// The setting for one chat flow.
    #[must_use]
    pub fn for_chatflow(&self, id: Option<&str>) -> bool {
        id.and_then(|id| self.chatflows.get(id).copied()).unwrap_or(self.chatflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_gives_the_status_of_the_rules() {
        let table = [
            (Intake::Form { set_marketing: true }, true, true),
            (Intake::Form { set_marketing: false }, false, false),
            (Intake::Chatflow { set_marketing: true }, true, false),
            (Intake::Chatflow { set_marketing: false }, false, false),
            (Intake::Integration { set_marketing: true }, true, false),
            (Intake::Integration { set_marketing: false }, false, false),
            (Intake::Manual { marketing: Some(true) }, true, true),
            (Intake::Manual { marketing: Some(false) }, false, false),
            (Intake::Manual { marketing: None }, false, false),
            (Intake::AlwaysNonMarketing, false, false),
        ];
        for (intake, new_contact, existing_contact) in table {
            assert_eq!(
                intake.default_status(),
                DefaultStatus { new_contact, existing_contact },
                "{intake:?}"
            );
        }
    }

    #[test]
    fn a_form_goes_by_its_own_word_and_one_from_elsewhere_by_the_accounts() {
        let table = [
            (Provider::Native, None, true, true),
            (Provider::Native, None, false, true),
            (Provider::Native, Some(false), true, false),
            (Provider::Typeform, None, true, true),
            (Provider::Typeform, None, false, false),
            (Provider::Typeform, Some(true), false, true),
            (Provider::Generic, Some(false), true, false),
        ];
        for (provider, own, external_form, sets) in table {
            let defaults = AccountDefaults { external_form, ..AccountDefaults::default() };
            assert_eq!(defaults.for_form(provider, own), sets, "{provider} {own:?} {external_form}");
        }
    }

    #[test]
    fn a_chat_flow_may_differ_from_the_account() {
        let defaults = AccountDefaults {
            chatflows: BTreeMap::from([("a".to_owned(), true)]),
            ..AccountDefaults::default()
        };
        assert!(defaults.for_chatflow(Some("a")));
        assert!(!defaults.for_chatflow(Some("b")));
        assert!(!defaults.for_chatflow(None));
    }
}
