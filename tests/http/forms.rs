//! `/v1/forms` and `/v1/forms/{id}`.

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{PUBLIC_URL, at};

use super::{START, column, one_account};

#[tokio::test(start_paused = true)]
async fn form_is_created_read_updated_and_deleted() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let reply = api.post("/v1/forms").token(token).json(&json!({"name": "Newsletter"})).await;
    let form = reply.expect(201);
    let id = form["id"].as_str().unwrap();
    let path = format!("/v1/forms/{id}");
    assert_eq!(reply.header("location"), Some(path.as_str()));
    assert_eq!(
        form,
        json!({"id": id, "guid": form["guid"], "name": "Newsletter", "provider": "native", "set_marketing": true, "field_map": {},
               "may_raise_tier": null, "overwrite": "always", "answer": "minimal", "allowed_origins": [], "submit_url": format!("{PUBLIC_URL}/v1/forms/{id}/submissions"),
               "created_at": START, "updated_at": START})
    );
    let mut read = form.clone();
    read["counts"] = no_counts();
    assert_eq!(api.get(&path).token(token).await.expect(200), read);

    api.clock.set(at("2026-11-11T00:00:00.000Z"));
    let body = json!({
        "name": "Letter", "set_marketing": false, "field_map": {"E-Mail": "email", "Vorname": "firstname"},
        "allowed_origins": ["HTTPS://Www.Example.org:443", "https://www.example.org", "http://localhost:3000"],
        "redirect_url": "https://example.org/grüße", "may_raise_tier": false, "overwrite": "if_empty", "answer": "full",
        "fields": ["E-Mail", "Vorname"], "event_types": ["contact.created"],
    });
    let mut expected = form.clone();
    expected.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    expected["allowed_origins"] = json!(["https://www.example.org", "http://localhost:3000"]);
    expected["redirect_url"] = json!("https://example.org/gr%C3%BC%C3%9Fe");
    expected["updated_at"] = json!("2026-11-11T00:00:00.000Z");
    assert_eq!(api.patch(&path).token(token).json(&body).await.expect(200), expected);
    expected.as_object_mut().unwrap().remove("redirect_url");
    assert_eq!(
        api.patch(&path).token(token).json(&json!({"redirect_url": null})).await.expect(200),
        expected
    );
    expected["counts"] = no_counts();
    assert_eq!(api.get(&path).token(token).await.expect(200), expected);

    let _ = api.post("/v1/forms").token(token).json(&json!({"name": "Second"})).await.expect(201);
    let forms = api.get("/v1/forms").token(token).await.expect(200);
    assert_eq!(column(&forms["results"], "name"), ["Letter", "Second"]);
    let _ = api.delete(&path).token(token).await.expect(204);
    api.get(&path).token(token).await.problem(ProblemType::NotFound);
    api.patch(&path).token(token).json(&json!({})).await.problem(ProblemType::NotFound);
    api.delete(&path).token(token).await.problem(ProblemType::NotFound);
    let forms = api.get("/v1/forms").token(token).await.expect(200);
    assert_eq!(column(&forms["results"], "name"), ["Second"]);
}

#[tokio::test(start_paused = true)]
async fn invalid_form_lists_every_error() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let body = json!({
        "name": "", "provider": "Typeform", "set_marketing": "yes", "field_map": {"a": "First", "": "firstname", "b": 1},
        "allowed_origins": ["*", "https://example.org/path", "https://example.org"], "redirect_url": "javascript:alert(1)",
        "secrets": "a", "submit_url": "x", "may_raise_tier": 1, "overwrite": "sometimes", "answer": true, "fields": [],
        "event_types": [""],
    });
    api.post("/v1/forms").token(token).json(&body).await.assert_invalid(&[
        "name",
        "provider",
        "secrets",
        "set_marketing",
        "may_raise_tier",
        "overwrite",
        "answer",
        "fields",
        "event_types[0]",
        "field_map.",
        "field_map.a",
        "field_map.b",
        "allowed_origins[0]",
        "allowed_origins[1]",
        "redirect_url",
        "submit_url",
    ]);
    let duplicate_target = json!({"name": "Two", "field_map": {"a": "email", "b": "email"}});
    api.post("/v1/forms").token(token).json(&duplicate_target).await.assert_invalid(&["field_map"]);
    let form = api.post("/v1/forms").token(token).json(&json!({"name": "Newsletter"})).await.expect(201);
    let path = format!("/v1/forms/{}", form["id"].as_str().unwrap());
    let body = json!({"name": null, "field_map": [], "allowed_origins": vec!["https://example.org"; 51], "redirect_url": "/x"});
    let expected = ["name", "field_map", "allowed_origins", "redirect_url"];
    api.patch(&path).token(token).json(&body).await.assert_invalid(&expected);
    let mut read = form.clone();
    read["counts"] = no_counts();
    assert_eq!(api.get(&path).token(token).await.expect(200), read);
}

