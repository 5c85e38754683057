//! The schedule, the queues and the workers of the deployed stack, within this process.

use std::time::Duration;

use api::{Clock, Queue};
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use file_store::Files;
use monthly_rollover::{Queues, roll_over};
use serde::Serialize;
use store::{AutomationTask, BoxError, BulkTask, FileTask, InboxTask, Store, SweepTask};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, JoinSet};

use crate::app;
use crate::template::Batches;

/// The maximum number of accounts whose bulk jobs are worked on at the same time.
const BULK_WORKERS: usize = 4;

/// The maximum number of automations that are worked on at the same time.
const AUTOMATION_WORKERS: usize = 4;

/// The maximum number of imports and exports that are worked on at the same time.
const FILE_WORKERS: usize = 2;

/// The number of accounts that are read at once.
const ACCOUNTS_PAGE: usize = 100;

/// Creates a queue within this process.
fn queue<T: Send + 'static>(sender: UnboundedSender<T>) -> Queue<T> {
    Queue::new(move |tasks| {
        let sent = tasks.into_iter().try_for_each(|task| sender.send(task));
        std::future::ready(sent.map_err(|_| BoxError::from("the queue's worker has ended")))
    })
}

/// The running schedule and workers. Dropping it stops all of them.
#[derive(Debug)]
pub struct Jobs {
    /// The queues to which the functions send tasks.
    pub queues: app::Queues,
    tasks: [JoinHandle<()>; 6],
}

impl Jobs {
    /// Starts the schedule and the workers. The rollover runs at once and then at this interval. The inbox's worker
    /// receives these batches.
    #[must_use]
    pub fn start(store: Store, bucket: Files, clock: Clock, interval: Duration, batches: Batches) -> Self {
        let (sweeps, sweep) = unbounded_channel();
        let (inbox, settle) = unbounded_channel();
        let (bulk, work) = unbounded_channel();
        let (automations, act) = unbounded_channel();
        let (files, transfer) = unbounded_channel();
        let queues = Queues {
            sweeps: queue(sweeps),
            inbox: queue(inbox),
            bulk: queue(bulk),
            automations: queue(automations),
            files: queue(files),
        };
        let sent = app::Queues {
            inbox: queues.inbox.clone(),
            bulk: queues.bulk.clone(),
            automations: queues.automations.clone(),
            files: queues.files.clone(),
        };
        let tasks = [
            tokio::spawn(work_through_bulk_jobs(store.clone(), clock.clone(), work, sent.bulk.clone())),
            tokio::spawn(work_through_automations(
                store.clone(),
                clock.clone(),
                act,
                sent.automations.clone(),
            )),
            tokio::spawn(work_through_files(
                store.clone(),
                bucket,
                clock.clone(),
                transfer,
                sent.files.clone(),
            )),
            tokio::spawn(work_through_sweeps(store.clone(), clock.clone(), sweep)),
            tokio::spawn(work_through_inbox(store.clone(), clock.clone(), settle, batches)),
            tokio::spawn(tick(store, clock, queues, interval)),
        ];
        Self { queues: sent, tasks }
    }
}

