//! `Idempotency-Key`: a repeated request applies once and receives the first response again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use api::ProblemType;
use http::Method;
use serde_json::{Value, json};
use testkit::{Api, Conflicts, Fault, OPERATOR_TOKEN, TABLE, TestTable, at};

use super::walk::Fixture;
use super::{START, one_account};
use crate::openapi::operations::{self, Operation};

/// Returns the operations that accept an `Idempotency-Key`, deletions last.
fn changing() -> Vec<Operation> {
    let (mut operations, _) = operations::api();
    operations.retain(|operation| operation.parameters("header").contains(&"Idempotency-Key"));
    // The other operations need the resources that the deletions delete.
    operations.sort_by_key(|operation| operation.method == Method::DELETE);
    operations
}

/// Returns everything that the account can read about itself.
async fn everything(fixture: &Fixture) -> Vec<Value> {
    let mut all = Vec::new();
    for path in [
        "/v1/account",
        "/v1/usage",
        "/v1/usage/statements",
        "/v1/usage/timeline",
        "/v1/events",
        "/v1/users",
        "/v1/tokens",
        "/v1/contacts",
        "/v1/forms",
        "/v1/segments",
        "/v1/bulk/jobs",
        "/v1/automations",
        "/v1/imports",
        "/v1/exports",
    ] {
        all.push(fixture.api.get(path).token(&fixture.account.token).await.expect(200));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn repeated_change_applies_once_and_replays_its_response() {
    let operations = changing();
    assert_eq!(operations.len(), 39);
    let fixture = Fixture::start(Api::with_stream(at(START)).await).await;
    for (number, operation) in operations.iter().enumerate() {
        let key = format!("key-{number}");
        let body = fixture.body(operation);
        let send = async || fixture.request_with(operation, "", body.as_ref()).key(&key).await;
        let first = send().await;
        assert!(first.status < 300, "{operation} {}", first.text());
        let after_first = everything(&fixture).await;
        let accounts = accounts(&fixture.api).await;
        let again = send().await;
        assert_eq!(again.status, first.status, "{operation}");
        assert_eq!(again.text(), first.text(), "{operation}");
        for header in ["etag", "location", "content-type"] {
            assert_eq!(again.header(header), first.header(header), "{operation} {header}");
        }
        assert_eq!(everything(&fixture).await, after_first, "{operation}");
        assert_eq!(self::accounts(&fixture.api).await, accounts, "{operation}");

        if let Some(body) = &body {
            let other =
                fixture.request(operation).body("application/json", format!("{body} ")).key(&key).await;
            other.problem(ProblemType::IdempotencyKeyReused);
        }
        let elsewhere = match operation.method {
            Method::DELETE => {
                fixture.api.delete("/v1/forms/frm_00000000000000000000000000").token(&fixture.account.token)
            }
            _ if operation.is_operators() => {
                let body = json!({"name": "Other", "term": "annual", "renewal_date": "2027-01-01"});
                fixture.api.post("/v1/accounts").token(OPERATOR_TOKEN).json(&body)
            }
            _ => fixture
                .api
                .post("/v1/users")
                .token(&fixture.account.token)
                .json(&json!({"name": "Other", "email": "a@b.example"})),
        };
        elsewhere.key(&key).await.problem(ProblemType::IdempotencyKeyReused);
        assert_eq!(everything(&fixture).await, after_first, "{operation}");
        fixture.api.assert_exact(&fixture.account).await;
    }
}

/// Returns every item of the table as text.
async fn items(api: &Api) -> Vec<String> {
    let mut pages = api.table.client.scan().table_name(TABLE).into_paginator().items().send();
    let mut items = Vec::new();
    while let Some(item) = pages.next().await {
        items.push(format!("{:?}", item.unwrap()));
    }
    items
}

/// Returns the number of accounts.
async fn accounts(api: &Api) -> usize {
    items(api).await.iter().filter(|item| item.contains("\"sk\": S(\"ACCOUNT\")")).count()
}

#[tokio::test(start_paused = true)]
async fn replayed_token_is_never_stored() {
    let (api, account) = one_account(json!({})).await;
    let body = json!({"name": "Second", "term": "annual", "renewal_date": "2027-01-01"});
    let create_account =
        async || api.post("/v1/accounts").token(OPERATOR_TOKEN).json(&body).key("k").await.expect(201);
    let created = create_account().await;
    assert_eq!(create_account().await, created);
    let body = json!({"integration": {"name": "Shop"}});
    let create_token =
        async || api.post("/v1/tokens").token(&account.token).json(&body).key("k").await.expect(201);
    let token = create_token().await;
    assert_eq!(create_token().await, token);
    for token in [&created["token"], &token["token"]] {
        let token = token.as_str().unwrap();
        assert_eq!(api.get("/v1/usage").token(token).await.status, 200);
        let secret = token.strip_prefix("tmk_").unwrap();
        assert!(items(&api).await.iter().all(|item| !item.contains(secret)), "the table contains a token");
    }
    let tokens = api.get("/v1/tokens").token(&account.token).await.expect(200);
    assert_eq!(tokens["results"].as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn token_is_replayed_only_to_its_requester() {
    let (api, account) = one_account(json!({})).await;
    let admin = api.user(&account, json!({"role": "admin"})).await;
    let second =
        api.post("/v1/tokens").token(&account.token).json(&json!({"user_id": admin.id})).await.expect(201);
    let body = json!({"integration": {"name": "Shop"}});
    let create = async |token: &str| api.post("/v1/tokens").token(token).json(&body).key("k").await;
    let _ = create(&admin.token).await.expect(201);
    create(second["token"].as_str().unwrap()).await.problem(ProblemType::IdempotencyKeyReused);
    // The same key in another user's request is a different request.
    create(&account.token).await.problem(ProblemType::IdempotencyKeyReused);
}

#[tokio::test(start_paused = true)]
async fn refusal_is_replayed_after_its_cause_is_gone() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let body = json!({"email": "ada@example.org", "marketing": true});
    let id = api.contact(token, body.clone()).await;
    let path = format!("/v1/contacts/{id}");
    let create = async || api.post("/v1/contacts").token(token).json(&body).key("create").await;
    let stale = async || api.patch(&path).token(token).if_match("\"9\"").json(&json!({})).key("stale").await;
    let missing =
        async || api.delete("/v1/forms/frm_00000000000000000000000000").token(token).key("missing").await;
    let first = create().await.problem(ProblemType::ContactExists);
    stale().await.problem(ProblemType::VersionMismatch);
    missing().await.problem(ProblemType::NotFound);
    let _ = api.delete(&format!("{path}?erase=true")).token(token).await.expect(204);
    let again = create().await.problem(ProblemType::ContactExists);
    let stable_fields = |problem: &Value| (problem["detail"].clone(), problem["contact_id"].clone());
    assert_eq!(stable_fields(&again), stable_fields(&first));
    assert_ne!(again["instance"], first["instance"], "each request has its own id");
    stale().await.problem(ProblemType::VersionMismatch);
    missing().await.problem(ProblemType::NotFound);
    api.assert_exact(&account).await;
    assert_eq!(api.post("/v1/contacts").token(token).json(&body).await.status, 201, "without the key");
}

#[tokio::test(start_paused = true)]
async fn invalid_or_unpermitted_request_uses_no_key() {
    let (api, account) = one_account(json!({})).await;
    let member = api.user(&account, json!({"modify_marketing_contacts": false})).await;
    let good = json!({"name": "Form", "set_marketing": false});
    let send = async |body: &Value| api.post("/v1/forms").token(&member.token).json(body).key("k").await;
    send(&json!({"name": ""})).await.assert_invalid(&["name"]);
    send(&json!({"name": "Form"})).await.problem(ProblemType::PermissionDenied);
    let form = send(&good).await.expect(201);
    assert_eq!(send(&good).await.expect(201), form);
}

#[tokio::test(start_paused = true)]
async fn each_account_has_its_own_keys() {
    let (api, ours) = one_account(json!({})).await;
    let theirs = api.account(json!({})).await;
    let body = json!({"email": "ada@example.org", "marketing": true});
    let mut ids = Vec::new();
    for account in [&ours, &theirs] {
        for _ in 0..2 {
            let contact =
                api.post("/v1/contacts").token(&account.token).json(&body).key("the-same").await.expect(201);
            ids.push(contact["id"].as_str().unwrap().to_owned());
        }
        assert_eq!(api.assert_exact(account).await["marketing"], 1);
    }
    assert_eq!((&ids[0], &ids[2]), (&ids[1], &ids[3]));
    assert_ne!(ids[0], ids[2]);
}

#[tokio::test(start_paused = true)]
async fn key_expires_after_a_day() {
    let (api, account) = one_account(json!({})).await;
    let send = async || {
        let contact =
            api.post("/v1/contacts").token(&account.token).json(&json!({"marketing": true})).key("k").await;
        contact.expect(201)["id"].clone()
    };
    let first = send().await;
    api.clock.set(at("2026-11-11T11:59:59.000Z"));
    assert_eq!(send().await, first);
    api.clock.set(at("2026-11-11T12:00:01.000Z"));
    let second = send().await;
    assert_ne!(second, first);
    assert_eq!(send().await, second);
    assert_eq!(api.assert_exact(&account).await["marketing"], 2);
}

#[tokio::test(start_paused = true)]
async fn list_longer_than_a_transaction_applies_once() {
    let (api, account) = one_account(json!({})).await;
    let mut contacts = Vec::new();
    for _ in 0..120 {
        contacts.push(json!({"id": api.contact(&account.token, json!({})).await}));
    }
    let body = json!({"contacts": contacts});
    let send = async |path: &str, key: &str| {
        api.post(path).token(&account.token).json(&body).key(key).await.expect(200)
    };
    let set = send("/v1/contacts/marketing", "set").await;
    assert_eq!((&set["summary"]["set"], &set["usage"]["marketing"]), (&json!(120), &json!(120)));
    let queued = send("/v1/contacts/non-marketing-pending", "queue").await;
    assert_eq!(queued["summary"]["queued"], 120);
    assert_eq!(
        send("/v1/contacts/marketing", "set").await,
        set,
        "the replay does not cancel the later queueing"
    );
    assert_eq!(api.assert_exact(&account).await["leaving"], 120);
}

/// The response repeats the ids of the request, so its JSON is longer than an item of the table can be.
#[tokio::test(start_paused = true)]
async fn response_longer_than_an_item_is_replayed() {
    let (api, account) = one_account(json!({})).await;
    let mut contacts = Vec::new();
    for _ in 0..100 {
        contacts.push(json!({"id": api.contact(&account.token, json!({"marketing": true})).await}));
    }
    let unknown = |number: u32| {
        let letters =
            (0..100).map(|place| char::from_u32(0x20000 + (number * 7919 + place * 104_729) % 42_000));
        json!({"id": letters.collect::<Option<String>>().unwrap()})
    };
    contacts.extend((0..900).map(unknown));
    let body = json!({"contacts": contacts});
    let send = async || {
        let request = api.post("/v1/contacts/non-marketing-pending").token(&account.token).json(&body);
        let reply = request.key("k").await;
        assert!(reply.text().len() > domain::limits::ITEM_BYTES_MAX * 9 / 10, "{}", reply.text().len());
        reply.expect(200)
    };
    let first = send().await;
    assert_eq!((&first["summary"]["queued"], &first["summary"]["not_found"]), (&json!(100), &json!(900)));
    assert_eq!(send().await, first);
    assert_eq!(api.assert_exact(&account).await["leaving"], 100);
}

#[tokio::test(start_paused = true)]
async fn concurrent_requests_with_one_key_apply_once() {
    let (api, account) = one_account(json!({})).await;
    let body = json!({"email": "ada@example.org", "marketing": true});
    let send =
        || async { api.post("/v1/contacts").token(&account.token).json(&body).key("k").await.expect(201) };
    let answers = futures_util::future::join_all((0..10).map(|_| send())).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn dry_run_is_replayed_under_its_key() {
    let (api, account) = one_account(json!({})).await;
    let id = api.contact(&account.token, json!({})).await;
    let body = json!({"contacts": [{"id": id}], "dry_run": true});
    let send = async || {
        api.post("/v1/contacts/marketing").token(&account.token).json(&body).key("k").await.expect(200)
    };
    let first = send().await;
    let _ = api.set_marketing(&account.token, &[&id]).await;
    assert_eq!(send().await, first);
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn malformed_or_repeated_key_is_rejected() {
    let (api, account) = one_account(json!({})).await;
    let post = || api.post("/v1/contacts").token(&account.token).json(&json!({"marketing": true}));
    let long = "k".repeat(256);
    for key in [&b""[..], b"a b", b"a\tb", b"\xc3\xbc", b"\xff", long.as_bytes()] {
        post().header("idempotency-key", key).await.assert_invalid(&["Idempotency-Key"]);
    }
    post().key("a").key("a").await.assert_invalid(&["Idempotency-Key"]);
    post().key("a").key("b").await.assert_invalid(&["Idempotency-Key"]);
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
    for key in [&long[..255], "!", "IDEMPOTENCY#SEEN#|\\\"'{}"] {
        assert_eq!(post().key(key).await.status, 201, "{key}");
    }
    assert_eq!(api.assert_exact(&account).await["marketing"], 3);
}

#[tokio::test(start_paused = true)]
async fn failed_request_uses_no_key_and_can_be_retried() {
    let broken = Arc::new(AtomicBool::new(false));
    let is_broken = broken.clone();
    let faults = Conflicts::with_plan(Duration::ZERO, move |operation, _| {
        let breaks = is_broken.load(Ordering::SeqCst) && operation == "TransactWriteItems";
        breaks.then_some(Fault::Unavailable)
    });
    let api = Api::over(TestTable::with_faults(&faults).await, at(START));
    let account = api.account(json!({})).await;
    let send = async || {
        api.post("/v1/contacts").token(&account.token).json(&json!({"marketing": true})).key("k").await
    };
    broken.store(true, Ordering::SeqCst);
    let problem = send().await.problem(ProblemType::Unavailable);
    assert!(problem["detail"].as_str().unwrap().contains("Idempotency-Key"));
    broken.store(false, Ordering::SeqCst);
    let created = send().await.expect(201);
    assert_eq!(send().await.expect(201), created);
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}
