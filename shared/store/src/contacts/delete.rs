//! Deleting and erasing contacts (the domain's `README.md`, Deletion and erasure).
//!
//! A billable contact leaves a nameless unit behind until the update date: a deleted one keeps its address, so that
//! it can take its place again; an erased one keeps nothing of the person.

use domain::Timestamp;
use domain::contact::Contact;
use domain::decision::{Command, Ledger};
use domain::ids::{AccountId, ContactId};
use domain::marketing::{EffectiveState, History};
use domain::property::Properties;
use domain::source::{Actor, Source, SourceType};

use super::change::{in_version, visible};
use super::{IfMatch, Loaded};
use crate::keys::{Key, history_pk};
use crate::periods::PeriodSnapshot;
use crate::retry::Retries;
use crate::store::Store;
use crate::transaction::{Part, Transaction};
use crate::{Refused, Responder, StoreError, StoredResponse};

/// A contact to delete.
#[derive(Clone, Debug)]
pub struct DeleteContact {
    /// Whose.
    pub account: AccountId,
    /// Which one.
    pub contact: ContactId,
    /// Whether everything about the person is removed, for good and at once.
    pub erase: bool,
    /// The version that the contact must have.
    pub if_match: Option<IfMatch>,
    /// Through what.
    pub source: Source,
    /// By whom.
    pub actor: Actor,
    /// Whether the caller has the permission `modify_marketing_contacts`.
    pub modify_marketing_contacts: bool,
}

impl Store {
    /// Deletes a contact, or erases it. A deleted one that is still billable can be erased as well.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], [`Refused::VersionMismatch`], and [`Refused::MarketingPermission`] if this would queue a
    /// marketing contact to leave and the caller may not do that.
    pub async fn delete_contact(
        &self,
        request: &DeleteContact,
        wall_clock: Timestamp,
        responder: Responder<'_, ()>,
    ) -> Result<StoredResponse, StoreError> {
        let mut retries = self.retries();
        loop {
            let others = responder.key().into_iter().collect();
            let (loaded, mut opened) =
                self.load(request.account, wall_clock, &[request.contact], others, &mut retries).await?;
            if let Some(answer) = responder.replay(&mut opened.items, wall_clock)? {
                return Ok(answer);
            }
            let loaded = request.select(loaded)?;
            let state = loaded.contact.state();
            if state == EffectiveState::Marketing && !request.modify_marketing_contacts {
                return Err(Refused::MarketingPermission.into());
            }
            let is_billable = state.is_billable();
            let mut transaction = Transaction::new(self.rng());
            if is_billable {
                self.leave_unit(&mut transaction, request, loaded, &opened)?;
            } else {
                self.remove(&mut transaction, request.account, &loaded, &mut retries).await?;
            }
            let answer = responder.attach(self, &mut transaction, &(), wall_clock)?;
            if self.commit(transaction, &mut retries).await? {
                let gone = (request.erase || !is_billable).then_some(request.contact);
                self.forget_history(request.account, gone, &mut retries).await?;
                return Ok(answer);
            }
        }
    }

    /// Replaces a billable contact by the unit that stays until the update date.
    fn leave_unit(
        &self,
        transaction: &mut Transaction,
        request: &DeleteContact,
        loaded: Loaded,
        opened: &PeriodSnapshot,
    ) -> Result<(), StoreError> {
        let Loaded { mut contact, stored_version } = loaded;
        let mut ledger = Ledger::new(&opened.period);
        // Queueing needs no capacity, so it is never refused; if it were, the contact would stay as it is.
        if let Ok(transition) = ledger.decide(contact.marketing.stored_state, Command::SetNonMarketingPending)
        {
            contact.apply(&transition, opened.now, &request.source, request.actor);
        }
        contact.properties = Properties::default();
        contact.unsubscribed = false;
        contact.bounced = false;
        contact.deleted_at = Some(contact.deleted_at.unwrap_or(opened.now));
        contact.touch(opened.now);
        if request.erase {
            if let Some(email) = contact.email.take() {
                self.release_address(transaction, request.account, &email, contact.id)?;
            }
            forget_origin(&mut contact);
        }
        self.put_contact(transaction, request.account, &mut contact, Some(stored_version))?;
        self.write_count(transaction, request.account, &opened.period, ledger.count_change())
    }

    /// Adds the removal of a contact and its address. Its pages of history are the caller's to delete, afterwards.
    pub(crate) async fn remove(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        loaded: &Loaded,
        retries: &mut Retries<'_>,
    ) -> Result<(), StoreError> {
        let contact = &loaded.contact;
        let key = Key::contact(account, contact.id);
        transaction.delete(Part::Contact, self.delete_versioned(key, loaded.stored_version)?);
        // A deleted contact's address may have gone to another one since.
        if let Some(email) = &contact.email
            && self.has_address(account, contact, retries).await?
        {
            self.release_address(transaction, account, email, contact.id)?;
        }
        Ok(())
    }

    async fn has_address(
        &self,
        account: AccountId,
        contact: &Contact,
        retries: &mut Retries<'_>,
    ) -> Result<bool, StoreError> {
        let Some(email) = &contact.email else { return Ok(false) };
        if contact.is_visible() {
            return Ok(true);
        }
        let asked = [super::ContactRef::Email(email.clone())];
        Ok(self.resolve(account, &asked, retries).await?.first() == Some(&Some(contact.id)))
    }

    /// Removes the pages of history of a contact that has gone, if one has. Only now, that it has happened: what does
    /// not happen must not cost a contact its history. Pages that a crash leaves behind can't be reached any more, and
    /// hold nothing of the person.
    pub(crate) async fn forget_history(
        &self,
        account: AccountId,
        gone: Option<ContactId>,
        retries: &mut Retries<'_>,
    ) -> Result<(), StoreError> {
        match gone {
            Some(contact) => self.delete_partition(&history_pk(account, contact), retries).await,
            None => Ok(()),
        }
    }
}

impl DeleteContact {
    /// The contact to delete: one that reads show, or, to erase it, one that was deleted and is still there.
    fn select(&self, loaded: Vec<Loaded>) -> Result<Loaded, Refused> {
        match loaded.into_iter().next() {
            Some(unit) if self.erase && !unit.contact.is_visible() => in_version(unit, self.if_match),
            other => visible(other.into_iter().collect(), self.if_match),
        }
    }
}

/// Keeps of an erased contact that it is a unit, and nothing of how it came to be one.
fn forget_origin(contact: &mut Contact) {
    contact.marketing.history = History::default();
    contact.marketing.source = Source { kind: SourceType::Manual, name: "Erased".to_owned(), id: None };
}
