//! `/v1/account`: its settings, the contract's terms, and a sandbox's clock.

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{Api, OPERATOR_TOKEN, Reply, Tenant};

use super::{START, one_account};

async fn change(api: &Api, account: &Tenant, body: Value) -> Reply {
    api.patch("/v1/account").token(&account.token).json(&body).await
}

/// Updates the account's contract as the operator.
async fn update_contract(api: &Api, account: &Tenant, body: Value) -> Reply {
    api.patch(&format!("/v1/accounts/{}", account.id)).token(OPERATOR_TOKEN).json(&body).await
}

#[tokio::test(start_paused = true)]
async fn account_update_keeps_omitted_fields() {
    let (api, account) = one_account(json!({"cap": 10})).await;
    let before = api.get("/v1/account").token(&account.token).await.expect(200);
    assert_eq!(change(&api, &account, json!({})).await.expect(200), before);
    let mut expected = before.clone();
    expected["name"] = json!("Ada & Co");
    assert_eq!(change(&api, &account, json!({"name": "Ada & Co"})).await.expect(200), expected);
    expected["cap"] = Value::Null;
    assert_eq!(change(&api, &account, json!({"cap": null})).await.expect(200), expected);
    expected["defaults"]["chatflow"] = json!(true);
    assert_eq!(change(&api, &account, json!({"defaults": {"chatflow": true}})).await.expect(200), expected);
    expected["defaults"]["chatflows"] = json!({"a": false, "b": true});
    let chatflows = json!({"defaults": {"chatflows": {"a": false, "b": true}}});
    assert_eq!(change(&api, &account, chatflows).await.expect(200), expected);
    expected["defaults"]["external_form"] = json!(false);
    expected["defaults"]["chatflows"] = json!({});
    let last = json!({"defaults": {"chatflows": {}, "external_form": false}});
    assert_eq!(change(&api, &account, last).await.expect(200), expected);
    assert_eq!(api.get("/v1/account").token(&account.token).await.expect(200), expected);
}

#[tokio::test(start_paused = true)]
async fn new_calendar_moves_the_end_of_the_current_period() {
    let (api, account) = one_account(json!({})).await;
    for (body, ends_at) in [
        (json!({"time_zone": "Asia/Tokyo"}), "2026-11-30T15:00:00.000Z"),
        (json!({"renewal_date": "2020-11-20"}), "2026-11-19T15:00:00.000Z"),
        (json!({"term": "monthly", "time_zone": "UTC"}), "2026-11-20T00:00:00.000Z"),
        (json!({"renewal_date": "2024-02-29"}), "2026-11-29T00:00:00.000Z"),
        (json!({"term": "annual", "renewal_date": "2024-01-01"}), "2026-12-01T00:00:00.000Z"),
    ] {
        let changed = update_contract(&api, &account, body.clone()).await.expect(200);
        let period = json!({"number": 1, "starts_at": START, "ends_at": ends_at});
        assert_eq!(
            (&changed["account"]["period"], &changed["usage"]["period"]),
            (&period, &period),
            "{body}"
        );
        assert_eq!(api.get("/v1/usage").token(&account.token).await.expect(200)["next_update_at"], ends_at);
    }
}

/// Returns each term of a contract in a separate request body.
fn each_term() -> [(&'static str, Value); 6] {
    [
        ("term", json!({"term": "monthly"})),
        ("renewal_date", json!({"renewal_date": "2026-11-11"})),
        ("time_zone", json!({"time_zone": "Asia/Tokyo"})),
        ("tier", json!({"tier": {"included": 5000, "block": 1000}})),
        ("tier_limit_at_renewal", json!({"tier_limit_at_renewal": null})),
        ("marketing_contacts", json!({"marketing_contacts": true})),
    ]
}

#[tokio::test(start_paused = true)]
async fn admin_cannot_change_the_terms_of_the_contract() {
    let (api, account) = one_account(json!({})).await;
    let id = api.contact(&account.token, json!({"marketing": true})).await;
    let _ = api.queue(&account.token, &[&id]).await;
    let before = api.get("/v1/account").token(&account.token).await.expect(200);
    for (field, body) in each_term() {
        let problem = change(&api, &account, body).await.problem(ProblemType::PermissionDenied);
        assert_eq!(problem["errors"][0]["field"], field);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(field) && detail.contains("operator"), "{detail}");
    }
    let all = json!({"name": "Ada & Co", "cap": 5, "term": "monthly", "renewal_date": "2026-11-11"});
    let problem = change(&api, &account, all).await.problem(ProblemType::PermissionDenied);
    assert_eq!(super::column(&problem["errors"], "field"), ["term", "renewal_date"]);
    assert_eq!(api.get("/v1/account").token(&account.token).await.expect(200), before);
    assert_eq!(api.assert_exact(&account).await["leaving"], 1);
}

