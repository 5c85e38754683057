//! The source of a state, the actor behind it, and the default status that a source sets.

use std::collections::BTreeMap;

use crate::ids::{AutomationId, FormId, ImportId, IntegrationId, JobId, UserId};
use crate::provider::Provider;
use crate::string_enum::string_enum;

string_enum! {
    /// The kind of a source that creates contacts or sets their state (the crate's `README.md`, Default status by
    /// source).
    pub enum SourceType {
        /// A form of the provider `native`.
        Form = "form",
        /// A form of any other provider.
        ExternalForm = "external_form",
        /// A chat flow.
        Chatflow = "chatflow",
        /// An import.
        Import = "import",
        /// An integration, with its own token.
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
        /// A bulk job. Its id is the source's id, by which the contacts that it changed are found.
        BulkJob = "bulk_job",
        /// An automation.
        Automation = "automation",
        /// The update date, at which a leaving contact became non-marketing.
        UpdateDate = "update_date",
    }
}

/// Numbers of contacts by the type of the source that set them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BySource([u64; SourceType::ALL.len()]);

impl BySource {
    /// Returns the number for one type.
    #[must_use]
    pub fn get(&self, kind: SourceType) -> u64 {
        self.iter().find(|(of, _)| *of == kind).map_or(0, |(_, number)| number)
    }

    /// Adds to the number for one type.
    pub fn add(&mut self, kind: SourceType, number: u64) {
        for (of, sum) in SourceType::ALL.iter().zip(&mut self.0) {
            if *of == kind {
                *sum = sum.saturating_add(number);
            }
        }
    }

    /// Returns the numbers with those of `other` added.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        other.iter().for_each(|(kind, number)| self.add(kind, number));
        self
    }

    /// Returns the numbers less those of `earlier`. None is below zero.
    #[must_use]
    pub fn since(mut self, earlier: &Self) -> Self {
        for (number, before) in self.0.iter_mut().zip(earlier.0) {
            *number = number.saturating_sub(before);
        }
        self
    }

    /// Returns the sum of all numbers.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum, number| sum.saturating_add(*number))
    }

    /// Returns the number of each type, in the order of their declaration.
    pub fn iter(&self) -> impl Iterator<Item = (SourceType, u64)> {
        SourceType::ALL.iter().copied().zip(self.0)
    }
}

impl FromIterator<(SourceType, u64)> for BySource {
    fn from_iter<I: IntoIterator<Item = (SourceType, u64)>>(numbers: I) -> Self {
        let mut by_source = Self::default();
        numbers.into_iter().for_each(|(kind, number)| by_source.add(kind, number));
        by_source
    }
}

/// The source of a state: a type, a readable name and, for most types, an id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// The type of the source.
    pub kind: SourceType,
    /// A readable name, such as the form's.
    pub name: String,
    /// The id of the form, user, integration or chat flow.
    pub id: Option<String>,
}

impl Source {
    /// Creates the source for a form of this provider.
    #[must_use]
    pub fn form(provider: Provider, name: String, id: FormId) -> Self {
        let kind = if provider.is_native() { SourceType::Form } else { SourceType::ExternalForm };
        Self { kind, name, id: Some(id.to_string()) }
    }

    /// Creates the source for a bulk job. `name` describes the selected contacts.
    #[must_use]
    pub fn bulk_job(name: String, id: JobId) -> Self {
        Self { kind: SourceType::BulkJob, name, id: Some(id.to_string()) }
    }

    /// Creates the source for an import.
    #[must_use]
    pub fn import(name: String, id: ImportId) -> Self {
        Self { kind: SourceType::Import, name, id: Some(id.to_string()) }
    }

    /// Creates the source for an automation.
    #[must_use]
    pub fn automation(name: String, id: AutomationId) -> Self {
        Self { kind: SourceType::Automation, name, id: Some(id.to_string()) }
    }

    /// Creates the source for the update date, at which leaving contacts become non-marketing.
    #[must_use]
    pub fn update_date() -> Self {
        Self { kind: SourceType::UpdateDate, name: "Update date".to_owned(), id: None }
    }
}

/// The actor that changed a state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Actor {
    /// A user of the account.
    User(UserId),
    /// An integration, with its own setting.
    Integration(IntegrationId),
    /// A form, with its own setting.
    Form(FormId),
    /// An automation, with its own settings.
    Automation(AutomationId),
    /// The program itself, at an update date.
    System,
}

/// The cause of a change: its source and its actor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// The source of the change.
    pub source: Source,
    /// The actor that made it.
    pub actor: Actor,
}

