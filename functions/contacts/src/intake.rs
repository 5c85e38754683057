//! The source of a contact, as a request names it, and its effect on the marketing status (the domain's `README.md`,
//! Default status by source).

use api::Problem;
use api::describe::documented;
use api::fields::{Fields, FromFields, Reported};
use api::identity::require_modify_marketing_contacts;
use api::parse::{Parser, checked, name, opaque_id, string};
use domain::permission::{Principal, PrincipalKind};
use domain::source::{Intake, Source, SourceType};
use domain::string_enum::string_enum;

string_enum! {
    /// The sources that a request may name. Forms and the update date are not among them, because only a submission or
    /// a period's end creates such a source.
    enum NamedType {
        Manual = "manual",
        Chatflow = "chatflow",
        Import = "import",
        Integration = "integration",
        Meeting = "meeting",
        LoggedEmail = "logged_email",
        TeamInbox = "team_inbox",
        Document = "document",
        EmailExtension = "email_extension",
        MobileApp = "mobile_app",
    }
}

impl NamedType {
    fn kind(self) -> SourceType {
        match self {
            Self::Manual => SourceType::Manual,
            Self::Chatflow => SourceType::Chatflow,
            Self::Import => SourceType::Import,
            Self::Integration => SourceType::Integration,
            Self::Meeting => SourceType::Meeting,
            Self::LoggedEmail => SourceType::LoggedEmail,
            Self::TeamInbox => SourceType::TeamInbox,
            Self::Document => SourceType::Document,
            Self::EmailExtension => SourceType::EmailExtension,
            Self::MobileApp => SourceType::MobileApp,
        }
    }
}

/// A source that a request names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NamedSource {
    kind: NamedType,
    name: String,
    id: Option<String>,
}

impl NamedSource {
    /// Returns true if the request itself decides the marketing status.
    pub(crate) fn is_manual(&self) -> bool {
        self.kind == NamedType::Manual
    }
}

impl FromFields for NamedSource {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let kind = fields.required("type", named_type());
        let name = fields.required("name", name().about("The display name of the source."));
        let id = opaque_id().about("The id of the source, such as a chat flow or an import.");
        let id = fields.optional("id", id);
        Ok(Self { kind: kind?, name: name?, id: id? })
    }
}

documented! { NamedSource as "NamedSource": "The source of a contact." }

fn named_type() -> impl Parser<Output = NamedType> {
    let named = checked(string(), |text| match text.parse() {
        Ok(SourceType::Form | SourceType::ExternalForm) => {
            Err("submissions of a form create contacts of this source".to_owned())
        }
        _ => text.parse::<NamedType>().map_err(|error| error.to_string()),
    });
    named.variants::<NamedType>().about("The kind of the source.")
}

/// Returns the source of a contact and the rule that decides its marketing status.
///
/// The default source is `manual` for a user and `integration` for an integration. An integration that names
/// `integration` means itself, with its own setting. A user that names `integration` refers to an
/// integration that is unknown to Tidemark.
///
/// # Errors
///
/// `invalid-request` if the request sets `marketing` and the source decides the status, and `permission-denied` for
/// `marketing: true` without the permission.
pub(crate) fn decide(
    principal: &Principal,
    named: Option<&NamedSource>,
    marketing: Option<bool>,
) -> Result<(Source, Intake), Problem> {
    let (source, intake) = match (named, &principal.caller) {
        (None, PrincipalKind::User { .. }) => (principal.source(), Intake::Manual { marketing }),
        (
            None | Some(NamedSource { kind: NamedType::Integration, .. }),
            PrincipalKind::Integration { set_marketing, .. },
        ) => (principal.source(), Intake::Integration { set_marketing: *set_marketing }),
        (Some(named), _) => (named.source(), named.intake(marketing)),
    };
    if marketing.is_some() && !matches!(intake, Intake::Manual { .. }) {
        return Err(Problem::invalid_field("marketing", MANUAL_ONLY));
    }
    if marketing == Some(true) {
        require_modify_marketing_contacts(principal)?;
    }
    Ok((source, intake))
}

/// The message for `marketing` with a source other than `manual`.
pub(crate) const MANUAL_ONLY: &str =
    "is allowed only with the source manual, because other sources decide the status themselves";

impl NamedSource {
    fn source(&self) -> Source {
        Source { kind: self.kind.kind(), name: self.name.clone(), id: self.id.clone() }
    }

    fn intake(&self, marketing: Option<bool>) -> Intake {
        match self.kind {
            NamedType::Manual => Intake::Manual { marketing },
            // The account's setting for chat flows decides. The store replaces this value by it.
            NamedType::Chatflow => Intake::Chatflow { set_marketing: false },
            NamedType::Integration => Intake::Integration { set_marketing: false },
            NamedType::Import
            | NamedType::Meeting
            | NamedType::LoggedEmail
            | NamedType::TeamInbox
            | NamedType::Document
            | NamedType::EmailExtension
            | NamedType::MobileApp => Intake::AlwaysNonMarketing,
        }
    }
}

