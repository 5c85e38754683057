//! `POST /v1/hooks/{form_id}`: the webhooks of those who provide forms.

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

/// The counts that are not zero.
fn counts(report: &Value) -> Value {
    let counts = report["counts"].as_object().unwrap().clone();
    counts.into_iter().filter(|(_, count)| *count != json!(0)).collect()
}

#[tokio::test]
async fn every_providers_sample_is_one_contact_and_one_unit_however_often_it_comes() {
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

#[tokio::test]
async fn one_changed_byte_is_not_believed_and_nothing_is_written() {
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
        // Whose bytes they were, they are still taken.
        assert_eq!(sender.hook(&api, &form, 1, start()).await.status, 200);
    }
}

/// The text with its last letter or digit another one.
fn altered(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let last = bytes.iter().rposition(u8::is_ascii_alphanumeric).unwrap();
    // The last digit of base64 may have bits that mean nothing.
    let place = last.saturating_sub(2);
    bytes[place] = if bytes[place] == b'1' { b'2' } else { b'1' };
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn what_was_signed_long_ago_or_in_the_future_is_not_believed() {
    let telling: Vec<Sender> = SENDERS.into_iter().filter(Sender::says_when).collect();
    assert_eq!(telling.len(), 3);
    for sender in telling {
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

#[tokio::test]
async fn both_of_two_secrets_do_and_one_that_is_taken_away_does_not() {
    for sender in SENDERS {
        let (api, account) = one_account(json!({})).await;
        let form = sender.form(&api, &account, &[], json!({})).await;
        let problem = sender.hook(&api, &form, 1, start()).await.problem(ProblemType::Unverified);
        assert_eq!(problem["detail"], "The form has no secret yet; give it the provider's.");
        let give = async |secrets: &[u8]| {
            let secrets: Vec<String> = secrets.iter().map(|number| sender.secret(*number)).collect();
            let path = format!("/v1/forms/{form}");
            let _ =
                api.patch(&path).token(&account.token).json(&json!({"secrets": secrets})).await.expect(200);
        };
        give(&[1, 2]).await;
        assert_eq!(sender.hook(&api, &form, 1, start()).await.expect(200)["duplicate"], false);
        assert_eq!(sender.hook(&api, &form, 2, start()).await.expect(200)["duplicate"], true);
        give(&[2]).await;
        sender.hook(&api, &form, 1, start()).await.problem(ProblemType::Unverified);
        assert_eq!(sender.hook(&api, &form, 2, start()).await.status, 200);
        assert_eq!(api.assert_exact(&account).await["marketing"], 1);
    }
}

#[tokio::test]
async fn a_shared_secret_may_stand_in_the_address() {
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
    // Webflow's hooks that are made in its dashboard are not signed.
    let webflow = sender("webflow");
    let form = webflow.form(&api, &account, &[1], json!({})).await;
    let secret = [("x-tidemark-secret", webflow.secret(1))];
    assert_eq!(webflow.with_body(&api, &form, webflow.body, &secret).await.status, 200);
    // Those who sign are believed for their signature alone.
    let tally = sender("tally");
    let form = tally.form(&api, &account, &[1], json!({})).await;
    let secret = [("x-tidemark-secret", tally.secret(1))];
    tally.with_body(&api, &form, tally.body, &secret).await.problem(ProblemType::Unverified);
}

#[tokio::test]
async fn the_same_delivery_at_the_same_time_is_taken_once() {
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

#[tokio::test]
async fn only_forms_of_providers_take_hooks() {
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
    // And a form of a provider takes nothing else.
    let form = tally.form(&api, &account, &[1], json!({})).await;
    let path = format!("/v1/forms/{form}/submissions");
    let body = json!({"fields": {"email": "eve@example.org"}});
    api.post(&path).json(&body).await.problem(ProblemType::NotFound);
    assert_eq!(testkit::scan(&api.table.client, account.id).await.contacts, 0);
}

#[tokio::test]
async fn a_body_that_cannot_be_understood_is_named_and_not_written() {
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

#[tokio::test]
async fn what_tells_of_something_else_is_accepted_and_nothing_follows() {
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

#[tokio::test]
async fn a_form_from_elsewhere_follows_the_account_unless_it_says_otherwise() {
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
        // A native form has its own word always.
        let native = json!({"name": "Native", "answer": "full"});
        let native = api.post("/v1/forms").token(&account.token).json(&native).await.expect(201);
        let path = format!("/v1/forms/{}/submissions", native["id"].as_str().unwrap());
        let body = json!({"fields": {"email": "native@example.org"}});
        assert_eq!(api.post(&path).json(&body).await.expect(200)["marketing"], "set");
        api.assert_exact(&account).await;
    }
}

/// A hook of the generic provider for somebody.
async fn generic(api: &Api, form: &str, body: Value) -> Reply {
    let path = format!("/v1/hooks/{form}?secret={}", sender("generic").secret(1));
    api.post(&path).json(&body).await
}

#[tokio::test]
async fn beyond_its_budget_a_form_keeps_people_without_setting_them_marketing() {
    let (api, account) = one_account(json!({"time_zone": "America/New_York"})).await;
    let settings = json!({"max_new_marketing_per_day": 2});
    let form = sender("generic").form(&api, &account, &[1], settings).await;
    let come = async |name: &str| {
        let reply = generic(&api, &form, json!({"email": format!("{name}@example.org")})).await;
        let answer = reply.expect(200);
        (answer["marketing"].as_str().unwrap().to_owned(), answer["reason"].clone())
    };
    let refused = ("not_set".to_owned(), json!("form-budget"));
    let set = ("set".to_owned(), Value::Null);
    assert_eq!((come("ada").await, come("bob").await), (set.clone(), set.clone()));
    assert_eq!((come("cy").await, come("cy").await), (refused.clone(), refused.clone()));
    assert_eq!(come("ada").await.0, "unchanged", "who is one already costs nothing");
    let budget = report(&api, &account, &form).await["budget"].clone();
    assert_eq!(budget, json!({"max_new_marketing_per_day": 2, "used_today": 2, "day": "2026-11-10"}));
    // Midnight in New York.
    api.clock.set(at("2026-11-11T04:59:59.999Z"));
    assert_eq!(come("cy").await, refused);
    api.clock.set(at("2026-11-11T05:00:00.000Z"));
    assert_eq!(come("cy").await, set);
    let report = report(&api, &account, &form).await;
    assert_eq!(report["budget"]["used_today"], 1);
    assert_eq!(
        counts(&report),
        json!({"received": 7, "set": 3, "unchanged": 1, "not_set_by_budget": 3}),
        "everything that came is counted as one thing"
    );
    assert_eq!(api.assert_exact(&account).await["marketing"], 3);
}

#[tokio::test]
async fn a_delivery_without_an_id_is_taken_each_time_and_a_very_long_id_is_an_id() {
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
    let nobody = json!({"firstname": "Eve", "submission_id": format!("{long}y")});
    assert_eq!(generic(&api, &form, nobody).await.expect(200)["contact"], "rejected");
    assert_eq!(api.assert_exact(&account).await["marketing"], 2);
}
