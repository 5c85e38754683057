//! `/v1/forms/{id}/rejected`: rejected submissions and their retry.

use api::ProblemType;
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Api, Reply, TABLE, Tenant, at};

use super::senders::sender;
use super::{START, column, dump, one_account};

/// Creates a form of the generic provider, which accepts any JSON with the form's secret.
async fn form(api: &Api, account: &Tenant) -> String {
    sender("generic").form(api, account, &[1], json!({})).await
}

async fn hook(api: &Api, form: &str, body: &Value) -> Reply {
    let path = format!("/v1/hooks/{form}");
    api.post(&path).header("x-tidemark-secret", sender("generic").secret(1)).json(body).await
}

async fn rejected(api: &Api, account: &Tenant, form: &str) -> Value {
    let path = format!("/v1/forms/{form}/rejected");
    api.get(&path).token(&account.token).await.expect(200)["results"].clone()
}

async fn update_field_map(api: &Api, account: &Tenant, form: &str, field_map: Value) {
    let path = format!("/v1/forms/{form}");
    let body = json!({"field_map": field_map});
    let _ = api.patch(&path).token(&account.token).json(&body).await.expect(200);
}

fn retry(form: &str, rejection: &Value) -> String {
    format!("/v1/forms/{form}/rejected/{}/retry", rejection["id"].as_str().unwrap())
}

async fn counts(api: &Api, account: &Tenant, form: &str) -> Value {
    let path = format!("/v1/forms/{form}");
    let report = api.get(&path).token(&account.token).await.expect(200);
    let counts = report["counts"].as_object().unwrap().clone();
    counts.into_iter().filter(|(_, count)| *count != json!(0)).collect()
}

