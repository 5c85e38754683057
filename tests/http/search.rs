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
        "limit": 1001, "after": "17", "sorts": [{"propertyName": "hs_other", "direction": "UP", "nulls": "FIRST"}], "total": 1,
        "query": "ada",
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
        "sorts[0].propertyName",
        "sorts[0].direction",
        "sorts[0].nulls",
        "total",
        "limit",
        "after",
        "query",
    ]);
}

/// Creates one contact for each body, a second apart.
async fn create_all(api: &Api, account: &Tenant, bodies: &[Value]) -> Vec<String> {
    let mut ids = Vec::new();
    for (second, body) in bodies.iter().enumerate() {
        api.clock.set(at(&format!("2026-11-10T12:00:{second:02}.000Z")));
        ids.push(api.contact(&account.token, body.clone()).await);
    }
    ids
}

async fn search(api: &Api, account: &Tenant, body: &Value) -> Value {
    api.post("/v1/contacts/search").token(&account.token).json(body).await.expect(200)
}

/// Creates contacts that are named by their addresses, each with a property `value` unless it is `null`.
async fn create_valued(api: &Api, account: &Tenant, values: &[(&str, Value)]) -> Vec<String> {
    let body = |(name, value): &(&str, Value)| {
        let properties = if value.is_null() { json!({}) } else { json!({"value": value}) };
        json!({"email": format!("{name}@example.org"), "properties": properties})
    };
    create_all(api, account, &values.iter().map(body).collect::<Vec<_>>()).await
}

#[tokio::test(start_paused = true)]
async fn negated_operators_find_contacts_without_the_property() {
    let (api, account) = one_account(json!({})).await;
    let values = [("a", json!("Delft")), ("b", json!("Rome")), ("c", json!(null))];
    create_valued(&api, &account, &values).await;
    let delft = json!({"value": "delft"});
    assert_eq!(found(&api, &account, json!([group("value", "NEQ", delft)])).await, ["b", "c"]);
    let values = json!({"values": ["delft", "rome"]});
    assert_eq!(found(&api, &account, json!([group("value", "NOT_IN", values)])).await, ["c"]);
}

#[tokio::test(start_paused = true)]
async fn flags_that_were_never_set_are_false() {
    let (api, account) = one_account(json!({})).await;
    create_three(&api, &account).await;
    let is = |value: bool| json!([group("unsubscribed", "EQ", json!({"value": value}))]);
    assert_eq!(found(&api, &account, is(false)).await, ["ada", "bob"]);
    assert_eq!(found(&api, &account, is(true)).await, ["eve"]);
}

#[tokio::test(start_paused = true)]
async fn texts_are_neither_above_nor_below_a_number() {
    let (api, account) = one_account(json!({})).await;
    let values = [
        ("a", json!("10")),
        ("b", json!("9")),
        ("c", json!("x")),
        ("d", json!("1 000")),
        ("e", json!("10,5")),
    ];
    create_valued(&api, &account, &values).await;
    let than = |operator, value: Value| json!([group("value", operator, json!({"value": value}))]);
    assert_eq!(found(&api, &account, than("GT", json!(9))).await, ["a"]);
    assert_eq!(found(&api, &account, than("LTE", json!(9))).await, ["b"]);
    assert_eq!(found(&api, &account, than("EQ", json!("10,5"))).await, ["e"]);
}

#[tokio::test(start_paused = true)]
async fn empty_texts_are_no_property() {
    let (api, account) = one_account(json!({})).await;
    let values = [("a", json!("Delft")), ("b", json!("")), ("c", json!(null)), ("d", json!("Rome"))];
    let ids = create_valued(&api, &account, &values).await;
    let cleared = format!("/v1/contacts/{}", ids[3]);
    let _ = api
        .patch(&cleared)
        .token(&account.token)
        .json(&json!({"properties": {"value": ""}}))
        .await
        .expect(200);
    let _ = api.contact(&account.token, json!({"properties": {"name": "nobody"}})).await;
    let is = |name, operator, value: Value| json!([group(name, operator, json!({"value": value}))]);
    let without =
        json!([group("value", "EQ", json!({"value": ""})), group("name", "HAS_PROPERTY", json!({})),]);
    let count =
        search(&api, &account, &json!({"filterGroups": without, "total": true})).await["total"].clone();
    assert_eq!(count, 4);
    assert_eq!(found(&api, &account, is("value", "NEQ", json!(""))).await, ["a"]);
    assert_eq!(found(&api, &account, json!([group("value", "HAS_PROPERTY", json!({}))])).await, ["a"]);
    assert_eq!(found(&api, &account, is("email", "NEQ", json!(""))).await, ["a", "b", "c", "d"]);
    let nobody = search(&api, &account, &json!({"filterGroups": is("email", "EQ", json!(""))})).await;
    assert_eq!(nobody["results"].as_array().unwrap().len(), 1);
    assert_eq!(nobody["results"][0]["properties"], json!({"name": "nobody"}));
    for operator in ["GT", "LTE"] {
        let body = json!({"filterGroups": is("value", operator, json!(""))});
        let reply = api.post("/v1/contacts/search").token(&account.token).json(&body).await;
        reply.assert_invalid(&["filterGroups[0].filters[0].value"]);
    }
}

