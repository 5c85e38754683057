//! The function `intake-worker`: batches of the inbox's queue.

use std::collections::BTreeSet;

use domain::limits::DEADLINE_MARGIN;
use domain::provider::Provider;
use serde_json::json;
use store::NewForm;

use super::events::{batch, failed, failures};
use super::function::{Function, at_level};
use super::setting::{Fixture, now};

/// More people than two transactions take.
fn people() -> Vec<String> {
    (0..70).map(|number| format!("p{number}")).collect()
}

#[tokio::test]
async fn a_flood_is_settled_many_at_a_time_and_a_message_that_comes_twice_does_no_harm() {
    let setting = Fixture::start().await;
    let form = setting.form(&NewForm::new(Provider::Native, "Newsletter"), now()).await;
    let people = people();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let mut messages = setting.waiting(&form, &people, now()).await;
    assert_eq!(testkit::scan(&setting.table.client, setting.account).await.contacts, 0);
    // The queue keeps no order, and brings some of them twice.
    messages.reverse();
    messages.extend_from_within(10..20);
    let mut worker = Function::start("intake-worker", &setting.table).await;
    assert_eq!(worker.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    let settled = testkit::scan(&setting.table.client, setting.account).await;
    assert_eq!((settled.contacts, settled.billable), (70, 70));
    assert_eq!(worker.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    assert_eq!(testkit::scan(&setting.table.client, setting.account).await, settled);

    let lines = worker.end().await;
    let told: Vec<_> = lines.iter().filter(|line| line["message"] == "worked through the inbox").collect();
    let counts = told.iter().map(|line| (line["settled"].as_u64(), line["already"].as_u64()));
    assert_eq!(counts.collect::<Vec<_>>(), [(Some(70), Some(0)), (Some(0), Some(70))]);
    assert_eq!(at_level(&lines, "ERROR").len(), 0);
    setting.assert_exact().await;
}

#[tokio::test]
async fn exactly_the_messages_that_are_not_done_come_again() {
    let setting = Fixture::start().await;
    let form = setting.form(&NewForm::new(Provider::Native, "Newsletter"), now()).await;
    let messages = setting.waiting(&form, &["ada", "bo", "cy"], now()).await;
    let mut worker = Function::start("intake-worker", &setting.table).await;

    let unknown = messages[2].replace('{', "{\"tmk_secret\":1,");
    let bodies = ["", &messages[0], "lovelace@example.org", &unknown, "{}"];
    let answer = worker.invoke(batch(&bodies)).await.done();
    assert_eq!(failures(&answer), failed(&[0, 2, 3, 4]));

    worker.gate.fail(|operation, _| operation == "TransactWriteItems");
    let answer = worker.invoke(batch(&messages)).await.done();
    assert_eq!(failures(&answer), failed(&[0, 1, 2]), "and one was done before, which does no harm");
    worker.gate.open();

    // No time at all but for an end in good order.
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    let answer = worker.invoke_within(batch(&messages), margin).await.done();
    assert_eq!(failures(&answer), failed(&[0, 1, 2]));

    assert_eq!(worker.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    assert_eq!(testkit::scan(&setting.table.client, setting.account).await.billable, 3);
    let lines = worker.end().await;
    let errors = at_level(&lines, "ERROR");
    let told: BTreeSet<&str> = errors.iter().filter_map(|line| line["message"].as_str()).collect();
    assert_eq!(told, ["a message names no task", "submissions in the inbox could not be settled"].into());
    assert_eq!(errors.len(), 5, "{errors:?}");
    setting.assert_exact().await;
}
