//! Reads around the update date, on the wall clock and on a sandbox's clock.
//!
//! A leaving contact counts until one millisecond before the update date and no longer at the update date. Every read
//! shows this without any job having run.

use serde_json::{Value, json};
use testkit::{Api, Tenant, at};

use super::{JUST_BEFORE, UPDATE, column, one_account};

const ADDRESS: &str = "ada@example.org";

/// Returns everything that a caller can read about the contact and the usage.
async fn every_read(api: &Api, account: &Tenant, id: &str) -> Vec<(&'static str, Value)> {
    let get = async |path: &str| api.get(path).token(&account.token).await.expect(200);
    let post =
        async |path: &str, body: Value| api.post(path).token(&account.token).json(&body).await.expect(200);
    let billable = json!({"propertyName": "hs_marketable_status", "operator": "EQ", "value": true});
    let leaving = json!({"propertyName": "hs_marketable_until_renewal", "operator": "EQ", "value": true});
    let contacts = json!([{"id": id}]);
    let explanation = get(&format!("/v1/contacts/{id}/marketing")).await;
    let eligible = post("/v1/eligibility", json!({"tool": "marketing_email", "contacts": contacts})).await;
    let found = async |filter: Value| {
        let answer = post("/v1/contacts/search", json!({"filterGroups": [{"filters": [filter]}]})).await;
        json!(column(&answer["results"], "id").len())
    };
    let dry =
        post("/v1/contacts/non-marketing-pending", json!({"contacts": contacts, "dry_run": true})).await;
    let usage = get("/v1/usage").await;
    vec![
        ("contact", get(&format!("/v1/contacts/{id}")).await["marketing"]["state"].clone()),
        ("by email", get(&format!("/v1/contacts/by-email/{ADDRESS}")).await["marketing"]["state"].clone()),
        ("list", get("/v1/contacts").await["results"][0]["marketing"]["state"].clone()),
        ("search by status", found(billable).await),
        ("search by leaving", found(leaving).await),
        ("explanation", explanation["state"].clone()),
        ("billable", explanation["billable"].clone()),
        ("tools", explanation["tools"]["marketing_email"]["allowed"].clone()),
        ("eligibility", eligible["results"][0]["allowed"].clone()),
        ("dry run", dry["usage"]["marketing"].clone()),
        ("usage", usage["marketing"].clone()),
        ("leaving", usage["leaving"].clone()),
        ("period", get("/v1/account").await["period"]["number"].clone()),
        ("statements", json!(get("/v1/usage/statements").await["results"].as_array().unwrap().len())),
    ]
}

fn before() -> Vec<(&'static str, Value)> {
    vec![
        ("contact", json!("leaving")),
        ("by email", json!("leaving")),
        ("list", json!("leaving")),
        ("search by status", json!(1)),
        ("search by leaving", json!(1)),
        ("explanation", json!("leaving")),
        ("billable", json!(true)),
        ("tools", json!(true)),
        ("eligibility", json!(true)),
        ("dry run", json!(1)),
        ("usage", json!(1)),
        ("leaving", json!(1)),
        ("period", json!(1)),
        ("statements", json!(0)),
    ]
}

fn after() -> Vec<(&'static str, Value)> {
    vec![
        ("contact", json!("non_marketing")),
        ("by email", json!("non_marketing")),
        ("list", json!("non_marketing")),
        ("search by status", json!(0)),
        ("search by leaving", json!(0)),
        ("explanation", json!("non_marketing")),
        ("billable", json!(false)),
        ("tools", json!(false)),
        ("eligibility", json!(false)),
        ("dry run", json!(0)),
        ("usage", json!(0)),
        ("leaving", json!(0)),
        ("period", json!(2)),
        ("statements", json!(1)),
    ]
}

async fn with_leaving_contact(terms: Value) -> (Api, Tenant, String) {
    let (api, account) = one_account(terms).await;
    let id = api.contact(&account.token, json!({"email": ADDRESS, "marketing": true})).await;
    let _ = api.queue(&account.token, &[&id]).await;
    (api, account, id)
}

