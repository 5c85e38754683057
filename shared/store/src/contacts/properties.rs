//! The history of a contact's properties, as the change feed has recorded it, and the undoing of one of its changes.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::contact::Contact;
use domain::ids::{AccountId, ContactId};
use domain::limits::{BATCH_READ_MAX, PAGE_BYTES_MAX};
use domain::period::Period;
use domain::property::PropertyName;
use domain::source::{Actor, Cause, Source};

use super::change::visible;
use super::{ContactRef, Loaded};
use crate::items::{PropertyChangeItem, ValuesItem, decode, decode_cause, unreadable_key};
use crate::keys::{Item, Key, properties_pk};
use crate::operation::Step;
use crate::store::{Query, Store};
use crate::transaction::Transaction;
use crate::{Listing, Refused, Responder, StoreError, StoredResponse};

/// The id of a change of a contact's properties: the version of the contact that it made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChangeId(u64);

/// The error for a text that is not the id of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the id of a change: a number of 1 to 12 digits")]
pub struct ChangeIdError;

impl std::str::FromStr for ChangeId {
    type Err = ChangeIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = text.parse().map(Self).map_err(|_| ChangeIdError)?;
        // An id has one spelling only.
        if id.to_string() == text && text.len() <= 12 { Ok(id) } else { Err(ChangeIdError) }
    }
}

impl std::fmt::Display for ChangeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A change of one property. It is not `Debug`, because it contains personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct PropertyChange {
    /// The id, which all properties have in common that were changed by the same write.
    pub change_id: ChangeId,
    /// The instant of the change.
    pub at: Timestamp,
    /// The name of the property, or `email`, `unsubscribed` or `bounced`.
    pub property: String,
    /// The value before. `None` if there was none.
    pub from: Option<String>,
    /// The value after. `None` if it was removed.
    pub to: Option<String>,
    /// The cause.
    pub cause: Option<Cause>,
}

/// A request to undo one change of a contact's properties.
#[derive(Clone)]
pub struct UndoProperties {
    /// The account.
    pub account: AccountId,
    /// The contact.
    pub contact: ContactId,
    /// The change.
    pub change: ChangeId,
    /// The source that the history shows.
    pub source: Source,
    /// The actor that the history shows.
    pub actor: Actor,
}

/// The result of undoing a change.
#[derive(Clone)]
pub struct Undone {
    /// The contact.
    pub contact: Contact,
    /// The account's current period.
    pub period: Period,
    /// The names of those that were left as they are.
    pub left: Vec<String>,
}

impl PropertyChangeItem {
    /// Returns the change of each property, by name.
    fn into_changes(self, change_id: ChangeId) -> Result<Vec<PropertyChange>, StoreError> {
        let cause = self.cause.as_deref().map(decode_cause::<Self>).transpose()?;
        let change = |(property, ValuesItem { from, to })| {
            let cause = cause.clone();
            PropertyChange { change_id, at: self.at, property, from, to, cause }
        };
        Ok(self.changes.into_iter().map(change).collect())
    }
}

impl PropertyChange {
    fn bytes(&self) -> usize {
        [&self.from, &self.to].into_iter().flatten().map(String::len).sum()
    }
}

impl Store {
    /// Returns the changes of a contact's properties, newest first, and those of one write by name. The list begins after the property `after` of a
    /// change.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn property_history(
        &self,
        account: AccountId,
        contact: ContactId,
        after: Option<(ChangeId, String)>,
        limit: usize,
        wall_clock: Timestamp,
    ) -> Result<Listing<PropertyChange>, StoreError> {
        let (found, _) = self.contact(account, ContactRef::Id(contact), wall_clock).await?;
        // The change of the position may have more properties.
        let before = after.as_ref().map(|(change, _)| change.0.saturating_add(1));
        let mut query = Query {
            pk: properties_pk(account, contact),
            prefix: "",
            after: before.map(|version| Key::property_change(account, contact, version).sk),
            limit: limit.min(BATCH_READ_MAX),
            newest_first: true,
        };
        let mut items = Vec::new();
        loop {
            let page = self.query(&query).await?;
            for item in page.items {
                let id = change_of(&item)?;
                let item: PropertyChangeItem = decode(item)?;
                // A deleted contact may have returned before the change feed has deleted its history.
                if item.created_at == found.created_at {
                    items.extend(item.into_changes(id)?);
                }
            }
            if let Some((change, property)) = &after {
                items.retain(|item| item.change_id < *change || item.property > *property);
            }
            query.after = page.next;
            let bytes: usize = items.iter().map(PropertyChange::bytes).sum();
            if items.len() >= limit || bytes >= PAGE_BYTES_MAX || query.after.is_none() {
                return Ok(Listing { items, more: query.after.is_some() });
            }
        }
    }

    /// Undoes a change of a contact's properties: sets each property that still has the value of the change back to the
    /// value before. Those that have changed since are left, and so are the address and the flags.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], and [`Refused::Invalid`] when the properties would be too many or too long.
    pub async fn undo_properties(
        &self,
        request: &UndoProperties,
        wall_clock: Timestamp,
        responder: Responder<'_, Undone>,
    ) -> Result<StoredResponse, StoreError> {
        let UndoProperties { account, contact, change, .. } = *request;
        let op = self.operation(account, wall_clock);
        let key = Key::property_change(account, contact, change.0);
        let read = |keys| op.load(std::slice::from_ref(&contact), keys);
        op.mutate_after(read, std::slice::from_ref(&key), responder, async |(loaded, mut opened)| {
            let Loaded { contact: mut person, stored_version } = visible(loaded, None)?;
            let item = opened.items.take::<PropertyChangeItem>(&key)?;
            let item = item.filter(|item| item.created_at == person.created_at);
            let changes = item.ok_or(Refused::NotFound("change"))?.changes;
            let (undone, left) = split(&person, changes);
            let mut transaction = Transaction::default();
            if !undone.is_empty() {
                let merged = person.properties.merge(undone.into_iter());
                merged
                    .map_err(|error| Refused::Invalid { field: "change_id", message: error.to_string() })?;
                person.edit(&request.source, request.actor);
                person.touch(opened.now);
                op.put_contact(&mut transaction, &mut person, Some(stored_version), &opened.period)?;
            }
            Ok(Step::Commit(transaction, Undone { contact: person, period: opened.period, left }))
        })
        .await
    }
}

/// Returns the properties to set back, and the names of those that are left.
fn split(
    contact: &Contact,
    changes: BTreeMap<String, ValuesItem>,
) -> (Vec<(PropertyName, Option<String>)>, Vec<String>) {
    let (mut undone, mut left) = (Vec::new(), Vec::new());
    for (name, ValuesItem { from, to }) in changes {
        match PropertyName::parse(&name) {
            Ok(property) if contact.properties.get(&name) == to.as_deref() => undone.push((property, from)),
            _ => left.push(name),
        }
    }
    (undone, left)
}

fn change_of(item: &Item) -> Result<ChangeId, StoreError> {
    let version = Key::of(item).and_then(|key| key.sk.parse().ok());
    version.map(ChangeId).ok_or_else(|| unreadable_key("property change"))
}
