//! `POST /v1/contacts/marketing`, `POST /v1/contacts/non-marketing-pending` and `GET /v1/contacts/{id}/marketing`.

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{Api, Tenant, at};

use super::{START, UPDATE, column, one_account};

const SET: &str = "/v1/contacts/marketing";
const QUEUE: &str = "/v1/contacts/non-marketing-pending";

async fn state(api: &Api, account: &Tenant, id: &str) -> Value {
    api.get(&format!("/v1/contacts/{id}")).token(&account.token).await.expect(200)["marketing"]["state"]
        .clone()
}

#[tokio::test(start_paused = true)]
async fn marketing_state_follows_the_rules() {
    let (api, account) = one_account(json!({})).await;
    let id = api.contact(&account.token, json!({"email": "ada@example.org"})).await;
    for (path, outcome, state_after, marketing, leaving) in [
        (QUEUE, "unchanged", "non_marketing", 0, 0),
        (SET, "set", "marketing", 1, 0),
        (SET, "unchanged", "marketing", 1, 0),
        (QUEUE, "queued", "leaving", 1, 1),
        (QUEUE, "unchanged", "leaving", 1, 1),
        (SET, "kept", "marketing", 1, 0),
        (QUEUE, "queued", "leaving", 1, 1),
    ] {
        let body = json!({"contacts": [{"email": "ADA@example.org"}]});
        let answer = api.post(path).token(&account.token).json(&body).await.expect(200);
        let expected = json!([{"id": id, "email": "ada@example.org", "outcome": outcome}]);
        assert_eq!(answer["results"], expected, "{path}");
        assert_eq!(answer["summary"][outcome], 1);
        let sum: u64 = answer["summary"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!((sum, answer["summary"].as_object().unwrap().len()), (1, 6));
        assert_eq!(state(&api, &account, &id).await, state_after);
        let usage = api.assert_exact(&account).await;
        assert_eq!((&usage["marketing"], &usage["leaving"]), (&json!(marketing), &json!(leaving)), "{path}");
        assert_eq!(answer["usage"], usage);
    }
    api.clock.set(at(UPDATE));
    assert_eq!(api.set_marketing(&account.token, &[&id]).await["results"][0]["outcome"], "set");
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn results_keep_request_order_and_repeats_are_unchanged() {
    let (api, account) = one_account(json!({"cap": 2})).await;
    let token = &account.token;
    let ada = api.contact(token, json!({"email": "ada@example.org"})).await;
    let bob = api.contact(token, json!({})).await;
    let eve = api.contact(token, json!({"email": "eve@example.org"})).await;
    let body = json!({"contacts": [
        {"email": "No@one.example"}, {"id": ada}, {"email": "Ada@example.org"}, {"id": "17"}, {"id": bob}, {"id": eve},
        {"id": eve}, {"id": "417382950172345"},
    ]});
    let expected = json!([
        {"email": "No@one.example", "outcome": "not_found"},
        {"id": ada, "email": "ada@example.org", "outcome": "set"},
        {"id": ada, "email": "ada@example.org", "outcome": "unchanged"},
        {"id": "17", "outcome": "not_found"},
        {"id": bob, "outcome": "set"},
        {"id": eve, "email": "eve@example.org", "outcome": "refused", "reason": "cap-reached"},
        {"id": eve, "email": "eve@example.org", "outcome": "refused", "reason": "cap-reached"},
        {"id": "417382950172345", "outcome": "not_found"},
    ]);
    let summary = json!({"set": 2, "kept": 0, "queued": 0, "unchanged": 1, "refused": 2, "not_found": 3});

    let mut dry = body.clone();
    dry["dry_run"] = json!(true);
    let planned = api.post(SET).token(token).json(&dry).await.expect(200);
    assert_eq!(api.assert_exact(&account).await["marketing"], 0, "a dry run changes nothing");
    assert_eq!(state(&api, &account, &ada).await, "non_marketing");
    let done = api.post(SET).token(token).json(&body).await.expect(200);
    assert_eq!((&done["results"], &done["summary"]), (&expected, &summary));
    assert_eq!(planned, done, "the dry run returns the same response");
    let usage = api.assert_exact(&account).await;
    assert_eq!((&usage["marketing"], &usage["remaining_under_cap"]), (&json!(2), &json!(0)));
    assert_eq!(done["usage"], usage);
}

#[tokio::test(start_paused = true)]
async fn cap_is_never_exceeded_and_lowering_it_removes_none() {
    let (api, account) = one_account(json!({"cap": 150})).await;
    let token = &account.token;
    let mut ids = Vec::new();
    for _ in 0..200 {
        ids.push(api.contact(token, json!({})).await);
    }
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let answer = api.set_marketing(token, &all).await;
    let outcomes = column(&answer["results"], "outcome");
    assert!(
        outcomes[..150].iter().all(|outcome| *outcome == "set"),
        "capacity is used in the order of the request"
    );
    assert!(outcomes[150..].iter().all(|outcome| *outcome == "refused"));
    assert_eq!(api.assert_exact(&account).await["marketing"], 150);

    let _ = api.patch("/v1/account").token(token).json(&json!({"cap": 10})).await.expect(200);
    let usage = api.assert_exact(&account).await;
    assert_eq!((&usage["marketing"], &usage["remaining_under_cap"]), (&json!(150), &json!(0)));
    assert_eq!(api.set_marketing(token, &all[199..]).await["results"][0]["outcome"], "refused");
    // A leaving contact still counts, so it can become a marketing contact again.
    let _ = api.queue(token, &all[..1]).await;
    assert_eq!(api.set_marketing(token, &all[..1]).await["results"][0]["outcome"], "kept");
    let created = api.post("/v1/contacts").token(token).json(&json!({"marketing": true})).await.expect(201);
    assert_eq!(
        (&created["marketing"]["state"], &created["marketing"]["refused"]),
        (&json!("non_marketing"), &json!("cap-reached"))
    );
    let created =
        api.get(&format!("/v1/contacts/{}", created["id"].as_str().unwrap())).token(token).await.expect(200);
    assert!(
        created["marketing"].get("refused").is_none(),
        "only the response of the creation reports the refusal"
    );
    assert_eq!(api.assert_exact(&account).await["marketing"], 150);
}

#[tokio::test(start_paused = true)]
async fn concurrent_requests_succeed_up_to_the_cap() {
    let (api, account) = one_account(json!({"cap": 7})).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(api.contact(&account.token, json!({})).await);
    }
    let requests = ids.iter().map(|id| api.set_marketing(&account.token, std::slice::from_ref(id)));
    let answers = futures_util::future::join_all(requests).await;
    let set = answers.iter().filter(|answer| answer["results"][0]["outcome"] == "set").count();
    let refused = answers.iter().filter(|answer| answer["results"][0]["reason"] == "cap-reached").count();
    assert_eq!((set, refused), (7, 13));
    assert_eq!(api.assert_exact(&account).await["marketing"], 7);
}

#[tokio::test(start_paused = true)]
async fn list_of_contacts_is_bounded_and_validated() {
    let (api, account) = one_account(json!({})).await;
    for path in [SET, QUEUE] {
        let send = async |contacts: Value| {
            api.post(path).token(&account.token).json(&json!({"contacts": contacts})).await
        };
        for contacts in
            [json!([]), json!(vec![json!({"id": "a"}); 1001]), json!(null), json!({"id": "a"}), json!("all")]
        {
            send(contacts).await.assert_invalid(&["contacts"]);
        }
        let answer = send(json!(vec![json!({"id": "a"}); 1000])).await.expect(200);
        assert_eq!(answer["summary"]["not_found"], 1000);
        let contacts = json!([{}, {"id": "a", "email": "a@b.example"}, {"id": 7}, 7, {"id": ""}, {"email": "a@b.example", "name": "Ada"}]);
        let expected = [
            "contacts[0]",
            "contacts[1]",
            "contacts[2].id",
            "contacts[3]",
            "contacts[4].id",
            "contacts[5].name",
        ];
        send(contacts).await.assert_invalid(&expected);
        let body = json!({"contacts": [{"id": "a"}], "dry_run": "no", "all": true});
        api.post(path).token(&account.token).json(&body).await.assert_invalid(&["dry_run", "all"]);
        let many = send(json!(vec![json!({}); 1000])).await.invalid_fields();
        assert_eq!(
            (many.len(), many.last().map(String::as_str)),
            (101, Some("")),
            "the list of problems is bounded"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn explanation_lists_every_change_newest_first() {
    let (api, account) = one_account(json!({})).await;
    let ada = api.user(&account, json!({"name": "Ada"})).await;
    let shop = api.integration(&account, json!({"modify_marketing_contacts": true})).await;
    let id = api.contact(&ada.token, json!({"email": "eve@example.org"})).await;
    let (second, third) = ("2026-11-11T00:00:00.000Z", "2026-11-12T00:00:00.000Z");
    api.clock.set(at(second));
    let _ = api.set_marketing(&ada.token, &[&id]).await;
    api.clock.set(at(third));
    let _ = api.queue(&shop.token, &[&id]).await;

    let path = format!("/v1/contacts/{id}/marketing");
    let explanation = api.get(&path).token(&account.token).await.expect(200);
    let tokens = api.get("/v1/tokens").token(&account.token).await.expect(200);
    let integration =
        tokens["results"].as_array().unwrap().iter().find(|token| token["id"] == json!(shop.id)).unwrap();
    let integration = integration["integration"]["id"].clone();
    let (by_ada, by_shop) = (
        json!({"type": "manual", "name": "Ada", "id": ada.id}),
        json!({"type": "integration", "name": "Shop", "id": integration}),
    );
    assert_eq!(
        explanation["history"],
        json!([
            {"at": third, "from": "marketing", "to": "leaving", "source": by_shop,
             "actor": {"type": "integration", "id": integration}},
            {"at": second, "from": "non_marketing", "to": "marketing", "source": by_ada,
             "actor": {"type": "user", "id": ada.id}},
            {"at": START, "from": null, "to": "non_marketing", "source": by_ada, "actor": {"type": "user", "id": ada.id}},
        ])
    );
    assert_eq!(
        (&explanation["state"], &explanation["billable"], &explanation["since"]),
        (&json!("leaving"), &json!(true), &json!(third))
    );
    assert_eq!((&explanation["leaves_at"], &explanation["source"]), (&json!(UPDATE), &by_shop));
    assert!(
        explanation["because"].as_str().unwrap().starts_with(&format!("Billable until {UPDATE}")),
        "{explanation}"
    );
    assert_eq!(explanation["tools"]["marketing_email"], json!({"allowed": true, "reasons": []}));
    assert_eq!(explanation["tools"].as_object().unwrap().len(), 10);

    api.clock.set(at(UPDATE));
    let explanation = api.get(&path).token(&account.token).await.expect(200);
    assert_eq!(
        explanation["history"][0],
        json!({"at": UPDATE, "from": "leaving", "to": "non_marketing",
               "source": {"type": "update_date", "name": "Update date"}, "actor": {"type": "system"}})
    );
    assert_eq!(explanation["history"].as_array().unwrap().len(), 4);
    assert_eq!((&explanation["state"], &explanation["billable"]), (&json!("non_marketing"), &json!(false)));
    assert!(explanation.get("leaves_at").is_none());
    assert_eq!(explanation["tools"]["ads_audience"], json!({"allowed": false, "reasons": ["non-marketing"]}));
}

#[tokio::test(start_paused = true)]
async fn long_history_is_returned_completely() {
    let (api, account) = one_account(json!({})).await;
    let id = api.contact(&account.token, json!({"marketing": true})).await;
    for _ in 0..30 {
        let _ = api.queue(&account.token, &[&id]).await;
        let _ = api.set_marketing(&account.token, &[&id]).await;
    }
    let explanation =
        api.get(&format!("/v1/contacts/{id}/marketing")).token(&account.token).await.expect(200);
    let history = explanation["history"].as_array().unwrap();
    assert_eq!(history.len(), 61);
    assert!(
        history.windows(2).all(|pair| pair[0]["from"] == pair[1]["to"]),
        "each change starts from the state of the previous one"
    );
    assert_eq!(history[60]["from"], Value::Null);
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn status_paths_refuse_put() {
    let (api, account) = one_account(json!({})).await;
    for path in [SET, QUEUE] {
        api.put(path).token(&account.token).json(&json!({})).await.problem(ProblemType::MethodNotAllowed);
    }
}
