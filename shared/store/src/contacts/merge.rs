//! Merging two contacts of one person.

use domain::Timestamp;
use domain::contact::Contact;
use domain::ids::{AccountId, ContactId};
use domain::marketing::EffectiveState;
use domain::period::Period;
use domain::property::{Properties, PropertyName};
use domain::source::{Actor, Source};

use super::{DeleteContact, Loaded};
use crate::operation::Step;
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Refused, Responder, StoreError, StoredResponse};

/// A request to merge two contacts. The primary one stays, with its id and its marketing state.
#[derive(Clone, Debug)]
pub struct MergeContacts {
    /// The account.
    pub account: AccountId,
    /// The contact that stays.
    pub primary: ContactId,
    /// The contact that is deleted.
    pub other: ContactId,
    /// The source that the histories show.
    pub source: Source,
    /// The actor that the histories show.
    pub actor: Actor,
    /// True if the caller has the permission `modify_marketing_contacts`.
    pub modify_marketing_contacts: bool,
}

impl Store {
    /// Merges two contacts in one transaction. The primary one gets the properties that it lacks, and the address if it has
    /// none. It is unsubscribed if one of them was. The other one is deleted as by [`Store::delete_contact`]: if it is
    /// billable, it stays so until the update date.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if one of them does not exist, [`Refused::Invalid`] if both are the same or the properties
    /// together are too many or too long, and [`Refused::MarketingPermission`] if this would queue a marketing contact to
    /// leave and the caller lacks the permission.
    pub async fn merge_contacts(
        &self,
        request: &MergeContacts,
        wall_clock: Timestamp,
        responder: Responder<'_, (Contact, Period)>,
    ) -> Result<StoredResponse, StoreError> {
        let MergeContacts { primary, other, .. } = *request;
        if primary == other {
            let message = "expected two different contacts".to_owned();
            return Err(Refused::Invalid { field: "objectIdToMerge", message }.into());
        }
        let op = self.operation(request.account, wall_clock);
        let ids = [primary, other];
        op.mutate_after(
            |keys| op.load(&ids, keys),
            &[],
            responder,
            async |(loaded, opened)| {
                let (kept, mut gone) = request.select(loaded)?;
                let mut contact = request.merged(&kept.contact, &gone.contact)?;
                let mut transaction = Transaction::default();
                op.leave_lists(&mut transaction, other).await?;
                if contact.email != kept.contact.email
                    && let Some(email) = gone.contact.email.take()
                {
                    op.claim_address(&mut transaction, &email, primary, Some(other))?;
                }
                if contact != kept.contact {
                    contact.edit(&request.source, request.actor);
                    contact.touch(opened.now);
                    op.put_contact(
                        &mut transaction,
                        &mut contact,
                        Some(kept.stored_version),
                        &opened.period,
                    )?;
                }
                let mut period = opened.period.clone();
                if gone.contact.state().is_billable() {
                    let delete = request.deletion();
                    period = op.leave_unit(&mut transaction, &delete, gone, &opened)?;
                } else {
                    op.remove(&mut transaction, &gone).await?;
                }
                Ok(Step::Commit(transaction, (contact, period)))
            },
        )
        .await
    }
}

impl MergeContacts {
    /// Returns the contact that stays and the one that is deleted.
    fn select(&self, loaded: Vec<Loaded>) -> Result<(Loaded, Loaded), Refused> {
        let visible = |id| loaded.iter().find(|found| found.contact.id == id && found.contact.is_visible());
        let (Some(kept), Some(gone)) = (visible(self.primary), visible(self.other)) else {
            return Err(Refused::NotFound("contact"));
        };
        if gone.contact.state() == EffectiveState::Marketing && !self.modify_marketing_contacts {
            return Err(Refused::MarketingPermission);
        }
        Ok((kept.clone(), gone.clone()))
    }

    /// Returns the contact that stays with what the other one adds to it.
    fn merged(&self, kept: &Contact, gone: &Contact) -> Result<Contact, Refused> {
        let mut contact = kept.clone();
        let lacks = |(name, _): &(&PropertyName, &str)| kept.properties.get(name.as_str()).is_none();
        let added = gone.properties.iter().filter(lacks);
        let added = added.map(|(name, value)| (name.clone(), Some(value.to_owned())));
        Properties::merge(&mut contact.properties, added)
            .map_err(|error| Refused::Invalid { field: "properties", message: error.to_string() })?;
        contact.unsubscribed |= gone.unsubscribed;
        if contact.email.is_none() {
            contact.email.clone_from(&gone.email);
            contact.bounced = gone.bounced;
        }
        Ok(contact)
    }

    fn deletion(&self) -> DeleteContact {
        DeleteContact {
            account: self.account,
            contact: self.other,
            erase: false,
            if_match: None,
            source: self.source.clone(),
            actor: self.actor,
            modify_marketing_contacts: self.modify_marketing_contacts,
        }
    }
}
