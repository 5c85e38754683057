//! The events that follow from a change. The derivation is pure: it reads the images of a record and nothing else.

use domain::Timestamp;
use domain::contact::Contact;
use domain::event::{Event, EventId, Happening, StateChange};
use domain::ids::{AccountId, FormId};
use domain::marketing::{self, ClosedPeriodEnds, EffectiveState, StoredState};
use domain::period::{Period, PeriodNumber};
use domain::source::Actor;

use super::properties::differences;
use super::{Change, ContactChange, Images, Numbered, PeriodChange};
use crate::ContactEffect;
use crate::delivery::ContentDigest;
use crate::items::{BulkJobItem, DeliveryItem, MemberItem, RejectedItem, StatementItem};
use crate::job_state::JobKind;
use crate::keys::Key;

/// The events of one change, as they are derived.
struct Derived<'k> {
    account: AccountId,
    /// The key of the item.
    key: Key,
    /// The item's version. For items without one, what distinguishes this change of the item from others.
    version: &'k str,
    events: Vec<Event>,
}

impl Derived<'_> {
    /// Adds an event, whose id is the digest of the item's key, its version and the type.
    fn add(&mut self, at: Option<Timestamp>, what: Happening) {
        let id = EventId::of(&[&self.key.pk, &self.key.sk, self.version, what.kind().as_str()]);
        self.events.push(Event { id, account: self.account, at, what });
    }
}

/// Returns the events that follow from a change. `ends` contains the ends of the closed periods at which contacts left
/// whose items are removed before they are swept.
pub(super) fn events(numbered: &Numbered, ends: &ClosedPeriodEnds) -> Vec<Event> {
    let Numbered { sequence_number, change } = numbered;
    let derive = |account: AccountId, key: Key, version: &str, add: &dyn Fn(&mut Derived<'_>)| {
        let mut derived = Derived { account, key, version, events: Vec::new() };
        add(&mut derived);
        derived.events
    };
    match change {
        Change::Contact(change) => {
            let version = version_after(&change.images).to_string();
            let key = Key::contact(change.account, change.id);
            derive(change.account, key, &version, &|derived| {
                add_data(derived, change);
                add_states(derived, change, ends);
            })
        }
        Change::Period(change) => usage_events(change),
        Change::Statement(account, images) => {
            let Some(number) = opened(images).and_then(|item| PeriodNumber::from_number(item.number()))
            else {
                return Vec::new();
            };
            derive(*account, Key::statement(*account, number), "", &|derived| add_closed(derived, images))
        }
        Change::Member(account, segment, contact, images) => {
            let key = Key::member(*account, *segment, *contact);
            derive(*account, key, sequence_number, &|derived| {
                let (segment, contact) = (*segment, *contact);
                match (&images.old, &images.new) {
                    (None, Some(MemberItem { .. })) => {
                        derived.add(None, Happening::MemberAdded { segment, contact });
                    }
                    (Some(_), None) => derived.add(None, Happening::MemberRemoved { segment, contact }),
                    _ => {}
                }
            })
        }
        Change::Delivery(account, form, delivery, images) => {
            let Some(item) = images.new.as_ref() else { return Vec::new() };
            let content = item.versions.latest.as_ref().map_or("", ContentDigest::as_str);
            derive(*account, Key::delivery(*account, *form, *delivery), content, &|derived| {
                if let Some(what) = applied(*form, images) {
                    derived.add(None, what);
                }
            })
        }
        Change::Rejected(account, form, images) => {
            let Some(RejectedItem { id, reason, received_at, .. }) = opened(images) else {
                return Vec::new();
            };
            derive(*account, Key::rejected(*account, *form, *id), "", &|derived| {
                let what = Happening::FormRejected { form: *form, reason: reason.clone() };
                derived.add(Some(*received_at), what);
            })
        }
        Change::AutomationState(task, images) => {
            let Some(state) = images.new.as_ref() else { return Vec::new() };
            let was_paused = images.old.as_ref().is_some_and(|old| old.paused_at.is_some());
            let Some(at) = state.paused_at.filter(|_| !was_paused) else { return Vec::new() };
            let key = Key::automation_state(task.account, task.automation);
            let enrolled = state.paused_with.unwrap_or_default();
            derive(task.account, key, &state.version.to_string(), &|derived| {
                let what = Happening::AutomationPaused { automation: task.automation, enrolled };
                derived.add(Some(at), what);
            })
        }
        Change::Job(account, images) => {
            let Some(job) = images.new.as_ref() else { return Vec::new() };
            let version = job.version.to_string();
            derive(*account, Key::bulk_job(*account, job.id), &version, &|derived| {
                add_finished(derived, images);
            })
        }
    }
}

