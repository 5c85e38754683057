//! Update of one contact's data.

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::decision::{Command, Ledger, Refusal};
use domain::ids::{AccountId, ContactId};
use domain::patch::Patch;
use domain::period::Period;
use domain::property::PropertyName;
use domain::source::{Actor, Source};

use super::Loaded;
use crate::items::AddressItem;
use crate::keys::Key;
use crate::operation::{Operation, Step};
use crate::periods::{PeriodSnapshot, RefusalCheck};
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Refused, Responder, StoreError, StoredResponse};

/// A change of a contact's data, with a command for its marketing state if there is one.
#[derive(Clone)]
pub struct UpdateContact<'a> {
    /// The account.
    pub account: AccountId,
    /// The contact.
    pub contact: ContactId,
    /// The new address.
    pub email: Patch<EmailAddress>,
    /// The properties to set. Those without a value are removed.
    pub properties: &'a [(PropertyName, Option<String>)],
    /// True if the address is unsubscribed. `None` leaves the flag as it is.
    pub unsubscribed: Option<bool>,
    /// True if the address has bounced. `None` leaves the flag as it is.
    pub bounced: Option<bool>,
    /// The command for the marketing state. The caller has checked the permission.
    pub status: Option<Command>,
    /// The version that the contact must have.
    pub if_match: Option<IfMatch>,
    /// The source that the histories show.
    pub source: Source,
    /// The actor that the histories show.
    pub actor: Actor,
}

/// The contact's version that a request requires with `If-Match` (RFC 9110 §13.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IfMatch {
    /// Any version, but the contact must exist: `*`.
    Any,
    /// This version.
    Version(u64),
}

impl IfMatch {
    /// Returns true if the contact has the version.
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
    /// another contact's, [`Refused::Invalid`] when the properties would be too many or too long, and
    /// [`Refused::Status`] when the contact can't become marketing. Then its data stays as it was, too.
    pub async fn update_contact(
        &self,
        request: &UpdateContact<'_>,
        wall_clock: Timestamp,
        responder: Responder<'_, (Contact, Period)>,
    ) -> Result<StoredResponse, StoreError> {
        let account = request.account;
        let op = self.operation(account, wall_clock);
        let check = RefusalCheck::default();
        let new_address = match &request.email {
            Patch::Set(email) => Some(Key::address(account, email)),
            Patch::Keep | Patch::Remove => None,
        };
        let keys: Vec<Key> = new_address.into_iter().collect();
        let read = |keys| op.load(std::slice::from_ref(&request.contact), keys);
        op.mutate_after(read, &keys, responder, async |(loaded, mut opened)| {
            let Loaded { contact: before, stored_version } = visible(loaded, request.if_match)?;
            let mut contact = before.clone();
            request.write_data(&mut contact)?;
            let data_changed = contact != before;
            let mut ledger = Ledger::new(&opened.period);
            if let Err(refusal) = request.decide(&mut contact, &mut ledger, opened.now) {
                if check.needs_reread(&opened.period, &op.retries).await? {
                    return Ok(Step::Retry);
                }
                return Err(Refused::Status(refusal).into());
            }
            if data_changed {
                contact.edit(&request.source, request.actor);
                if contact.version == before.version {
                    contact.touch(opened.now);
                }
            }
            let (period, counts) = (ledger.period_after(), ledger.count_change());
            let mut transaction = Transaction::default();
            if contact != before {
                let holder = request.holder(&mut opened)?;
                op.move_address(&mut transaction, &before, &contact, holder).await?;
                op.put_contact(&mut transaction, &mut contact, Some(stored_version), &opened.period)?;
                op.write_count(&mut transaction, &opened.period, counts)?;
            }
            Ok(Step::Commit(transaction, (contact, period)))
        })
        .await
    }
}