#[tokio::test(start_paused = true)]
async fn rejected_submission_applies_after_the_form_is_fixed() {
    let (api, account) = one_account(json!({})).await;
    let form = form(&api, &account).await;
    let body = json!({"submission_id": "s-1", "reach_me_at": "ada@example.org", "topics": ["a", "b"]});
    let kept =
        json!({"contact": "rejected", "marketing": "not_set", "duplicate": false, "reason": "no-address"});
    assert_eq!(hook(&api, &form, &body).await.expect(200), kept);
    let again = hook(&api, &form, &body).await.expect(200);
    assert_eq!((&again["contact"], &again["duplicate"]), (&json!("rejected"), &json!(true)));
    assert_eq!(counts(&api, &account, &form).await, json!({"received": 2, "duplicates": 1, "rejected": 1}));

    let list = rejected(&api, &account, &form).await;
    assert_eq!(list.as_array().unwrap().len(), 1);
    let rejection = &list[0];
    assert_eq!(
        *rejection,
        json!({
            "id": rejection["id"], "received_at": START, "submission_id": "s-1", "reason": "no-address",
            "errors": [{"field": "fields.email", "message": "is required: the person's e-mail address"}],
            "answers": [
                {"names": ["reach_me_at"], "values": ["ada@example.org"], "is_cut": false},
                {"names": ["submission_id"], "values": ["s-1"], "is_cut": false},
                {"names": ["topics"], "values": ["a", "b"], "is_cut": false},
            ],
        })
    );

    let before = dump(&api).await;
    let path = retry(&form, rejection);
    api.post(&path).token(&account.token).await.assert_invalid(&["fields.email"]);
    assert_eq!(dump(&api).await, before, "a retry that is rejected again changes nothing");
    update_field_map(&api, &account, &form, json!({"reach_me_at": "email"})).await;
    let applied = json!({"contact": "created", "marketing": "set", "duplicate": false});
    assert_eq!(api.post(&path).token(&account.token).key("k").await.expect(200), applied);
    assert_eq!(api.post(&path).token(&account.token).key("k").await.expect(200), applied, "the same request");
    api.post(&path).token(&account.token).await.problem(ProblemType::NotFound);
    let ada = api.get("/v1/contacts/by-email/ada@example.org").token(&account.token).await.expect(200);
    assert_eq!(ada["properties"], json!({"topics": "a;b"}));
    assert_eq!(ada["marketing"]["source"]["id"], json!(form));
    assert_eq!(rejected(&api, &account, &form).await, json!([]));
    assert_eq!(counts(&api, &account, &form).await, json!({"received": 2, "duplicates": 1, "set": 1}));
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn each_rejection_has_its_reason() {
    let (api, account) = one_account(json!({})).await;
    let form = form(&api, &account).await;
    let many: serde_json::Map<String, Value> =
        (0..201).map(|number| (format!("f{number}"), json!("a"))).collect();
    let mut many = Value::from(many);
    many["email"] = json!("ada@example.org");
    for (body, reason) in [
        (json!({"firstname": "Ada"}), "no-address"),
        (json!({"email": "ada"}), "invalid-address"),
        (json!({"email": ["a@b.example", "c@d.example"]}), "several-addresses"),
        (many, "invalid-value"),
    ] {
        let answer = hook(&api, &form, &body).await.expect(200);
        assert_eq!((&answer["contact"], &answer["reason"]), (&json!("rejected"), &json!(reason)), "{answer}");
    }
    // Typeform sends the type of each answer.
    let typeform = sender("typeform");
    let typed = typeform.form(&api, &account, &[1], json!({})).await;
    let mut body: Value = serde_json::from_slice(typeform.body).unwrap();
    body["form_response"]["answers"][0]["type"] = json!("hologram");
    let body = body.to_string();
    let signature = typeform.signature(body.as_bytes(), 1, at(START));
    let answer = typeform.with_body(&api, &typed, body.as_bytes(), &signature).await.expect(200);
    assert_eq!(answer["reason"], "unknown-field-type");
    let list = rejected(&api, &account, &form).await;
    assert_eq!(list.as_array().unwrap().len(), 4);
    assert_eq!(testkit::scan(&api.table.client, account.id).await.contacts, 0);
}

#[tokio::test(start_paused = true)]
async fn values_beyond_the_form_limit_are_omitted_and_counted() {
    let (api, account) = one_account(json!({})).await;
    let form = form(&api, &account).await;
    let mut body = json!({"email": "ada@example.org", "bio": "x".repeat(70_000)});
    for number in 0..120 {
        body[format!("p_{number}")] = json!("a");
    }
    assert_eq!(hook(&api, &form, &body).await.expect(200)["contact"], "created");
    let ada = api.get("/v1/contacts/by-email/ada@example.org").token(&account.token).await.expect(200);
    assert_eq!(ada["properties"].as_object().unwrap().len(), 100);
    assert_eq!(counts(&api, &account, &form).await, json!({"received": 1, "set": 1, "fields_left_out": 21}));
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn concurrent_retries_apply_once() {
    let (api, account) = one_account(json!({})).await;
    let form = form(&api, &account).await;
    assert_eq!(hook(&api, &form, &json!({"reach_me_at": "ada@example.org"})).await.status, 200);
    let rejection = rejected(&api, &account, &form).await[0].clone();
    update_field_map(&api, &account, &form, json!({"reach_me_at": "email"})).await;
    let path = retry(&form, &rejection);
    let retries = (0..8).map(|_| api.post(&path).token(&account.token).into_future());
    let replies = join_all(retries).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert_eq!(replies.iter().filter(|reply| reply.status == 404).count(), 7);
    assert_eq!(counts(&api, &account, &form).await, json!({"received": 1, "set": 1}));
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn rejected_pages_are_bounded_by_response_size() {
    let (api, account) = one_account(json!({})).await;
    let form = form(&api, &account).await;
    for number in 0..25 {
        api.clock.set(at(START).plus(TimeDelta::milliseconds(number)));
        let body = json!({"number": number, "text": "x".repeat(60_000), "more": "y".repeat(60_000)});
        assert_eq!(hook(&api, &form, &body).await.status, 200);
    }
    let path = format!("/v1/forms/{form}/rejected");
    let mut numbers: Vec<String> = Vec::new();
    let mut pages = Vec::new();
    let mut query = String::new();
    loop {
        let reply = api.get(&format!("{path}?{query}")).token(&account.token).await;
        assert!(reply.body.len() < 3_000_000, "{}", reply.body.len());
        let page = reply.expect(200);
        let results = page["results"].as_array().unwrap();
        pages.push(results.len());
        for rejected in results {
            let answers = rejected["answers"].as_array().unwrap();
            let number = answers.iter().find(|answer| answer["names"] == json!(["number"])).unwrap();
            numbers.push(number["values"][0].as_str().unwrap().to_owned());
        }
        match page["paging"]["next"]["after"].as_str() {
            Some(after) => query = format!("after={after}"),
            None => break,
        }
    }
    assert_eq!(numbers, (0..25).map(|number| number.to_string()).collect::<Vec<_>>(), "{pages:?}");
    assert_eq!(pages, [20, 5]);
    let few = api.get(&format!("{path}?limit=3")).token(&account.token).await.expect(200);
    assert_eq!(few["results"].as_array().unwrap().len(), 3);
    let after = few["paging"]["next"]["after"].as_str().unwrap();
    let rest = api.get(&format!("{path}?limit=22&after={after}")).token(&account.token).await.expect(200);
    let after = rest["paging"]["next"]["after"].as_str().unwrap();
    let last = api.get(&format!("{path}?limit=2&after={after}")).token(&account.token).await.expect(200);
    assert_eq!((last["results"].as_array().unwrap().len(), last.get("paging")), (2, None));
}

#[tokio::test(start_paused = true)]
async fn rejected_page_size_counts_escaped_json_bytes() {
    let (api, account) = one_account(json!({})).await;
    let form = form(&api, &account).await;
    // Each of these characters becomes six bytes of JSON.
    for _ in 0..12 {
        assert_eq!(hook(&api, &form, &json!({"text": "\u{1}".repeat(47_000)})).await.status, 200);
    }
    let path = format!("/v1/forms/{form}/rejected");
    let page = api.get(&path).token(&account.token).await;
    assert!(page.body.len() < 3_000_000, "{}", page.body.len());
    assert!(page.expect(200)["paging"]["next"]["after"].is_string());
}

#[tokio::test(start_paused = true)]
async fn rejections_of_a_deleted_form_can_be_read_and_deleted() {
    let (api, account) = one_account(json!({})).await;
    let other = api.account(json!({})).await;
    let form = form(&api, &account).await;
    assert_eq!(hook(&api, &form, &json!({"reach_me_at": "ada@private.example"})).await.status, 200);
    let left =
        dump(&api).await.into_iter().find(|item| item["entity"].as_s().unwrap() == "rejected").unwrap();
    let path = format!("/v1/forms/{form}");
    let _ = api.delete(&path).token(&account.token).await.expect(204);
    let list = format!("{path}/rejected");
    api.get(&list).token(&account.token).await.problem(ProblemType::NotFound);
    // This simulates a submission that was in progress while the form was deleted.
    api.table.client.put_item().table_name(TABLE).set_item(Some(left)).send().await.unwrap();
    api.get(&list).token(&other.token).await.problem(ProblemType::NotFound);
    let rejection = rejected(&api, &account, &form).await[0].clone();
    api.post(&retry(&form, &rejection)).token(&account.token).await.problem(ProblemType::NotFound);
    let one = format!("{list}/{}", rejection["id"].as_str().unwrap());
    api.delete(&one).token(&other.token).await.problem(ProblemType::NotFound);
    let before = dump(&api).await.into_iter().filter(|item| item["entity"].as_s().unwrap() == "form-counts");
    let _ = api.delete(&one).token(&account.token).await.expect(204);
    api.get(&list).token(&account.token).await.problem(ProblemType::NotFound);
    let counts = dump(&api).await.into_iter().filter(|item| item["entity"].as_s().unwrap() == "form-counts");
    assert!(counts.eq(before), "a deleted form counts nothing");
}

#[tokio::test(start_paused = true)]
async fn rejections_belong_to_one_account_and_one_form() {
    let (api, account) = one_account(json!({})).await;
    let other = api.account(json!({})).await;
    let (ours, second) = (form(&api, &account).await, form(&api, &account).await);
    assert_eq!(hook(&api, &ours, &json!({"reach_me_at": "ada@example.org"})).await.status, 200);
    let rejection = rejected(&api, &account, &ours).await[0].clone();
    update_field_map(&api, &account, &ours, json!({"reach_me_at": "email"})).await;
    update_field_map(&api, &account, &second, json!({"reach_me_at": "email"})).await;
    let path = format!("/v1/forms/{ours}/rejected");
    api.get(&path).token(&other.token).await.problem(ProblemType::NotFound);
    api.get(&path).await.problem(ProblemType::Unauthenticated);
    api.post(&retry(&ours, &rejection)).token(&other.token).await.problem(ProblemType::NotFound);
    api.post(&retry(&ours, &rejection)).await.problem(ProblemType::Unauthenticated);
    api.post(&retry(&second, &rejection)).token(&account.token).await.problem(ProblemType::NotFound);
    for id in ["rej_00000000000000000000000000", "x"] {
        let path = retry(&ours, &json!({"id": id}));
        api.post(&path).token(&account.token).await.problem(ProblemType::NotFound);
    }
    assert_eq!(rejected(&api, &account, &second).await, json!([]));
    assert_eq!(column(&rejected(&api, &account, &ours).await, "id"), [rejection["id"].as_str().unwrap()]);
    // A member may retry, as with the other operations on forms.
    let member = api.user(&account, json!({"modify_marketing_contacts": false})).await;
    assert_eq!(api.post(&retry(&ours, &rejection)).token(&member.token).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn deleted_rejection_is_not_counted_any_more() {
    let (api, account) = one_account(json!({})).await;
    let other = api.account(json!({})).await;
    let (form, second) = (form(&api, &account).await, form(&api, &account).await);
    let body = json!({"submission_id": "s-1", "reach_me_at": "ada@private.example"});
    for body in [&body, &json!({"reach_me_at": "bob@private.example"})] {
        assert_eq!(hook(&api, &form, body).await.expect(200)["contact"], "rejected");
    }
    let list = rejected(&api, &account, &form).await;
    let (ada, bob) = match list[0]["answers"].to_string().contains("ada") {
        true => (&list[0], &list[1]),
        false => (&list[1], &list[0]),
    };
    let path = |form: &str, id: &str| format!("/v1/forms/{form}/rejected/{id}");
    let id = ada["id"].as_str().unwrap();
    let ours = path(&form, id);
    api.delete(&ours).await.problem(ProblemType::Unauthenticated);
    api.delete(&ours).token(&other.token).await.problem(ProblemType::NotFound);
    for nowhere in [path(&second, id), path(&form, "rej_00000000000000000000000000"), path(&form, "x")] {
        api.delete(&nowhere).token(&account.token).await.problem(ProblemType::NotFound);
    }
    assert_eq!(rejected(&api, &account, &form).await, list);

    for _ in 0..2 {
        let _ = api.delete(&ours).token(&account.token).key("remove").await.expect(204);
    }
    api.delete(&ours).token(&account.token).await.problem(ProblemType::NotFound);
    api.post(&retry(&form, ada)).token(&account.token).await.problem(ProblemType::NotFound);
    assert_eq!(rejected(&api, &account, &form).await, json!([bob]));
    assert!(!format!("{:?}", dump(&api).await).contains("ada@private.example"));
    let again = hook(&api, &form, &body).await.expect(200);
    assert_eq!((&again["contact"], &again["duplicate"]), (&json!("rejected"), &json!(true)));
    assert_eq!(counts(&api, &account, &form).await, json!({"received": 2, "duplicates": 1, "rejected": 1}));
}

#[tokio::test(start_paused = true)]
async fn rejections_expire_after_ninety_days() {
    let (api, account) = one_account(json!({})).await;
    let form = form(&api, &account).await;
    for _ in 0..12 {
        assert_eq!(hook(&api, &form, &json!({"reach_me_at": "ada@example.org"})).await.status, 200);
    }
    let rejection = rejected(&api, &account, &form).await[0].clone();
    api.clock.set(at("2027-02-08T11:59:59.000Z"));
    assert_eq!(rejected(&api, &account, &form).await.as_array().unwrap().len(), 12);
    assert_eq!(hook(&api, &form, &json!({"reach_me_at": "bob@example.org"})).await.status, 200);
    api.clock.set(at("2027-02-08T12:00:01.000Z"));
    let left = rejected(&api, &account, &form).await;
    assert_eq!(left.as_array().unwrap().len(), 1, "expired rejections do not hide the others");
    assert_eq!(left[0]["answers"][0]["values"], json!(["bob@example.org"]));
    update_field_map(&api, &account, &form, json!({"reach_me_at": "email"})).await;
    api.post(&retry(&form, &rejection)).token(&account.token).await.problem(ProblemType::NotFound);
}
