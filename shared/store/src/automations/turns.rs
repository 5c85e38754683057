//! The worker of an automation, which gives the contacts that wait their turns.

use std::collections::{BTreeSet, HashMap};

use domain::Timestamp;
use domain::automation::{Allowance, Passed, RecentTurns, RunCounts, Stop, Trigger, TurnOutcome, brake_from};
use domain::contact::Contact;
use domain::decision::Ledger;
use domain::filter::Filter;
use domain::ids::{ContactId, SegmentId};
use domain::limits::{
    BATCH_READ_MAX, PASSED_KEPT, TRANSACTION_BYTES_MAX, TRIGGERS_KEPT, TURNS_PER_TRANSACTION_MAX,
};
use domain::period::Period;
use domain::source::Source;

use super::queue::{Need, state_update};
use crate::StoreError;
use crate::contacts::{Loaded, approximate_bytes};
use crate::items::{
    AutomationItem, AutomationRunItem, AutomationStateItem, EnrolmentItem, MemberItem, SegmentItem,
    WaitingItem,
};
use crate::jobs::{AutomationTask, Job};
use crate::keys::{Key, enrolment_pk, runs_pk, waiting_pk};
use crate::operation::Operation;
use crate::periods::{PeriodSnapshot, RefusalCheck};
use crate::store::{Query, Store};
use crate::transaction::Transaction;

/// The result of a worker's run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AutomationProgress {
    /// The number of contacts that had their turn.
    pub turns: u64,
    /// True if nothing remains to do now. Otherwise another message must continue.
    pub finished: bool,
}

/// The end of one step of the worker.
enum Step {
    /// Some contacts had their turn.
    Went(u64),
    /// Nothing remains to do now.
    Rests,
    /// The state has changed since it was read.
    Again,
}

/// The condition under which a contact that waits still has its turn.
enum Still {
    /// The contact matches a filter.
    Matches(Filter),
    /// The contact is a member of a static list.
    IsMember(SegmentId),
    /// A submission was the trigger, which has happened.
    Always,
}

/// An automation as it was read for one transaction.
struct Opened {
    item: AutomationItem,
    state: AutomationStateItem,
    run: AutomationRunItem,
    run_key: Key,
    snapshot: PeriodSnapshot,
}

/// The contacts of one transaction, each with all of its entries in the queue.
struct Entries {
    order: Vec<ContactId>,
    of: HashMap<ContactId, Vec<(Key, WaitingItem)>>,
}

/// A contact whose turn it is.
struct Candidate {
    waiting: Vec<(Key, WaitingItem)>,
    person: Option<Loaded>,
    enrolment: Option<EnrolmentItem>,
}

/// The decisions of one transaction.
struct Turns<'p> {
    item: &'p AutomationItem,
    source: Source,
    counted_after: Option<&'p str>,
    now: Timestamp,
    wall_clock: Timestamp,
    ledger: Ledger<'p>,
    allowance: Allowance,
    counts: RunCounts,
    recent: RecentTurns,
    changed: Vec<Loaded>,
    /// The enrolments, each with the version that is stored.
    enrolments: Vec<(ContactId, Option<u64>, EnrolmentItem)>,
    /// The entries whose contacts had their turn, now or before.
    done: Vec<Key>,
    turns: u64,
    refused: bool,
    stopped: Option<Stop>,
    bytes: usize,
}

impl Store {
    /// Gives the contacts that wait for an automation their turns, in their order, while `should_continue` returns true.
    ///
    /// It may stop at any point, run twice and run in parallel: each transaction has the condition that the automation's
    /// state is still as it was read.
    ///
    /// # Errors
    ///
    /// See [`StoreError`]. Everything that was committed before stays.
    pub async fn work_on_automation(
        &self,
        task: AutomationTask,
        clock: impl Fn() -> Timestamp + Send + Sync,
        should_continue: impl Fn() -> bool + Send + Sync,
    ) -> Result<AutomationProgress, StoreError> {
        self.lease(Job::Automation(task), clock()).await?;
        let mut progress = AutomationProgress::default();
        while should_continue() {
            let op = self.operation(task.account, clock());
            match op.step(task).await? {
                Step::Went(turns) => progress.turns += turns,
                Step::Again => {}
                Step::Rests => {
                    progress.finished = true;
                    break;
                }
            }
        }
        Ok(progress)
    }
}

