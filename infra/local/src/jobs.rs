//! The schedule and the queue of the deployed stack, within this process.

use std::time::Duration;

use api::{Clock, Queue};
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use monthly_rollover::{Queues, roll_over};
use store::{BoxError, Store, SweepTask};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// A queue of this process.
fn queue<T: Send + 'static>(sender: UnboundedSender<T>) -> Queue<T> {
    Queue::new(move |tasks| {
        let sent = tasks.into_iter().try_for_each(|task| sender.send(task));
        std::future::ready(sent.map_err(|_| BoxError::from("the worker has ended")))
    })
}

/// The schedule and the worker at the queue's other end. Dropping it stops both.
#[derive(Debug)]
pub struct Jobs {
    schedule: JoinHandle<()>,
    worker: JoinHandle<()>,
}

impl Jobs {
    /// Starts them; the schedule ticks at once and then at this interval.
    #[must_use]
    pub fn start(store: Store, clock: Clock, interval: Duration) -> Self {
        let (sender, receiver) = unbounded_channel();
        let worker = tokio::spawn(work(store.clone(), clock.clone(), receiver));
        let schedule = tokio::spawn(tick(store, clock, Queues { sweeps: queue(sender) }, interval));
        Self { schedule, worker }
    }
}

impl Drop for Jobs {
    /// Both may be cut anywhere: what they have not done is still due.
    fn drop(&mut self) {
        self.schedule.abort();
        self.worker.abort();
    }
}

async fn tick(store: Store, clock: Clock, queues: Queues, interval: Duration) {
    let mut ticks = tokio::time::interval(interval);
    loop {
        ticks.tick().await;
        if let Err(error) = roll_over(&store, &queues, clock.now(), || true).await {
            tracing::error!(error = api::problem::chain(&error), "the rollover failed");
        }
    }
}

/// Does what the queue brings, through the function's own handler. The deployed queue holds messages back for a
/// minute, until the index has caught up; the engine's index is never behind. A sweep that fails is logged by the
/// handler and is due again later.
async fn work(store: Store, clock: Clock, mut queue: UnboundedReceiver<SweepTask>) {
    while let Some(task) = queue.recv().await {
        let Ok(body) = serde_json::to_string(&task) else { continue };
        let mut message = SqsMessage::default();
        message.body = Some(body);
        let mut event = SqsEvent::default();
        event.records = vec![message];
        sweep_period::handle(&store, event, || clock.now(), || true).await;
    }
}
