//! The jobs: the schedule that closes periods, and the sweeps that it asks for.

use std::sync::atomic::{AtomicU64, Ordering};

use api::Queue;
use chrono::TimeDelta;
use monthly_rollover::{Queues, RolloverError, roll_over};
use store::{InboxTask, SweepTask};

use super::{Command, Context, Expectation, Sending, Turn};
use crate::simulation::checks;
use crate::simulation::world::{ExpectedAccount, Flight, Message};

/// How long a message waits in the queue, as the template says, so that the index has caught up.
pub const QUEUE_DELAY: TimeDelta = TimeDelta::seconds(60);

const DONE: &str = "done";

/// A queue that brings each message at least once, or takes none at all.
fn queue(context: &Context, fails: bool) -> Queue<SweepTask> {
    let (world, wall_clock) = (context.world.clone(), context.wall_clock);
    Queue::new(move |tasks| {
        let world = world.clone();
        async move {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            if fails {
                return Err("the queue takes nothing".into());
            }
            let visible_at = wall_clock.plus(QUEUE_DELAY);
            let messages = tasks.into_iter().map(|task| Message { task, visible_at });
            world.lock().unwrap().messages.extend(messages);
            Ok(())
        }
    })
}

/// The queue of the inbox. What waits there has waited long enough.
fn inbox(context: &Context, fails: bool) -> Queue<InboxTask> {
    let world = context.world.clone();
    Queue::new(move |tasks| {
        let world = world.clone();
        async move {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            if fails {
                return Err("the queue takes nothing".into());
            }
            world.lock().unwrap().inbox.extend(tasks);
            Ok(())
        }
    })
}

/// True for so many times.
pub fn for_so_long(times: u64) -> impl Fn() -> bool {
    let asked = AtomicU64::new(0);
    move || asked.fetch_add(1, Ordering::Relaxed) < times
}

/// The schedule ticks.
#[derive(Debug)]
pub struct Rollover {
    /// How many due things it has time for.
    pub time: u64,
    pub queue_fails: bool,
}

impl Command for Rollover {
    fn is_of_an_account(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let inbox = inbox(context, self.queue_fails);
            let queues = Queues { sweeps: queue(context, self.queue_fails), inbox };
            match roll_over(&context.store, &queues, context.wall_clock, for_so_long(self.time)).await {
                Err(RolloverError::Due(error)) => Err(error),
                // What failed was logged, and is due again.
                Ok(_) | Err(RolloverError::Failed(_)) => Ok(DONE.to_owned()),
            }
        })
    }

    fn happened(&self, turn: Turn<'_>) -> Result<(), String> {
        nothing_to_see(&turn)
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        Expectation::one(DONE)
    }
}

/// Some of the messages that are visible are worked through.
#[derive(Debug)]
pub struct Sweep {
    pub messages: u64,
    /// How many pages it has time for.
    pub time: u64,
    /// Whether the queue brings them once more although they were done.
    pub again: bool,
}

impl Command for Sweep {
    fn is_of_an_account(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let mut rng = context.rng.clone();
            for _ in 0..self.messages {
                let message = {
                    let world = context.world.lock().unwrap();
                    let visible =
                        world.messages.iter().filter(|message| message.visible_at <= context.wall_clock);
                    let visible: Vec<&Message> = visible.collect();
                    if visible.is_empty() {
                        break;
                    }
                    (*rng.one_of(&visible)).clone()
                };
                let swept =
                    context.store.sweep(message.task, context.wall_clock, for_so_long(self.time)).await?;
                if swept.finished && !self.again {
                    let mut world = context.world.lock().unwrap();
                    let found = world.messages.iter().position(|other| other.task == message.task);
                    found.map(|at| world.messages.remove(at));
                }
            }
            Ok(DONE.to_owned())
        })
    }

    fn happened(&self, turn: Turn<'_>) -> Result<(), String> {
        nothing_to_see(&turn)
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        Expectation::one(DONE)
    }
}

/// What a job writes changes nothing that anybody sees.
fn nothing_to_see(turn: &Turn<'_>) -> Result<(), String> {
    checks::compare(&turn.book.state, &turn.book.names, &turn.book.id, turn.items)
}
