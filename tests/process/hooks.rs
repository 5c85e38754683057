//! The `form-submission` function: hooks as API Gateway passes them, and deferred submissions, which the
//! `intake-worker` function applies.

use chrono::TimeDelta;
use domain::provider::Provider;
use domain::secrets::Secrets;
use serde_json::{Value, json};
use store::{Form, NewForm};

use super::events::{HttpEvent, HttpResponse, batch, http};
use super::function::{Function, at_level};
use super::queue::{INTAKE, Queues};
use super::setting::{Fixture, now};
use crate::http::senders::{SENDERS, Sender, sender};

async fn form(fixture: &Fixture, sender: Sender) -> Form {
    let provider: Provider = sender.provider.parse().expect("a provider");
    let secrets = Secrets::new(provider, vec![sender.secret(1)]).expect("secrets");
    let map = sender.map().into_iter().map(|(field, target)| (field, target.parse().expect("a target")));
    fixture
        .form(&NewForm { secrets, field_map: map.collect(), ..NewForm::new(provider, "Sample") }, now())
        .await
}

/// Returns a hook's event as API Gateway passes it: JSON as text, every other media type in base64.
fn hook(form: &Form, sender: Sender, body: &[u8], signature: &[(&'static str, String)]) -> Value {
    let event = http("POST", &format!("/v1/hooks/{}", form.id));
    let event = match sender.content_type {
        "application/json" => event.text(sender.content_type, std::str::from_utf8(body).expect("text")),
        other => event.base64(other, body),
    };
    let with = |event: HttpEvent, (name, value): &(&'static str, String)| event.header(name, value);
    signature.iter().fold(event, with).header("webhook-id", "msg_2pXq").event()
}

/// Returns a sample as of yesterday. The samples are of one day, and a submission of more than seven days ago is rejected.
fn recent(sample: &[u8]) -> Vec<u8> {
    let yesterday = now().plus(-TimeDelta::days(1));
    let (date, seconds) = (yesterday.to_string(), yesterday.seconds().to_string());
    let text = std::str::from_utf8(sample).expect("text");
    text.replace("2026-11-21", &date[..10]).replace("179537700", &seconds[..9]).into_bytes()
}

#[tokio::test]
async fn sample_of_each_provider_applies_once_and_forgery_fails() {
    let fixture = Fixture::start().await;
    let queues = Queues::start().await;
    let mut function = Function::start_with_queues("form-submission", &fixture.table, &queues).await;
    for sender in SENDERS {
        let form = form(&fixture, sender).await;
        let body = recent(sender.body);
        let signature = sender.signature(&body, 1, now());
        let mut forged = hook(&form, sender, &body, &sender.signature(&body, 2, now()));
        HttpResponse::of(&function.invoke(forged.take()).await.done()).problem(401, "unverified");
        for duplicate in [false, true] {
            let event = hook(&form, sender, &body, &signature);
            let response = HttpResponse::of(&function.invoke(event).await.done()).json(200);
            let expected = json!({"contact": "created", "marketing": "set", "duplicate": duplicate});
            assert_eq!(response, expected, "{}", sender.provider);
        }
    }
    let lines = function.end().await;
    assert_eq!(at_level(&lines, "ERROR").len(), 0);
    let refusals: Vec<_> = lines.iter().filter(|line| line["message"] == "a hook was not believed").collect();
    assert_eq!(refusals.len(), SENDERS.len());
    assert!(refusals.iter().all(|line| line["why"] == "wrong"), "{refusals:?}");
    let scan = testkit::scan(&fixture.table.client, fixture.account).await;
    assert_eq!((scan.contacts, scan.billable), (10, 10));
    fixture.assert_exact().await;
}

#[tokio::test]
async fn hook_to_a_busy_table_is_deferred_and_applied_by_the_worker() {
    let fixture = Fixture::start().await;
    let queues = Queues::start().await;
    let tally = sender("tally");
    let form = form(&fixture, tally).await;
    let mut function = Function::start_with_queues("form-submission", &fixture.table, &queues).await;
    let sample = recent(tally.body);
    let event = || hook(&form, tally, &sample, &tally.signature(&sample, 1, now()));
    function.gate.fail(|operation, _| operation == "TransactWriteItems");
    let response = HttpResponse::of(&function.invoke(event()).await.done()).json(200);
    assert_eq!(response, json!({"contact": "accepted", "marketing": "accepted", "duplicate": false}));
    // A queue that refuses messages does not change the response.
    queues.set_full(true);
    let body = String::from_utf8_lossy(&sample).replace("\"eventId\": \"", "\"eventId\": \"second-");
    let second = hook(&form, tally, body.as_bytes(), &tally.signature(body.as_bytes(), 1, now()));
    let response = HttpResponse::of(&function.invoke(second).await.done()).json(200);
    assert_eq!((&response["contact"], &response["duplicate"]), (&json!("accepted"), &json!(false)));
    function.gate.open();
    let response = HttpResponse::of(&function.invoke(event()).await.done()).json(200);
    assert_eq!((&response["contact"], &response["duplicate"]), (&json!("accepted"), &json!(true)));
    let lines = function.end().await;
    let warned: Vec<_> =
        lines.iter().filter(|line| line["message"] == "a submission in the inbox was not queued").collect();
    assert_eq!(warned.len(), 1);

    let messages = queues.take(INTAKE);
    assert_eq!(messages.len(), 1);
    assert_eq!(testkit::scan(&fixture.table.client, fixture.account).await.contacts, 0);
    let mut worker = Function::start("intake-worker", &fixture.table).await;
    assert_eq!(worker.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    worker.end().await;
    let scan = testkit::scan(&fixture.table.client, fixture.account).await;
    assert_eq!((scan.contacts, scan.billable), (1, 1));
    fixture.assert_exact().await;
}
