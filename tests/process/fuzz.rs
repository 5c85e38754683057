//! Malformed events: each function continues to work, and its log follows the rules for log lines.

use std::cell::RefCell;

use domain::provider::Provider;
use domain::secrets::Secrets;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use store::NewForm;
use testkit::TestFiles;
use tokio::runtime::Runtime;

use super::events::{authorization, batch, http, stream, tick};
use super::function::{Function, Outcome};
use super::imports::terms;
use super::queue::Queues;
use super::setting::{Fixture, in_an_ended_period, now};
use crate::http::fuzz::{any_json, places};

/// The number of events that each function receives.
const CASES: u32 = 50;

/// One in this number of events is replaced as a whole by random JSON.
const REPLACED_ONE_IN: usize = 20;

/// Returns the event with `value` in one of its places.
fn malformed(valid: &Value, place: Index, value: Value) -> Value {
    // The gateway creates the id of the request, and the log contains it.
    let places: Vec<String> =
        places(valid).into_iter().filter(|place| place != "/requestContext/requestId").collect();
    if place.index(REPLACED_ONE_IN) == 0 {
        return value;
    }
    let mut event = valid.clone();
    let place: &String = place.get(&places);
    *event.pointer_mut(place).unwrap() = value;
    event
}

/// Sends malformed events to a function, and then a valid one.
///
/// The response to a malformed event must satisfy `may_be`, or the invocation must fail. The response to the valid
/// event must satisfy `expected`.
fn assert_survives(
    runtime: &Runtime,
    function: Function,
    valid: &Value,
    may_be: impl Fn(&Value) -> bool,
    expected: impl Fn(&Value) -> bool,
) {
    let function = RefCell::new(function);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&(any::<Index>(), any_json()), |(place, value)| {
        let event = malformed(valid, place, value);
        match runtime.block_on(function.borrow_mut().invoke(event)) {
            Outcome::Done(response) if !may_be(&response) => Err(TestCaseError::fail(response.to_string())),
            Outcome::Done(_) | Outcome::Failed(..) => Ok(()),
        }
    });
    let mut function = function.into_inner();
    runtime.block_on(async {
        result.unwrap();
        let response = function.invoke(valid.clone()).await.done();
        assert!(expected(&response), "{response}");
        function.end().await;
    });
}

fn fixture(runtime: &Runtime) -> Fixture {
    runtime.block_on(Fixture::begun(in_an_ended_period()))
}

#[test]
fn set_marketing_survives_malformed_requests() {
    let runtime = Runtime::new().unwrap();
    let fixture = fixture(&runtime);
    let (function, event) = runtime.block_on(async {
        let body = json!({"contacts": [{"email": "ada@example.org"}]});
        let event = http("POST", "/v1/contacts/marketing").by(&fixture.admin().await).json(&body).event();
        (Function::start("set-marketing", &fixture.table).await, event)
    });
    let is_no_fault = |response: &Value| response["statusCode"].as_u64().is_some_and(|status| status < 500);
    assert_survives(&runtime, function, &event, is_no_fault, |response| response["statusCode"] == 200);
}

#[test]
fn authorizer_survives_malformed_events() {
    let runtime = Runtime::new().unwrap();
    let fixture = fixture(&runtime);
    let function = runtime.block_on(Function::start("authorizer", &fixture.table));
    let refused = |response: &Value| response["isAuthorized"] == false;
    assert_survives(&runtime, function, &authorization(Some("Bearer tmk_unknown")), refused, refused);
}

#[test]
fn rollover_survives_malformed_ticks() {
    let runtime = Runtime::new().unwrap();
    let fixture = fixture(&runtime);
    let (queue, function) = runtime.block_on(async {
        let queue = Queues::start().await;
        let function = Function::start_rollover(&fixture.table, &queue).await;
        (queue, function)
    });
    assert_survives(&runtime, function, &tick(), |_| true, |_| true);
    drop(queue);
}

#[test]
fn sweep_survives_malformed_batches() {
    let runtime = Runtime::new().unwrap();
    let fixture = fixture(&runtime);
    let messages = runtime.block_on(fixture.left(5));
    let function = runtime.block_on(Function::start("sweep-period", &fixture.table));
    let names_failures = |response: &Value| response["batchItemFailures"].is_array();
    let all_done = |response: &Value| response["batchItemFailures"] == json!([]);
    assert_survives(&runtime, function, &batch(&messages), names_failures, all_done);
}

