//! `POST /v1/accounts`.

use api::Slug;
use domain::limits::USAGE_MAX;
use serde_json::json;
use testkit::{Api, OPERATOR_TOKEN, at};

use super::START;

#[tokio::test]
async fn an_account_has_the_usual_terms_unless_others_are_said() {
    let api = Api::start(at(START)).await;
    let body = json!({"name": "Ada & Co", "term": "annual", "renewal_date": "2027-06-15"});
    let reply = api.post("/v1/accounts").token(OPERATOR_TOKEN).json(&body).await;
    assert_eq!(reply.header("location"), Some("/v1/account"));
    let made = reply.expect(201);
    let id = made["account"]["id"].as_str().unwrap();
    assert!(id.starts_with("acc_") && id.len() == 30, "{id}");
    assert_eq!(
        made["account"],
        json!({
            "id": id, "name": "Ada & Co", "time_zone": "UTC", "term": "annual", "renewal_date": "2027-06-15",
            "marketing_contacts": true, "tier": {"included": 1000, "block": 1000, "limit": 1000}, "cap": null,
            "period": {"number": 1, "starts_at": START, "ends_at": "2026-12-01T00:00:00.000Z"},
            "defaults": {"external_form": true, "chatflow": false, "chatflows": {}}, "created_at": START,
        })
    );
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("tmk_") && token.len() == 47);
    assert_eq!(api.get("/v1/account").token(token).await.expect(200), made["account"]);
}

#[tokio::test]
async fn all_terms_can_be_said() {
    let api = Api::start(at(START)).await;
    let body = json!({
        "name": "Ada & Co", "time_zone": "America/New_York", "term": "monthly", "renewal_date": "2026-01-31",
        "tier": {"included": 0, "block": 50}, "cap": 0, "marketing_contacts": false,
        "test_clock": "2026-02-10T12:00:00+01:00",
    });
    let made = api.post("/v1/accounts").token(OPERATOR_TOKEN).json(&body).await.expect(201);
    let account = &made["account"];
    assert_eq!(account["test_clock"], "2026-02-10T11:00:00.000Z");
    // The 31st of a month that has 28 days, at midnight in New York.
    assert_eq!(account["period"]["ends_at"], "2026-02-28T05:00:00.000Z");
    assert_eq!(account["period"]["starts_at"], "2026-02-10T11:00:00.000Z");
    assert_eq!(account["tier"], json!({"included": 0, "block": 50, "limit": 0}));
    assert_eq!((&account["cap"], &account["marketing_contacts"]), (&json!(0), &json!(false)));
    assert_eq!(account["created_at"], START, "on the wall clock, as an invoice has it");
}

#[tokio::test]
async fn terms_that_cannot_be_are_named_all_at_once() {
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
    assert!(!reply.text().contains("Mars"), "what was sent is not repeated");
}

#[tokio::test]
async fn a_bad_zone_or_date_is_refused_by_itself() {
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

#[tokio::test]
async fn only_the_operator_makes_accounts() {
    let api = Api::start(at(START)).await;
    let body = json!({"name": "Ada", "term": "annual", "renewal_date": "2027-06-15"});
    api.post("/v1/accounts").json(&body).await.problem(Slug::Unauthenticated);
    let account = api.account(json!({})).await;
    api.post("/v1/accounts").token(&account.token).json(&body).await.problem(Slug::PermissionDenied);
    // And the operator does nothing else.
    api.get("/v1/account").token(OPERATOR_TOKEN).await.problem(Slug::PermissionDenied);
}
