//! `/v1/usage` and `/v1/usage/statements`.

use serde_json::{Value, json};
use testkit::at;

use super::{JUST_BEFORE, START, UPDATE, one_account};

#[tokio::test(start_paused = true)]
async fn usage_reports_the_current_and_the_next_period() {
    let (api, account) = one_account(json!({"tier": {"included": 4, "block": 4}, "cap": 6})).await;
    let token = &account.token;
    let nothing = api.assert_exact(&account).await;
    assert_eq!((&nothing["marketing"], &nothing["thresholds_crossed"]), (&json!(0), &json!([])));
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(api.contact(token, json!({"marketing": true})).await);
    }
    let _ = api.queue(token, &[&ids[0], &ids[1]]).await;
    assert_eq!(
        api.assert_exact(&account).await,
        json!({
            "period": {"number": 1, "starts_at": START, "ends_at": UPDATE}, "next_update_at": UPDATE,
            "marketing": 5, "leaving": 2, "after_next_update": 3,
            "tier": {"included": 4, "block": 4, "limit": 8, "percent": 62.5, "limit_raised": true},
            "cap": 6, "remaining_under_cap": 1, "thresholds_crossed": [75, 90, 98, 100],
        })
    );
}

#[tokio::test(start_paused = true)]
async fn thresholds_are_crossed_once_a_period() {
    let (api, account) = one_account(json!({"tier": {"included": 4, "block": 4}})).await;
    for crossed in [json!([]), json!([]), json!([75]), json!([75, 90, 98, 100])] {
        let _ = api.contact(&account.token, json!({"marketing": true})).await;
        assert_eq!(api.assert_exact(&account).await["thresholds_crossed"], crossed);
    }
}

#[tokio::test(start_paused = true)]
async fn each_closed_period_has_its_statement_newest_first() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let statements =
        async || api.get("/v1/usage/statements").token(token).await.expect(200)["results"].clone();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(api.contact(token, json!({"marketing": true})).await);
    }
    let _ = api.queue(token, &[&ids[0]]).await;
    api.clock.set(at(JUST_BEFORE));
    assert_eq!(statements().await, json!([]));

    api.clock.set(at("2027-02-01T00:00:00.000Z"));
    let statement = |number: u64, starts_at: &str, ends_at: &str, marketing: u64, left: u64| {
        json!({"number": number, "starts_at": starts_at, "ends_at": ends_at, "marketing": marketing, "left": left,
               "tier_limit": 1000})
    };
    let (january, february) = ("2027-01-01T00:00:00.000Z", "2027-02-01T00:00:00.000Z");
    let expected = json!([
        statement(3, january, february, 2, 0),
        statement(2, UPDATE, january, 2, 0),
        statement(1, START, UPDATE, 3, 1),
    ]);
    assert_eq!(statements().await, expected);
    assert_eq!(api.assert_exact(&account).await["period"]["number"], 4);
    assert_eq!(statements().await, expected, "a statement is written once");
}

#[tokio::test(start_paused = true)]
async fn usage_never_falls_within_a_period() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let mut usage = Value::from(0);
    let mut assert_not_lower = async |what: &str| {
        let now = api.assert_exact(&account).await["marketing"].clone();
        assert!(now.as_u64() >= usage.as_u64(), "{what}");
        usage = now;
    };
    let first = api.contact(token, json!({"email": "ada@example.org", "marketing": true})).await;
    let second = api.contact(token, json!({"email": "bob@example.org", "marketing": true})).await;
    let _ = api.queue(token, &[&first, &second]).await;
    assert_not_lower("queueing").await;
    let _ = api.delete(&format!("/v1/contacts/{first}")).token(token).await.expect(204);
    assert_not_lower("deleting").await;
    let _ = api.delete(&format!("/v1/contacts/{second}?erase=true")).token(token).await.expect(204);
    assert_not_lower("erasing").await;
    let body = json!({"marketing": false});
    let _ = api.put("/v1/contacts/by-email/ada@example.org").token(token).json(&body).await.expect(201);
    assert_not_lower("returning").await;
    assert_eq!(usage, 2);
}
