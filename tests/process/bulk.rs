//! The functions `segments`, `bulk-jobs` and `bulk-worker`: a segment and a job over HTTP events, and the job's message.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::limits::{CONTACTS_PER_TRANSACTION_MAX, DEADLINE_MARGIN};
use domain::marketing::EffectiveState;
use serde_json::{Map, Value, json};

use super::events::{HttpEvent, batch, failed, failures, http};
use super::function::{Function, at_level};
use super::queue::{BULK, Queues};
use super::setting::{Fixture, address, now};

/// The number of contacts of a job. More than two transactions are needed to change them.
const CONTACTS: u64 = 250;

/// A path of the admin of an account, with a JSON body.
fn post(admin: &Map<String, Value>, path: &str, body: &Value) -> HttpEvent {
    http("POST", path).by(admin).json(body)
}

/// Creates an account with non-marketing contacts.
async fn with_contacts() -> Fixture {
    let fixture = Fixture::start().await;
    let state = EffectiveState::NonMarketing;
    testkit::seed(&fixture.table, fixture.account, CONTACTS, state, now()).await;
    fixture
}

/// Returns a job as a client sees it.
async fn job(jobs: &mut Function, admin: &Map<String, Value>, path: &str) -> Value {
    jobs.send(http("GET", path).by(admin), 200).await
}

/// Returns the number of items whose partition key begins with this text.
async fn items(fixture: &Fixture, prefix: &str) -> usize {
    let scan = fixture.table.client.scan().table_name(testkit::TABLE);
    let scan = scan.filter_expression("begins_with(pk, :prefix)");
    let scan = scan.expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()));
    let found = scan.send().await.expect("a scan");
    assert!(found.last_evaluated_key.is_none(), "one page");
    found.items().len()
}

