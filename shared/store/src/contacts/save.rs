//! Creation and update of contacts: the upsert of a request or a form, decided against the stored contact.

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::decision::{Command, FormLimits, Ledger, Outcome, Refusal, Transition};
use domain::form::Overwrite;
use domain::ids::{AccountId, ContactId};
use domain::marketing::{EffectiveState, Marketing, StoredState};
use domain::period::Period;
use domain::property::{Properties, PropertyName};
use domain::source::{Actor, DefaultStatus, Intake, Source, SourceType};

use super::{ContactRef, IfMatch, Loaded};
use crate::items::{AccountItem, AddressItem, Items};
use crate::keys::Key;
use crate::operation::{Operation, Step};
use crate::periods::{PeriodSnapshot, RefusalCheck};
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Refused, Responder, StoreError, StoredResponse};

/// The rule for a contact that exists already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SaveMode {
    /// The contact must not exist.
    Create,
    /// An existing contact is updated.
    CreateOrUpdate,
}

/// A request to create or update a contact.
#[derive(Clone)]
pub struct SaveContact<'a> {
    /// The account.
    pub account: AccountId,
    /// The rule for a contact that exists already.
    pub mode: SaveMode,
    /// The address.
    pub email: Option<&'a EmailAddress>,
    /// The properties to set. Those without a value are removed.
    pub properties: &'a [(PropertyName, Option<String>)],
    /// True if the address is unsubscribed. `None` leaves the flag as it is.
    pub unsubscribed: Option<bool>,
    /// True if the address has bounced. `None` leaves the flag as it is.
    pub bounced: Option<bool>,
    /// The source together with its setting. The store fills in a chat flow's setting, which is the account's.
    pub intake: Intake,
    /// The source that the history shows.
    pub source: Source,
    /// The actor that the history shows.
    pub actor: Actor,
    /// The version that the contact must have. With a version, the contact must exist.
    pub if_match: Option<IfMatch>,
}

/// The result of creating or updating a contact.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The contact.
    pub contact: Contact,
    /// The period, with its counts after the change.
    pub period: Period,
    /// True if the contact was created now.
    pub created: bool,
    /// The result of setting the contact marketing, if its source does that.
    pub status: Option<Result<Outcome, Refusal>>,
}

/// The desired data and state of the contact with an address, or of a new contact.
pub(crate) struct ContactUpsert<'a> {
    pub(crate) email: Option<&'a EmailAddress>,
    pub(crate) properties: &'a [(PropertyName, Option<String>)],
    /// The form's rule for stored properties, if a form submitted the data. Forms fill only a part of a contact.
    pub(crate) submitted: Option<Overwrite>,
    pub(crate) unsubscribed: Option<bool>,
    pub(crate) bounced: Option<bool>,
    pub(crate) status: DefaultStatus,
    pub(crate) source: &'a Source,
    pub(crate) actor: Actor,
}

/// The remaining capacity that successive decisions share: the account's, and a form's if the contact submitted one.
pub(crate) struct Capacity<'a, 'p> {
    pub(crate) ledger: &'a mut Ledger<'p>,
    pub(crate) form: Option<FormLimits<'a>>,
}

/// An upsert decided against the stored contact, before it is written.
#[derive(Clone)]
pub(crate) struct PlannedContact {
    pub(crate) contact: Contact,
    /// The contact's stored version. `None` for a new contact.
    pub(crate) stored: Option<u64>,
    pub(crate) created: bool,
    pub(crate) status: Option<Result<Outcome, Refusal>>,
    /// True if the contact must be written.
    changed: bool,
    /// True if the account had no capacity for an earlier upsert of the same contact.
    refused_before: bool,
    /// A deleted contact that had the address and has left. It is removed, and the new contact gets the address.
    replaced: Option<Loaded>,
    /// The number of submitted values that exceed the part of a contact that forms fill.
    pub(crate) left_out: u64,
}

impl Capacity<'_, '_> {
    fn set_marketing(
        &mut self,
        stored_state: StoredState,
        source: SourceType,
    ) -> Result<Transition, Refusal> {
        match &mut self.form {
            Some(limits) => self.ledger.decide_for_form(stored_state, source, limits),
            None => self.ledger.decide(stored_state, Command::SetMarketing, source),
        }
    }
}

