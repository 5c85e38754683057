//! The change feed of the local stack: passes the records of the table's stream to the function, as Lambda does.
//!
//! A record leaves the stream only when it is done. So a stack that stops at any point continues with the first record
//! that is not done. It may follow some a second time, which has no further effect.

use std::future::Future;
use std::time::Duration;

use api::problem::chain;
use api::{Clock, Queue};
use aws_lambda_events::dynamodb::Event;
use aws_lambda_events::streams::DynamoDbEventResponse;
use serde_json::{Value, json};
use store::{AutomationTask, Store};
use tokio::task::JoinHandle;

use crate::engine::{Stream, StreamError};
use crate::template::FeedSettings;

/// The interval at which the stream is read if no write was noticed, such as the removal of an expired item.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The pause before a record is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The running reader of the stream. Dropping it stops it.
#[derive(Debug)]
pub struct Feed(JoinHandle<()>);

impl Feed {
    /// Starts the reader with the function's own handler.
    #[must_use]
    pub fn start(
        stream: Stream,
        settings: FeedSettings,
        store: Store,
        clock: Clock,
        queue: Queue<AutomationTask>,
    ) -> Self {
        Self::with(stream, settings, move |event| {
            let (store, clock, queue) = (store.clone(), clock.clone(), queue.clone());
            async move { change_feed::handle(&store, &queue, event, clock.now()).await }
        })
    }

