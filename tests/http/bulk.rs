//! `/v1/bulk` and `/v1/review`: previews, jobs and the review of marketing contacts.

use std::time::Duration;

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{Api, Tenant, TestTable, at};

use super::segments::segment;
use super::{START, UPDATE, one_account};

/// The instant at which the tests of this module preview and act.
const LATER: &str = "2026-11-10T12:01:00.000Z";

/// Creates `count` contacts in Delft, of which the first `marketing` are marketing contacts.
async fn people(api: &Api, account: &Tenant, count: usize, marketing: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        let body = json!({
            "email": format!("p{n}@example.org"), "properties": {"city": "Delft", "n": n.to_string()},
            "marketing": n < marketing,
        });
        ids.push(api.contact(&account.token, body).await);
    }
    api.clock.set(at(LATER));
    ids
}

fn change(action: &str, selection: Value) -> Value {
    json!({"action": action, "selection": selection})
}

fn confirmed(mut body: Value, count: u64) -> Value {
    body["confirm_count"] = json!(count);
    body
}

async fn preview(api: &Api, account: &Tenant, body: &Value) -> Value {
    api.post("/v1/bulk/preview").token(&account.token).json(body).await.expect(200)
}

/// Creates a job, works on it and returns it.
async fn run(api: &Api, account: &Tenant, body: &Value) -> Value {
    let reply = api.post("/v1/bulk/jobs").token(&account.token).json(body).await;
    let path = reply.header("location").unwrap().to_owned();
    let _ = reply.expect(202);
    api.work_on_bulk_jobs().await;
    api.get(&path).token(&account.token).await.expect(200)
}

fn where_(name: &str, operator: &str, value: &str) -> Value {
    json!({"filterGroups": [{"filters": [{"propertyName": name, "operator": operator, "value": value}]}]})
}

#[tokio::test(start_paused = true)]
async fn preview_shows_the_consequence_and_changes_nothing() {
    let (api, account) = one_account(json!({"tier": {"included": 2, "block": 2}})).await;
    let ids = people(&api, &account, 6, 2).await;
    let _ = api.queue(&account.token, &[&ids[0]]).await;
    let body = json!({"unsubscribed": true});
    let _ =
        api.patch(&format!("/v1/contacts/{}", ids[3])).token(&account.token).json(&body).await.expect(200);
    let shown = preview(&api, &account, &change("set-marketing", where_("city", "EQ", "delft"))).await;
    assert_eq!(
        shown,
        json!({
            "action": "set-marketing", "matched": 6,
            "would": {"set": 4, "kept": 1, "queued": 0, "unchanged": 1, "refused": 0}, "refused_by": {},
            "unengaged": 1, "usage_before": 2, "usage_after": 6, "after_next_update": 6,
            "next_update_at": UPDATE, "tier_limit_before": 2, "tier_limit_after": 6,
            "filterGroups": where_("city", "EQ", "delft")["filterGroups"],
        })
    );
    let shown =
        preview(&api, &account, &change("set-non-marketing-pending", json!({"filterGroups": []}))).await;
    assert_eq!(shown["would"], json!({"set": 0, "kept": 0, "queued": 1, "unchanged": 5, "refused": 0}));
    assert_eq!((&shown["after_next_update"], shown.get("unengaged")), (&json!(0), None));
    assert_eq!(api.assert_exact(&account).await["marketing"], 2);
}

#[tokio::test(start_paused = true)]
async fn preview_repeats_a_date_with_the_instant_that_it_means() {
    let (api, account) = one_account(json!({"time_zone": "Europe/Amsterdam"})).await;
    // It is 00:30 in Amsterdam, and the date begins 30 minutes later in UTC.
    api.clock.set(at("2026-11-20T23:30:00.000Z"));
    api.contact(&account.token, json!({"email": "ada@example.org"})).await;
    api.clock.set(at("2026-11-21T12:00:00.000Z"));
    let body = change("set-marketing", where_("created_at", "GTE", "2026-11-21"));
    let shown = preview(&api, &account, &body).await;
    assert_eq!(shown["matched"], 0);
    assert_eq!(shown["filterGroups"][0]["filters"][0]["value"], "2026-11-21T00:00:00.000Z");
}

