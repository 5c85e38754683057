//! Writes of contacts and addresses.

use aws_sdk_dynamodb::types::{AttributeValue, Put};
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::ids::{AccountId, ContactId};
use domain::limits::{HISTORY_PAGE, HISTORY_RECENT_MAX};
use domain::period::Period;

use super::Loaded;
use crate::StoreError;
use crate::expressions::Expression;
use crate::items::{AddressItem, ContactItem, HistoryPageItem, encode, encode_changes};
use crate::keys::{Item, Key, history_pk};
use crate::operation::Operation;
use crate::transaction::Transaction;

impl Operation<'_> {
    /// Adds the put of a contact that is stored in version `stored`, or is new.
    ///
    /// If its history has grown long, the oldest changes move to a page, which is written before the transaction. A
    /// page contains only changes that never change again, so it is harmless if the transaction is not applied.
    /// `period` is the one that the operation has read.
    pub(crate) fn put_contact(
        &self,
        transaction: &mut Transaction,
        contact: &mut Contact,
        stored: Option<u64>,
        period: &Period,
    ) -> Result<(), StoreError> {
        if let Some(page) = turn_history_page(self.account, contact)? {
            transaction.first(page);
        }
        let item = self.contact_item(contact, period);
        transaction.put(self.contact_put(contact.id, stored, &item)?);
        Ok(())
    }

    /// Returns the item of a contact. `period` is the one that the operation has read.
    pub(crate) fn contact_item(&self, contact: &Contact, period: &Period) -> ContactItem {
        ContactItem::of(self.account, contact, self.wall_clock, period.indexed_from.is_some())
    }

    /// Builds the put of a contact's item whose history page, if one is due, is written already.
    pub(crate) fn contact_put(
        &self,
        contact: ContactId,
        stored: Option<u64>,
        item: &ContactItem,
    ) -> Result<Put, StoreError> {
        let key = Key::contact(self.account, contact);
        match stored {
            Some(version) => self.store.put_versioned(key, item, version),
            None => self.store.put_new(key, item),
        }
    }

    /// Adds the deletion of a contact, and after the commit that of its pages of history. If the transaction is not
    /// applied, the contact keeps its history. Pages that remain after a crash can't be reached any more, and contain
    /// no personal data.
    pub(crate) fn remove_contact(
        &self,
        transaction: &mut Transaction,
        loaded: &Loaded,
    ) -> Result<(), StoreError> {
        let id = loaded.contact.id;
        let key = Key::contact(self.account, id);
        transaction.delete(self.store.delete_versioned(key, loaded.stored_version)?);
        transaction.then_delete_partition(history_pk(self.account, id));
        Ok(())
    }

    /// Adds the write that assigns an address to a contact. `from` is the contact that has the address now; the caller
    /// has checked that it may lose it.
    pub(crate) fn claim_address(
        &self,
        transaction: &mut Transaction,
        email: &EmailAddress,
        contact: ContactId,
        from: Option<ContactId>,
    ) -> Result<(), StoreError> {
        let key = Key::address(self.account, email);
        let item = AddressItem { contact };
        transaction.put(match from {
            None => self.store.put_new(key, &item)?,
            Some(holder) => self.store.put_if(key, &item, "#contact = :contact", &held_by(holder))?,
        });
        Ok(())
    }

    /// Adds the deletion of a contact's address.
    pub(crate) fn release_address(
        &self,
        transaction: &mut Transaction,
        email: &EmailAddress,
        contact: ContactId,
    ) -> Result<(), StoreError> {
        let key = Key::address(self.account, email);
        transaction.delete(self.store.delete_if(key, "#contact = :contact", &held_by(contact))?);
        Ok(())
    }
}

/// Moves the contact's oldest changes to a page and returns it, if there are more than a contact's item contains.
pub(crate) fn turn_history_page(
    account: AccountId,
    contact: &mut Contact,
) -> Result<Option<Item>, StoreError> {
    let history = &mut contact.marketing.history;
    if history.recent.len() <= HISTORY_RECENT_MAX {
        return Ok(None);
    }
    let first = history.earlier;
    let oldest: Vec<_> = history.recent.drain(..HISTORY_PAGE.min(history.recent.len())).collect();
    history.earlier += oldest.len() as u64;
    let page = HistoryPageItem { first, changes: encode_changes(&oldest) };
    encode(Key::history_page(account, contact.id, first), &page).map(Some)
}

fn held_by(contact: ContactId) -> Expression {
    Expression::default().name("contact").value("contact", AttributeValue::S(contact.to_string()))
}