/// Returns the counts of a form that has no submissions yet.
fn no_counts() -> Value {
    json!({"received": 0, "duplicates": 0, "rejected": 0, "set": 0, "kept": 0, "unchanged": 0, "not_set": 0,
           "not_set_by_cap": 0, "not_set_by_tier": 0, "not_set_by_budget": 0, "ignored": 0, "fields_left_out": 0})
}

#[tokio::test(start_paused = true)]
async fn provider_form_has_webhook_hidden_secrets_and_budget() {
    let (api, account) = one_account(json!({"time_zone": "Asia/Tokyo"})).await;
    let token = &account.token;
    let body = json!({"name": "Survey", "provider": "tally", "secrets": ["the-first-secret-of-it"]});
    let form = api.post("/v1/forms").token(token).json(&body).await.expect(201);
    let id = form["id"].as_str().unwrap();
    let path = format!("/v1/forms/{id}");
    assert_eq!(
        form,
        json!({"id": id, "guid": form["guid"], "name": "Survey", "provider": "tally", "secrets_set": 1, "set_marketing": null, "field_map": {},
               "may_raise_tier": null, "overwrite": "always", "answer": "minimal", "allowed_origins": [], "webhook_url": format!("{PUBLIC_URL}/v1/hooks/{id}"), "created_at": START,
               "updated_at": START})
    );
    let change = json!({"secrets": ["the-second-secret-of-it", "the-first-secret-of-it"], "max_new_marketing_per_day": 3,
                        "field_map": {"dull": null}});
    let reply = api.patch(&path).token(token).json(&change).await;
    assert!(!reply.text().contains("secret-of-it"), "{}", reply.text());
    let changed = reply.expect(200);
    assert_eq!((&changed["secrets_set"], &changed["field_map"]), (&json!(2), &json!({"dull": null})));
    let budget = async |now: &str| {
        api.clock.set(at(now));
        api.get(&path).token(token).await.expect(200)["budget"].clone()
    };
    let on = |day: &str| json!({"max_new_marketing_per_day": 3, "used_today": 0, "day": day});
    assert_eq!(budget("2026-11-10T14:59:59.999Z").await, on("2026-11-10"));
    assert_eq!(
        budget("2026-11-10T15:00:00.000Z").await,
        on("2026-11-11"),
        "the day follows the account's time zone, Tokyo"
    );
    let _ = api.patch(&path).token(token).json(&json!({"max_new_marketing_per_day": null})).await.expect(200);
    assert!(api.get(&path).token(token).await.expect(200)["budget"].is_null());

    for (change, field) in [
        (json!({"secrets": ["short"]}), "secrets"),
        (json!({"secrets": ["with a space in the middle"]}), "secrets"),
        (json!({"secrets": vec!["the-same-secret-thrice"; 3]}), "secrets"),
        (json!({"provider": "typeform"}), "provider"),
        (json!({"max_new_marketing_per_day": -1}), "max_new_marketing_per_day"),
    ] {
        api.patch(&path).token(token).json(&change).await.assert_invalid(&[field]);
    }
    let native = json!({"name": "Mine", "secrets": ["a-secret-for-nobody"]});
    api.post("/v1/forms").token(token).json(&native).await.assert_invalid(&["secrets"]);
    let standard =
        json!({"name": "Std", "provider": "standard_webhooks", "secrets": ["whsec_not-base64-at-all!"]});
    api.post("/v1/forms").token(token).json(&standard).await.assert_invalid(&["secrets"]);
}