#[tokio::test(start_paused = true)]
async fn every_read_changes_at_the_update_date_on_the_wall_clock() {
    let (api, account, id) = with_leaving_contact(json!({})).await;
    api.clock.set(at(JUST_BEFORE));
    assert_eq!(every_read(&api, &account, &id).await, before());
    api.assert_exact(&account).await;
    api.clock.set(at(UPDATE));
    assert_eq!(every_read(&api, &account, &id).await, after());
    api.assert_exact(&account).await;
}

#[tokio::test(start_paused = true)]
async fn first_read_after_the_update_date_is_correct() {
    for path in [
        "/v1/contacts/{id}",
        "/v1/contacts/by-email/ada@example.org",
        "/v1/contacts",
        "/v1/contacts/{id}/marketing",
        "/v1/usage",
        "/v1/account",
        "/v1/usage/statements",
    ] {
        let (api, account, id) = with_leaving_contact(json!({})).await;
        api.clock.set(at(UPDATE));
        let path = path.replace("{id}", &id);
        let first = api.get(&path).token(&account.token).await.expect(200);
        assert_eq!(every_read(&api, &account, &id).await, after(), "{path}");
        assert_eq!(api.get(&path).token(&account.token).await.expect(200), first, "{path}");
        api.assert_exact(&account).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_read_changes_at_the_update_date_on_a_sandbox_clock() {
    let (api, account, id) = with_leaving_contact(json!({"test_clock": super::START})).await;
    let move_to = async |now: &str| {
        let reply = api.post("/v1/account/test-clock").token(&account.token).json(&json!({"now": now})).await;
        assert_eq!(reply.status, 200);
    };
    api.clock.set(at("2027-06-01T00:00:00.000Z"));
    move_to(JUST_BEFORE).await;
    assert_eq!(every_read(&api, &account, &id).await, before());
    api.assert_exact(&account).await;
    move_to(UPDATE).await;
    assert_eq!(every_read(&api, &account, &id).await, after());
    api.assert_exact(&account).await;
}

#[tokio::test(start_paused = true)]
async fn sweep_does_not_change_any_read() {
    let (api, account, id) = with_leaving_contact(json!({})).await;
    api.clock.set(at(UPDATE));
    let whole = async || {
        let get = async |path: String| api.get(&path).token(&account.token).await.expect(200);
        [
            get(format!("/v1/contacts/{id}")).await,
            get(format!("/v1/contacts/{id}/marketing")).await,
            get("/v1/contacts".to_owned()).await,
            get("/v1/usage".to_owned()).await,
            get("/v1/usage/statements".to_owned()).await,
        ]
    };
    let before = whole().await;
    let store = &api.table.store;
    let tasks = store.unswept(account.id, domain::period::PeriodNumber::FIRST).await.unwrap();
    let mut swept = 0;
    for task in tasks {
        swept += store.sweep(task, at(UPDATE), || true).await.unwrap().contacts;
    }
    assert_eq!(swept, 1);
    assert_eq!(whole().await, before);
    assert_eq!(every_read(&api, &account, &id).await, after());
    api.assert_exact(&account).await;
}

#[tokio::test(start_paused = true)]
async fn write_at_the_update_date_belongs_to_the_new_period() {
    let (api, account, id) = with_leaving_contact(json!({"cap": 1})).await;
    let token = &account.token;
    let other = api.contact(token, json!({})).await;
    api.clock.set(at(JUST_BEFORE));
    assert_eq!(api.set_marketing(token, &[&other]).await["results"][0]["reason"], "cap-reached");
    api.clock.set(at(UPDATE));
    let answer = api.set_marketing(token, &[&other, &id]).await;
    assert_eq!(column(&answer["results"], "outcome"), ["set", "refused"]);
    assert_eq!((&answer["usage"]["period"]["number"], &answer["usage"]["marketing"]), (&json!(2), &json!(1)));
    api.assert_exact(&account).await;
}
