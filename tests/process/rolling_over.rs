//! The function `monthly-rollover`: the schedule's ticks.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use domain::limits::{DEADLINE_MARGIN, INBOX_EXPECTED};
use domain::provider::Provider;
use serde_json::{Value, json};
use store::NewForm;

use super::events::tick;
use super::function::{Function, Outcome, at_level};
use super::queue::{INTAKE, Queues};
use super::setting::{Fixture, in_an_ended_period, now, sweep_messages};

#[tokio::test]
async fn a_tick_closes_what_has_ended_and_asks_for_the_sweeps() {
    let then = in_an_ended_period();
    let setting = Fixture::begun(then).await;
    let ids = setting.marketing_contacts(4, then).await;
    setting.queue(&ids[..3], then).await;
    let running = setting.table.account(now()).await;
    let queue = Queues::start().await;
    let mut rollover = Function::start_rollover(&setting.table, &queue).await;

    let done = rollover.invoke(tick()).await.done();
    assert_eq!(done, json!({"accounts": 1, "sweeps": 16, "inbox": 0, "finished": true}));
    let messages = sweep_messages(&queue);
    let buckets: BTreeSet<&str> = messages.iter().filter_map(|message| message["bucket"].as_str()).collect();
    assert_eq!((messages.len(), buckets.len()), (16, 16), "each bucket once");
    assert!(messages.iter().all(|message| message["account"] == setting.account.to_string()));
    let scan = testkit::scan(&setting.table.client, setting.account).await;
    assert!(scan.period.0 > 1 && scan.period.1 == 1 && scan.period.2 == 0, "{scan:?}");
    assert_eq!(
        testkit::scan(&setting.table.client, running).await.period.0,
        1,
        "a period that runs is left alone"
    );

    let again = rollover.invoke(tick()).await.done();
    assert_eq!(
        again,
        json!({"accounts": 0, "sweeps": 0, "inbox": 0, "finished": true}),
        "what is under way is not asked for twice"
    );
    assert_eq!(sweep_messages(&queue), [Value::Null; 0]);
    let used: Vec<String> =
        queue.used().into_iter().map(|used| format!("{} {}", used.action, used.on)).collect();
    assert_eq!(used, ["sqs:SendMessage SweepQueue"]);
    rollover.end().await;
    setting.assert_exact().await;
}

#[tokio::test]
async fn near_its_deadline_a_tick_stops_and_the_next_one_goes_on() {
    let then = in_an_ended_period();
    let setting = Fixture::begun(then).await;
    for _ in 1..30 {
        setting.table.account(then).await;
    }
    let queue = Queues::start().await;
    let mut rollover = Function::start_rollover(&setting.table, &queue).await;
    let margin = DEADLINE_MARGIN.to_std().unwrap();

    // No time at all but for an end in good order.
    let none = rollover.invoke_within(tick(), margin).await.done();
    assert_eq!(none, json!({"accounts": 0, "sweeps": 0, "inbox": 0, "finished": false}));

    // Two calls for each account take longer than there is time for all.
    rollover.gate.slow_down(Duration::from_millis(50));
    let some = rollover.invoke_within(tick(), margin + Duration::from_secs(1)).await.done();
    assert_eq!(some["finished"], false);
    rollover.gate.slow_down(Duration::ZERO);

    let rest = rollover.invoke(tick()).await.done();
    assert_eq!(rest["finished"], true);
    assert_eq!(number(&some["accounts"]) + number(&rest["accounts"]), 30, "each account was closed once");
    assert_eq!(rollover.invoke(tick()).await.done()["accounts"], 0);
    assert_eq!(at_level(&rollover.end().await, "ERROR").len(), 0);
}

#[tokio::test]
async fn a_queue_that_takes_nothing_is_asked_again_at_the_next_tick() {
    let then = in_an_ended_period();
    let setting = Fixture::begun(then).await;
    let ids = setting.marketing_contacts(1, then).await;
    setting.queue(&ids, then).await;
    let queue = Queues::start().await;
    queue.set_full(true);
    let mut rollover = Function::start_rollover(&setting.table, &queue).await;

    let failed = rollover.invoke(tick()).await;
    assert!(matches!(&failed, Outcome::Failed(kind, _) if kind == "Fault"), "{failed:?}");
    setting.assert_exact().await;
    queue.set_full(false);
    assert_eq!(
        rollover.invoke(tick()).await.done(),
        json!({"accounts": 0, "sweeps": 16, "inbox": 0, "finished": true})
    );
    assert_eq!(sweep_messages(&queue).len(), 16);

    let lines = rollover.end().await;
    let errors = at_level(&lines, "ERROR");
    assert_eq!(errors.len(), 2, "what failed, and that the tick did: {errors:?}");
    assert_eq!(
        errors[0]["error"],
        "could not send it to its queue: 10 messages were not taken, the first: OverLimit",
        "the whole chain"
    );
}

#[tokio::test]
async fn an_account_that_fails_does_not_keep_the_others_waiting() {
    let then = in_an_ended_period();
    let setting = Fixture::begun(then).await;
    for minutes in 1..4 {
        setting.table.account(then.plus(TimeDelta::minutes(minutes))).await;
    }
    let queue = Queues::start().await;
    let mut rollover = Function::start_rollover(&setting.table, &queue).await;
    let account = setting.account.to_string();
    rollover
        .gate
        .fail(move |operation, call| operation == "BatchGetItem" && call.to_string().contains(&account));
    assert!(matches!(rollover.invoke(tick()).await, Outcome::Failed(..)));
    rollover.gate.open();
    assert_eq!(rollover.invoke(tick()).await.done()["accounts"], 1, "the others were done");
    let lines = rollover.end().await;
    let errors = at_level(&lines, "ERROR");
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(
        errors[0]["error"].as_str().is_some_and(|chain| chain.contains("a batched read failed: ")),
        "{errors:?}"
    );
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

#[tokio::test]
async fn what_was_forgotten_in_the_inbox_is_asked_for_again() {
    let setting = Fixture::start().await;
    let form = setting.form(&NewForm::new(Provider::Native, "Newsletter"), now()).await;
    let long_ago = now().plus(-INBOX_EXPECTED);
    let mut forgotten = setting.waiting(&form, &["ada", "bo", "cy"], long_ago).await;
    setting.waiting(&form, &["di"], now()).await;
    let queues = Queues::start().await;
    queues.set_full(true);
    let mut rollover = Function::start_rollover(&setting.table, &queues).await;
    assert!(matches!(rollover.invoke(tick()).await, Outcome::Failed(..)));
    queues.set_full(false);
    let done = rollover.invoke(tick()).await.done();
    assert_eq!(done, json!({"accounts": 0, "sweeps": 0, "inbox": 3, "finished": true}));
    let mut asked = queues.take(INTAKE);
    asked.sort();
    forgotten.sort();
    assert_eq!(asked, forgotten);
    let again = rollover.invoke(tick()).await.done();
    assert_eq!(again["inbox"], 0, "what is under way is not asked for twice");
    assert_eq!(at_level(&rollover.end().await, "ERROR").len(), 4, "what failed, and that the tick did");
}
