//! The functions `change-feed` and `automation-worker`: batches of the table's changes, and messages of automations.

use domain::limits::DEADLINE_MARGIN;
use serde_json::json;

use super::events::{batch, failed, failures, stream};
use super::function::{Function, Outcome, at_level};
use super::queue::{AUTOMATIONS, Queues};
use super::setting::{Fixture, now};

#[tokio::test]
async fn changes_are_followed_once_more_if_they_are_repeated() {
    let fixture = Fixture::with_stream().await;
    fixture.table.changes().await;
    let queues = Queues::start().await;
    fixture.contact("ada", true, now()).await;
    let changes = fixture.table.changes().await;
    assert!(changes.len() >= 3, "the contact, its address and the period: {changes:?}");
    let mut feed = Function::start_with_queues("change-feed", &fixture.table, &queues).await;
    for _ in 0..2 {
        assert_eq!(feed.invoke(stream(&changes)).await.done(), json!({"batchItemFailures": []}));
    }
    assert_eq!(feed.invoke(stream(&[])).await.done(), json!({"batchItemFailures": []}));
    let lines = feed.end().await;
    let followed: Vec<_> = lines.iter().filter(|line| line["message"] == "followed the changes").collect();
    let counts = followed.iter().map(|line| (line["records"].as_u64(), line["failed"].as_u64()));
    let count = Some(changes.len() as u64);
    assert_eq!(counts.collect::<Vec<_>>(), [(count, Some(0)), (count, Some(0)), (Some(0), Some(0))]);
    assert_eq!(at_level(&lines, "ERROR").len(), 0);
    fixture.assert_exact().await;
}

#[tokio::test]
async fn malformed_change_fails_without_echoing_its_images() {
    let fixture = Fixture::with_stream().await;
    fixture.contact("ada", true, now()).await;
    let mut changes = fixture.table.changes().await;
    changes[0]["dynamodb"]["NewImage"]["email"] = json!({"lovelace@example.org": true});
    let queues = Queues::start().await;
    let mut feed = Function::start_with_queues("change-feed", &fixture.table, &queues).await;
    let refused = feed.invoke(stream(&changes)).await;
    assert!(
        matches!(&refused, Outcome::Failed(_, message) if !message.contains("lovelace")),
        "Lambda halves the batch and tries again: {refused:?}"
    );
    assert_eq!(feed.invoke(stream(&changes[1..])).await.done(), json!({"batchItemFailures": []}));
    assert_eq!(at_level(&feed.end().await, "ERROR").len(), 1);
}

#[tokio::test]
async fn automation_without_waiting_contacts_is_done() {
    let fixture = Fixture::start().await;
    let queues = Queues::start().await;
    let message = fixture.automation(now()).await;
    let mut worker = Function::start_with_queues("automation-worker", &fixture.table, &queues).await;
    let done = json!({"batchItemFailures": []});

    let unknown = message.replace('{', "{\"tmk_secret\":1,");
    let bodies = ["", "lovelace@example.org", &unknown, "{}", &message];
    assert_eq!(failures(&worker.invoke(batch(&bodies)).await.done()), failed(&[0, 1, 2, 3]));

    // The remaining time is only enough for the message that continues.
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    assert_eq!(worker.invoke_within(batch(&[&message]), margin).await.done(), done);
    assert_eq!(queues.take(AUTOMATIONS), [message.as_str()]);

    // The queue does not accept that message. So the first one must come again.
    queues.set_full(true);
    assert_eq!(failures(&worker.invoke_within(batch(&[&message]), margin).await.done()), failed(&[0]));
    queues.set_full(false);
    assert_eq!(worker.invoke(batch(&[&message])).await.done(), done);
    assert_eq!(queues.take(AUTOMATIONS), [""; 0]);
    let lines = worker.end().await;
    let errors = at_level(&lines, "ERROR");
    assert_eq!(errors.len(), 5, "{errors:?}");
    let chain = errors[4]["error"].as_str().expect("a chain");
    assert!(chain.starts_with("could not send the message that continues: "), "{chain}");
}
