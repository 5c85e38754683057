//! `/v1/automations`: contacts that are enrolled as they change.

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{Api, Tenant, at};

use super::{START, column};

/// Starts the API over a table with a stream, and creates one account.
async fn one_account() -> (Api, Tenant) {
    let api = Api::with_stream(at(START)).await;
    let account = api.account(json!({"cap": 100})).await;
    (api, account)
}

/// Returns an enabled automation for the contacts in Rome.
fn romans(more: &Value) -> Value {
    let mut body = json!({
        "name": "Romans", "enabled": true, "action": "set-marketing",
        "enrol": {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ", "value": "Rome"}]}]},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn create(api: &Api, account: &Tenant, more: &Value) -> Value {
    api.post("/v1/automations").token(&account.token).json(&romans(more)).await.expect(201)
}

async fn roman(api: &Api, account: &Tenant, name: &str) -> String {
    // Each contact is created a millisecond later, so that their order is known.
    api.clock.set(api.clock.now().plus(chrono::TimeDelta::milliseconds(1)));
    let body = json!({"email": format!("{name}@example.org"), "properties": {"city": "Rome"}});
    api.contact(&account.token, body).await
}

#[tokio::test(start_paused = true)]
async fn automation_is_created_shown_changed_and_deleted() {
    let (api, account) = one_account().await;
    let token = &account.token;
    let reply = api.post("/v1/automations").token(token).json(&romans(&json!({"max_per_day": 5}))).await;
    let path = reply.header("location").unwrap().to_owned();
    let created = reply.expect(201);
    assert_eq!((&created["state"], &created["max_per_day"]), (&json!("enabled"), &json!(5)));
    assert_eq!((&created["matching"], &created["re_enrol"]), (&json!(0), &json!(false)));
    let shown = api.get(&path).token(token).await.expect(200);
    assert_eq!((&shown["id"], &shown["waiting"]), (&created["id"], &json!(0)));
    let ada = roman(&api, &account, "ada").await;
    api.follow().await;
    let why = api.get(&format!("/v1/contacts/{ada}/marketing")).token(token).await.expect(200);
    assert_eq!(why["source"], json!({"type": "automation", "name": "Romans", "id": created["id"]}));
    assert_eq!(why["history"][0]["actor"], json!({"type": "automation", "id": created["id"]}));
    let runs = api.get(&format!("{path}/runs")).token(token).await.expect(200);
    assert_eq!((&runs["results"][0]["date"], &runs["results"][0]["set"]), (&json!("2026-11-10"), &json!(1)));
    let body = json!({"name": "Italians", "max_per_day": null, "enabled": false});
    let changed = api.patch(&path).token(token).json(&body).await.expect(200);
    assert_eq!((&changed["state"], &changed["dropped"]), (&json!("disabled"), &json!(0)));
    assert!(changed.get("max_per_day").is_none());
    let listed = api.get("/v1/automations").token(token).await.expect(200);
    assert_eq!(column(&listed["results"], "name"), ["Italians"]);
    assert_eq!(api.delete(&path).token(token).await.status, 204);
    api.follow().await;
    api.get(&path).token(token).await.problem(ProblemType::NotFound);
    let why = api.get(&format!("/v1/contacts/{ada}/marketing")).token(token).await.expect(200);
    assert_eq!(why["source"]["name"], "Romans", "the history names it also when it is gone");
    api.assert_exact(&account).await;
}

#[tokio::test(start_paused = true)]
async fn paused_automation_is_resumed_with_or_without_who_waits() {
    let (api, account) = one_account().await;
    let token = &account.token;
    let created = create(&api, &account, &json!({"pause_above": 2})).await;
    let path = format!("/v1/automations/{}", created["id"].as_str().unwrap());
    for name in ["a", "b", "c", "d"] {
        roman(&api, &account, name).await;
    }
    api.follow().await;
    let shown = api.get(&path).token(token).await.expect(200);
    assert_eq!((&shown["state"], &shown["waiting"]), (&json!("paused"), &json!(2)));
    assert!(shown["paused"]["enrolled"].as_u64().unwrap() > 2);
    let resume = async |waiting: &str| {
        api.post(&format!("{path}/resume")).token(token).json(&json!({"waiting": waiting})).await
    };
    resume("later").await.problem(ProblemType::InvalidRequest);
    assert_eq!(resume("keep").await.expect(200)["state"], "enabled");
    api.follow().await;
    assert_eq!(api.get("/v1/usage").token(token).await.expect(200)["marketing"], 4);
    resume("keep").await.problem(ProblemType::NotPaused);
}

#[tokio::test(start_paused = true)]
async fn existing_contacts_are_enrolled_by_a_job() {
    let (api, account) = one_account().await;
    let token = &account.token;
    for name in ["a", "b", "c"] {
        roman(&api, &account, name).await;
    }
    let wrong = romans(&json!({"enrol_existing": true, "confirm_count": 2}));
    let problem =
        api.post("/v1/automations").token(token).json(&wrong).await.problem(ProblemType::CountChanged);
    assert_eq!(problem["matched"], 3);
    let created = create(&api, &account, &json!({"enrol_existing": true, "confirm_count": 3})).await;
    assert_eq!(created["matching"], 3);
    api.work_on_bulk_jobs().await;
    api.follow().await;
    let job = format!("/v1/bulk/jobs/{}", created["job_id"].as_str().unwrap());
    let job = api.get(&job).token(token).await.expect(200);
    assert_eq!(
        (&job["type"], &job["state"], &job["summary"]["enrolled"]),
        (&json!("enrol"), &json!("done"), &json!(3))
    );
    assert_eq!(api.get("/v1/usage").token(token).await.expect(200)["marketing"], 3);
    api.assert_exact(&account).await;
}

#[tokio::test(start_paused = true)]
async fn test_of_an_automation_changes_nothing() {
    let (api, account) = one_account().await;
    let token = &account.token;
    let ada = roman(&api, &account, "ada").await;
    let created = create(&api, &account, &json!({"enabled": false})).await;
    let path = format!("/v1/automations/{}/test", created["id"].as_str().unwrap());
    let body = json!({"contacts": [{"id": ada}, {"email": "no@one.example"}]});
    let tested = api.post(&path).token(token).json(&body).await.expect(200);
    assert_eq!(
        tested,
        json!({
            "results": [
                {"id": ada, "found": true, "matches": true, "had_turn": false, "would_enrol": true, "outcome": "set"},
                {"found": false},
            ],
            "matching": 1, "would_change": 1, "usage_after": 1,
        })
    );
    assert_eq!(api.get("/v1/usage").token(token).await.expect(200)["marketing"], 0);
}

#[tokio::test(start_paused = true)]
async fn form_of_an_automation_is_not_deleted() {
    let (api, account) = one_account().await;
    let token = &account.token;
    let form = api.post("/v1/forms").token(token).json(&json!({"name": "News"})).await.expect(201);
    let form = form["id"].as_str().unwrap();
    let created = create(&api, &account, &json!({"enrol": {"form_ids": [form]}})).await;
    assert!(created.get("matching").is_none(), "a submission is the trigger");
    let problem = api.delete(&format!("/v1/forms/{form}")).token(token).await.problem(ProblemType::InUse);
    assert_eq!(problem["automation_id"], created["id"]);
    let path = format!("/v1/automations/{}", created["id"].as_str().unwrap());
    assert_eq!(api.delete(&path).token(token).await.status, 204);
    assert_eq!(api.delete(&format!("/v1/forms/{form}")).token(token).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn time_of_a_filter_is_noted_and_unknown_references_refused() {
    let (api, account) = one_account().await;
    let token = &account.token;
    let dated = json!({"filterGroups": [{"filters": [
        {"propertyName": "created_at", "operator": "LT", "value": "2026-01-01"},
    ]}]});
    let created = create(&api, &account, &json!({"enrol": dated})).await;
    assert_eq!(created["notes"].as_array().unwrap().len(), 1);
    for (enrol, field) in [
        (json!({"form_ids": ["frm_01k0000000000000000000000a"]}), "enrol.form_ids"),
        (json!({"segment_id": "seg_01k0000000000000000000000a"}), "enrol.segment_id"),
    ] {
        let body = romans(&json!({"enrol": enrol}));
        let problem =
            api.post("/v1/automations").token(token).json(&body).await.problem(ProblemType::InvalidRequest);
        assert_eq!(problem["errors"][0]["field"], field);
    }
}
