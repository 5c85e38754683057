//! `POST /v1/contacts/search`.

use serde_json::{Value, json};
use testkit::{Api, Tenant, at};

use super::{UPDATE, column, one_account};

async fn found(api: &Api, account: &Tenant, groups: Value) -> Vec<String> {
    let body = json!({"filterGroups": groups});
    let answer = api.post("/v1/contacts/search").token(&account.token).json(&body).await.expect(200);
    column(&answer["results"], "email")
        .into_iter()
        .map(|email| email.split('@').next().unwrap().to_owned())
        .collect()
}

/// Returns a group with one filter.
fn group(name: &str, operator: &str, operands: Value) -> Value {
    let mut filter = json!({"propertyName": name, "operator": operator});
    filter.as_object_mut().unwrap().extend(operands.as_object().unwrap().clone());
    json!({"filters": [filter]})
}

/// Creates three contacts: Ada (Paris, 36, marketing), Bob (Berlin, 7, leaving) and Eve (unsubscribed).
async fn create_three(api: &Api, account: &Tenant) {
    for (second, body) in [
        json!({"email": "ada@example.org", "properties": {"city": "Paris", "age": "36", "bio": "Countess, of numbers"}, "marketing": true}),
        json!({"email": "bob@example.org", "properties": {"city": "berlin", "age": "7"}, "marketing": true}),
        json!({"email": "eve@example.org", "unsubscribed": true, "source": {"type": "meeting", "name": "Desk", "id": "room 4"}}),
    ]
    .into_iter()
    .enumerate()
    {
        api.clock.set(at(&format!("2026-11-10T12:00:0{second}.000Z")));
        let id = api.contact(&account.token, body).await;
        if second == 1 {
            let _ = api.queue(&account.token, &[&id]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn operators_match_the_expected_contacts() {
    let (api, account) = one_account(json!({})).await;
    create_three(&api, &account).await;
    let value = |value: Value| json!({"value": value});
    let table = [
        (group("city", "EQ", value(json!("PARIS"))), vec!["ada"]),
        (group("city", "NEQ", value(json!("paris"))), vec!["bob", "eve"]),
        (group("age", "LT", value(json!(36))), vec!["bob"]),
        (group("age", "LTE", value(json!("36.0"))), vec!["ada", "bob"]),
        (group("age", "GT", value(json!(7))), vec!["ada"]),
        (group("age", "GTE", value(json!(7))), vec!["ada", "bob"]),
        (group("age", "BETWEEN", json!({"value": 7, "highValue": 10})), vec!["bob"]),
        (group("city", "IN", json!({"values": ["berlin", "rome"]})), vec!["bob"]),
        (group("city", "NOT_IN", json!({"values": ["berlin", "rome"]})), vec!["ada", "eve"]),
        (group("city", "HAS_PROPERTY", json!({})), vec!["ada", "bob"]),
        (group("city", "NOT_HAS_PROPERTY", json!({})), vec!["eve"]),
        (group("bio", "CONTAINS_TOKEN", value(json!("count*"))), vec!["ada"]),
        (group("bio", "NOT_CONTAINS_TOKEN", value(json!("numbers"))), vec!["bob", "eve"]),
        (group("email", "EQ", value(json!("ADA@example.org"))), vec!["ada"]),
        (group("unsubscribed", "EQ", value(json!(true))), vec!["eve"]),
        (group("bounced", "EQ", value(json!("true"))), vec![]),
        (group("created_at", "GTE", value(json!("2026-11-10T12:00:01Z"))), vec!["bob", "eve"]),
        (group("updated_at", "LT", value(json!("2026-11-11"))), vec!["ada", "bob", "eve"]),
        (group("hs_marketable_status", "EQ", value(json!(true))), vec!["ada", "bob"]),
        (group("hs_marketable_until_renewal", "EQ", value(json!(true))), vec!["bob"]),
        (group("hs_marketable_reason_type", "EQ", value(json!("meeting"))), vec!["eve"]),
        (group("hs_marketable_reason_id", "EQ", value(json!("room 4"))), vec!["eve"]),
    ];
    for (group, expected) in table {
        assert_eq!(found(&api, &account, json!([group])).await, expected, "{group}");
    }
    let either =
        json!([group("city", "EQ", value(json!("paris"))), group("unsubscribed", "EQ", value(json!(true)))]);
    assert_eq!(found(&api, &account, either).await, ["ada", "eve"], "groups are OR");
    let both = json!([{"filters": [
        {"propertyName": "age", "operator": "GT", "value": 1}, {"propertyName": "city", "operator": "EQ", "value": "berlin"},
    ]}]);
    assert_eq!(found(&api, &account, both).await, ["bob"], "filters in one AND");
    assert_eq!(found(&api, &account, json!([])).await, ["ada", "bob", "eve"]);
    api.assert_exact(&account).await;
}

#[tokio::test(start_paused = true)]
async fn search_uses_the_effective_state() {
    let (api, account) = one_account(json!({})).await;
    create_three(&api, &account).await;
    let status = |value: bool| json!([group("hs_marketable_status", "EQ", json!({"value": value}))]);
    api.clock.set(at(super::JUST_BEFORE));
    assert_eq!(found(&api, &account, status(true)).await, ["ada", "bob"]);
    api.clock.set(at(UPDATE));
    assert_eq!(found(&api, &account, status(true)).await, ["ada"]);
    assert_eq!(found(&api, &account, status(false)).await, ["bob", "eve"]);
    let by_date = json!([group("hs_marketable_reason_type", "EQ", json!({"value": "update_date"}))]);
    assert_eq!(found(&api, &account, by_date).await, ["bob"]);
    api.assert_exact(&account).await;
}

#[tokio::test(start_paused = true)]
async fn invalid_search_lists_every_error_by_path() {
    let (api, account) = one_account(json!({})).await;
    let body = json!({
        "filterGroups": [
            {"filters": [
                {"propertyName": "created_at", "operator": "LT", "value": "soon"},
                {"propertyName": "First Name", "operator": "like", "value": "x"},
                {"propertyName": "age", "operator": "EQ"},
                {"propertyName": "age", "operator": "BETWEEN", "value": 1},
                {"propertyName": "age", "operator": "IN", "values": []},
                {"propertyName": "age", "operator": "HAS_PROPERTY", "value": 1},
                {"propertyName": "hs_unknown", "operator": "EQ", "value": null},
            ]},
            {"filters": []}, {}, 7,
        ],
        "limit": 1001, "after": "17", "sorts": [],
    });
    api.post("/v1/contacts/search").token(&account.token).json(&body).await.assert_invalid(&[
        "filterGroups[0].filters[0].value",
        "filterGroups[0].filters[1].propertyName",
        "filterGroups[0].filters[1].operator",
        "filterGroups[0].filters[2].value",
        "filterGroups[0].filters[3].highValue",
        "filterGroups[0].filters[4].values",
        "filterGroups[0].filters[5].value",
        "filterGroups[0].filters[6].propertyName",
        "filterGroups[0].filters[6].value",
        "filterGroups[1].filters",
        "filterGroups[2].filters",
        "filterGroups[3]",
        "limit",
        "after",
        "sorts",
    ]);
}
