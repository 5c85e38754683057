//! Anonymous posts to public forms: the limits they raise, the contacts they change, and the responses they receive.

use api::ProblemType;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use testkit::{Api, Tenant};

use super::one_account;

/// Creates a form with these settings and returns its id.
async fn form(api: &Api, account: &Tenant, settings: Value) -> String {
    let mut body = json!({"name": "Newsletter"});
    body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let form = api.post("/v1/forms").token(&account.token).json(&body).await.expect(201);
    form["id"].as_str().unwrap().to_owned()
}

async fn report(api: &Api, account: &Tenant, form: &str) -> Value {
    api.get(&format!("/v1/forms/{form}")).token(&account.token).await.expect(200)
}

/// The number of concurrent posts.
const CONCURRENCY: usize = 8;

#[tokio::test(start_paused = true)]
async fn submissions_beyond_the_tier_do_not_raise_its_limit() {
    let (api, account) = one_account(json!({})).await;
    let form = form(&api, &account, json!({})).await;
    let path = format!("/v1/forms/{form}/submissions");
    let (api_ref, path) = (&api, &path);
    let posts = (0..1_001).map(|n| async move {
        let body = json!({"fields": {"email": format!("p{n}@example.org")}});
        api_ref.post(path).json(&body).await.status
    });
    let statuses: Vec<u16> = stream::iter(posts).buffer_unordered(CONCURRENCY).collect().await;
    assert!(statuses.iter().all(|status| *status == 200));
    api.settle_inbox().await;
    let usage = api.assert_exact(&account).await;
    assert_eq!((&usage["marketing"], &usage["tier"]["limit"]), (&json!(1_000), &json!(1_000)));
    let scan = testkit::scan(&api.table.client, account.id).await;
    assert_eq!((scan.contacts, scan.billable), (1_001, 1_000), "a submission was lost");
    let counts = report(&api, &account, &form).await["counts"].clone();
    assert_eq!((&counts["set"], &counts["not_set_by_tier"]), (&json!(1_000), &json!(1)));
    assert_eq!(counts["received"], 1_001);
}

#[tokio::test(start_paused = true)]
async fn account_default_lets_forms_raise_the_tier() {
    let (api, account) = one_account(json!({"tier": {"included": 1, "block": 1}})).await;
    let form = form(&api, &account, json!({"answer": "full"})).await;
    let path = format!("/v1/forms/{form}/submissions");
    let submit = async |address: &str| {
        let body = json!({"fields": {"email": address}});
        api.post(&path).json(&body).await.expect(200)
    };
    assert_eq!(submit("a@example.org").await["marketing"], "set");
    let beyond = submit("b@example.org").await;
    assert_eq!((&beyond["marketing"], &beyond["reason"]), (&json!("not_set"), &json!("tier-limit")));
    let defaults = json!({"defaults": {"forms_may_raise_tier": true}});
    let changed = api.patch("/v1/account").token(&account.token).json(&defaults).await.expect(200);
    assert_eq!(changed["defaults"]["forms_may_raise_tier"], true);
    assert_eq!(submit("b@example.org").await["marketing"], "set");
    assert_eq!(api.assert_exact(&account).await["tier"]["limit"], 2);
}