/// Returns the item that the write created.
fn opened<T>(images: &Images<T>) -> Option<&T> {
    images.new.as_ref().filter(|_| images.old.is_none())
}

/// Returns the version of a contact after a write. A removal counts as one more.
fn version_after(images: &Images<Contact>) -> u64 {
    match (&images.old, &images.new) {
        (_, Some(new)) => new.version,
        (Some(old), None) => old.version.saturating_add(1),
        (None, None) => 0,
    }
}

/// Returns true if only the unit of an erased contact is left.
fn is_erased(contact: &Contact) -> bool {
    let history = &contact.marketing.history;
    !contact.is_visible() && contact.email.is_none() && history.earlier == 0 && history.recent.is_empty()
}

/// Adds the events of a contact's data.
fn add_data(derived: &mut Derived<'_>, change: &ContactChange) {
    let (contact, Images { old, new }) = (change.id, &change.images);
    let visible = |image: &Option<Contact>| image.as_ref().is_some_and(Contact::is_visible);
    match (change.before(), new.as_ref().filter(|new| new.is_visible())) {
        (None, Some(new)) => {
            derived.add(Some(new.created_at), Happening::ContactCreated { contact, version: new.version });
        }
        (Some(old), Some(new)) => {
            let properties: Vec<String> = differences(Some(old), new).into_keys().collect();
            if !properties.is_empty() {
                let what = Happening::ContactUpdated { contact, version: new.version, properties };
                derived.add(Some(new.updated_at), what);
            }
        }
        (_, None) if visible(old) => {
            let at = new.as_ref().and_then(|new| new.deleted_at);
            derived.add(at, Happening::ContactDeleted { contact });
        }
        _ => {}
    }
    let erased = new.as_ref().is_none_or(is_erased);
    if erased && old.as_ref().is_some_and(|old| !is_erased(old)) {
        derived.add(new.as_ref().map(|new| new.updated_at), Happening::ContactErased { contact });
    }
}

/// Adds the events of a contact's state.
fn add_states(derived: &mut Derived<'_>, change: &ContactChange, ends: &ClosedPeriodEnds) {
    let Images { old, new } = &change.images;
    let queued_in = |image: &Option<Contact>| match image.as_ref()?.marketing.stored_state {
        StoredState::Leaving { queued_in } => Some(queued_in),
        StoredState::NonMarketing | StoredState::Marketing => None,
    };
    let left = queued_in(old);
    let Some(image) = new else {
        // A leaving contact is removed only after it has left.
        if let Some(period) = left {
            let what = Happening::MarketingLeft { contact: change.id, period: left };
            derived.add(ends.0.get(&period).copied(), what);
        }
        return;
    };
    for entry in new_entries(old.as_ref(), image) {
        let marketing::Change { at, from, to, source, actor } = entry;
        let told = |period| StateChange {
            contact: change.id,
            from,
            to,
            source: source.kind,
            source_id: source.id.clone(),
            actor,
            period,
        };
        let what = match (from, to) {
            (Some(EffectiveState::Leaving), EffectiveState::Marketing) => {
                Happening::MarketingKept(told(left))
            }
            (None | Some(EffectiveState::NonMarketing), EffectiveState::Marketing) => {
                Happening::MarketingSet(told(None))
            }
            (_, EffectiveState::Leaving) => Happening::MarketingQueued(told(queued_in(new))),
            (Some(EffectiveState::Leaving), EffectiveState::NonMarketing) => {
                Happening::MarketingLeft { contact: change.id, period: left }
            }
            _ => continue,
        };
        derived.add(Some(at), what);
    }
}

