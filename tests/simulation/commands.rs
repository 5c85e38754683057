//! The clients' commands: one file for each kind, with its request to the store and its effect by the rules.
//!
//! A new capability adds a file here, a line in [`super::plan`], and its rules in `model::rules`.

pub mod bulk;
mod change;
mod clock;
mod delete;
pub mod imports;
mod inbox;
mod jobs;
mod reads;
pub mod save;
pub mod status;
mod submit;
mod terms;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::decision::{Outcome, Refusal};
use domain::ids::{AccountId, ContactId};
use domain::limits::DELIVERY_KEPT;
use store::{Form, IdempotencyClaim, Refused, Responder, Store, StoreError, StoredResponse};
use testkit::{SeededRng, Write};

use super::checks;
use super::raw::{Items, Kind, RawContact, kind};
use super::world::{Deliveries, DeliveryKey, ExpectedAccount, Flight, Names, Picked, State, Waiting, World};

pub use bulk::{Bulk, Cancel, Work, WorkOnDue};
pub use change::Change;
pub use clock::MoveClock;
pub use delete::Delete;
pub use imports::{BeginImport, CancelImport, WorkOnDueImports, WorkOnImport};
pub use inbox::Settle;
pub use jobs::{Rollover, Sweep};
pub use reads::{List, Read};
pub use save::Save;
pub use status::Status;
pub use submit::Submit;
pub use terms::Terms;

/// The context in which a command is sent.
pub struct Context {
    pub store: Store,
    /// The account's id. `None` for jobs that serve all accounts.
    pub account: Option<AccountId>,
    pub forms: Option<Vec<Form>>,
    pub wall_clock: Timestamp,
    pub picked: Picked,
    pub claim: Option<IdempotencyClaim>,
    pub world: Arc<Mutex<World>>,
    /// The command's own random numbers.
    pub rng: SeededRng,
}

impl Context {
    pub fn account(&self) -> AccountId {
        self.account.expect("an account's command")
    }

    /// Returns the picked contact, or an unused id if the account had no contact yet.
    pub fn contact(&self, pick: u64) -> ContactId {
        self.picked.get(&pick).copied().flatten().unwrap_or_else(|| ContactId::new(Timestamp::MAX, 0))
    }
}

/// The future of a sent command.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<String, StoreError>> + Send + 'a>>;

/// The effect of a command on an account, and its response. Contacts are named by their people's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub answer: String,
    /// True if the command must write something.
    pub changed: bool,
    /// The response if the command wrote something that the model does not have, such as another spelling of an
    /// address.
    pub retouched: Option<String>,
    /// The index of the form that counts the submission, and the name of the count.
    pub counted: Option<(usize, &'static str)>,
}

impl Applied {
    pub fn changed(answer: impl Into<String>) -> Self {
        Self { answer: answer.into(), changed: true, retouched: None, counted: None }
    }

    /// Returns the effect given that something was written, or `None` if the rules do not allow a write.
    fn written(self) -> Option<Self> {
        match self.retouched {
            Some(answer) if !self.changed => Some(Self::changed(answer)),
            _ => self.changed.then_some(self),
        }
    }

    pub fn unchanged(answer: impl Into<String>) -> Self {
        Self { changed: false, ..Self::changed(answer) }
    }
}

/// The facts that a command's effect depends on besides the account's state.
pub struct Lookup<'a> {
    pub wall_clock: Timestamp,
    pub picked: &'a Picked,
    pub names: &'a Names,
    pub deliveries: &'a Deliveries,
    /// The account's default for external forms, as the request read it.
    pub external_form: bool,
}

impl Lookup<'_> {
    /// Returns the picked person, or `None` if it never existed.
    pub fn person(&self, pick: u64) -> Option<usize> {
        self.names.person(self.picked.get(&pick).copied().flatten()?)
    }
}

/// A write of a command, with the expected account and the stored items.
pub struct Turn<'a> {
    pub book: &'a mut ExpectedAccount,
    pub flight: &'a mut Flight,
    pub write: &'a Write,
    pub items: &'a Items,
}