#[tokio::test(start_paused = true)]
async fn refused_term_is_replayed_under_its_key() {
    let (api, account) = one_account(json!({})).await;
    for _ in 0..2 {
        let body = json!({"term": "monthly"});
        let patch = api.patch("/v1/account").token(&account.token).json(&body).key("k");
        assert_eq!(patch.await.problem(ProblemType::PermissionDenied)["errors"][0]["field"], "term");
    }
    let other = api.patch("/v1/account").token(&account.token).json(&json!({"name": "Ada"})).key("k");
    other.await.problem(ProblemType::IdempotencyKeyReused);
}

#[tokio::test(start_paused = true)]
async fn sandbox_admin_can_change_its_terms() {
    let (api, account) = one_account(json!({"test_clock": START})).await;
    for (field, body) in each_term() {
        assert_eq!(change(&api, &account, body).await.status, 200, "{field}");
    }
    let changed = api.get("/v1/account").token(&account.token).await.expect(200);
    assert_eq!((&changed["term"], &changed["time_zone"]), (&json!("monthly"), &json!("Asia/Tokyo")));
    assert_eq!(changed["tier"], json!({"included": 5000, "block": 1000, "limit": 5000}));
    let lower = json!({"tier": {"included": 100, "block": 100}, "tier_limit_at_renewal": 300});
    let changed = change(&api, &account, lower).await.expect(200);
    let tier = json!({"included": 100, "block": 100, "limit": 5000, "limit_at_renewal": 300});
    assert_eq!(changed["tier"], tier, "a limit falls only at the renewal");
    let member = api.user(&account, json!({})).await;
    let body = json!({"term": "annual"});
    api.patch("/v1/account").token(&member.token).json(&body).await.problem(ProblemType::PermissionDenied);
}

#[tokio::test(start_paused = true)]
async fn leaving_contact_leaves_at_the_moved_update_date() {
    let (api, account) = one_account(json!({})).await;
    let id = api.contact(&account.token, json!({"marketing": true})).await;
    let _ = api.queue(&account.token, &[&id]).await;
    let body = json!({"term": "monthly", "renewal_date": "2026-01-20"});
    assert_eq!(update_contract(&api, &account, body).await.status, 200);
    let contact = api.get(&format!("/v1/contacts/{id}")).token(&account.token).await.expect(200);
    assert_eq!(contact["marketing"]["leaves_at"], "2026-11-20T00:00:00.000Z");
    api.clock.set(testkit::at("2026-11-20T00:00:00.000Z"));
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}

#[tokio::test(start_paused = true)]
async fn invalid_account_update_lists_every_error() {
    let (api, account) = one_account(json!({})).await;
    let long = "x".repeat(201);
    let body = json!({
        "name": long, "time_zone": null, "term": "weekly", "renewal_date": 20270615, "cap": "10", "marketing_contacts": 0,
        "defaults": {"external_form": null, "chatflow": 1, "chatflows": {"": true, "a": "yes"}, "form": true},
        "tier_limit_at_renewal": 1.5, "tier": {"included": 1}, "test_clock": null, "id": "acc_1",
    });
    change(&api, &account, body).await.assert_invalid(&[
        "name",
        "time_zone",
        "term",
        "renewal_date",
        "tier.block",
        "tier_limit_at_renewal",
        "marketing_contacts",
        "cap",
        "defaults.external_form",
        "defaults.chatflow",
        "defaults.chatflows.",
        "defaults.chatflows.a",
        "defaults.form",
        "id",
        "test_clock",
    ]);
    let many: serde_json::Map<_, _> = (0..201).map(|number| (format!("flow{number}"), json!(true))).collect();
    change(&api, &account, json!({"defaults": {"chatflows": many}}))
        .await
        .assert_invalid(&["defaults.chatflows"]);
}

#[tokio::test(start_paused = true)]
async fn requested_lower_limit_applies_at_the_renewal() {
    let tier = json!({"tier": {"included": 2, "block": 2}, "renewal_date": "2026-12-01"});
    let (api, account) = one_account(tier).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(api.contact(&account.token, json!({"marketing": true})).await);
    }
    assert_eq!(api.assert_exact(&account).await["tier"]["limit"], 6);
    for (limit, problem_type) in
        [(3, ProblemType::InvalidRequest), (8, ProblemType::InvalidRequest), (0, ProblemType::InvalidRequest)]
    {
        let reply = update_contract(&api, &account, json!({"tier_limit_at_renewal": limit})).await;
        reply.problem(problem_type);
        reply.assert_invalid(&["tier_limit_at_renewal"]);
    }
    let changed = update_contract(&api, &account, json!({"tier_limit_at_renewal": 2})).await.expect(200);
    assert_eq!(
        changed["account"]["tier"],
        json!({"included": 2, "block": 2, "limit": 6, "limit_at_renewal": 2})
    );
    let withdrawn = update_contract(&api, &account, json!({"tier_limit_at_renewal": null})).await.expect(200);
    assert_eq!(withdrawn["account"]["tier"], json!({"included": 2, "block": 2, "limit": 6}));
    let _ = update_contract(&api, &account, json!({"tier_limit_at_renewal": 2})).await.expect(200);
    let _ = api.queue(&account.token, &[&ids[0], &ids[1]]).await;
    api.clock.set(testkit::at(super::UPDATE));
    let usage = api.assert_exact(&account).await;
    assert_eq!(
        (&usage["marketing"], &usage["tier"]["limit"]),
        (&json!(3), &json!(4)),
        "never below the usage"
    );
}

