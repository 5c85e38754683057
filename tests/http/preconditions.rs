//! `ETag` and `If-Match` of contacts.

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{Api, Tenant};

use super::one_account;

const BY_EMAIL: &str = "/v1/contacts/by-email/ada@example.org";

async fn ada() -> (Api, Tenant, String) {
    let (api, account) = one_account(json!({})).await;
    let id = api.contact(&account.token, json!({"email": "ada@example.org", "marketing": true})).await;
    let path = format!("/v1/contacts/{id}");
    (api, account, path)
}

async fn read(api: &Api, account: &Tenant, path: &str) -> (String, Value) {
    let reply = api.get(path).token(&account.token).await;
    (reply.header("etag").unwrap().to_owned(), reply.expect(200))
}

#[tokio::test(start_paused = true)]
async fn if_match_applies_a_change_to_that_version_only() {
    let (api, account, path) = ada().await;
    let token = &account.token;
    let (first, _) = read(&api, &account, &path).await;
    let rename = |name: &str| json!({"properties": {"firstname": name}});
    let reply = api.patch(&path).token(token).if_match(&first).json(&rename("Ada")).await;
    let second = reply.header("etag").unwrap().to_owned();
    assert_eq!(reply.status, 200);
    assert_ne!(first, second);
    api.patch(&path)
        .token(token)
        .if_match(&first)
        .json(&rename("Eve"))
        .await
        .problem(ProblemType::VersionMismatch);
    api.put(BY_EMAIL)
        .token(token)
        .if_match(&first)
        .json(&rename("Eve"))
        .await
        .problem(ProblemType::VersionMismatch);
    api.delete(&path).token(token).if_match(&first).await.problem(ProblemType::VersionMismatch);
    let (now, contact) = read(&api, &account, &path).await;
    assert_eq!((&now, &contact["properties"]["firstname"]), (&second, &json!("Ada")));

    let reply = api.put(BY_EMAIL).token(token).if_match(&second).json(&rename("Grace")).await;
    assert_eq!(reply.status, 200);
    let third = reply.header("etag").unwrap().to_owned();
    let _ = api.delete(&path).token(token).if_match(&third).await.expect(204);
    api.patch(&path).token(token).if_match(&third).json(&rename("Eve")).await.problem(ProblemType::NotFound);
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn marketing_state_change_creates_a_new_version() {
    let (api, account, path) = ada().await;
    let (first, contact) = read(&api, &account, &path).await;
    let _ = api.queue(&account.token, &[contact["id"].as_str().unwrap()]).await;
    let (second, _) = read(&api, &account, &path).await;
    assert_ne!(first, second);
    // Leaving at the update date is also a new version, although nothing is written.
    api.clock.set(testkit::at(super::UPDATE));
    let (third, _) = read(&api, &account, &path).await;
    assert_ne!(second, third);
    let body = json!({"bounced": true});
    api.patch(&path)
        .token(&account.token)
        .if_match(&second)
        .json(&body)
        .await
        .problem(ProblemType::VersionMismatch);
    let reply = api.patch(&path).token(&account.token).if_match(&third).json(&body).await;
    assert_eq!(reply.status, 200);
    api.assert_exact(&account).await;
}

#[tokio::test(start_paused = true)]
async fn etag_is_compared_strongly_and_star_matches_any() {
    let (api, account, path) = ada().await;
    let token = &account.token;
    let (tag, _) = read(&api, &account, &path).await;
    let change =
        async |if_match: &str| api.patch(&path).token(token).if_match(if_match).json(&json!({})).await;
    for mismatch in [
        &format!("W/{tag}"),
        "\"\"",
        "\"0\"",
        "\"01\"",
        "\"2\"",
        "\"+1\"",
        "\"ada\"",
        "\"18446744073709551616\"",
    ] {
        change(mismatch).await.problem(ProblemType::VersionMismatch);
    }
    for bad in ["", "1", "\"1", "1\"", "\"1\", \"2\"", "'1'", "w/\"1\"", "\"a\"b\"", "**"] {
        assert_eq!(change(bad).await.invalid_fields(), ["If-Match"], "{bad}");
    }
    let twice = api.patch(&path).token(token).if_match(&tag).if_match(&tag).json(&json!({})).await;
    twice.assert_invalid(&["If-Match"]);
    let malformed = api.patch(&path).token(token).header("if-match", b"\"\xff\"").json(&json!({})).await;
    malformed.assert_invalid(&["If-Match"]);
    assert_eq!(change("*").await.status, 200);
    assert_eq!(change(&format!("  {tag} ")).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn if_match_on_a_missing_contact_matches_nothing() {
    let (api, account) = one_account(json!({})).await;
    for tag in ["\"1\"", "*"] {
        let reply = api.put(BY_EMAIL).token(&account.token).if_match(tag).json(&json!({})).await;
        reply.problem(ProblemType::VersionMismatch);
    }
    let new =
        async |tag: &str| api.post("/v1/contacts").token(&account.token).if_match(tag).json(&json!({})).await;
    new("\"1\"").await.problem(ProblemType::VersionMismatch);
    assert_eq!(testkit::scan(&api.table.client, account.id).await.contacts, 0);
    // `*` matches, because the list of contacts exists even when it is empty.
    let _ = new("*").await.expect(201);
}
