//! Events in which something is not as AWS documents it: each function goes on, and its log keeps to the rules.

use std::cell::RefCell;

use domain::provider::Provider;
use domain::secrets::Secrets;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use store::NewForm;
use tokio::runtime::Runtime;

use super::events::{authorization, batch, http, tick};
use super::function::{Function, Outcome};
use super::queue::Queues;
use super::setting::{Fixture, in_an_ended_period, now};
use crate::http::fuzz::{any_json, places};

/// How many events each function is sent.
const CASES: u32 = 50;

/// One event in so many is nothing like what the function expects.
const NOTHING_LIKE_IT: usize = 20;

/// The event with `value` in one of its places.
fn garbled(good: &Value, place: Index, value: Value) -> Value {
    // The id of the request is the gateway's own, and stands in the log.
    let places: Vec<String> =
        places(good).into_iter().filter(|place| place != "/requestContext/requestId").collect();
    if place.index(NOTHING_LIKE_IT) == 0 {
        return value;
    }
    let mut event = good.clone();
    let place: &String = place.get(&places);
    *event.pointer_mut(place).unwrap() = value;
    event
}

/// Sends a function garbled events, each of which must be answered as `may_be` says or be a fault, and then the good
/// one, which it must still answer as `expected` says.
fn survives(
    runtime: &Runtime,
    function: Function,
    good: &Value,
    may_be: impl Fn(&Value) -> bool,
    expected: impl Fn(&Value) -> bool,
) {
    let function = RefCell::new(function);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&(any::<Index>(), any_json()), |(place, value)| {
        let event = garbled(good, place, value);
        match runtime.block_on(function.borrow_mut().invoke(event)) {
            Outcome::Done(answer) if !may_be(&answer) => Err(TestCaseError::fail(answer.to_string())),
            Outcome::Done(_) | Outcome::Failed(..) => Ok(()),
        }
    });
    let mut function = function.into_inner();
    runtime.block_on(async {
        result.unwrap();
        let answer = function.invoke(good.clone()).await.done();
        assert!(expected(&answer), "{answer}");
        function.end().await;
    });
}

fn setting(runtime: &Runtime) -> Fixture {
    runtime.block_on(Fixture::begun(in_an_ended_period()))
}

#[test]
fn requests() {
    let runtime = Runtime::new().unwrap();
    let setting = setting(&runtime);
    let (function, event) = runtime.block_on(async {
        let body = json!({"contacts": [{"email": "ada@example.org"}]});
        let event = http("POST", "/v1/contacts/marketing").by(&setting.admin().await).json(&body).event();
        (Function::start("set-marketing", &setting.table).await, event)
    });
    let is_no_fault = |answer: &Value| answer["statusCode"].as_u64().is_some_and(|status| status < 500);
    survives(&runtime, function, &event, is_no_fault, |answer| answer["statusCode"] == 200);
}

#[test]
fn questions_to_the_authorizer() {
    let runtime = Runtime::new().unwrap();
    let setting = setting(&runtime);
    let function = runtime.block_on(Function::start("authorizer", &setting.table));
    let refused = |answer: &Value| answer["isAuthorized"] == false;
    survives(&runtime, function, &authorization(Some("Bearer tmk_nobodys")), refused, refused);
}

#[test]
fn ticks() {
    let runtime = Runtime::new().unwrap();
    let setting = setting(&runtime);
    let (queue, function) = runtime.block_on(async {
        let queue = Queues::start().await;
        let function = Function::start_rollover(&setting.table, &queue).await;
        (queue, function)
    });
    survives(&runtime, function, &tick(), |_| true, |_| true);
    drop(queue);
}

#[test]
fn batches() {
    let runtime = Runtime::new().unwrap();
    let setting = setting(&runtime);
    let messages = runtime.block_on(setting.left(5));
    let function = runtime.block_on(Function::start("sweep-period", &setting.table));
    let names_failures = |answer: &Value| answer["batchItemFailures"].is_array();
    let all_done = |answer: &Value| answer["batchItemFailures"] == json!([]);
    survives(&runtime, function, &batch(&messages), names_failures, all_done);
}

#[test]
fn batches_of_the_inbox() {
    let runtime = Runtime::new().unwrap();
    let setting = setting(&runtime);
    let messages = runtime.block_on(async {
        let form = setting.form(&NewForm::new(Provider::Native, "Newsletter"), now()).await;
        setting.waiting(&form, &["ada", "bo", "cy"], now()).await
    });
    let function = runtime.block_on(Function::start("intake-worker", &setting.table));
    let names_failures = |answer: &Value| answer["batchItemFailures"].is_array();
    let all_done = |answer: &Value| answer["batchItemFailures"] == json!([]);
    survives(&runtime, function, &batch(&messages), names_failures, all_done);
}

#[test]
fn hooks() {
    let runtime = Runtime::new().unwrap();
    let setting = setting(&runtime);
    let (function, event) = runtime.block_on(async {
        let secret = "tmk_the-secret-of-a-form";
        let secrets = Secrets::new(Provider::Generic, vec![secret.to_owned()]).unwrap();
        let form =
            setting.form(&NewForm { secrets, ..NewForm::new(Provider::Generic, "Sample") }, now()).await;
        let event = http("POST", &format!("/v1/hooks/{}", form.id)).header("x-tidemark-secret", secret);
        let event = event.json(&json!({"email": "ada@example.org", "topics": ["a", "b"]})).event();
        (Function::start("form-submission", &setting.table).await, event)
    });
    let is_no_fault = |answer: &Value| answer["statusCode"].as_u64().is_some_and(|status| status < 500);
    survives(&runtime, function, &event, is_no_fault, |answer| answer["statusCode"] == 200);
}