impl ContactUpsert<'_> {
    /// Decides the upsert, `found` being the contact that has the address, deleted ones included.
    ///
    /// # Errors
    ///
    /// [`Refused::Invalid`] when the properties would be too many or too long. No capacity is used up then.
    pub(crate) fn decide(
        &self,
        found: Option<Loaded>,
        capacity: &mut Capacity<'_, '_>,
        now: Timestamp,
        new_id: ContactId,
    ) -> Result<PlannedContact, Refused> {
        match found {
            Some(loaded) if loaded.contact.is_visible() => self.update(loaded, capacity, now),
            Some(loaded) if loaded.contact.state().is_billable() => self.revive(loaded, capacity, now),
            gone => self.create(gone, capacity, now, new_id),
        }
    }

    /// Decides a further upsert of the same contact before the earlier one is written. Both are then one write.
    ///
    /// # Errors
    ///
    /// The same as [`Self::decide`].
    pub(crate) fn decide_further(
        &self,
        earlier: &PlannedContact,
        capacity: &mut Capacity<'_, '_>,
        now: Timestamp,
    ) -> Result<PlannedContact, Refused> {
        let stored_version = earlier.stored.unwrap_or_default();
        let further =
            self.update(Loaded { contact: earlier.contact.clone(), stored_version }, capacity, now)?;
        Ok(PlannedContact {
            stored: earlier.stored,
            changed: earlier.changed || further.changed,
            refused_before: earlier.is_refused(),
            replaced: earlier.replaced.clone(),
            ..further
        })
    }

    fn update(
        &self,
        loaded: Loaded,
        capacity: &mut Capacity<'_, '_>,
        now: Timestamp,
    ) -> Result<PlannedContact, Refused> {
        let Loaded { mut contact, stored_version } = loaded;
        let before = contact.clone();
        let left_out = self.write_data(&mut contact, self.submitted)?;
        let data_changed = contact != before;
        if data_changed {
            contact.edit(self.source, self.actor);
        }
        let status = self.status.existing_contact.then(|| self.set_marketing(&mut contact, capacity, now));
        if data_changed && contact.version == before.version {
            contact.touch(now);
        }
        Ok(PlannedContact {
            changed: contact.version != before.version,
            contact,
            stored: Some(stored_version),
            created: false,
            status,
            refused_before: false,
            replaced: None,
            left_out,
        })
    }

    /// Restores a deleted contact that is still billable, because its address was submitted again.
    fn revive(
        &self,
        loaded: Loaded,
        capacity: &mut Capacity<'_, '_>,
        now: Timestamp,
    ) -> Result<PlannedContact, Refused> {
        let Loaded { mut contact, stored_version } = loaded;
        contact.deleted_at = None;
        contact.imported = None;
        contact.properties = Properties::default();
        contact.unsubscribed = false;
        contact.bounced = false;
        contact.created_at = now;
        contact.email = self.email.cloned();
        contact.edit(self.source, self.actor);
        let left_out = self.write_data(&mut contact, self.submitted.map(|_| Overwrite::Always))?;
        contact.touch(now);
        let status = self.status.new_contact.then(|| self.set_marketing(&mut contact, capacity, now));
        Ok(PlannedContact {
            contact,
            stored: Some(stored_version),
            created: true,
            status,
            changed: true,
            refused_before: false,
            replaced: None,
            left_out,
        })
    }

    fn create(
        &self,
        replaced: Option<Loaded>,
        capacity: &mut Capacity<'_, '_>,
        now: Timestamp,
        id: ContactId,
    ) -> Result<PlannedContact, Refused> {
        let new = |stored_state, state| Contact {
            id,
            email: self.email.cloned(),
            properties: Properties::default(),
            unsubscribed: false,
            bounced: false,
            marketing: Marketing::new(stored_state, state, now, self.source.clone(), self.actor),
            created_at: now,
            updated_at: now,
            version: 1,
            deleted_at: None,
            chain: Vec::new(),
            unenrolled: false,
            imported: None,
            edited: None,
        };
        let mut contact = new(StoredState::NonMarketing, EffectiveState::NonMarketing);
        let left_out = self.write_data(&mut contact, self.submitted.map(|_| Overwrite::Always))?;
        let status = self
            .status
            .new_contact
            .then(|| capacity.set_marketing(StoredState::NonMarketing, self.source.kind));
        if let Some(Ok(transition)) = &status {
            contact.marketing = new(transition.stored_state, transition.to).marketing;
        }
        Ok(PlannedContact {
            contact,
            stored: None,
            created: true,
            status: status.map(|decided| decided.map(|transition| transition.outcome)),
            changed: true,
            refused_before: false,
            replaced,
            left_out,
        })
    }

    /// Writes the properties and flags, and returns the number of submitted values that do not fit.
    fn write_data(&self, contact: &mut Contact, submitted: Option<Overwrite>) -> Result<u64, Refused> {
        let left_out = match submitted {
            Some(overwrite) => {
                let values =
                    self.properties.iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
                contact.properties.merge_submitted(values, overwrite)
            }
            None => {
                let merged = contact.properties.merge(self.properties.iter().cloned());
                merged
                    .map_err(|error| Refused::Invalid { field: "properties", message: error.to_string() })?;
                0
            }
        };
        contact.unsubscribed = self.unsubscribed.unwrap_or(contact.unsubscribed);
        contact.bounced = self.bounced.unwrap_or(contact.bounced);
        Ok(left_out)
    }

    fn set_marketing(
        &self,
        contact: &mut Contact,
        capacity: &mut Capacity<'_, '_>,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        let transition = capacity.set_marketing(contact.marketing.stored_state, self.source.kind)?;
        contact.apply(&transition, now, self.source, self.actor);
        Ok(transition.outcome)
    }
}