#[test]
fn intake_worker_survives_malformed_batches() {
    let runtime = Runtime::new().unwrap();
    let fixture = fixture(&runtime);
    let messages = runtime.block_on(async {
        let form = fixture.form(&NewForm::new(Provider::Native, "Newsletter"), now()).await;
        fixture.waiting(&form, &["ada", "bo", "cy"], now()).await
    });
    let function = runtime.block_on(Function::start("intake-worker", &fixture.table));
    let names_failures = |response: &Value| response["batchItemFailures"].is_array();
    let all_done = |response: &Value| response["batchItemFailures"] == json!([]);
    assert_survives(&runtime, function, &batch(&messages), names_failures, all_done);
}

#[test]
fn bulk_worker_survives_malformed_batches() {
    let runtime = Runtime::new().unwrap();
    let fixture = fixture(&runtime);
    let (queues, message, function) = runtime.block_on(async {
        let queues = Queues::start().await;
        fixture.marketing_contacts(3, in_an_ended_period()).await;
        let message = fixture.bulk_job(3, now()).await;
        let function = Function::start_with_queues("bulk-worker", &fixture.table, &queues).await;
        (queues, message, function)
    });
    let names_failures = |response: &Value| response["batchItemFailures"].is_array();
    let all_done = |response: &Value| response["batchItemFailures"] == json!([]);
    assert_survives(&runtime, function, &batch(&[message]), names_failures, all_done);
    drop(queues);
}

#[test]
fn automation_worker_survives_malformed_batches() {
    let runtime = Runtime::new().unwrap();
    let fixture = fixture(&runtime);
    let (queues, message, function) = runtime.block_on(async {
        let queues = Queues::start().await;
        let message = fixture.automation(now()).await;
        let function = Function::start_with_queues("automation-worker", &fixture.table, &queues).await;
        (queues, message, function)
    });
    let names_failures = |response: &Value| response["batchItemFailures"].is_array();
    let all_done = |response: &Value| response["batchItemFailures"] == json!([]);
    assert_survives(&runtime, function, &batch(&[message]), names_failures, all_done);
    drop(queues);
}

#[test]
fn file_worker_survives_malformed_batches() {
    let runtime = Runtime::new().unwrap();
    let fixture = fixture(&runtime);
    let (queues, files, message, function) = runtime.block_on(async {
        let (queues, files) = (Queues::start().await, TestFiles::start());
        let csv = "email,city\nada.lovelace@example.org,Delft\nbo.lovelace@example.org,Gouda\n";
        let message = fixture.import(&files, terms(), csv, now()).await;
        let function = Function::start_with_files("file-worker", &fixture.table, &queues, &files).await;
        (queues, files, message, function)
    });
    let names_failures = |response: &Value| response["batchItemFailures"].is_array();
    let all_done = |response: &Value| response["batchItemFailures"] == json!([]);
    assert_survives(&runtime, function, &batch(&[message]), names_failures, all_done);
    drop((queues, files));
}

#[test]
fn change_feed_survives_malformed_changes() {
    let runtime = Runtime::new().unwrap();
    let (fixture, queues, changes, function) = runtime.block_on(async {
        let fixture = Fixture::with_stream().await;
        fixture.contact("ada", true, now()).await;
        let (queues, changes) = (Queues::start().await, fixture.table.changes().await);
        let function = Function::start_with_queues("change-feed", &fixture.table, &queues).await;
        (fixture, queues, changes, function)
    });
    let names_failures = |response: &Value| response["batchItemFailures"].is_array();
    let all_done = |response: &Value| response["batchItemFailures"] == json!([]);
    assert_survives(&runtime, function, &stream(&changes), names_failures, all_done);
    drop((fixture, queues));
}

#[test]
fn form_submission_survives_malformed_hooks() {
    let runtime = Runtime::new().unwrap();
    let fixture = fixture(&runtime);
    let (function, event) = runtime.block_on(async {
        let secret = "tmk_the-secret-of-a-form";
        let secrets = Secrets::new(Provider::Generic, vec![secret.to_owned()]).unwrap();
        let form =
            fixture.form(&NewForm { secrets, ..NewForm::new(Provider::Generic, "Sample") }, now()).await;
        let event = http("POST", &format!("/v1/hooks/{}", form.id)).header("x-tidemark-secret", secret);
        let event = event.json(&json!({"email": "ada@example.org", "topics": ["a", "b"]})).event();
        (Function::start("form-submission", &fixture.table).await, event)
    });
    let is_no_fault = |response: &Value| response["statusCode"].as_u64().is_some_and(|status| status < 500);
    assert_survives(&runtime, function, &event, is_no_fault, |response| response["statusCode"] == 200);
}
