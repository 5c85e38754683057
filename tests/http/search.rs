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

/// A group with one filter.
fn only(name: &str, operator: &str, operands: Value) -> Value {
    let mut filter = json!({"propertyName": name, "operator": operator});
    filter.as_object_mut().unwrap().extend(operands.as_object().unwrap().clone());
    json!({"filters": [filter]})
}

/// Ada of Paris, 36, marketing; Bob of Berlin, 7, leaving; Eve, unsubscribed.
async fn three(api: &Api, account: &Tenant) {
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

#[tokio::test]
async fn operators_find_what_they_say() {
    let (api, account) = one_account(json!({})).await;
    three(&api, &account).await;
    let value = |value: Value| json!({"value": value});
    let table = [
        (only("city", "EQ", value(json!("PARIS"))), vec!["ada"]),
        (only("city", "NEQ", value(json!("paris"))), vec!["bob", "eve"]),
        (only("age", "LT", value(json!(36))), vec!["bob"]),
        (only("age", "LTE", value(json!("36.0"))), vec!["ada", "bob"]),
        (only("age", "GT", value(json!(7))), vec!["ada"]),
        (only("age", "GTE", value(json!(7))), vec!["ada", "bob"]),
        (only("age", "BETWEEN", json!({"value": 7, "highValue": 10})), vec!["bob"]),
        (only("city", "IN", json!({"values": ["berlin", "rome"]})), vec!["bob"]),
        (only("city", "NOT_IN", json!({"values": ["berlin", "rome"]})), vec!["ada", "eve"]),
        (only("city", "HAS_PROPERTY", json!({})), vec!["ada", "bob"]),
        (only("city", "NOT_HAS_PROPERTY", json!({})), vec!["eve"]),
        (only("bio", "CONTAINS_TOKEN", value(json!("count*"))), vec!["ada"]),
        (only("bio", "NOT_CONTAINS_TOKEN", value(json!("numbers"))), vec!["bob", "eve"]),
        (only("email", "EQ", value(json!("ADA@example.org"))), vec!["ada"]),
        (only("unsubscribed", "EQ", value(json!(true))), vec!["eve"]),
        (only("bounced", "EQ", value(json!("true"))), vec![]),
        (only("created_at", "GTE", value(json!("2026-11-10T12:00:01Z"))), vec!["bob", "eve"]),
        (only("updated_at", "LT", value(json!("2026-11-11"))), vec!["ada", "bob", "eve"]),
        (only("hs_marketable_status", "EQ", value(json!(true))), vec!["ada", "bob"]),
        (only("hs_marketable_until_renewal", "EQ", value(json!(true))), vec!["bob"]),
        (only("hs_marketable_reason_type", "EQ", value(json!("meeting"))), vec!["eve"]),
        (only("hs_marketable_reason_id", "EQ", value(json!("room 4"))), vec!["eve"]),
    ];
    for (group, expected) in table {
        assert_eq!(found(&api, &account, json!([group])).await, expected, "{group}");
    }
    let either =
        json!([only("city", "EQ", value(json!("paris"))), only("unsubscribed", "EQ", value(json!(true)))]);
    assert_eq!(found(&api, &account, either).await, ["ada", "eve"], "groups are OR");
    let both = json!([{"filters": [
        {"propertyName": "age", "operator": "GT", "value": 1}, {"propertyName": "city", "operator": "EQ", "value": "berlin"},
    ]}]);
    assert_eq!(found(&api, &account, both).await, ["bob"], "filters in one AND");
    assert_eq!(found(&api, &account, json!([])).await, ["ada", "bob", "eve"]);
    api.assert_exact(&account).await;
}

#[tokio::test]
async fn a_search_sees_the_state_as_of_now() {
    let (api, account) = one_account(json!({})).await;
    three(&api, &account).await;
    let status = |value: bool| json!([only("hs_marketable_status", "EQ", json!({"value": value}))]);
    api.clock.set(at(super::JUST_BEFORE));
    assert_eq!(found(&api, &account, status(true)).await, ["ada", "bob"]);
    api.clock.set(at(UPDATE));
    assert_eq!(found(&api, &account, status(true)).await, ["ada"]);
    assert_eq!(found(&api, &account, status(false)).await, ["bob", "eve"]);
    let by_date = json!([only("hs_marketable_reason_type", "EQ", json!({"value": "update_date"}))]);
    assert_eq!(found(&api, &account, by_date).await, ["bob"]);
    api.assert_exact(&account).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_search_is_named_by_its_place() {
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
