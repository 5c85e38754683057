//! What the checks know: each account by the rules, the requests under way, and what was answered to whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::Timestamp;
use domain::ids::{AccountId, ContactId};
use store::{Form, InboxTask, SweepTask};

use super::commands::{Applied, Command, Expectation, Submit};
use crate::model::rules::{Effect, FormRules, Model};

/// An account by the rules, at one instant.
#[derive(Clone, Debug)]
pub struct State {
    pub model: Model,
    /// A sandbox's own clock.
    pub clock: Option<Timestamp>,
    /// Whether forms from elsewhere set people marketing, unless they say.
    pub external_form: bool,
    pub forms: Vec<FormRules>,
}

impl State {
    /// The account's instant when the wall clock shows `wall_clock`. Nothing happens in a period before it has begun,
    /// whatever a slow clock says.
    pub fn now(&self, wall_clock: Timestamp) -> Timestamp {
        self.clock.unwrap_or(wall_clock).max(self.model.starts_at)
    }

    /// Counts what came of a submission.
    pub fn count(&mut self, applied: &Applied) {
        if let Some((form, what)) = applied.counted {
            *self.forms[form].counts.entry(what).or_default() += 1;
        }
    }

    /// Whether whoever looks at `wall_clock` must first see the period closed.
    pub fn has_ended(&self, wall_clock: Timestamp) -> bool {
        self.now(wall_clock) >= self.model.ends_at
    }
}

/// Which contact is which person.
#[derive(Clone, Debug, Default)]
pub struct Names {
    ids: BTreeMap<usize, ContactId>,
    people: BTreeMap<ContactId, usize>,
    /// In the order in which they were first seen.
    known: Vec<ContactId>,
}

/// The fewest digits of a contact's id in the simulation's years. No other number has as many.
const ID_DIGITS: usize = 15;

impl Names {
    pub fn bind(&mut self, who: usize, id: ContactId) {
        self.ids.insert(who, id);
        self.people.insert(id, who);
        self.known.push(id);
    }

    pub fn id(&self, who: usize) -> Option<ContactId> {
        self.ids.get(&who).copied()
    }

    pub fn person(&self, id: ContactId) -> Option<usize> {
        self.people.get(&id).copied()
    }

    /// Some contact that there is or was.
    pub fn pick(&self, pick: u64) -> Option<ContactId> {
        let length = self.known.len() as u64;
        (length > 0).then(|| self.known[usize::try_from(pick % length).unwrap()])
    }

    /// A text in which contacts' ids are replaced by the people's numbers.
    pub fn translate(&self, text: &str) -> String {
        let is_digit = |char: char| char.is_ascii_digit();
        let mut translated = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(is_digit) {
            let (before, digits) = rest.split_at(at);
            let (digits, after) =
                digits.split_at(digits.find(|char| !is_digit(char)).unwrap_or(digits.len()));
            translated.push_str(before);
            match digits.parse().ok().and_then(|id| self.person(id)) {
                Some(who) => translated.push_str(&format!("#{who}")),
                None if digits.len() >= ID_DIGITS => translated.push_str("#nobody"),
                None => translated.push_str(digits),
            }
            rest = after;
        }
        translated + rest
    }
}

/// What a delivery is known by: its id, its form and its address.
pub type DeliveryKey = (String, usize, usize);

/// What a delivery says: the note, if it says one.
pub type Version = Option<u64>;

/// A delivery that was accepted.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// What it was answered, each with the versions that were accepted by then; the last is what is remembered.
    pub answers: Vec<(String, BTreeSet<Version>)>,
    pub until: Timestamp,
}

impl Delivered {
    /// What a repeat of this version is answered, if it was accepted.
    pub fn repeats(&self, version: Version) -> Option<&str> {
        let (answer, versions) = self.answers.last()?;
        versions.contains(&version).then_some(answer)
    }

    /// How many versions have edited an earlier one.
    pub fn edits(&self) -> u64 {
        self.answers.last().map_or(0, |(_, versions)| versions.len().saturating_sub(1)) as u64
    }

    /// Notes what came of it when it was settled.
    pub fn settled(&mut self, answer: String, until: Timestamp) {
        let versions = self.answers.last().map(|(_, versions)| versions.clone()).unwrap_or_default();
        self.answers.push((answer, versions));
        self.until = until;
    }

    /// Notes an answer, and with it another version.
    fn answered(&mut self, answer: String, version: Version, until: Timestamp) {
        let mut versions = self.answers.last().map(|(_, versions)| versions.clone()).unwrap_or_default();
        versions.insert(version);
        self.answers.push((answer, versions));
        self.until = until;
    }
}

/// Deliveries that were accepted.
pub type Deliveries = BTreeMap<DeliveryKey, Delivered>;

/// A submission that waits in the inbox.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub accepted_at: Timestamp,
    pub submit: Submit,
    /// Whether another version of it was applied before.
    pub is_edit: bool,
}

/// One account's side of the checks.
pub struct ExpectedAccount {
    pub id: AccountId,
    /// What the account is now.
    pub state: State,
    /// What it has been since nothing was under way, oldest first; the last is what it is now.
    pub past: Vec<State>,
    pub names: Names,
    pub forms: Vec<Form>,
    /// Deliveries that were accepted, with what came of them.
    pub deliveries: Deliveries,
    /// Submissions that wait in the inbox, by their items' partition keys.
    pub inbox: BTreeMap<String, Waiting>,
    /// What came of those that did.
    pub settled: BTreeMap<String, String>,
}

