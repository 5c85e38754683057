//! The state of the checks: each account by the rules, the requests in flight, and their responses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::TimeDelta;
use domain::Timestamp;
use domain::ids::{AccountId, ContactId};
use store::{BulkTask, FileTask, Form, InboxTask, SweepTask};

use super::commands::{Applied, Command, Expectation, Submit};
use crate::model::rules::{Effect, FormRules, Model};

/// An account at one instant, by the rules.
#[derive(Clone, Debug)]
pub struct State {
    pub model: Model,
    /// A sandbox's own clock.
    pub clock: Option<Timestamp>,
    /// True if external forms without an own setting set people marketing.
    pub external_form: bool,
    pub forms: Vec<FormRules>,
}

impl State {
    /// Returns the account's instant at this wall clock. It is never before the beginning of the current period, even
    /// if the caller's clock is slow.
    pub fn now(&self, wall_clock: Timestamp) -> Timestamp {
        self.clock.unwrap_or(wall_clock).max(self.model.starts_at)
    }

    /// Adds a submission to its form's counts.
    pub fn count(&mut self, applied: &Applied) {
        if let Some((form, name)) = applied.counted {
            *self.forms[form].counts.entry(name).or_default() += 1;
        }
    }

    /// Returns true if the period has ended at this wall clock, so that it must be closed before any decision.
    pub fn has_ended(&self, wall_clock: Timestamp) -> bool {
        self.now(wall_clock) >= self.model.ends_at
    }

    /// Returns the state at this wall clock: the update dates that have passed have taken effect.
    pub fn at(&self, wall_clock: Timestamp) -> Self {
        let mut state = self.clone();
        state.model.advance(self.now(wall_clock));
        state
    }
}

/// The mapping between the stored contacts' ids and the model's people.
#[derive(Clone, Debug, Default)]
pub struct Names {
    ids: BTreeMap<usize, ContactId>,
    people: BTreeMap<ContactId, usize>,
    /// All ids, in the order in which they were first seen.
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

    /// Returns a contact that exists or existed, chosen by the number `pick`.
    pub fn pick(&self, pick: u64) -> Option<ContactId> {
        let length = self.known.len() as u64;
        (length > 0).then(|| self.known[usize::try_from(pick % length).unwrap()])
    }

    /// Returns the text with contacts' ids replaced by the people's numbers.
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
                None if digits.len() >= ID_DIGITS => translated.push_str("#unknown"),
                None => translated.push_str(digits),
            }
            rest = after;
        }
        translated + rest
    }
}

/// The identity of a delivery: its id, its form and its address.
pub type DeliveryKey = (String, usize, usize);

/// The content of a delivery: the note, if it contains one.
pub type Version = Option<u64>;

/// A delivery that was accepted.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The responses so far, each with the versions that were accepted until then. The last response is the stored one.
    pub answers: Vec<(String, BTreeSet<Version>)>,
    pub until: Timestamp,
}

impl Delivered {
    /// Returns the response to a repeat of this version, or `None` if the version was not accepted.
    pub fn repeats(&self, version: Version) -> Option<&str> {
        let (answer, versions) = self.answers.last()?;
        versions.contains(&version).then_some(answer)
    }

    /// Returns the number of versions that edited an earlier one.
    pub fn edits(&self) -> u64 {
        self.answers.last().map_or(0, |(_, versions)| versions.len().saturating_sub(1)) as u64
    }

    /// Records the response once the delivery is settled.
    pub fn settled(&mut self, answer: String, until: Timestamp) {
        let versions = self.answers.last().map(|(_, versions)| versions.clone()).unwrap_or_default();
        self.answers.push((answer, versions));
        self.until = until;
    }

    /// Records a response together with another accepted version.
    fn answered(&mut self, answer: String, version: Version, until: Timestamp) {
        let mut versions = self.answers.last().map(|(_, versions)| versions.clone()).unwrap_or_default();
        versions.insert(version);
        self.answers.push((answer, versions));
        self.until = until;
    }
}

/// The accepted deliveries.
pub type Deliveries = BTreeMap<DeliveryKey, Delivered>;

/// A submission that waits in the inbox.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub accepted_at: Timestamp,
    pub submit: Submit,
    /// True if another version of the delivery was applied before.
    pub is_edit: bool,
}

/// An account as the checks expect it.
pub struct ExpectedAccount {
    pub id: AccountId,
    /// The current state.
    pub state: State,
    /// The states since no request was in flight, oldest first. The last one is the current state.
    pub past: Vec<State>,
    pub names: Names,
    pub forms: Vec<Form>,
    /// The accepted deliveries with their responses.
    pub deliveries: Deliveries,
    /// Submissions that wait in the inbox, by their items' partition keys.
    pub inbox: BTreeMap<String, Waiting>,
    /// The responses of settled submissions, by their items' partition keys.
    pub settled: BTreeMap<String, String>,
}

impl ExpectedAccount {
    /// Returns the values of the account's default for external forms since this state. No write has a condition on it.
    pub fn external_forms(&self, since: usize) -> BTreeSet<bool> {
        self.past[since..].iter().map(|state| state.external_form).collect()
    }