    /// Starts the reader with another handler.
    fn with<F>(
        stream: Stream,
        settings: FeedSettings,
        handle: impl Fn(Event) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = DynamoDbEventResponse> + Send + 'static,
    {
        let mut reader = Reader { stream, settings, handle, failing: None };
        Self(tokio::spawn(async move { reader.run().await }))
    }
}

impl Drop for Feed {
    /// Aborts the reader. It may stop at any point.
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A reader of a stream, with the handler of its records.
struct Reader<H> {
    stream: Stream,
    settings: FeedSettings,
    handle: H,
    /// The sequence number of the first record that is not done, and the number of its attempts.
    failing: Option<(String, u32)>,
}

impl<H, F> Reader<H>
where
    H: Fn(Event) -> F + Send + Sync,
    F: Future<Output = DynamoDbEventResponse> + Send,
{
    async fn run(&mut self) {
        loop {
            match self.read_once().await {
                Ok(true) => {}
                Ok(false) => {
                    let _ = tokio::time::timeout(POLL_INTERVAL, self.stream.written()).await;
                }
                Err(StreamError::Stopped) => return,
                Err(error) => {
                    tracing::error!(error = chain(&error), "the stream could not be read");
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
            }
        }
    }

    /// Handles the oldest records and removes those that are done. Returns false if there are none.
    async fn read_once(&mut self) -> Result<bool, StreamError> {
        let records = self.stream.read(self.settings.batch_size).await?;
        let numbers: Vec<String> = records.iter().map(sequence_number).collect();
        let Some(last) = numbers.last() else { return Ok(false) };
        let wanted: Vec<Value> =
            records.into_iter().filter(|record| self.settings.filter.matches(record)).collect();
        let failed = if wanted.is_empty() { Vec::new() } else { self.follow(wanted).await };
        match numbers.iter().position(|number| failed.contains(number)) {
            None if failed.is_empty() => self.stream.remove_through(last).await?,
            // Lambda repeats the whole batch if a response names an unknown record.
            at => self.fail(&numbers, at.unwrap_or_default()).await?,
        }
        Ok(true)
    }

    /// Passes records to the handler and returns the numbers that its response names.
    async fn follow(&self, records: Vec<Value>) -> Vec<String> {
        match serde_json::from_value(json!({ "Records": records })) {
            Ok(event) => {
                let failures = (self.handle)(event).await.batch_item_failures;
                failures.into_iter().map(|failure| failure.item_identifier.unwrap_or_default()).collect()
            }
            Err(error) => {
                tracing::error!(column = error.column(), "the engine's records are no event");
                records.iter().map(sequence_number).collect()
            }
        }
    }

    /// Removes the records before the one that failed, and that one too if it was tried often enough.
    async fn fail(&mut self, numbers: &[String], at: usize) -> Result<(), StreamError> {
        if let Some(done) = at.checked_sub(1).and_then(|before| numbers.get(before)) {
            self.stream.remove_through(done).await?;
        }
        let Some(number) = numbers.get(at) else { return Ok(()) };
        let earlier = self.failing.take().filter(|(failing, _)| failing == number);
        let attempts = earlier.map_or(1, |(_, attempts)| attempts + 1);
        if attempts <= self.settings.retries {
            self.failing = Some((number.clone(), attempts));
            tokio::time::sleep(RETRY_PAUSE).await;
            return Ok(());
        }
        // The deployed stack would name it in the dead letters.
        tracing::error!(sequence_number = number, attempts, "a record was given up");
        self.stream.remove_through(number).await
    }
}

fn sequence_number(record: &Value) -> String {
    record.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Instant;

    use aws_lambda_events::streams::DynamoDbBatchItemFailure;
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::types::AttributeValue;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;
    use crate::engine::Engine;
    use crate::table::create_table;
    use crate::template::feed_settings;

    const TABLE: &str = "contacts";

    async fn engine() -> (Engine, Client) {
        let engine = Engine::in_memory().unwrap();
        let client = engine.client();
        create_table(&client, TABLE).await.unwrap();
        (engine, client)
    }

    async fn put(client: &Client, key: &str, entity: &str) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = client.put_item().table_name(TABLE).item("pk", text(key)).item("sk", text(key));
        put.item("entity", text(entity)).send().await.unwrap();
    }

    /// Starts a reader whose handler fails for the items with these keys. Returns the keys that it received.
    fn start(engine: &Engine, failing: &[&str]) -> (Feed, UnboundedReceiver<String>) {
        let failing: BTreeSet<String> = failing.iter().map(|key| (*key).to_owned()).collect();
        let (sender, received) = unbounded_channel();
        let feed = Feed::with(engine.stream(TABLE), feed_settings().unwrap(), move |event| {
            let mut response = DynamoDbEventResponse::default();
            for record in &change_feed::records(event) {
                let key = record.new.as_ref().unwrap()["pk"].as_s().unwrap().clone();
                if failing.contains(&key) {
                    let mut failure = DynamoDbBatchItemFailure::default();
                    failure.item_identifier = Some(record.sequence_number.clone());
                    response.batch_item_failures.push(failure);
                }
                let _ = sender.send(key);
            }
            std::future::ready(response)
        });
        (feed, received)
    }

    /// Waits until the stream has no record, and fails after some seconds.
    async fn drained(engine: &Engine) {
        let begun = Instant::now();
        while !engine.stream(TABLE).read(1).await.unwrap().is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(20), "records remain");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn all(mut received: UnboundedReceiver<String>) -> Vec<String> {
        std::iter::from_fn(|| received.try_recv().ok()).collect()
    }

    #[tokio::test]
    async fn changes_reach_the_handler_in_order() {
        let (engine, client) = engine().await;
        put(&client, "a", "contact").await;
        let (_feed, received) = start(&engine, &[]);
        for key in ["b", "c"] {
            put(&client, key, "contact").await;
        }
        drained(&engine).await;
        assert_eq!(all(received), ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn items_that_the_template_leaves_out_are_not_handled() {
        let (engine, client) = engine().await;
        for (key, entity) in [("a", "contact"), ("b", "address"), ("c", "token")] {
            put(&client, key, entity).await;
        }
        let (_feed, received) = start(&engine, &[]);
        drained(&engine).await;
        assert_eq!(all(received), ["a"]);
    }

    #[tokio::test]
    async fn failing_record_is_given_up_after_its_retries() {
        let (engine, client) = engine().await;
        for key in ["a", "broken", "b"] {
            put(&client, key, "contact").await;
        }
        let (_feed, received) = start(&engine, &["broken"]);
        drained(&engine).await;
        let received = all(received);
        let times = |key: &str| received.iter().filter(|found| *found == key).count();
        let attempts = usize::try_from(feed_settings().unwrap().retries).unwrap() + 1;
        assert_eq!((times("a"), times("broken")), (1, attempts));
        assert_eq!(times("b"), attempts + 1, "a record after the one that failed is repeated");
    }

    #[tokio::test]
    async fn stopped_reader_continues_where_it_stopped() {
        let (engine, client) = engine().await;
        put(&client, "a", "contact").await;
        let (feed, received) = start(&engine, &[]);
        drained(&engine).await;
        drop(feed);
        assert_eq!(all(received), ["a"]);
        put(&client, "b", "contact").await;
        let (_feed, received) = start(&engine, &[]);
        drained(&engine).await;
        assert_eq!(all(received), ["b"]);
    }

    #[tokio::test]
    async fn write_wakes_the_reader() {
        let (engine, client) = engine().await;
        let (_feed, mut received) = start(&engine, &[]);
        let mut slowest = Duration::ZERO;
        for number in 0..20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let begun = Instant::now();
            put(&client, &number.to_string(), "contact").await;
            received.recv().await.unwrap();
            slowest = begun.elapsed().max(slowest);
        }
        assert!(slowest < POLL_INTERVAL / 2, "{slowest:?}");
    }
}
