//! Decisions on submissions of one account. Several of them are decided on one snapshot, for one transaction.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::budget::{Budget, DayCount};
use domain::decision::{FormLimits, Ledger};
use domain::form::Overwrite;
use domain::ids::{AccountId, ContactId, FormId, NewContactIds, RejectionId};
use domain::limits::{DELIVERY_KEPT, TRANSACTION_BYTES_MAX, TRANSACTION_ITEMS_MAX};
use domain::property::PropertyName;
use domain::provider::Provider;
use domain::source::{AccountDefaults, Actor, DefaultStatus, Intake, Source};

use super::Delivery;
use crate::contacts::{Capacity, ContactUpsert, Loaded, PlannedContact, approximate_bytes};
use crate::delivery::{DeliveryId, Versions};
use crate::form_counts::{Counted, DayChange, Tally};
use crate::forms::Form;
use crate::items::{DeliveryItem, PendingItem};
use crate::keys::Key;
use crate::periods::PeriodSnapshot;
use crate::{ContactEffect, MarketingEffect, Refused, Submitted};

/// The maximum number of items that a submission writes: a contact, its address, the deleted contact that had the
/// address, the delivery, the form's counts and its day.
const ITEMS_OF_ONE: usize = 6;

/// The settings of a form that its submissions depend on.
pub(super) struct FormTerms {
    pub(super) id: FormId,
    name: String,
    provider: Provider,
    set_marketing: Option<bool>,
    pub(super) max_new_marketing_per_day: Option<u64>,
    may_raise_tier: Option<bool>,
    overwrite: Overwrite,
}

impl FormTerms {
    /// Returns the form's settings at the time when the inbox accepted a submission.
    pub(super) fn accepted(id: FormId, pending: &PendingItem) -> Self {
        Self {
            id,
            name: pending.form_name.clone(),
            provider: pending.provider,
            set_marketing: pending.set_marketing,
            max_new_marketing_per_day: pending.max_new_marketing_per_day,
            may_raise_tier: pending.may_raise_tier,
            overwrite: pending.overwrite,
        }
    }

    pub(super) fn follows_the_account(&self) -> bool {
        self.set_marketing.is_none() && !self.provider.is_native()
    }
}

impl From<&Form> for FormTerms {
    fn from(form: &Form) -> Self {
        Self {
            id: form.id,
            name: form.name.clone(),
            provider: form.provider,
            set_marketing: form.set_marketing,
            max_new_marketing_per_day: form.max_new_marketing_per_day,
            may_raise_tier: form.may_raise_tier,
            overwrite: form.overwrite,
        }
    }
}

/// A submission that is applied now.
pub(super) struct Entry<'a> {
    pub(super) form: FormTerms,
    pub(super) email: &'a EmailAddress,
    pub(super) properties: &'a [(PropertyName, Option<String>)],
    /// The number of its fields that are left out already.
    pub(super) left_out: u64,
    pub(super) origin: Origin,
}

/// The place of a submission before it is applied. It decides the write beside the contact's.
pub(super) enum Origin {
    /// A new delivery. It is stored if it has an id.
    Sent(Option<Delivery>),
    /// Another version of a delivery that was applied in these versions.
    Edit(Delivery, Versions),
    /// A delivery in the inbox.
    Inbox(InboxOrigin),
    /// A rejected submission, and its delivery if that must be stored.
    Rejected(RejectionId, Option<Delivery>),
}

/// A delivery in the inbox.
pub(super) struct InboxOrigin {
    pub(super) delivery: DeliveryId,
    /// The token of this waiting state.
    pub(super) token: String,
    pub(super) versions: Versions,
    /// True if another version of it was applied before.
    pub(super) is_edit: bool,
}

impl Origin {
    /// Returns true for an edit of a delivery that was applied before. An edit changes only properties, so that one
    /// delivery never makes a contact billable twice.
    fn is_edit(&self) -> bool {
        match self {
            Self::Edit(..) => true,
            Self::Inbox(inbox) => inbox.is_edit,
            Self::Sent(_) | Self::Rejected(..) => false,
        }
    }
}

/// The data on which submissions are decided.
pub(super) struct Snapshot {
    pub(super) opened: PeriodSnapshot,
    /// The contacts that have the addresses, deleted ones included, by the key of the address.
    pub(super) people: BTreeMap<String, Loaded>,
    pub(super) days: BTreeMap<FormId, DayCount>,
    pub(super) defaults: AccountDefaults,
}