/// The allowed responses of a command.
#[derive(Clone, Debug)]
pub enum Expectation {
    /// One of these texts.
    OneOf(BTreeSet<String>),
    /// A list with the allowed texts of each entry, and the allowed texts of the usage after it.
    Each(Vec<BTreeSet<String>>, Option<BTreeSet<String>>),
    /// A list that contains at least the contacts in `must`, and only entries in `may`.
    Among { must: BTreeSet<String>, may: BTreeSet<String> },
    /// A response that one of the two expectations allows.
    Either(Box<Self>, Box<Self>),
}

impl Expectation {
    pub fn one(answer: impl Into<String>) -> Self {
        Self::OneOf(BTreeSet::from([answer.into()]))
    }

    pub fn check(&self, answer: &str) -> Result<(), String> {
        match self {
            Self::OneOf(answers) if answers.contains(answer) => Ok(()),
            Self::OneOf(answers) if answers.is_empty() => {
                Err(format!("answered {answer:?}, but the rules require a change"))
            }
            Self::OneOf(answers) => Err(format!("answered {answer:?}, expected one of {answers:?}")),
            Self::Each(entries, last) => check_each(answer, entries, last.as_ref()),
            Self::Among { must, may } => check_among(answer, must, may),
            Self::Either(one, other) => one.check(answer).or_else(|_| other.check(answer)),
        }
    }
}

fn check_each(
    answer: &str,
    entries: &[BTreeSet<String>],
    last: Option<&BTreeSet<String>>,
) -> Result<(), String> {
    let (list, end) =
        answer.split_once(';').ok_or_else(|| format!("answered {answer:?}, expected a list"))?;
    let found: Vec<&str> = list.split(',').collect();
    if found.len() != entries.len() {
        return Err(format!("answered {} entries, expected {}", found.len(), entries.len()));
    }
    for (at, (entry, allowed)) in found.iter().zip(entries).enumerate() {
        if !allowed.contains(*entry) {
            return Err(format!("entry {at} is {entry:?}, expected one of {allowed:?}, in {answer:?}"));
        }
    }
    match last {
        Some(last) if !last.contains(end) => Err(format!("answered usage {end}, expected one of {last:?}")),
        _ => Ok(()),
    }
}

