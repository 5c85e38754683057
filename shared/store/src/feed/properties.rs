//! The history of contacts' properties: one item for each version of a contact that changed them.
//!
//! An item's key and content follow from the record, so a repeat writes the same item. A deleted contact's history is
//! deleted up to the version of its deletion, which is after all of them. So an older record that comes again before the
//! deletion does leave nothing behind.

use std::collections::BTreeMap;

use domain::contact::Contact;
use domain::ids::{AccountId, ContactId};
use domain::limits::{BATCH_READ_MAX, PROPERTY_VALUES_KEPT, PROPERTY_VERSIONS_PER_REMOVAL};

use super::{Change, ContactChange, Followed, Numbered};
use crate::StoreError;
use crate::items::{PropertyChangeItem, ValuesItem, decode, encode, encode_cause};
use crate::keys::{FIRST_SK, Item, Key, properties_pk};
use crate::store::{Query, Store};

/// The effects of a contact's records on its history.
#[derive(Default)]
struct Effects {
    /// The version up to which the history is deleted.
    delete_to: Option<u64>,
    /// The items that follow, by version.
    puts: BTreeMap<u64, Item>,
    /// True if values that are no longer kept must be removed.
    remove_old: bool,
    sequence_numbers: Vec<String>,
}

/// Returns the properties that differ, with their values. The address and the flags are properties here, but not those
/// with which a contact is created.
pub(super) fn differences(old: Option<&Contact>, new: &Contact) -> BTreeMap<String, ValuesItem> {
    let mut changes = BTreeMap::new();
    let mut add = |name: &str, from: Option<&str>, to: Option<&str>| {
        if from != to {
            let values = ValuesItem { from: from.map(str::to_owned), to: to.map(str::to_owned) };
            changes.insert(name.to_owned(), values);
        }
    };
    for (name, value) in new.properties.iter() {
        add(name.as_str(), old.and_then(|old| old.properties.get(name.as_str())), Some(value));
    }
    let Some(old) = old else { return changes };
    for (name, value) in old.properties.iter() {
        add(name.as_str(), Some(value), new.properties.get(name.as_str()));
    }
    fn address(contact: &Contact) -> Option<&str> {
        contact.email.as_ref().map(domain::address::EmailAddress::given)
    }
    let flag = |set: bool| Some(if set { "true" } else { "false" });
    add("email", address(old), address(new));
    add("unsubscribed", flag(old.unsubscribed), flag(new.unsubscribed));
    add("bounced", flag(old.bounced), flag(new.bounced));
    changes
}

impl ContactChange {
    /// Returns the contact before, if it is the same one: it was there, and not deleted since.
    pub(super) fn before(&self) -> Option<&Contact> {
        let old = self.images.old.as_ref().filter(|old| old.is_visible())?;
        self.images.new.as_ref().is_none_or(|new| new.created_at == old.created_at).then_some(old)
    }

    /// Returns the item of the history, if properties changed.
    fn item(&self, new: &Contact) -> Result<Option<Item>, StoreError> {
        let changes = differences(self.before(), new);
        if changes.is_empty() {
            return Ok(None);
        }
        let item = PropertyChangeItem {
            created_at: new.created_at,
            at: new.updated_at,
            cause: new.editor().as_ref().map(encode_cause),
            changes,
        };
        encode(Key::property_change(self.account, self.id, new.version), &item).map(Some)
    }
}

impl Effects {
    /// Adds the effects of a record.
    fn add(&mut self, change: &ContactChange) -> Result<(), StoreError> {
        let ContactChange { images, .. } = change;
        match (&images.old, images.new.as_ref().filter(|new| new.is_visible())) {
            (_, Some(new)) => {
                self.puts.extend(change.item(new)?.map(|item| (new.version, item)));
                self.remove_old |= new.version.is_multiple_of(PROPERTY_VERSIONS_PER_REMOVAL);
            }
            (Some(old), None) if old.is_visible() => {
                self.puts.clear();
                self.remove_old = false;
                self.delete_to = Some(images.new.as_ref().map_or(old.version, |new| new.version));
            }
            // The history of a deleted contact is deleted already.
            _ => {}
        }
        Ok(())
    }

    fn are_none(&self) -> bool {
        self.delete_to.is_none() && self.puts.is_empty() && !self.remove_old
    }
}

impl Store {
    /// Writes the histories of contacts' properties.
    pub(super) async fn follow_properties(&self, changes: &[Numbered], followed: &mut Followed) {
        let mut contacts: BTreeMap<(AccountId, ContactId), Effects> = BTreeMap::new();
        for Numbered { sequence_number, change } in changes {
            let Change::Contact(change) = change else { continue };
            let effects = contacts.entry((change.account, change.id)).or_default();
            match effects.add(change) {
                Ok(()) => effects.sequence_numbers.push(sequence_number.clone()),
                Err(error) => followed.fail([sequence_number.clone()], error),
            }
        }
        contacts.retain(|_, effects| !effects.are_none());
        let mut puts = Vec::new();
        for ((account, contact), effects) in &mut contacts {
            let deleted = match effects.delete_to {
                Some(version) => self.delete_property_changes(*account, *contact, version).await,
                None => Ok(()),
            };
            match deleted {
                Ok(()) => puts.extend(std::mem::take(&mut effects.puts).into_values()),
                Err(error) => followed.fail(std::mem::take(&mut effects.sequence_numbers), error),
            }
        }
        if let Err(error) = self.put_all(puts, &self.retries()).await {
            let all = contacts.into_values().flat_map(|effects| effects.sequence_numbers);
            return followed.fail(all, error);
        }
        for ((account, contact), effects) in contacts {
            if effects.remove_old
                && let Err(error) = self.remove_old_values(account, contact).await
            {
                followed.fail(effects.sequence_numbers, error);
            }
        }
    }

    /// Deletes the history up to a version.
    async fn delete_property_changes(
        &self,
        account: AccountId,
        contact: ContactId,
        version: u64,
    ) -> Result<(), StoreError> {
        let last = Key::property_change(account, contact, version).sk;
        let (query, retries) = (all_of(account, contact), self.retries());
        loop {
            let page = self.query_range(&query, &(FIRST_SK.to_owned()..=last.clone())).await?;
            let keys: Vec<Key> = page.items.iter().filter_map(Key::of).collect();
            if keys.is_empty() {
                return Ok(());
            }
            self.delete_all(&keys, &retries).await?;
        }
    }

    /// Deletes the changes of which no value is among the last [`PROPERTY_VALUES_KEPT`] of its property.
    async fn remove_old_values(&self, account: AccountId, contact: ContactId) -> Result<(), StoreError> {
        let mut query = all_of(account, contact);
        let mut newer: BTreeMap<String, usize> = BTreeMap::new();
        let mut old = Vec::new();
        loop {
            let page = self.query(&query).await?;
            for item in page.items {
                let key = Key::of(&item);
                let mut is_kept = false;
                for name in decode::<PropertyChangeItem>(item)?.changes.into_keys() {
                    let values = newer.entry(name).or_default();
                    is_kept |= *values < PROPERTY_VALUES_KEPT;
                    *values += 1;
                }
                old.extend(key.filter(|_| !is_kept));
            }
            query.after = page.next;
            if query.after.is_none() {
                return self.delete_all(&old, &self.retries()).await;
            }
        }
    }
}

/// Returns the query of a contact's history, newest first.
fn all_of(account: AccountId, contact: ContactId) -> Query {
    let pk = properties_pk(account, contact);
    Query { pk, prefix: "", after: None, limit: BATCH_READ_MAX, newest_first: true }
}
