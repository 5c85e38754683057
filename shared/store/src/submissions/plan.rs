//! Settling submissions of one account: many of them on one snapshot and in one transaction, or one alone.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::Put;
use domain::Timestamp;
use domain::address::EmailAddress;
use domain::budget::{Budget, DayCount};
use domain::contact::Contact;
use domain::decision::{FormLimits, Ledger};
use domain::form::Overwrite;
use domain::ids::{AccountId, ContactId, FormId, NewContactIds, RejectionId};
use domain::limits::{DELIVERY_KEPT, TRANSACTION_BYTES_MAX, TRANSACTION_ITEMS_MAX};
use domain::period::Period;
use domain::property::PropertyName;
use domain::provider::Provider;
use domain::source::{AccountDefaults, Actor, DefaultStatus, Intake, Source};

use super::Delivery;
use crate::contacts::{Capacity, ContactRef, ContactUpsert, Loaded, PlannedContact, approximate_bytes};
use crate::delivery::{ContentDigest, DeliveryId, Versions};
use crate::expressions::Expression;
use crate::form_counts::{Counted, DayChange, Tally};
use crate::forms::Form;
use crate::items::{AccountItem, AddressItem, DeliveryItem, FormDayItem, PendingItem};
use crate::keys::{EXPIRES_AT, Key};
use crate::periods::PeriodSnapshot;
use crate::retry::Retries;
use crate::store::Store;
use crate::transaction::{Part, Transaction};
use crate::{ContactEffect, MarketingEffect, Refused, StoreError, Submitted};

/// How many items a submission writes at most: a person, an address, a deleted contact in its place, the delivery, the
/// form's counts and its day.
const ITEMS_OF_ONE: usize = 6;

/// What decides about a form's submissions.
pub(super) struct FormTerms {
    pub(super) id: FormId,
    name: String,
    provider: Provider,
    set_marketing: Option<bool>,
    max_new_marketing_per_day: Option<u64>,
    may_raise_tier: Option<bool>,
    overwrite: Overwrite,
}

impl FormTerms {
    /// A form as it was when a submission was accepted into the inbox.
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

    fn follows_the_account(&self) -> bool {
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

/// A submission to be settled.
pub(super) struct Entry<'a> {
    pub(super) form: FormTerms,
    pub(super) email: &'a EmailAddress,
    pub(super) properties: &'a [(PropertyName, Option<String>)],
    /// The number of its fields that were left out before.
    pub(super) left_out: u64,
    pub(super) origin: Origin,
}

/// The place of a submission, which decides what its settling writes there.
pub(super) enum Origin {
    /// A new delivery, which is remembered if it has an id.
    Sent(Option<Delivery>),
    /// Another version of a delivery that was applied in these versions.
    Edit(Delivery, Versions),
    /// A delivery in the inbox.
    Inbox(InboxOrigin),
    /// A rejected submission, and its delivery if that is to be remembered.
    Rejected(RejectionId, Option<Delivery>),
}

/// A delivery in the inbox.
pub(super) struct InboxOrigin {
    pub(super) delivery: DeliveryId,
    /// The token under which it waits.
    pub(super) token: String,
    pub(super) versions: Versions,
    /// Whether another version of it was applied before.
    pub(super) is_edit: bool,
}

impl Origin {
    /// Returns true for an edit of a delivery that was applied before. It changes properties and nothing else, so that
    /// one delivery never makes a contact billable twice.
    fn is_edit(&self) -> bool {
        match self {
            Self::Edit(..) => true,
            Self::Inbox(inbox) => inbox.is_edit,
            Self::Sent(_) | Self::Rejected(..) => false,
        }
    }
}

/// What submissions are decided on.
pub(super) struct Snapshot {
    opened: PeriodSnapshot,
    /// Who has the addresses, deleted ones included, by the key of the address.
    people: BTreeMap<String, Loaded>,
    days: BTreeMap<FormId, DayCount>,
    defaults: AccountDefaults,
}

impl Snapshot {
    /// The period, as it was read with the people.
    pub(super) fn period(&self) -> &Period {
        &self.opened.period
    }
}

/// What is decided of one form.
#[derive(Default)]
struct FormSum {
    tally: Tally,
    day: Option<DayChange>,
}

/// What one transaction settles.
pub(super) struct Plan<'s> {
    account: AccountId,
    snapshot: &'s Snapshot,
    new_ids: NewContactIds,
    ledger: Ledger<'s>,
    people: BTreeMap<String, PlannedContact>,
    forms: BTreeMap<FormId, FormSum>,
    /// What becomes of the submissions where they are.
    origins: Vec<Write>,
    bytes: usize,
}

/// A write beside the people, the period and the forms.
enum Write {
    /// A delivery that is not there yet, or is forgotten.
    Remember(Key, Box<DeliveryItem>),
    /// A delivery that is there in these versions.
    Edit(Key, Box<DeliveryItem>, Versions),
    /// A delivery that waits under this token.
    Settle(Key, Box<DeliveryItem>, String),
    Forget(Key),
}