#[tokio::test(start_paused = true)]
async fn job_is_confirmed_by_the_number_that_matches() {
    let (api, account) = one_account(json!({})).await;
    people(&api, &account, 5, 2).await;
    let body = change("set-marketing", json!({"filterGroups": []}));
    let refused = api.post("/v1/bulk/jobs").token(&account.token).json(&confirmed(body.clone(), 3)).await;
    let problem = refused.problem(ProblemType::CountChanged);
    assert_eq!((&problem["matched"], &problem["would_change"]), (&json!(5), &json!(3)));
    assert!(problem["detail"].as_str().unwrap().contains("5 contacts match"), "{problem}");
    assert_eq!(api.get("/v1/bulk/jobs").token(&account.token).await.expect(200)["results"], json!([]));
    let job = run(&api, &account, &confirmed(body, 5)).await;
    assert_eq!((&job["state"], &job["matched"], &job["done"]), (&json!("done"), &json!(5), &json!(5)));
    assert_eq!(job["summary"], json!({"set": 3, "kept": 0, "queued": 0, "unchanged": 2, "refused": 0}));
    assert_eq!(job["progress"].as_f64(), Some(1.0));
    assert_eq!(api.assert_exact(&account).await["marketing"], 5);
}

#[tokio::test(start_paused = true)]
async fn invalid_selections_are_refused_and_select_nobody() {
    let (api, account) = one_account(json!({})).await;
    people(&api, &account, 2, 0).await;
    let filter = json!([{"filters": [{"propertyName": "city", "operator": "EQ", "value": "Delft"}]}]);
    for selection in [
        json!(null),
        json!({}),
        json!({"contacts": []}),
        json!({"filterGroups": [{"filters": []}]}),
        json!({"filterGroups": null}),
        json!({"filterGroups": filter, "contacts": [{"id": "1"}]}),
        json!({"filterGroups": filter, "limit": 50}),
        json!({"filterGroups": filter, "after": "x"}),
        json!({"segment_id": "seg_01k0000000000000000000000a"}),
        json!({"job_id": "job_01k0000000000000000000000a"}),
        where_("city", "LIKE", "Delft"),
    ] {
        for path in ["/v1/bulk/preview", "/v1/bulk/jobs"] {
            let mut body = change("set-marketing", selection.clone());
            if path.ends_with("jobs") {
                body = confirmed(body, 2);
            }
            let reply = api.post(path).token(&account.token).json(&body).await;
            reply.problem(ProblemType::InvalidRequest);
        }
    }
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}

#[tokio::test(start_paused = true)]
async fn odd_texts_in_a_filter_select_only_equal_values() {
    let (api, account) = one_account(json!({})).await;
    people(&api, &account, 2, 0).await;
    let long = "x".repeat(1_000);
    for text in ["'\"; DROP", "%", "_", "*", "\\", "Delf_", "Delf%", "D*", &long] {
        let shown = preview(&api, &account, &change("set-marketing", where_("city", "EQ", text))).await;
        assert_eq!(shown["matched"], 0, "{text}");
        let body = json!({"email": "odd@example.org", "properties": {"city": text}});
        let id = api.contact(&account.token, body).await;
        api.clock.set(at("2026-11-10T12:02:00.000Z"));
        let shown = preview(&api, &account, &change("set-marketing", where_("city", "EQ", text))).await;
        assert_eq!(shown["matched"], 1, "{text}");
        let path = format!("/v1/contacts/{id}?erase=true");
        assert_eq!(api.delete(&path).token(&account.token).await.status, 204);
    }
}

#[tokio::test(start_paused = true)]
async fn deleted_contacts_are_not_counted() {
    let (api, account) = one_account(json!({})).await;
    let ids = people(&api, &account, 4, 4).await;
    let list: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let list = segment(&api, &account, json!({"name": "All", "contacts": list})).await;
    assert_eq!(api.delete(&format!("/v1/contacts/{}", ids[0])).token(&account.token).await.status, 204);
    for selection in [json!({"filterGroups": []}), json!({"segment_id": list})] {
        let shown = preview(&api, &account, &change("set-non-marketing-pending", selection)).await;
        assert_eq!((&shown["matched"], &shown["usage_before"]), (&json!(3), &json!(4)));
    }
    let view = api.get(&format!("/v1/segments/{list}")).token(&account.token).await.expect(200);
    assert_eq!(view["last_count"], json!({"contacts": 3, "at": LATER}));
}

