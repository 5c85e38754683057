//! Enrolment: the changes after which a contact waits for an automation.
//!
//! A contact waits under a key that follows from the trigger, so a record that is read twice is one entry. The worker
//! recognizes an entry whose contact had its turn already.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::Timestamp;
use domain::automation::{Trigger, came_to_match};
use domain::contact::Contact;
use domain::digest::sha256_hex;
use domain::filter::Filter;
use domain::ids::{AccountId, AutomationId, ContactId, FormId, SegmentId};
use domain::period::Period;

use super::change::{Change, ContactChange, Images};
use crate::StoreError;
use crate::contacts::Loaded;
use crate::delivery::DeliveryId;
use crate::expressions::Expression;
use crate::items::{
    AutomationItem, AutomationStateItem, DeliveryItem, MemberItem, SegmentItem, WaitingItem, encode,
};
use crate::jobs::AutomationTask;
use crate::keys::{Collection, Item, Key, waiting_pk};
use crate::operation::Operation;
use crate::store::Store;

/// An enabled automation with its trigger, as it is now.
struct Enabled {
    item: AutomationItem,
    since: Timestamp,
    on: On,
}

/// The trigger of an automation, with a segment's filter in place of the segment.
enum On {
    Filter(Filter),
    Forms(BTreeSet<FormId>),
    Members(SegmentId),
}

/// A trigger that happened to a contact.
struct Happened {
    contact: ContactId,
    created_at: Option<Timestamp>,
    /// The account's instant.
    at: Timestamp,
    /// The instant by the wall clock.
    written_at: Timestamp,
    matched_version: Option<u64>,
    trigger: String,
}

/// The effects of an account's changes on its automations.
#[derive(Default)]
struct Effects {
    waiting: BTreeMap<(String, String), Item>,
    woken: BTreeSet<AutomationId>,
    /// The chains that ended: the automation that would have acted again, and the last one that acted.
    ended: BTreeSet<(AutomationId, AutomationId)>,
}

impl Store {
    /// Enrols the contacts of an account's changes in its automations.
    pub(super) async fn enrol(
        &self,
        account: AccountId,
        changes: impl Iterator<Item = &Change>,
        wall_clock: Timestamp,
    ) -> Result<(), StoreError> {
        let changes: Vec<&Change> = changes.filter(|change| may_enrol(change)).collect();
        if changes.is_empty() {
            return Ok(());
        }
        let op = self.operation(account, wall_clock);
        let automations = op.enabled_automations().await?;
        if automations.is_empty() {
            return Ok(());
        }
        let opened = op.read_current_period(Vec::new()).await?;
        let mut effects = Effects::default();
        for change in changes {
            match change {
                Change::Contact(change) => {
                    op.enrol_by_change(&automations, change, &opened.period, &mut effects).await?;
                }
                Change::Member(_, list, contact, images) => {
                    let Some(happened) = joined(*list, *contact, images, &opened.period) else { continue };
                    let follows = |on: &On| matches!(on, On::Members(segment) if segment == list);
                    effects.add_all(account, automations.iter().filter(|one| follows(&one.on)), &happened)?;
                }
                Change::Delivery(_, form, delivery, images) => {
                    let Some(happened) = submitted(*form, *delivery, images, &opened.period) else {
                        continue;
                    };
                    let follows = |on: &On| matches!(on, On::Forms(forms) if forms.contains(form));
                    effects.add_all(account, automations.iter().filter(|one| follows(&one.on)), &happened)?;
                }
                Change::Period(change) if has_moved(&change.images) => {
                    effects.woken.extend(automations.iter().map(|one| one.item.id));
                }
                _ => {}
            }
        }
        let today = opened.period.calendar.time_zone.date(opened.now);
        op.carry_out(effects, today).await
    }
}

/// Returns true if a change of this kind can enrol a contact or give an automation something to do.
fn may_enrol(change: &Change) -> bool {
    match change {
        Change::Contact(change) => change.images.new.is_some(),
        Change::Member(.., images) => images.new.is_some(),
        Change::Delivery(.., images) => images.new.is_some(),
        Change::Period(change) => has_moved(&change.images),
        _ => false,
    }
}

/// Returns true if a sandbox's clock has moved. A budget's next day may have begun with it.
fn has_moved(images: &Images<Period>) -> bool {
    let clock = |period: &Option<Period>| period.as_ref().and_then(|period| period.test_clock);
    clock(&images.new).is_some() && clock(&images.new) != clock(&images.old)
}

