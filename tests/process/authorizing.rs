//! The authorizer: the tokens that it resolves, and its responses to API Gateway.

use domain::permission::Role;
use serde_json::json;

use super::events::{HttpResponse, authorization, http};
use super::function::{Function, at_level};
use super::setting::{ADMIN_TOKEN, Fixture, OPERATOR_TOKEN};

#[tokio::test]
async fn known_token_resolves_to_its_owner_and_others_are_denied() {
    let fixture = Fixture::start().await;
    let mut authorizer = Function::start("authorizer", &fixture.table).await;

    let known = authorizer.invoke(authorization(Some(&format!("Bearer {ADMIN_TOKEN}")))).await.done();
    assert_eq!(known["isAuthorized"], true);
    assert_eq!(known["context"], json!(fixture.admin().await));
    assert_eq!(known["context"]["account"], fixture.account.to_string());
    assert_eq!(known["context"]["role"], Role::Admin.as_str());

    let operator = authorizer.invoke(authorization(Some(&format!("bearer {OPERATOR_TOKEN}")))).await.done();
    assert_eq!(operator, json!({"isAuthorized": true, "context": {"kind": "operator"}}));

    let denied = json!({"isAuthorized": false, "context": {}});
    for header in [
        "Bearer tmk_unknown-secret",
        "Bearer",
        "Bearer ",
        "Basic tmk_admins-secret",
        "",
        "Bearer a b",
        "Bearer \u{e9}",
    ] {
        assert_eq!(authorizer.invoke(authorization(Some(header))).await.done(), denied, "{header}");
    }
    assert_eq!(authorizer.invoke(authorization(None)).await.done(), denied);

    let lines = authorizer.end().await;
    assert_eq!(lines.len(), 10, "one line for each event");
    assert!(
        lines.iter().all(|line| line["message"] == "event worked on" && line["function"] == "Authorizer")
    );
}

#[tokio::test]
async fn functions_accept_the_context_of_the_authorizer() {
    let fixture = Fixture::start().await;
    let mut authorizer = Function::start("authorizer", &fixture.table).await;
    let mut account = Function::start("account", &fixture.table).await;

    let header = format!("Bearer {ADMIN_TOKEN}");
    let response = authorizer.invoke(authorization(Some(&header))).await.done();
    let request = http("GET", "/v1/account").by(response["context"].as_object().expect("a context"));
    let found = HttpResponse::of(&account.invoke(request.event()).await.done()).json(200);
    assert_eq!(found["id"], fixture.account.to_string());

    authorizer.end().await;
    account.end().await;
}

#[tokio::test]
async fn malformed_event_fails_without_echoing_its_content() {
    let fixture = Fixture::start().await;
    let mut authorizer = Function::start("authorizer", &fixture.table).await;
    for event in [json!({"headers": ADMIN_TOKEN}), json!([ADMIN_TOKEN]), json!(ADMIN_TOKEN)] {
        let response = authorizer.invoke(event).await;
        assert!(
            matches!(&response, super::function::Outcome::Failed(_, message) if !message.contains("tmk_")),
            "{response:?}"
        );
    }
    let known = authorizer.invoke(authorization(Some(&format!("Bearer {ADMIN_TOKEN}")))).await.done();
    assert_eq!(known["isAuthorized"], true, "the process continues");
    assert_eq!(at_level(&authorizer.end().await, "ERROR").len(), 3);
}
