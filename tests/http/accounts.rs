//! `/v1/accounts`: the operator's view of all accounts.

use api::ProblemType;
use domain::limits::USAGE_MAX;
use serde_json::json;
use testkit::{Api, OPERATOR_TOKEN, at};

use super::{START, column};

#[tokio::test(start_paused = true)]
async fn new_account_has_default_terms() {
    let api = Api::start(at(START)).await;
    let body = json!({"name": "Ada & Co", "term": "annual", "renewal_date": "2027-06-15"});
    let reply = api.post("/v1/accounts").token(OPERATOR_TOKEN).json(&body).await;
    assert_eq!(reply.header("location"), Some("/v1/account"));
    let created = reply.expect(201);
    let id = created["account"]["id"].as_str().unwrap();
    assert!(id.starts_with("acc_") && id.len() == 30, "{id}");
    let portal = created["account"]["portal_id"].as_u64().unwrap();
    assert!((10_000_000..1 << 31).contains(&portal), "{portal}");
    assert_eq!(
        created["account"],
        json!({
            "id": id, "portal_id": portal, "name": "Ada & Co", "time_zone": "UTC", "term": "annual", "renewal_date": "2027-06-15",
            "marketing_contacts": true, "tier": {"included": 1000, "block": 1000, "limit": 1000}, "cap": null,
            "period": {"number": 1, "starts_at": START, "ends_at": "2026-12-01T00:00:00.000Z"},
            "index_changes": false,
            "defaults": {"external_form": true, "forms_may_raise_tier": false, "chatflow": false, "chatflows": {}},
            "created_at": START,
        })
    );
    let token = created["token"].as_str().unwrap();
    assert!(token.starts_with("tmk_") && token.len() == 47);
    assert_eq!(api.get("/v1/account").token(token).await.expect(200), created["account"]);
}

#[tokio::test(start_paused = true)]
async fn new_account_accepts_every_term() {
    let api = Api::start(at(START)).await;
    let body = json!({
        "name": "Ada & Co", "time_zone": "America/New_York", "term": "monthly", "renewal_date": "2026-01-31",
        "tier": {"included": 0, "block": 50}, "cap": 0, "marketing_contacts": false,
        "test_clock": "2026-02-10T12:00:00+01:00",
    });
    let created = api.post("/v1/accounts").token(OPERATOR_TOKEN).json(&body).await.expect(201);
    let account = &created["account"];
    assert_eq!(account["test_clock"], "2026-02-10T11:00:00.000Z");
    // The 31st of a month that has 28 days, at midnight in New York.
    assert_eq!(account["period"]["ends_at"], "2026-02-28T05:00:00.000Z");
    assert_eq!(account["period"]["starts_at"], "2026-02-10T11:00:00.000Z");
    assert_eq!(account["tier"], json!({"included": 0, "block": 50, "limit": 0}));
    assert_eq!((&account["cap"], &account["marketing_contacts"]), (&json!(0), &json!(false)));
    assert_eq!(account["created_at"], START, "invoices use the wall clock");
}

#[tokio::test(start_paused = true)]
async fn invalid_new_account_lists_every_error() {
    let api = Api::start(at(START)).await;
    let body = json!({
        "name": " ", "time_zone": "Mars/Olympus", "term": "yearly", "renewal_date": "2026-02-29",
        "tier": {"included": USAGE_MAX + 1, "block": 0}, "cap": -1, "marketing_contacts": "no",
        "test_clock": "2200-01-01T00:00:00Z", "owner": "Ada",
    });
    let reply = api.post("/v1/accounts").token(OPERATOR_TOKEN).json(&body).await;
    reply.assert_invalid(&[
        "name",
        "time_zone",
        "term",
        "renewal_date",
        "tier.included",
        "tier.block",
        "cap",
        "marketing_contacts",
        "test_clock",
        "owner",
    ]);
    assert!(!reply.text().contains("Mars"), "the problem repeats a value that the client sent");
}

#[tokio::test(start_paused = true)]
async fn invalid_zone_or_date_is_the_only_error_listed() {
    let api = Api::start(at(START)).await;
    let zones = ["", "utc+1", "Europe/Atlantis", "Europe/Berlin ", "../etc/passwd", "Europe/Berlin\0"];
    let dates = [
        "",
        "2027-13-01",
        "2027-02-30",
        "15.06.2027",
        "2027-6-5",
        "2027-06-15T00:00:00Z",
        "+12027-06-15",
        "0000-01-01",
    ];
    let zones = zones.map(|zone| ("time_zone", zone));
    for (field, value) in zones.into_iter().chain(dates.map(|date| ("renewal_date", date))) {
        let mut body = json!({"name": "Ada", "term": "annual", "renewal_date": "2027-06-15"});
        body[field] = json!(value);
        let reply = api.post("/v1/accounts").token(OPERATOR_TOKEN).json(&body).await;
        assert_eq!(reply.invalid_fields(), [field], "{value:?} {}", reply.text());
    }
}