impl Store {
    /// Creates or updates a contact by its address, with the marketing state that its source sets.
    ///
    /// Over the cap the contact is stored as non-marketing, and [`Saved::status`] contains the reason.
    ///
    /// # Errors
    ///
    /// [`Refused::ContactExists`] under [`SaveMode::Create`], [`Refused::VersionMismatch`],
    /// [`Refused::MarketingContactsOff`] when a user asks for a marketing contact that the account can't have, and
    /// [`Refused::Invalid`] when the properties would be too many or too long.
    pub async fn upsert_contact(
        &self,
        request: &SaveContact<'_>,
        wall_clock: Timestamp,
        responder: Responder<'_, Saved>,
    ) -> Result<StoredResponse, StoreError> {
        let account = request.account;
        let op = self.operation(account, wall_clock);
        let check = RefusalCheck::default();
        let mut keys: Vec<Key> =
            request.email.map(|email| Key::address(account, email)).into_iter().collect();
        if matches!(request.intake, Intake::Chatflow { .. }) {
            keys.push(Key::account(account));
        }
        op.mutate_in_period(&keys, responder, async |mut opened| {
            check.observe(&opened.period);
            let status = status_of(request, &mut opened)?;
            let found = match op.find(request.email, &mut opened).await? {
                Found::Contact(loaded) => Some(*loaded),
                Found::Nothing => None,
                Found::Moved => {
                    op.retries.retry_now("the address moved during a read").await?;
                    return Ok(Step::Retry);
                }
            };
            refuse_existing(request, found.as_ref())?;
            let upsert = ContactUpsert {
                email: request.email,
                properties: request.properties,
                submitted: None,
                unsubscribed: request.unsubscribed,
                bounced: request.bounced,
                status,
                source: &request.source,
                actor: request.actor,
            };
            let mut ledger = Ledger::new(&opened.period);
            let mut capacity = Capacity { ledger: &mut ledger, form: None };
            let new_id = op.new_contact_ids().draw();
            let decided = upsert.decide(found, &mut capacity, opened.now, new_id)?;
            if decided.is_refused_as_read() && check.needs_reread(&opened.period, &op.retries).await? {
                return Ok(Step::Retry);
            }
            let saved = decided.saved(ledger.period_after());
            let mut transaction = Transaction::default();
            op.write(&mut transaction, decided, &opened.period)?;
            op.write_count(&mut transaction, &opened.period, ledger.count_change())?;
            Ok(Step::Commit(transaction, saved))
        })
        .await
    }
}

/// The result of looking up the contact with an address.
enum Found {
    /// The contact, which may be deleted.
    Contact(Box<Loaded>),
    /// No contact has the address.
    Nothing,
    /// The address moved to another contact between two reads.
    Moved,
}

