//! What clients do: one file for each kind of command, with what it asks of the store and what it does by the rules.
//!
//! A new capability adds a file here, a line in [`super::plan`], and what it needs in `model::rules`.

mod change;
mod clock;
mod delete;
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

pub use change::Change;
pub use clock::MoveClock;
pub use delete::Delete;
pub use inbox::Settle;
pub use jobs::{Rollover, Sweep};
pub use reads::{List, Read};
pub use save::Save;
pub use status::Status;
pub use submit::Submit;
pub use terms::Terms;

/// What a command needs to be sent.
pub struct Context {
    pub store: Store,
    /// None for jobs that serve all accounts.
    pub account: Option<AccountId>,
    pub forms: Option<Vec<Form>>,
    pub wall_clock: Timestamp,
    pub picked: Picked,
    pub claim: Option<IdempotencyClaim>,
    pub world: Arc<Mutex<World>>,
    /// Draws of the command's own.
    pub rng: SeededRng,
}

impl Context {
    pub fn account(&self) -> AccountId {
        self.account.expect("an account's command")
    }

    /// The contact that was picked; before there is any, one that nobody has.
    pub fn contact(&self, pick: u64) -> ContactId {
        self.picked.get(&pick).copied().flatten().unwrap_or_else(|| ContactId::new(Timestamp::MAX, 0))
    }
}

/// A command that was sent.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<String, StoreError>> + Send + 'a>>;

/// What a command did to an account, and what it answers. Contacts are named by their people's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub answer: String,
    /// Whether something had to be written.
    pub changed: bool,
    /// What it answers if it wrote something that the rules do not see, such as another spelling of an address.
    pub retouched: Option<String>,
    /// Which of the account's forms counts it, and as what.
    pub counted: Option<(usize, &'static str)>,
}

impl Applied {
    pub fn changed(answer: impl Into<String>) -> Self {
        Self { answer: answer.into(), changed: true, retouched: None, counted: None }
    }

    /// The same, given that something was written; none if nothing should have been.
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

/// Whom a command is about, and when it is asked.
pub struct Asked<'a> {
    pub wall_clock: Timestamp,
    pub picked: &'a Picked,
    pub names: &'a Names,
    pub deliveries: &'a Deliveries,
    /// What the account's default for forms from elsewhere was read as.
    pub external_form: bool,
}

impl Asked<'_> {
    /// The person who was picked, if it is anybody that there is or was.
    pub fn person(&self, pick: u64) -> Option<usize> {
        self.names.person(self.picked.get(&pick).copied().flatten()?)
    }
}

/// A write of a command, and what it may have changed.
pub struct Turn<'a> {
    pub book: &'a mut ExpectedAccount,
    pub flight: &'a mut Flight,
    pub write: &'a Write,
    pub items: &'a Items,
}

/// What a command may answer.
#[derive(Clone, Debug)]
pub enum Expectation {
    /// One of these.
    OneOf(BTreeSet<String>),
    /// A list, each entry one of these, and then one of the last.
    Each(Vec<BTreeSet<String>>, Option<BTreeSet<String>>),
    /// A list with all of these at least, each entry one of those.
    Among { must: BTreeSet<String>, may: BTreeSet<String> },
    /// One or the other.
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
                Err(format!("answered {answer:?}, and there was something to do"))
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
        return Err(format!("{} entries for {}", found.len(), entries.len()));
    }
    for (at, (entry, allowed)) in found.iter().zip(entries).enumerate() {
        if !allowed.contains(*entry) {
            return Err(format!("entry {at} is {entry:?}, expected one of {allowed:?}, in {answer:?}"));
        }
    }
    match last {
        Some(last) if !last.contains(end) => Err(format!("told usage {end}, expected one of {last:?}")),
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
            return Err(format!("listed {entry:?}, expected of {may:?}"));
        }
        if !seen.insert(who.to_owned()) {
            return Err(format!("listed {who} twice"));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?} are not on the list {answer:?}")) }
}

/// A kind of command.
pub trait Command: Debug + Send + Sync {
    /// The contacts that it names by id, each as a number to pick one by.
    fn picks(&self) -> Vec<u64> {
        Vec::new()
    }

    /// Whether it can have an `Idempotency-Key`.
    fn takes_key(&self) -> bool {
        false
    }

    /// What its delivery is known by, to tell a repeated one.
    fn delivery(&self) -> Option<DeliveryKey> {
        None
    }

