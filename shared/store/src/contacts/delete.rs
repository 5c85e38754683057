//! Deletion and erasure of contacts (the domain's `README.md`, Deletion and erasure).
//!
//! A billable contact is replaced by a unit without properties until the update date. The unit of a deleted contact
//! keeps the address, so that a later submission restores it. The unit of an erased contact contains no personal data.

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::decision::{Command, Ledger};
use domain::ids::{AccountId, ContactId};
use domain::marketing::{EffectiveState, History};
use domain::period::Period;
use domain::property::Properties;
use domain::source::{Actor, Source, SourceType};

use super::change::{in_version, visible};
use super::{ContactRef, IfMatch, Loaded};
use crate::keys::{history_pk, properties_pk};
use crate::operation::{Operation, Step};
use crate::periods::PeriodSnapshot;
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Refused, Responder, StoreError, StoredResponse};

/// A request to delete a contact.
#[derive(Clone, Debug)]
pub struct DeleteContact {
    /// The account.
    pub account: AccountId,
    /// The contact.
    pub contact: ContactId,
    /// True if all personal data is removed permanently and at once.
    pub erase: bool,
    /// The version that the contact must have.
    pub if_match: Option<IfMatch>,
    /// The source that the history shows.
    pub source: Source,
    /// The actor that the history shows.
    pub actor: Actor,
    /// True if the caller has the permission `modify_marketing_contacts`.
    pub modify_marketing_contacts: bool,
}

impl Store {
    /// Deletes or erases a contact. A deleted contact that is still billable can be erased too.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], [`Refused::VersionMismatch`], and [`Refused::MarketingPermission`] if this would queue a
    /// marketing contact to leave and the caller lacks the permission.
    pub async fn delete_contact(
        &self,
        request: &DeleteContact,
        wall_clock: Timestamp,
        responder: Responder<'_, ()>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(request.account, wall_clock);
        let read = |keys| op.load(std::slice::from_ref(&request.contact), keys);
        op.mutate_after(read, &[], responder, async |(loaded, opened)| {
            let loaded = request.select(loaded)?;
            let state = loaded.contact.state();
            if state == EffectiveState::Marketing && !request.modify_marketing_contacts {
                return Err(Refused::MarketingPermission.into());
            }
            let mut transaction = Transaction::default();
            op.leave_lists(&mut transaction, request.contact).await?;
            if state.is_billable() {
                op.leave_unit(&mut transaction, request, loaded, &opened)?;
            } else {
                op.remove(&mut transaction, &loaded).await?;
                if request.erase {
                    transaction.then_delete_partition(properties_pk(request.account, request.contact));
                }
            }
            Ok(Step::Commit(transaction, ()))
        })
        .await
    }
}

impl Operation<'_> {
    /// Replaces a billable contact by the unit that stays until the update date. Returns the period with its counts after
    /// that.
    pub(super) fn leave_unit(
        &self,
        transaction: &mut Transaction,
        request: &DeleteContact,
        loaded: Loaded,
        opened: &PeriodSnapshot,
    ) -> Result<Period, StoreError> {
        let Loaded { mut contact, stored_version } = loaded;
        let mut ledger = Ledger::new(&opened.period);
        // Queueing needs no capacity, so it is never refused. If it were, the contact would stay as it is.
        if let Ok(transition) = ledger.decide(
            contact.marketing.stored_state,
            Command::SetNonMarketingPending,
            request.source.kind,
        ) {
            contact.apply(&transition, opened.now, &request.source, request.actor);
        }
        contact.properties = Properties::default();
        contact.unsubscribed = false;
        contact.bounced = false;
        contact.edited = None;
        contact.deleted_at = Some(contact.deleted_at.unwrap_or(opened.now));
        contact.touch(opened.now);
        if request.erase {
            if let Some(email) = contact.email.take() {
                self.release_address(transaction, &email, contact.id)?;
            }
            forget_origin(&mut contact);
            transaction.then_delete_partition(history_pk(self.account, contact.id));
            transaction.then_delete_partition(properties_pk(self.account, contact.id));
        }
        self.put_contact(transaction, &mut contact, Some(stored_version), &opened.period)?;
        self.write_count(transaction, &opened.period, ledger.count_change())?;
        Ok(ledger.period_after())
    }

    /// Adds the deletion of a contact and its address.
    pub(crate) async fn remove(
        &self,
        transaction: &mut Transaction,
        loaded: &Loaded,
    ) -> Result<(), StoreError> {
        self.remove_contact(transaction, loaded)?;
        let contact = &loaded.contact;
        // A deleted contact's address may belong to another contact since.
        if let Some(email) = &contact.email
            && (contact.is_visible() || self.has_address(contact.id, email).await?)
        {
            self.release_address(transaction, email, contact.id)?;
        }
        Ok(())
    }

    async fn has_address(&self, contact: ContactId, email: &EmailAddress) -> Result<bool, StoreError> {
        let asked = [ContactRef::Email(email.clone())];
        Ok(self.resolve(&asked).await?.first() == Some(&Some(contact)))
    }
}

impl DeleteContact {
    /// Returns the contact to delete. An erasure also accepts a deleted contact that still exists as a unit.
    fn select(&self, loaded: Vec<Loaded>) -> Result<Loaded, Refused> {
        match loaded.into_iter().next() {
            Some(unit) if self.erase && !unit.contact.is_visible() => in_version(unit, self.if_match),
            other => visible(other.into_iter().collect(), self.if_match),
        }
    }
}

/// Removes the history and the source of an erased contact, which is then only a unit.
fn forget_origin(contact: &mut Contact) {
    contact.marketing.history = History::default();
    contact.marketing.source = Source { kind: SourceType::Manual, name: "Erased".to_owned(), id: None };
}
