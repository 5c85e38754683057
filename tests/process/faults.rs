//! Outages of the table: the responses to callers, the log lines, and the recovery of the processes.

use serde_json::{Map, Value, json};

use super::events::{HttpEvent, HttpResponse, authorization, batch, failed, failures, http, tick};
use super::function::{Function, Outcome, at_level};
use super::queue::Queues;
use super::setting::{ADMIN_TOKEN, Fixture, in_an_ended_period, now};

/// Sends a request before, during and after an outage of the table.
async fn outage(name: &'static str, fixture: &Fixture, request: HttpEvent) {
    let mut function = Function::start(name, &fixture.table).await;
    let response = HttpResponse::of(&function.invoke(request.clone().event()).await.done());
    assert_eq!(response.status, 200, "{}", response.body);

    function.gate.shut();
    let refused = HttpResponse::of(&function.invoke(request.clone().id("outage-1").event()).await.done());
    assert_eq!(refused.problem(503, "unavailable")["instance"], "outage-1");
    assert_eq!(refused.headers["retry-after"], "1");

    function.gate.open();
    let response = HttpResponse::of(&function.invoke(request.event()).await.done());
    assert_eq!(response.status, 200, "{}", response.body);

    let lines = function.end().await;
    assert_one_error(&lines, "outage-1");
    assert_eq!(lines.iter().filter(|line| line["message"] == "request answered").count(), 3);
}

/// Asserts that exactly one line reports a fault, with its chain of causes.
fn assert_one_error(lines: &[Value], request_id: &str) {
    let errors = at_level(lines, "ERROR");
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!((&error["message"], &error["request_id"]), (&json!("request failed"), &json!(request_id)));
    let chain = error["error"].as_str().expect("a chain");
    assert!(chain.starts_with("the table is not available: ") && chain.matches(": ").count() >= 3, "{chain}");
}

async fn request_body(fixture: &Fixture) -> (Map<String, Value>, Value) {
    let id = fixture.contact("ada", true, now()).await.to_string();
    (fixture.admin().await, json!({"contacts": [{"id": id}]}))
}

#[tokio::test]
async fn set_marketing_outlives_an_outage() {
    let fixture = Fixture::start().await;
    let (admin, body) = request_body(&fixture).await;
    outage("set-marketing", &fixture, http("POST", "/v1/contacts/marketing").by(&admin).json(&body)).await;
}

#[tokio::test]
async fn set_non_marketing_pending_outlives_an_outage() {
    let fixture = Fixture::start().await;
    let (admin, body) = request_body(&fixture).await;
    let route = "/v1/contacts/non-marketing-pending";
    outage("set-non-marketing-pending", &fixture, http("POST", route).by(&admin).json(&body)).await;
}

#[tokio::test]
async fn contacts_outlives_an_outage() {
    let fixture = Fixture::start().await;
    let admin = fixture.admin().await;
    outage("contacts", &fixture, http("GET", "/v1/contacts").by(&admin)).await;
}

#[tokio::test]
async fn account_outlives_an_outage() {
    let fixture = Fixture::start().await;
    let admin = fixture.admin().await;
    outage("account", &fixture, http("GET", "/v1/usage").by(&admin)).await;
}

#[tokio::test]
async fn form_submission_outlives_an_outage() {
    let fixture = Fixture::start().await;
    let admin = fixture.admin().await;
    let mut forms = Function::start("forms", &fixture.table).await;
    let create = http("POST", "/v1/forms").by(&admin).json(&json!({"name": "Newsletter"}));
    let form = HttpResponse::of(&forms.invoke(create.event()).await.done()).json(201);
    forms.end().await;
    let path = format!("/v1/forms/{}/submissions", form["id"].as_str().expect("an id"));
    let request = http("POST", &path).json(&json!({"fields": {"email": "ada.lovelace@example.org"}}));
    outage("form-submission", &fixture, request).await;
}

#[tokio::test]
async fn forms_outlives_an_outage() {
    let fixture = Fixture::start().await;
    let admin = fixture.admin().await;
    outage("forms", &fixture, http("GET", "/v1/forms").by(&admin)).await;
}

#[tokio::test]
async fn authorizer_fails_during_an_outage_and_recovers() {
    let fixture = Fixture::start().await;
    let mut authorizer = Function::start("authorizer", &fixture.table).await;
    let event = authorization(Some(&format!("Bearer {ADMIN_TOKEN}")));
    authorizer.gate.shut();
    let response = authorizer.invoke(event.clone()).await;
    assert!(matches!(&response, Outcome::Failed(kind, _) if kind == "Fault"), "{response:?}");
    authorizer.gate.open();
    assert_eq!(authorizer.invoke(event).await.done()["isAuthorized"], true);
    let lines = authorizer.end().await;
    let errors = at_level(&lines, "ERROR");
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert!(error["error"].as_str().is_some_and(|chain| chain.contains("a read failed: ")), "{error}");
}

#[tokio::test]
async fn tick_fails_during_an_outage_and_the_next_one_succeeds() {
    let fixture = Fixture::begun(in_an_ended_period()).await;
    let queue = Queues::start().await;
    let mut rollover = Function::start_rollover(&fixture.table, &queue).await;
    rollover.gate.shut();
    let response = rollover.invoke(tick()).await;
    assert!(matches!(&response, Outcome::Failed(kind, _) if kind == "Fault"), "{response:?}");
    rollover.gate.open();
    assert_eq!(rollover.invoke(tick()).await.done()["accounts"], 1);
    let lines = rollover.end().await;
    let errors = at_level(&lines, "ERROR");
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    let chain = error["error"].as_str().expect("a chain");
    assert!(chain.starts_with("could not read what is due: ") && chain.matches(": ").count() >= 3, "{chain}");
}

#[tokio::test]
async fn all_sweep_messages_of_an_outage_are_retried() {
    let fixture = Fixture::begun(in_an_ended_period()).await;
    let messages = fixture.left(3).await;
    let mut sweep = Function::start("sweep-period", &fixture.table).await;
    sweep.gate.shut();
    let response = sweep.invoke(batch(&messages[..2])).await.done();
    assert_eq!(failures(&response), failed(&[0, 1]));
    sweep.gate.open();
    assert_eq!(sweep.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    let lines = sweep.end().await;
    assert_eq!(at_level(&lines, "ERROR").len(), 2, "one error for each message");
}

#[tokio::test]
async fn failing_writes_return_503_before_the_time_limit() {
    let fixture = Fixture::start().await;
    let (admin, _) = request_body(&fixture).await;
    let id = fixture.contact("bo", false, now()).await.to_string();
    let mut set = Function::start("set-marketing", &fixture.table).await;
    set.gate.fail(|operation, _| operation == "TransactWriteItems");
    let request = http("POST", "/v1/contacts/marketing").by(&admin).json(&json!({"contacts": [{"id": id}]}));
    let refused = HttpResponse::of(&set.invoke(request.clone().id("writes-1").event()).await.done());
    refused.problem(503, "unavailable");
    assert_eq!(refused.headers["retry-after"], "1");
    set.gate.open();
    assert_eq!(HttpResponse::of(&set.invoke(request.event()).await.done()).json(200)["summary"]["set"], 1);
    assert_one_error(&set.end().await, "writes-1");
    fixture.assert_exact().await;
}
