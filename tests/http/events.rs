//! `/v1/events`.

use serde_json::{Value, json};
use testkit::{Observer, at};

use super::{START, UPDATE, column, one_account};

#[tokio::test(start_paused = true)]
async fn events_of_the_account_are_listed_newest_first() {
    let (api, account) = one_account(json!({"tier": {"included": 4, "block": 4}, "cap": 5})).await;
    let token = &account.token;
    let mut observer = Observer::of(&api.table).await;
    for _ in 0..5 {
        let _ = api.contact(token, json!({"marketing": true})).await;
        observer.follow(&api.table, api.clock.now()).await;
    }
    api.clock.set(at(UPDATE));
    let _ = api.assert_exact(&account).await;
    observer.follow(&api.table, api.clock.now()).await;
    let mut events = api.get("/v1/events").token(token).await.expect(200)["results"].clone();
    assert_eq!(column(&events, "type")[0], "period.closed");
    let mut types = column(&events, "type");
    types.sort_unstable();
    let crossed = "usage.threshold-crossed";
    let expected =
        ["period.closed", "usage.cap-reached", "usage.limit-raised", crossed, crossed, crossed, crossed];
    assert_eq!(types, expected);
    let mut read = Vec::new();
    let mut query = "limit=3".to_owned();
    loop {
        let page = api.get(&format!("/v1/events?{query}")).token(token).await.expect(200);
        read.extend(page["results"].as_array().unwrap().clone());
        let Some(after) = page["paging"]["next"]["after"].as_str() else { break };
        query = format!("limit=3&after={after}");
    }
    assert_eq!(&read, events.as_array().unwrap());

    let mut without_id = |kind: &str| {
        let list = events.as_array_mut().unwrap();
        let event = list.iter_mut().rfind(|event| event["type"] == kind).unwrap();
        event.as_object_mut().unwrap().remove("id");
        event.clone()
    };
    assert_eq!(
        without_id("period.closed"),
        json!({"type": "period.closed", "at": UPDATE, "period": 1, "starts_at": START, "ends_at": UPDATE,
               "marketing": 5, "left": 0, "tier_limit": 8})
    );
    assert_eq!(
        without_id("usage.limit-raised"),
        json!({"type": "usage.limit-raised", "at": START, "period": 1, "marketing": 5, "tier_limit": 8})
    );
    assert_eq!(
        without_id("usage.cap-reached"),
        json!({"type": "usage.cap-reached", "at": START, "period": 1, "marketing": 5, "cap": 5})
    );

    let other = api.account(json!({})).await;
    assert_eq!(api.get("/v1/events").token(&other.token).await.expect(200), json!({"results": []}));
}

#[tokio::test(start_paused = true)]
async fn event_is_shown_for_400_days() {
    let (api, account) = one_account(json!({"tier": {"included": 1, "block": 1}, "test_clock": START})).await;
    let mut observer = Observer::of(&api.table).await;
    let _ = api.contact(&account.token, json!({"marketing": true})).await;
    observer.follow(&api.table, api.clock.now()).await;
    let shown = async || -> Vec<Value> {
        let page = api.get("/v1/events").token(&account.token).await.expect(200);
        page["results"].as_array().unwrap().clone()
    };
    assert_eq!(shown().await.len(), 4);
    api.clock.set(at(START).plus(chrono::TimeDelta::days(400)));
    assert_eq!(shown().await, Vec::<Value>::new());
}