#[tokio::test(start_paused = true)]
async fn accounts_are_listed_and_read_with_their_usage() {
    let api = Api::start(at(START)).await;
    let nothing = api.get("/v1/accounts").token(OPERATOR_TOKEN).await.expect(200);
    assert_eq!(nothing, json!({"results": []}));
    let first = api.account(json!({"name": "First", "cap": 7})).await;
    // Accounts that are created in the same millisecond have no defined order.
    api.clock.set(at("2026-11-10T12:00:00.001Z"));
    let second = api.account(json!({"name": "Second", "test_clock": START})).await;
    let id = api.contact(&first.token, json!({"marketing": true})).await;
    let _ = api.queue(&first.token, &[&id]).await;
    let mut reports = Vec::new();
    for account in [&first, &second] {
        let path = format!("/v1/accounts/{}", account.id);
        let report = api.get(&path).token(OPERATOR_TOKEN).await.expect(200);
        assert_eq!(report["account"], api.get("/v1/account").token(&account.token).await.expect(200));
        assert_eq!(report["usage"], api.get("/v1/usage").token(&account.token).await.expect(200));
        reports.push(report);
    }
    let all = api.get("/v1/accounts").token(OPERATOR_TOKEN).await.expect(200);
    assert_eq!(all, json!({"results": reports}));
    let page = api.get("/v1/accounts?limit=1").token(OPERATOR_TOKEN).await.expect(200);
    assert_eq!(page["results"], json!([reports[0]]));
    let next = format!("/v1/accounts?after={}", page["paging"]["next"]["after"].as_str().unwrap());
    let last = api.get(&next).token(OPERATOR_TOKEN).await.expect(200);
    assert_eq!(last, json!({"results": [reports[1]]}));
    // The period has ended, and the list is the first read after that.
    api.clock.set(at(super::UPDATE));
    let all = api.get("/v1/accounts").token(OPERATOR_TOKEN).await.expect(200);
    let [first, second] = [&all["results"][0], &all["results"][1]];
    assert_eq!((&first["usage"]["marketing"], &first["account"]["period"]["number"]), (&json!(0), &json!(2)));
    assert_eq!(second, &reports[1], "a sandbox has its own clock");
}

#[tokio::test(start_paused = true)]
async fn contract_is_changed_by_the_operator_and_shown_to_the_account() {
    let api = Api::start(at(START)).await;
    let account = api.account(json!({})).await;
    let path = format!("/v1/accounts/{}", account.id);
    let body = json!({
        "term": "monthly", "renewal_date": "2026-01-20", "time_zone": "Europe/Berlin",
        "tier": {"included": 500, "block": 250}, "tier_limit_at_renewal": 750, "marketing_contacts": true,
    });
    let change = async || api.patch(&path).token(OPERATOR_TOKEN).json(&body).key("k").await.expect(200);
    let changed = change().await;
    let tier = json!({"included": 500, "block": 250, "limit": 1000, "limit_at_renewal": 750});
    assert_eq!(changed["account"]["tier"], tier);
    assert_eq!(changed["usage"]["next_update_at"], "2026-11-19T23:00:00.000Z");
    assert_eq!(api.get("/v1/account").token(&account.token).await.expect(200), changed["account"]);
    assert_eq!(change().await, changed);
    api.clock.set(at("2026-11-19T23:00:00.000Z"));
    let usage = api.assert_exact(&account).await;
    assert_eq!(usage["tier"]["limit"], 750, "granted at the renewal");
    let wrong = json!({"name": "Ada", "cap": 1, "tier": {"included": 1}, "term": "weekly"});
    api.patch(&path).token(OPERATOR_TOKEN).json(&wrong).await.assert_invalid(&[
        "term",
        "tier.block",
        "cap",
        "name",
    ]);
}

#[tokio::test(start_paused = true)]
async fn operator_creates_a_token_for_an_account_that_lost_it() {
    let api = Api::start(at(START)).await;
    let account = api.account(json!({})).await;
    let users = api.get("/v1/users").token(&account.token).await.expect(200);
    let path = format!("/v1/accounts/{}/tokens", account.id);
    let create = async || api.post(&path).token(OPERATOR_TOKEN).key("k").await.expect(201);
    let created = create().await;
    assert_eq!(created["user_id"], users["results"][0]["id"]);
    let token = created["token"].as_str().unwrap();
    assert_eq!(create().await, created, "the token is returned again under its key");
    let tokens = api.get("/v1/tokens").token(token).await.expect(200);
    assert_eq!(column(&tokens["results"], "user_id").len(), 2);
    let lost =
        tokens["results"].as_array().unwrap().iter().find(|token| token["id"] != created["id"]).unwrap();
    let lost = format!("/v1/tokens/{}", lost["id"].as_str().unwrap());
    let _ = api.delete(&lost).token(token).await.expect(204);
    api.get("/v1/account").token(&account.token).await.problem(ProblemType::Unauthenticated);
    assert_eq!(api.get("/v1/account").token(token).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn unknown_account_is_not_found() {
    let api = Api::start(at(START)).await;
    for id in ["acc_00000000000000000000000000", "acc_1", "ada"] {
        let path = format!("/v1/accounts/{id}");
        api.get(&path).token(OPERATOR_TOKEN).await.problem(ProblemType::NotFound);
        let body = json!({"term": "annual"});
        api.patch(&path).token(OPERATOR_TOKEN).json(&body).await.problem(ProblemType::NotFound);
        api.post(&format!("{path}/tokens")).token(OPERATOR_TOKEN).await.problem(ProblemType::NotFound);
    }
    assert_eq!(api.get("/v1/accounts").token(OPERATOR_TOKEN).await.expect(200), json!({"results": []}));
}

#[tokio::test(start_paused = true)]
async fn only_the_operator_creates_accounts() {
    let api = Api::start(at(START)).await;
    let body = json!({"name": "Ada", "term": "annual", "renewal_date": "2027-06-15"});
    api.post("/v1/accounts").json(&body).await.problem(ProblemType::Unauthenticated);
    let account = api.account(json!({})).await;
    api.post("/v1/accounts").token(&account.token).json(&body).await.problem(ProblemType::PermissionDenied);
    // The operator's token is not valid for anything else.
    api.get("/v1/account").token(OPERATOR_TOKEN).await.problem(ProblemType::PermissionDenied);
}