impl Operation<'_> {
    /// Looks up the contact that has the address, deleted ones included.
    async fn find(
        &self,
        email: Option<&EmailAddress>,
        opened: &mut PeriodSnapshot,
    ) -> Result<Found, StoreError> {
        let Some(email) = email else { return Ok(Found::Nothing) };
        let address = opened.items.take::<AddressItem>(&Key::address(self.account, email))?;
        let Some(AddressItem { contact }) = address else { return Ok(Found::Nothing) };
        let (loaded, reopened) = self.load(&[contact], Vec::new()).await?;
        opened.refresh(reopened);
        let asked = ContactRef::Email(email.clone());
        let found = loaded.into_iter().find(|loaded| asked.names(&loaded.contact));
        Ok(found.map_or(Found::Moved, |loaded| Found::Contact(Box::new(loaded))))
    }

    /// Adds the writes of a decided upsert: the contact and its address. [`Self::write_count`] adds the period's
    /// counts.
    pub(crate) fn write(
        &self,
        transaction: &mut Transaction,
        decided: PlannedContact,
        period: &Period,
    ) -> Result<(), StoreError> {
        let PlannedContact { mut contact, stored, changed, replaced, .. } = decided;
        if !changed {
            return Ok(());
        }
        if stored.is_none()
            && let Some(email) = &contact.email
        {
            let from = replaced.as_ref().map(|gone| gone.contact.id);
            self.claim_address(transaction, email, contact.id, from)?;
        }
        if let Some(gone) = replaced {
            self.remove_contact(transaction, &gone)?;
        }
        self.put_contact(transaction, &mut contact, stored, period)
    }
}

impl PlannedContact {
    /// Returns true if the account has no capacity for the contact, by this upsert or an earlier one. A form's budget
    /// needs no confirmation: see [`RefusalCheck`].
    fn is_refused(&self) -> bool {
        let refused = matches!(self.status, Some(Err(refusal)) if refusal != Refusal::FormBudget);
        refused || self.refused_before
    }

    /// Returns true if such a refusal writes nothing. A write would fail if the contact had changed since it was read.
    pub(crate) fn is_refused_as_read(&self) -> bool {
        self.is_refused() && !self.changed
    }

    /// Returns true if the contact must be written.
    pub(crate) fn is_changed(&self) -> bool {
        self.changed
    }

    /// Discards the changes, because the contact shows the same as before.
    pub(crate) fn discard(&mut self) {
        self.changed = false;
    }

    /// Returns true if the upsert deletes a contact that had the address and has left.
    pub(crate) fn replaces(&self) -> bool {
        self.replaced.is_some()
    }

    fn saved(&self, period: Period) -> Saved {
        Saved { contact: self.contact.clone(), period, created: self.created, status: self.status }
    }
}

/// Returns the marketing state that the source sets, by the account's setting where that decides.
fn status_of(request: &SaveContact<'_>, opened: &mut PeriodSnapshot) -> Result<DefaultStatus, StoreError> {
    let intake = match request.intake {
        Intake::Chatflow { .. } => {
            let defaults = account_defaults(request.account, &mut opened.items)?;
            Intake::Chatflow { set_marketing: defaults.for_chatflow(request.source.id.as_deref()) }
        }
        Intake::Manual { marketing: Some(true) } if !opened.period.marketing_contacts => {
            return Err(Refused::MarketingContactsOff.into());
        }
        intake => intake,
    };
    Ok(intake.default_status())
}

fn account_defaults(
    account: AccountId,
    items: &mut Items,
) -> Result<domain::source::AccountDefaults, StoreError> {
    let item = items.take::<AccountItem>(&Key::account(account))?.ok_or(Refused::NotFound("account"))?;
    Ok(item.defaults())
}

fn refuse_existing(request: &SaveContact<'_>, found: Option<&Loaded>) -> Result<(), Refused> {
    let existing = found.map(|loaded| &loaded.contact).filter(|contact| contact.is_visible());
    match existing {
        Some(contact) if request.mode == SaveMode::Create => Err(Refused::ContactExists(contact.id)),
        Some(contact) if request.if_match.is_some_and(|wanted| !wanted.matches(contact)) => {
            Err(Refused::VersionMismatch)
        }
        None if request.if_match.is_some() => Err(Refused::VersionMismatch),
        _ => Ok(()),
    }
}