#[tokio::test(start_paused = true)]
async fn undo_of_a_job_queues_only_what_it_set() {
    let (api, account) = one_account(json!({})).await;
    let ids = people(&api, &account, 5, 2).await;
    let all = change("set-marketing", json!({"filterGroups": []}));
    let job = run(&api, &account, &confirmed(all, 5)).await;
    let _ = api.queue(&account.token, &[&ids[4]]).await;
    let undo = change("set-non-marketing-pending", json!({"job_id": job["id"]}));
    let shown = preview(&api, &account, &undo).await;
    assert_eq!((&shown["matched"], &shown["would"]["queued"]), (&json!(2), &json!(2)));
    assert_eq!((&shown["usage_after"], &shown["next_update_at"]), (&json!(5), &json!(UPDATE)));
    let undone = run(&api, &account, &confirmed(undo, 2)).await;
    assert_eq!((&undone["summary"]["queued"], &undone["next_update_at"]), (&json!(2), &json!(UPDATE)));
    let path = format!("/v1/contacts/{}/marketing", ids[3]);
    let why = api.get(&path).token(&account.token).await.expect(200);
    assert_eq!((&why["source"]["type"], &why["source"]["id"]), (&json!("bulk_job"), &undone["id"]));
    let usage = api.assert_exact(&account).await;
    assert_eq!((&usage["marketing"], &usage["leaving"]), (&json!(5), &json!(3)));
}