impl Operation<'_> {
    /// Does the next step of an automation's work: it removes dropped contacts, or gives some contacts their turn.
    async fn step(&self, task: AutomationTask) -> Result<Step, StoreError> {
        let state_key = Key::automation_state(task.account, task.automation);
        let state: Option<AutomationStateItem> = self.store.get(state_key).await?;
        let Some(state) = state else { return Ok(Step::Rests) };
        if !state.dropped.is_empty() || state.deleted {
            return self.clear(task, state).await;
        }
        let check = RefusalCheck::default();
        loop {
            let Some(opened) = self.open_automation(task).await? else { return Ok(Step::Rests) };
            if opened.item.enabled_since.is_none() || opened.state.paused_at.is_some() {
                return self.rest(task, &opened.state, None).await;
            }
            let pk = waiting_pk(task.account, task.automation, opened.item.queue);
            let waiting = self.store.next_waiting(pk, TURNS_PER_TRANSACTION_MAX).await?;
            if waiting.is_empty() {
                return self.rest(task, &opened.state, None).await;
            }
            if let Some(step) = self.turn(task, opened, Entries::new(waiting), &check).await? {
                return Ok(step);
            }
        }
    }

    /// Reads the automation, its state, its run of today and the period.
    async fn open_automation(&self, task: AutomationTask) -> Result<Option<Opened>, StoreError> {
        let (key, state_key) = (
            Key::automation(task.account, task.automation),
            Key::automation_state(task.account, task.automation),
        );
        let mut snapshot = self.read_current_period(vec![key.clone(), state_key.clone()]).await?;
        let item = snapshot.items.take::<AutomationItem>(&key)?;
        let state = snapshot.items.take::<AutomationStateItem>(&state_key)?;
        let (Some(item), Some(state)) = (item, state) else { return Ok(None) };
        let today = snapshot.period.calendar.time_zone.date(snapshot.now);
        let run_key = Key::automation_run(task.account, task.automation, today);
        let run = self.store.get::<AutomationRunItem>(run_key.clone()).await?.unwrap_or_default();
        Ok(Some(Opened { item, state, run, run_key, snapshot }))
    }

    /// Gives the contacts of these entries their turn in one transaction. Returns `None` if everything must be read
    /// again.
    async fn turn(
        &self,
        task: AutomationTask,
        opened: Opened,
        entries: Entries,
        check: &RefusalCheck,
    ) -> Result<Option<Step>, StoreError> {
        check.observe(&opened.snapshot.period);
        let key = |id: &ContactId| Key::enrolment(task.account, task.automation, *id);
        let (loaded, mut read) = self.load(&entries.order, entries.order.iter().map(key).collect()).await?;
        let zone = read.period.calendar.time_zone;
        if zone.date(read.now) != zone.date(opened.snapshot.now) {
            self.retries.retry_now("the day ended during a read").await?;
            return Ok(None);
        }
        let still = self.condition(&opened.item).await?;
        let members = self.members_among(&still, &entries.order).await?;
        let period = read.period.clone();
        let mut turns = Turns::new(&opened, &period, read.now, self.wall_clock);
        let people = loaded.into_iter().map(|loaded| (loaded.contact.id, loaded));
        let mut people: HashMap<ContactId, Loaded> = people.collect();
        for (id, waiting) in entries.into_contacts() {
            let enrolment = read.items.take::<EnrolmentItem>(&key(&id))?;
            let person = people.remove(&id);
            if person.as_ref().is_some_and(|loaded| turns.is_too_large_with(&loaded.contact)) {
                break;
            }
            let is_still = |contact: &Contact| match &still {
                Still::Matches(filter) => filter.matches(contact),
                Still::IsMember(_) => members.contains(&(contact.id, contact.created_at)),
                Still::Always => true,
            };
            turns.decide(Candidate { waiting, person, enrolment }, &is_still);
            if turns.stopped.is_some() {
                break;
            }
        }
        if turns.refused && check.needs_reread(&period, &self.retries).await? {
            return Ok(None);
        }
        let pauses = self.pauses(&opened, &turns).await?;
        if turns.is_empty() && pauses.is_none() {
            let tomorrow = read.period.test_clock.is_none().then(|| zone.next_day(read.now));
            return self.rest(task, &opened.state, tomorrow).await.map(Some);
        }
        self.commit_turns(task, &opened, turns, &period, pauses).await.map(Some)
    }

    /// Commits the transaction of decided turns.
    async fn commit_turns(
        &self,
        task: AutomationTask,
        opened: &Opened,
        turns: Turns<'_>,
        period: &Period,
        pauses: Option<u64>,
    ) -> Result<Step, StoreError> {
        let (mut state, mut run) = (opened.state.clone(), opened.run.clone());
        let mut transaction = Transaction::default();
        let change = turns.ledger.count_change();
        for mut loaded in turns.changed {
            self.put_contact(&mut transaction, &mut loaded.contact, Some(loaded.stored_version), period)?;
        }
        self.write_count(&mut transaction, period, change)?;
        for (id, stored, enrolment) in turns.enrolments {
            let key = Key::enrolment(task.account, task.automation, id);
            transaction.put(match stored {
                Some(version) => self.store.put_versioned(key, &enrolment, version)?,
                None => self.store.put_new(key, &enrolment)?,
            });
        }
        if turns.turns > 0 {
            run.set_counts(&turns.counts);
            run.version += 1;
            let key = opened.run_key.clone();
            transaction.put(match opened.run.version {
                0 => self.store.put_new(key, &run)?,
                version => self.store.put_versioned(key, &run, version)?,
            });
        }
        state.set_recent(&turns.recent);
        if let Some(enrolled) = pauses {
            (state.paused_at, state.paused_with) = (Some(turns.now), Some(enrolled));
        }
        let stored = opened.state.version;
        transaction.update(state_update(self.store, task, &state, stored, Need::Same, self.wall_clock)?);
        turns.done.into_iter().for_each(|key| transaction.then_delete(key));
        let commits = self.store.commit(transaction, &self.retries).await?;
        Ok(if commits { Step::Went(turns.turns) } else { Step::Again })
    }

    /// Returns the condition under which contacts that wait still have their turn.
    async fn condition(&self, item: &AutomationItem) -> Result<Still, StoreError> {
        Ok(match item.trigger.trigger()? {
            Trigger::Filter(filter) => Still::Matches(filter),
            Trigger::Forms(_) => Still::Always,
            Trigger::Segment(segment) => {
                let stored: Option<SegmentItem> = self.store.get(Key::segment(self.account, segment)).await?;
                match stored.and_then(|segment| segment.filter) {
                    Some(filter) => Still::Matches(filter.filter()?),
                    None => Still::IsMember(segment),
                }
            }
        })
    }

    /// Returns the contacts that are members of the list, each with the time of creation with which it is one.
    async fn members_among(
        &self,
        still: &Still,
        ids: &[ContactId],
    ) -> Result<BTreeSet<(ContactId, Timestamp)>, StoreError> {
        let Still::IsMember(segment) = still else { return Ok(BTreeSet::new()) };
        let key = |id: &ContactId| Key::member(self.account, *segment, *id);
        let mut items = self.read(ids.iter().map(key).collect()).await?;
        let mut members = BTreeSet::new();
        for id in ids {
            if let Some(member) = items.take::<MemberItem>(&key(id))? {
                members.insert((*id, member.created_at));
            }
        }
        Ok(members)
    }

    /// Returns the number of contacts that were enrolled within an hour, if they are more than the brake allows.
    /// Contacts that wait for the next day's budget count too.
    async fn pauses(&self, opened: &Opened, turns: &Turns<'_>) -> Result<Option<u64>, StoreError> {
        let (Some(most), Some(stop)) = (opened.item.pause_above, turns.stopped) else { return Ok(None) };
        let had = turns.recent.count(turns.now);
        let pk = waiting_pk(self.account, opened.item.id, opened.item.queue);
        // The entries of this transaction are still in the queue.
        let done = u64::try_from(turns.done.len()).unwrap_or(u64::MAX);
        let limit = most.saturating_sub(had).saturating_add(done);
        let (after, since) = (opened.state.counted_after.as_deref(), brake_from(turns.now));
        let waiting = self.store.count_waiting(&pk, after, Some(since), limit).await?;
        let enrolled = had.saturating_add(waiting.saturating_sub(done));
        let exceeds = stop == Stop::Brake || enrolled > most;
        Ok(exceeds.then_some(enrolled.max(most.saturating_add(1))))
    }

    /// Ends the work, until `at` if there is one.
    async fn rest(
        &self,
        task: AutomationTask,
        state: &AutomationStateItem,
        at: Option<Timestamp>,
    ) -> Result<Step, StoreError> {
        let need = at.map_or(Need::None(state.wakes), Need::At);
        let mut transaction = Transaction::default();
        transaction.update(state_update(self.store, task, state, state.version, need, self.wall_clock)?);
        let rests = self.store.commit(transaction, &self.retries).await?;
        Ok(if rests { Step::Rests } else { Step::Again })
    }

    /// Removes contacts that were dropped, and all that remains of a deleted automation.
    async fn clear(&self, task: AutomationTask, mut state: AutomationStateItem) -> Result<Step, StoreError> {
        let AutomationTask { account, automation } = task;
        let dropped: Vec<u64> = state.dropped.iter().filter_map(|queue| queue.parse().ok()).collect();
        let mut partitions: Vec<String> =
            dropped.into_iter().map(|queue| waiting_pk(account, automation, queue)).collect();
        if state.deleted {
            partitions.extend([enrolment_pk(account, automation), runs_pk(account, automation)]);
        }
        for pk in partitions {
            if !self.remove_some(&pk).await? {
                return Ok(Step::Again);
            }
        }
        let mut transaction = Transaction::default();
        if state.deleted {
            let key = Key::automation_state(account, automation);
            transaction.delete(self.store.delete_versioned(key, state.version)?);
        } else {
            state.dropped.clear();
            let stored = state.version;
            transaction.update(state_update(self.store, task, &state, stored, Need::Same, self.wall_clock)?);
        }
        self.store.commit(transaction, &self.retries).await?;
        Ok(Step::Again)
    }

    /// Removes a page of a partition. Returns true if nothing is left.
    async fn remove_some(&self, pk: &str) -> Result<bool, StoreError> {
        let query =
            Query { pk: pk.to_owned(), prefix: "", after: None, limit: BATCH_READ_MAX, newest_first: false };
        let page = self.store.query(&query).await?;
        let keys: Vec<Key> = page.items.iter().filter_map(Key::of).collect();
        self.store.delete_all(&keys, &self.retries).await?;
        Ok(page.next.is_none())
    }
}