#[cfg(test)]
mod tests {
    use api::ProblemType;
    use domain::Timestamp;
    use domain::ids::{AccountId, IntegrationId, UserId};
    use domain::permission::Role;
    use serde_json::json;

    use super::*;
    use crate::body::tests::read;

    fn user(modify_marketing_contacts: bool) -> Principal {
        let caller = PrincipalKind::User { id: UserId::new(Timestamp::MIN, 1), role: Role::Member };
        Principal {
            account: AccountId::new(Timestamp::MIN, 2),
            caller,
            name: "Ada".into(),
            modify_marketing_contacts,
        }
    }

    fn integration(set_marketing: bool) -> Principal {
        let caller = PrincipalKind::Integration { id: IntegrationId::new(Timestamp::MIN, 3), set_marketing };
        Principal { caller, name: "Shop".into(), ..user(false) }
    }

    fn named(kind: &str) -> NamedSource {
        read(&json!({"type": kind, "name": "A name", "id": "42"})).unwrap()
    }

    #[test]
    fn default_source_follows_from_the_token() {
        let (source, intake) = decide(&user(true), None, Some(true)).unwrap();
        assert_eq!((source, intake), (user(true).source(), Intake::Manual { marketing: Some(true) }));
        let (source, intake) = decide(&integration(true), None, None).unwrap();
        assert_eq!(
            (source, intake),
            (integration(true).source(), Intake::Integration { set_marketing: true })
        );
    }

    #[test]
    fn named_source_determines_the_intake() {
        for (kind, intake) in [
            ("manual", Intake::Manual { marketing: None }),
            ("chatflow", Intake::Chatflow { set_marketing: false }),
            ("import", Intake::AlwaysNonMarketing),
            ("integration", Intake::Integration { set_marketing: false }),
            ("meeting", Intake::AlwaysNonMarketing),
            ("logged_email", Intake::AlwaysNonMarketing),
            ("team_inbox", Intake::AlwaysNonMarketing),
            ("document", Intake::AlwaysNonMarketing),
            ("email_extension", Intake::AlwaysNonMarketing),
            ("mobile_app", Intake::AlwaysNonMarketing),
        ] {
            let (source, found) = decide(&user(true), Some(&named(kind)), None).unwrap();
            assert_eq!((source.kind.as_str(), found), (kind, intake));
            assert_eq!((source.name.as_str(), source.id.as_deref()), ("A name", Some("42")));
        }
    }

    #[test]
    fn integration_source_of_an_integration_is_itself() {
        let (source, intake) = decide(&integration(true), Some(&named("integration")), None).unwrap();
        assert_eq!(
            (source, intake),
            (integration(true).source(), Intake::Integration { set_marketing: true })
        );
        let (source, intake) = decide(&integration(true), Some(&named("meeting")), None).unwrap();
        assert_eq!((source.kind, intake), (SourceType::Meeting, Intake::AlwaysNonMarketing));
    }

    #[test]
    fn marketing_requires_manual_source_and_permission() {
        let refused = |principal: &Principal, kind: Option<&str>, marketing: bool| {
            decide(principal, kind.map(named).as_ref(), Some(marketing))
                .err()
                .map(|problem| problem.problem_type())
        };
        assert_eq!(refused(&user(true), None, true), None);
        assert_eq!(refused(&user(true), Some("manual"), true), None);
        assert_eq!(refused(&user(false), None, false), None);
        assert_eq!(refused(&user(false), None, true), Some(ProblemType::PermissionDenied));
        assert_eq!(refused(&user(false), Some("manual"), true), Some(ProblemType::PermissionDenied));
        assert_eq!(refused(&integration(true), Some("manual"), true), Some(ProblemType::PermissionDenied));
        assert_eq!(refused(&integration(true), None, true), Some(ProblemType::InvalidRequest));
        assert_eq!(refused(&integration(true), None, false), Some(ProblemType::InvalidRequest));
        for kind in ["chatflow", "import", "integration", "meeting", "mobile_app"] {
            assert_eq!(refused(&user(true), Some(kind), false), Some(ProblemType::InvalidRequest), "{kind}");
        }
    }

    #[test]
    fn errors_in_a_named_source_are_listed() {
        for (source, fields) in [
            (json!({}), vec!["type", "name"]),
            (json!({"type": "form", "name": ""}), vec!["type", "name"]),
            (json!({"type": "external_form", "name": "a"}), vec!["type"]),
            (json!({"type": "update_date", "name": "a"}), vec!["type"]),
            (json!({"type": 7, "name": "a", "id": "", "url": "x"}), vec!["type", "id", "url"]),
        ] {
            assert_eq!(
                read::<NamedSource>(&source),
                Err(fields.into_iter().map(str::to_owned).collect()),
                "{source}"
            );
        }
    }
}
