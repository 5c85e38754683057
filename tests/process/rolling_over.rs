//! The `monthly-rollover` function: the schedule's ticks.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use domain::decision::Command;
use domain::limits::{
    AUTOMATION_EXPECTED, BULK_EXPECTED, DEADLINE_MARGIN, FILE_JOB_EXPECTED, INBOX_EXPECTED,
};
use domain::provider::Provider;
use serde_json::{Value, json};
use store::NewForm;
use testkit::TestFiles;

use super::events::tick;
use super::function::{Function, Outcome, at_level};
use super::imports::terms;
use super::queue::{AUTOMATIONS, BULK, FILES, INTAKE, Queues};
use super::setting::{Fixture, in_an_ended_period, now, sweep_messages};
use crate::operations::bulk;

#[tokio::test]
async fn tick_closes_ended_periods_and_queues_their_sweeps() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let ids = fixture.marketing_contacts(4, past).await;
    fixture.queue(&ids[..3], past).await;
    let running = fixture.table.account(now()).await;
    let queue = Queues::start().await;
    let mut rollover = Function::start_rollover(&fixture.table, &queue).await;

    let done = rollover.invoke(tick()).await.done();
    assert_eq!(
        done,
        json!({"accounts": 1, "sweeps": 16, "inbox": 0, "bulk": 0, "automations": 0, "files": 0, "finished": true})
    );
    let messages = sweep_messages(&queue);
    let buckets: BTreeSet<&str> = messages.iter().filter_map(|message| message["bucket"].as_str()).collect();
    assert_eq!((messages.len(), buckets.len()), (16, 16), "each bucket once");
    assert!(messages.iter().all(|message| message["account"] == fixture.account.to_string()));
    let scan = testkit::scan(&fixture.table.client, fixture.account).await;
    assert!(scan.period.0 > 1 && scan.period.1 == 1 && scan.period.2 == 0, "{scan:?}");
    assert_eq!(
        testkit::scan(&fixture.table.client, running).await.period.0,
        1,
        "a current period does not change"
    );

    let again = rollover.invoke(tick()).await.done();
    assert_eq!(
        again,
        json!({"accounts": 0, "sweeps": 0, "inbox": 0, "bulk": 0, "automations": 0, "files": 0, "finished": true}),
        "work in progress is not queued twice"
    );
    assert_eq!(sweep_messages(&queue), [Value::Null; 0]);
    let used: Vec<String> =
        queue.used().into_iter().map(|used| format!("{} {}", used.action, used.on)).collect();
    assert_eq!(used, ["sqs:SendMessage SweepQueue"]);
    rollover.end().await;
    fixture.assert_exact().await;
}

#[tokio::test]
async fn tick_near_its_deadline_stops_and_the_next_one_continues() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    for _ in 1..30 {
        fixture.table.account(past).await;
    }
    let queue = Queues::start().await;
    let mut rollover = Function::start_rollover(&fixture.table, &queue).await;
    let margin = DEADLINE_MARGIN.to_std().unwrap();

    // The remaining time is only enough for an orderly end.
    let none = rollover.invoke_within(tick(), margin).await.done();
    assert_eq!(
        none,
        json!({"accounts": 0, "sweeps": 0, "inbox": 0, "bulk": 0, "automations": 0, "files": 0, "finished": false})
    );

    // At two calls for each account, the time is not enough for all accounts.
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
async fn sweeps_refused_by_the_queue_are_sent_at_the_next_tick() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let ids = fixture.marketing_contacts(1, past).await;
    fixture.queue(&ids, past).await;
    let queue = Queues::start().await;
    queue.set_full(true);
    let mut rollover = Function::start_rollover(&fixture.table, &queue).await;

    let failed = rollover.invoke(tick()).await;
    assert!(matches!(&failed, Outcome::Failed(kind, _) if kind == "Fault"), "{failed:?}");
    fixture.assert_exact().await;
    queue.set_full(false);
    assert_eq!(
        rollover.invoke(tick()).await.done(),
        json!({"accounts": 0, "sweeps": 16, "inbox": 0, "bulk": 0, "automations": 0, "files": 0, "finished": true})
    );
    assert_eq!(sweep_messages(&queue).len(), 16);

    let lines = rollover.end().await;
    let errors = at_level(&lines, "ERROR");
    assert_eq!(errors.len(), 2, "the failures and the failed tick: {errors:?}");
    assert_eq!(
        errors[0]["error"],
        "could not send it to its queue: 10 messages were not taken, the first: OverLimit",
        "the complete chain of causes"
    );
}