fn check_among(answer: &str, must: &BTreeSet<String>, may: &BTreeSet<String>) -> Result<(), String> {
    let mut missing = must.clone();
    let mut seen = BTreeSet::new();
    for entry in answer.split(',').filter(|entry| !entry.is_empty()) {
        let who = entry.split(' ').next().unwrap_or_default();
        missing.remove(who);
        if !may.contains(entry) {
            return Err(format!("listed {entry:?}, expected one of {may:?}"));
        }
        if !seen.insert(who.to_owned()) {
            return Err(format!("listed {who} twice"));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?} are not on the list {answer:?}")) }
}

/// A kind of command.
pub trait Command: Debug + Send + Sync {
    /// Returns the contacts that the command names by id, each as a number that selects one.
    fn picks(&self) -> Vec<u64> {
        Vec::new()
    }

    /// Returns true if the command can have an `Idempotency-Key`.
    fn takes_key(&self) -> bool {
        false
    }

    /// Returns the identity of the command's delivery, which identifies repeats.
    fn delivery(&self) -> Option<DeliveryKey> {
        None
    }

    /// Returns another submission under the same id: other answers, another contact, or another spelling.
    fn varied(&self, _: &mut SeededRng, _: usize) -> Option<Arc<dyn Command>> {
        None
    }

    /// Returns true if the command belongs to one account. A job for all accounts returns false.
    fn is_of_an_account(&self) -> bool {
        true
    }

    /// Sends the request to the store.
    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a>;

    /// Checks a write of this command and applies it to the expected account.
    ///
    /// # Errors
    ///
    /// The violation of the rules.
    fn happened(&self, turn: Turn<'_>) -> Result<(), String>;

    /// Records that the command's submission entered the inbox, under this partition key.
    ///
    /// # Errors
    ///
    /// The command is not a submission.
    fn accepted(&self, _: &mut ExpectedAccount, _: &mut Flight, pk: &str) -> Result<(), String> {
        Err(format!("{pk} entered the inbox, but the command is not a submission"))
    }

    /// Returns the responses that are allowed now.
    fn expectation(&self, book: &ExpectedAccount, flight: &Flight) -> Expectation;
}

/// A command that has one effect at one instant, or none.
pub trait AtomicCommand: Debug + Send + Sync {
    fn picks(&self) -> Vec<u64> {
        Vec::new()
    }

    fn takes_key(&self) -> bool {
        false
    }

    /// Returns the identity of the command's delivery, which identifies repeats.
    fn delivery(&self) -> Option<DeliveryKey> {
        None
    }

    /// Returns the command's submission, if it is one.
    fn submission(&self) -> Option<&Submit> {
        None
    }

    /// Returns true if the response shows one contact and nothing else.
    fn is_lookup(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a>;

    /// Applies the command by the rules, and returns its effect and response.
    fn apply(&self, state: &mut State, lookup: &Lookup<'_>) -> Applied;

    /// Applies the command now, although it was decided on the earlier state `then`. This is allowed only for effects
    /// that do not change the usage: a person is stored as non-marketing because the capacity was used up, or returns
    /// to a billable unit that the update date has removed in the meantime.
    fn apply_late(&self, _: &mut State, _: &Lookup<'_>, _: &State) -> Option<Applied> {
        None
    }
}

/// An atomic command as a [`Command`].
#[derive(Debug)]
pub struct One<D>(pub D);

impl<D: AtomicCommand> Command for One<D> {
    fn picks(&self) -> Vec<u64> {
        self.0.picks()
    }

    fn takes_key(&self) -> bool {
        self.0.takes_key()
    }

    fn delivery(&self) -> Option<DeliveryKey> {
        self.0.delivery()
    }

    fn varied(&self, rng: &mut SeededRng, addresses: usize) -> Option<Arc<dyn Command>> {
        let varied = self.0.submission()?.varied(rng, addresses);
        Some(Arc::new(One(varied)))
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        self.0.send(context)
    }

    fn happened(&self, turn: Turn<'_>) -> Result<(), String> {
        let Turn { book, flight, write, items } = turn;
        let touched =
            |touches: fn(&Kind<'_>) -> bool| write.changes.iter().any(|change| touches(&kind(&change.key).1));
        let only_recorded =
            !touched(|kind| !matches!(kind, Kind::Delivery | Kind::Answer | Kind::FormCounts));
        // A late submission without an id finds its own effect on a retry, and the form counts it once more.
        if flight.done.as_ref().is_some_and(|done| done.changed) && !(only_recorded && flight.late) {
            return Err("the command was applied twice".to_owned());
        }
        if touched(|kind| *kind == Kind::FormCounts)
            && std::mem::replace(&mut flight.counted, true)
            && !flight.late
        {
            return Err("the submission was counted twice".to_owned());
        }
        if only_recorded {
            return self.check_recorded(book, flight, items);
        }
        // A command that does not change the usage may have been decided on the state that it read.
        let decided_now = touched(|kind| *kind == Kind::Period);
        let since = if decided_now { book.past.len() - 1 } else { flight.since };
        let mut first = None;
        let defaults = book.external_forms(flight.since);
        for then in book.past[since..].iter().rev() {
            if then.has_ended(flight.wall_clock) {
                first.get_or_insert_with(|| "the decision used a period that has ended".to_owned());
                continue;
            }
            for (late, external_form) in
                [false, true].into_iter().flat_map(|late| defaults.iter().map(move |on| (late, *on)))
            {
                let mut state = book.state.clone();
                let lookup = lookup(book, flight, external_form);
                state.model.now = then.now(flight.wall_clock);
                let applied = match late {
                    false => Some(self.0.apply(&mut state, &lookup)),
                    true if decided_now => None,
                    true => self.0.apply_late(&mut state, &lookup, then),
                };
                // The rules allow no write for this state, so the decision was based on another one.
                let Some(applied) = applied.and_then(Applied::written) else { continue };
                state.count(&applied);
                let names = with_new(&book.names, &book.state, &state, write);
                match checks::compare(&state, &names, &book.id, items) {
                    Ok(()) => {
                        self.remember(book, flight, &applied);
                        (book.state, book.names, flight.done) = (state, names, Some(applied));
                        return Ok(());
                    }
                    Err(why) => {
                        first.get_or_insert(why);
                    }
                }
            }
        }
        Err(first.unwrap_or_else(|| "the rules do not allow this write".to_owned()))
    }

    fn accepted(&self, book: &mut ExpectedAccount, flight: &mut Flight, pk: &str) -> Result<(), String> {
        let submission = self
            .0
            .submission()
            .ok_or_else(|| format!("{pk} entered the inbox, but the command is not a submission"))?;
        let (mut submit, wall_clock) = (submission.clone(), flight.wall_clock);
        let mut is_edit = false;
        if let Some(key) = submission.delivery() {
            let known = book.delivered(&key, wall_clock);
            if known.is_some_and(|delivered| delivered.repeats(submit.note).is_some()) {
                return Err(format!("{pk} was accepted before, but entered the inbox again"));
            }
            let waits = book.inbox.get(pk);
            is_edit = waits.map_or(known.is_some(), |earlier| earlier.is_edit);
            // Content that the edit does not contain remains from the queued version.
            submit.note = submit.note.or(waits.and_then(|earlier| earlier.submit.note));
            book.note_delivery(key, submission.note, ACCEPTED.to_owned(), wall_clock, Timestamp::MAX);
        }
        book.inbox.insert(pk.to_owned(), Waiting { accepted_at: wall_clock, submit, is_edit });
        flight.waits = Some(pk.to_owned());
        Ok(())
    }

    fn expectation(&self, book: &ExpectedAccount, flight: &Flight) -> Expectation {
        let mut answers = BTreeSet::new();
        if let Some(pk) = &flight.waits {
            answers.insert(ACCEPTED.to_owned());
            // The response was lost, and the submission was settled before the repeat.
            answers.extend(book.settled.get(pk).map(|settled| format!("again {settled}")));
        }
        if let (Some(key), Some(submission)) = (self.0.delivery(), self.0.submission()) {
            // The inbox checks only deliveries, independent of the period. The stored response may have been read
            // before the submission was settled, or before an edit.
            let seen = book.delivered(&key, flight.wall_clock).into_iter().flat_map(|seen| &seen.answers);
            let seen = seen.filter(|(_, versions)| versions.contains(&submission.note));
            answers.extend(seen.map(|(answer, _)| format!("again {answer}")));
        }
        if let Some(done) = flight.done.as_ref().filter(|done| done.changed) {
            answers.insert(done.answer.clone());
            if self.0.delivery().is_some() {
                // All responses were lost, and the inbox found the delivery applied.
                answers.insert(format!("again {}", done.answer));
            }
            if !flight.late {
                return Expectation::OneOf(answers);
            }
            // The client retried and found its own effect, as if it were the effect of another request.
        }
        let defaults = book.external_forms(flight.since);
        for then in &book.past[flight.since..] {
            for external_form in &defaults {
                let mut state = then.at(flight.wall_clock);
                let applied = self.0.apply(&mut state, &lookup(book, flight, *external_form));
                // A contact, or its absence, may be read before the period is closed. The response shows it in the next period.
                let is_lookup = self.0.is_lookup() || applied.answer == NO_CONTACT;
                if !applied.changed && (is_lookup || !then.has_ended(flight.wall_clock)) {
                    answers.insert(applied.answer);
                }
            }
        }
        Expectation::OneOf(answers)
    }
}

impl<D: AtomicCommand> One<D> {
    /// Checks a write that records only a delivery, a response or counts. At some instant the command must have had no
    /// effect on the people.
    fn check_recorded(
        &self,
        book: &mut ExpectedAccount,
        flight: &mut Flight,
        items: &Items,
    ) -> Result<(), String> {
        let mut first = None;
        let past = &book.past[flight.since..];
        let instants = past.iter().rev().filter(|then| !then.has_ended(flight.wall_clock));
        let mut applied = Vec::new();
        for then in instants {
            for external_form in book.external_forms(flight.since) {
                let mut state = then.clone();
                state.model.now = then.now(flight.wall_clock);
                let one = self.0.apply(&mut state, &lookup(book, flight, external_form));
                applied.extend(state.model.people().eq(then.model.people()).then_some(one));
            }
        }
        for applied in applied {
            let mut counted = book.state.clone();
            counted.count(&applied);
            match checks::compare(&counted, &book.names, &book.id, items) {
                Ok(()) => {
                    self.remember(book, flight, &applied);
                    book.state = counted;
                    if flight.done.as_ref().is_none_or(|done| !done.changed) {
                        flight.done = Some(applied);
                    }
                    return Ok(());
                }
                Err(why) => {
                    first.get_or_insert(why);
                }
            }
        }
        Err(first.unwrap_or_else(|| "the command was recorded, but not applied".to_owned()))
    }

    fn remember(&self, book: &mut ExpectedAccount, flight: &Flight, applied: &Applied) {
        if let (Some(key), Some(submission)) = (self.0.delivery(), self.0.submission()) {
            let (wall_clock, until) = (flight.wall_clock, flight.expiry(DELIVERY_KEPT));
            book.note_delivery(key, submission.note, applied.answer.clone(), wall_clock, until);
        }
    }
}

/// The response about a contact that does not exist.
pub const NO_CONTACT: &str = "no contact";

/// The response to a submission that enters the inbox.
pub const ACCEPTED: &str = "accepted accepted";

fn lookup<'a>(book: &'a ExpectedAccount, flight: &'a Flight, external_form: bool) -> Lookup<'a> {
    let ExpectedAccount { names, deliveries, .. } = book;
    Lookup { wall_clock: flight.wall_clock, picked: &flight.picked, names, deliveries, external_form }
}

/// Returns the mapping extended by the new people, whose contacts the write created.
fn with_new(names: &Names, before: &State, after: &State, write: &Write) -> Names {
    let mut names = names.clone();
    let made = write.changes.iter().filter(|change| change.before.is_none());
    let made: Vec<(ContactId, Option<String>)> = made
        .filter_map(|change| match (kind(&change.key).1, &change.after) {
            (Kind::Contact(id), Some(item)) => Some((id.parse().ok()?, RawContact::of(item).address)),
            _ => None,
        })
        .collect();
    for who in before.model.next()..after.model.next() {
        let address = after.model.person(who).and_then(|person| person.address);
        let address = address.map(|address| format!("p{address}@example.org"));
        if let Some((id, _)) = made.iter().find(|(_, own)| *own == address) {
            names.bind(who, *id);
        }
    }
    names
}

/// Returns a render function whose response has this text as its body.
pub fn text_response<T>(
    text: impl Fn(&T) -> String + Send + Sync,
) -> impl Fn(&T) -> StoredResponse + Send + Sync {
    move |result| StoredResponse { status: 200, body: text(result), etag: None, location: None }
}

/// Returns the responder of an operation. It stores the response if the request has a key.
pub fn finish<'a, T>(
    context: &'a Context,
    render: &'a (dyn Fn(&T) -> StoredResponse + Send + Sync),
) -> Responder<'a, T> {
    Responder::new(context.claim.as_ref(), render)
}

/// Returns the text of a refusal in responses.
pub fn refused(refused: &Refused) -> String {
    match refused {
        Refused::NotFound(name) => format!("no {name}"),
        Refused::ContactExists(id) => format!("{id} exists"),
        Refused::MarketingContactsOff => "marketing contacts are off".to_owned(),
        Refused::Status(_) => "the state is refused".to_owned(),
        Refused::MarketingContactsInUse { .. } => "marketing contacts are in use".to_owned(),
        other => format!("refused: {other}"),
    }
}

/// Returns the text of a status command's outcome for one contact.
pub fn outcome(status: Result<Outcome, Refusal>) -> &'static str {
    match status {
        Ok(outcome) => outcome.as_str(),
        Err(_) => "refused",
    }
}

/// Returns an address of the simulation, with or without capitals.
pub fn email(address: usize, capitals: bool) -> EmailAddress {
    let text = if capitals { format!("P{address}@Example.ORG") } else { format!("p{address}@example.org") };
    testkit::email(&text)
}
