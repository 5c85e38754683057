//! Bulk jobs: their creation, their workers and their cancellation, and the check of every write of a job.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use domain::decision;
use domain::filter::{Condition, Filter};
use domain::ids::ContactId;
use store::{
    BulkJob, BulkRequest, BulkTask, Preview, Refused, Responder, Selected, Selection, StoreError, Target,
};
use testkit::{RawItem, Write};

use super::jobs::true_for;
use super::save::user;
use super::status::moves;
use super::{Command, Context, Expectation, Sending, Turn, text_response};
use crate::model::rules::{BY_BULK_JOB, Effect, Kept, Person, Place};
use crate::simulation::checks;
use crate::simulation::raw::{Items, Kind, kind, number, text};
use crate::simulation::world::{ExpectedAccount, Flight, State};

const DONE: &str = "done";

/// The creation of a job for all contacts, or for those with a note, confirmed by the number of a preview.
#[derive(Debug)]
pub struct Bulk {
    pub set_marketing: bool,
    pub with_note: bool,
    /// True if the job counts first, because the request has no time.
    pub counts_first: bool,
}

impl Bulk {
    fn request(&self, context: &Context, confirm_count: Option<u64>) -> BulkRequest {
        let has_note = || Condition::new("note", "HAS_PROPERTY", None, None, None).unwrap();
        let groups = if self.with_note { vec![vec![has_note()]] } else { Vec::new() };
        let by = Selection::Filter(Filter::new(groups).unwrap());
        BulkRequest {
            account: context.account(),
            command: match self.set_marketing {
                true => decision::Command::SetMarketing,
                false => decision::Command::SetNonMarketingPending,
            },
            target: Target::Selected(Selected { by, except: BTreeSet::new() }),
            confirm_count,
            actor: user(),
        }
    }
}

impl Command for Bulk {
    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let matched = Mutex::new(0);
            let render = text_response(|preview: &Preview| {
                if let Preview::Complete { forecast, .. } = preview {
                    *matched.lock().unwrap() = forecast.matched;
                }
                String::new()
            });
            let (store, now) = (&context.store, context.wall_clock);
            store.preview(&self.request(context, None), now, || true, Responder::new(None, &render)).await?;
            let confirmed = *matched.lock().unwrap();
            let render = text_response(|_: &BulkJob| "created".to_owned());
            let responder = Responder::new(None, &render);
            let request = self.request(context, Some(confirmed));
            let counts = !self.counts_first;
            match store.create_bulk_job(&request, now, || counts, responder).await {
                Ok(answer) => Ok(answer.body),
                Err(StoreError::Refused(Refused::CountChanged { .. })) => Ok("count changed".to_owned()),
                Err(error) => Err(error),
            }
        })
    }

    fn happened(&self, _: Turn<'_>) -> Result<(), String> {
        Err("the creation of a job changed a contact".to_owned())
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        let answers = ["created", "count changed", "marketing contacts are off"];
        Expectation::OneOf(answers.map(str::to_owned).into())
    }
}

/// The cancellation of the account's first unfinished job.
#[derive(Debug)]
pub struct Cancel;

impl Command for Cancel {
    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let (store, account) = (&context.store, context.account());
            let jobs = store.bulk_jobs(account, None, 10).await?.items;
            let Some(job) = jobs.iter().rev().find(|job| !job.state.is_finished()) else {
                return Ok(DONE.to_owned());
            };
            let render = text_response(|_: &BulkJob| DONE.to_owned());
            let responder = Responder::new(None, &render);
            Ok(store.cancel_bulk_job(account, job.id, context.wall_clock, responder).await?.body)
        })
    }

    fn happened(&self, _: Turn<'_>) -> Result<(), String> {
        Err("a cancellation changed a contact".to_owned())
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        Expectation::one(DONE)
    }
}

/// A worker on the account's jobs.
#[derive(Debug)]
pub struct Work {
    /// The number of steps that the worker has time for.
    pub time: u64,
}

impl Command for Work {
    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let (account, now) = (context.account(), context.wall_clock);
            context.store.work_on_bulk_jobs(account, || now, true_for(self.time)).await?;
            Ok(DONE.to_owned())
        })
    }

    fn happened(&self, turn: Turn<'_>) -> Result<(), String> {
        change_contacts(turn)
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        Expectation::one(DONE)
    }
}

