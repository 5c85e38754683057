//! Making and changing contacts: what a request or a form wishes, decided against what is there.

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::decision::{Command, CountChange, FormLimits, Ledger, Outcome, Refusal, Transition};
use domain::form::Overwrite;
use domain::ids::{AccountId, ContactId};
use domain::marketing::{EffectiveState, Marketing, StoredState};
use domain::period::Period;
use domain::property::{Properties, PropertyName};
use domain::source::{Actor, DefaultStatus, Intake, Source};

use super::{ContactRef, IfMatch, Loaded};
use crate::items::{AccountItem, AddressItem, Items};
use crate::keys::Key;
use crate::periods::{PeriodSnapshot, RefusalCheck};
use crate::retry::Retries;
use crate::store::Store;
use crate::transaction::{Part, Transaction};
use crate::{Refused, Responder, StoreError, StoredResponse};

/// Whether a contact may be there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SaveMode {
    /// It must not be.
    Create,
    /// If it is, it is changed.
    CreateOrUpdate,
}

/// A contact that a caller makes, or makes sure of.
#[derive(Clone)]
pub struct SaveContact<'a> {
    /// Whose.
    pub account: AccountId,
    /// Whether it may be there already.
    pub mode: SaveMode,
    /// Its address.
    pub email: Option<&'a EmailAddress>,
    /// Properties to set, or to remove where there is no value.
    pub properties: &'a [(PropertyName, Option<String>)],
    /// Whether the address is unsubscribed, if that is said.
    pub unsubscribed: Option<bool>,
    /// Whether the address has bounced, if that is said.
    pub bounced: Option<bool>,
    /// The source together with its setting. A chat flow's setting is the account's and is filled in here.
    pub intake: Intake,
    /// Through what it comes.
    pub source: Source,
    /// By whom.
    pub actor: Actor,
    /// The version that an existing contact must have; with one there must be a contact.
    pub if_match: Option<IfMatch>,
}

/// What came of a saved contact.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The contact.
    pub contact: Contact,
    /// The period with the counts after the change.
    pub period: Period,
    /// Whether it was made now.
    pub created: bool,
    /// What came of setting it marketing, if its source does that.
    pub status: Option<Result<Outcome, Refusal>>,
}

/// What is wished of the contact with an address, or of a new one.
pub(crate) struct ContactUpsert<'a> {
    pub(crate) email: Option<&'a EmailAddress>,
    pub(crate) properties: &'a [(PropertyName, Option<String>)],
    /// The form's rule for stored properties, if a form submitted them. Forms fill only a part of a contact.
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

/// An upsert decided against what is there. Nothing is written yet.
#[derive(Clone)]
pub(crate) struct PlannedContact {
    pub(crate) contact: Contact,
    /// The version in which the contact is stored; none for a new one.
    pub(crate) stored: Option<u64>,
    pub(crate) created: bool,
    pub(crate) status: Option<Result<Outcome, Refusal>>,
    /// Whether there is anything to write.
    changed: bool,
    /// Whether the account had no capacity for an earlier upsert of the same person.
    refused_before: bool,
    /// A deleted contact that had the address and has left: it goes, and the new one takes its address.
    replaced: Option<Loaded>,
    /// The number of submitted values that do not fit into the part of a contact that forms fill.
    pub(crate) left_out: u64,
}

