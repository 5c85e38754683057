//! The `form-submission` function: posts of browsers, as API Gateway passes them.

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

async fn form(fixture: &Fixture, redirect_url: Option<&str>) -> Form {
    let new = NewForm {
        answer: AnswerMode::Full,
        allowed_origins: vec![PAGE.to_owned()],
        redirect_url: redirect_url.map(str::to_owned),
        ..NewForm::new(Provider::Native, "Newsletter")
    };
    fixture.form(&new, now()).await
}

fn submission(form: &Form) -> HttpEvent {
    http("POST", &format!("/v1/forms/{}/submissions", form.id)).header("Origin", PAGE)
}

/// Returns a form post. API Gateway treats its encoding as binary data, so the body is in base64.
fn posted(form: &Form, body: &str) -> Value {
    submission(form).base64("application/x-www-form-urlencoded", body.as_bytes()).event()
}

#[tokio::test]
async fn browser_post_creates_one_marketing_contact() {
    let fixture = Fixture::start().await;
    let form = form(&fixture, None).await;
    let mut function = Function::start("form-submission", &fixture.table).await;

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
    let usage = fixture.table.store.usage(fixture.account, now()).await.expect("the usage");
    assert_eq!(usage.marketing, 2);
    fixture.assert_exact().await;
}

#[tokio::test]
async fn browser_post_is_redirected_to_the_next_page() {
    let fixture = Fixture::start().await;
    let form = form(&fixture, Some("https://www.lovelace.example.org/thanks")).await;
    let mut function = Function::start("form-submission", &fixture.table).await;
    let request = submission(&form).header("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
    let request = request.base64("application/x-www-form-urlencoded", b"email=ada.lovelace%40example.org");
    let response = HttpResponse::of(&function.invoke(request.event()).await.done());
    assert_eq!(
        (response.status, response.headers["location"].as_str()),
        (303, "https://www.lovelace.example.org/thanks")
    );
    function.end().await;
}

#[tokio::test]
async fn preflight_succeeds_and_other_origins_are_refused() {
    let fixture = Fixture::start().await;
    let form = form(&fixture, None).await;
    let path = format!("/v1/forms/{}/submissions", form.id);
    let mut function = Function::start("form-submission", &fixture.table).await;

    let preflight =
        http("OPTIONS", &path).header("Origin", PAGE).header("Access-Control-Request-Method", "POST");
    let response = HttpResponse::of(&function.invoke(preflight.event()).await.done());
    assert_eq!(response.status, 204);
    assert_eq!(response.headers["access-control-allow-origin"], PAGE);
    assert_eq!(response.headers["access-control-allow-methods"], "POST");

    let other = http("POST", &path).header("Origin", "https://elsewhere.lovelace.example.org");
    let other = other.base64("application/x-www-form-urlencoded", b"email=ada.lovelace%40example.org");
    HttpResponse::of(&function.invoke(other.event()).await.done()).problem(403, "permission-denied");

    let no_address = HttpResponse::of(&function.invoke(posted(&form, "lastname=Lovelace")).await.done());
    no_address.problem(400, "invalid-request");
    assert_eq!(no_address.headers["access-control-allow-origin"], PAGE, "the page may read the error");

    let unknown = http("POST", "/v1/forms/frm_unknown/submissions").json(&json!({"fields": {}}));
    HttpResponse::of(&function.invoke(unknown.event()).await.done()).problem(404, "not-found");
    function.end().await;
    let scan = testkit::scan(&fixture.table.client, fixture.account).await;
    assert_eq!(scan.contacts, 0);
}

/// Measures the maximum cost of one anonymous post: the account is so busy that no transaction succeeds.
#[tokio::test]
async fn post_to_a_busy_account_costs_four_transactions_and_a_write() {
    let fixture = Fixture::start().await;
    let form = form(&fixture, None).await;
    let queues = Queues::start().await;
    let mut function = Function::start_with_queues("form-submission", &fixture.table, &queues).await;
    // The first request excludes the costs of the function's start.
    let path = format!("/v1/forms/{}/submissions", form.id);
    let preflight = http("OPTIONS", &path).header("Origin", PAGE).event();
    assert_eq!(HttpResponse::of(&function.invoke(preflight).await.done()).status, 204);
    let before = function.gate.calls().len();
    function.gate.keep_busy();
    let started_at = std::time::Instant::now();
    let body = "email=ada.lovelace%40example.org&lastname=Lovelace";
    let response = HttpResponse::of(&function.invoke(posted(&form, body)).await.done());
    let elapsed = started_at.elapsed();
    assert_eq!(response.status, 200);
    let calls = function.gate.calls().split_off(before);
    let calls_of =
        |wanted: &str| calls.iter().filter(|(operation, _)| operation == wanted).collect::<Vec<_>>();
    assert_eq!((calls_of("TransactWriteItems").len(), calls_of("PutItem").len()), (4, 1), "{calls:?}");
    // One read of the form, and one batched read for each attempt.
    assert_eq!((calls_of("GetItem").len(), calls_of("BatchGetItem").len()), (1, 4), "{calls:?}");
    assert_eq!(calls.len(), 10, "{calls:?}");
    let items = calls_of("TransactWriteItems").iter().map(|(_, items)| items).sum::<usize>();
    assert_eq!(items, 4 * 4, "the contact, its address, the period and the form's counts");
    say(format_args!(
        "one anonymous post to a busy account: 4 cancelled transactions of 4 items, 1 write, 5 reads, {} ms",
        elapsed.as_millis()
    ));
    assert_eq!(queues.take(INTAKE).len(), 1, "the submission is queued for the worker");
    function.end().await;
}

#[tokio::test]
async fn form_has_the_address_through_which_the_request_came() {
    let fixture = Fixture::start().await;
    let admin = fixture.admin().await;
    let unset = [("PUBLIC_URL", String::new())];
    let mut forms = Function::start_with("forms", &fixture.table, &unset).await;
    let create = http("POST", "/v1/forms").by(&admin).json(&json!({"name": "Newsletter"}));
    let created = forms.send(create, 201).await;
    let url = created["submit_url"].as_str().expect("an address");
    assert_eq!(
        url,
        format!(
            "https://abcdefghij.execute-api.eu-central-1.amazonaws.com/v1/forms/{}/submissions",
            created["id"].as_str().unwrap()
        )
    );
    forms.end().await;
}