    /// Something else under the same id: other answers, another contact, or the same in another spelling.
    fn varied(&self, _: &mut SeededRng, _: usize) -> Option<Arc<dyn Command>> {
        None
    }

    /// Whether it is an account's, and not a job for all of them.
    fn is_of_an_account(&self) -> bool {
        true
    }

    /// Asks the store.
    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a>;

    /// A write of this command has happened.
    ///
    /// # Errors
    ///
    /// What was not as the rules say.
    fn happened(&self, turn: Turn<'_>) -> Result<(), String>;

    /// It begins to wait in the inbox, under this partition key.
    ///
    /// # Errors
    ///
    /// That it is nothing that waits.
    fn accepted(&self, _: &mut ExpectedAccount, _: &mut Flight, pk: &str) -> Result<(), String> {
        Err(format!("{pk} waits, and is no submission"))
    }

    /// What it may answer, now that it does.
    fn expectation(&self, book: &ExpectedAccount, flight: &Flight) -> Expectation;
}

/// A command that does one thing at one instant, or nothing.
pub trait Deed: Debug + Send + Sync {
    fn picks(&self) -> Vec<u64> {
        Vec::new()
    }

    fn takes_key(&self) -> bool {
        false
    }

    /// What its delivery is known by, to tell a repeated one.
    fn delivery(&self) -> Option<DeliveryKey> {
        None
    }