#[tokio::test]
async fn failing_account_does_not_delay_the_others() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    for minutes in 1..4 {
        fixture.table.account(past.plus(TimeDelta::minutes(minutes))).await;
    }
    let queue = Queues::start().await;
    let mut rollover = Function::start_rollover(&fixture.table, &queue).await;
    let account = fixture.account.to_string();
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
async fn overdue_inbox_entries_are_queued_again() {
    let fixture = Fixture::start().await;
    let form = fixture.form(&NewForm::new(Provider::Native, "Newsletter"), now()).await;
    let long_ago = now().plus(-INBOX_EXPECTED);
    let mut overdue = fixture.waiting(&form, &["ada", "bo", "cy"], long_ago).await;
    fixture.waiting(&form, &["di"], now()).await;
    let queues = Queues::start().await;
    queues.set_full(true);
    let mut rollover = Function::start_rollover(&fixture.table, &queues).await;
    assert!(matches!(rollover.invoke(tick()).await, Outcome::Failed(..)));
    queues.set_full(false);
    let done = rollover.invoke(tick()).await.done();
    assert_eq!(
        done,
        json!({"accounts": 0, "sweeps": 0, "inbox": 3, "bulk": 0, "automations": 0, "files": 0, "finished": true})
    );
    let mut queued = queues.take(INTAKE);
    queued.sort();
    overdue.sort();
    assert_eq!(queued, overdue);
    let again = rollover.invoke(tick()).await.done();
    assert_eq!(again["inbox"], 0, "work in progress is not queued twice");
    assert_eq!(at_level(&rollover.end().await, "ERROR").len(), 4, "the failures and the failed tick");
}

#[tokio::test]
async fn overdue_bulk_jobs_are_queued_again() {
    let fixture = Fixture::begun(now().plus(-BULK_EXPECTED)).await;
    let overdue = fixture.bulk_job(0, now().plus(-BULK_EXPECTED)).await;
    let other = fixture.table.account(now()).await;
    bulk::begin(
        &fixture.table.store,
        &bulk::request(other, Command::SetMarketing, bulk::all(), Some(0)),
        now(),
    )
    .await
    .unwrap();
    let queues = Queues::start().await;
    let mut rollover = Function::start_rollover(&fixture.table, &queues).await;
    let done = rollover.invoke(tick()).await.done();
    assert_eq!(
        done,
        json!({"accounts": 0, "sweeps": 0, "inbox": 0, "bulk": 1, "automations": 0, "files": 0, "finished": true})
    );
    assert_eq!(queues.take(BULK), [overdue]);
    let again = rollover.invoke(tick()).await.done();
    assert_eq!(again["bulk"], 0, "work in progress is not queued twice");
    assert_eq!(at_level(&rollover.end().await, "ERROR").len(), 0);
}

#[tokio::test]
async fn overdue_automations_are_queued_again() {
    let fixture = Fixture::start().await;
    let overdue = fixture.automation(now()).await;
    fixture.automation(now().plus(AUTOMATION_EXPECTED)).await;
    let queues = Queues::start().await;
    let mut rollover = Function::start_rollover(&fixture.table, &queues).await;
    let done = rollover.invoke(tick()).await.done();
    assert_eq!((&done["automations"], &done["finished"]), (&json!(1), &json!(true)));
    assert_eq!(queues.take(AUTOMATIONS), [overdue]);
    let again = rollover.invoke(tick()).await.done();
    assert_eq!(again["automations"], 0, "work in progress is not queued twice");
    assert_eq!(at_level(&rollover.end().await, "ERROR").len(), 0);
}

#[tokio::test]
async fn overdue_imports_and_exports_are_queued_again() {
    let long_ago = now().plus(-FILE_JOB_EXPECTED);
    let (fixture, files) = (Fixture::begun(long_ago).await, TestFiles::start());
    let csv = "email\nada.lovelace@example.org\n";
    let mut overdue =
        vec![fixture.import(&files, terms(), csv, long_ago).await, fixture.export(long_ago).await];
    fixture.import(&files, terms(), csv, now()).await;
    fixture.export(now()).await;
    let queues = Queues::start().await;
    let mut rollover = Function::start_rollover(&fixture.table, &queues).await;
    let done = rollover.invoke(tick()).await.done();
    assert_eq!((&done["files"], &done["finished"]), (&json!(2), &json!(true)));
    let mut queued = queues.take(FILES);
    queued.sort();
    overdue.sort();
    assert_eq!(queued, overdue);
    let again = rollover.invoke(tick()).await.done();
    assert_eq!(again["files"], 0, "work in progress is not queued twice");
    assert_eq!(at_level(&rollover.end().await, "ERROR").len(), 0);
}
