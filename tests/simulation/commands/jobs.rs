//! The jobs: the schedule that closes periods, and the sweeps that it starts.

use std::sync::atomic::{AtomicU64, Ordering};

use api::Queue;
use chrono::TimeDelta;
use monthly_rollover::{Queues, RolloverError, roll_over};
use store::{BulkTask, FileTask, InboxTask, SweepTask};

use super::{Command, Context, Expectation, Sending, Turn};
use crate::simulation::checks;
use crate::simulation::world::{ExpectedAccount, Flight, Message};

/// The delay of a message in the queue, as in the template, so that the index has caught up.
pub const QUEUE_DELAY: TimeDelta = TimeDelta::seconds(60);

const DONE: &str = "done";

/// Returns the queue of sweeps, which delivers each message at least once. If `fails` is true, it accepts no message.
fn queue(context: &Context, fails: bool) -> Queue<SweepTask> {
    let (world, wall_clock) = (context.world.clone(), context.wall_clock);
    Queue::new(move |tasks| {
        let world = world.clone();
        async move {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            if fails {
                return Err("the queue is unavailable".into());
            }
            let visible_at = wall_clock.plus(QUEUE_DELAY);
            let messages = tasks.into_iter().map(|task| Message { task, visible_at });
            world.lock().unwrap().messages.extend(messages);
            Ok(())
        }
    })
}

/// Returns the queue of the inbox, which delivers messages without a delay.
fn inbox(context: &Context, fails: bool) -> Queue<InboxTask> {
    let world = context.world.clone();
    Queue::new(move |tasks| {
        let world = world.clone();
        async move {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            if fails {
                return Err("the queue is unavailable".into());
            }
            world.lock().unwrap().inbox.extend(tasks);
            Ok(())
        }
    })
}

/// Returns the queue of bulk jobs.
fn bulk(context: &Context, fails: bool) -> Queue<BulkTask> {
    let world = context.world.clone();
    Queue::new(move |tasks| {
        if !fails {
            world.lock().unwrap().bulk.extend(tasks);
        }
        std::future::ready(if fails { Err("the queue is unavailable".into()) } else { Ok(()) })
    })
}

/// Returns the queue of imports.
fn files(context: &Context, fails: bool) -> Queue<FileTask> {
    let world = context.world.clone();
    Queue::new(move |tasks| {
        if !fails {
            world.lock().unwrap().files.extend(tasks);
        }
        std::future::ready(if fails { Err("the queue is unavailable".into()) } else { Ok(()) })
    })
}

/// Returns a function that returns true for this number of calls.
pub fn true_for(times: u64) -> impl Fn() -> bool {
    let calls = AtomicU64::new(0);
    move || calls.fetch_add(1, Ordering::Relaxed) < times
}

/// A tick of the schedule.
#[derive(Debug)]
pub struct Rollover {
    /// The number of due entries that the job has time for.
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
            let bulk = bulk(context, self.queue_fails);
            let files = files(context, self.queue_fails);
            let queues = Queues {
                sweeps: queue(context, self.queue_fails),
                inbox,
                bulk,
                // No automation exists.
                automations: Queue::new(|_| std::future::ready(Ok(()))),
                files,
            };
            match roll_over(&context.store, &queues, context.wall_clock, true_for(self.time)).await {
                Err(RolloverError::Due(error)) => Err(error),
                // Failed entries are logged and become due again.
                Ok(_) | Err(RolloverError::Failed(_)) => Ok(DONE.to_owned()),
            }
        })
    }

    fn happened(&self, turn: Turn<'_>) -> Result<(), String> {
        check_invisible(&turn)
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        Expectation::one(DONE)
    }
}

/// A worker that processes some of the visible messages.
#[derive(Debug)]
pub struct Sweep {
    pub messages: u64,
    /// The number of pages that the worker has time for.
    pub time: u64,
    /// True if the queue delivers the messages again although they were processed.
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
                    context.store.sweep(message.task, context.wall_clock, true_for(self.time)).await?;
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
        check_invisible(&turn)
    }

    fn expectation(&self, _: &ExpectedAccount, _: &Flight) -> Expectation {
        Expectation::one(DONE)
    }
}

/// Checks that a write of a job changes nothing visible.
fn check_invisible(turn: &Turn<'_>) -> Result<(), String> {
    checks::compare(&turn.book.state, &turn.book.names, &turn.book.id, turn.items)
}
