//! Owners, the account, tokens, and the objects that do not exist.

use http::Method;
use serde_json::{Value, json};
use testkit::{Api, Tenant, at};

use super::super::{column, one_account};
use super::{answer, refusal, tick};

/// Returns the owners on a page.
async fn owners(api: &Api, account: &Tenant, query: &str) -> Value {
    answer(&api.get(&format!("/crm/v3/owners/{query}")).token(&account.token).await, 200)
}

#[tokio::test(start_paused = true)]
async fn owners_are_the_users() {
    let (api, account) = one_account(json!({})).await;
    for (name, email) in [("Ada King Lovelace", "Ada@example.org"), ("Eve", "eve@example.org")] {
        tick(&api);
        api.user(&account, json!({"name": name, "email": email})).await;
    }
    let first = owners(&api, &account, "?limit=2&archived=false").await;
    let [admin, ada] = first["results"].as_array().unwrap().as_slice() else { panic!("{first}") };
    assert_eq!(admin["email"], Value::Null, "the first user has no address yet");
    assert_eq!((&ada["firstName"], &ada["lastName"]), (&json!("Ada King"), &json!("Lovelace")));
    assert_eq!((&ada["type"], &ada["archived"]), (&json!("PERSON"), &json!(false)));
    let id = ada["id"].as_str().unwrap();
    assert_eq!(ada["userId"].as_u64().unwrap().to_string(), id);
    let after = first["paging"]["next"]["after"].as_str().unwrap();
    let second = owners(&api, &account, &format!("?limit=1&after={after}")).await;
    assert_eq!((column(&second["results"], "firstName"), &second["paging"]), (vec!["Eve"], &Value::Null));
    let found = owners(&api, &account, "?email=ada%40example.org").await;
    assert_eq!(column(&found["results"], "id"), [id]);
    assert_eq!(owners(&api, &account, "?email=nobody").await, json!({"results": []}));
    assert_eq!(owners(&api, &account, "?archived=true").await, json!({"results": []}));
    for property in ["", "?idProperty=id", "?idProperty=userId"] {
        let one = api.get(&format!("/crm/v3/owners/{id}{property}")).token(&account.token).await;
        assert_eq!(&answer(&one, 200), ada);
    }
    let wrong = api.get(&format!("/crm/v3/owners/{id}?idProperty=email")).token(&account.token).await;
    refusal(&wrong, 400, "VALIDATION_ERROR");
    tick(&api);
    let other = api.account(json!({})).await;
    refusal(&api.get(&format!("/crm/v3/owners/{id}")).token(&other.token).await, 404, "OBJECT_NOT_FOUND");
    assert_eq!(owners(&api, &other, "").await["results"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn account_has_all_details_that_clients_require() {
    let (api, account) = one_account(json!({"time_zone": "America/New_York"})).await;
    api.clock.set(at("2026-11-20T12:00:00.000Z"));
    let details = answer(&api.get("/account-info/v3/details").token(&account.token).await, 200);
    for name in ["accountType", "companyCurrency", "uiDomain", "dataHostingLocation"] {
        assert!(details[name].as_str().is_some_and(|text| !text.is_empty()), "{name}");
    }
    assert!(details["portalId"].as_u64().is_some_and(|portal| portal >= 10_000_000));
    assert_eq!((&details["timeZone"], &details["utcOffset"]), (&json!("America/New_York"), &json!("-05:00")));
    assert_eq!(
        (&details["utcOffsetMilliseconds"], &details["additionalCurrencies"]),
        (&json!(-18_000_000), &json!([]))
    );
    let usage = api.get("/account-info/v3/api-usage/daily/").token(&account.token).await;
    assert_eq!(answer(&usage, 200), json!({"results": []}));
    refusal(&api.get("/account-info/v3/details").await, 401, "INVALID_AUTHENTICATION");
}

#[tokio::test(start_paused = true)]
async fn token_shows_its_account_and_owner() {
    let (api, account) = one_account(json!({})).await;
    let ada = api.user(&account, json!({"name": "Ada", "email": "ada@example.org"})).await;
    let shop = api.integration(&account, json!({})).await;
    let details = answer(&api.get("/account-info/v3/details").token(&account.token).await, 200);
    // The token in the path is the only one.
    let shown = answer(&api.get(&format!("/oauth/v1/access-tokens/{}", ada.token)).await, 200);
    assert_eq!((&shown["token"], &shown["user"]), (&json!(ada.token), &json!("ada@example.org")));
    assert_eq!((&shown["hub_id"], &shown["token_type"]), (&details["portalId"], &json!("access")));
    assert!(shown["scopes"].as_array().unwrap().contains(&json!("crm.objects.contacts.read")));
    let owners = owners(&api, &account, "?email=ada@example.org").await;
    assert_eq!(shown["user_id"], owners["results"][0]["userId"]);
    let app = answer(&api.get(&format!("/oauth/v1/access-tokens/{}", shop.token)).await, 200);
    assert_eq!((&app["user"], app["app_id"].is_u64()), (&Value::Null, true));
    let body = json!({"tokenKey": shop.token});
    let private = answer(&api.post("/oauth/v2/private-apps/get/access-token-info").json(&body).await, 200);
    assert_eq!((&private["hubId"], &private["appId"]), (&details["portalId"], &app["app_id"]));
    assert_eq!(private["scopes"], shown["scopes"]);
}

#[tokio::test(start_paused = true)]
async fn unknown_token_is_not_repeated() {
    let (api, _) = one_account(json!({})).await;
    let long = "x".repeat(600);
    for token in ["tmk_unknown", "%20", &long] {
        for path in ["access-tokens", "refresh-tokens"] {
            let reply = api.get(&format!("/oauth/v1/{path}/{token}")).token("tmk_other").await;
            assert!(!reply.text().contains(token), "{}", reply.text());
            assert!(matches!(reply.status, 401 | 404), "{}", reply.text());
        }
        let body = json!({"tokenKey": token});
        let reply = api.post("/oauth/v2/private-apps/get/access-token-info").json(&body).await;
        refusal(&reply, 404, "OBJECT_NOT_FOUND");
    }
    for body in [json!({}), json!({"tokenKey": 7})] {
        let reply = api.post("/oauth/v2/private-apps/get/access-token-info").json(&body).await;
        refusal(&reply, 400, "VALIDATION_ERROR");
    }
    let grant = "grant_type=refresh_token&refresh_token=secret&client_id=a&client_secret=b";
    let reply = api.post("/oauth/v1/token").body("application/x-www-form-urlencoded", grant).await;
    let message = refusal(&reply, 400, "VALIDATION_ERROR");
    assert!(!message.contains("secret"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn contacts_have_no_associations() {
    let (api, account) = one_account(json!({})).await;
    let inputs = json!({"inputs": [{"id": "1"}]});
    for other in ["companies", "contacts", "deals"] {
        for version in ["v3", "v4"] {
            let path = format!("/crm/{version}/associations/contact/{other}/batch/read");
            let batch = answer(&api.post(&path).token(&account.token).json(&inputs).await, 200);
            assert_eq!((&batch["status"], &batch["results"]), (&json!("COMPLETE"), &json!([])));
        }
        let path = format!("/crm/v4/objects/contact/1/associations/{other}?limit=500");
        assert_eq!(answer(&api.get(&path).token(&account.token).await, 200), json!({"results": []}));
    }
    let read = api.post("/crm/v4/associations/contacts/companies/batch/read").json(&inputs).await;
    refusal(&read, 401, "INVALID_AUTHENTICATION");
}

#[tokio::test(start_paused = true)]
async fn other_objects_are_not_permitted() {
    let (api, account) = one_account(json!({})).await;
    for (method, path) in [
        (Method::GET, "/crm/v3/objects/companies"),
        (Method::GET, "/crm/v3/pipelines/deals"),
        (Method::POST, "/crm/v4/associations/companies/contacts/batch/read"),
        (Method::POST, "/crm/v4/associations/contacts/companies/batch/create"),
    ] {
        let reply = api.request(method, path).token(&account.token).json(&json!({})).await;
        refusal(&reply, 403, "MISSING_SCOPES");
    }
}
