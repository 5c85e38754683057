//! Writing contacts.

use aws_sdk_dynamodb::types::{AttributeValue, Put};
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::ids::{AccountId, ContactId};
use domain::limits::{HISTORY_PAGE, HISTORY_RECENT_MAX};

use crate::StoreError;
use crate::expressions::Expression;
use crate::items::{AddressItem, ContactItem, HistoryPageItem, encode, encode_changes};
use crate::keys::{Item, Key};
use crate::store::Store;
use crate::transaction::{Part, Transaction};

impl Store {
    /// Adds the put of a contact that is stored in version `stored`, or is new.
    ///
    /// If its history has grown long, the oldest changes move to a page, which is written before the transaction. It holds
    /// only changes that will never change again, so a page whose transaction does not happen does no harm.
    pub(crate) fn put_contact(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        contact: &mut Contact,
        stored: Option<u64>,
    ) -> Result<(), StoreError> {
        if let Some(page) = turn_history_page(account, contact)? {
            transaction.first(page);
        }
        let put = self.contact_put(account, contact, stored)?;
        transaction.put(Part::Contact, put);
        Ok(())
    }

    /// Returns the put of a contact whose page of history, if one is due, is written.
    pub(crate) fn contact_put(
        &self,
        account: AccountId,
        contact: &Contact,
        stored: Option<u64>,
    ) -> Result<Put, StoreError> {
        let key = Key::contact(account, contact.id);
        let item = ContactItem::of(account, contact);
        match stored {
            Some(version) => self.put_versioned(key, &item, version),
            None => self.put_new(key, &item),
        }
    }

    /// Gives an address to a contact. `from` is who has it now, of whom the caller knows that it may be taken.
    pub(crate) fn claim_address(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        email: &EmailAddress,
        contact: ContactId,
        from: Option<ContactId>,
    ) -> Result<(), StoreError> {
        let key = Key::address(account, email);
        let item = AddressItem { contact };
        let put = match from {
            None => self.put_new(key, &item)?,
            Some(holder) => self.put_if(key, &item, "#contact = :contact", &held_by(holder))?,
        };
        transaction.put(Part::Address, put);
        Ok(())
    }

    /// Takes an address from the contact that has it.
    pub(crate) fn release_address(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        email: &EmailAddress,
        contact: ContactId,
    ) -> Result<(), StoreError> {
        let delete =
            self.delete_if(Key::address(account, email), "#contact = :contact", &held_by(contact))?;
        transaction.delete(Part::Address, delete);
        Ok(())
    }
}

/// Moves the oldest changes to a page, if more have gathered than stay with the contact, and returns the page.
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
