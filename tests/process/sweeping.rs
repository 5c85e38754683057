//! The `sweep-period` function: batches of messages from the sweep queue.

use domain::limits::DEADLINE_MARGIN;
use serde_json::json;

use super::events::{batch, failed, failures};
use super::function::{Function, at_level};
use super::setting::{Fixture, in_an_ended_period, now};

#[tokio::test]
async fn sweep_stores_left_contacts_and_ignores_repeated_messages() {
    let fixture = Fixture::begun(in_an_ended_period()).await;
    let messages = fixture.left(20).await;
    let mut sweep = Function::start("sweep-period", &fixture.table).await;

    for five in messages.chunks(5) {
        assert_eq!(sweep.invoke(batch(five)).await.done(), json!({"batchItemFailures": []}));
    }
    assert_eq!(states(&fixture).await, ["non_marketing"; 20], "the stored state equals the effective state");
    let sweeps =
        fixture.table.store.unswept(fixture.account, domain::period::PeriodNumber::FIRST).await.unwrap();
    assert_eq!(sweeps, []);
    let swept = testkit::scan(&fixture.table.client, fixture.account).await;

    // Some messages are repeated, one of them within the same batch.
    let again = [&messages[0], &messages[7], &messages[0], &messages[15]];
    assert_eq!(sweep.invoke(batch(&again)).await.done(), json!({"batchItemFailures": []}));
    assert_eq!(testkit::scan(&fixture.table.client, fixture.account).await, swept);

    let lines = sweep.end().await;
    let settled: u64 = lines.iter().filter_map(|line| line["contacts"].as_u64()).sum();
    assert_eq!(settled, 20, "each contact once");
    assert_eq!(at_level(&lines, "ERROR").len(), 0);
    fixture.assert_exact().await;
}

#[tokio::test]
async fn only_failed_messages_are_retried() {
    let fixture = Fixture::begun(in_an_ended_period()).await;
    let messages = fixture.left(40).await;
    let mut sweep = Function::start("sweep-period", &fixture.table).await;

    let malformed = ["", "lovelace@example.org", "{\"account\":\"lovelace@example.org\"}", "{}"];
    let unknown = messages[2].replace('{', "{\"tmk_secret\":1,");
    let bodies =
        [&messages[0], malformed[0], malformed[1], &messages[1], malformed[2], malformed[3], &unknown];
    let response = sweep.invoke(batch(&bodies)).await.done();
    assert_eq!(failures(&response), failed(&[1, 2, 4, 5, 6]));

    // One bucket cannot be read.
    let partition = partition_of(&messages[3]);
    sweep.gate.fail(move |operation, call| operation == "Query" && call.to_string().contains(&partition));
    let response = sweep.invoke(batch(&messages[2..5])).await.done();
    assert_eq!(failures(&response), failed(&[1]));
    sweep.gate.open();

    // The remaining time is only enough for an orderly end.
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    let response = sweep.invoke_within(batch(&messages[5..8]), margin).await.done();
    assert_eq!(failures(&response), failed(&[0, 1, 2]));

    let mut rest: Vec<&String> = messages[5..].iter().collect();
    rest.push(&messages[3]);
    assert_eq!(sweep.invoke(batch(&rest)).await.done(), json!({"batchItemFailures": []}));
    assert_eq!(states(&fixture).await, ["non_marketing"; 40]);

    let lines = sweep.end().await;
    let errors = at_level(&lines, "ERROR");
    assert_eq!(errors.len(), 6, "one for each message that failed: {errors:?}");
    let chain = errors[5]["error"].as_str().expect("a chain");
    assert!(chain.starts_with("the table is not available: a query of leaving contacts failed: "), "{chain}");
    fixture.assert_exact().await;
}

/// Returns the partition of the `leaving` index that a message refers to.
fn partition_of(message: &str) -> String {
    let message: serde_json::Value = serde_json::from_str(message).expect("a message");
    let text = |name: &str| message[name].as_str().expect("a text").to_owned();
    format!("\"LEAVING#{}#{}#{}\"", text("account"), text("period"), text("bucket"))
}

/// Returns the stored states of the contacts.
async fn states(fixture: &Fixture) -> Vec<String> {
    let scan = fixture.table.client.scan().table_name(testkit::TABLE);
    let scan = scan.filter_expression("begins_with(pk, :contacts)");
    let contacts = aws_sdk_dynamodb::types::AttributeValue::S("CONTACT#".to_owned());
    let found = scan.expression_attribute_values(":contacts", contacts).send().await.expect("a scan");
    let state = |item: &std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>| {
        item["state"].as_s().expect("a state").clone()
    };
    let states = found.items().iter().map(state).collect();
    assert!(found.last_evaluated_key.is_none(), "one page");
    fixture.table.store.usage(fixture.account, now()).await.expect("the usage");
    states
}