impl<'s> Plan<'s> {
    /// Nothing yet.
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

    /// Whether one more submission might not fit into the transaction.
    pub(super) fn is_full(&self) -> bool {
        let address_and_place = |person: &PlannedContact| {
            usize::from(person.stored.is_none()) + usize::from(person.replaced().is_some())
        };
        let people: usize = self.people.values().map(|person| 1 + address_and_place(person)).sum();
        let items = 1 + people + 2 * self.forms.len() + self.origins.len();
        items + ITEMS_OF_ONE > TRANSACTION_ITEMS_MAX || self.bytes >= TRANSACTION_BYTES_MAX
    }

    /// Whether it is to be made sure that there is no capacity for somebody.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.people.values().any(PlannedContact::is_refused_as_read)
    }

    /// Decides one more submission.
    ///
    /// # Errors
    ///
    /// None in practice: a submitted value that does not fit is left out and counted.
    pub(super) fn take(&mut self, entry: &Entry<'_>, wall_clock: Timestamp) -> Result<Submitted, Refused> {
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
        let submitted = Submitted::of(&decided);
        let sum = self.forms.entry(form.id).or_default();
        if let (Some(max), Some(budget)) = (form.max_new_marketing_per_day, budget)
            && budget.taken() > 0
        {
            day.most_before = day.most_before.min(max.saturating_sub(day.set + budget.taken()));
            day.set += budget.taken();
            sum.day = Some(day);
        }
        sum.tally.add_left_out(entry.left_out + decided.left_out);
        self.bytes += approximate_bytes(&decided.contact);
        self.people.insert(person.to_owned(), decided);
        self.conclude(entry, &submitted, wall_clock);
        Ok(submitted)
    }

    /// What the form has set on its day, by what is stored and by what is decided here.
    fn day_of(&self, form: FormId, today: chrono::NaiveDate) -> DayChange {
        let stored = self.snapshot.days.get(&form).copied();
        let earlier = self.forms.get(&form).and_then(|sum| sum.day.as_ref());
        let (set, most_before) = earlier.map_or((0, u64::MAX), |day| (day.set, day.most_before));
        DayChange { stored, day: DayCount::on(today, stored).day, set, most_before }
    }

    /// Notes what comes of a submission where it is, and counts it.
    fn conclude(&mut self, entry: &Entry<'_>, submitted: &Submitted, wall_clock: Timestamp) {
        let delivery = |id: DeliveryId| Key::delivery(self.account, entry.form.id, id);
        let remembered = |versions: &Versions| Box::new(submitted.remembered(versions.clone(), wall_clock));
        let tally = &mut self.forms.entry(entry.form.id).or_default().tally;
        tally.add(Counted::of(submitted), 1);
        let sent = |sent: &Delivery| {
            let versions = Versions::first(sent.content.clone());
            Write::Remember(delivery(sent.id), remembered(&versions))
        };
        match &entry.origin {
            Origin::Sent(id) => self.origins.extend(id.as_ref().map(sent)),
            Origin::Edit(Delivery { id, content }, before) => {
                let versions = before.clone().edited(content.clone());
                self.origins.push(Write::Edit(delivery(*id), remembered(&versions), before.clone()));
            }
            Origin::Inbox(InboxOrigin { delivery: id, token, versions, .. }) => {
                self.origins.push(Write::Settle(delivery(*id), remembered(versions), token.clone()));
            }
            Origin::Rejected(rejection, id) => {
                tally.add(Counted::Rejected, -1);
                let key = Key::rejected(self.account, entry.form.id, *rejection);
                self.origins.extend(id.as_ref().map(sent));
                self.origins.push(Write::Forget(key));
            }
        }
    }
}

impl DayChange {
    /// The day's count as decided so far.
    fn count(&self) -> DayCount {
        let on_day = self.stored.filter(|stored| stored.day == self.day);
        let before = on_day.map_or(0, |stored| stored.new_marketing);
        DayCount { day: self.day, new_marketing: before + self.set }
    }
}

