//! The function `form-submission`: what browsers post, as API Gateway hands it on.

use domain::form::AnswerMode;
use domain::provider::Provider;
use serde_json::{Value, json};
use store::{Form, NewForm};

use super::events::{HttpEvent, HttpResponse, http};
use super::function::Function;
use super::queue::{INTAKE, Queues};
use super::setting::{Fixture, now};
use crate::simulation::say;

const PAGE: &str = "https://www.lovelace.example.org";

async fn form(setting: &Fixture, redirect_url: Option<&str>) -> Form {
    let new = NewForm {
        answer: AnswerMode::Full,
        allowed_origins: vec![PAGE.to_owned()],
        redirect_url: redirect_url.map(str::to_owned),
        ..NewForm::new(Provider::Native, "Newsletter")
    };
    setting.form(&new, now()).await
}

fn submission(form: &Form) -> HttpEvent {
    http("POST", &format!("/v1/forms/{}/submissions", form.id)).header("Origin", PAGE)
}

/// API Gateway takes a form's own encoding for binary data.
fn posted(form: &Form, body: &str) -> Value {
    submission(form).base64("application/x-www-form-urlencoded", body.as_bytes()).event()
}

#[tokio::test]
async fn what_a_browser_posts_becomes_a_marketing_contact_once() {
    let setting = Fixture::start().await;
    let form = form(&setting, None).await;
    let mut function = Function::start("form-submission", &setting.table).await;

    let body = "email=Ada.Lovelace%40example.org&firstname=Ada+King&lastname=L%C3%B6velace&submission_id=s-1";
    let first = HttpResponse::of(&function.invoke(posted(&form, body)).await.done());
    assert_eq!(first.json(200), json!({"contact": "created", "marketing": "set", "duplicate": false}));
    assert_eq!(first.headers["access-control-allow-origin"], PAGE);
    let second = HttpResponse::of(&function.invoke(posted(&form, body)).await.done());
    assert_eq!(second.json(200), json!({"contact": "created", "marketing": "set", "duplicate": true}));

    let text = json!({"fields": {"email": "bo.lovelace@example.org", "lastname": "Lovelace"}});
    let as_json = HttpResponse::of(&function.invoke(submission(&form).json(&text).event()).await.done());
    assert_eq!(as_json.json(200)["contact"], "created");

    let part = |name: &str, value: &str| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts = part("email", "ada.lovelace@example.org") + &part("lastname", "Lovelace") + "--edge--\r\n";
    let multipart = submission(&form).base64("multipart/form-data; boundary=edge", parts.as_bytes());
    let updated = HttpResponse::of(&function.invoke(multipart.event()).await.done());
    assert_eq!(
        updated.json(200),
        json!({"contact": "updated", "marketing": "unchanged", "duplicate": false})
    );

    let lines = function.end().await;
    assert!(
        lines.iter().all(|line| line["route"] == "/v1/forms/{form_id}/submissions" && line["status"] == 200)
    );
    let usage = setting.table.store.usage(setting.account, now()).await.expect("the usage");
    assert_eq!(usage.marketing, 2);
    setting.assert_exact().await;
}

#[tokio::test]
async fn a_browser_that_posts_a_page_is_sent_on() {
    let setting = Fixture::start().await;
    let form = form(&setting, Some("https://www.lovelace.example.org/thanks")).await;
    let mut function = Function::start("form-submission", &setting.table).await;
    let request = submission(&form).header("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
    let request = request.base64("application/x-www-form-urlencoded", b"email=ada.lovelace%40example.org");
    let answer = HttpResponse::of(&function.invoke(request.event()).await.done());
    assert_eq!(
        (answer.status, answer.headers["location"].as_str()),
        (303, "https://www.lovelace.example.org/thanks")
    );
    function.end().await;
}

#[tokio::test]
async fn a_preflight_is_answered_and_other_pages_are_not_let_in() {
    let setting = Fixture::start().await;
    let form = form(&setting, None).await;
    let path = format!("/v1/forms/{}/submissions", form.id);
    let mut function = Function::start("form-submission", &setting.table).await;

    let preflight =
        http("OPTIONS", &path).header("Origin", PAGE).header("Access-Control-Request-Method", "POST");
    let answer = HttpResponse::of(&function.invoke(preflight.event()).await.done());
    assert_eq!(answer.status, 204);
    assert_eq!(answer.headers["access-control-allow-origin"], PAGE);
    assert_eq!(answer.headers["access-control-allow-methods"], "POST");

    let other = http("POST", &path).header("Origin", "https://elsewhere.lovelace.example.org");
    let other = other.base64("application/x-www-form-urlencoded", b"email=ada.lovelace%40example.org");
    HttpResponse::of(&function.invoke(other.event()).await.done()).problem(403, "permission-denied");

    let no_address = HttpResponse::of(&function.invoke(posted(&form, "lastname=Lovelace")).await.done());
    no_address.problem(400, "invalid-request");
    assert_eq!(no_address.headers["access-control-allow-origin"], PAGE, "the page may read what is wrong");

    let unknown = http("POST", "/v1/forms/frm_unknown/submissions").json(&json!({"fields": {}}));
    HttpResponse::of(&function.invoke(unknown.event()).await.done()).problem(404, "not-found");
    function.end().await;
    let scan = testkit::scan(&setting.table.client, setting.account).await;
    assert_eq!(scan.contacts, 0);
}

/// What one anonymous post costs at the most: the account is so busy that no transaction of it ever happens.
#[tokio::test]
async fn post_to_a_busy_account_costs_four_transactions_and_a_write() {
    let setting = Fixture::start().await;
    let form = form(&setting, None).await;
    let queues = Queues::start().await;
    let mut function = Function::start_with_queues("form-submission", &setting.table, &queues).await;
    // The first request meets a function that has just started.
    let path = format!("/v1/forms/{}/submissions", form.id);
    let preflight = http("OPTIONS", &path).header("Origin", PAGE).event();
    assert_eq!(HttpResponse::of(&function.invoke(preflight).await.done()).status, 204);
    let before = function.gate.calls().len();
    function.gate.keep_busy();
    let begun = std::time::Instant::now();
    let body = "email=ada.lovelace%40example.org&lastname=Lovelace";
    let answer = HttpResponse::of(&function.invoke(posted(&form, body)).await.done());
    let took = begun.elapsed();
    assert_eq!(answer.status, 200);
    let calls = function.gate.calls().split_off(before);
    let of = |wanted: &str| calls.iter().filter(|(operation, _)| operation == wanted).collect::<Vec<_>>();
    assert_eq!((of("TransactWriteItems").len(), of("PutItem").len()), (4, 1), "{calls:?}");
    // The form, and what each try is decided on.
    assert_eq!((of("GetItem").len(), of("BatchGetItem").len()), (1, 4), "{calls:?}");
    assert_eq!(calls.len(), 10, "{calls:?}");
    let items = of("TransactWriteItems").iter().map(|(_, items)| items).sum::<usize>();
    assert_eq!(items, 4 * 4, "the contact, its address, the period and the form's counts");
    say(format_args!(
        "one anonymous post to a busy account: 4 cancelled transactions of 4 items, 1 write, 5 reads, {} ms",
        took.as_millis()
    ));
    assert_eq!(queues.take(INTAKE).len(), 1, "the worker is asked to settle it");
    function.end().await;
}