/// The workers on all accounts that the schedule has found, with unlimited time.
#[derive(Debug)]
pub struct WorkOnDue;

impl Command for WorkOnDue {
    fn is_of_an_account(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let tasks: Vec<BulkTask> = std::mem::take(&mut context.world.lock().unwrap().bulk);
            for BulkTask { account } in tasks {
                context.store.work_on_bulk_jobs(account, || context.wall_clock, || true).await?;
            }
            Ok(DONE.to_owned())
        })
    }

    fn happened(&self, turn: Turn<'_>) -> Result<(), String> {
        change_contacts(turn)
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        Expectation::one(DONE)
    }
}

/// Returns the job that a write changes, before and after.
fn job(write: &Write) -> Option<(Option<&RawItem>, &RawItem)> {
    let change = write.changes.iter().find(|change| kind(&change.key).1 == Kind::BulkJob)?;
    Some((change.before.as_ref(), change.after.as_ref()?))
}

/// A job as its items describe it.
struct Order {
    set_marketing: bool,
    with_note: bool,
    until: ContactId,
}

impl Order {
    fn of(book: &ExpectedAccount, job: &RawItem, items: &Items) -> Self {
        let id = text(job, "id").expect("an id");
        let definition = &items[&(format!("JOB#{}#{id}", book.id), "DEFINITION".to_owned())];
        let filter = definition["any_of"]["L"][0]["M"]["filter"]["S"].as_str().expect("a filter");
        Self {
            set_marketing: text(job, "command") == Some("set-marketing"),
            with_note: filter != "[]",
            until: text(definition, "until").and_then(|id| id.parse().ok()).expect("a contact"),
        }
    }

    fn selects(&self, person: &Person) -> bool {
        !self.with_note || person.note.is_some()
    }

    /// Returns true if the job may leave the person as it is in this state.
    fn leaves(&self, state: &State, who: usize) -> bool {
        let model = &state.model;
        let Some(person) = model.person(who).filter(|person| self.selects(person)) else { return true };
        match (person.place, self.set_marketing) {
            (Place::Deleted, _) | (Place::There(Kept::Marketing), true) => true,
            (Place::There(Kept::NonMarketing), true) => {
                !model.marketing_contacts || model.cap.is_some_and(|cap| model.usage().0 >= cap)
            }
            (Place::There(Kept::Leaving), set) => !set,
            (Place::There(kept), false) => kept == Kept::NonMarketing,
        }
    }
}

/// Applies the command of a job to the contacts of a write.
fn change_contacts(turn: Turn<'_>) -> Result<(), String> {
    let Turn { book, flight, write, items } = turn;
    flight.outcomes.clear();
    if book.state.has_ended(flight.wall_clock) {
        return Err("the decision used a period that has ended".to_owned());
    }
    let (_, after) = job(write).ok_or("contacts changed without the job's counts")?;
    let order = Order::of(book, after, items);
    let mut state = book.state.clone();
    state.model.now = state.now(flight.wall_clock);
    for change in &write.changes {
        let Kind::Contact(id) = kind(&change.key).1 else { continue };
        let id: ContactId = id.parse().map_err(|_| "a contact without an id")?;
        let who = book.names.person(id).ok_or("a contact that does not exist was changed")?;
        let person = book.state.model.person(who).ok_or("a removed contact was changed")?;
        if !order.selects(person) || id > order.until {
            return Err(format!("#{who} was changed, but the job does not select it"));
        }
        let effect = state.model.command(order.set_marketing, Some(who), BY_BULK_JOB);
        if !matches!(effect, Effect::Set | Effect::Kept | Effect::Queued) {
            return Err(format!("#{who} was written, but by the rules the effect is {effect:?}"));
        }
        flight.outcomes.insert(id, effect);
    }
    checks::compare(&state, &book.names, &book.id, items)?;
    book.state = state;
    Ok(())
}

