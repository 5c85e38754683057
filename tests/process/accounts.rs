//! The `account` function.

use serde_json::{Value, json};

use super::events::{HttpResponse, authorization, http};
use super::function::Function;
use super::setting::{Fixture, OPERATOR_TOKEN, in_an_ended_period};

#[tokio::test]
async fn operator_creates_an_account_with_a_working_token() {
    let fixture = Fixture::start().await;
    let mut account = Function::start("account", &fixture.table).await;
    let mut authorizer = Function::start("authorizer", &fixture.table).await;

    let bearer = format!("Bearer {OPERATOR_TOKEN}");
    let operator = authorizer.invoke(authorization(Some(&bearer))).await.done();
    let body = json!({"name": "Lovelace & Co", "term": "annual", "renewal_date": "2026-03-31", "cap": 10});
    let create = http("POST", "/v1/accounts").header("Authorization", &bearer).json(&body);
    let create = create.by(operator["context"].as_object().expect("a context"));
    let created = HttpResponse::of(&account.invoke(create.event()).await.done()).json(201);
    let token = created["token"].as_str().expect("a token");

    let known = authorizer.invoke(authorization(Some(&format!("Bearer {token}")))).await.done();
    assert_eq!(known["context"]["account"], created["account"]["id"]);
    let context = known["context"].as_object().expect("a context");
    let usage = HttpResponse::of(&account.invoke(http("GET", "/v1/usage").by(context).event()).await.done())
        .json(200);
    assert_eq!((&usage["marketing"], &usage["cap"]), (&json!(0), &json!(10)));

    let denied = http("POST", "/v1/accounts").by(context).json(&body);
    let denied = HttpResponse::of(&account.invoke(denied.event()).await.done());
    denied.problem(403, "permission-denied");

    authorizer.end().await;
    account.end().await;
}

#[tokio::test]
async fn usage_and_statement_are_current_without_a_job() {
    let start = in_an_ended_period();
    let fixture = Fixture::begun(start).await;
    let ids = fixture.marketing_contacts(3, start).await;
    fixture.queue(&ids[..1], start).await;
    let admin = fixture.admin().await;
    let mut account = Function::start("account", &fixture.table).await;

    let usage = http("GET", "/v1/usage").by(&admin).event();
    let usage = HttpResponse::of(&account.invoke(usage).await.done()).json(200);
    assert_eq!((&usage["marketing"], &usage["leaving"]), (&json!(2), &json!(0)));
    let statements = http("GET", "/v1/usage/statements").by(&admin).event();
    let statements = HttpResponse::of(&account.invoke(statements).await.done()).json(200);
    let first = statements["results"].as_array().and_then(|results| results.last()).expect("a statement");
    assert_eq!((&first["number"], &first["marketing"], &first["left"]), (&json!(1), &json!(3), &json!(1)));
    account.end().await;
    fixture.assert_exact().await;
}

#[tokio::test]
async fn openapi_document_is_public() {
    let fixture = Fixture::start().await;
    let mut account = Function::start("account", &fixture.table).await;
    let request = http("GET", "/v1/openapi.json").event();
    let document = HttpResponse::of(&account.invoke(request).await.done()).json(200);
    let committed: Value =
        serde_json::from_str(include_str!("../../functions/account/openapi.json")).unwrap();
    assert_eq!(document, committed);
    let anonymous = HttpResponse::of(&account.invoke(http("GET", "/v1/usage").event()).await.done());
    anonymous.problem(401, "unauthenticated");
    account.end().await;
}

#[tokio::test]
async fn submit_url_uses_the_public_address() {
    let fixture = Fixture::start().await;
    let admin = fixture.admin().await;
    let mut forms = Function::start("forms", &fixture.table).await;
    let create = http("POST", "/v1/forms").by(&admin).json(&json!({"name": "Newsletter"}));
    let form = HttpResponse::of(&forms.invoke(create.event()).await.done()).json(201);
    let id = form["id"].as_str().expect("an id");
    assert_eq!(form["submit_url"], format!("https://api.example.org/v1/forms/{id}/submissions"));
    forms.end().await;
}