/// Returns the changes of state that a write added, oldest first.
fn new_entries(old: Option<&Contact>, new: &Contact) -> Vec<marketing::Change> {
    let count = |contact: &Contact| {
        let history = &contact.marketing.history;
        history.earlier.saturating_add(u64::try_from(history.recent.len()).unwrap_or(u64::MAX))
    };
    let before = old.map_or(0, count);
    let recent = &new.marketing.history.recent;
    if let Some(old) = old.filter(|_| count(new) < before) {
        // An erased contact has no history any more, but its erasure may have queued it.
        let (from, to) = (old.state(), new.state());
        let queued = marketing::Change {
            at: new.marketing.since,
            from: Some(from),
            to,
            source: new.marketing.source.clone(),
            actor: Actor::System,
        };
        return if from == to { Vec::new() } else { vec![queued] };
    }
    let added = usize::try_from(count(new) - before).unwrap_or(usize::MAX);
    recent.iter().skip(recent.len().saturating_sub(added)).cloned().collect()
}

/// Returns the events of a period's counts. Each comes once in a period, because the period and the threshold identify
/// it.
fn usage_events(change: &PeriodChange) -> Vec<Event> {
    let (Some(old), Some(new)) = (&change.images.old, &change.images.new) else { return Vec::new() };
    let counted = new.counted_at.filter(|_| new.totals.counted != old.totals.counted);
    // A change of the terms has no instant of its own, except in a sandbox.
    let at = counted.or(new.test_clock);
    let (period, usage) = (new.number, new.marketing);
    let crossed = |period: &Period| period.tier.thresholds_crossed(period.marketing);
    let before = crossed(old);
    let thresholds = crossed(new).into_iter().filter(|threshold| !before.contains(threshold));
    let mut happened: Vec<Happening> = thresholds
        .map(|threshold| Happening::ThresholdCrossed { period, threshold, usage, limit: new.tier.limit })
        .collect();
    let raised = |period: &Period| period.tier.limit_raised(period.marketing);
    if raised(new) && !raised(old) {
        happened.push(Happening::LimitRaised { period, usage, limit: new.tier.limit_for(usage) });
    }
    let reached = |period: &Period| period.cap.filter(|cap| period.marketing >= *cap);
    if let Some(cap) = reached(new).filter(|_| reached(old).is_none()) {
        happened.push(Happening::CapReached { period, usage, cap });
    }
    let event = |what: Happening| {
        let threshold = match what {
            Happening::ThresholdCrossed { threshold, .. } => threshold.to_string(),
            _ => String::new(),
        };
        let account = change.account;
        let id =
            [&account.to_string(), &period.to_string(), what.kind().as_str(), &threshold].map(String::from);
        let id = EventId::of(&id.each_ref().map(String::as_str));
        Event { id, account, at, what }
    };
    happened.into_iter().map(event).collect()
}

fn add_closed(derived: &mut Derived<'_>, images: &Images<StatementItem>) {
    if let Some(closed) = opened(images).and_then(StatementItem::statement) {
        derived.add(Some(closed.ends_at), Happening::PeriodClosed(closed));
    }
}

/// Returns the submission if the write applied a delivery.
fn applied(form: FormId, images: &Images<DeliveryItem>) -> Option<Happening> {
    let new = images.new.as_ref().filter(|new| new.pending.is_none())?;
    if new.contact == ContactEffect::Rejected.as_str() {
        return None;
    }
    let waited = images.old.as_ref().and_then(|old| old.pending.as_ref());
    let is_edit = waited.map_or(new.versions.are_edited(), |pending| pending.is_edit);
    Some(Happening::FormSubmitted { form, contact: new.contact_id, is_edit, reason: new.reason.clone() })
}

fn add_finished(derived: &mut Derived<'_>, images: &Images<BulkJobItem>) {
    let was_finished = images.old.as_ref().is_some_and(|old| old.state.is_finished());
    let finished = images.new.as_ref().filter(|new| new.state.is_finished() && !was_finished);
    // Callers do not see the job that deletes a list.
    if let Some(job) = finished.filter(|job| job.kind != JobKind::DeleteMembers) {
        let what = Happening::JobFinished {
            job: job.id,
            state: job.state.as_str(),
            matched: job.matched,
            summary: job.summary.summary(),
        };
        derived.add(job.finished_at, what);
    }
}

