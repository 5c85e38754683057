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
use crate::periods::PeriodSnapshot;
use crate::retry::Retries;
use crate::store::Store;
use crate::transaction::{Part, Transaction};
use crate::{Refused, Responder, StoreError, StoredResponse};

/// A change of a contact's data. Its marketing state is not among it.
#[derive(Clone)]
pub struct UpdateContact<'a> {
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
    pub if_match: Option<IfMatch>,
}

/// The version that a contact must have for a request to be for it: what `If-Match` says (RFC 9110 §13.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IfMatch {
    /// Any, but the contact must be there: `*`.
    Any,
    /// This one.
    Version(u64),
}

impl IfMatch {
    /// Whether the contact has the version.
    pub(super) fn matches(self, contact: &Contact) -> bool {
        match self {
            Self::Any => true,
            Self::Version(version) => version == contact.version,
        }
    }
}

impl Store {
    /// Changes a contact's data.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], [`Refused::VersionMismatch`], [`Refused::ContactExists`] when the new address is
    /// another contact's, and [`Refused::Invalid`] when the properties would be too many or too long.
    pub async fn update_contact(
        &self,
        request: &UpdateContact<'_>,
        wall_clock: Timestamp,
        responder: Responder<'_, (Contact, Period)>,
    ) -> Result<StoredResponse, StoreError> {
        let mut retries = self.retries();
        let account = request.account;
        loop {
            let mut others: Vec<Key> = responder.key().into_iter().collect();
            others.extend(request.email.iter().flatten().map(|email| Key::address(account, email)));
            let (loaded, mut opened) =
                self.load(account, wall_clock, &[request.contact], others, &mut retries).await?;
            if let Some(answer) = responder.replay(&mut opened.items, wall_clock)? {
                return Ok(answer);
            }
            let Loaded { contact: before, stored_version } = visible(loaded, request.if_match)?;
            let mut contact = before.clone();
            request.write_data(&mut contact)?;
            let mut transaction = Transaction::new(self.rng());
            let mut gone = None;
            if contact != before {
                contact.touch(opened.now);
                let holder = request.holder(&mut opened)?;
                let moved = AddressMove { account, before: &before, after: &contact, holder };
                gone = self.move_address(&mut transaction, &moved, wall_clock, &mut retries).await?;
                self.put_contact(&mut transaction, account, &mut contact, Some(stored_version))?;
            }
            let answer = responder.attach(self, &mut transaction, &(contact, opened.period), wall_clock)?;
            if self.commit(transaction, &mut retries).await? {
                self.forget_history(account, gone, &mut retries).await?;
                return Ok(answer);
            }
        }
    }

    /// Adds the address's move to the transaction, if the contact has another one than before. Gives the contact
    /// that goes with it, if one does.
    async fn move_address(
        &self,
        transaction: &mut Transaction,
        moved: &AddressMove<'_>,
        wall_clock: Timestamp,
        retries: &mut Retries<'_>,
    ) -> Result<Option<ContactId>, StoreError> {
        let AddressMove { account, before, after, holder } = *moved;
        let key = |contact: &Contact| contact.email.as_ref().map(|email| email.key().to_owned());
        if key(before) == key(after) {
            return Ok(None);
        }
        let mut gone = None;
        if let Some(email) = &after.email {
            if let Some(holder) = holder {
                gone = self.take_from_deleted(transaction, account, holder, wall_clock, retries).await?;
            }
            self.claim_address(transaction, account, email, after.id, holder)?;
        }
        if let Some(email) = &before.email {
            self.release_address(transaction, account, email, before.id)?;
        }
        Ok(gone)
    }

    /// Takes the address from the deleted contact that has it. That contact is written as well, so that it can't
    /// take its place again by this address at the same time: a unit stays without a name, and one that has left
    /// goes, and is given back.
    ///
    /// # Errors
    ///
    /// [`Refused::ContactExists`] if the contact is not deleted.
    async fn take_from_deleted(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        holder: ContactId,
        wall_clock: Timestamp,
        retries: &mut Retries<'_>,
    ) -> Result<Option<ContactId>, StoreError> {
        let (loaded, opened) = self.load(account, wall_clock, &[holder], Vec::new(), retries).await?;
        let Some(Loaded { contact: mut unit, stored_version }) = loaded.into_iter().next() else {
            return Ok(None);
        };
        if unit.is_visible() {
            return Err(Refused::ContactExists(holder).into());
        }
        if unit.state().is_billable() {
            unit.email = None;
            unit.touch(opened.now);
            self.put_contact(transaction, account, &mut unit, Some(stored_version))?;
            return Ok(None);
        }
        let key = Key::contact(account, holder);
        transaction.delete(Part::Contact, self.delete_versioned(key, stored_version)?);
        Ok(Some(holder))
    }
}

/// A contact before and after a change that may give it another address.
struct AddressMove<'a> {
    account: AccountId,
    before: &'a Contact,
    after: &'a Contact,
    /// Who has the new address now.
    holder: Option<ContactId>,
}

impl UpdateContact<'_> {
    /// Who else has the address that is asked for. A batched read is not one instant: it may show the address as the
    /// contact's own and the contact as it was before that. The contact's version then tells when it is written.
    fn holder(&self, opened: &mut PeriodSnapshot) -> Result<Option<ContactId>, StoreError> {
        let Some(Some(email)) = &self.email else { return Ok(None) };
        let address = opened.items.take::<AddressItem>(&Key::address(self.account, email))?;
        Ok(address.map(|address| address.contact).filter(|holder| *holder != self.contact))
    }

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
pub(super) fn visible(loaded: Vec<Loaded>, if_match: Option<IfMatch>) -> Result<Loaded, Refused> {
    let found = loaded.into_iter().find(|loaded| loaded.contact.is_visible());
    in_version(found.ok_or(Refused::NotFound("contact"))?, if_match)
}

/// The contact, if it has the version asked for.
pub(super) fn in_version(loaded: Loaded, if_match: Option<IfMatch>) -> Result<Loaded, Refused> {
    if if_match.is_none_or(|wanted| wanted.matches(&loaded.contact)) {
        Ok(loaded)
    } else {
        Err(Refused::VersionMismatch)
    }
}