/// The changes of one form's counts and day.
#[derive(Default)]
pub(super) struct FormSum {
    pub(super) tally: Tally,
    pub(super) day: Option<DayChange>,
}

/// The decisions for one transaction.
pub(super) struct Plan<'s> {
    account: AccountId,
    snapshot: &'s Snapshot,
    new_ids: NewContactIds,
    pub(super) ledger: Ledger<'s>,
    pub(super) people: BTreeMap<String, PlannedContact>,
    pub(super) forms: BTreeMap<FormId, FormSum>,
    /// The writes at the places of the submissions.
    pub(super) origins: Vec<OriginWrite>,
    bytes: usize,
}

/// A write at the place of a submission.
pub(super) enum OriginWrite {
    /// Stores a delivery that is new or expired.
    Create(Key, Box<DeliveryItem>),
    /// Replaces a delivery that is stored with these versions.
    Edit(Key, Box<DeliveryItem>, Versions),
    /// Replaces a delivery that waits with this token.
    Settle(Key, Box<DeliveryItem>, String),
    /// Deletes a rejected submission.
    Delete(Key),
}

impl<'s> Plan<'s> {
    /// Creates a plan without decisions.
    pub(super) fn new(account: AccountId, snapshot: &'s Snapshot, new_ids: NewContactIds) -> Self {
        Self {
            account,
            snapshot,
            new_ids,
            ledger: Ledger::new(&snapshot.opened.period),
            people: BTreeMap::new(),
            forms: BTreeMap::new(),
            origins: Vec::new(),
            bytes: 0,
        }
    }

    /// Returns true if one more submission might exceed the transaction's limits.
    pub(super) fn is_full(&self) -> bool {
        let other_items =
            |person: &PlannedContact| usize::from(person.stored.is_none()) + usize::from(person.replaces());
        let people: usize = self.people.values().map(|person| 1 + other_items(person)).sum();
        let items = 1 + people + 2 * self.forms.len() + self.origins.len();
        items + ITEMS_OF_ONE > TRANSACTION_ITEMS_MAX || self.bytes >= TRANSACTION_BYTES_MAX
    }

    /// Returns true if a submission was refused for lack of capacity and writes nothing. The refusal must then be
    /// confirmed.
    pub(super) fn needs_confirmation(&self) -> bool {
        self.people.values().any(PlannedContact::is_refused_as_read)
    }

    /// Decides one more submission.
    ///
    /// # Errors
    ///
    /// None in practice, because a submitted value that is too long is left out and counted.
    pub(super) fn decide(&mut self, entry: &Entry<'_>, wall_clock: Timestamp) -> Result<Submitted, Refused> {
        let PeriodSnapshot { period, now, .. } = &self.snapshot.opened;
        let form = &entry.form;
        let status = if entry.origin.is_edit() {
            DefaultStatus { new_contact: false, existing_contact: false }
        } else {
            let set_marketing = self.snapshot.defaults.for_form(form.provider, form.set_marketing);
            Intake::Form { set_marketing }.default_status()
        };
        let source = Source::form(form.provider, form.name.clone(), form.id);
        let upsert = ContactUpsert {
            email: Some(entry.email),
            properties: entry.properties,
            submitted: Some(form.overwrite),
            unsubscribed: None,
            bounced: None,
            status,
            source: &source,
            actor: Actor::Form(form.id),
        };
        let today = period.calendar.time_zone.date(*now);
        let mut day = self.day_of(form.id, today);
        let mut budget = form.max_new_marketing_per_day.map(|max| Budget::new(max, day.count()));
        let may_raise_tier = form.may_raise_tier.unwrap_or(period.forms_may_raise_tier);
        let limits = FormLimits { budget: budget.as_mut(), may_raise_tier };
        let mut capacity = Capacity { ledger: &mut self.ledger, form: Some(limits) };
        let person = entry.email.key();
        let decided = match self.people.get(person) {
            Some(earlier) => upsert.decide_further(earlier, &mut capacity, *now)?,
            None => {
                let new_id = self.new_ids.draw();
                upsert.decide(self.snapshot.people.get(person).cloned(), &mut capacity, *now, new_id)?
            }
        };
        let (submitted, contact) = (Submitted::of(&decided), decided.contact.id);
        let sum = self.forms.entry(form.id).or_default();
        if let (Some(max), Some(budget)) = (form.max_new_marketing_per_day, budget)
            && budget.used() > 0
        {
            day.most_before = day.most_before.min(max.saturating_sub(day.set + budget.used()));
            day.set += budget.used();
            sum.day = Some(day);
        }
        sum.tally.add_left_out(entry.left_out + decided.left_out);
        self.bytes += approximate_bytes(&decided.contact);
        self.people.insert(person.to_owned(), decided);
        self.conclude(entry, &submitted, contact, wall_clock);
        Ok(submitted)
    }