impl Store {
    /// Reads what submissions are decided on, and `others`, in one batched read: who has the addresses comes after it.
    pub(super) async fn open_for(
        &self,
        account: AccountId,
        entries: &[Entry<'_>],
        mut others: Vec<Key>,
        wall_clock: Timestamp,
        retries: &mut Retries<'_>,
    ) -> Result<PeriodSnapshot, StoreError> {
        let mut known = BTreeSet::new();
        let addresses = entries.iter().filter(|entry| known.insert(entry.email.key()));
        others.extend(addresses.map(|entry| Key::address(account, entry.email)));
        let with_budget = entries.iter().filter(|entry| entry.form.max_new_marketing_per_day.is_some());
        let forms: BTreeSet<FormId> = with_budget.map(|entry| entry.form.id).collect();
        others.extend(forms.into_iter().map(Key::form_day));
        if entries.iter().any(|entry| entry.form.follows_the_account()) {
            others.push(Key::account(account));
        }
        self.read_current_period(account, wall_clock, others, retries).await
    }

    /// What submissions are decided on, from what [`Self::open_for`] read; one batched read more if any of the people is
    /// known. None if an address moved meanwhile.
    pub(super) async fn snapshot(
        &self,
        account: AccountId,
        entries: &[Entry<'_>],
        mut opened: PeriodSnapshot,
        wall_clock: Timestamp,
        retries: &mut Retries<'_>,
    ) -> Result<Option<Snapshot>, StoreError> {
        let mut days = BTreeMap::new();
        let mut holders: BTreeMap<String, (ContactRef, ContactId)> = BTreeMap::new();
        for Entry { form, email, .. } in entries {
            if let Some(day) = opened.items.take::<FormDayItem>(&Key::form_day(form.id))? {
                days.insert(form.id, day.count());
            }
            if let Some(address) = opened.items.take::<AddressItem>(&Key::address(account, email))? {
                let asked = ContactRef::Email((*email).clone());
                holders.insert(email.key().to_owned(), (asked, address.contact));
            }
        }
        let defaults = match opened.items.take::<AccountItem>(&Key::account(account))? {
            Some(item) => item.defaults(),
            None => AccountDefaults::default(),
        };
        let mut people = BTreeMap::new();
        if !holders.is_empty() {
            let ids: BTreeSet<ContactId> = holders.values().map(|(_, id)| *id).collect();
            let ids: Vec<ContactId> = ids.into_iter().collect();
            let (loaded, reopened) = self.load(account, wall_clock, &ids, Vec::new(), retries).await?;
            opened.period = reopened.period;
            opened.now = reopened.now;
            for (key, (asked, id)) in holders {
                let holds = |contact: &Contact| contact.id == id && asked.names(contact);
                let Some(holder) = loaded.iter().find(|loaded| holds(&loaded.contact)) else {
                    return Ok(None);
                };
                people.insert(key, holder.clone());
            }
        }
        Ok(Some(Snapshot { opened, people, days, defaults }))
    }

    /// Adds everything that was decided to a transaction. Gives the contacts that go with it, whose history is to be
    /// forgotten afterwards.
    pub(super) fn write_plan(
        &self,
        transaction: &mut Transaction,
        plan: Plan<'_>,
        wall_clock: Timestamp,
    ) -> Result<Vec<ContactId>, StoreError> {
        let Plan { account, snapshot, ledger, people, forms, origins, .. } = plan;
        let gone = people.values().filter_map(PlannedContact::replaced).collect();
        for decided in people.into_values() {
            self.write(transaction, account, decided)?;
        }
        self.write_count(transaction, account, &snapshot.opened.period, ledger.count_change())?;
        for (form, sum) in forms {
            transaction.update(Part::FormCounts, self.count_form(form, &sum.tally)?);
            if let Some(day) = sum.day {
                transaction.update(Part::FormDay, self.count_form_day(form, &day)?);
            }
        }
        for write in origins {
            self.write_origin(transaction, write, wall_clock)?;
        }
        Ok(gone)
    }

    /// Puts a delivery in place of the versions that were read.
    pub(super) fn put_edited(
        &self,
        key: Key,
        item: &DeliveryItem,
        before: &Versions,
    ) -> Result<Put, StoreError> {
        let latest = before.latest.as_ref().map_or("", ContentDigest::as_str);
        let expression = Expression::default().name("content").text("content", latest);
        // A delivery that waits in the inbox has no time at which it is forgotten.
        let expression = expression.name(EXPIRES_AT);
        let condition = "#content = :content AND attribute_exists(#expires_at)";
        self.put_if(key, item, condition, &expression)
    }

    fn write_origin(
        &self,
        transaction: &mut Transaction,
        write: Write,
        wall_clock: Timestamp,
    ) -> Result<(), StoreError> {
        match write {
            Write::Remember(key, item) => {
                transaction.put(Part::Delivery, self.put_new_or_expired(key, &*item, wall_clock)?);
            }
            Write::Edit(key, item, before) => {
                let put = self.put_edited(key, &item, &before)?;
                transaction.put(Part::Delivery, put);
            }
            Write::Settle(key, item, token) => {
                let same = Expression::default().name("token").text("token", token);
                transaction.put(Part::Delivery, self.put_if(key, &*item, "#token = :token", &same)?);
            }
            Write::Forget(key) => transaction.delete(Part::Rejected, self.delete_existing(key)?),
        }
        Ok(())
    }
}

impl Submitted {
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

    /// What is kept of it, to answer the same delivery again.
    pub(super) fn remembered(&self, versions: Versions, wall_clock: Timestamp) -> DeliveryItem {
        DeliveryItem {
            contact: self.contact.to_string(),
            marketing: self.marketing.to_string(),
            reason: self.reason.clone(),
            versions,
            expires_at: Some(wall_clock.plus(DELIVERY_KEPT).seconds()),
            pending: None,
            token: None,
            due_shard: None,
            due_at: None,
        }
    }
}