#[tokio::test(start_paused = true)]
async fn domain_as_a_word_finds_the_addresses_of_a_company() {
    let (api, account) = one_account(json!({})).await;
    let bodies = ["a@corp.org", "b@eu.corp.org", "c@notcorp.org", "d@corp.org.uk"]
        .map(|email| json!({"email": email}));
    create_all(&api, &account, &bodies).await;
    let word = |word: &str| json!([group("email", "CONTAINS_TOKEN", json!({"value": word}))]);
    assert_eq!(found(&api, &account, word("corp.org")).await, ["a", "b"]);
    assert_eq!(found(&api, &account, word("*@corp.org")).await, ["a"]);
    assert_eq!(found(&api, &account, word("co*p.org")).await, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn dates_begin_at_midnight_in_utc() {
    let (api, account) = one_account(json!({})).await;
    for (email, created) in [("a", "2026-11-20T23:30:00.000Z"), ("b", "2026-11-21T00:00:00.000Z")] {
        api.clock.set(at(created));
        let _ = api.contact(&account.token, json!({"email": format!("{email}@example.org")})).await;
    }
    let since = |value: &str| json!([group("created_at", "GTE", json!({"value": value}))]);
    assert_eq!(found(&api, &account, since("2026-11-21")).await, ["b"]);
    assert_eq!(found(&api, &account, since("2026-11-21T00:00:00+01:00")).await, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn odd_characters_are_compared_as_ordinary_text() {
    let (api, account) = one_account(json!({})).await;
    let long = "a".repeat(1_000);
    let odd = ["'", "\"", "%", "_", "*", "\\", &long, "ordinary"];
    let names: Vec<String> = (0..odd.len()).map(|number| format!("p{number}")).collect();
    let values: Vec<_> = names.iter().zip(odd).map(|(name, text)| (&**name, json!(text))).collect();
    create_valued(&api, &account, &values).await;
    for (name, text) in &values {
        let groups = json!([group("value", "EQ", json!({"value": text}))]);
        assert_eq!(found(&api, &account, groups).await, [*name]);
    }
}

#[tokio::test(start_paused = true)]
async fn exact_ids_and_addresses_are_found() {
    let (api, account) = one_account(json!({})).await;
    create_three(&api, &account).await;
    let all = search(&api, &account, &json!({"filterGroups": []})).await;
    let ids = column(&all["results"], "id");
    let id = |operator, operands: Value| group("hs_object_id", operator, operands);
    let table = [
        (id("EQ", json!({"value": ids[1]})), vec!["bob"]),
        (id("EQ", json!({"value": ids[1].parse::<u64>().unwrap()})), vec!["bob"]),
        (id("NEQ", json!({"value": ids[1]})), vec!["ada", "eve"]),
        (id("IN", json!({"values": [ids[2], ids[0], "5"]})), vec!["ada", "eve"]),
        (id("GT", json!({"value": ids[0]})), vec!["bob", "eve"]),
        (id("LTE", json!({"value": ids[1]})), vec!["ada", "bob"]),
        (id("BETWEEN", json!({"value": ids[1], "highValue": ids[1]})), vec!["bob"]),
        (id("LT", json!({"value": 0})), vec![]),
        (group("email", "IN", json!({"values": ["EVE@example.org", "bob@example.org"]})), vec!["bob", "eve"]),
    ];
    for (group, expected) in table {
        assert_eq!(found(&api, &account, json!([group])).await, expected, "{group}");
    }
    let both = json!([
        id("EQ", json!({"value": ids[0]})),
        group("email", "EQ", json!({"value": "eve@example.org"}))
    ]);
    for (direction, expected) in [("ASCENDING", ["ada", "eve"]), ("DESCENDING", ["eve", "ada"])] {
        let sorts = json!([{"propertyName": "hs_object_id", "direction": direction}]);
        let body = json!({"filterGroups": both, "sorts": sorts, "limit": 1});
        assert_eq!(pages(&api, &account, body).await, expected);
    }
    let counted = search(&api, &account, &json!({"filterGroups": both, "total": true})).await;
    assert_eq!((&counted["total"], counted.get("examined")), (&json!(2), None), "nothing was scanned");
}

/// Reads all pages and returns the names of the contacts.
async fn pages(api: &Api, account: &Tenant, mut body: Value) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        let page = search(api, account, &body).await;
        let emails = column(&page["results"], "email");
        assert!(emails.len() <= usize::try_from(body["limit"].as_u64().unwrap()).unwrap());
        names.extend(emails.into_iter().map(|email| email.split('@').next().unwrap().to_owned()));
        match page.get("paging") {
            Some(paging) => body["after"] = paging["next"]["after"].clone(),
            None => return names,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn results_are_sorted_by_any_field_over_all_pages() {
    let (api, account) = one_account(json!({})).await;
    let values = [
        ("f", json!("banana")),
        ("e", json!(null)),
        ("d", json!("10")),
        ("c", json!("Apple")),
        ("b", json!("9.5")),
        ("a", json!("2026-11-21T00:00:00Z")),
        ("g", json!("BANANA")),
    ];
    create_valued(&api, &account, &values).await;
    let table = [
        ("value", "ASCENDING", ["b", "d", "a", "c", "f", "g", "e"]),
        ("value", "DESCENDING", ["f", "g", "c", "a", "d", "b", "e"]),
        ("email", "ASCENDING", ["a", "b", "c", "d", "e", "f", "g"]),
        ("email", "DESCENDING", ["g", "f", "e", "d", "c", "b", "a"]),
        ("created_at", "DESCENDING", ["g", "a", "b", "c", "d", "e", "f"]),
        ("hs_object_id", "ASCENDING", ["f", "e", "d", "c", "b", "a", "g"]),
        ("hs_object_id", "DESCENDING", ["g", "a", "b", "c", "d", "e", "f"]),
        ("unsubscribed", "DESCENDING", ["f", "e", "d", "c", "b", "a", "g"]),
    ];
    for (name, direction, expected) in table {
        for limit in [1, 2, 3, 6, 7, 8] {
            let sorts = json!([{"propertyName": name, "direction": direction}]);
            let body = json!({"filterGroups": [], "sorts": sorts, "limit": limit});
            assert_eq!(pages(&api, &account, body).await, expected, "{name} {direction} {limit}");
        }
    }
    let body = json!({"filterGroups": [], "sorts": [{"propertyName": "value"}], "limit": 1});
    assert_eq!(pages(&api, &account, body).await[0], "b", "ascending is the default");
}

#[tokio::test(start_paused = true)]
async fn total_counts_the_matches_of_all_pages() {
    let (api, account) = one_account(json!({})).await;
    create_three(&api, &account).await;
    let marketing = json!([group("hs_marketable_status", "EQ", json!({"value": true}))]);
    let mut body = json!({"filterGroups": marketing, "limit": 1, "total": true});
    let first = search(&api, &account, &body).await;
    let examined = json!({"contacts": 3, "complete": true});
    assert_eq!((&first["total"], &first["examined"]), (&json!(2), &examined));
    body["after"] = first["paging"]["next"]["after"].clone();
    let second = search(&api, &account, &body).await;
    assert_eq!((&second["total"], second.get("paging")), (&json!(2), None));
    assert_eq!(column(&second["results"], "email"), ["bob@example.org"]);

    body["total"] = json!(false);
    let page = search(&api, &account, &body).await;
    assert_eq!((page.get("total"), page.get("examined")), (None, None), "a page by id needs no scan");
    let sorted =
        search(&api, &account, &json!({"filterGroups": [], "sorts": [{"propertyName": "city"}]})).await;
    assert_eq!((sorted.get("total"), &sorted["examined"]), (None, &examined));
    let nobody = json!([group("city", "EQ", json!({"value": "Oslo"}))]);
    let none = search(&api, &account, &json!({"filterGroups": nobody, "total": true})).await;
    assert_eq!((&none["total"], &none["results"]), (&json!(0), &json!([])));
}

#[tokio::test(start_paused = true)]
async fn cursor_of_another_order_is_rejected() {
    let (api, account) = one_account(json!({})).await;
    create_three(&api, &account).await;
    let by = |name: &str, direction: &str| json!([{"propertyName": name, "direction": direction}]);
    let orders = [
        json!([]),
        by("hs_object_id", "DESCENDING"),
        by("city", "ASCENDING"),
        by("city", "DESCENDING"),
        by("age", "ASCENDING"),
    ];
    for (number, order) in orders.iter().enumerate() {
        let mut body = json!({"filterGroups": [], "sorts": order, "limit": 1});
        let page = search(&api, &account, &body).await;
        body["after"] = page["paging"]["next"]["after"].clone();
        for (other_number, other) in orders.iter().enumerate() {
            body["sorts"] = other.clone();
            let reply = api.post("/v1/contacts/search").token(&account.token).json(&body).await;
            if number == other_number {
                let _ = reply.expect(200);
            } else {
                reply.assert_invalid(&["after"]);
            }
        }
    }
}