impl Operation<'_> {
    /// Adds the writes that move the address, if the contact has another one than before. `holder` is the contact that
    /// has the new address now.
    async fn move_address(
        &self,
        transaction: &mut Transaction,
        before: &Contact,
        after: &Contact,
        holder: Option<ContactId>,
    ) -> Result<(), StoreError> {
        let key = |contact: &Contact| contact.email.as_ref().map(|email| email.key().to_owned());
        if key(before) == key(after) {
            return Ok(());
        }
        if let Some(email) = &after.email {
            if let Some(holder) = holder {
                self.take_from_deleted(transaction, holder).await?;
            }
            self.claim_address(transaction, email, after.id, holder)?;
        }
        if let Some(email) = &before.email {
            self.release_address(transaction, email, before.id)?;
        }
        Ok(())
    }

    /// Removes the address from the deleted contact that has it. The write of that contact keeps it from reusing the
    /// address at the same time. A billable unit stays without an address, and a contact that has left is deleted.
    ///
    /// # Errors
    ///
    /// [`Refused::ContactExists`] if the contact is not deleted.
    async fn take_from_deleted(
        &self,
        transaction: &mut Transaction,
        holder: ContactId,
    ) -> Result<(), StoreError> {
        let (loaded, opened) = self.load(&[holder], Vec::new()).await?;
        let Some(mut unit) = loaded.into_iter().next() else { return Ok(()) };
        if unit.contact.is_visible() {
            return Err(Refused::ContactExists(holder).into());
        }
        if !unit.contact.state().is_billable() {
            return self.remove_contact(transaction, &unit);
        }
        unit.contact.email = None;
        unit.contact.touch(opened.now);
        self.put_contact(transaction, &mut unit.contact, Some(unit.stored_version), &opened.period)
    }
}

impl UpdateContact<'_> {
    /// Returns the other contact that has the new address. A batched read is not atomic: it may show the address as
    /// this contact's own, and the contact from before it got the address. Then the condition on its version fails.
    fn holder(&self, opened: &mut PeriodSnapshot) -> Result<Option<ContactId>, StoreError> {
        let Patch::Set(email) = &self.email else { return Ok(None) };
        let address = opened.items.take::<AddressItem>(&Key::address(self.account, email))?;
        Ok(address.map(|address| address.contact).filter(|holder| *holder != self.contact))
    }

    /// Decides the command for the marketing state and applies it.
    fn decide(&self, contact: &mut Contact, ledger: &mut Ledger<'_>, now: Timestamp) -> Result<(), Refusal> {
        let Some(command) = self.status else { return Ok(()) };
        let transition = ledger.decide(contact.marketing.stored_state, command, self.source.kind)?;
        contact.apply(&transition, now, &self.source, self.actor);
        Ok(())
    }

    fn write_data(&self, contact: &mut Contact) -> Result<(), Refused> {
        let merged = contact.properties.merge(self.properties.iter().cloned());
        merged.map_err(|error| Refused::Invalid { field: "properties", message: error.to_string() })?;
        contact.unsubscribed = self.unsubscribed.unwrap_or(contact.unsubscribed);
        contact.bounced = self.bounced.unwrap_or(contact.bounced);
        self.email.clone().apply(&mut contact.email);
        Ok(())
    }
}

/// Returns the loaded contact, if it is not deleted and has the required version.
pub(super) fn visible(loaded: Vec<Loaded>, if_match: Option<IfMatch>) -> Result<Loaded, Refused> {
    let found = loaded.into_iter().find(|loaded| loaded.contact.is_visible());
    in_version(found.ok_or(Refused::NotFound("contact"))?, if_match)
}

/// Returns the contact, if it has the required version.
pub(super) fn in_version(loaded: Loaded, if_match: Option<IfMatch>) -> Result<Loaded, Refused> {
    if if_match.is_none_or(|wanted| wanted.matches(&loaded.contact)) {
        Ok(loaded)
    } else {
        Err(Refused::VersionMismatch)
    }
}