impl Entries {
    /// Groups entries by contact, in the order of each contact's first entry. A contact that came back while it waited
    /// has one turn.
    fn new(waiting: Vec<(Key, WaitingItem)>) -> Self {
        let (mut order, mut of) = (Vec::new(), HashMap::<ContactId, Vec<_>>::new());
        for (key, entry) in waiting {
            let entries = of.entry(entry.contact).or_default();
            if entries.is_empty() {
                order.push(entry.contact);
            }
            entries.push((key, entry));
        }
        Self { order, of }
    }

    /// Returns the contacts with their entries, in order.
    fn into_contacts(self) -> impl Iterator<Item = (ContactId, Vec<(Key, WaitingItem)>)> {
        let Self { order, mut of } = self;
        order.into_iter().filter_map(move |id| Some((id, of.remove(&id)?)))
    }
}

impl<'p> Turns<'p> {
    fn new(opened: &'p Opened, period: &'p Period, now: Timestamp, wall_clock: Timestamp) -> Self {
        let Opened { item, state, run, .. } = opened;
        let (counts, recent) = (run.counts(), state.recent());
        Self {
            item,
            source: Source::automation(item.name.clone(), item.id),
            counted_after: state.counted_after.as_deref(),
            now,
            wall_clock,
            ledger: Ledger::new(period),
            allowance: Allowance::new(item.max_per_day, counts.drawn(), item.pause_above, &recent, now),
            counts,
            recent,
            changed: Vec::new(),
            enrolments: Vec::new(),
            done: Vec::new(),
            turns: 0,
            refused: false,
            stopped: None,
            bytes: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.turns == 0 && self.done.is_empty()
    }

    fn is_too_large_with(&self, contact: &Contact) -> bool {
        self.turns > 0 && self.bytes + approximate_bytes(contact) > TRANSACTION_BYTES_MAX
    }

    /// Decides a contact's turn.
    fn decide(&mut self, candidate: Candidate, is_still: &dyn Fn(&Contact) -> bool) {
        let Candidate { waiting, person, enrolment } = candidate;
        let person = person.filter(|loaded| loaded.contact.is_visible());
        let created_at = person.as_ref().map(|loaded| loaded.contact.created_at);
        let stored = enrolment.as_ref().map(|enrolment| enrolment.version);
        // A contact that returned with the same id is another one, which has no enrolment.
        let is_same = |at: Option<Timestamp>| at.is_none() || created_at.is_none() || at == created_at;
        let earlier = enrolment.filter(|enrolment| is_same(enrolment.created_at));
        let is_covered = |entry: &WaitingItem| {
            earlier.as_ref().is_some_and(|earlier| earlier.covers(entry, self.item.re_enrol))
        };
        let fresh: Vec<&(Key, WaitingItem)> =
            waiting.iter().filter(|(_, entry)| !is_covered(entry)).collect();
        let Some((_, first)) = fresh.first() else {
            self.done.extend(waiting.into_iter().map(|(key, _)| key));
            return;
        };
        let person = person.filter(|_| fresh.iter().any(|(_, entry)| is_same(entry.created_at)));
        let (outcome, decided, ledger) = self.outcome(person, is_still);
        let is_before_pause = |key: &Key| self.counted_after.is_some_and(|last| key.sk.as_str() <= last);
        let is_asked_for = fresh.iter().all(|(key, entry)| entry.existing || is_before_pause(key));
        if let Err(stop) = self.allowance.take(outcome, is_asked_for) {
            self.stopped = Some(stop);
            return;
        }
        let mut next = earlier.unwrap_or_default();
        next.created_at = created_at.or(next.created_at).or(first.created_at);
        next.acted |= !matches!(outcome, TurnOutcome::Passed(_));
        let seen = decided.as_ref().map(|loaded| loaded.contact.version);
        let matched = fresh.iter().filter_map(|(_, entry)| entry.matched_version);
        next.version_seen = matched.chain(seen).fold(next.version_seen, u64::max);
        next.remember(fresh.iter().map(|(_, entry)| entry).filter(|entry| entry.matched_version.is_none()));
        next.version = stored.unwrap_or_default() + 1;
        next.expires_at = (!next.acted).then(|| self.wall_clock.plus(PASSED_KEPT).seconds());
        self.enrolments.push((first.contact, stored, next));
        if outcome.is_enrolled() && !is_asked_for {
            self.recent.add(first.at, self.now);
        }
        if let Some(loaded) = decided {
            self.bytes += approximate_bytes(&loaded.contact);
            self.changed.extend(outcome.draws().then_some(loaded));
        }
        self.ledger = ledger;
        self.refused |= matches!(outcome, TurnOutcome::Refused(_));
        self.counts.add(outcome);
        self.turns += 1;
        self.done.extend(waiting.into_iter().map(|(key, _)| key));
    }

    /// Returns the outcome for a contact, the contact after it, and the ledger after it.
    fn outcome(
        &self,
        person: Option<Loaded>,
        is_still: &dyn Fn(&Contact) -> bool,
    ) -> (TurnOutcome, Option<Loaded>, Ledger<'p>) {
        let mut ledger = self.ledger.clone();
        let Some(mut loaded) = person else { return (TurnOutcome::Passed(Passed::Gone), None, ledger) };
        if !is_still(&loaded.contact) {
            return (TurnOutcome::Passed(Passed::NoLongerMatches), Some(loaded), ledger);
        }
        let outcome =
            match ledger.decide(loaded.contact.marketing.stored_state, self.item.action, self.source.kind) {
                Ok(transition) => {
                    loaded.contact.apply_automation(&transition, self.now, &self.source, self.item.id);
                    TurnOutcome::Done(transition.outcome)
                }
                Err(refusal) => TurnOutcome::Refused(refusal),
            };
        (outcome, Some(loaded), ledger)
    }
}

impl EnrolmentItem {
    /// Returns true if a trigger does not enrol the contact any more.
    fn covers(&self, entry: &WaitingItem, re_enrol: bool) -> bool {
        if self.acted && !re_enrol {
            return true;
        }
        match entry.matched_version {
            Some(version) => version <= self.version_seen,
            None => self.triggers.contains(&entry.trigger),
        }
    }

    /// Remembers triggers that were no changes of the contact.
    fn remember<'e>(&mut self, entries: impl Iterator<Item = &'e WaitingItem>) {
        self.triggers.extend(entries.map(|entry| entry.trigger.clone()));
        let surplus = self.triggers.len().saturating_sub(TRIGGERS_KEPT);
        self.triggers.drain(..surplus);
    }
}