    /// Returns the form's day by the stored count and by the decisions so far.
    fn day_of(&self, form: FormId, today: chrono::NaiveDate) -> DayChange {
        let stored = self.snapshot.days.get(&form).copied();
        let earlier = self.forms.get(&form).and_then(|sum| sum.day.as_ref());
        let (set, most_before) = earlier.map_or((0, u64::MAX), |day| (day.set, day.most_before));
        DayChange { stored, day: DayCount::on(today, stored).day, set, most_before }
    }

    /// Adds the write at the submission's place, and counts the submission.
    fn conclude(
        &mut self,
        entry: &Entry<'_>,
        submitted: &Submitted,
        contact: ContactId,
        wall_clock: Timestamp,
    ) {
        let delivery = |id: DeliveryId| Key::delivery(self.account, entry.form.id, id);
        let remembered = |versions: &Versions| {
            let remembered = submitted.remembered(versions.clone(), wall_clock);
            Box::new(DeliveryItem { contact_id: Some(contact), applied_at: Some(wall_clock), ..remembered })
        };
        let tally = &mut self.forms.entry(entry.form.id).or_default().tally;
        tally.add(Counted::of(submitted), 1);
        let sent = |sent: &Delivery| {
            let versions = Versions::first(sent.content.clone());
            OriginWrite::Create(delivery(sent.id), remembered(&versions))
        };
        match &entry.origin {
            Origin::Sent(id) => self.origins.extend(id.as_ref().map(sent)),
            Origin::Edit(Delivery { id, content }, before) => {
                let versions = before.clone().edited(content.clone());
                self.origins.push(OriginWrite::Edit(delivery(*id), remembered(&versions), before.clone()));
            }
            Origin::Inbox(InboxOrigin { delivery: id, token, versions, .. }) => {
                self.origins.push(OriginWrite::Settle(delivery(*id), remembered(versions), token.clone()));
            }
            Origin::Rejected(rejection, id) => {
                tally.add(Counted::Rejected, -1);
                let key = Key::rejected(self.account, entry.form.id, *rejection);
                self.origins.extend(id.as_ref().map(sent));
                self.origins.push(OriginWrite::Delete(key));
            }
        }
    }
}

impl DayChange {
    /// Returns the day's count after the decisions so far.
    fn count(&self) -> DayCount {
        let on_day = self.stored.filter(|stored| stored.day == self.day);
        let before = on_day.map_or(0, |stored| stored.new_marketing);
        DayCount { day: self.day, new_marketing: before + self.set }
    }
}

impl Submitted {
    /// Returns the effect of a decided submission.
    fn of(decided: &PlannedContact) -> Self {
        let contact = if decided.created { ContactEffect::Created } else { ContactEffect::Updated };
        let (marketing, reason) = match decided.status {
            Some(Ok(outcome)) => (outcome.into(), None),
            Some(Err(refusal)) => (MarketingEffect::NotSet, Some(refusal.as_str().to_owned())),
            None if decided.created && !decided.contact.state().is_billable() => {
                (MarketingEffect::NotSet, None)
            }
            None => (MarketingEffect::Unchanged, None),
        };
        Self { contact, marketing, reason, duplicate: false }
    }

    /// Returns the item that stores the effect, so that a repeat of the delivery gets the same response.
    pub(super) fn remembered(&self, versions: Versions, wall_clock: Timestamp) -> DeliveryItem {
        DeliveryItem {
            contact: self.contact.to_string(),
            marketing: self.marketing.to_string(),
            reason: self.reason.clone(),
            versions,
            contact_id: None,
            applied_at: None,
            expires_at: Some(wall_clock.plus(DELIVERY_KEPT).seconds()),
            pending: None,
            token: None,
            due_shard: None,
            due_at: None,
        }
    }
}
