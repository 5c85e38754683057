//! `/v1/segments`: stored filters and static lists.

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{Api, TABLE, Tenant, at};

use super::{column, one_account};

/// Creates a segment and returns its id.
pub async fn segment(api: &Api, account: &Tenant, body: Value) -> String {
    let created = api.post("/v1/segments").token(&account.token).json(&body).await.expect(201);
    created["id"].as_str().unwrap().to_owned()
}

/// Returns the addresses of a segment's contacts.
async fn members(api: &Api, account: &Tenant, segment: &str) -> Vec<String> {
    let path = format!("/v1/segments/{segment}/contacts");
    let contacts = api.get(&path).token(&account.token).await.expect(200);
    column(&contacts["results"], "email").into_iter().map(str::to_owned).collect()
}

async fn three(api: &Api, account: &Tenant) -> Vec<String> {
    let mut ids = Vec::new();
    for (second, name) in ["ada", "bob", "eve"].into_iter().enumerate() {
        api.clock.set(at(&format!("2026-11-10T12:00:0{second}.000Z")));
        let body = json!({"email": format!("{name}@example.org"), "properties": {"city": "Delft"}});
        ids.push(api.contact(&account.token, body).await);
    }
    api.clock.set(at("2026-11-10T12:01:00.000Z"));
    ids
}

fn delft() -> Value {
    json!([{"filters": [{"propertyName": "city", "operator": "EQ", "value": "Delft"}]}])
}

#[tokio::test(start_paused = true)]
async fn filter_is_stored_changed_and_deleted() {
    let (api, account) = one_account(json!({})).await;
    three(&api, &account).await;
    let token = &account.token;
    let dated = json!([{"filters": [
        {"propertyName": "created_at", "operator": "GTE", "value": "2026-11-10"},
    ]}]);
    let body = json!({"name": "Recent", "filterGroups": dated});
    let reply = api.post("/v1/segments").token(token).json(&body).await;
    let path = reply.header("location").unwrap().to_owned();
    let created = reply.expect(201);
    assert_eq!(created["type"], "filter");
    assert_eq!(created["filterGroups"][0]["filters"][0]["value"], "2026-11-10T00:00:00.000Z");
    assert_eq!(api.get(&path).token(token).await.expect(200), created);
    assert_eq!(members(&api, &account, created["id"].as_str().unwrap()).await.len(), 3);
    let body = json!({"name": "In Rome", "filterGroups": [{"filters": [
        {"propertyName": "city", "operator": "EQ", "value": "Rome"},
    ]}]});
    let changed = api.patch(&path).token(token).json(&body).await.expect(200);
    assert_eq!((&changed["name"], &changed["id"]), (&json!("In Rome"), &created["id"]));
    assert!(members(&api, &account, created["id"].as_str().unwrap()).await.is_empty());
    api.post(&format!("{path}/members"))
        .token(token)
        .json(&json!({"add": [{"id": "1"}]}))
        .await
        .problem(ProblemType::InvalidRequest);
    let listed = api.get("/v1/segments").token(token).await.expect(200);
    assert_eq!(column(&listed["results"], "name"), ["In Rome"]);
    assert_eq!(api.delete(&path).token(token).await.status, 204);
    api.get(&path).token(token).await.problem(ProblemType::NotFound);
    assert_eq!(
        api.get("/v1/contacts").token(token).await.expect(200)["results"].as_array().unwrap().len(),
        3
    );
}

#[tokio::test(start_paused = true)]
async fn list_adds_and_removes_members_and_names_unknown_ones() {
    let (api, account) = one_account(json!({})).await;
    let ids = three(&api, &account).await;
    let token = &account.token;
    let contacts = json!([{"id": ids[0]}, {"email": "ADA@example.org"}, {"email": "no@one.example"}]);
    let body = json!({"name": "Friends", "contacts": contacts});
    let created = api.post("/v1/segments").token(token).json(&body).await.expect(201);
    assert_eq!(created["members"]["added"], 1, "a member is one");
    assert_eq!(created["members"]["not_found"], json!([{"email": "no@one.example"}]));
    let list = created["id"].as_str().unwrap();
    let path = format!("/v1/segments/{list}/members");
    let body = json!({
        "add": [{"id": ids[0]}, {"id": ids[1]}, {"email": "eve@example.org"}, {"id": "7"}, {"id": "x"}],
        "remove": [{"id": ids[2]}, {"email": "no@one.example"}],
    });
    let change = api.post(&path).token(token).json(&body).await.expect(200);
    assert_eq!(
        change,
        json!({"added": 1, "already_members": 1, "removed": 0, "not_members": 1,
               "not_found": [{"id": "7"}, {"id": "x"}, {"email": "no@one.example"}]})
    );
    assert_eq!(members(&api, &account, list).await, ["ada@example.org", "bob@example.org"]);
    let first = api.get(&format!("/v1/segments/{list}/contacts?limit=1")).token(token).await.expect(200);
    let after = first["paging"]["next"]["after"].as_str().unwrap();
    let next = api
        .get(&format!("/v1/segments/{list}/contacts?limit=1&after={after}"))
        .token(token)
        .await
        .expect(200);
    assert_eq!(column(&next["results"], "email"), ["bob@example.org"]);
    assert!(next.get("paging").is_none());
    let body = json!({"filterGroups": delft()});
    let refused = api.patch(&format!("/v1/segments/{list}")).token(token).json(&body).await;
    refused.problem(ProblemType::InvalidRequest);
}

