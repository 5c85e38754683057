//! `PATCH /v1/imports/{id}`: the options of an import that has not started.

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{Api, Tenant};

use super::one_account;
use crate::files::send_upload;

const FILE: &str = "Mail,Town\nada@example.org,London\n";

/// Creates an import and stores its file.
async fn uploaded(api: &Api, account: &Tenant, file: &str) -> String {
    let created =
        api.post("/v1/imports").token(&account.token).json(&json!({"name": "a.csv"})).await.expect(201);
    let url = created["upload"]["url"].as_str().unwrap();
    assert_eq!(send_upload(url, file.to_owned()).await.status, 200);
    created["id"].as_str().unwrap().to_owned()
}

/// Returns the targets of the columns in the preview.
async fn targets(api: &Api, account: &Tenant, import: &str) -> Vec<Value> {
    let preview = api.get(&format!("/v1/imports/{import}/preview")).token(&account.token).await.expect(200);
    preview["columns"].as_array().unwrap().iter().map(|column| column["to"].clone()).collect()
}

#[tokio::test]
async fn file_is_read_in_another_way_before_it_is_imported() {
    let (api, account) = one_account(json!({})).await;
    let import = uploaded(&api, &account, FILE).await;
    assert_eq!(targets(&api, &account, &import).await, [json!("email"), json!("city")]);
    let path = format!("/v1/imports/{import}");
    let change = json!({"name": "b.csv", "options": {"mapping": {"Town": "home_town"}, "dry_run": true}});
    let changed = api.patch(&path).token(&account.token).json(&change).await.expect(200);
    assert_eq!((&changed["name"], &changed["options"]["dry_run"]), (&json!("b.csv"), &json!(true)));
    assert_eq!(targets(&api, &account, &import).await, [json!("email"), json!("home_town")]);
    let changed = api.patch(&path).token(&account.token).json(&json!({"options": {}})).await.expect(200);
    assert_eq!((&changed["name"], &changed["options"]["dry_run"]), (&json!("b.csv"), &json!(false)));
}

#[tokio::test]
async fn options_that_do_not_fit_the_file_change_nothing() {
    let (api, account) = one_account(json!({})).await;
    let import = uploaded(&api, &account, FILE).await;
    let path = format!("/v1/imports/{import}");
    for (mapping, field) in [
        (json!({"Street": "address"}), "options.mapping"),
        (json!({"Mail": "city", "Town": "city"}), "options.mapping"),
        (json!({"Mail": null}), "file"),
    ] {
        let change = json!({"options": {"mapping": mapping}});
        api.patch(&path).token(&account.token).json(&change).await.assert_invalid(&[field]);
    }
    assert_eq!(targets(&api, &account, &import).await, [json!("email"), json!("city")]);
}

#[tokio::test]
async fn started_import_keeps_its_options() {
    let (api, account) = one_account(json!({})).await;
    let import = uploaded(&api, &account, FILE).await;
    let path = format!("/v1/imports/{import}");
    let _ = api.post(&format!("{path}/start")).token(&account.token).await.expect(202);
    for change in [json!({"name": "b.csv"}), json!({"options": {"dry_run": true}})] {
        let reply = api.patch(&path).token(&account.token).json(&change).await;
        let _ = reply.problem(ProblemType::ImportStarted);
    }
    assert_eq!(api.get(&path).token(&account.token).await.expect(200)["name"], "a.csv");
}

#[tokio::test]
async fn setting_marketing_by_a_change_needs_the_permission() {
    let (api, account) = one_account(json!({})).await;
    let import = uploaded(&api, &account, FILE).await;
    let member = api.user(&account, json!({"modify_marketing_contacts": false})).await;
    let change = json!({"options": {"set_marketing": true}});
    let reply = api.patch(&format!("/v1/imports/{import}")).token(&member.token).json(&change).await;
    let _ = reply.problem(ProblemType::PermissionDenied);
    let other = api.account(json!({})).await;
    let reply =
        api.patch(&format!("/v1/imports/{import}")).token(&other.token).json(&json!({"name": "c"})).await;
    let _ = reply.problem(ProblemType::NotFound);
}