#[cfg(test)]
mod tests {
    use domain::decision::{Command, Ledger};
    use domain::event::EventType;
    use domain::ids::{ContactId, SegmentId, UserId};
    use domain::marketing::{History, Marketing};
    use domain::period::Terms;
    use domain::property::{Properties, PropertyName};
    use domain::source::{Source, SourceType};
    use domain::tier::Tier;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-10T12:00:00.000Z".parse().unwrap()
    }

    fn account() -> AccountId {
        AccountId::new(now(), 1)
    }

    fn period() -> Period {
        let calendar = domain::calendar::Calendar {
            term: domain::calendar::Term::Annual,
            renewal_date: now().to_utc().date_naive(),
            time_zone: domain::calendar::TimeZone::default(),
        };
        let tier = Tier::new(100, 50).unwrap();
        Period::first(
            Terms { calendar, tier, cap: Some(120), marketing_contacts: true, test_clock: None },
            now(),
        )
    }

    fn by_ada() -> Source {
        Source { kind: SourceType::Manual, name: "Ada".to_owned(), id: Some("usr_ada".to_owned()) }
    }

    fn ada() -> Actor {
        Actor::User(UserId::new(now(), 2))
    }

    fn contact(state: EffectiveState, stored: StoredState) -> Contact {
        Contact {
            id: ContactId::new(now(), 7),
            email: domain::address::EmailAddress::parse("grace@example.org").ok(),
            properties: Properties::new(),
            unsubscribed: false,
            bounced: false,
            marketing: Marketing::new(stored, state, now(), by_ada(), ada()),
            created_at: now(),
            updated_at: now(),
            version: 1,
            deleted_at: None,
            chain: Vec::new(),
            unenrolled: false,
            imported: None,
            edited: None,
        }
    }

    fn marketing() -> Contact {
        contact(EffectiveState::Marketing, StoredState::Marketing)
    }

    fn commanded(contact: &Contact, command: Command) -> Contact {
        let period = period();
        let stored = contact.marketing.stored_state;
        let transition = Ledger::new(&period).decide(stored, command, SourceType::Manual).unwrap();
        let mut after = contact.clone();
        after.apply(&transition, now(), &by_ada(), ada());
        after
    }

    fn numbered(change: Change) -> Numbered {
        Numbered { sequence_number: "7".to_owned(), change }
    }

    fn of_contact(old: Option<Contact>, new: Option<Contact>) -> Vec<Event> {
        let id = ContactId::new(now(), 7);
        let change = ContactChange { account: account(), id, written_at: None, images: Images { old, new } };
        let ends = ClosedPeriodEnds([(PeriodNumber::FIRST, period().ends_at)].into());
        events(&numbered(Change::Contact(Box::new(change))), &ends)
    }

    fn kinds(events: &[Event]) -> Vec<EventType> {
        events.iter().map(|event| event.what.kind()).collect()
    }

    #[test]
    fn new_contact_is_created_and_set() {
        let events = of_contact(None, Some(marketing()));
        assert_eq!(kinds(&events), [EventType::ContactCreated, EventType::MarketingSet]);
        let Happening::MarketingSet(change) = &events[1].what else { panic!("a change of state") };
        assert_eq!(
            (change.from, change.to, change.source),
            (None, EffectiveState::Marketing, SourceType::Manual)
        );
        assert_eq!((change.actor, events[1].at), (ada(), Some(now())));
        let quiet = of_contact(None, Some(contact(EffectiveState::NonMarketing, StoredState::NonMarketing)));
        assert_eq!(kinds(&quiet), [EventType::ContactCreated]);
    }

    #[test]
    fn event_contains_the_names_of_changed_properties_and_no_value() {
        let mut after = marketing();
        let name = PropertyName::parse("plan").unwrap();
        after.properties.insert(name, "secret value".to_owned()).unwrap();
        after.email = domain::address::EmailAddress::parse("other@example.org").ok();
        after.bounced = true;
        after.touch(now());
        let events = of_contact(Some(marketing()), Some(after));
        let [Event { what: Happening::ContactUpdated { properties, version, .. }, .. }] = &events[..] else {
            panic!("one update")
        };
        assert_eq!((properties.join(" ").as_str(), *version), ("bounced email plan", 2));
        let shown = format!("{events:?}");
        assert!(!shown.contains("secret") && !shown.contains('@'), "{shown}");
    }

    #[test]
    fn queued_and_kept_contact_is_told_with_its_period() {
        let queued = commanded(&marketing(), Command::SetNonMarketingPending);
        let kept = commanded(&queued, Command::SetMarketing);
        let first = Some(PeriodNumber::FIRST);
        let told = of_contact(Some(marketing()), Some(queued.clone()));
        assert!(
            matches!(&told[..], [Event { what: Happening::MarketingQueued(change), .. }] if change.period == first)
        );
        let told = of_contact(Some(queued.clone()), Some(kept.clone()));
        assert!(
            matches!(&told[..], [Event { what: Happening::MarketingKept(change), .. }] if change.period == first)
        );
        assert_eq!(of_contact(Some(kept.clone()), Some(kept)), [], "nothing changed");
    }

    #[test]
    fn contact_that_left_is_told_late_with_the_update_date() {
        let queued = commanded(&marketing(), Command::SetNonMarketingPending);
        let current = period().closing(period().ends_at).unwrap().next;
        let mut settled = queued.clone();
        assert!(settled.settle(&current, &ClosedPeriodEnds::default()));
        let left = |told: &[Event]| told.iter().filter(|event| event.at == Some(period().ends_at)).count();
        let told = of_contact(Some(queued.clone()), Some(settled.clone()));
        assert_eq!((kinds(&told), left(&told)), (vec![EventType::MarketingLeft], 1));
        // A command in the same write comes after it.
        let transition = Ledger::new(&current).decide(
            StoredState::NonMarketing,
            Command::SetMarketing,
            SourceType::Manual,
        );
        settled.apply(&transition.unwrap(), current.ends_at, &by_ada(), ada());
        let told = of_contact(Some(queued.clone()), Some(settled));
        assert_eq!((kinds(&told), left(&told)), (vec![EventType::MarketingLeft, EventType::MarketingSet], 1));
        // The sweep removes a deleted one.
        let deleted = Contact { deleted_at: Some(now()), ..queued };
        let told = of_contact(Some(deleted), None);
        assert_eq!(
            (kinds(&told), left(&told)),
            (vec![EventType::ContactErased, EventType::MarketingLeft], 1)
        );
    }

    #[test]
    fn deleted_and_erased_contacts_are_told_apart() {
        use EventType::{ContactCreated, ContactDeleted, ContactErased, MarketingQueued};
        let deleted = Contact {
            deleted_at: Some(now()),
            version: 3,
            ..commanded(&marketing(), Command::SetNonMarketingPending)
        };
        let mut erased = Contact { email: None, ..deleted.clone() };
        erased.marketing.history = History::default();
        assert_eq!(
            kinds(&of_contact(Some(marketing()), Some(deleted.clone()))),
            [ContactDeleted, MarketingQueued]
        );
        assert_eq!(
            kinds(&of_contact(Some(marketing()), Some(erased.clone()))),
            [ContactDeleted, ContactErased, MarketingQueued]
        );
        assert_eq!(kinds(&of_contact(Some(deleted.clone()), Some(erased.clone()))), [ContactErased]);
        assert_eq!(kinds(&of_contact(Some(marketing()), None)), [ContactDeleted, ContactErased]);
        assert_eq!(kinds(&of_contact(Some(erased), None)), [EventType::MarketingLeft]);
        let back = Contact { deleted_at: None, ..deleted.clone() };
        assert_eq!(kinds(&of_contact(Some(deleted), Some(back))), [ContactCreated]);
    }

    fn of_period(old: Period, new: Period) -> Vec<Event> {
        let images = Images { old: Some(old), new: Some(new) };
        events(
            &numbered(Change::Period(Box::new(PeriodChange { account: account(), images }))),
            &ClosedPeriodEnds::default(),
        )
    }

    #[test]
    fn usage_crosses_thresholds_limit_and_cap_once() {
        let with = |marketing| {
            let mut period = Period { marketing, counted_at: Some(now()), ..period() };
            period.totals.counted = marketing;
            period
        };
        assert_eq!(of_period(with(10), with(74)), []);
        let told = of_period(with(74), with(101));
        let threshold = EventType::ThresholdCrossed;
        assert_eq!(kinds(&told), [threshold, threshold, threshold, threshold, EventType::LimitRaised]);
        assert!(told.iter().all(|event| event.at == Some(now())));
        assert_eq!(kinds(&of_period(with(101), with(120))), [EventType::CapReached]);
        assert_eq!(of_period(with(120), with(130)), [], "each only once");
        // The same threshold by another write of the period is the same event.
        assert_eq!(of_period(with(60), with(75))[0].id, of_period(with(74), with(80))[0].id);
        let next = PeriodNumber::FIRST.next();
        let later = of_period(Period { number: next, ..with(60) }, Period { number: next, ..with(75) });
        assert_ne!(later[0].id, told[0].id, "another period");
        let lower = Period { cap: Some(50), revision: 2, ..with(60) };
        let told = of_period(with(60), lower);
        assert_eq!((kinds(&told), told[0].at), (vec![EventType::CapReached], None));
    }

    #[test]
    fn delivery_is_told_once_for_each_version() {
        use crate::MarketingEffect;
        use crate::delivery::{DeliveryId, Versions};
        let contact = ContactId::new(now(), 7);
        let with = |effect: ContactEffect, versions: &Versions| DeliveryItem {
            contact: effect.to_string(),
            marketing: MarketingEffect::NotSet.to_string(),
            reason: Some("form-budget".to_owned()),
            versions: versions.clone(),
            contact_id: Some(contact),
            applied_at: None,
            expires_at: Some(0),
            pending: None,
            token: None,
            due_shard: None,
            due_at: None,
        };
        let versions = Versions::first(ContentDigest::of_text("a"));
        let edited = versions.clone().edited(ContentDigest::of_text("b"));
        let item = |versions: &Versions| with(ContactEffect::Created, versions);
        let form = FormId::new(now(), 3);
        let delivery: DeliveryId = "07".repeat(32).parse().unwrap();
        let told = |old, new| {
            let images = Images { old, new: Some(new) };
            let change = Change::Delivery(account(), form, delivery, Box::new(images));
            events(&numbered(change), &ClosedPeriodEnds::default())
        };
        let first = told(None, item(&versions));
        let submitted = |is_edit| Happening::FormSubmitted {
            form,
            contact: Some(contact),
            is_edit,
            reason: Some("form-budget".to_owned()),
        };
        assert_eq!(first[0].what, submitted(false));
        let second = told(Some(item(&versions)), item(&edited));
        assert_eq!(second[0].what, submitted(true));
        assert_ne!(first[0].id, second[0].id);
        assert_eq!(
            told(None, with(ContactEffect::Rejected, &versions)),
            [],
            "the rejected submission tells it"
        );
    }

    #[test]
    fn rejected_submission_and_member_are_told() {
        use domain::ids::RejectionId;
        let form = FormId::new(now(), 3);
        let item = RejectedItem {
            id: RejectionId::new(now(), 4),
            answers: "[]".to_owned(),
            reason: "no-address".to_owned(),
            errors: Vec::new(),
            submission_id: None,
            received_at: now(),
            expires_at: 0,
        };
        let images = Images { old: None, new: Some(item) };
        let told = events(
            &numbered(Change::Rejected(account(), form, Box::new(images))),
            &ClosedPeriodEnds::default(),
        );
        assert_eq!(told[0].what, Happening::FormRejected { form, reason: "no-address".to_owned() });
        let (segment, contact) = (SegmentId::new(now(), 5), ContactId::new(now(), 6));
        let member = |old: bool, new: bool| {
            let item = |is_there: bool| is_there.then(|| MemberItem { created_at: now(), added_at: None });
            let images = Images { old: item(old), new: item(new) };
            events(
                &numbered(Change::Member(account(), segment, contact, images)),
                &ClosedPeriodEnds::default(),
            )
        };
        assert_eq!(member(false, true)[0].what, Happening::MemberAdded { segment, contact });
        assert_eq!(member(true, false)[0].what, Happening::MemberRemoved { segment, contact });
    }

    #[test]
    fn closed_period_is_told_once() {
        let closing = period().closing(period().ends_at).unwrap();
        let item = || StatementItem::of(account(), &closing.statements[0], now());
        let told = |old, new| {
            events(&numbered(Change::Statement(account(), Images { old, new })), &ClosedPeriodEnds::default())
        };
        let closed = told(None, Some(item()));
        assert_eq!(closed[0].what, Happening::PeriodClosed(closing.statements[0].clone()));
        assert_eq!(closed[0].at, Some(period().ends_at));
        assert_eq!(told(Some(item()), Some(item())), [], "the sweep's progress");
    }
}