impl Drop for Jobs {
    /// Aborts all tasks. Each may stop at any point, because unfinished items are still due.
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Sends every account to the queue of bulk jobs, and every unfinished import and export to theirs. A stack that stops loses
/// its messages, and unfinished work would wait until it is due again.
async fn resume(store: &Store, clock: &Clock, queues: &Queues) -> Result<(), BoxError> {
    let mut after = None;
    loop {
        let page = store.accounts(clock.now(), after, ACCOUNTS_PAGE).await?;
        let accounts: Vec<_> = page.items.iter().map(|account| account.id).collect();
        queues.bulk.send(accounts.iter().map(|account| BulkTask { account: *account }).collect()).await?;
        for account in &accounts {
            queues.files.send(store.unfinished_files(*account).await?).await?;
        }
        after = accounts.last().copied().filter(|_| page.more);
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn tick(store: Store, clock: Clock, queues: Queues, interval: Duration) {
    if let Err(error) = resume(&store, &clock, &queues).await {
        tracing::error!(error = api::problem::chain(&*error), "unfinished work was not resumed");
    }
    let mut ticks = tokio::time::interval(interval);
    loop {
        ticks.tick().await;
        if let Err(error) = roll_over(&store, &queues, clock.now(), || true).await {
            tracing::error!(error = api::problem::chain(&error), "the rollover failed");
        }
    }
}

/// Passes each sweep task to the function's own handler. The deployed queue delays messages for a minute, until the
/// index is up to date. The engine's index is always up to date. The handler logs a failed sweep, which is due again
/// later.
async fn work_through_sweeps(store: Store, clock: Clock, mut queue: UnboundedReceiver<SweepTask>) {
    while let Some(task) = queue.recv().await {
        sweep_period::handle(&store, event(&[task]), || clock.now(), || true).await;
    }
}

/// Passes batches of inbox tasks to the function's own handler. The handler logs errors, and a submission that is not
/// applied is due again later.
async fn work_through_inbox(
    store: Store,
    clock: Clock,
    mut queue: UnboundedReceiver<InboxTask>,
    batches: Batches,
) {
    while let Some(first) = queue.recv().await {
        tokio::time::sleep(batches.window).await;
        let mut tasks = vec![first];
        while let Some(task) = (tasks.len() < batches.size).then(|| queue.try_recv().ok()).flatten() {
            tasks.push(task);
        }
        intake_worker::handle(&store, event(&tasks), clock.now(), || true).await;
    }
}

/// Passes each account to the function's own handler, several at the same time, so that a long job does not delay
/// another account. The handler logs errors, and unfinished jobs are due again later.
async fn work_through_bulk_jobs(
    store: Store,
    clock: Clock,
    mut queue: UnboundedReceiver<BulkTask>,
    sender: Queue<BulkTask>,
) {
    let mut workers = JoinSet::new();
    while let Some(task) = queue.recv().await {
        while workers.len() >= BULK_WORKERS {
            workers.join_next().await;
        }
        let (store, clock, sender) = (store.clone(), clock.clone(), sender.clone());
        workers.spawn(async move {
            bulk_worker::handle(&store, &sender, event(&[task]), || clock.now(), || true).await;
        });
    }
}

/// Passes each automation to the function's own handler, several at the same time. The handler logs errors, and an
/// automation for which contacts wait is due again later.
async fn work_through_automations(
    store: Store,
    clock: Clock,
    mut queue: UnboundedReceiver<AutomationTask>,
    sender: Queue<AutomationTask>,
) {
    let mut workers = JoinSet::new();
    while let Some(task) = queue.recv().await {
        while workers.len() >= AUTOMATION_WORKERS {
            workers.join_next().await;
        }
        let (store, clock, sender) = (store.clone(), clock.clone(), sender.clone());
        workers.spawn(async move {
            automation_worker::handle(&store, &sender, event(&[task]), || clock.now(), || true).await;
        });
    }
}

/// Passes each import and export to the function's own handler, several at the same time. The handler logs errors, and
/// unfinished ones are due again later.
async fn work_through_files(
    store: Store,
    bucket: Files,
    clock: Clock,
    mut queue: UnboundedReceiver<FileTask>,
    sender: Queue<FileTask>,
) {
    let mut workers = JoinSet::new();
    while let Some(task) = queue.recv().await {
        while workers.len() >= FILE_WORKERS {
            workers.join_next().await;
        }
        let (store, bucket, clock) = (store.clone(), bucket.clone(), clock.clone());
        let sender = sender.clone();
        workers.spawn(async move {
            file_worker::handle(&store, &bucket, &sender, event(&[task]), || clock.now(), || true).await;
        });
    }
}

/// Creates the queue's event for these tasks.
fn event<T: Serialize>(tasks: &[T]) -> SqsEvent {
    let message = |task: &T| {
        let mut message = SqsMessage::default();
        message.body = Some(serde_json::to_string(task).ok()?);
        Some(message)
    };
    let mut event = SqsEvent::default();
    event.records = tasks.iter().filter_map(message).collect();
    event
}
