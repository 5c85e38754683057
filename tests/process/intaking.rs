//! The `intake-worker` function: batches of messages from the inbox's queue.

use std::collections::BTreeSet;

use domain::limits::DEADLINE_MARGIN;
use domain::provider::Provider;
use serde_json::json;
use store::NewForm;

use super::events::{batch, failed, failures};
use super::function::{Function, at_level};
use super::setting::{Fixture, now};

/// Returns more contact names than two transactions can contain.
fn names() -> Vec<String> {
    (0..70).map(|number| format!("p{number}")).collect()
}

#[tokio::test]
async fn worker_applies_batches_and_ignores_repeated_messages() {
    let fixture = Fixture::start().await;
    let form = fixture.form(&NewForm::new(Provider::Native, "Newsletter"), now()).await;
    let names = names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut messages = fixture.waiting(&form, &names, now()).await;
    assert_eq!(testkit::scan(&fixture.table.client, fixture.account).await.contacts, 0);
    // The queue does not preserve the order, and it delivers some messages twice.
    messages.reverse();
    messages.extend_from_within(10..20);
    let mut worker = Function::start("intake-worker", &fixture.table).await;
    assert_eq!(worker.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    let settled = testkit::scan(&fixture.table.client, fixture.account).await;
    assert_eq!((settled.contacts, settled.billable), (70, 70));
    assert_eq!(worker.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    assert_eq!(testkit::scan(&fixture.table.client, fixture.account).await, settled);

    let lines = worker.end().await;
    let reports: Vec<_> = lines.iter().filter(|line| line["message"] == "worked through the inbox").collect();
    let counts = reports.iter().map(|line| (line["settled"].as_u64(), line["already"].as_u64()));
    assert_eq!(counts.collect::<Vec<_>>(), [(Some(70), Some(0)), (Some(0), Some(70))]);
    assert_eq!(at_level(&lines, "ERROR").len(), 0);
    fixture.assert_exact().await;
}

#[tokio::test]
async fn only_failed_messages_are_retried() {
    let fixture = Fixture::start().await;
    let form = fixture.form(&NewForm::new(Provider::Native, "Newsletter"), now()).await;
    let messages = fixture.waiting(&form, &["ada", "bo", "cy"], now()).await;
    let mut worker = Function::start("intake-worker", &fixture.table).await;

    let unknown = messages[2].replace('{', "{\"tmk_secret\":1,");
    let bodies = ["", &messages[0], "lovelace@example.org", &unknown, "{}"];
    let response = worker.invoke(batch(&bodies)).await.done();
    assert_eq!(failures(&response), failed(&[0, 2, 3, 4]));

    worker.gate.fail(|operation, _| operation == "TransactWriteItems");
    let response = worker.invoke(batch(&messages)).await.done();
    assert_eq!(
        failures(&response),
        failed(&[0, 1, 2]),
        "the failed ones include a message that was applied before"
    );
    worker.gate.open();

    // The remaining time is only enough for an orderly end.
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    let response = worker.invoke_within(batch(&messages), margin).await.done();
    assert_eq!(failures(&response), failed(&[0, 1, 2]));

    assert_eq!(worker.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    assert_eq!(testkit::scan(&fixture.table.client, fixture.account).await.billable, 3);
    let lines = worker.end().await;
    let errors = at_level(&lines, "ERROR");
    let messages: BTreeSet<&str> = errors.iter().filter_map(|line| line["message"].as_str()).collect();
    assert_eq!(messages, ["a message names no task", "submissions in the inbox could not be settled"].into());
    assert_eq!(errors.len(), 5, "{errors:?}");
    fixture.assert_exact().await;
}