/// Each case has a form's settings, a change to them, and true if the change lets the form set more marketing contacts.
#[tokio::test(start_paused = true)]
async fn widening_a_form_requires_the_permission() {
    let (api, account) = one_account(json!({})).await;
    let member = api.user(&account, json!({"modify_marketing_contacts": false})).await;
    let secrets = json!({"provider": "generic", "secrets": ["the-first-secret-of-it"]});
    for (settings, change, widens) in [
        (json!({"max_new_marketing_per_day": 5}), json!({"max_new_marketing_per_day": 6}), true),
        (json!({"max_new_marketing_per_day": 5}), json!({"max_new_marketing_per_day": null}), true),
        (json!({"max_new_marketing_per_day": 5}), json!({"max_new_marketing_per_day": 4}), false),
        (json!({}), json!({"max_new_marketing_per_day": 4}), false),
        (secrets.clone(), json!({"secrets": ["another-secret-of-it"]}), true),
        (secrets, json!({"secrets": []}), false),
        (json!({"allowed_origins": ["https://a.example"]}), json!({"allowed_origins": []}), true),
        (json!({}), json!({"allowed_origins": ["https://a.example"]}), false),
        (json!({}), json!({"field_map": {"friend": "email"}}), true),
        (json!({"event_types": ["a"]}), json!({"event_types": ["a", "b"]}), true),
        (json!({"event_types": ["a", "b"]}), json!({"event_types": ["a"]}), false),
        (json!({}), json!({"may_raise_tier": true}), true),
        (json!({"may_raise_tier": true}), json!({"may_raise_tier": null}), false),
        (json!({}), json!({"overwrite": "never", "fields": ["email"], "answer": "full"}), false),
        (json!({"set_marketing": false}), json!({"field_map": {"friend": "email"}}), false),
    ] {
        let form = form(&api, &account, settings.clone()).await;
        let path = format!("/v1/forms/{form}");
        let before = report(&api, &account, &form).await;
        let reply = api.patch(&path).token(&member.token).json(&change).await;
        if widens {
            let problem = reply.problem(ProblemType::PermissionDenied);
            let field = change.as_object().unwrap().keys().next().unwrap();
            assert!(problem["detail"].as_str().unwrap().contains(field), "{problem}");
            assert_eq!(report(&api, &account, &form).await, before, "nothing has changed");
            assert_eq!(api.patch(&path).token(&account.token).json(&change).await.status, 200, "{change}");
        } else {
            assert_eq!(reply.status, 200, "{settings} {change} {}", reply.text());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn default_that_widens_forms_requires_the_permission() {
    let (api, account) = one_account(json!({})).await;
    let admin = json!({"role": "admin", "modify_marketing_contacts": false});
    let admin = api.user(&account, admin).await;
    for (default, widens) in [("external_form", true), ("forms_may_raise_tier", true), ("chatflow", false)] {
        let on = json!({"defaults": {default: true}});
        let reply = api.patch("/v1/account").token(&admin.token).json(&on).await;
        assert_eq!(reply.status, if widens { 403 } else { 200 }, "{default}");
        let off = json!({"defaults": {default: false}});
        assert_eq!(api.patch("/v1/account").token(&admin.token).json(&off).await.status, 200, "{default}");
        assert_eq!(api.patch("/v1/account").token(&account.token).json(&on).await.status, 200, "{default}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_submission_id_with_two_addresses_creates_two_contacts() {
    let (api, account) = one_account(json!({})).await;
    let form = form(&api, &account, json!({"answer": "full"})).await;
    let path = format!("/v1/forms/{form}/submissions");
    // A cached page sends the same hidden id for every visitor.
    for (address, city, contact, marketing, duplicate) in [
        ("ada@example.org", "Rome", "created", "set", false),
        ("grace@example.org", "Rome", "created", "set", false),
        ("ADA@example.org", "Rome", "created", "set", true),
        ("ada@example.org", "Oslo", "updated", "unchanged", false),
        ("ada@example.org", "Rome", "created", "set", true),
    ] {
        let body = json!({"fields": {"email": address, "city": city}, "submission_id": "s-1"});
        let response = api.post(&path).json(&body).await.expect(200);
        let mut expected = json!({"contact": contact, "marketing": marketing, "duplicate": duplicate});
        if duplicate {
            // A repeated submission receives the stored outcome of the latest version.
            expected = json!({"contact": response["contact"], "marketing": response["marketing"], "duplicate": true});
        }
        assert_eq!(response, expected, "{address} {city}");
    }
    let ada = api.get("/v1/contacts/by-email/ada@example.org").token(&account.token).await.expect(200);
    assert_eq!(ada["properties"]["city"], "Oslo");
    assert_eq!(api.assert_exact(&account).await["marketing"], 2);
}

#[tokio::test(start_paused = true)]
async fn two_spellings_of_an_address_are_one_contact() {
    let (api, account) = one_account(json!({})).await;
    let path = format!("/v1/forms/{}/submissions", form(&api, &account, json!({})).await);
    let body = json!({"email": "jose\u{301}@corp.org", "marketing": true});
    let contact = api.post("/v1/contacts").token(&account.token).json(&body).await.expect(201);
    assert_eq!(contact["email"], "jos\u{e9}@corp.org", "the spelling is kept in composed form");
    for spelling in ["jos\u{e9}@corp.org", "JOS\u{c9}@Corp.ORG", "JOSE\u{301}@corp.org"] {
        assert_eq!(api.post(&path).json(&json!({"fields": {"email": spelling}})).await.status, 200);
        let again = api.post("/v1/contacts").token(&account.token).json(&json!({"email": spelling})).await;
        let problem = again.problem(ProblemType::ContactExists);
        assert_eq!(problem["contact_id"], contact["id"]);
    }
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn invalid_mailbox_address_is_rejected_everywhere() {
    let (api, account) = one_account(json!({})).await;
    let path = format!("/v1/forms/{}/submissions", form(&api, &account, json!({})).await);
    for address in [
        "ada\u{a0}b@corp.org",
        "ada\u{1680}b@corp.org",
        "ada\u{2003}b@corp.org",
        "ada\u{2009}b@corp.org",
        "ada\u{2028}b@corp.org",
        "ada\u{202f}b@corp.org",
        "ada\u{205f}b@corp.org",
        "ada\u{3000}b@corp.org",
        "ada\u{fffd}b@corp.org",
        "ada@gmail",
        "ada@127.0.0.1",
    ] {
        let body = json!({"email": address});
        let _ = api
            .post("/v1/contacts")
            .token(&account.token)
            .json(&body)
            .await
            .problem(ProblemType::InvalidRequest);
        let _ = api.post(&path).json(&json!({"fields": body})).await.problem(ProblemType::InvalidRequest);
    }
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}
