//! Lists over segments.

use serde_json::{Value, json};
use testkit::{Api, Reply, Tenant};

use super::super::{column, one_account};
use super::{answer, refusal, tick};

/// Creates a list and returns it.
async fn list(api: &Api, account: &Tenant, body: Value) -> Value {
    tick(api);
    let reply = api.post("/crm/v3/lists/").token(&account.token).json(&body).await;
    answer(&reply, 200)["list"].clone()
}

fn manual(name: &str) -> Value {
    json!({"name": name, "objectTypeId": "0-1", "processingType": "MANUAL"})
}

fn named(operator: &str, value: &str) -> Value {
    let include = operator == "IS_NOT_EQUAL_TO";
    json!({
        "filterBranchType": "OR", "filterBranchOperator": "OR", "filters": [],
        "filterBranches": [{
            "filterBranchType": "AND", "filterBranchOperator": "AND", "filterBranches": [],
            "filters": [{"filterType": "PROPERTY", "property": "firstname", "operation": {
                "operationType": "STRING", "operator": operator, "includeObjectsWithNoValueSet": include, "value": value,
            }}],
        }],
    })
}

fn dynamic(name: &str) -> Value {
    json!({
        "name": name, "objectTypeId": "0-1", "processingType": "DYNAMIC", "filterBranch": named("IS_EQUAL_TO", "Ada"),
    })
}

async fn get(api: &Api, account: &Tenant, path: &str) -> Reply {
    api.get(path).token(&account.token).await
}

/// Returns the records of a list.
async fn records(api: &Api, account: &Tenant, list: &Value) -> Vec<String> {
    let path = format!("/crm/v3/lists/{}/memberships", list["listId"].as_str().unwrap());
    let page = answer(&get(api, account, &path).await, 200);
    column(&page["results"], "recordId").into_iter().map(str::to_owned).collect()
}

/// Creates three contacts, two of them with the name Ada.
async fn three(api: &Api, account: &Tenant) -> Vec<String> {
    let mut ids = Vec::new();
    for (number, name) in ["Ada", "Eve", "Ada"].into_iter().enumerate() {
        tick(api);
        let body = json!({"email": format!("{number}@example.org"), "properties": {"firstname": name}});
        ids.push(api.contact(&account.token, body).await);
    }
    ids
}

#[tokio::test(start_paused = true)]
async fn list_is_created_read_renamed_and_deleted() {
    let (api, account) = one_account(json!({})).await;
    let created = list(&api, &account, dynamic("Adas")).await;
    assert_eq!(
        (
            &created["processingType"],
            &created["objectTypeId"],
            &created["processingStatus"],
            &created["listVersion"]
        ),
        (&json!("DYNAMIC"), &json!("0-1"), &json!("COMPLETE"), &json!(1))
    );
    assert_eq!(created["filterBranch"], named("IS_EQUAL_TO", "Ada"));
    let number: u64 = created["listId"].as_str().unwrap().parse().unwrap();
    assert!(number < 1 << 53);
    let path = format!("/crm/v3/lists/{number}");
    let read = answer(&get(&api, &account, &format!("{path}?includeFilters=true")).await, 200);
    assert_eq!(read["list"], created);
    let plain = answer(&get(&api, &account, &path).await, 200);
    assert_eq!(plain["list"]["filterBranch"], Value::Null);
    let by_name = answer(&get(&api, &account, "/crm/v3/lists/object-type-id/0-1/name/adas").await, 200);
    assert_eq!(by_name, plain);
    let renamed =
        api.put(&format!("{path}/update-list-name?listName=All%20Adas")).token(&account.token).await;
    let renamed = answer(&renamed, 200);
    assert_eq!(
        (&renamed["updatedList"]["name"], &renamed["updatedList"]["listVersion"]),
        (&json!("All Adas"), &json!(2))
    );
    let branch = json!({"filterBranch": named("IS_NOT_EQUAL_TO", "Eve")});
    let changed = api.put(&format!("{path}/update-list-filters")).token(&account.token).json(&branch).await;
    assert_eq!(answer(&changed, 200)["updatedList"]["filterBranch"], branch["filterBranch"]);
    assert_eq!(answer(&api.delete(&path).token(&account.token).await, 204), Value::Null);
    refusal(&get(&api, &account, &path).await, 404, "OBJECT_NOT_FOUND");
    refusal(&api.delete(&path).token(&account.token).await, 404, "OBJECT_NOT_FOUND");
}

