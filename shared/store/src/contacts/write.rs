//! Writing contacts.

use aws_sdk_dynamodb::types::{AttributeValue, Put};
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::ids::{AccountId, ContactId};
use domain::limits::{HISTORY_PAGE, HISTORY_RECENT_MAX};

use crate::StoreError;
use crate::items::{AddressItem, ChangeItem, ContactItem, HistoryPageItem, encode};
use crate::keys::Key;
use crate::retry::Retries;
use crate::store::{Store, read_error};
use crate::transaction::{Part, Transaction};
use crate::writes::Expression;

impl Store {
    /// The put of a contact that is stored in version `stored`, or is new.
    ///
    /// When its history has grown long, the oldest changes are moved to a page first. A page is written before the
    /// change that makes room for it and holds only changes that are settled history, so writing it twice, or
    /// writing it and then failing, does no harm.
    pub(crate) async fn contact_put(
        &self,
        account: AccountId,
        contact: &mut Contact,
        stored: Option<u64>,
        retries: &mut Retries<'_>,
    ) -> Result<Put, StoreError> {
        if contact.marketing.history.recent.len() > HISTORY_RECENT_MAX {
            self.turn_history_page(account, contact, retries).await?;
        }
        let key = Key::contact(account, contact.id);
        let item = ContactItem::of(account, contact);
        match stored {
            Some(version) => self.put_versioned(key, &item, version),
            None => self.put_new(key, &item),
        }
    }

    async fn turn_history_page(
        &self,
        account: AccountId,
        contact: &mut Contact,
        retries: &mut Retries<'_>,
    ) -> Result<(), StoreError> {
        let history = &mut contact.marketing.history;
        let first = history.earlier;
        let oldest: Vec<_> = history.recent.drain(..HISTORY_PAGE.min(history.recent.len())).collect();
        history.earlier += oldest.len() as u64;
        let page = HistoryPageItem { first, changes: oldest.iter().map(ChangeItem::from).collect() };
        let item = encode(Key::history_page(account, contact.id, first), &page)?;
        loop {
            let put =
                self.client.put_item().table_name(&*self.table).set_item(Some(item.clone())).send().await;
            match put.map_err(|error| read_error("writing a page of history", error)) {
                Ok(_) => return Ok(()),
                Err(StoreError::Unavailable(why, _)) => retries.pause(&why).await?,
                Err(error) => return Err(error),
            }
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

fn held_by(contact: ContactId) -> Expression {
    Expression::default().name("contact").value("contact", AttributeValue::S(contact.to_string()))
}
