//! `/v1/usage/timeline` and `/v1/usage/forecast`.

use serde_json::{Value, json};
use testkit::{Api, Observer, Tenant, at};

use super::{UPDATE, column, one_account};

async fn timeline(api: &Api, account: &Tenant, query: &str) -> Value {
    let path = format!("/v1/usage/timeline{query}");
    api.get(&path).token(&account.token).await.expect(200)["results"].clone()
}

/// Creates an account with three marketing contacts on 10 November, one of which leaves on 1 December, and a fourth
/// contact on that day.
async fn some_weeks() -> (Api, Tenant) {
    let (api, account) = one_account(json!({"cap": 5})).await;
    let mut observer = Observer::of(&api.table).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(api.contact(&account.token, json!({"marketing": true})).await);
        observer.follow(&api.table, api.clock.now()).await;
    }
    let _ = api.queue(&account.token, &[&ids[0]]).await;
    observer.follow(&api.table, api.clock.now()).await;
    api.clock.set(at("2026-12-01T10:00:00.000Z"));
    let _ = api.assert_exact(&account).await;
    observer.follow(&api.table, api.clock.now()).await;
    let _ = api.contact(&account.token, json!({"marketing": true})).await;
    observer.follow(&api.table, api.clock.now()).await;
    (api, account)
}

#[tokio::test(start_paused = true)]
async fn timeline_has_every_day_since_the_creation() {
    let (api, account) = some_weeks().await;
    api.clock.set(at("2026-12-03T10:00:00.000Z"));
    let days = timeline(&api, &account, "").await;
    assert_eq!(days.as_array().unwrap().len(), 24);
    let day = |date: &str, marketing: u64, set: u64, queued: u64, left: u64, by_source: Value| {
        json!({"date": date, "marketing": marketing, "peak": marketing, "set": set, "kept": 0, "queued": queued,
               "left": left, "by_source": by_source})
    };
    assert_eq!(days[0], day("2026-11-10", 3, 3, 1, 0, json!({"manual": 3})));
    assert_eq!(days[20], day("2026-11-30", 3, 0, 0, 0, json!({})));
    assert_eq!(days[21], day("2026-12-01", 3, 1, 0, 1, json!({"manual": 1})));
    assert_eq!(days[23], day("2026-12-03", 3, 0, 0, 0, json!({})));
}

#[tokio::test(start_paused = true)]
async fn range_of_days_is_chosen_by_its_ends() {
    let (api, account) = some_weeks().await;
    let all = timeline(&api, &account, "").await;
    for (query, first, last) in [
        ("?from=2026-11-30", 20, 22),
        ("?to=2026-11-11", 0, 2),
        ("?from=2026-11-12&to=2026-11-12", 2, 3),
        ("?from=2020-01-01&to=2020-12-31", 0, 0),
        ("?from=2026-11-09&to=2027-11-09", 0, 22),
        ("?from=2027-01-01", 0, 0),
    ] {
        let expected = &all.as_array().unwrap()[first..last];
        assert_eq!(timeline(&api, &account, query).await.as_array().unwrap(), expected, "{query}");
    }
    for (query, field) in [
        ("?from=2026-11-12&to=2026-11-11", "to"),
        ("?from=2026-11-09&to=2027-11-10", "to"),
        ("?from=yesterday", "from"),
        ("?day=2026-11-12", "day"),
    ] {
        let path = format!("/v1/usage/timeline{query}");
        assert_eq!(api.get(&path).token(&account.token).await.invalid_fields(), [field], "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn today_is_exact_although_no_record_was_followed() {
    let (api, account) = one_account(json!({})).await;
    let _ = api.contact(&account.token, json!({"marketing": true})).await;
    let days = timeline(&api, &account, "").await;
    assert_eq!((&days[0]["marketing"], &days[0]["set"]), (&json!(1), &json!(1)));
    api.clock.set(at("2026-11-11T00:00:00.000Z"));
    let days = timeline(&api, &account, "").await;
    assert_eq!(column(&days, "date"), ["2026-11-10", "2026-11-11"]);
    assert_eq!((&days[1]["marketing"], &days[1]["set"]), (&json!(1), &json!(0)));
}

#[tokio::test(start_paused = true)]
async fn sandbox_has_the_days_of_its_own_clock() {
    let (api, account) =
        one_account(json!({"test_clock": "2030-01-30T12:00:00.000Z", "time_zone": "Asia/Tokyo"})).await;
    let _ = api.contact(&account.token, json!({"marketing": true})).await;
    let now = json!({"now": "2030-01-31T16:00:00.000Z"});
    let _ = api.post("/v1/account/test-clock").token(&account.token).json(&now).await.expect(200);
    let days = timeline(&api, &account, "").await;
    assert_eq!(column(&days, "date"), ["2030-01-30", "2030-01-31", "2030-02-01"], "it is February in Tokyo");
}

#[tokio::test(start_paused = true)]
async fn forecast_continues_the_pace_since_the_creation() {
    let (api, account) = some_weeks().await;
    api.clock.set(at("2026-12-01T12:00:00.000Z"));
    let forecast = api.get("/v1/usage/forecast").token(&account.token).await.expect(200);
    assert_eq!(
        forecast,
        json!({
            "next_update_at": "2027-01-01T00:00:00.000Z", "marketing": 3, "leaving": 0, "after_next_update": 3,
            "limit": 1000, "cap": 5, "pace": {"days": 22, "set_per_day": 0.18, "left_per_day": 0.05},
            "cap_reached_on": "2026-12-12", "is_estimate": true,
        })
    );
    let (api, account) = one_account(json!({"tier": {"included": 1, "block": 1}})).await;
    let _ = api.contact(&account.token, json!({"marketing": true})).await;
    let forecast = api.get("/v1/usage/forecast").token(&account.token).await.expect(200);
    assert_eq!(
        forecast,
        json!({
            "next_update_at": UPDATE, "marketing": 1, "leaving": 0, "after_next_update": 1, "limit": 1,
            "pace": {"days": 1, "set_per_day": 1.0, "left_per_day": 0.0}, "limit_reached_on": "2026-11-10",
            "is_estimate": true,
        })
    );
}