#[tokio::test(start_paused = true)]
async fn same_key_creates_one_job_and_no_key_two() {
    let (api, account) = one_account(json!({})).await;
    people(&api, &account, 3, 0).await;
    let body = confirmed(change("set-marketing", json!({"filterGroups": []})), 3);
    let mut ids = Vec::new();
    for (second, key) in [Some("a"), Some("a"), None].into_iter().enumerate() {
        api.clock.set(at(&format!("2026-11-10T12:01:0{second}.000Z")));
        let mut request = api.post("/v1/bulk/jobs").token(&account.token);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let job = request.json(&body).await.expect(202);
        ids.push(job["job"]["id"].as_str().unwrap().to_owned());
    }
    assert!(ids[0] == ids[1] && ids[1] != ids[2]);
    api.work_on_bulk_jobs().await;
    let jobs = api.get("/v1/bulk/jobs").token(&account.token).await.expect(200);
    let summaries: Vec<_> =
        jobs["results"].as_array().unwrap().iter().map(|job| job["summary"].clone()).collect();
    assert_eq!((&summaries[0]["unchanged"], &summaries[1]["set"]), (&json!(3), &json!(3)));
    assert_eq!(summaries.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn cancelled_job_changes_nothing_and_stays_cancelled() {
    let (api, account) = one_account(json!({})).await;
    people(&api, &account, 3, 0).await;
    let body = confirmed(change("set-marketing", json!({"filterGroups": []})), 3);
    let job = api.post("/v1/bulk/jobs").token(&account.token).json(&body).await.expect(202);
    let path = format!("/v1/bulk/jobs/{}", job["job"]["id"].as_str().unwrap());
    assert_eq!(job["job"]["state"], "waiting");
    for _ in 0..2 {
        let cancelled = api.post(&format!("{path}/cancel")).token(&account.token).await.expect(200);
        assert_eq!((&cancelled["state"], &cancelled["done"]), (&json!("cancelled"), &json!(0)));
    }
    api.work_on_bulk_jobs().await;
    assert_eq!(api.get(&path).token(&account.token).await.expect(200)["state"], "cancelled");
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}

#[tokio::test(start_paused = true)]
async fn jobs_need_the_permission_and_previews_do_not() {
    let (api, account) = one_account(json!({})).await;
    people(&api, &account, 2, 0).await;
    let body = json!({"name": "Bob", "email": "bob@example.org", "modify_marketing_contacts": false});
    let bob = api.user(&account, body).await;
    let body = change("set-marketing", json!({"filterGroups": []}));
    let shown = api.post("/v1/bulk/preview").token(&bob.token).json(&body).await.expect(200);
    assert_eq!(shown["matched"], 2);
    let job = confirmed(body, 2);
    api.post("/v1/bulk/jobs").token(&bob.token).json(&job).await.problem(ProblemType::PermissionDenied);
    let created = api.post("/v1/bulk/jobs").token(&account.token).json(&job).await.expect(202);
    let path = format!("/v1/bulk/jobs/{}/cancel", created["job"]["id"].as_str().unwrap());
    api.post(&path).token(&bob.token).await.problem(ProblemType::PermissionDenied);
    let off = one_account(json!({"marketing_contacts": false})).await;
    let body = change("set-marketing", json!({"filterGroups": []}));
    let reply = off.0.post("/v1/bulk/preview").token(&off.1.token).json(&body).await;
    reply.problem(ProblemType::MarketingContactsOff);
}

#[tokio::test(start_paused = true)]
async fn review_proposes_and_queues_unengaged_contacts() {
    let (api, account) = one_account(json!({})).await;
    let ids = people(&api, &account, 6, 4).await;
    for (id, flags) in
        [(0, json!({"unsubscribed": true})), (1, json!({"bounced": true})), (5, json!({"bounced": true}))]
    {
        let path = format!("/v1/contacts/{}", ids[id]);
        let _ = api.patch(&path).token(&account.token).json(&flags).await.expect(200);
    }
    let skipped = api.post("/v1/review").token(&account.token).json(&json!({})).await.expect(200);
    assert_eq!((&skipped["confirm_count"], &skipped["next_update_at"]), (&json!(0), &json!(UPDATE)));
    let review =
        json!({"unengaged": {"bounced": false}, "selection": {"contacts": [{"id": ids[2]}, {"id": ids[4]}]}});
    let numbers = api.post("/v1/review").token(&account.token).json(&review).await.expect(200);
    assert_eq!(
        numbers,
        json!({
            "next_update_at": UPDATE, "unengaged": {"unsubscribed": 1, "bounced": 1}, "confirm_count": 2,
            "marketing": {"before": 4, "after": 4, "after_next_update": 2},
            "non_marketing": {"before": 2, "after": 2, "after_next_update": 4},
        })
    );
    let act = json!({"action": "set-non-marketing-pending", "review": review, "confirm_count": 2});
    let job = run(&api, &account, &act).await;
    assert_eq!((&job["summary"]["queued"], &job["selection"]["type"]), (&json!(2), &json!("review")));
    let list: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let list = segment(&api, &account, json!({"name": "All", "contacts": list})).await;
    let review = json!({"unengaged": {}, "selection": {"segment_id": list, "except": [ids[3]]}});
    let numbers = api.post("/v1/review").token(&account.token).json(&review).await.expect(200);
    assert_eq!(numbers["confirm_count"], 1, "the bounced contact, by both parts");
    let wrong = json!({"action": "set-marketing", "review": review, "confirm_count": 1});
    api.post("/v1/bulk/jobs").token(&account.token).json(&wrong).await.problem(ProblemType::InvalidRequest);
    let usage = api.assert_exact(&account).await;
    assert_eq!((&usage["marketing"], &usage["leaving"]), (&json!(4), &json!(2)));
}

#[tokio::test(start_paused = true)]
async fn long_preview_is_accepted_and_ends_with_the_same_numbers() {
    let api = Api::with_context(TestTable::start().await, at(START), |context| {
        context.with_count_time(Duration::ZERO)
    });
    let account = api.account(json!({})).await;
    people(&api, &account, 3, 1).await;
    let body = change("set-marketing", json!({"filterGroups": []}));
    let reply = api.post("/v1/bulk/preview").token(&account.token).json(&body).await;
    let path = reply.header("location").unwrap().to_owned();
    assert_eq!(reply.expect(202)["job"]["type"], "preview");
    let review = api.post("/v1/review").token(&account.token).json(&json!({"unengaged": {}})).await;
    let review_path = review.header("location").unwrap().to_owned();
    let _ = review.expect(202);
    let job = api.post("/v1/bulk/jobs").token(&account.token).json(&confirmed(body, 2)).await.expect(202);
    assert!(job["job"].get("matched").is_none());
    api.work_on_bulk_jobs().await;
    let done = api.get(&path).token(&account.token).await.expect(200);
    assert_eq!((&done["state"], &done["preview"]["matched"]), (&json!("done"), &json!(3)));
    assert_eq!(done["preview"]["would"]["set"], 2);
    let done = api.get(&review_path).token(&account.token).await.expect(200);
    assert_eq!(done["review"]["marketing"], json!({"before": 1, "after": 1, "after_next_update": 1}));
    let path = format!("/v1/bulk/jobs/{}", job["job"]["id"].as_str().unwrap());
    let done = api.get(&path).token(&account.token).await.expect(200);
    assert_eq!((&done["state"], &done["matched"]), (&json!("count-changed"), &json!(3)));
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn unfinished_jobs_are_limited() {
    let (api, account) = one_account(json!({})).await;
    let id = api.contact(&account.token, json!({"email": "ada@example.org"})).await;
    let body = change("set-marketing", json!({"contacts": [{"id": id}]}));
    for _ in 0..domain::limits::OPEN_JOBS_MAX {
        let _ = api.post("/v1/bulk/jobs").token(&account.token).json(&body).await.expect(202);
    }
    let reply = api.post("/v1/bulk/jobs").token(&account.token).json(&body).await;
    reply.problem(ProblemType::LimitReached);
    api.work_on_bulk_jobs().await;
    let _ = api.post("/v1/bulk/jobs").token(&account.token).json(&body).await.expect(202);
}