#[tokio::test(start_paused = true)]
async fn filter_selects_the_members() {
    let (api, account) = one_account(json!({})).await;
    let ids = three(&api, &account).await;
    let adas = list(&api, &account, dynamic("Adas")).await;
    assert_eq!(records(&api, &account, &adas).await, [ids[0].clone(), ids[2].clone()]);
    let path = format!("/crm/v3/lists/{}/memberships", adas["listId"].as_str().unwrap());
    let first = answer(&get(&api, &account, &format!("{path}?limit=1")).await, 200);
    let next = &first["paging"]["next"];
    assert_eq!(next["after"], json!(ids[0]));
    let link = next["link"].as_str().unwrap();
    assert!(link.ends_with(&format!("{path}?limit=1&after={}", ids[0])), "{link}");
    let second = answer(&get(&api, &account, &format!("{path}?limit=1&after={}", ids[0])).await, 200);
    assert_eq!(column(&second["results"], "recordId"), [&*ids[2]]);
    let add = api.put(&format!("{path}/add")).token(&account.token).json(&json!([ids[1]])).await;
    let message = refusal(&add, 400, "VALIDATION_ERROR");
    assert!(message.contains("DYNAMIC"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn members_are_added_and_removed() {
    let (api, account) = one_account(json!({})).await;
    let ids = three(&api, &account).await;
    let created = list(&api, &account, manual("Guests")).await;
    let path = format!("/crm/v3/lists/{}/memberships", created["listId"].as_str().unwrap());
    let number: u64 = ids[0].parse().unwrap();
    // Ids are sent as texts and as numbers.
    let body = json!([number, ids[1], "7", "nobody"]);
    let added = answer(&api.put(&format!("{path}/add")).token(&account.token).json(&body).await, 200);
    let expected = json!({
        "recordsIdsAdded": [ids[0], ids[1]], "recordIdsRemoved": [], "recordIdsMissing": ["7", "nobody"],
    });
    assert_eq!(added, expected);
    let joined = answer(&get(&api, &account, &format!("{path}/join-order?limit=250")).await, 200);
    assert_eq!(joined["total"], 2);
    let now = api.clock.now().to_string();
    assert_eq!(column(&joined["results"], "membershipTimestamp"), [&*now, &*now]);
    let body = json!({"recordIdsToAdd": [ids[2]], "recordIdsToRemove": [ids[0], ids[2]]});
    let changed = api.put(&format!("{path}/add-and-remove")).token(&account.token).json(&body).await;
    assert_eq!(answer(&changed, 200)["recordIdsRemoved"], json!([ids[0]]), "a contact in both is removed");
    let removed =
        api.put(&format!("{path}/remove")).token(&account.token).json(&json!([ids[0], ids[1]])).await;
    assert_eq!(answer(&removed, 200)["recordIdsRemoved"], json!([ids[1]]));
    assert!(records(&api, &account, &created).await.is_empty());
    for body in [json!({}), json!("7"), json!(null)] {
        let reply = api.put(&format!("{path}/add")).token(&account.token).json(&body).await;
        refusal(&reply, 400, "VALIDATION_ERROR");
    }
}

#[tokio::test(start_paused = true)]
async fn snapshot_is_filled_once() {
    let (api, account) = one_account(json!({})).await;
    let ids = three(&api, &account).await;
    let mut body = dynamic("Adas of today");
    body["processingType"] = json!("SNAPSHOT");
    let snapshot = list(&api, &account, body).await;
    assert_eq!((&snapshot["processingType"], &snapshot["size"]), (&json!("MANUAL"), &json!(2)));
    let body = json!({"email": "later@example.org", "properties": {"firstname": "Ada"}});
    api.contact(&account.token, body).await;
    assert_eq!(records(&api, &account, &snapshot).await, [ids[0].clone(), ids[2].clone()]);
}

#[tokio::test(start_paused = true)]
async fn lists_are_searched_and_read_by_ids() {
    let (api, account) = one_account(json!({})).await;
    let guests = list(&api, &account, manual("Guests")).await;
    let adas = list(&api, &account, dynamic("Adas")).await;
    list(&api, &account, manual("Guests of honour")).await;
    let search = async |body: Value| {
        answer(&api.post("/crm/v3/lists/search").token(&account.token).json(&body).await, 200)
    };
    let page = search(json!({"query": "GUEST", "count": 1})).await;
    assert_eq!(column(&page["lists"], "name"), ["Guests"]);
    assert_eq!((&page["hasMore"], &page["offset"], &page["total"]), (&json!(true), &json!(1), &json!(2)));
    assert_eq!(page["lists"][0]["additionalProperties"], json!({"hs_list_size": "0"}));
    let rest = search(json!({"query": "guest", "offset": 1, "count": 20})).await;
    assert_eq!((&rest["hasMore"], &rest["offset"]), (&json!(false), &json!(2)));
    let sorted = search(json!({"sort": "HS_LIST_NAME", "processingTypes": ["DYNAMIC", "MANUAL"]})).await;
    assert_eq!(column(&sorted["lists"], "name"), ["Adas", "Guests", "Guests of honour"]);
    let by_id = search(json!({"listIds": [adas["listId"]]})).await;
    assert_eq!(column(&by_id["lists"], "name"), ["Adas"]);
    let refused =
        api.post("/crm/v3/lists/search").token(&account.token).json(&json!({"sort": "HS_FOLDER"})).await;
    refusal(&refused, 400, "VALIDATION_ERROR");
    let (one, other) = (guests["listId"].as_str().unwrap(), adas["listId"].as_str().unwrap());
    let path = format!("/crm/v3/lists/?listIds={other}&listIds={one}&listIds=7");
    let read = answer(&get(&api, &account, &path).await, 200);
    assert_eq!(column(&read["lists"], "name"), ["Adas", "Guests"]);
    assert_eq!(answer(&get(&api, &account, "/crm/v3/lists").await, 200), json!({"lists": []}));
}

#[tokio::test(start_paused = true)]
async fn invalid_list_is_refused_by_member() {
    let (api, account) = one_account(json!({})).await;
    let mut misnamed = dynamic("A");
    misnamed["filterBranch"]["filterBranches"][0]["filters"][0]["property"] = json!("nickname");
    for (body, member) in [
        (json!({}), "objectTypeId"),
        (json!({"objectTypeId": "0-2"}), "objectTypeId"),
        (json!({"objectTypeId": "0-1", "name": " "}), "name"),
        (json!({"objectTypeId": "0-1", "name": "A"}), "processingType"),
        (json!({"objectTypeId": "0-1", "name": "A", "processingType": "OTHER"}), "processingType"),
        (json!({"objectTypeId": "0-1", "name": "A", "processingType": "DYNAMIC"}), "filterBranch"),
        (misnamed, "filterBranch.filterBranches[0].filters[0].property"),
    ] {
        let reply = api.post("/crm/v3/lists").token(&account.token).json(&body).await;
        let message = refusal(&reply, 400, "VALIDATION_ERROR");
        assert!(message.starts_with(&format!("{member}: ")), "{message}");
    }
    let guests = list(&api, &account, manual("Guests")).await;
    let path = format!("/crm/v3/lists/{}/update-list-filters", guests["listId"].as_str().unwrap());
    let body = json!({"filterBranch": named("IS_EQUAL_TO", "Ada")});
    let reply = api.put(&path).token(&account.token).json(&body).await;
    assert!(refusal(&reply, 400, "VALIDATION_ERROR").contains("MANUAL"));
}

#[tokio::test(start_paused = true)]
async fn list_of_another_account_is_unknown() {
    let (api, account) = one_account(json!({})).await;
    let created = list(&api, &account, manual("Guests")).await;
    let id = created["listId"].as_str().unwrap();
    tick(&api);
    let other = api.account(json!({})).await;
    let (path, token) = (format!("/crm/v3/lists/{id}"), &other.token);
    refusal(&api.get(&path).token(token).await, 404, "OBJECT_NOT_FOUND");
    refusal(&api.delete(&path).token(token).await, 404, "OBJECT_NOT_FOUND");
    refusal(&api.get(&format!("{path}/memberships")).token(token).await, 404, "OBJECT_NOT_FOUND");
    let add = api.put(&format!("{path}/memberships/add")).token(token).json(&json!([])).await;
    refusal(&add, 404, "OBJECT_NOT_FOUND");
    refusal(
        &api.put(&format!("{path}/update-list-name?listName=x")).token(token).await,
        404,
        "OBJECT_NOT_FOUND",
    );
    let found = answer(&api.get(&format!("/crm/v3/lists?listIds={id}")).token(token).await, 200);
    assert_eq!(found, json!({"lists": []}));
    let found = answer(&api.post("/crm/v3/lists/search").token(token).json(&json!({})).await, 200);
    assert_eq!(found["total"], 0);
    refusal(&api.get(&path).await, 401, "INVALID_AUTHENTICATION");
    for id in ["seg_1", "01", "-1", "99999999999999999999", "%20"] {
        let reply = api.get(&format!("/crm/v3/lists/{id}")).token(&account.token).await;
        refusal(&reply, 404, "OBJECT_NOT_FOUND");
    }
}