#[tokio::test]
async fn confirmed_job_changes_a_segment_once() {
    let fixture = with_contacts().await;
    let (admin, queues) = (fixture.admin().await, Queues::start().await);
    let mut segments = Function::start_with_queues("segments", &fixture.table, &queues).await;
    let filter = json!([{"filters": [{"propertyName": "email", "operator": "HAS_PROPERTY"}]}]);
    let segment = json!({"name": "Reachable", "filterGroups": filter});
    let segment = segments.send(post(&admin, "/v1/segments", &segment), 201).await;
    let segment = segment["id"].as_str().expect("an id").to_owned();

    let mut jobs = Function::start_with_queues("bulk-jobs", &fixture.table, &queues).await;
    let change = json!({"action": "set-marketing", "selection": {"segment_id": segment}});
    let preview = jobs.send(post(&admin, "/v1/bulk/preview", &change), 200).await;
    assert_eq!((&preview["matched"], &preview["usage_after"]), (&json!(CONTACTS), &json!(CONTACTS)));
    let mut confirmed = change;
    confirmed["confirm_count"] = preview["matched"].clone();
    let accepted = jobs.send(post(&admin, "/v1/bulk/jobs", &confirmed), 202).await;
    assert_eq!(accepted["job"]["state"], "waiting");
    let path = format!("/v1/bulk/jobs/{}", accepted["job"]["id"].as_str().expect("an id"));
    let messages = queues.take(BULK);
    assert_eq!(messages, [json!({"account": fixture.account.to_string()}).to_string()]);

    let mut worker = Function::start_with_queues("bulk-worker", &fixture.table, &queues).await;
    // The queue delivers the message twice.
    for _ in 0..2 {
        assert_eq!(worker.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
        let done = job(&mut jobs, &admin, &path).await;
        assert_eq!((&done["state"], &done["summary"]["set"]), (&json!("done"), &json!(CONTACTS)));
        assert_eq!(testkit::scan(&fixture.table.client, fixture.account).await.period.1, CONTACTS);
    }
    assert_eq!(queues.take(BULK), [""; 0], "nothing remains, so no message continues");
    fixture.assert_exact().await;
    let counted = segments.send(http("GET", &format!("/v1/segments/{segment}")).by(&admin), 200).await;
    assert_eq!(counted["last_count"]["contacts"], CONTACTS);

    let lines = worker.end().await;
    let runs: Vec<_> = lines.iter().filter(|line| line["message"] == "worked on bulk jobs").collect();
    let runs = runs.iter().map(|line| (line["changed"].as_u64(), line["jobs"].as_u64()));
    assert_eq!(runs.collect::<Vec<_>>(), [(Some(CONTACTS), Some(1)), (Some(0), Some(0))]);
    for lines in [lines, jobs.end().await, segments.end().await] {
        assert_eq!(at_level(&lines, "ERROR").len(), 0);
    }
}

#[tokio::test]
async fn worker_out_of_time_sends_the_message_that_continues() {
    let fixture = with_contacts().await;
    let queues = Queues::start().await;
    let message = fixture.bulk_job(CONTACTS, now()).await;
    let mut worker = Function::start_with_queues("bulk-worker", &fixture.table, &queues).await;
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    let done = json!({"batchItemFailures": []});

    // The remaining time is only enough for an orderly end.
    assert_eq!(worker.invoke_within(batch(&[&message]), margin).await.done(), done);
    assert_eq!(queues.take(BULK), [message.as_str()]);
    assert_eq!(testkit::scan(&fixture.table.client, fixture.account).await.billable, 0);

    // The job needs at least three transactions, each after a read. So it can't be done in this time.
    let call = Duration::from_millis(200);
    worker.gate.slow_down(call);
    let some_time = margin + 5 * call;
    assert_eq!(worker.invoke_within(batch(&[&message]), some_time).await.done(), done);
    assert_eq!(queues.take(BULK), [message.as_str()]);
    let changed = testkit::scan(&fixture.table.client, fixture.account).await.billable;
    assert!(changed < CONTACTS, "{changed}");
    assert_eq!(changed % CONTACTS_PER_TRANSACTION_MAX as u64, 0, "only full transactions");
    fixture.assert_exact().await;
    worker.gate.slow_down(Duration::ZERO);

    assert_eq!(worker.invoke(batch(&[&message])).await.done(), done);
    assert_eq!(queues.take(BULK), [""; 0]);
    assert_eq!(testkit::scan(&fixture.table.client, fixture.account).await.billable, CONTACTS);
    fixture.assert_exact().await;
    let lines = worker.end().await;
    assert_eq!(at_level(&lines, "ERROR").len(), 0);
    let total: u64 = lines.iter().filter_map(|line| line["changed"].as_u64()).sum();
    assert_eq!(total, CONTACTS, "each contact once");
}

#[tokio::test]
async fn only_failed_messages_of_bulk_jobs_are_retried() {
    let fixture = with_contacts().await;
    let queues = Queues::start().await;
    let message = fixture.bulk_job(CONTACTS, now()).await;
    let mut worker = Function::start_with_queues("bulk-worker", &fixture.table, &queues).await;

    let unknown = message.replace('{', "{\"tmk_secret\":1,");
    for body in ["", "lovelace@example.org", &unknown, "{}"] {
        assert_eq!(failures(&worker.invoke(batch(&[body])).await.done()), failed(&[0]));
    }
    worker.gate.fail(|operation, _| operation == "UpdateItem");
    assert_eq!(failures(&worker.invoke(batch(&[&message])).await.done()), failed(&[0]));
    worker.gate.open();

    // The time is up, and the queue does not accept the message that continues. So the first one must come again.
    queues.set_full(true);
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    assert_eq!(failures(&worker.invoke_within(batch(&[&message]), margin).await.done()), failed(&[0]));
    queues.set_full(false);

    assert_eq!(worker.invoke(batch(&[&message])).await.done(), json!({"batchItemFailures": []}));
    assert_eq!(testkit::scan(&fixture.table.client, fixture.account).await.billable, CONTACTS);
    let lines = worker.end().await;
    let errors = at_level(&lines, "ERROR");
    assert_eq!(errors.len(), 6, "one for each message that failed: {errors:?}");
    let chains: Vec<&str> = errors.iter().filter_map(|line| line["error"].as_str()).collect();
    assert!(chains[0].starts_with("could not work on the jobs: the table is not available: "), "{chains:?}");
    assert!(chains[1].starts_with("could not send the message that continues: "), "{chains:?}");
    fixture.assert_exact().await;
}

#[tokio::test]
async fn deleted_list_loses_its_members() {
    let fixture = Fixture::start().await;
    let (admin, queues) = (fixture.admin().await, Queues::start().await);
    let mut contacts = Vec::new();
    for name in ["ada", "bo", "cy"] {
        fixture.contact(name, false, now()).await;
        contacts.push(json!({"email": address(name)}));
    }
    let mut segments = Function::start_with_queues("segments", &fixture.table, &queues).await;
    let list = json!({"name": "Guests", "contacts": contacts});
    let list = segments.send(post(&admin, "/v1/segments", &list), 201).await;
    assert_eq!(list["members"]["added"], 3);
    assert_eq!((items(&fixture, "MEMBER#").await, items(&fixture, "MEMBERSHIP#").await), (3, 3));
    let path = format!("/v1/segments/{}", list["id"].as_str().expect("an id"));

    // The queue refuses the message. The list is deleted all the same, and the job stays due.
    queues.set_full(true);
    segments.send(http("DELETE", &path).by(&admin), 204).await;
    queues.set_full(false);
    let lines = segments.end().await;
    let warned: Vec<_> = lines.iter().filter(|line| line["message"] == "a task was not queued").collect();
    assert_eq!(warned.len(), 1);

    let message = json!({"account": fixture.account.to_string()}).to_string();
    let mut worker = Function::start_with_queues("bulk-worker", &fixture.table, &queues).await;
    assert_eq!(worker.invoke(batch(&[&message])).await.done(), json!({"batchItemFailures": []}));
    assert_eq!((items(&fixture, "MEMBER#").await, items(&fixture, "MEMBERSHIP#").await), (0, 0));
    assert_eq!(items(&fixture, "CONTACT#").await, 3, "the contacts stay");
    assert_eq!(at_level(&worker.end().await, "ERROR").len(), 0);
}

#[tokio::test]
async fn job_for_a_filter_by_addresses_reads_them() {
    let fixture = with_contacts().await;
    let (admin, queues) = (fixture.admin().await, Queues::start().await);
    let id = fixture.contact("byron", false, now()).await;
    let filter = json!({"propertyName": "email", "operator": "EQ", "value": address("byron")});
    let body = json!({
        "action": "set-marketing", "confirm_count": 1, "selection": {"filterGroups": [{"filters": [filter]}]},
    });
    let mut jobs = Function::start_with_queues("bulk-jobs", &fixture.table, &queues).await;
    let accepted = jobs.send(post(&admin, "/v1/bulk/jobs", &body), 202).await;
    let path = format!("/v1/bulk/jobs/{}", accepted["job"]["id"].as_str().expect("an id"));
    let mut worker = Function::start_with_queues("bulk-worker", &fixture.table, &queues).await;
    worker.invoke(batch(&queues.take(BULK))).await.done();
    let done = job(&mut jobs, &admin, &path).await;
    assert_eq!((&done["state"], &done["summary"]["set"]), (&json!("done"), &json!(1)), "{id}");
    jobs.end().await;
    worker.end().await;
    fixture.assert_exact().await;
}