    /// The submission that it is.
    fn submission(&self) -> Option<&Submit> {
        None
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a>;

    /// What it does by the rules, and what it answers.
    fn apply(&self, state: &mut State, asked: &Asked<'_>) -> Applied;

    /// What it does if it was decided on what the account was `then` and takes effect now. Only what leaves the
    /// counts alone may be decided so: a person who is kept as a non-marketing contact because there was no room, or
    /// who came back to a place that the update date has ended meanwhile.
    fn apply_late(&self, _: &mut State, _: &Asked<'_>, _: &State) -> Option<Applied> {
        None
    }
}

/// A deed as a command.
#[derive(Debug)]
pub struct One<D>(pub D);

impl<D: Deed> Command for One<D> {
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
        let only_told = !touched(|kind| !matches!(kind, Kind::Delivery | Kind::Answer | Kind::FormCounts));
        // A submission without an id that was late meets its own doing, and is one more to whoever counts.
        if flight.done.as_ref().is_some_and(|done| done.changed) && !(only_told && flight.late) {
            return Err("it happened twice".to_owned());
        }
        if touched(|kind| *kind == Kind::FormCounts)
            && std::mem::replace(&mut flight.counted, true)
            && !flight.late
        {
            return Err("it was counted twice".to_owned());
        }
        if only_told {
            return self.was_accepted(book, flight, items);
        }
        // What leaves the counts alone may have been decided on what the account was when it was read.
        let decided_now = touched(|kind| *kind == Kind::Period);
        let since = if decided_now { book.past.len() - 1 } else { flight.since };
        let mut first = None;
        let defaults = book.external_forms(flight.since);
        for then in book.past[since..].iter().rev() {
            if then.has_ended(flight.wall_clock) {
                first.get_or_insert_with(|| "it was decided on a period that is over".to_owned());
                continue;
            }
            for (late, external_form) in
                [false, true].into_iter().flat_map(|late| defaults.iter().map(move |on| (late, *on)))
            {
                let mut state = book.state.clone();
                let asked = asked(book, flight, external_form);
                state.model.now = then.now(flight.wall_clock);
                let applied = match late {
                    false => Some(self.0.apply(&mut state, &asked)),
                    true if decided_now => None,
                    true => self.0.apply_late(&mut state, &asked, then),
                };
                // A write for which there is nothing to do was decided on something else.
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
        Err(first.unwrap_or_else(|| "the rules have nothing to do there".to_owned()))
    }

    fn accepted(&self, book: &mut ExpectedAccount, flight: &mut Flight, pk: &str) -> Result<(), String> {
        let submission = self.0.submission().ok_or_else(|| format!("{pk} waits, and is no submission"))?;
        let (mut submit, wall_clock) = (submission.clone(), flight.wall_clock);
        let mut is_edit = false;
        if let Some(key) = submission.delivery() {
            let known = book.delivered(&key, wall_clock);
            if known.is_some_and(|delivered| delivered.repeats(submit.note).is_some()) {
                return Err(format!("{pk} was accepted before, and waits again"));
            }
            let waits = book.inbox.get(pk);
            is_edit = waits.map_or(known.is_some(), |earlier| earlier.is_edit);
            // What it does not say stays as the version said it that waited before.
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
            // Its answer was lost, and it was settled before it was asked again.
            answers.extend(book.settled.get(pk).map(|settled| format!("again {settled}")));
        }
        if let (Some(key), Some(submission)) = (self.0.delivery(), self.0.submission()) {
            // The inbox looks at deliveries alone, whatever has become of the period. What is remembered may have been
            // read before it was settled, or before an edit.
            let seen = book.delivered(&key, flight.wall_clock).into_iter().flat_map(|seen| &seen.answers);
            let seen = seen.filter(|(_, versions)| versions.contains(&submission.note));
            answers.extend(seen.map(|(answer, _)| format!("again {answer}")));
        }
        if let Some(done) = flight.done.as_ref().filter(|done| done.changed) {
            answers.insert(done.answer.clone());
            if self.0.delivery().is_some() {
                // All of its answers were lost, and the inbox found it done.
                answers.insert(format!("again {}", done.answer));
            }
            if !flight.late {
                return Expectation::OneOf(answers);
            }
            // Its sender tried again, and then met its own doing as if it were another's.
        }
        let defaults = book.external_forms(flight.since);
        for then in book.past[flight.since..].iter().filter(|then| !then.has_ended(flight.wall_clock)) {
            for external_form in &defaults {
                let mut state = then.clone();
                state.model.now = state.now(flight.wall_clock);
                let applied = self.0.apply(&mut state, &asked(book, flight, *external_form));
                if !applied.changed {
                    answers.insert(applied.answer);
                }
            }
        }
        Expectation::OneOf(answers)
    }
}

impl<D: Deed> One<D> {
    /// Only that it was accepted is written: at some instant there was nothing to do for it.
    fn was_accepted(
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
                let one = self.0.apply(&mut state, &asked(book, flight, external_form));
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
        Err(first.unwrap_or_else(|| "it was accepted, and nothing was done".to_owned()))
    }

    fn remember(&self, book: &mut ExpectedAccount, flight: &Flight, applied: &Applied) {
        if let (Some(key), Some(submission)) = (self.0.delivery(), self.0.submission()) {
            let (wall_clock, until) = (flight.wall_clock, flight.wall_clock.plus(DELIVERY_KEPT));
            book.note_delivery(key, submission.note, applied.answer.clone(), wall_clock, until);
        }
    }
}

/// What a submission is answered that waits in the inbox.
pub const ACCEPTED: &str = "accepted accepted";

fn asked<'a>(book: &'a ExpectedAccount, flight: &'a Flight, external_form: bool) -> Asked<'a> {
    let ExpectedAccount { names, deliveries, .. } = book;
    Asked { wall_clock: flight.wall_clock, picked: &flight.picked, names, deliveries, external_form }
}

/// The names with those of the people who are new, whose contacts the write made.
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

/// Ends a store's operation with this text for an answer.
pub fn told<T>(text: impl Fn(&T) -> String + Send + Sync) -> impl Fn(&T) -> StoredResponse + Send + Sync {
    move |result| StoredResponse { status: 200, body: text(result), etag: None, location: None }
}

/// How an operation ends: with this answer, kept if the request has a key.
pub fn finish<'a, T>(
    context: &'a Context,
    render: &'a (dyn Fn(&T) -> StoredResponse + Send + Sync),
) -> Responder<'a, T> {
    Responder::new(context.claim.as_ref(), render)
}

/// The text of a refusal, as answers say it.
pub fn refused(refused: &Refused) -> String {
    match refused {
        Refused::NotFound(what) => format!("no {what}"),
        Refused::ContactExists(id) => format!("{id} exists"),
        Refused::MarketingContactsOff => "marketing contacts are off".to_owned(),
        Refused::MarketingContactsInUse { .. } => "marketing contacts are in use".to_owned(),
        other => format!("refused: {other}"),
    }
}

/// The text of what came of one contact.
pub fn outcome(status: Result<Outcome, Refusal>) -> &'static str {
    match status {
        Ok(outcome) => outcome.as_str(),
        Err(_) => "refused",
    }
}

/// An address of the simulation, spelled in one of two ways.
pub fn email(address: usize, loud: bool) -> EmailAddress {
    let text = if loud { format!("P{address}@Example.ORG") } else { format!("p{address}@example.org") };
    testkit::email(&text)
}