/// The effect of a source on the marketing state of its contacts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DefaultStatus {
    /// True if a contact that the source creates is set marketing.
    pub new_contact: bool,
    /// True if an existing contact is set marketing.
    pub existing_contact: bool,
}

/// A source together with the setting that determines its default status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Intake {
    /// A form, with its own setting or the account's ([`AccountDefaults::for_form`]).
    Form {
        /// True if the form sets contacts marketing.
        set_marketing: bool,
    },
    /// A chat flow, with its own setting or the account's ([`AccountDefaults::for_chatflow`]).
    Chatflow {
        /// True if the chat flow sets new contacts marketing.
        set_marketing: bool,
    },
    /// An integration, with its own setting, which applies to new contacts only.
    Integration {
        /// True if the integration sets new contacts marketing.
        set_marketing: bool,
    },
    /// A user, who may choose the state.
    Manual {
        /// The user's choice. `None` and `Some(false)` set nothing.
        marketing: Option<bool>,
    },
    /// An import, with its own setting, which applies to all contacts of the file.
    Import {
        /// True if the import sets contacts marketing.
        set_marketing: bool,
    },
    /// A source whose new contacts are always non-marketing.
    AlwaysNonMarketing,
}

impl Intake {
    /// Returns the status that the source sets (the crate's `README.md`, Default status by source).
    #[must_use]
    pub fn default_status(self) -> DefaultStatus {
        let (new_contact, existing_contact) = match self {
            Self::Form { set_marketing } | Self::Import { set_marketing } => (set_marketing, set_marketing),
            Self::Chatflow { set_marketing } | Self::Integration { set_marketing } => (set_marketing, false),
            Self::Manual { marketing } => (marketing == Some(true), marketing == Some(true)),
            Self::AlwaysNonMarketing => (false, false),
        };
        DefaultStatus { new_contact, existing_contact }
    }
}

/// An account's settings for sources without a setting of their own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountDefaults {
    /// True if forms of other providers than `native` set contacts marketing.
    pub external_form: bool,
    /// True if chat flows set new contacts marketing, unless listed in `chatflows`.
    pub chatflow: bool,
    /// The settings of single chat flows, by id.
    pub chatflows: BTreeMap<String, bool>,
}

impl Default for AccountDefaults {
    fn default() -> Self {
        Self { external_form: true, chatflow: false, chatflows: BTreeMap::new() }
    }
}

impl AccountDefaults {
    /// Returns the setting of a form of this provider. The form's own `set_marketing` applies if present. Otherwise a
    /// native form sets contacts marketing, and `external_form` decides for any other form.
    #[must_use]
    pub fn for_form(&self, provider: Provider, set_marketing: Option<bool>) -> bool {
        set_marketing.unwrap_or(provider.is_native() || self.external_form)
    }

    /// Returns the setting of one chat flow.
    #[must_use]
    pub fn for_chatflow(&self, id: Option<&str>) -> bool {
        id.and_then(|id| self.chatflows.get(id).copied()).unwrap_or(self.chatflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_has_its_documented_default_status() {
        let table = [
            (Intake::Form { set_marketing: true }, true, true),
            (Intake::Form { set_marketing: false }, false, false),
            (Intake::Import { set_marketing: true }, true, true),
            (Intake::Import { set_marketing: false }, false, false),
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
    fn numbers_by_source_are_added_and_compared_by_type() {
        let some: BySource =
            [(SourceType::Form, 3), (SourceType::Manual, 1), (SourceType::Form, 2)].into_iter().collect();
        assert_eq!(
            (some.get(SourceType::Form), some.get(SourceType::Manual), some.get(SourceType::Import)),
            (5, 1, 0)
        );
        assert_eq!(some.sum(), 6);
        let more = some.plus(&[(SourceType::Import, 4)].into_iter().collect());
        assert_eq!(more.since(&some), [(SourceType::Import, 4)].into_iter().collect());
        assert_eq!(some.since(&more), BySource::default(), "no number is below zero");
    }

    #[test]
    fn form_setting_precedes_the_default_for_external_forms() {
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
    fn chat_flow_setting_precedes_the_account_default() {
        let defaults = AccountDefaults {
            chatflows: BTreeMap::from([("a".to_owned(), true)]),
            ..AccountDefaults::default()
        };
        assert!(defaults.for_chatflow(Some("a")));
        assert!(!defaults.for_chatflow(Some("b")));
        assert!(!defaults.for_chatflow(None));
    }
}
