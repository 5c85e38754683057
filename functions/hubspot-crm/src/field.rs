//! The properties of a contact by `HubSpot`'s names, and the part of a contact that each of them shows.

use domain::contact::Contact;
use domain::marketing::EffectiveState;
use domain::period::Period;
use domain::property::PropertyName;

/// The part of a contact that a property shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Field {
    /// `email`: the address.
    Email,
    /// `createdate`: the instant of the contact's creation.
    Created,
    /// `lastmodifieddate`: the instant of the contact's latest change.
    Modified,
    /// `hs_object_id`: the contact's id.
    Id,
    /// `hs_additional_emails`: never set, because a contact has one address.
    AdditionalEmails,
    /// `hs_email_domain`: the part of the address after the `@`.
    EmailDomain,
    /// `hs_email_optout`: true if the address is unsubscribed.
    Unsubscribed,
    /// `hs_email_hard_bounce_reason_enum`: set if the address has bounced.
    Bounced,
    /// `hs_marketable_status`: true if the contact is billable.
    Status,
    /// `hs_marketable_until_renewal`: true if the contact is leaving.
    UntilRenewal,
    /// `hs_marketable_reason_type`: the type of the source that set the state.
    ReasonType,
    /// `hs_marketable_reason_id`: the name of that source.
    ReasonId,
    /// `tidemark_leaves_at`: the update date at which the contact leaves.
    LeavesAt,
    /// A stored property.
    Stored(PropertyName),
}

/// The properties that are not stored as such, by name.
const NAMED: [(&str, Field); 13] = [
    ("email", Field::Email),
    ("createdate", Field::Created),
    ("lastmodifieddate", Field::Modified),
    ("hs_object_id", Field::Id),
    ("hs_additional_emails", Field::AdditionalEmails),
    ("hs_email_domain", Field::EmailDomain),
    ("hs_email_optout", Field::Unsubscribed),
    ("hs_email_hard_bounce_reason_enum", Field::Bounced),
    ("hs_marketable_status", Field::Status),
    ("hs_marketable_until_renewal", Field::UntilRenewal),
    ("hs_marketable_reason_type", Field::ReasonType),
    ("hs_marketable_reason_id", Field::ReasonId),
    ("tidemark_leaves_at", Field::LeavesAt),
];

/// The properties in a response to a request that names none.
pub(crate) const DEFAULT: [&str; 6] =
    ["createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"];

/// The value of `hs_email_hard_bounce_reason_enum` for an address that has bounced. The reason itself is not known.
pub(crate) const BOUNCE_REASON: &str = "OTHER";

impl Field {
    /// Returns the field with this name. `None` if no property may have the name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let named = NAMED.iter().find(|(of, _)| *of == name).map(|(_, field)| field.clone());
        named.or_else(|| PropertyName::parse(name).ok().map(Self::Stored))
    }

    /// Returns the value that a contact shows in this period. `None` if it has none.
    pub(crate) fn value(&self, contact: &Contact, period: &Period) -> Option<String> {
        let state = contact.state();
        let is_leaving = state == EffectiveState::Leaving;
        match self {
            Self::Email => contact.email.as_ref().map(|email| email.key().to_owned()),
            Self::Created => Some(contact.created_at.to_string()),
            Self::Modified => Some(contact.updated_at.to_string()),
            Self::Id => Some(contact.id.to_string()),
            Self::AdditionalEmails => None,
            Self::EmailDomain => {
                let email = contact.email.as_ref()?;
                email.key().rsplit_once('@').map(|(_, domain)| domain.to_owned())
            }
            Self::Unsubscribed => contact.unsubscribed.then(|| "true".to_owned()),
            Self::Bounced => contact.bounced.then(|| BOUNCE_REASON.to_owned()),
            Self::Status => Some(state.is_billable().to_string()),
            Self::UntilRenewal => Some(is_leaving.to_string()),
            Self::ReasonType => Some(contact.marketing.source.kind.as_str().to_uppercase()),
            Self::ReasonId => Some(contact.marketing.source.name.clone()),
            Self::LeavesAt => is_leaving.then(|| period.ends_at.to_string()),
            Self::Stored(name) => contact.properties.get(name.as_str()).map(str::to_owned),
        }
    }
}
