//! Contacts and the addresses that make them unique.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::ids::{AccountId, ContactId};
use domain::marketing::{History, Marketing, Standing, State};
use domain::period::PeriodNumber;
use domain::property::Properties;
use serde::{Deserialize, Serialize};

use super::{ChangeItem, Entity, SourceItem, as_text, unreadable};
use crate::StoreError;
use crate::keys::leaving_pk;

/// A contact as stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct ContactItem {
    #[serde(with = "as_text")]
    id: ContactId,
    /// The spelling given.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// The form in which addresses compare.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_key: Option<String>,
    properties: BTreeMap<String, String>,
    unsubscribed: bool,
    bounced: bool,
    #[serde(with = "as_text")]
    state: State,
    #[serde(with = "as_text")]
    since: Timestamp,
    source: SourceItem,
    /// The changes that stand with the contact, oldest first, and how many came before them.
    history: Vec<ChangeItem>,
    history_earlier: u64,
    #[serde(with = "as_text")]
    created_at: Timestamp,
    #[serde(with = "as_text")]
    updated_at: Timestamp,
    version: u64,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    /// The period in which a leaving contact was queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    queued_in: Option<u64>,
    /// The partition of the `leaving` index, for a leaving contact alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    leaving_pk: Option<String>,
}

impl Entity for ContactItem {
    const TAG: &'static str = "contact";
}

impl ContactItem {
    /// The item for a contact of this account.
    pub(crate) fn of(account: AccountId, contact: &Contact) -> Self {
        let queued_in = match contact.marketing.standing {
            Standing::Leaving { queued_in } => Some(queued_in),
            Standing::NonMarketing | Standing::Marketing => None,
        };
        Self {
            id: contact.id,
            email: contact.email.as_ref().map(|email| email.given().to_owned()),
            email_key: contact.email.as_ref().map(|email| email.key().to_owned()),
            properties: contact
                .properties
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_owned()))
                .collect(),
            unsubscribed: contact.unsubscribed,
            bounced: contact.bounced,
            state: contact.state(),
            since: contact.marketing.since,
            source: (&contact.marketing.source).into(),
            history: contact.marketing.history.recent.iter().map(ChangeItem::from).collect(),
            history_earlier: contact.marketing.history.earlier,
            created_at: contact.created_at,
            updated_at: contact.updated_at,
            version: contact.version,
            deleted_at: contact.deleted_at,
            queued_in: queued_in.map(PeriodNumber::number),
            leaving_pk: queued_in.map(|period| leaving_pk(account, period, contact.id.bucket())),
        }
    }

    /// The contact as it was written; a leaving one is not yet settled.
    ///
    /// # Errors
    ///
    /// A fault if the item contradicts itself.
    pub(crate) fn into_contact(self) -> Result<Contact, StoreError> {
        let standing = match (self.state, self.queued_in.map(PeriodNumber::from_number)) {
            (State::NonMarketing, None) => Standing::NonMarketing,
            (State::Marketing, None) => Standing::Marketing,
            (State::Leaving, Some(Some(queued_in))) => Standing::Leaving { queued_in },
            _ => return Err(unreadable::<Self>("state")),
        };
        let email = match (self.email, self.email_key) {
            (Some(given), Some(key)) => Some(EmailAddress::from_stored(given, key)),
            (None, None) => None,
            _ => return Err(unreadable::<Self>("address")),
        };
        let recent = self.history.into_iter().map(Into::into).collect();
        Ok(Contact {
            id: self.id,
            email,
            properties: Properties::from_trusted(self.properties),
            unsubscribed: self.unsubscribed,
            bounced: self.bounced,
            marketing: Marketing {
                standing,
                since: self.since,
                source: self.source.into(),
                history: History { earlier: self.history_earlier, recent },
            },
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
            deleted_at: self.deleted_at,
        })
    }
}

/// Which contact has an address.
#[derive(Serialize, Deserialize)]
pub(crate) struct AddressItem {
    #[serde(with = "as_text")]
    pub(crate) contact: ContactId,
}

impl Entity for AddressItem {
    const TAG: &'static str = "address";
}