#[tokio::test(start_paused = true)]
async fn thousand_members_are_added_in_one_request() {
    let (api, account) = one_account(json!({})).await;
    let state = domain::marketing::EffectiveState::NonMarketing;
    let ids = testkit::seed(&api.table, account.id, 1_000, state, api.clock.now()).await;
    let contacts: Vec<Value> = ids.iter().map(|id| json!({"id": id.to_string()})).collect();
    let created = api
        .post("/v1/segments")
        .token(&account.token)
        .header("idempotency-key", "list")
        .json(&json!({"name": "All", "contacts": contacts}));
    let created = created.await.expect(201);
    assert_eq!(created["members"]["added"], 1_000);
    let repeat = api
        .post("/v1/segments")
        .token(&account.token)
        .header("idempotency-key", "list")
        .json(&json!({"name": "All", "contacts": contacts}));
    assert_eq!(repeat.await.expect(201), created);
    let path = format!("/v1/segments/{}/contacts?limit=1000", created["id"].as_str().unwrap());
    api.clock.set(at("2026-11-10T12:01:00.000Z"));
    let page = api.get(&path).token(&account.token).await.expect(200);
    assert_eq!(page["results"].as_array().unwrap().len(), 1_000);
    assert!(page.get("paging").is_none());
}

#[tokio::test(start_paused = true)]
async fn erased_contact_leaves_every_list() {
    let (api, account) = one_account(json!({})).await;
    let ids = three(&api, &account).await;
    let contacts = json!([{"id": ids[0]}, {"id": ids[1]}]);
    let one = segment(&api, &account, json!({"name": "One", "contacts": contacts})).await;
    let other = segment(&api, &account, json!({"name": "Other", "contacts": contacts})).await;
    let path = format!("/v1/contacts/{}?erase=true", ids[0]);
    assert_eq!(api.delete(&path).token(&account.token).await.status, 204);
    for list in [&one, &other] {
        assert_eq!(members(&api, &account, list).await, ["bob@example.org"]);
    }
    let scan = api.table.client.scan().table_name(TABLE).send().await.unwrap().items.unwrap();
    let left = scan.iter().filter(|item| {
        let key = format!("{:?}{:?}", item["pk"], item["sk"]);
        key.contains(&ids[0])
    });
    assert_eq!(left.count(), 0, "no item names the erased contact");
}

#[tokio::test(start_paused = true)]
async fn address_that_returns_is_no_member_until_it_is_added() {
    let (api, account) = one_account(json!({})).await;
    let ada = json!({"email": "ada@example.org", "marketing": true});
    let id = api.contact(&account.token, ada.clone()).await;
    let list = segment(&api, &account, json!({"name": "Friends", "contacts": [{"id": id}]})).await;
    api.clock.set(at("2026-11-11T12:00:00.000Z"));
    assert_eq!(api.delete(&format!("/v1/contacts/{id}")).token(&account.token).await.status, 204);
    api.clock.set(at("2026-11-12T12:00:00.000Z"));
    assert_eq!(api.contact(&account.token, ada).await, id, "the unit is used again");
    assert!(members(&api, &account, &list).await.is_empty());
    let path = format!("/v1/segments/{list}/members");
    let added = api.post(&path).token(&account.token).json(&json!({"add": [{"id": id}]})).await.expect(200);
    assert_eq!(added["added"], 1);
    assert_eq!(members(&api, &account, &list).await, ["ada@example.org"]);
}

#[tokio::test(start_paused = true)]
async fn deleted_list_keeps_its_contacts_and_waiting_jobs() {
    let (api, account) = one_account(json!({})).await;
    let ids = three(&api, &account).await;
    let token = &account.token;
    let list =
        segment(&api, &account, json!({"name": "Friends", "contacts": [{"id": ids[0]}, {"id": ids[1]}]}))
            .await;
    let filter = segment(&api, &account, json!({"name": "Delft", "filterGroups": delft()})).await;
    let mut jobs = Vec::new();
    for (segment, count) in [(&list, 2), (&filter, 3)] {
        let body =
            json!({"action": "set-marketing", "selection": {"segment_id": segment}, "confirm_count": count});
        let job = api.post("/v1/bulk/jobs").token(token).json(&body).await.expect(202);
        jobs.push(job["job"]["id"].as_str().unwrap().to_owned());
        assert_eq!(api.delete(&format!("/v1/segments/{segment}")).token(token).await.status, 204);
    }
    let body = json!({"action": "set-marketing", "selection": {"segment_id": list}, "confirm_count": 2});
    let refused = api.post("/v1/bulk/jobs").token(token).json(&body).await;
    refused.problem(ProblemType::InvalidRequest);
    api.work_on_bulk_jobs().await;
    for (job, summary) in jobs.iter().zip([(2, 0), (1, 2)]) {
        let job = api.get(&format!("/v1/bulk/jobs/{job}")).token(token).await.expect(200);
        assert_eq!((&job["state"], &job["summary"]["set"]), (&json!("done"), &json!(summary.0)));
        assert_eq!(job["summary"]["unchanged"], summary.1);
    }
    assert_eq!(
        api.get("/v1/bulk/jobs").token(token).await.expect(200)["results"].as_array().unwrap().len(),
        2
    );
    let scan = api.table.client.scan().table_name(TABLE).send().await.unwrap().items.unwrap();
    assert!(!scan.iter().any(|item| format!("{:?}", item["pk"]).contains("MEMBER")), "no member is left");
    api.assert_exact(&account).await;
}
