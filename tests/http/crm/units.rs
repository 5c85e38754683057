//! The read and write units of operations, beside the same through `/v1`.

use http::Method;
use serde_json::{Value, json};
use testkit::{Api, Tenant, Units, at};

use super::{CONTACTS, create, id, people};
use crate::http::one_account;

/// The reads of the layer of the local stack that stands for the authorizer: a user's token and the user. The CRM API
/// checks the token itself, so its own numbers contain the same reads once more.
const AUTHORIZED: f64 = 2.0;

/// Sends a request and returns its units without those of the authorizer.
async fn units(api: &Api, account: &Tenant, method: Method, path: &str, body: Option<Value>) -> (f64, f64) {
    let mut request = api.request(method, path).token(&account.token);
    if let Some(body) = &body {
        request = request.json(body);
    }
    api.table.recorder.reset();
    let reply = request.await;
    assert!(reply.status < 300, "{path}: {}", String::from_utf8_lossy(&reply.body));
    let Units { read, write, .. } = api.table.recorder.units();
    (read - AUTHORIZED, write)
}

#[tokio::test]
async fn operations_cost_as_much_as_those_of_v1_and_the_token() {
    let (api, account) = one_account(json!({})).await;
    let made = people(&api, &account.token, &["ada", "grace", "mary", "joan", "kay"]).await;
    let other = api.contact(&account.token, json!({"email": "v1@example.org"})).await;
    let crm = |rest: &str| format!("{CONTACTS}{rest}");
    let properties = |email: &str| json!({"properties": {"email": format!("{email}@example.org")}});
    let rows = [
        (
            "create",
            (Method::POST, crm(""), Some(properties("new"))),
            (Method::POST, "/v1/contacts".to_owned(), Some(json!({"email": "new1@example.org"}))),
        ),
        (
            "read by id",
            (Method::GET, crm(&format!("/{}", made[0])), None),
            (Method::GET, format!("/v1/contacts/{other}"), None),
        ),
        (
            "read by address",
            (Method::GET, crm("/ada@example.org?idProperty=email"), None),
            (Method::GET, "/v1/contacts/by-email/v1@example.org".to_owned(), None),
        ),
        (
            "update",
            (Method::PATCH, crm(&format!("/{}", made[0])), Some(json!({"properties": {"phone": "1"}}))),
            (Method::PATCH, format!("/v1/contacts/{other}"), Some(json!({"properties": {"phone": "1"}}))),
        ),
        (
            "set marketing",
            (
                Method::PATCH,
                crm(&format!("/{}", made[1])),
                Some(json!({"properties": {"hs_marketable_status": true}})),
            ),
            (Method::POST, "/v1/contacts/marketing".to_owned(), Some(json!({"contacts": [{"id": made[2]}]}))),
        ),
        (
            "list",
            (Method::GET, crm("?limit=5"), None),
            (Method::GET, "/v1/contacts?limit=5".to_owned(), None),
        ),
        (
            "search by address",
            (
                Method::POST,
                crm("/search"),
                Some(
                    json!({"filters": [{"propertyName": "email", "operator": "EQ", "value": "ada@example.org"}]}),
                ),
            ),
            (
                Method::POST,
                "/v1/contacts/search".to_owned(),
                Some(
                    json!({"filterGroups": [{"filters": [{"propertyName": "email", "operator": "EQ", "value": "ada@example.org"}]}], "total": true}),
                ),
            ),
        ),
        (
            "archive",
            (Method::DELETE, crm(&format!("/{}", made[0])), None),
            (Method::DELETE, format!("/v1/contacts/{other}"), None),
        ),
    ];
    let mut measured = Vec::new();
    for (name, (method, path, body), (v1_method, v1_path, v1_body)) in rows {
        let here = units(&api, &account, method, &path, body).await;
        let there = units(&api, &account, v1_method, &v1_path, v1_body).await;
        measured.push((name, here, there));
    }
    let expected = [
        ("create", (4.0, 4.0), (2.0, 4.0)),
        ("read by id", (4.0, 0.0), (2.0, 0.0)),
        ("read by address", (5.0, 0.0), (3.0, 0.0)),
        ("update", (4.0, 2.0), (2.0, 2.0)),
        ("set marketing", (4.0, 4.0), (2.0, 4.0)),
        ("list", (20.0, 0.0), (18.0, 0.0)),
        ("search by address", (6.0, 0.0), (4.0, 0.0)),
        ("archive", (6.0, 4.0), (4.0, 4.0)),
    ];
    assert_eq!(measured, expected, "read and write units");
}

#[tokio::test]
async fn batch_reads_its_contacts_at_once() {
    let (api, account) = one_account(json!({})).await;
    let made = people(&api, &account.token, &["ada", "grace", "mary", "joan", "kay"]).await;
    let inputs: Vec<Value> = made.iter().map(|id| json!({"id": id})).collect();
    let path = format!("{CONTACTS}/batch/read");
    let read = units(&api, &account, Method::POST, &path, Some(json!({"inputs": inputs}))).await;
    // The token and the user, the period and five contacts.
    assert_eq!(read, (AUTHORIZED + 6.0, 0.0));
}

#[tokio::test]
async fn sync_reads_what_it_returns() {
    let (api, account) = one_account(json!({})).await;
    let _ = api
        .patch("/v1/account")
        .token(&account.token)
        .json(&json!({"index_changes": true}))
        .await
        .expect(200);
    api.clock.set(at("2026-11-12T12:00:00.000Z"));
    let mut created = Vec::new();
    for n in 0..60 {
        created.push(create(&api, &account.token, json!({"email": format!("p{n}@example.org")})).await);
    }
    api.clock.set(at("2026-11-13T12:00:00.000Z"));
    for contact in &created[..3] {
        let path = format!("{CONTACTS}/{}", id(contact));
        let body = json!({"properties": {"phone": "1"}});
        let _ = api.patch(&path).token(&account.token).json(&body).await.expect(200);
    }
    let filters =
        json!([{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "2026-11-13T00:00:00Z"}]);
    let body = json!({"filters": filters, "sorts": ["lastmodifieddate"], "limit": 100});
    let path = format!("{CONTACTS}/search");
    let (few, _) = units(&api, &account, Method::POST, &path, Some(body)).await;
    // The token and the user, the period twice, half a unit for each of 16 partitions of the index, and the contacts.
    assert_eq!(few, AUTHORIZED + 2.0 + 8.0 + 3.0);
}
