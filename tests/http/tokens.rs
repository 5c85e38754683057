//! `/v1/tokens`, and authentication with a token.

use api::ProblemType;
use serde_json::json;

use super::{START, one_account};

#[tokio::test(start_paused = true)]
async fn token_is_shown_once_and_valid_until_revoked() {
    let (api, account) = one_account(json!({})).await;
    let body =
        json!({"integration": {"name": "Shop", "set_marketing": true, "modify_marketing_contacts": true}});
    let created = api.post("/v1/tokens").token(&account.token).json(&body).await.expect(201);
    let (id, token) = (created["id"].as_str().unwrap(), created["token"].as_str().unwrap());
    assert_eq!(created.as_object().unwrap().len(), 2);
    assert!(token.starts_with("tmk_") && token != account.token);
    let usage = api.get("/v1/usage").token(token).await;
    assert_eq!(usage.status, 200);

    let reply = api.get("/v1/tokens").token(&account.token).await;
    assert!(!reply.text().contains("tmk_"), "{}", reply.text());
    let tokens = reply.expect(200)["results"].clone();
    let listed = tokens.as_array().unwrap().iter().find(|token| token["id"] == id).unwrap();
    let integration = &listed["integration"];
    assert!(integration["id"].as_str().unwrap().starts_with("int_"));
    assert_eq!(
        listed,
        &json!({"id": id, "created_at": START, "integration": {
            "id": integration["id"], "name": "Shop", "set_marketing": true, "modify_marketing_contacts": true}})
    );

    let path = format!("/v1/tokens/{id}");
    let _ = api.delete(&path).token(&account.token).await.expect(204);
    api.get("/v1/usage").token(token).await.problem(ProblemType::Unauthenticated);
    api.delete(&path).token(&account.token).await.problem(ProblemType::NotFound);
    let tokens = api.get("/v1/tokens").token(&account.token).await.expect(200);
    assert_eq!(tokens["results"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn last_token_of_the_last_admin_cannot_be_revoked() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let tokens = api.get("/v1/tokens").token(token).await.expect(200);
    let only = format!("/v1/tokens/{}", tokens["results"][0]["id"].as_str().unwrap());
    let member = api.user(&account, json!({"role": "member"})).await;
    let _ = api.integration(&account, json!({})).await;
    let problem = api.delete(&only).token(token).await.problem(ProblemType::LastAdmin);
    assert_eq!(problem["detail"], "An account keeps at least one admin who has a token.");
    assert_eq!(api.get("/v1/tokens").token(token).await.status, 200);
    let path = format!("/v1/users/{}", member.id);
    let _ = api.patch(&path).token(token).json(&json!({"role": "admin"})).await.expect(200);
    let _ = api.delete(&only).token(token).await.expect(204);
    api.patch(&path)
        .token(&member.token)
        .json(&json!({"role": "member"}))
        .await
        .problem(ProblemType::LastAdmin);
}

#[tokio::test(start_paused = true)]
async fn user_can_have_several_tokens() {
    let (api, account) = one_account(json!({})).await;
    let ada = api.user(&account, json!({"name": "Ada"})).await;
    let body = json!({"user_id": ada.id});
    let second = api.post("/v1/tokens").token(&account.token).json(&body).await.expect(201);
    for token in [&ada.token, second["token"].as_str().unwrap()] {
        let contact = api.post("/v1/contacts").token(token).json(&json!({})).await.expect(201);
        let source = json!({"type": "manual", "name": "Ada", "id": ada.id});
        assert_eq!(contact["marketing"]["source"], source);
    }
    let tokens = api.get("/v1/tokens").token(&account.token).await.expect(200);
    let of_ada =
        tokens["results"].as_array().unwrap().iter().filter(|token| token["user_id"] == json!(ada.id));
    assert_eq!(of_ada.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn token_belongs_to_a_user_or_a_new_integration() {
    let (api, account) = one_account(json!({})).await;
    let other = api.account(json!({})).await;
    let theirs = api.user(&other, json!({})).await;
    for (body, fields) in [
        (json!({}), vec![""]),
        (json!({"user_id": theirs.id, "integration": {"name": "Shop"}}), vec![""]),
        (json!({"user_id": theirs.id}), vec!["user_id"]),
        (json!({"user_id": "usr_00000000000000000000000000"}), vec!["user_id"]),
        (json!({"user_id": "ada"}), vec!["user_id"]),
        (json!({"integration": {}}), vec!["integration.name"]),
        (
            json!({"integration": {"name": "a\u{7}", "id": "int_1"}, "token": "tmk_a"}),
            vec!["integration.name", "integration.id", "token"],
        ),
    ] {
        let reply = api.post("/v1/tokens").token(&account.token).json(&body).await;
        assert_eq!(reply.invalid_fields(), fields, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_known_bearer_token_is_accepted() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    for header in [
        String::new(),
        token.clone(),
        "Bearer".to_owned(),
        format!("Basic {token}"),
        format!("Bearer {token}x"),
        format!("Bearer {}", token.to_uppercase()),
        format!("Bearer {token} {token}"),
        format!("Bearer \"{token}\""),
        "Bearer ü".to_owned(),
        format!("Bearer {}", "a".repeat(10_000)),
    ] {
        api.get("/v1/usage").header("authorization", &header).await.problem(ProblemType::Unauthenticated);
    }
    api.get("/v1/usage").await.problem(ProblemType::Unauthenticated);
    let reply = api.get("/v1/usage").header("authorization", format!("bearer {token}")).await;
    assert_eq!(reply.status, 200);
    let digest = api::token::sha256_hex(token.as_bytes());
    api.get("/v1/usage").token(&digest).await.problem(ProblemType::Unauthenticated);
}
