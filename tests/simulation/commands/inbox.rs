//! The worker that settles the submissions in the inbox.

use domain::limits::DELIVERY_KEPT;
use store::{InboxTask, StoreError};
use testkit::{RawItem, Write};

use super::jobs::true_for;
use super::{Applied, AtomicCommand as _, Command, Context, Expectation, Sending, Turn, with_new};
use crate::simulation::checks;
use crate::simulation::raw::{Items, Kind, kind, remembered, waits};
use crate::simulation::world::{ExpectedAccount, Flight, State, Waiting};

const DONE: &str = "done";

/// A worker that processes some of the messages, in any order.
#[derive(Debug)]
pub struct Settle {
    pub messages: usize,
    /// The number of transactions that the worker has time for.
    pub time: u64,
    /// True if the queue delivers the messages again although they were processed.
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
            let report = context.store.settle_inbox(&tasks, context.wall_clock, true_for(self.time)).await;
            if !self.again {
                let is_done = |task: &InboxTask| tasks.contains(task) && !report.unsettled.contains(task);
                context.world.lock().unwrap().inbox.retain(|task| !is_done(task));
            }
            let mut errors = report.errors;
            // A fault is reported before an outage.
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
                            delivered.settled(answer, flight.expiry(DELIVERY_KEPT));
                        }
                    }
                    return Ok(());
                }
                Err(why) => {
                    first.get_or_insert(why);
                }
            }
        }
        Err(first.unwrap_or_else(|| "the decision used a period that has ended".to_owned()))
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        Expectation::one(DONE)
    }
}

/// Returns the submissions that a write settles, each with its stored item, in the order of acceptance.
fn settled(book: &ExpectedAccount, write: &Write) -> Result<Vec<(String, Waiting, RawItem)>, String> {
    let mut settled = Vec::new();
    for change in &write.changes {
        if kind(&change.key).1 != Kind::Delivery {
            continue;
        }
        let pk = &change.key.0;
        let waiting =
            book.inbox.get(pk).ok_or_else(|| format!("{pk} was settled, but was not in the inbox"))?;
        let after = change.after.clone().filter(|after| !waits(after));
        let after = after.ok_or_else(|| format!("{pk} was settled, but its result is not stored"))?;
        settled.push((waiting.accepted_at, (pk.clone(), waiting.clone(), after)));
    }
    settled.sort_by(|(accepted_at, (pk, ..)), (other_at, (other, ..))| {
        (accepted_at, pk).cmp(&(other_at, other))
    });
    Ok(settled.into_iter().map(|(_, settled)| settled).collect())
}

/// Returns the account's state after these submissions are settled, decided on the state `then`, and their responses.
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
        let stored = remembered(after);
        let (mut next, mut decided_next) = (state.clone(), decided.clone());
        let applied = match settle_one(&mut next, &mut decided_next, waiting, external_form) {
            Some(applied) if applied.answer == stored => {
                (state, decided) = (next, decided_next);
                applied
            }
            other => at_another_instant(book, flight, waiting, external_form, &stored).ok_or_else(|| {
                let expected = other.map_or("something else".to_owned(), |applied| applied.answer);
                format!("{pk} is stored as {stored}, expected {expected}")
            })?,
        };
        state.count(&applied);
        answers.push(applied.answer);
    }
    let names = with_new(&book.names, &book.state, &state, write);
    checks::compare(&state, &names, &book.id, items)?;
    Ok((state, answers))
}

/// Returns the effect of a submission that changes no contact, decided at any instant with this stored result. It may
/// differ from the instant of the other submissions, because the contacts are not all read at once.
fn at_another_instant(
    book: &ExpectedAccount,
    flight: &Flight,
    waiting: &Waiting,
    external_form: bool,
    stored: &str,
) -> Option<Applied> {
    book.past.iter().filter(|then| !then.has_ended(flight.wall_clock)).find_map(|then| {
        let mut state = then.clone();
        state.model.now = then.now(flight.wall_clock);
        let applied = waiting.submit.submit(&mut state, external_form, waiting.is_edit);
        (applied.answer == stored && state.model.people().eq(then.model.people())).then_some(applied)
    })
}

/// Settles one submission. A decision that does not change the usage may be based on an older state.
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
        (submit.submit(decided, external_form, *is_edit), submit.submit(&mut now, external_form, *is_edit));
    if decided.model.people().eq(before.model.people()) {
        // The submission changed no contact.
        return Some(then);
    }
    if then.answer == applied.answer {
        *state = now;
        return Some(applied);
    }
    submit.submit_late(state, &before, external_form, *is_edit)
}