    /// Returns a delivery that has not expired at this instant.
    pub fn delivered(&self, key: &DeliveryKey, wall_clock: Timestamp) -> Option<&Delivered> {
        self.deliveries.get(key).filter(|delivered| wall_clock < delivered.until)
    }

    /// Records the response to a version of a delivery at this instant, and when the delivery expires.
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

    /// Appends the current state to the past states.
    pub fn moved(&mut self) {
        self.past.push(self.state.clone());
    }
}

/// The contacts that a request names by id, resolved when it was first sent.
pub type Picked = BTreeMap<u64, Option<ContactId>>;

/// A request in flight and its observed effects.
pub struct Flight {
    /// The account's index in the world. `None` for jobs that serve all accounts.
    pub account: Option<usize>,
    pub command: Arc<dyn Command>,
    pub wall_clock: Timestamp,
    pub picked: Picked,
    pub key: Option<String>,
    /// The index of the account's state when the request was sent.
    pub since: usize,
    /// The effect of the request. For an atomic command it determines the response.
    pub done: Option<Applied>,
    /// For status commands: the effect on each contact.
    pub outcomes: BTreeMap<ContactId, Effect>,
    /// For status commands: how the last transaction changed the usage and the number of leaving contacts.
    pub last: (i64, i64),
    /// The partition key of the request's item in the inbox, also after it is settled.
    pub waits: Option<String>,
    /// True if the form's counts include the submission.
    pub counted: bool,
    /// True if the client received a definite response.
    pub answered: bool,
    /// True if the request was applied after its client had received an indefinite error.
    pub late: bool,
}

impl Flight {
    /// Returns the instant at which an item that this request stores for `kept` expires. DynamoDB's time-to-live has
    /// whole seconds, so the item expires up to a second early.
    pub fn expiry(&self, kept: TimeDelta) -> Timestamp {
        Timestamp::from_millis(self.wall_clock.plus(kept).seconds() * 1000)
    }
}

/// The observed effects and responses of one `Idempotency-Key`.
#[derive(Clone, Default)]
pub struct KeyRecord {
    /// The effect of requests with this key.
    pub done: Option<Applied>,
    pub outcomes: BTreeMap<ContactId, Effect>,
    /// The allowed contents of the stored response.
    pub kept: Option<Expectation>,
    /// The first response.
    pub answer: Option<String>,
    pub picked: Option<Picked>,
    /// The instant at which the stored response expires.
    pub expires_at: Option<Timestamp>,
}

/// A message in the queue of sweeps.
#[derive(Clone, Debug)]
pub struct Message {
    pub task: SweepTask,
    pub visible_at: Timestamp,
}

/// The statistics of a run.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub commands: u64,
    pub abandoned: u64,
    pub repeated: u64,
    pub unanswered: u64,
    /// Requests that were applied after their client had seen the connection break.
    pub late: u64,
    pub update_dates: u64,
    /// People that left at an update date.
    pub left: u64,
    pub writes: u64,
    /// Submissions that were accepted into the inbox.
    pub accepted: u64,
    /// Transactions that settled more than one submission.
    pub settled_together: u64,
    /// Versions of deliveries that edited an earlier one.
    pub edits: u64,
    /// Deliveries about another contact under the id of an earlier one.
    pub shared_ids: u64,
}

/// A violation of the rules.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The request or the moment at which the violation was seen.
    pub at: String,
    /// The description of the violation.
    pub why: String,
    /// The number of operations that the table had performed until then.
    pub operations: u64,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} operations, {}: {}", self.operations, self.at, self.why)
    }
}

/// The whole state of the checks.
pub struct World {
    pub books: Vec<ExpectedAccount>,
    pub flights: BTreeMap<u32, Flight>,
    pub keys: BTreeMap<(usize, String), KeyRecord>,
    pub messages: Vec<Message>,
    /// Messages in the queue of the inbox.
    pub inbox: Vec<InboxTask>,
    /// Messages in the queue of bulk jobs.
    pub bulk: Vec<BulkTask>,
    /// Messages in the queue of imports.
    pub files: Vec<FileTask>,
    pub counts: Counts,
    /// The first violation.
    pub violation: Option<Violation>,
    /// The indexes of the accounts by the ids of accounts and forms.
    pub accounts: BTreeMap<String, usize>,
    /// The number of operations that the table has performed.
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
            bulk: Vec::new(),
            files: Vec::new(),
            counts: Counts::default(),
            violation: None,
            accounts: BTreeMap::new(),
        }
    }

    /// Records the first violation. Later ones are ignored, because they may be its consequences.
    pub fn violated(&mut self, at: impl Into<String>, why: impl Into<String>) {
        let operations = self.operations.load(Ordering::Relaxed);
        self.violation.get_or_insert_with(|| Violation { at: at.into(), why: why.into(), operations });
    }

    /// Forgets the requests in flight and the past states, once no request is in flight any more.
    pub fn settle(&mut self) {
        self.flights.clear();
        for book in &mut self.books {
            book.past = vec![book.state.clone()];
        }
    }
}
