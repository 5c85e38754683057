//! `POST /v1/hooks/{form_id}`: the webhooks of form providers.

use std::collections::HashMap;

use api::ProblemType;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::TimeDelta;
use domain::Timestamp;
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Api, Reply, Tenant, at};

use super::senders::{SENDERS, Sender, sender};
use super::{START, dump, one_account};

fn start() -> Timestamp {
    at(START)
}

fn done(contact: &str, marketing: &str, duplicate: bool) -> Value {
    json!({"contact": contact, "marketing": marketing, "duplicate": duplicate})
}

async fn contact(api: &Api, account: &Tenant, address: &str) -> Value {
    api.get(&format!("/v1/contacts/by-email/{address}")).token(&account.token).await.expect(200)
}

async fn report(api: &Api, account: &Tenant, form: &str) -> Value {
    api.get(&format!("/v1/forms/{form}")).token(&account.token).await.expect(200)
}

/// Returns the counts that are not zero.
fn counts(report: &Value) -> Value {
    let counts = report["counts"].as_object().unwrap().clone();
    counts.into_iter().filter(|(_, count)| *count != json!(0)).collect()
}

#[tokio::test(start_paused = true)]
async fn repeated_sample_of_each_provider_counts_one_contact() {
    for sender in SENDERS {
        let (api, account) = one_account(json!({})).await;
        let form = sender.form(&api, &account, &[1], json!({})).await;
        let reply = sender.hook(&api, &form, 1, start()).await;
        assert_eq!(reply.expect(200), done("created", "set", false), "{sender:?}");
        let after_first = contact(&api, &account, sender.address).await;
        assert_eq!(after_first["marketing"]["state"], "marketing", "{}", sender.provider);
        assert!(!after_first["properties"].as_object().unwrap().is_empty(), "{}", sender.provider);
        let source = &after_first["marketing"]["source"];
        assert_eq!((&source["name"], &source["id"]), (&json!("Sample"), &json!(form)));

        assert_eq!(sender.hook(&api, &form, 1, start()).await.expect(200), done("created", "set", true));
        let a_week_later = start().plus(TimeDelta::days(7) - TimeDelta::seconds(1));
        api.clock.set(a_week_later);
        let reply = sender.hook(&api, &form, 1, a_week_later).await;
        assert_eq!(reply.expect(200), done("created", "set", true), "{}", sender.provider);
        assert_eq!(contact(&api, &account, sender.address).await, after_first);
        let report = report(&api, &account, &form).await;
        assert_eq!(counts(&report), json!({"received": 3, "duplicates": 2, "set": 1}), "{}", sender.provider);
        assert_eq!(api.assert_exact(&account).await["marketing"], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn hook_with_one_changed_byte_is_refused_without_a_write() {
    for sender in SENDERS {
        let (api, account) = one_account(json!({})).await;
        let form = sender.form(&api, &account, &[1, 2], json!({})).await;
        let before = dump(&api).await;
        let signature = sender.signature(sender.body, 1, start());
        if sender.signs() {
            for place in (0..sender.body.len()).step_by(97) {
                let mut body = sender.body.to_vec();
                body[place] ^= 1;
                let reply = sender.with_body(&api, &form, &body, &signature).await;
                reply.problem(ProblemType::Unverified);
            }
        }
        for place in 0..signature.len() {
            for altered in [altered(&signature[place].1), String::new(), "ü".to_owned()] {
                let mut signature = signature.clone();
                signature[place].1 = altered;
                let reply = sender.with_body(&api, &form, sender.body, &signature).await;
                reply.problem(ProblemType::Unverified);
            }
        }
        sender.with_body(&api, &form, sender.body, &[]).await.problem(ProblemType::Unverified);
        sender.hook(&api, &form, 3, start()).await.problem(ProblemType::Unverified);
        assert_eq!(dump(&api).await, before, "{}", sender.provider);
        // The original body is still accepted.
        assert_eq!(sender.hook(&api, &form, 1, start()).await.status, 200);
    }
}

/// Returns the text with one of its last three letters or digits replaced.
fn altered(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let last = bytes.iter().rposition(u8::is_ascii_alphanumeric).unwrap();
    // The last digit of base64 may contain unused bits, so an earlier one is replaced.
    let place = last.saturating_sub(2);
    bytes[place] = if bytes[place] == b'1' { b'2' } else { b'1' };
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(start_paused = true)]
async fn hook_signed_outside_the_time_window_is_refused() {
    let with_timestamp: Vec<Sender> = SENDERS.into_iter().filter(Sender::signs_timestamp).collect();
    assert_eq!(with_timestamp.len(), 3);
    for sender in with_timestamp {
        let (api, account) = one_account(json!({})).await;
        let form = sender.form(&api, &account, &[1], json!({})).await;
        let before = dump(&api).await;
        for minutes in [-6, 6, -60 * 24, 60 * 24] {
            let signed_at = start().plus(TimeDelta::minutes(minutes));
            let reply = sender.hook(&api, &form, 1, signed_at).await;
            let problem = reply.problem(ProblemType::Unverified);
            assert_eq!(problem["detail"], "It was signed too long ago, or the clocks differ.", "{sender:?}");
        }
        assert_eq!(dump(&api).await, before, "{}", sender.provider);
        for minutes in [-2, 2] {
            let signed_at = start().plus(TimeDelta::minutes(minutes));
            assert_eq!(sender.hook(&api, &form, 1, signed_at).await.status, 200, "{}", sender.provider);
        }
        assert_eq!(api.assert_exact(&account).await["marketing"], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn removed_secret_of_a_form_is_no_longer_accepted() {
    for sender in SENDERS {
        let (api, account) = one_account(json!({})).await;
        let form = sender.form(&api, &account, &[], json!({})).await;
        let problem = sender.hook(&api, &form, 1, start()).await.problem(ProblemType::Unverified);
        assert_eq!(problem["detail"], "The form has no secret yet; give it the provider's.");
        let set_secrets = async |secrets: &[u8]| {
            let secrets: Vec<String> = secrets.iter().map(|number| sender.secret(*number)).collect();
            let path = format!("/v1/forms/{form}");
            let _ =
                api.patch(&path).token(&account.token).json(&json!({"secrets": secrets})).await.expect(200);
        };
        set_secrets(&[1, 2]).await;
        assert_eq!(sender.hook(&api, &form, 1, start()).await.expect(200)["duplicate"], false);
        assert_eq!(sender.hook(&api, &form, 2, start()).await.expect(200)["duplicate"], true);
        set_secrets(&[2]).await;
        sender.hook(&api, &form, 1, start()).await.problem(ProblemType::Unverified);
        assert_eq!(sender.hook(&api, &form, 2, start()).await.status, 200);
        assert_eq!(api.assert_exact(&account).await["marketing"], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn shared_secret_is_accepted_in_the_query() {
    let (api, account) = one_account(json!({})).await;
    for sender in SENDERS.into_iter().filter(|sender| !sender.signs()) {
        let form = sender.form(&api, &account, &[1], json!({})).await;
        let hook = async |query: &str| {
            api.post(&format!("/v1/hooks/{form}?{query}")).body(sender.content_type, sender.body).await
        };
        let secret = sender.secret(1);
        assert_eq!(hook(&format!("a=b&secret={secret}")).await.status, 200, "{}", sender.provider);
        for query in ["", "secret=", &format!("secret={secret}x"), &format!("Secret={secret}")] {
            hook(query).await.problem(ProblemType::Unverified);
        }
    }
    // Webflow does not sign hooks that are created in its dashboard.
    let webflow = sender("webflow");
    let form = webflow.form(&api, &account, &[1], json!({})).await;
    let secret = [("x-tidemark-secret", webflow.secret(1))];
    assert_eq!(webflow.with_body(&api, &form, webflow.body, &secret).await.status, 200);
    // For a provider that always signs, the secret alone is not accepted.
    let tally = sender("tally");
    let form = tally.form(&api, &account, &[1], json!({})).await;
    let secret = [("x-tidemark-secret", tally.secret(1))];
    tally.with_body(&api, &form, tally.body, &secret).await.problem(ProblemType::Unverified);
}

#[tokio::test(start_paused = true)]
async fn concurrent_deliveries_with_one_id_apply_once() {
    for sender in SENDERS {
        let (api, account) = one_account(json!({})).await;
        let form = sender.form(&api, &account, &[1], json!({})).await;
        let hooks = (0..16).map(|_| sender.hook(&api, &form, 1, start()).into_future());
        let replies: Vec<Value> = join_all(hooks).await.iter().map(|reply| reply.expect(200)).collect();
        let first = replies.iter().filter(|reply| reply["duplicate"] == false).count();
        assert_eq!(first, 1, "{} {replies:?}", sender.provider);
        assert!(replies.iter().all(|reply| reply["contact"] == "created" && reply["marketing"] == "set"));
        let report = report(&api, &account, &form).await;
        assert_eq!(counts(&report), json!({"received": 16, "duplicates": 15, "set": 1}));
        assert_eq!(api.assert_exact(&account).await["marketing"], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn only_forms_of_providers_accept_hooks() {
    let (api, account) = one_account(json!({})).await;
    let native = json!({"name": "Native"});
    let native = api.post("/v1/forms").token(&account.token).json(&native).await.expect(201);
    let native = native["id"].as_str().unwrap();
    let tally = sender("tally");
    let deleted = tally.form(&api, &account, &[1], json!({})).await;
    let path = format!("/v1/forms/{deleted}");
    let _ = api.delete(&path).token(&account.token).await.expect(204);
    for form in [native, &deleted, "frm_00000000000000000000000000", "x"] {
        tally.hook(&api, form, 1, start()).await.problem(ProblemType::NotFound);
    }
    // A provider's form accepts only hooks.
    let form = tally.form(&api, &account, &[1], json!({})).await;
    let path = format!("/v1/forms/{form}/submissions");
    let body = json!({"fields": {"email": "eve@example.org"}});
    api.post(&path).json(&body).await.problem(ProblemType::NotFound);
    assert_eq!(testkit::scan(&api.table.client, account.id).await.contacts, 0);
}

#[tokio::test(start_paused = true)]
async fn malformed_hook_body_is_rejected_without_a_write() {
    let (api, account) = one_account(json!({})).await;
    for (provider, body, fields) in [
        ("typeform", "{", vec![""]),
        ("typeform", "[]", vec![""]),
        ("tally", "{\"eventType\": \"FORM_RESPONSE\"}", vec!["eventId", "data"]),
        ("calendly", "{\"event\": \"invitee.created\", \"payload\": 1}", vec!["payload"]),
        ("netlify", "{\"id\": \"1\"}", vec!["data"]),
    ] {
        let sender = sender(provider);
        let form = sender.form(&api, &account, &[1], json!({})).await;
        let before = dump(&api).await;
        let signature = sender.signature(body.as_bytes(), 1, start());
        let reply = sender.with_body(&api, &form, body.as_bytes(), &signature).await;
        assert_eq!(reply.invalid_fields(), fields, "{provider} {body}");
        assert_eq!(dump(&api).await, before, "{provider}");
    }
    let generic = sender("generic");
    let form = generic.form(&api, &account, &[1], json!({})).await;
    let path = format!("/v1/hooks/{form}?secret={}", generic.secret(1));
    api.post(&path).body("text/plain", "email=a").await.problem(ProblemType::UnsupportedMediaType);
    api.post(&path)
        .body("application/json", vec![b' '; (1 << 20) + 1])
        .await
        .problem(ProblemType::PayloadTooLarge);
}

#[tokio::test(start_paused = true)]
async fn hook_about_another_event_is_accepted_and_ignored() {
    let (api, account) = one_account(json!({})).await;
    let calendly = sender("calendly");
    let form = calendly.form(&api, &account, &[1], json!({})).await;
    let before = dump(&api).await;
    let mut body: Value = serde_json::from_slice(calendly.body).unwrap();
    body["event"] = json!("invitee.canceled");
    let body = body.to_string();
    let signature = calendly.signature(body.as_bytes(), 1, start());
    let reply = calendly.with_body(&api, &form, body.as_bytes(), &signature).await;
    assert_eq!(reply.expect(204), Value::Null);
    let is_count = |item: &HashMap<String, AttributeValue>| item["entity"].as_s().unwrap() == "form-counts";
    let but_counts =
        |items: Vec<HashMap<_, _>>| items.into_iter().filter(|item| !is_count(item)).collect::<Vec<_>>();
    assert_eq!(but_counts(dump(&api).await), but_counts(before));
    assert_eq!(counts(&report(&api, &account, &form).await), json!({"received": 1, "ignored": 1}));
}

#[tokio::test(start_paused = true)]
async fn external_form_uses_the_account_default_unless_set() {
    let defaults = json!({"defaults": {"external_form": false}});
    for (settings, by_default, expected) in [
        (json!({}), true, "set"),
        (json!({}), false, "not_set"),
        (json!({"set_marketing": true}), false, "set"),
        (json!({"set_marketing": false}), true, "not_set"),
    ] {
        let (api, account) = one_account(json!({})).await;
        if !by_default {
            let _ = api.patch("/v1/account").token(&account.token).json(&defaults).await.expect(200);
        }
        let tally = sender("tally");
        let form = tally.form(&api, &account, &[1], settings.clone()).await;
        let reply = tally.hook(&api, &form, 1, start()).await;
        assert_eq!(reply.expect(200), done("created", expected, false), "{settings} {by_default}");
        // A native form always has its own setting.
        let native = json!({"name": "Native", "answer": "full"});
        let native = api.post("/v1/forms").token(&account.token).json(&native).await.expect(201);
        let path = format!("/v1/forms/{}/submissions", native["id"].as_str().unwrap());
        let body = json!({"fields": {"email": "native@example.org"}});
        assert_eq!(api.post(&path).json(&body).await.expect(200)["marketing"], "set");
        api.assert_exact(&account).await;
    }
}

/// Sends a hook of the generic provider.
async fn generic(api: &Api, form: &str, body: Value) -> Reply {
    let path = format!("/v1/hooks/{form}?secret={}", sender("generic").secret(1));
    api.post(&path).json(&body).await
}

#[tokio::test(start_paused = true)]
async fn form_beyond_its_budget_creates_non_marketing_contacts() {
    let (api, account) = one_account(json!({"time_zone": "America/New_York"})).await;
    let settings = json!({"max_new_marketing_per_day": 2});
    let form = sender("generic").form(&api, &account, &[1], settings).await;
    let submit = async |name: &str| {
        let reply = generic(&api, &form, json!({"email": format!("{name}@example.org")})).await;
        let answer = reply.expect(200);
        (answer["marketing"].as_str().unwrap().to_owned(), answer["reason"].clone())
    };
    let refused = ("not_set".to_owned(), json!("form-budget"));
    let set = ("set".to_owned(), Value::Null);
    assert_eq!((submit("ada").await, submit("bob").await), (set.clone(), set.clone()));
    assert_eq!((submit("cy").await, submit("cy").await), (refused.clone(), refused.clone()));
    assert_eq!(submit("ada").await.0, "unchanged", "an existing marketing contact uses no budget");
    let budget = report(&api, &account, &form).await["budget"].clone();
    assert_eq!(budget, json!({"max_new_marketing_per_day": 2, "used_today": 2, "day": "2026-11-10"}));
    // Midnight in New York.
    api.clock.set(at("2026-11-11T04:59:59.999Z"));
    assert_eq!(submit("cy").await, refused);
    api.clock.set(at("2026-11-11T05:00:00.000Z"));
    assert_eq!(submit("cy").await, set);
    let report = report(&api, &account, &form).await;
    assert_eq!(report["budget"]["used_today"], 1);
    assert_eq!(
        counts(&report),
        json!({"received": 7, "set": 3, "unchanged": 1, "not_set_by_budget": 3}),
        "each submission is counted under one outcome"
    );
    assert_eq!(api.assert_exact(&account).await["marketing"], 3);
}

#[tokio::test(start_paused = true)]
async fn delivery_without_an_id_applies_each_time() {
    let (api, account) = one_account(json!({})).await;
    let form = sender("generic").form(&api, &account, &[1], json!({})).await;
    for expected in [done("created", "set", false), done("updated", "unchanged", false)] {
        assert_eq!(generic(&api, &form, json!({"email": "ada@example.org"})).await.expect(200), expected);
    }
    let long = "x".repeat(500_000);
    for (email, expected) in [
        ("bob@example.org", done("created", "set", false)),
        ("bob@example.org", done("created", "set", true)),
    ] {
        let body = json!({"email": email, "submission_id": long});
        assert_eq!(generic(&api, &form, body).await.expect(200), expected);
    }
    let without_address = json!({"firstname": "Eve", "submission_id": format!("{long}y")});
    assert_eq!(generic(&api, &form, without_address).await.expect(200)["contact"], "rejected");
    assert_eq!(api.assert_exact(&account).await["marketing"], 2);
}