impl Capacity<'_, '_> {
    fn set_marketing(&mut self, stored_state: StoredState) -> Result<Transition, Refusal> {
        match &mut self.form {
            Some(limits) => self.ledger.decide_for_form(stored_state, limits),
            None => self.ledger.decide(stored_state, Command::SetMarketing),
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

    /// Decides a further upsert of the same person, before the earlier one is written: both are then written as one.
    ///
    /// # Errors
    ///
    /// As [`Self::decide`].
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

    /// The address of a deleted contact that is still billable came back: the person takes that place again.
    fn revive(
        &self,
        loaded: Loaded,
        capacity: &mut Capacity<'_, '_>,
        now: Timestamp,
    ) -> Result<PlannedContact, Refused> {
        let Loaded { mut contact, stored_version } = loaded;
        contact.deleted_at = None;
        contact.properties = Properties::default();
        contact.unsubscribed = false;
        contact.bounced = false;
        contact.created_at = now;
        contact.email = self.email.cloned();
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
        };
        let mut contact = new(StoredState::NonMarketing, EffectiveState::NonMarketing);
        let left_out = self.write_data(&mut contact, self.submitted.map(|_| Overwrite::Always))?;
        let status = self.status.new_contact.then(|| capacity.set_marketing(StoredState::NonMarketing));
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
        let transition = capacity.set_marketing(contact.marketing.stored_state)?;
        contact.apply(&transition, now, self.source, self.actor);
        Ok(transition.outcome)
    }
}

impl Store {
    /// Makes a contact, or makes sure of it, with the status that its source gives.
    ///
    /// Over the cap the person is kept as a non-marketing contact, and [`Saved::status`] says why.
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
        let mut retries = self.retries();
        let mut check = RefusalCheck::default();
        let account = request.account;
        loop {
            let mut keys: Vec<Key> =
                request.email.map(|email| Key::address(account, email)).into_iter().collect();
            keys.extend(responder.key());
            if matches!(request.intake, Intake::Chatflow { .. }) {
                keys.push(Key::account(account));
            }
            let mut opened = self.read_current_period(account, wall_clock, keys, &mut retries).await?;
            if let Some(answer) = responder.replay(&mut opened.items, wall_clock)? {
                return Ok(answer);
            }
            check.observe(&opened.period);
            let status = status_of(request, &mut opened)?;
            let Some(found) =
                self.find(account, request.email, &mut opened, wall_clock, &mut retries).await?
            else {
                retries.retry_now("the address moved during a read").await?;
                continue;
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
            let new_id = self.new_contact_ids(wall_clock, &retries).draw();
            let mut ledger = Ledger::new(&opened.period);
            let mut capacity = Capacity { ledger: &mut ledger, form: None };
            let decided = upsert.decide(found, &mut capacity, opened.now, new_id)?;
            if decided.is_refused_as_read() && check.needs_reread(&opened.period, &mut retries).await? {
                continue;
            }
            let saved = decided.saved(ledger.period_after());
            let mut transaction = Transaction::new(self.rng());
            let gone = decided.replaced();
            self.write(&mut transaction, account, decided)?;
            self.write_count(&mut transaction, account, &opened.period, ledger.count_change())?;
            let answer = responder.attach(self, &mut transaction, &saved, wall_clock)?;
            if self.commit(transaction, &mut retries).await? {
                self.forget_history(account, gone, &mut retries).await?;
                return Ok(answer);
            }
        }
    }

    /// The contact that has the address, deleted ones included; the outer `None` if it moved while it was read.
    pub(crate) async fn find(
        &self,
        account: AccountId,
        email: Option<&EmailAddress>,
        opened: &mut PeriodSnapshot,
        wall_clock: Timestamp,
        retries: &mut Retries<'_>,
    ) -> Result<Option<Option<Loaded>>, StoreError> {
        let Some(email) = email else { return Ok(Some(None)) };
        let address = opened.items.take::<AddressItem>(&Key::address(account, email))?;
        let Some(AddressItem { contact }) = address else { return Ok(Some(None)) };
        let (loaded, reopened) = self.load(account, wall_clock, &[contact], Vec::new(), retries).await?;
        opened.period = reopened.period;
        opened.now = reopened.now;
        let asked = ContactRef::Email(email.clone());
        Ok(loaded.into_iter().find(|loaded| asked.names(&loaded.contact)).map(Some))
    }

    /// Adds what was decided to a transaction: the contact and its address. The count is [`Self::write_count`]'s.
    pub(crate) fn write(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        decided: PlannedContact,
    ) -> Result<(), StoreError> {
        let PlannedContact { mut contact, stored, changed, replaced, .. } = decided;
        if !changed {
            return Ok(());
        }
        if stored.is_none()
            && let Some(email) = &contact.email
        {
            let from = replaced.as_ref().map(|gone| gone.contact.id);
            self.claim_address(transaction, account, email, contact.id, from)?;
        }
        if let Some(gone) = replaced {
            let key = Key::contact(account, gone.contact.id);
            transaction.delete(Part::Contact, self.delete_versioned(key, gone.stored_version)?);
        }
        self.put_contact(transaction, account, &mut contact, stored)
    }

    /// Adds the move of the period's counts, if they move.
    pub(crate) fn write_count(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        period: &Period,
        change: CountChange,
    ) -> Result<(), StoreError> {
        if !change.delta.is_zero() {
            transaction.update(Part::Period, self.count(account, period, change)?);
        }
        Ok(())
    }
}

impl PlannedContact {
    /// Whether the account has no capacity for the person, by this upsert or an earlier one. A form's budget is another matter:
    /// see [`RefusalCheck`].
    fn is_refused(&self) -> bool {
        let refused = matches!(self.status, Some(Err(refusal)) if refusal != Refusal::FormBudget);
        refused || self.refused_before
    }

    /// Whether that follows from nothing but what was read: a write would fail if the person had changed since.
    pub(crate) fn is_refused_as_read(&self) -> bool {
        self.is_refused() && !self.changed
    }

    /// The deleted contact that goes, if one does.
    pub(crate) fn replaced(&self) -> Option<ContactId> {
        self.replaced.as_ref().map(|gone| gone.contact.id)
    }

    fn saved(&self, period: Period) -> Saved {
        Saved { contact: self.contact.clone(), period, created: self.created, status: self.status }
    }
}

/// The status that the source gives here, with the account's setting where it decides.
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
