//! The function `form-submission`: what providers send, as API Gateway hands it on, and what a flood leaves to the
//! function `intake-worker`.

use domain::provider::Provider;
use domain::secrets::Secrets;
use serde_json::{Value, json};
use store::{Form, NewForm};

use super::events::{HttpEvent, HttpResponse, batch, http};
use super::function::{Function, at_level};
use super::queue::{INTAKE, Queues};
use super::setting::{Fixture, now};
use crate::http::senders::{SENDERS, Sender, sender};

async fn form(setting: &Fixture, sender: Sender) -> Form {
    let provider: Provider = sender.provider.parse().expect("a provider");
    let secrets = Secrets::new(provider, vec![sender.secret(1)]).expect("secrets");
    let map = sender.map().into_iter().map(|(field, target)| (field, target.parse().expect("a target")));
    setting
        .form(&NewForm { secrets, field_map: map.collect(), ..NewForm::new(provider, "Sample") }, now())
        .await
}

/// A hook as API Gateway hands it on: JSON as text, all else in base64.
fn hook(form: &Form, sender: Sender, body: &[u8], signature: &[(&'static str, String)]) -> Value {
    let event = http("POST", &format!("/v1/hooks/{}", form.id));
    let event = match sender.content_type {
        "application/json" => event.text(sender.content_type, std::str::from_utf8(body).expect("text")),
        other => event.base64(other, body),
    };
    let with = |event: HttpEvent, (name, value): &(&'static str, String)| event.header(name, value);
    signature.iter().fold(event, with).header("webhook-id", "msg_2pXq").event()
}

#[tokio::test]
async fn every_providers_sample_is_taken_once_and_its_forgery_is_not() {
    let setting = Fixture::start().await;
    let queues = Queues::start().await;
    let mut function = Function::start_with_queues("form-submission", &setting.table, &queues).await;
    for sender in SENDERS {
        let form = form(&setting, sender).await;
        let signature = sender.signature(sender.body, 1, now());
        let mut forged = hook(&form, sender, sender.body, &sender.signature(sender.body, 2, now()));
        HttpResponse::of(&function.invoke(forged.take()).await.done()).problem(401, "unverified");
        for duplicate in [false, true] {
            let event = hook(&form, sender, sender.body, &signature);
            let answer = HttpResponse::of(&function.invoke(event).await.done()).json(200);
            let expected = json!({"contact": "created", "marketing": "set", "duplicate": duplicate});
            assert_eq!(answer, expected, "{}", sender.provider);
        }
    }
    let lines = function.end().await;
    assert_eq!(at_level(&lines, "ERROR").len(), 0);
    let told: Vec<_> = lines.iter().filter(|line| line["message"] == "a hook was not believed").collect();
    assert_eq!(told.len(), SENDERS.len());
    assert!(told.iter().all(|line| line["why"] == "wrong"), "{told:?}");
    let scan = testkit::scan(&setting.table.client, setting.account).await;
    assert_eq!((scan.contacts, scan.billable), (10, 10));
    setting.assert_exact().await;
}

#[tokio::test]
async fn what_a_busy_table_can_not_take_waits_in_the_inbox_and_is_settled_by_its_worker() {
    let setting = Fixture::start().await;
    let queues = Queues::start().await;
    let tally = sender("tally");
    let form = form(&setting, tally).await;
    let mut function = Function::start_with_queues("form-submission", &setting.table, &queues).await;
    let event = || hook(&form, tally, tally.body, &tally.signature(tally.body, 1, now()));
    function.gate.fail(|operation, _| operation == "TransactWriteItems");
    let answer = HttpResponse::of(&function.invoke(event()).await.done()).json(200);
    assert_eq!(answer, json!({"contact": "accepted", "marketing": "accepted", "duplicate": false}));
    // A queue that takes nothing changes nothing of the answer.
    queues.set_full(true);
    let body = String::from_utf8_lossy(tally.body).replace("\"eventId\": \"", "\"eventId\": \"second-");
    let second = hook(&form, tally, body.as_bytes(), &tally.signature(body.as_bytes(), 1, now()));
    let answer = HttpResponse::of(&function.invoke(second).await.done()).json(200);
    assert_eq!((&answer["contact"], &answer["duplicate"]), (&json!("accepted"), &json!(false)));
    function.gate.open();
    let answer = HttpResponse::of(&function.invoke(event()).await.done()).json(200);
    assert_eq!((&answer["contact"], &answer["duplicate"]), (&json!("accepted"), &json!(true)));
    let lines = function.end().await;
    let warned: Vec<_> =
        lines.iter().filter(|line| line["message"] == "a submission in the inbox was not queued").collect();
    assert_eq!(warned.len(), 1);

    let messages = queues.take(INTAKE);
    assert_eq!(messages.len(), 1);
    assert_eq!(testkit::scan(&setting.table.client, setting.account).await.contacts, 0);
    let mut worker = Function::start("intake-worker", &setting.table).await;
    assert_eq!(worker.invoke(batch(&messages)).await.done(), json!({"batchItemFailures": []}));
    worker.end().await;
    let scan = testkit::scan(&setting.table.client, setting.account).await;
    assert_eq!((scan.contacts, scan.billable), (1, 1));
    setting.assert_exact().await;
}