/// Returns the number of a job's contacts with each outcome.
fn counts(job: &RawItem) -> BTreeMap<String, u64> {
    let summary = &job["summary"]["M"];
    let refused = summary["refused"]["M"].as_object().into_iter().flatten();
    let refused = refused.map(|(_, number)| number["N"].as_str().unwrap().parse::<u64>().unwrap()).sum();
    let of = |name: &str| (name.to_owned(), number(summary, name).unwrap_or_default());
    let mut counts: BTreeMap<String, u64> = ["set", "kept", "queued", "unchanged"].map(of).into();
    counts.insert("refused".to_owned(), refused);
    counts
}

const FINAL: [&str; 4] = ["done", "cancelled", "count-changed", "failed"];

/// Checks a write of a job: the counts are those of the contacts in the same write, and the place passes no contact
/// that the job still has to change.
///
/// # Errors
///
/// The violation.
pub fn check_job(
    book: &ExpectedAccount,
    flight: &Flight,
    write: &Write,
    items: &Items,
) -> Result<(), String> {
    let Some((before, after)) = job(write) else { return Ok(()) };
    let state = text(after, "state").unwrap_or_default();
    let Some(before) = before else {
        return if state == "waiting" { Ok(()) } else { Err(format!("a new job is {state}")) };
    };
    let was = text(before, "state").unwrap_or_default();
    if FINAL.contains(&was) {
        return Err(format!("a {was} job was changed"));
    }
    if state == "failed" {
        return Err("a job failed".to_owned());
    }
    let changed = write.changes.iter().any(|change| matches!(kind(&change.key).1, Kind::Contact(_)));
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for effect in flight.outcomes.values().filter(|_| changed) {
        let name = match moves(*effect) {
            (1, _) => "set",
            (_, -1) => "kept",
            _ => "queued",
        };
        *expected.entry(name.to_owned()).or_default() += 1;
    }
    let (earlier, now) = (counts(before), counts(after));
    for name in ["set", "kept", "queued"] {
        let by = now[name] - earlier[name];
        if by != expected.get(name).copied().unwrap_or_default() {
            return Err(format!("a job counted {by} contacts as {name}, and changed {expected:?}"));
        }
    }
    let done: u64 = now.values().sum();
    if number(after, "matched").is_some_and(|matched| done > matched) {
        return Err(format!("{done} contacts of a job are done, more than match"));
    }
    check_place(book, flight, (before, after), items)
}

/// Checks that the job has no reason to change the contacts that its place has passed.
fn check_place(
    book: &ExpectedAccount,
    flight: &Flight,
    (before, after): (&RawItem, &RawItem),
    items: &Items,
) -> Result<(), String> {
    let place = |job: &RawItem| text(job, "place").and_then(|id| id.parse::<ContactId>().ok());
    let order = Order::of(book, after, items);
    let (from, mut to) = (place(before), place(after));
    if text(after, "state") == Some("done") && text(after, "kind") == Some("change") {
        to = Some(order.until);
    }
    if text(after, "state") == Some("cancelled") || to.is_none() {
        return Ok(());
    }
    // A job acts on contacts as it reads them, and they may change afterwards.
    let since = flight.since.min(book.past.len() - 1);
    let states: Vec<&State> = book.past[since..].iter().chain([&book.state]).collect();
    for (who, _) in book.state.model.people() {
        let Some(_) = book.names.id(who).filter(|id| Some(*id) > from && Some(*id) <= to) else { continue };
        // A contact whose server's clock was slow may be stored behind the place.
        let is_new = states.first().is_some_and(|first| first.model.person(who).is_none());
        if !is_new && !states.iter().any(|state| order.leaves(state, who)) {
            return Err(format!("a job's place passed #{who}, which it has not changed"));
        }
    }
    Ok(())
}

/// Returns an error if an account has unfinished jobs.
///
/// # Errors
///
/// The unfinished jobs.
pub fn all_finished(book: &ExpectedAccount, items: &Items) -> Result<(), String> {
    let queue = items.get(&(format!("ACCOUNT#{}", book.id), "JOBS".to_owned()));
    let open = queue.and_then(|queue| queue["open"]["L"].as_array()).map_or(0, Vec::len);
    if open > 0 { Err(format!("{open} bulk jobs are not finished")) } else { Ok(()) }
}
