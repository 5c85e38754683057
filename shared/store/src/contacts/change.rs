//! Changing one contact's data.

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::ids::{AccountId, ContactId};
use domain::period::Period;
use domain::property::PropertyName;

use super::Loaded;
use crate::items::AddressItem;
use crate::keys::Key;
use crate::periods::Opened;
use crate::retry::Retries;
use crate::store::Store;
use crate::transaction::{Part, Transaction};
use crate::{Answer, Finish, Refused, StoreError};

/// A change of a contact's data. Its marketing state is not among it.
#[derive(Clone, Debug)]
pub struct ChangeContact<'a> {
    /// Whose.
    pub account: AccountId,
    /// Which one.
    pub contact: ContactId,
    /// A new address, or `Some(None)` to take the address away.
    pub email: Option<Option<EmailAddress>>,
    /// Properties to set, or to remove where there is no value.
    pub properties: &'a [(PropertyName, Option<String>)],
    /// Whether the address is unsubscribed, if that is said.
    pub unsubscribed: Option<bool>,
    /// Whether the address has bounced, if that is said.
    pub bounced: Option<bool>,
    /// The version that the contact must have.
    pub if_match: Option<u64>,
}

impl Store {
    /// Changes a contact's data.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], [`Refused::VersionMismatch`], [`Refused::ContactExists`] when the new address is
    /// another contact's, and [`Refused::Invalid`] when the properties would be too many or too long.
    pub async fn change_contact(
        &self,
        request: &ChangeContact<'_>,
        wall: Timestamp,
        finish: Finish<'_, (Contact, Period)>,
    ) -> Result<Answer, StoreError> {
        let mut retries = self.retries();
        let account = request.account;
        loop {
            let mut others: Vec<Key> = finish.key().into_iter().collect();
            others.extend(request.email.iter().flatten().map(|email| Key::address(account, email)));
            let (loaded, mut opened) =
                self.load(account, wall, &[request.contact], others, &mut retries).await?;
            if let Some(answer) = finish.replay(&mut opened.items, wall)? {
                return Ok(answer);
            }
            let Loaded { contact: before, stored_version } = visible(loaded, request.if_match)?;
            let mut contact = before.clone();
            request.write_data(&mut contact)?;
            let mut transaction = Transaction::new(self.entropy());
            if contact != before {
                contact.touch(opened.now);
                self.move_address(&mut transaction, account, &before, &contact, &mut opened, &mut retries)
                    .await?;
                let put = self.contact_put(account, &mut contact, Some(stored_version), &mut retries).await?;
                transaction.put(Part::Contact, put);
            }
            let answer = finish.attach(self, &mut transaction, &(contact, opened.period), wall)?;
            if self.commit(transaction, &mut retries).await? {
                return Ok(answer);
            }
        }
    }

    /// Adds the address's move to the transaction, if the contact has another one than before.
    async fn move_address(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        before: &Contact,
        after: &Contact,
        opened: &mut Opened,
        retries: &mut Retries<'_>,
    ) -> Result<(), StoreError> {
        let key = |contact: &Contact| contact.email.as_ref().map(|email| email.key().to_owned());
        if key(before) == key(after) {
            return Ok(());
        }
        if let Some(email) = &after.email {
            let holder = self.holder(account, email, opened, retries).await?;
            self.claim_address(transaction, account, email, after.id, holder)?;
        }
        if let Some(email) = &before.email {
            self.release_address(transaction, account, email, before.id)?;
        }
        Ok(())
    }

    /// The deleted contact that still has the address, if one does.
    ///
    /// # Errors
    ///
    /// [`Refused::ContactExists`] if a contact that is not deleted has it.
    async fn holder(
        &self,
        account: AccountId,
        email: &EmailAddress,
        opened: &mut Opened,
        retries: &mut Retries<'_>,
    ) -> Result<Option<ContactId>, StoreError> {
        let address = opened.items.take::<AddressItem>(&Key::address(account, email))?;
        let Some(AddressItem { contact: holder }) = address else { return Ok(None) };
        let mut items = self.batch_get(&[Key::contact(account, holder)], retries).await?;
        let item = items.take::<crate::items::ContactItem>(&Key::contact(account, holder))?;
        match item.map(crate::items::ContactItem::into_contact).transpose()? {
            Some(contact) if contact.is_visible() => Err(Refused::ContactExists(holder).into()),
            _ => Ok(Some(holder)),
        }
    }
}

impl ChangeContact<'_> {
    fn write_data(&self, contact: &mut Contact) -> Result<(), Refused> {
        let merged = contact.properties.merge(self.properties.iter().cloned());
        merged.map_err(|error| Refused::Invalid { field: "properties", message: error.to_string() })?;
        contact.unsubscribed = self.unsubscribed.unwrap_or(contact.unsubscribed);
        contact.bounced = self.bounced.unwrap_or(contact.bounced);
        if let Some(email) = &self.email {
            contact.email.clone_from(email);
        }
        Ok(())
    }
}

/// The one loaded contact, if reads may show it and it has the version asked for.
pub(super) fn visible(loaded: Vec<Loaded>, if_match: Option<u64>) -> Result<Loaded, Refused> {
    let found = loaded.into_iter().find(|loaded| loaded.contact.is_visible());
    let loaded = found.ok_or(Refused::NotFound("contact"))?;
    match if_match {
        Some(version) if version != loaded.contact.version => Err(Refused::VersionMismatch),
        _ => Ok(loaded),
    }
}
