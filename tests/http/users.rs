//! `/v1/users`.

use api::ProblemType;
use serde_json::json;
use testkit::at;

use super::{START, column, one_account};

#[tokio::test(start_paused = true)]
async fn new_account_has_one_admin_without_an_address() {
    let (api, account) = one_account(json!({})).await;
    let users = api.get("/v1/users").token(&account.token).await.expect(200);
    let [admin] = users["results"].as_array().unwrap().as_slice() else { panic!("{users}") };
    assert_eq!(
        admin,
        &json!({"id": admin["id"], "name": "Admin", "email": null, "role": "admin",
                "modify_marketing_contacts": true, "created_at": START})
    );
}

#[tokio::test(start_paused = true)]
async fn users_are_created_listed_and_updated() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let body = json!({"name": "Ada", "email": "Ada@Example.org"});
    // Users that are created in the same millisecond have no defined order.
    let later = "2026-11-10T12:00:00.001Z";
    api.clock.set(at(later));
    let ada = api.post("/v1/users").token(token).json(&body).await.expect(201);
    assert_eq!(
        ada,
        json!({"id": ada["id"], "name": "Ada", "email": "Ada@Example.org", "role": "member",
               "modify_marketing_contacts": true, "created_at": later})
    );
    api.clock.set(at("2026-11-10T12:00:00.002Z"));
    let body = json!({"name": "Eve", "email": "eve@example.org", "role": "admin", "modify_marketing_contacts": false});
    let eve = api.post("/v1/users").token(token).json(&body).await.expect(201);
    assert_eq!((&eve["role"], &eve["modify_marketing_contacts"]), (&json!("admin"), &json!(false)));

    let path = format!("/v1/users/{}", ada["id"].as_str().unwrap());
    let changed = api
        .patch(&path)
        .token(token)
        .json(&json!({"email": "a@b.example", "role": "admin"}))
        .await
        .expect(200);
    let mut expected = ada.clone();
    expected["email"] = json!("a@b.example");
    expected["role"] = json!("admin");
    assert_eq!(changed, expected);
    let users = api.get("/v1/users").token(token).await.expect(200);
    assert_eq!(column(&users["results"], "name"), ["Admin", "Ada", "Eve"]);
    assert_eq!(users["results"][1], expected);
}

#[tokio::test(start_paused = true)]
async fn invalid_user_lists_every_error() {
    let (api, account) = one_account(json!({})).await;
    let body = json!({"name": "", "email": "ada", "role": "owner", "modify_marketing_contacts": "yes", "id": "usr_1"});
    let expected = ["name", "email", "role", "modify_marketing_contacts", "id"];
    api.post("/v1/users").token(&account.token).json(&body).await.assert_invalid(&expected);
    let ada = api.user(&account, json!({})).await;
    let path = format!("/v1/users/{}", ada.id);
    api.patch(&path).token(&account.token).json(&body).await.assert_invalid(&expected);
    api.post("/v1/users").token(&account.token).json(&json!({})).await.assert_invalid(&["name", "email"]);
    let reply =
        api.patch("/v1/users/usr_00000000000000000000000000").token(&account.token).json(&json!({})).await;
    reply.problem(ProblemType::NotFound);
}

#[tokio::test(start_paused = true)]
async fn last_admin_cannot_step_down() {
    let (api, account) = one_account(json!({})).await;
    let users = api.get("/v1/users").token(&account.token).await.expect(200);
    let first = format!("/v1/users/{}", users["results"][0]["id"].as_str().unwrap());
    let step_down = json!({"role": "member", "name": "Former admin"});
    api.patch(&first).token(&account.token).json(&step_down).await.problem(ProblemType::LastAdmin);
    let users = api.get("/v1/users").token(&account.token).await.expect(200);
    assert_eq!(users["results"][0]["name"], "Admin", "a refused change is not applied in part");

    let second = api.user(&account, json!({"role": "admin"})).await;
    assert_eq!(api.patch(&first).token(&account.token).json(&step_down).await.expect(200)["role"], "member");
    api.get("/v1/users").token(&account.token).await.problem(ProblemType::PermissionDenied);
    let path = format!("/v1/users/{}", second.id);
    api.patch(&path).token(&second.token).json(&step_down).await.problem(ProblemType::LastAdmin);
}