impl ExpectedAccount {
    /// What the account's default for forms from elsewhere has been since. No write is conditional on it.
    pub fn external_forms(&self, since: usize) -> BTreeSet<bool> {
        self.past[since..].iter().map(|state| state.external_form).collect()
    }

    /// A delivery that is remembered at this instant.
    pub fn delivered(&self, key: &DeliveryKey, wall_clock: Timestamp) -> Option<&Delivered> {
        self.deliveries.get(key).filter(|delivered| wall_clock < delivered.until)
    }

    /// Notes what a version of a delivery was answered at this instant, and until when that is remembered.
    pub fn note_delivery(
        &mut self,
        key: DeliveryKey,
        version: Version,
        answer: String,
        wall_clock: Timestamp,
        until: Timestamp,
    ) {
        if self.delivered(&key, wall_clock).is_none() {
            self.deliveries.remove(&key);
        }
        let none = || Delivered { answers: Vec::new(), until };
        self.deliveries.entry(key).or_insert_with(none).answered(answer, version, until);
    }

    /// Notes what the account has become.
    pub fn moved(&mut self) {
        self.past.push(self.state.clone());
    }
}

/// What a request is about, resolved when it was first sent: the contacts that it names by id.
pub type Picked = BTreeMap<u64, Option<ContactId>>;

/// A request that was sent, and what is known of it.
pub struct Flight {
    /// The account's place in the world; none for jobs that serve all of them.
    pub account: Option<usize>,
    pub command: Arc<dyn Command>,
    pub wall_clock: Timestamp,
    pub picked: Picked,
    pub key: Option<String>,
    /// How many states the account had been in when it was sent.
    pub since: usize,
    /// What it did: for a command that does one thing, what it must answer.
    pub done: Option<Applied>,
    /// For status commands: what it did to whom.
    pub outcomes: BTreeMap<ContactId, Effect>,
    /// For status commands: how its last transaction moved the usage and the leaving.
    pub last: (i64, i64),
    /// Where it waits in the inbox, or did.
    pub waits: Option<String>,
    /// Whether what came of it was counted.
    pub counted: bool,
    /// Whether an answer was given that says what happened.
    pub answered: bool,
    /// Whether it happened after its sender had been told that it might not.
    pub late: bool,
}

/// What is known of an `Idempotency-Key`.
#[derive(Clone, Default)]
pub struct KeyRecord {
    /// What requests under it have done.
    pub done: Option<Applied>,
    pub outcomes: BTreeMap<ContactId, Effect>,
    /// What the answer that is kept may be.
    pub kept: Option<Expectation>,
    /// The answer that was given first.
    pub answer: Option<String>,
    pub picked: Option<Picked>,
    /// When the answer may be forgotten.
    pub expires_at: Option<Timestamp>,
}

/// A message in the queue of sweeps.
#[derive(Clone, Debug)]
pub struct Message {
    pub task: SweepTask,
    pub visible_at: Timestamp,
}

/// What a run counts.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub commands: u64,
    pub abandoned: u64,
    pub repeated: u64,
    pub unanswered: u64,
    /// Requests whose sender was told that the connection broke, and which happened afterwards.
    pub late: u64,
    pub update_dates: u64,
    /// People who left at one.
    pub left: u64,
    pub writes: u64,
    /// Submissions that were accepted into the inbox.
    pub accepted: u64,
    /// Transactions that settled more than one of them.
    pub settled_together: u64,
    /// Versions of deliveries that edited an earlier one.
    pub edits: u64,
    /// Deliveries about another contact under the id of an earlier one.
    pub shared_ids: u64,
}

/// Something that is not as the rules say.
#[derive(Clone, Debug)]
pub struct Violation {
    /// When it was seen: at which request, or when.
    pub at: String,
    /// What it is.
    pub why: String,
    /// How many operations the table had carried out by then.
    pub operations: u64,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} operations, {}: {}", self.operations, self.at, self.why)
    }
}

/// Everything that the checks know.
pub struct World {
    pub books: Vec<ExpectedAccount>,
    pub flights: BTreeMap<u32, Flight>,
    pub keys: BTreeMap<(usize, String), KeyRecord>,
    pub messages: Vec<Message>,
    /// Messages in the queue of the inbox.
    pub inbox: Vec<InboxTask>,
    pub counts: Counts,
    /// The first thing that was not as the rules say.
    pub violation: Option<Violation>,
    /// Accounts by id.
    pub accounts: BTreeMap<String, usize>,
    /// How many operations the table has carried out.
    operations: Arc<AtomicU64>,
}

impl World {
    pub fn new(operations: Arc<AtomicU64>) -> Self {
        Self {
            operations,
            books: Vec::new(),
            flights: BTreeMap::new(),
            keys: BTreeMap::new(),
            messages: Vec::new(),
            inbox: Vec::new(),
            counts: Counts::default(),
            violation: None,
            accounts: BTreeMap::new(),
        }
    }

    /// Notes the first violation; what follows from it says nothing.
    pub fn violated(&mut self, at: impl Into<String>, why: impl Into<String>) {
        let operations = self.operations.load(Ordering::Relaxed);
        self.violation.get_or_insert_with(|| Violation { at: at.into(), why: why.into(), operations });
    }

    /// Nothing is under way any more: what has been is settled.
    pub fn settle(&mut self) {
        self.flights.clear();
        for book in &mut self.books {
            book.past = vec![book.state.clone()];
        }
    }
}
