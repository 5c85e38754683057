//! The worker that settles what waits in the inbox.

use domain::limits::DELIVERY_KEPT;
use store::{InboxTask, StoreError};
use testkit::{RawItem, Write};

use super::jobs::for_so_long;
use super::{Applied, Command, Context, Deed as _, Expectation, Sending, Turn, with_new};
use crate::simulation::checks;
use crate::simulation::raw::{Items, Kind, kind, remembered, waits};
use crate::simulation::world::{ExpectedAccount, Flight, State, Waiting};

const DONE: &str = "done";

/// Some of the messages are worked through, in whatever order they come.
#[derive(Debug)]
pub struct Settle {
    pub messages: usize,
    /// For how many transactions it has time.
    pub time: u64,
    /// Whether the queue brings them once more although they were done.
    pub again: bool,
}

impl Command for Settle {
    fn is_of_an_account(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let mut rng = context.rng.clone();
            let mut tasks: Vec<InboxTask> = context.world.lock().unwrap().inbox.clone();
            while tasks.len() > self.messages {
                tasks.swap_remove(rng.index(tasks.len()));
            }
            let report = context.store.settle_inbox(&tasks, context.wall_clock, for_so_long(self.time)).await;
            if !self.again {
                let is_done = |task: &InboxTask| tasks.contains(task) && !report.unsettled.contains(task);
                context.world.lock().unwrap().inbox.retain(|task| !is_done(task));
            }
            let mut errors = report.errors;
            // A fault is the worst of them.
            errors.sort_by_key(|error| matches!(error, StoreError::Unavailable(..)));
            errors.into_iter().next().map_or(Ok(DONE.to_owned()), Err)
        })
    }

    fn happened(&self, turn: Turn<'_>) -> Result<(), String> {
        let Turn { book, flight, write, items } = turn;
        let settled = settled(book, write)?;
        if settled.is_empty() {
            return checks::compare(&book.state, &book.names, &book.id, items);
        }
        let mut first = None;
        let instants = book.past.iter().rev().filter(|then| !then.has_ended(flight.wall_clock));
        let defaults = book.external_forms(0);
        for (then, external_form) in instants.flat_map(|then| defaults.iter().map(move |on| (then, *on))) {
            match settle(book, flight, &settled, (then, external_form), write, items) {
                Ok((state, answers)) => {
                    (book.names, book.state) = (with_new(&book.names, &book.state, &state, write), state);
                    for ((pk, waiting, _), answer) in settled.into_iter().zip(answers) {
                        book.inbox.remove(&pk);
                        book.settled.insert(pk, answer.clone());
                        if let Some(delivered) =
                            waiting.submit.delivery().and_then(|key| book.deliveries.get_mut(&key))
                        {
                            delivered.settled(answer, flight.wall_clock.plus(DELIVERY_KEPT));
                        }
                    }
                    return Ok(());
                }
                Err(why) => {
                    first.get_or_insert(why);
                }
            }
        }
        Err(first.unwrap_or_else(|| "it was decided on a period that is over".to_owned()))
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        Expectation::one(DONE)
    }
}

/// The submissions that a write settles, each with what is remembered of it, in the order in which they were accepted.
fn settled(book: &ExpectedAccount, write: &Write) -> Result<Vec<(String, Waiting, RawItem)>, String> {
    let mut settled = Vec::new();
    for change in &write.changes {
        if kind(&change.key).1 != Kind::Delivery {
            continue;
        }
        let pk = &change.key.0;
        let waiting = book.inbox.get(pk).ok_or_else(|| format!("{pk} does not wait, and was settled"))?;
        let after = change.after.clone().filter(|after| !waits(after));
        let after = after.ok_or_else(|| format!("{pk} was settled and is not remembered"))?;
        settled.push((waiting.accepted_at, (pk.clone(), waiting.clone(), after)));
    }
    settled.sort_by(|(accepted_at, (pk, ..)), (other_at, (other, ..))| {
        (accepted_at, pk).cmp(&(other_at, other))
    });
    Ok(settled.into_iter().map(|(_, settled)| settled).collect())
}

/// What the account is once these are settled, decided on what it was `then`, and what came of each.
fn settle(
    book: &ExpectedAccount,
    flight: &Flight,
    settled: &[(String, Waiting, RawItem)],
    (then, external_form): (&State, bool),
    write: &Write,
    items: &Items,
) -> Result<(State, Vec<String>), String> {
    let (mut state, mut decided) = (book.state.clone(), then.clone());
    let now = then.now(flight.wall_clock);
    (state.model.now, decided.model.now) = (now, now);
    let mut answers = Vec::new();
    for (pk, waiting, after) in settled {
        let told = remembered(after);
        let (mut next, mut decided_next) = (state.clone(), decided.clone());
        let applied = match settle_one(&mut next, &mut decided_next, waiting, external_form) {
            Some(applied) if applied.answer == told => {
                (state, decided) = (next, decided_next);
                applied
            }
            other => {
                at_an_instant_of_its_own(book, flight, waiting, external_form, &told).ok_or_else(|| {
                    let expected = other.map_or("something else".to_owned(), |applied| applied.answer);
                    format!("{pk} is remembered as {told}, expected {expected}")
                })?
            }
        };
        state.count(&applied);
        answers.push(applied.answer);
    }
    let names = with_new(&book.names, &book.state, &state, write);
    checks::compare(&state, &names, &book.id, items)?;
    Ok((state, answers))
}

/// One that changed nothing may have been told what was so at another instant than the others': people are not read all
/// at once.
fn at_an_instant_of_its_own(
    book: &ExpectedAccount,
    flight: &Flight,
    waiting: &Waiting,
    external_form: bool,
    told: &str,
) -> Option<Applied> {
    book.past.iter().filter(|then| !then.has_ended(flight.wall_clock)).find_map(|then| {
        let mut state = then.clone();
        state.model.now = then.now(flight.wall_clock);
        let applied = waiting.submit.take(&mut state, external_form, waiting.is_edit);
        (applied.answer == told && state.model.people().eq(then.model.people())).then_some(applied)
    })
}

/// One of them. What leaves the counts alone may be decided on something older than what it is done to.
fn settle_one(
    state: &mut State,
    decided: &mut State,
    waiting: &Waiting,
    external_form: bool,
) -> Option<Applied> {
    let before = decided.clone();
    let mut now = state.clone();
    let Waiting { submit, is_edit, .. } = waiting;
    let (then, applied) =
        (submit.take(decided, external_form, *is_edit), submit.take(&mut now, external_form, *is_edit));
    if decided.model.people().eq(before.model.people()) {
        // There was nothing to do for it.
        return Some(then);
    }
    if then.answer == applied.answer {
        *state = now;
        return Some(applied);
    }
    submit.take_late(state, &before, external_form, *is_edit)
}
