//! Contacts and the addresses that make them unique.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::contact::{Contact, Imported};
use domain::ids::{AccountId, AutomationId, ContactId};
use domain::marketing::{Change, EffectiveState, History, Marketing, StoredState};
use domain::period::PeriodNumber;
use domain::property::Properties;
use domain::source::{Cause, Source, SourceType};
use serde::{Deserialize, Serialize};

use super::history::{decode_cause, decode_changes, encode_cause, encode_changes};
use super::{Entity, as_millis, as_text, unreadable};
use crate::StoreError;
use crate::keys::{changed_pk, changed_sk, deleted_pk, deleted_sk, leaving_pk};

/// A stored contact.
///
/// Every read and write of a contact costs by the size of this item. So it does not contain an address key that equals
/// the address, flags that are off, or an origin of the state that equals the last change.
#[derive(Serialize, Deserialize)]
pub(crate) struct ContactItem {
    /// The id, which is also the sort key.
    #[serde(rename = "sk", with = "sortable")]
    id: ContactId,
    /// The address in the original spelling.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// The address in the form for comparisons, if that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email_key: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unsubscribed: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    bounced: bool,
    #[serde(with = "as_text")]
    state: EffectiveState,
    /// The origin of the state, if it differs from the last change. An erased contact has no changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<OriginItem>,
    /// The latest changes (see [`encode_changes`]).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    history: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    history_earlier: u64,
    /// The cause of the latest change of properties, address or flags, if it differs from that of the last change of
    /// state (see [`encode_cause`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edited: Option<String>,
    #[serde(with = "as_millis")]
    created_at: Timestamp,
    #[serde(with = "as_millis")]
    updated_at: Timestamp,
    version: u64,
    #[serde(with = "as_millis::option", default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    /// The automations that have acted since the latest other change.
    #[serde(with = "chain", default, skip_serializing_if = "Vec::is_empty")]
    chain: Vec<AutomationId>,
    /// True if no automation enrols the contact by its latest write.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unenrolled: bool,
    /// The import that has written the contact last, and its first row for it: the id, a comma and the row.
    #[serde(with = "imported", default, skip_serializing_if = "Option::is_none")]
    imported: Option<Imported>,
    /// The instant of the latest write by the wall clock, if it is not that of the account. It is the case in sandboxes.
    #[serde(with = "as_millis::option", default, skip_serializing_if = "Option::is_none")]
    written_at: Option<Timestamp>,
    /// The period in which a leaving contact was queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    queued_in: Option<u64>,
    /// The partition of the `leaving` index. Only leaving contacts have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    leaving_pk: Option<String>,
    /// The keys of the `changed` index. Only contacts that were written while it was switched on have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_pk: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_sk: Option<String>,
}

impl Entity for ContactItem {
    const TAG: &'static str = "contact";
    const SCHEMA: u32 = 2;
}

