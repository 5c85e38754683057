//! Searches: totals, orders, places and filters, and the searches of incremental syncs.

use serde_json::{Value, json};
use testkit::{Api, Reply, Tenant, at};

use super::{CONTACTS, create, id, ids, people, refused};
use crate::http::{UPDATE, one_account};

async fn send(api: &Api, account: &Tenant, body: &Value) -> Reply {
    api.post(&format!("{CONTACTS}/search")).token(&account.token).json(body).await
}

async fn search(api: &Api, account: &Tenant, body: Value) -> Value {
    send(api, account, &body).await.expect(200)
}

#[tokio::test]
async fn results_have_a_total_and_a_place() {
    let (api, account) = one_account(json!({})).await;
    let made = people(&api, &account.token, &["ada", "grace", "mary", "joan", "kay"]).await;
    let mut after = json!(null);
    let mut found = Vec::new();
    loop {
        let page = search(&api, &account, json!({"limit": 2, "after": after})).await;
        assert_eq!(page["total"], 5);
        found.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(next) = page["paging"]["next"]["after"].as_str() else { break };
        after = if found.len() == 2 { json!(next.parse::<u64>().unwrap()) } else { json!(next) };
    }
    assert_eq!(found, made, "the oldest contact is first");
    for sorts in [json!(["-firstname"]), json!([{"propertyName": "firstname", "direction": "DESCENDING"}])] {
        let page = search(&api, &account, json!({"sorts": sorts, "limit": 2, "after": "1"})).await;
        assert_eq!(ids(&page), [&made[4], &made[3]].map(String::as_str), "mary, kay, joan, grace, ada");
    }
    for wrong in [
        json!({"limit": 201}),
        json!({"after": "x"}),
        json!({"after": 9_900, "limit": 101}),
        json!({"sorts": ["firstname", "lastname"]}),
        json!({"sorts": [{"propertyName": "firstname", "direction": "UP"}]}),
        json!({"filters": [{"propertyName": "firstname", "operator": "LIKE", "value": "a"}]}),
        json!({"filters": [{"propertyName": "First Name", "operator": "EQ", "value": "a"}]}),
        json!({"filters": 7}),
    ] {
        refused(&send(&api, &account, &wrong).await, 400, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn filters_have_the_forms_that_clients_send() {
    let (api, account) = one_account(json!({})).await;
    let made = people(&api, &account.token, &["ada", "grace", "mary"]).await;
    let filter = |name: &str, operator: &str, value: Value| json!({"propertyName": name, "operator": operator, "value": value});
    for (body, expected) in [
        (
            json!({"filterGroups": [{"filters": [filter("email", "EQ", json!("ADA@example.org"))]}]}),
            &made[..1],
        ),
        (
            json!({"filters": [filter("hs_object_id", "GT", json!(made[0].parse::<u64>().unwrap()))]}),
            &made[1..],
        ),
        (json!({"filters": [filter("hs_object_id", "GTE", json!(0))]}), &made[..]),
        (
            json!({"filters": [{"propertyName": "firstname", "operator": "IN", "values": ["ada", "mary", "x"]}], "sorts": ["-hs_object_id"], "limit": 1}),
            &made[2..],
        ),
        (json!({"filterGroups": [{"filters": []}]}), &made[..]),
        (json!({"filters": [filter("createdate", "GTE", json!(0))]}), &made[..]),
        (
            json!({"filters": [{"propertyName": "hs_email_optout", "operator": "NEQ", "value": "true"}]}),
            &made[..],
        ),
        (json!({"query": "gra"}), &made[1..2]),
        (json!({"query": "example.org MARY"}), &made[2..]),
        (json!({"query": "nobody"}), &made[..0]),
    ] {
        let page = search(&api, &account, body.clone()).await;
        assert_eq!(ids(&page), expected.iter().map(String::as_str).collect::<Vec<_>>(), "{body}");
    }
}

/// Returns what a sync of all changes since an instant finds, in pages of 2, by each of the orders that syncs use.
async fn changed_since(api: &Api, account: &Tenant, since: &str) -> Vec<String> {
    let mut runs = Vec::new();
    for sort in ["lastmodifieddate", "hs_object_id"] {
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let filters =
                json!([{"propertyName": "lastmodifieddate", "operator": "GTE", "value": at(since).millis()}]);
            let page = search(
                api,
                account,
                json!({"filters": filters, "sorts": [sort], "limit": 2, "after": after}),
            )
            .await;
            found.extend(ids(&page).into_iter().map(str::to_owned));
            match page["paging"]["next"]["after"].as_str() {
                Some(next) => after = next.parse().unwrap(),
                None => {
                    assert_eq!(page["total"], json!(found.len()));
                    break;
                }
            }
        }
        found.sort_unstable();
        runs.push(found);
    }
    assert_eq!(runs[0], runs[1]);
    runs.remove(0)
}

#[tokio::test]
async fn sync_finds_everyone_who_left_at_an_update_date() {
    for index_changes in [false, true] {
        let (api, account) = one_account(json!({})).await;
        if index_changes {
            let body = json!({"index_changes": true});
            let _ = api.patch("/v1/account").token(&account.token).json(&body).await.expect(200);
            api.clock.set(at("2026-11-12T12:00:00.000Z"));
        }
        let mut leaving = people(&api, &account.token, &["ada", "grace", "mary", "joan", "kay"]).await;
        let stays = people(&api, &account.token, &["ruth"]).await;
        api.set_marketing(&account.token, &[&leaving[..], &stays[..]].concat()).await;
        api.queue(&account.token, &leaving).await;
        let all = [leaving.clone(), stays.clone()].concat();
        let mut before = changed_since(&api, &account, "2026-11-10T12:00:00.000Z").await;
        let mut expected = all.clone();
        before.sort_unstable();
        expected.sort_unstable();
        assert_eq!(before, expected, "{index_changes}");
        api.clock.set(at("2026-12-02T08:00:00.000Z"));
        let edited = create(&api, &account.token, json!({"email": "edith@example.org"})).await;
        let mut found = changed_since(&api, &account, "2026-11-30T12:00:00.000Z").await;
        leaving.push(id(&edited).to_owned());
        leaving.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, leaving, "{index_changes}");
        assert_eq!(changed_since(&api, &account, "2026-12-01T00:00:00.001Z").await, [id(&edited)]);
        let exact = json!([{"propertyName": "lastmodifieddate", "operator": "EQ", "value": UPDATE}]);
        assert_eq!(search(&api, &account, json!({"filters": exact})).await["total"], 5);
    }
}