#[tokio::test(start_paused = true)]
async fn marketing_contacts_in_use_cannot_be_switched_off() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let id = api.contact(token, json!({"email": "ada@example.org", "marketing": true})).await;
    let off = json!({"marketing_contacts": false});
    update_contract(&api, &account, off.clone()).await.problem(ProblemType::MarketingContactsInUse);
    let _ = api.queue(token, &[&id]).await;
    update_contract(&api, &account, off.clone()).await.problem(ProblemType::MarketingContactsInUse);
    api.clock.set(testkit::at(super::UPDATE));
    assert_eq!(
        update_contract(&api, &account, off).await.expect(200)["account"]["marketing_contacts"],
        false
    );

    for path in ["/v1/contacts/marketing", "/v1/contacts/non-marketing-pending"] {
        let body = json!({"contacts": [{"id": id}]});
        api.post(path).token(token).json(&body).await.problem(ProblemType::MarketingContactsOff);
    }
    let body = json!({"marketing": true});
    api.post("/v1/contacts").token(token).json(&body).await.problem(ProblemType::MarketingContactsOff);
    api.put("/v1/contacts/by-email/ada@example.org")
        .token(token)
        .json(&body)
        .await
        .problem(ProblemType::MarketingContactsOff);
    let contact = api.post("/v1/contacts").token(token).json(&json!({"marketing": false})).await.expect(201);
    assert_eq!(contact["marketing"]["state"], "non_marketing");
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);

    assert_eq!(update_contract(&api, &account, json!({"marketing_contacts": true})).await.status, 200);
    assert_eq!(api.set_marketing(token, &[&id]).await["results"][0]["outcome"], "set");
    api.assert_exact(&account).await;
}

#[tokio::test(start_paused = true)]
async fn sandbox_clock_moves_forward_and_only_on_request() {
    let (api, account) = one_account(json!({"test_clock": "2030-05-10T00:00:00Z"})).await;
    let move_to = async |now: &str| {
        api.post("/v1/account/test-clock").token(&account.token).json(&json!({"now": now})).await
    };
    let moved = move_to("2030-07-15T10:00:00+02:00").await.expect(200);
    assert_eq!(moved["test_clock"], "2030-07-15T08:00:00.000Z");
    let period =
        json!({"number": 3, "starts_at": "2030-07-01T00:00:00.000Z", "ends_at": "2030-08-01T00:00:00.000Z"});
    assert_eq!(moved["period"], period);
    assert_eq!(api.get("/v1/account").token(&account.token).await.expect(200), moved);
    assert_eq!(
        move_to("2030-07-15T08:00:00.000Z").await.expect(200),
        moved,
        "the current instant is accepted"
    );
    move_to("2030-07-15T07:59:59.999Z").await.problem(ProblemType::ClockNotForward);

    api.clock.set(testkit::at("2040-01-01T00:00:00.000Z"));
    assert_eq!(
        api.get("/v1/account").token(&account.token).await.expect(200),
        moved,
        "the wall clock has no effect on a sandbox"
    );
    for now in
        ["2035-07-20T00:00:00Z", "2200-01-01T00:00:00Z", "1999-01-01T00:00:00Z", "tomorrow", "", "2030-07-16"]
    {
        move_to(now).await.assert_invalid(&["now"]);
    }
    assert_eq!(move_to("2035-07-15T00:00:00Z").await.expect(200)["period"]["number"], 63);
    let statements = api.get("/v1/usage/statements").token(&account.token).await.expect(200);
    assert_eq!(statements["results"].as_array().unwrap().len(), 62);
}

#[tokio::test(start_paused = true)]
async fn ordinary_account_has_no_test_clock() {
    let (api, account) = one_account(json!({})).await;
    let body = json!({"now": "2027-01-01T00:00:00Z"});
    api.post("/v1/account/test-clock")
        .token(&account.token)
        .json(&body)
        .await
        .problem(ProblemType::NotASandbox);
    assert!(api.get("/v1/account").token(&account.token).await.expect(200).get("test_clock").is_none());
}