/// Returns true if a record's write counted a wake, so that a worker is needed.
pub(super) fn was_woken(images: &Images<AutomationStateItem>) -> bool {
    let wakes = |state: &Option<AutomationStateItem>| state.as_ref().map_or(0, |state| state.wakes);
    wakes(&images.new) > wakes(&images.old)
}

/// Returns the trigger of a contact that was added to a static list.
fn joined(
    list: SegmentId,
    contact: ContactId,
    images: &Images<MemberItem>,
    period: &Period,
) -> Option<Happened> {
    let new = images.new.as_ref()?;
    let was_member = images.old.as_ref().is_some_and(|old| old.created_at == new.created_at);
    let written_at = new.added_at.filter(|_| !was_member)?;
    Some(Happened {
        contact,
        created_at: Some(new.created_at),
        at: period.now(written_at),
        written_at,
        matched_version: None,
        trigger: digest(&format!("member/{list}/{contact}/{}", written_at.millis())),
    })
}

/// Returns the trigger of a submission that was applied. A repeat of a delivery writes nothing, and so has no record.
fn submitted(
    form: FormId,
    delivery: DeliveryId,
    images: &Images<DeliveryItem>,
    period: &Period,
) -> Option<Happened> {
    let new = images.new.as_ref().filter(|new| new.pending.is_none())?;
    let is_applied = |old: &DeliveryItem| old.pending.is_none() && old.applied_at == new.applied_at;
    let is_new = !images.old.as_ref().is_some_and(is_applied);
    let (contact, written_at) = (new.contact_id?, new.applied_at.filter(|_| is_new)?);
    Some(Happened {
        contact,
        created_at: None,
        at: period.now(written_at),
        written_at,
        matched_version: None,
        trigger: digest(&format!("submission/{form}/{delivery}/{}", written_at.millis())),
    })
}

/// Returns a short digest. A collision would hide a trigger of the same contact, by chance once in 2^64.
fn digest(text: &str) -> String {
    sha256_hex(text).chars().take(16).collect()
}

impl Operation<'_> {
    /// Returns the account's enabled automations.
    async fn enabled_automations(&self) -> Result<Vec<Enabled>, StoreError> {
        let items = self.store.every::<AutomationItem>(self.account, Collection::Automations).await?;
        let enabled = items.into_iter().filter_map(|item| Some((item.enabled_since?, item)));
        let enabled: Vec<(Timestamp, AutomationItem)> = enabled.collect();
        let mut triggers = Vec::new();
        for (_, item) in &enabled {
            triggers.push(item.trigger.trigger()?);
        }
        let segments = triggers.iter().filter_map(|trigger| match trigger {
            Trigger::Segment(segment) => Some(*segment),
            Trigger::Filter(_) | Trigger::Forms(_) => None,
        });
        let segments: BTreeSet<SegmentId> = segments.collect();
        let keys = segments.iter().map(|segment| Key::segment(self.account, *segment)).collect();
        let mut items = self.read(keys).await?;
        let mut filters = HashMap::new();
        for segment in segments {
            if let Some(item) = items.take::<SegmentItem>(&Key::segment(self.account, segment))? {
                filters.insert(segment, item.filter.map(|filter| filter.filter()).transpose()?);
            }
        }
        let enabled = enabled.into_iter().zip(triggers).filter_map(|((since, item), trigger)| {
            let on = match trigger {
                Trigger::Filter(filter) => On::Filter(filter),
                Trigger::Forms(forms) => On::Forms(forms),
                // A segment that an automation uses is not deleted.
                Trigger::Segment(segment) => match filters.get(&segment)?.clone() {
                    Some(filter) => On::Filter(filter),
                    None => On::Members(segment),
                },
            };
            Some(Enabled { item, since, on })
        });
        Ok(enabled.collect())
    }

    /// Enrols a contact in the automations whose filter it came to match.
    async fn enrol_by_change(
        &self,
        automations: &[Enabled],
        change: &ContactChange,
        period: &Period,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let (Some(new), Some(written_at)) = (&change.images.new, change.written_at) else { return Ok(()) };
        if !new.is_visible() || new.unenrolled {
            return Ok(());
        }
        let after = self.as_of(new, new.updated_at, period).await?;
        let before = match &change.images.old {
            Some(old) => Some(self.as_of(old, new.updated_at, period).await?),
            None => None,
        };
        for automation in automations {
            let On::Filter(filter) = &automation.on else { continue };
            if !came_to_match(filter, before.as_ref(), Some(&after)) {
                continue;
            }
            if new.chain.contains(&automation.item.id) {
                let last = new.chain.last().filter(|last| **last != automation.item.id);
                effects.ended.extend(last.map(|last| (automation.item.id, *last)));
                continue;
            }
            let happened = Happened {
                contact: change.id,
                created_at: Some(new.created_at),
                at: new.updated_at,
                written_at,
                matched_version: Some(new.version),
                trigger: digest(&format!("contact/{}/{}", change.id, new.version)),
            };
            effects.add(self.account, automation, &happened)?;
        }
        Ok(())
    }

    /// Returns a contact's image as of an instant: a leaving contact has left if its update date was before.
    ///
    /// So the update date itself enrols no contact, neither when it passes nor with the contact's next change.
    async fn as_of(&self, image: &Contact, at: Timestamp, period: &Period) -> Result<Contact, StoreError> {
        let loaded = Loaded { contact: image.clone(), stored_version: image.version };
        let mut loaded = [loaded];
        self.settle_loaded(&mut loaded, period).await?;
        let [Loaded { contact, .. }] = loaded;
        let has_left = contact.version != image.version && contact.marketing.since <= at;
        Ok(if has_left { contact } else { image.clone() })
    }

    /// Stores who waits, and wakes the automations.
    async fn carry_out(&self, effects: Effects, today: chrono::NaiveDate) -> Result<(), StoreError> {
        let Effects { waiting, woken, ended } = effects;
        self.store.put_all(waiting.into_values().collect(), &self.retries).await?;
        for automation in woken {
            let task = AutomationTask { account: self.account, automation };
            self.store.wake_automation(task, self.wall_clock).await?;
        }
        for (automation, other) in ended {
            for (one, named) in [(automation, other), (other, automation)] {
                self.store.note_ended_chain(self.account, one, named, today).await?;
            }
        }
        Ok(())
    }
}

