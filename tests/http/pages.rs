//! Paging of lists and of search results.

use api::paging::cursor;
use domain::Timestamp;
use domain::ids::{ContactId, UserId};
use domain::period::PeriodNumber;
use serde_json::{Value, json};
use testkit::{Api, Tenant, at};

use super::{START, one_account};

const LISTS: [&str; 5] = ["/v1/contacts", "/v1/users", "/v1/tokens", "/v1/forms", "/v1/usage/statements"];

/// Creates an account with five users, contacts, tokens, forms and statements.
async fn five_of_each() -> (Api, Tenant) {
    let (api, account) = one_account(json!({})).await;
    for number in 0..4 {
        let _ = api.user(&account, json!({"name": format!("User {number}")})).await;
    }
    for number in 0..5 {
        let _ = api.contact(&account.token, json!({"properties": {"number": number.to_string()}})).await;
        let body = json!({"name": format!("Form {number}")});
        let _ = api.post("/v1/forms").token(&account.token).json(&body).await.expect(201);
    }
    api.clock.set(at("2027-04-10T00:00:00.000Z"));
    (api, account)
}

/// Returns a page's results and the cursor of the next page.
fn parts(page: &Value) -> (Vec<Value>, Option<String>) {
    let results = page["results"].as_array().unwrap().clone();
    (results, page["paging"]["next"]["after"].as_str().map(str::to_owned))
}

#[tokio::test(start_paused = true)]
async fn pages_of_any_size_add_up_to_the_list() {
    let (api, account) = five_of_each().await;
    for list in LISTS {
        let (whole, next) = parts(&api.get(list).token(&account.token).await.expect(200));
        assert_eq!((whole.len(), next), (5, None), "{list}");
        for limit in 1..=6 {
            let (mut read, mut pages, mut query) = (Vec::new(), 0, format!("limit={limit}"));
            loop {
                let page = api.get(&format!("{list}?{query}")).token(&account.token).await.expect(200);
                let (results, next) = parts(&page);
                assert!(results.len() <= limit, "{list}");
                read.extend(results);
                pages += 1;
                let Some(after) = next else { break };
                query = format!("after={after}&limit={limit}");
            }
            assert_eq!(read, whole, "{list} by {limit}");
            assert!(pages <= 5_usize.div_ceil(limit) + 1, "{list} by {limit}: {pages} pages");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn search_results_are_read_in_pages() {
    let (api, account) = five_of_each().await;
    let filter = json!([{"filters": [{"propertyName": "number", "operator": "GTE", "value": 1}]}]);
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let mut body = json!({"filterGroups": filter, "limit": 2});
        if let Some(after) = after {
            body["after"] = json!(after);
        }
        let page = api.post("/v1/contacts/search").token(&account.token).json(&body).await.expect(200);
        let (results, next) = parts(&page);
        read.extend(
            results.into_iter().map(|contact| contact["properties"]["number"].as_str().unwrap().to_owned()),
        );
        after = next;
        if after.is_none() {
            break;
        }
    }
    read.sort();
    assert_eq!(read, ["1", "2", "3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn next_page_continues_after_additions_and_deletions() {
    let (api, account) = one_account(json!({})).await;
    let mut ids = Vec::new();
    for second in 0..4_i64 {
        api.clock.set(at(START).plus(chrono::TimeDelta::seconds(second)));
        ids.push(api.contact(&account.token, json!({})).await);
    }
    let (_, next) = parts(&api.get("/v1/contacts?limit=2").token(&account.token).await.expect(200));
    let _ = api.delete(&format!("/v1/contacts/{}", ids[1])).token(&account.token).await.expect(204);
    ids.push(api.contact(&account.token, json!({})).await);
    let rest =
        api.get(&format!("/v1/contacts?after={}", next.unwrap())).token(&account.token).await.expect(200);
    let (rest, next) = parts(&rest);
    let mut rest: Vec<&str> = rest.iter().map(|contact| contact["id"].as_str().unwrap()).collect();
    rest[1..].sort_unstable();
    ids[3..].sort();
    assert_eq!((rest, next), (vec![ids[2].as_str(), &ids[3], &ids[4]], None));
}

#[tokio::test(start_paused = true)]
async fn invalid_limit_or_cursor_is_rejected() {
    let (api, account) = one_account(json!({})).await;
    let contact = cursor(&ContactId::new(Timestamp::MIN, 1));
    let user = cursor(&UserId::new(Timestamp::MIN, 1));
    let statement = cursor(&PeriodNumber::FIRST);
    for list in LISTS {
        for limit in
            ["0", "1001", "abc", "", "-1", "+1", "1.0", "1e2", "18446744073709551616", "%30x", "1%00"]
        {
            let reply = api.get(&format!("{list}?limit={limit}")).token(&account.token).await;
            assert_eq!(reply.invalid_fields(), ["limit"], "{list} {limit}");
        }
        let own = match list {
            "/v1/contacts" => Some(&contact),
            "/v1/users" => Some(&user),
            "/v1/usage/statements" => Some(&statement),
            _ => None,
        };
        let long = "A".repeat(2000);
        let others = [&contact, &user, &statement]
            .into_iter()
            .filter(|cursor| Some(*cursor) != own)
            .map(String::as_str);
        for after in others.chain(["", "x", "17", "%00", "%FF", "../", "Y29uXzE=", &long]) {
            let reply = api.get(&format!("{list}?after={after}")).token(&account.token).await;
            assert_eq!(reply.invalid_fields(), ["after"], "{list} {after}");
        }
        if let Some(own) = own {
            assert_eq!(
                api.get(&format!("{list}?after={own}&limit=1000")).token(&account.token).await.status,
                200
            );
        }
        let reply = api.get(&format!("{list}?limit=0&after=x&page=2&limit=5")).token(&account.token).await;
        let mut fields = reply.invalid_fields();
        fields.sort();
        assert_eq!(fields, ["after", "limit", "page"], "{list}");
    }
    for (paging, field) in [
        (json!({"limit": 0}), "limit"),
        (json!({"limit": 1001}), "limit"),
        (json!({"limit": "5"}), "limit"),
        (json!({"after": user}), "after"),
        (json!({"after": ""}), "after"),
        (json!({"after": 7}), "after"),
    ] {
        let mut body = json!({"filterGroups": []});
        body.as_object_mut().unwrap().extend(paging.as_object().unwrap().clone());
        let reply = api.post("/v1/contacts/search").token(&account.token).json(&body).await;
        assert_eq!(reply.invalid_fields(), [field], "{body}");
    }
}