/// The instant since which a contact has its state, and the source that set it.
#[derive(Serialize, Deserialize)]
struct OriginItem {
    #[serde(with = "as_millis")]
    since: Timestamp,
    #[serde(with = "as_text")]
    kind: SourceType,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

/// Returns a contact's keys in the `changed` index. Deleted contacts have a partition of their own, in the order of the
/// periods in which they were queued, because the `leaving` index does not distinguish them from others.
fn changed_keys(
    account: AccountId,
    contact: &Contact,
    queued_in: Option<PeriodNumber>,
) -> Option<(String, String)> {
    let bucket = contact.id.bucket();
    if contact.is_visible() {
        return Some((changed_pk(account, bucket), changed_sk(contact.updated_at, contact.id)));
    }
    queued_in.map(|period| (deleted_pk(account, bucket), deleted_sk(period, contact.id)))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl ContactItem {
    /// Returns the item for a contact of this account that is written at `wall_clock`. `indexed` is true if the account
    /// has the index of changes switched on.
    pub(crate) fn of(account: AccountId, contact: &Contact, wall_clock: Timestamp, indexed: bool) -> Self {
        let Marketing { stored_state, since, source, history } = &contact.marketing;
        let queued_in = match stored_state {
            StoredState::Leaving { queued_in } => Some(*queued_in),
            StoredState::NonMarketing | StoredState::Marketing => None,
        };
        let follows = |last: &Change| last.at == *since && last.source == *source;
        let origin = (!history.recent.last().is_some_and(follows)).then(|| OriginItem {
            since: *since,
            kind: source.kind,
            name: source.name.clone(),
            id: source.id.clone(),
        });
        let is_last = |cause: &Cause| {
            let last = history.recent.last();
            last.is_some_and(|last| last.source == cause.source && last.actor == cause.actor)
        };
        let edited = contact.edited.as_ref().filter(|cause| !is_last(cause)).map(encode_cause);
        let key = |email: &EmailAddress| (email.key() != email.given()).then(|| email.key().to_owned());
        let properties = contact.properties.iter();
        let (changed_pk, changed_sk) =
            indexed.then(|| changed_keys(account, contact, queued_in)).flatten().unzip();
        Self {
            id: contact.id,
            email: contact.email.as_ref().map(|email| email.given().to_owned()),
            email_key: contact.email.as_ref().and_then(key),
            properties: properties.map(|(name, value)| (name.to_string(), value.to_owned())).collect(),
            unsubscribed: contact.unsubscribed,
            bounced: contact.bounced,
            state: contact.state(),
            origin,
            history: encode_changes(&history.recent),
            history_earlier: history.earlier,
            edited,
            created_at: contact.created_at,
            updated_at: contact.updated_at,
            version: contact.version,
            deleted_at: contact.deleted_at,
            chain: contact.chain.clone(),
            unenrolled: contact.unenrolled,
            imported: contact.imported,
            written_at: (contact.updated_at != wall_clock).then_some(wall_clock),
            queued_in: queued_in.map(PeriodNumber::number),
            leaving_pk: queued_in.map(|period| leaving_pk(account, period, contact.id.bucket())),
            changed_pk,
            changed_sk,
        }
    }

    /// Keeps the contact in the `leaving` index after its sweep, until its next write, if the index of changes is on.
    ///
    /// The two indexes do not follow a write at the same moment. Otherwise neither would contain a contact for as long
    /// as `changed` follows the sweep later than `leaving`, and a search by change would miss it.
    pub(crate) fn stay_among_leavers(&mut self, account: AccountId, queued_in: PeriodNumber) {
        if self.changed_pk.is_some() {
            self.leaving_pk = Some(leaving_pk(account, queued_in, self.id.bucket()));
        }
    }

    /// Returns the instant of the latest write by the wall clock.
    pub(crate) fn written_at(&self) -> Timestamp {
        self.written_at.unwrap_or(self.updated_at)
    }

    /// Returns the contact as it was written. A leaving contact is not settled.
    ///
    /// # Errors
    ///
    /// A fault if the item contradicts itself.
    pub(crate) fn into_contact(self) -> Result<Contact, StoreError> {
        let stored_state = match (self.state, self.queued_in.map(PeriodNumber::from_number)) {
            (EffectiveState::NonMarketing, None) => StoredState::NonMarketing,
            (EffectiveState::Marketing, None) => StoredState::Marketing,
            (EffectiveState::Leaving, Some(Some(queued_in))) => StoredState::Leaving { queued_in },
            _ => return Err(unreadable::<Self>("state")),
        };
        let email = match (self.email, self.email_key) {
            (Some(given), Some(key)) => Some(EmailAddress::from_stored(given, key)),
            (Some(given), None) => Some(EmailAddress::from_stored(given.clone(), given)),
            (None, None) => None,
            (None, Some(_)) => return Err(unreadable::<Self>("address")),
        };
        let recent = decode_changes::<Self>(&self.history)?;
        let (since, source) = match (self.origin, recent.last()) {
            (Some(OriginItem { since, kind, name, id }), _) => (since, Source { kind, name, id }),
            (None, Some(last)) => (last.at, last.source.clone()),
            (None, None) => return Err(unreadable::<Self>("origin")),
        };
        Ok(Contact {
            id: self.id,
            email,
            properties: Properties::from_trusted(self.properties),
            unsubscribed: self.unsubscribed,
            bounced: self.bounced,
            marketing: Marketing {
                stored_state,
                since,
                source,
                history: History { earlier: self.history_earlier, recent },
            },
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
            deleted_at: self.deleted_at,
            chain: self.chain,
            unenrolled: self.unenrolled,
            imported: self.imported,
            edited: self.edited.as_deref().map(decode_cause::<Self>).transpose()?,
        })
    }
}

/// Serde for the ids of automations, which are stored as one text.
mod chain {
    use domain::ids::AutomationId;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(chain: &[AutomationId], serializer: S) -> Result<S::Ok, S::Error> {
        let ids: Vec<String> = chain.iter().map(AutomationId::to_string).collect();
        serializer.serialize_str(&ids.join(","))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<AutomationId>, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.split(',').map(|id| id.parse().map_err(D::Error::custom)).collect()
    }
}

/// Serde for the trace of an import, which is stored as one text.
mod imported {
    use domain::contact::Imported;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        trace: &Option<Imported>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match trace {
            Some(Imported { import, row }) => serializer.serialize_str(&format!("{import},{row}")),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Imported>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let trace = text.split_once(',').and_then(|(import, row)| {
            Some(Imported { import: import.parse().ok()?, row: row.parse().ok()? })
        });
        trace.map(Some).ok_or_else(|| D::Error::custom("expected the id of an import and a row"))
    }
}

/// Serde for a contact's id that is a sort key.
mod sortable {
    use domain::ids::ContactId;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(id: &ContactId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&id.sortable())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ContactId, D::Error> {
        ContactId::from_sortable(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The contact that has an address.
#[derive(Serialize, Deserialize)]
pub(crate) struct AddressItem {
    #[serde(with = "as_text")]
    pub(crate) contact: ContactId,
}

impl Entity for AddressItem {
    const TAG: &'static str = "address";
    const SCHEMA: u32 = 2;
}
