//! A table that can't be had for a while: what callers are told, what is logged, and that processes go on afterwards.

use serde_json::{Map, Value, json};

use super::events::{HttpAnswer, HttpEvent, authorization, batch, failed, failures, http, tick};
use super::function::{Answer, Function, at_level};
use super::queue::Queues;
use super::setting::{ADMIN_TOKEN, Fixture, in_an_ended_period, now};

/// Sends a request before, while and after the table can't be reached.
async fn outage(name: &'static str, setting: &Fixture, request: HttpEvent) {
    let mut function = Function::start(name, &setting.table).await;
    let answer = HttpAnswer::of(&function.invoke(request.clone().event()).await.done());
    assert_eq!(answer.status, 200, "{}", answer.body);

    function.gate.shut();
    let refused = HttpAnswer::of(&function.invoke(request.clone().id("outage-1").event()).await.done());
    assert_eq!(refused.problem(503, "unavailable")["instance"], "outage-1");
    assert_eq!(refused.headers["retry-after"], "1");

    function.gate.open();
    let answer = HttpAnswer::of(&function.invoke(request.event()).await.done());
    assert_eq!(answer.status, 200, "{}", answer.body);

    let lines = function.end().await;
    one_error(&lines, "outage-1");
    assert_eq!(lines.iter().filter(|line| line["message"] == "request answered").count(), 3);
}

/// The one line that tells of a fault, with its chain.
fn one_error(lines: &[Value], request_id: &str) {
    let errors = at_level(lines, "ERROR");
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!((&error["message"], &error["request_id"]), (&json!("request failed"), &json!(request_id)));
    let chain = error["error"].as_str().expect("a chain");
    assert!(chain.starts_with("the table is not available: ") && chain.matches(": ").count() >= 3, "{chain}");
}

async fn contacts_of(setting: &Fixture) -> (Map<String, Value>, Value) {
    let id = setting.contact("ada", true, now()).await.to_string();
    (setting.admin().await, json!({"contacts": [{"id": id}]}))
}

#[tokio::test]
async fn set_marketing_outlives_an_outage() {
    let setting = Fixture::start().await;
    let (admin, body) = contacts_of(&setting).await;
    outage("set-marketing", &setting, http("POST", "/v1/contacts/marketing").by(&admin).json(&body)).await;
}

#[tokio::test]
async fn set_non_marketing_pending_outlives_an_outage() {
    let setting = Fixture::start().await;
    let (admin, body) = contacts_of(&setting).await;
    let route = "/v1/contacts/non-marketing-pending";
    outage("set-non-marketing-pending", &setting, http("POST", route).by(&admin).json(&body)).await;
}

#[tokio::test]
async fn contacts_outlives_an_outage() {
    let setting = Fixture::start().await;
    let admin = setting.admin().await;
    outage("contacts", &setting, http("GET", "/v1/contacts").by(&admin)).await;
}

#[tokio::test]
async fn account_outlives_an_outage() {
    let setting = Fixture::start().await;
    let admin = setting.admin().await;
    outage("account", &setting, http("GET", "/v1/usage").by(&admin)).await;
}

#[tokio::test]
async fn form_submission_outlives_an_outage() {
    let setting = Fixture::start().await;
    let admin = setting.admin().await;
    let mut forms = Function::start("forms", &setting.table).await;
    let create = http("POST", "/v1/forms").by(&admin).json(&json!({"name": "Newsletter"}));
    let form = HttpAnswer::of(&forms.invoke(create.event()).await.done()).json(201);
    forms.end().await;
    let path = format!("/v1/forms/{}/submissions", form["id"].as_str().expect("an id"));
    let request = http("POST", &path).json(&json!({"fields": {"email": "ada.lovelace@example.org"}}));
    outage("form-submission", &setting, request).await;
}

#[tokio::test]
async fn forms_outlives_an_outage() {
    let setting = Fixture::start().await;
    let admin = setting.admin().await;
    outage("forms", &setting, http("GET", "/v1/forms").by(&admin)).await;
}

#[tokio::test]
async fn the_authorizer_lets_nobody_in_while_it_does_not_know() {
    let setting = Fixture::start().await;
    let mut authorizer = Function::start("authorizer", &setting.table).await;
    let question = authorization(Some(&format!("Bearer {ADMIN_TOKEN}")));
    authorizer.gate.shut();
    let answer = authorizer.invoke(question.clone()).await;
    assert!(matches!(&answer, Answer::Failed(kind, _) if kind == "Fault"), "{answer:?}");
    authorizer.gate.open();
    assert_eq!(authorizer.invoke(question).await.done()["isAuthorized"], true);
    let lines = authorizer.end().await;
    let errors = at_level(&lines, "ERROR");
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert!(error["error"].as_str().is_some_and(|chain| chain.contains("a read failed: ")), "{error}");
}

#[tokio::test]
async fn a_tick_during_an_outage_fails_and_the_next_one_does_its_work() {
    let setting = Fixture::begun(in_an_ended_period()).await;
    let queue = Queues::start().await;
    let mut rollover = Function::start_rollover(&setting.table, &queue).await;
    rollover.gate.shut();
    let answer = rollover.invoke(tick()).await;
    assert!(matches!(&answer, Answer::Failed(kind, _) if kind == "Fault"), "{answer:?}");
    rollover.gate.open();
    assert_eq!(rollover.invoke(tick()).await.done()["accounts"], 1);
    let lines = rollover.end().await;
    let errors = at_level(&lines, "ERROR");
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    let chain = error["error"].as_str().expect("a chain");
    assert!(chain.starts_with("could not read what is due: ") && chain.matches(": ").count() >= 3, "{chain}");
}

#[tokio::test]
async fn sweeps_during_an_outage_all_come_again() {
    let setting = Fixture::begun(in_an_ended_period()).await;
    let messages = setting.left(3).await;
    let mut sweep = Function::start("sweep-period", &setting.table).await;
    sweep.gate.shut();
    let answer = sweep.invoke(batch(&messages[..2])).await.done();
    assert_eq!(failures(&answer), failed(&[0, 1]));
    sweep.gate.open();
    assert_eq!(sweep.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    let lines = sweep.end().await;
    assert_eq!(at_level(&lines, "ERROR").len(), 2, "one for each message");
}

#[tokio::test]
async fn a_table_that_takes_no_writes_is_given_up_on_while_there_is_time_to_say_so() {
    let setting = Fixture::start().await;
    let (admin, _) = contacts_of(&setting).await;
    let id = setting.contact("bo", false, now()).await.to_string();
    let mut set = Function::start("set-marketing", &setting.table).await;
    set.gate.fail(|operation, _| operation == "TransactWriteItems");
    let request = http("POST", "/v1/contacts/marketing").by(&admin).json(&json!({"contacts": [{"id": id}]}));
    let refused = HttpAnswer::of(&set.invoke(request.clone().id("writes-1").event()).await.done());
    refused.problem(503, "unavailable");
    assert_eq!(refused.headers["retry-after"], "1");
    set.gate.open();
    assert_eq!(HttpAnswer::of(&set.invoke(request.event()).await.done()).json(200)["summary"]["set"], 1);
    one_error(&set.end().await, "writes-1");
    setting.assert_exact().await;
}
