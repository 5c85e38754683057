//! The function `sweep-period`: batches of the queue.

use domain::limits::DEADLINE_MARGIN;
use serde_json::json;

use super::events::{batch, failed, failures};
use super::function::{Function, at_level};
use super::setting::{Fixture, in_an_ended_period, now};

#[tokio::test]
async fn those_who_left_are_settled_and_a_message_that_comes_twice_does_no_harm() {
    let setting = Fixture::begun(in_an_ended_period()).await;
    let messages = setting.left(20).await;
    let mut sweep = Function::start("sweep-period", &setting.table).await;

    for five in messages.chunks(5) {
        assert_eq!(sweep.invoke(batch(five)).await.done(), json!({"batchItemFailures": []}));
    }
    assert_eq!(states(&setting).await, ["non_marketing"; 20], "what is stored is what was shown");
    let sweeps =
        setting.table.store.unswept(setting.account, domain::period::PeriodNumber::FIRST).await.unwrap();
    assert_eq!(sweeps, []);
    let swept = testkit::scan(&setting.table.client, setting.account).await;

    // Some again, and one of them twice in a batch.
    let again = [&messages[0], &messages[7], &messages[0], &messages[15]];
    assert_eq!(sweep.invoke(batch(&again)).await.done(), json!({"batchItemFailures": []}));
    assert_eq!(testkit::scan(&setting.table.client, setting.account).await, swept);

    let lines = sweep.end().await;
    let settled: u64 = lines.iter().filter_map(|line| line["contacts"].as_u64()).sum();
    assert_eq!(settled, 20, "each contact once");
    assert_eq!(at_level(&lines, "ERROR").len(), 0);
    setting.assert_exact().await;
}

#[tokio::test]
async fn exactly_the_messages_that_are_not_done_come_again() {
    let setting = Fixture::begun(in_an_ended_period()).await;
    let messages = setting.left(40).await;
    let mut sweep = Function::start("sweep-period", &setting.table).await;

    let malformed = ["", "lovelace@example.org", "{\"account\":\"lovelace@example.org\"}", "{}"];
    let unknown = messages[2].replace('{', "{\"tmk_secret\":1,");
    let bodies =
        [&messages[0], malformed[0], malformed[1], &messages[1], malformed[2], malformed[3], &unknown];
    let answer = sweep.invoke(batch(&bodies)).await.done();
    assert_eq!(failures(&answer), failed(&[1, 2, 4, 5, 6]));

    // One bucket can't be read.
    let partition = partition_of(&messages[3]);
    sweep.gate.fail(move |operation, call| operation == "Query" && call.to_string().contains(&partition));
    let answer = sweep.invoke(batch(&messages[2..5])).await.done();
    assert_eq!(failures(&answer), failed(&[1]));
    sweep.gate.open();

    // No time at all but for an end in good order.
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    let answer = sweep.invoke_within(batch(&messages[5..8]), margin).await.done();
    assert_eq!(failures(&answer), failed(&[0, 1, 2]));

    let mut rest: Vec<&String> = messages[5..].iter().collect();
    rest.push(&messages[3]);
    assert_eq!(sweep.invoke(batch(&rest)).await.done(), json!({"batchItemFailures": []}));
    assert_eq!(states(&setting).await, ["non_marketing"; 40]);

    let lines = sweep.end().await;
    let errors = at_level(&lines, "ERROR");
    assert_eq!(errors.len(), 6, "one for each message that failed: {errors:?}");
    let chain = errors[5]["error"].as_str().expect("a chain");
    assert!(chain.starts_with("the table is not available: a query of leaving contacts failed: "), "{chain}");
    setting.assert_exact().await;
}

/// The partition of the `leaving` index that a message is about.
fn partition_of(message: &str) -> String {
    let message: serde_json::Value = serde_json::from_str(message).expect("a message");
    let text = |name: &str| message[name].as_str().expect("a text").to_owned();
    format!("\"LEAVING#{}#{}#{}\"", text("account"), text("period"), text("bucket"))
}

/// The states of the contacts as they are stored.
async fn states(setting: &Fixture) -> Vec<String> {
    let scan = setting.table.client.scan().table_name(testkit::TABLE);
    let scan = scan.filter_expression("begins_with(pk, :contacts)");
    let contacts = aws_sdk_dynamodb::types::AttributeValue::S("CONTACT#".to_owned());
    let found = scan.expression_attribute_values(":contacts", contacts).send().await.expect("a scan");
    let state = |item: &std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>| {
        item["state"].as_s().expect("a state").clone()
    };
    let states = found.items().iter().map(state).collect();
    assert!(found.last_evaluated_key.is_none(), "one page");
    setting.table.store.usage(setting.account, now()).await.expect("the usage");
    states
}