impl Store {
    /// Names an automation in another one's run, because a chain ended between them.
    async fn note_ended_chain(
        &self,
        account: AccountId,
        automation: AutomationId,
        other: AutomationId,
        day: chrono::NaiveDate,
    ) -> Result<(), StoreError> {
        use aws_sdk_dynamodb::types::AttributeValue;

        use crate::items::{AutomationRunItem, ENTITY, Entity as _, VERSION};
        let expression = Expression::default()
            .name("ended_by")
            .name("version")
            .name(ENTITY)
            .name(VERSION)
            .value("other", AttributeValue::Ss(vec![other.to_string()]))
            .value("one", crate::expressions::number(1))
            .text("entity", AutomationRunItem::TAG)
            .value("v", crate::expressions::number(AutomationRunItem::SCHEMA));
        let update = "ADD #ended_by :other, #version :one SET #entity = :entity, #v = :v";
        let condition = "attribute_not_exists(#ended_by) OR NOT contains(#ended_by, :named)";
        let expression = expression.text("named", other.to_string());
        self.update_alone(Key::automation_run(account, automation, day), update, condition, &expression).await
    }
}

impl Effects {
    fn add_all<'a>(
        &mut self,
        account: AccountId,
        automations: impl Iterator<Item = &'a Enabled>,
        happened: &Happened,
    ) -> Result<(), StoreError> {
        for automation in automations {
            self.add(account, automation, happened)?;
        }
        Ok(())
    }

    /// Lets a contact wait for an automation, if the trigger happened since it was enabled.
    fn add(
        &mut self,
        account: AccountId,
        automation: &Enabled,
        happened: &Happened,
    ) -> Result<(), StoreError> {
        if happened.written_at < automation.since {
            return Ok(());
        }
        let id = automation.item.id;
        let pk = waiting_pk(account, id, automation.item.queue);
        let key = Key::waiting(pk, happened.written_at, happened.contact, &happened.trigger);
        let entry = WaitingItem {
            contact: happened.contact,
            created_at: happened.created_at,
            at: happened.at,
            matched_version: happened.matched_version,
            trigger: happened.trigger.clone(),
            existing: false,
        };
        self.waiting.insert((key.pk.clone(), key.sk.clone()), encode(key, &entry)?);
        self.woken.insert(id);
        Ok(())
    }
}
