//! The metrics that the functions record, as an operator's alarms and dashboard need them.

use std::collections::BTreeMap;

use domain::provider::Provider;
use serde_json::{Value, json};
use store::NewForm;

use super::events::{batch, http, stream, tick};
use super::function::Function;
use super::queue::Queues;
use super::setting::{Fixture, in_an_ended_period, now};

/// The values of each metric, in the order in which they were recorded.
type Metrics = BTreeMap<String, Vec<u64>>;

fn values(metrics: &Metrics, metric: &str) -> Vec<u64> {
    metrics.get(metric).cloned().unwrap_or_default()
}

#[tokio::test]
async fn tick_records_its_run_and_closings_and_the_inbox() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let form = fixture.form(&NewForm::new(Provider::Native, "Newsletter"), past).await;
    fixture.waiting(&form, &["bo", "cy"], now()).await;
    let queue = Queues::start().await;
    let mut rollover = Function::start_rollover(&fixture.table, &queue).await;
    rollover.invoke(tick()).await.done();
    let metrics = rollover.end_with_metrics().await;
    assert_eq!(values(&metrics, "ScheduleRuns"), [1]);
    assert_eq!(values(&metrics, "InboxDepth"), [2]);
    assert_eq!(values(&metrics, "OpenPeriodLateness"), [0]);
    let closed = values(&metrics, "PeriodsClosed");
    assert!(!closed.is_empty() && closed.iter().all(|closed| *closed == 1), "{closed:?}");
    let lateness = values(&metrics, "ClosingLateness");
    assert!(lateness.len() == closed.len() && lateness[0] > 3600, "{lateness:?}");
}

#[tokio::test]
async fn period_that_cannot_be_closed_is_a_growing_lateness() {
    let fixture = Fixture::begun(in_an_ended_period()).await;
    let queue = Queues::start().await;
    let mut rollover = Function::start_rollover(&fixture.table, &queue).await;
    rollover.gate.fail(|operation, _| operation == "TransactWriteItems");
    rollover.invoke(tick()).await;
    let metrics = rollover.end_with_metrics().await;
    assert!(values(&metrics, "OpenPeriodLateness")[0] > 3600);
    assert_eq!(
        values(&metrics, "ScheduleRuns"),
        [1],
        "the schedule runs, and the failure has its own metric"
    );
    assert!(!values(&metrics, "Retries").is_empty());
}

#[tokio::test]
async fn submissions_repeats_and_refusals_are_counted() {
    let fixture = Fixture::start().await;
    let form = fixture.form(&NewForm::new(Provider::Native, "Newsletter"), now()).await;
    let queues = Queues::start().await;
    let mut submissions = Function::start_with_queues("form-submission", &fixture.table, &queues).await;
    let path = format!("/v1/forms/{}/submissions", form.id);
    let body = json!({"fields": {"email": "ada@example.org"}, "submission_id": "delivery-1"});
    for _ in 0..2 {
        submissions.send(http("POST", &path).json(&body), 200).await;
    }
    submissions.send(http("POST", &path).json(&json!({"fields": {"email": "nobody"}})), 400).await;
    let metrics = submissions.end_with_metrics().await;
    assert_eq!(values(&metrics, "Submissions"), [1]);
    assert_eq!(values(&metrics, "RepeatedDeliveries"), [1]);
    assert_eq!(values(&metrics, "Refusals invalid-request"), [1]);
}

#[tokio::test]
async fn sweep_counts_its_contacts() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let leaving = fixture.marketing_contacts(3, past).await;
    fixture.queue(&leaving, past).await;
    let messages = fixture.sweeps().await;
    let mut sweep = Function::start("sweep-period", &fixture.table).await;
    sweep.invoke(batch(&messages)).await.done();
    let metrics = sweep.end_with_metrics().await;
    assert_eq!(values(&metrics, "ContactsSwept").iter().sum::<u64>(), 3);
}

#[tokio::test]
async fn change_of_the_usage_records_its_share_of_the_tier() {
    let fixture = Fixture::with_stream().await;
    fixture.marketing_contacts(3, now()).await;
    let changes = fixture.table.changes().await;
    let mut feed = Function::start("change-feed", &fixture.table).await;
    let answer: Value = feed.invoke(stream(&changes)).await.done();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    let metrics = feed.end_with_metrics().await;
    assert_eq!(values(&metrics, "TierUsed").len(), 1, "one for each account of a batch");
}
