//! `/v1/contacts`, `/v1/contacts/{id}` and `/v1/contacts/by-email/{email}`.

use api::ProblemType;
use domain::limits::{PROPERTIES_BYTES_MAX, PROPERTIES_MAX, PROPERTY_VALUE_BYTES_MAX};
use serde_json::{Map, Value, json};
use testkit::at;

use super::{START, column, one_account};

#[tokio::test(start_paused = true)]
async fn created_contact_is_read_by_id_and_by_address() {
    let (api, account) = one_account(json!({})).await;
    let ada = api.user(&account, json!({"name": "Ada"})).await;
    let body = json!({
        "email": "Grace.Hopper@Bücher.example", "properties": {"firstname": "Grace", "note": "a\n\"b\"\tü\u{1F600}", "none": null},
        "unsubscribed": true, "bounced": false, "marketing": true,
    });
    let reply = api.post("/v1/contacts").token(&ada.token).json(&body).await;
    let contact = reply.expect(201);
    let id = contact["id"].as_str().unwrap();
    assert_eq!(reply.header("location"), Some(format!("/v1/contacts/{id}").as_str()));
    assert_eq!(reply.header("etag"), Some("\"1\""));
    assert_eq!(
        contact,
        json!({
            "id": id, "email": "Grace.Hopper@Bücher.example",
            "properties": {"firstname": "Grace", "note": "a\n\"b\"\tü\u{1F600}"},
            "unsubscribed": true, "bounced": false,
            "marketing": {"state": "marketing", "since": START, "source": {"type": "manual", "name": "Ada", "id": ada.id}},
            "created_at": START, "updated_at": START,
        })
    );
    for path in [
        format!("/v1/contacts/{id}"),
        "/v1/contacts/by-email/Grace.Hopper@B%C3%BCcher.example".to_owned(),
        "/v1/contacts/by-email/grace.hopper%40xn--bcher-kva.example".to_owned(),
        "/v1/contacts/by-email/GRACE.HOPPER@B%C3%9CCHER.EXAMPLE".to_owned(),
    ] {
        let read = api.get(&path).token(&account.token).await;
        assert_eq!((read.header("etag"), read.expect(200)), (Some("\"1\""), contact.clone()), "{path}");
    }
    let listed = api.get("/v1/contacts").token(&account.token).await.expect(200);
    assert_eq!(listed, json!({"results": [contact]}));
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn empty_body_creates_a_contact() {
    let (api, account) = one_account(json!({})).await;
    for body in [json!({}), json!({"email": null, "properties": {}})] {
        let contact = api.post("/v1/contacts").token(&account.token).json(&body).await.expect(201);
        assert_eq!((&contact["email"], &contact["properties"]), (&Value::Null, &json!({})));
        assert_eq!(contact["marketing"]["state"], "non_marketing");
    }
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}

#[tokio::test(start_paused = true)]
async fn address_belongs_to_one_contact() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let ada = api.contact(token, json!({"email": "ada@example.org"})).await;
    let body = json!({"email": "ADA@Example.ORG", "marketing": true});
    let problem = api.post("/v1/contacts").token(token).json(&body).await.problem(ProblemType::ContactExists);
    assert_eq!(problem["contact_id"], ada);
    let bob = api.contact(token, json!({"email": "bob@example.org"})).await;
    let path = format!("/v1/contacts/{bob}");
    let claim_address = json!({"email": "Ada@example.org"});
    let problem =
        api.patch(&path).token(token).json(&claim_address).await.problem(ProblemType::ContactExists);
    assert_eq!(problem["contact_id"], ada);

    // Once the first contact releases the address, the second can have it.
    let own = format!("/v1/contacts/{ada}");
    let freed = api.patch(&own).token(token).json(&json!({"email": null})).await.expect(200);
    assert_eq!(freed["email"], Value::Null);
    assert_eq!(
        api.patch(&path).token(token).json(&claim_address).await.expect(200)["email"],
        "Ada@example.org"
    );
    api.get("/v1/contacts/by-email/bob@example.org").token(token).await.problem(ProblemType::NotFound);
    let scan = testkit::scan(&api.table.client, account.id).await;
    assert_eq!((scan.contacts, scan.addresses, scan.billable), (2, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn put_creates_or_updates_a_contact() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let path = "/v1/contacts/by-email/Ada%2Bnews@example.org";
    let body = json!({"properties": {"firstname": "Ada", "title": "Countess"}, "marketing": true});
    let reply = api.put(path).token(token).json(&body).await;
    let created = reply.expect(201);
    let id = created["id"].as_str().unwrap();
    assert_eq!(reply.header("location"), Some(format!("/v1/contacts/{id}").as_str()));
    assert_eq!(
        (&created["email"], &created["marketing"]["state"]),
        (&json!("Ada+news@example.org"), &json!("marketing"))
    );

    api.clock.set(at("2026-11-11T00:00:00.000Z"));
    let body =
        json!({"properties": {"title": null, "lastname": "Lovelace"}, "bounced": true, "marketing": false});
    let reply = api.put("/v1/contacts/by-email/ada%2BNEWS@example.org").token(token).json(&body).await;
    assert_eq!((reply.header("location"), reply.header("etag")), (None, Some("\"2\"")));
    let saved = reply.expect(200);
    assert_eq!(saved["properties"], json!({"firstname": "Ada", "lastname": "Lovelace"}));
    assert_eq!((&saved["id"], &saved["email"]), (&json!(id), &created["email"]));
    assert_eq!(
        (&saved["created_at"], &saved["updated_at"]),
        (&json!(START), &json!("2026-11-11T00:00:00.000Z"))
    );
    assert_eq!(saved["marketing"]["state"], "marketing", "`false` never queues");
    let again = api.put(path).token(token).json(&json!({})).await;
    assert_eq!(
        (again.header("etag"), again.expect(200)),
        (Some("\"2\""), saved),
        "an empty body changes nothing"
    );
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn contact_update_keeps_omitted_fields() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let body = json!({"email": "ada@example.org", "properties": {"a": "1", "b": "2"}, "unsubscribed": true});
    let path = format!("/v1/contacts/{}", api.contact(token, body).await);
    let before = api.get(&path).token(token).await.expect(200);
    let untouched = api.patch(&path).token(token).json(&json!({})).await;
    assert_eq!((untouched.header("etag"), untouched.expect(200)), (Some("\"1\""), before.clone()));

    api.clock.set(at("2026-11-11T00:00:00.000Z"));
    let body = json!({"email": "Ada@Example.org", "properties": {"a": null, "c": " "}, "bounced": true});
    let changed = api.patch(&path).token(token).json(&body).await;
    assert_eq!(changed.header("etag"), Some("\"2\""));
    let mut expected = before;
    expected["email"] = json!("Ada@Example.org");
    expected["properties"] = json!({"b": "2", "c": " "});
    expected["bounced"] = json!(true);
    expected["updated_at"] = json!("2026-11-11T00:00:00.000Z");
    assert_eq!(changed.expect(200), expected);
    assert_eq!(api.get(&path).token(token).await.expect(200), expected);
}

#[tokio::test(start_paused = true)]
async fn empty_value_removes_a_property_like_null() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let body = json!({"email": "ada@example.org", "properties": {"a": "", "b": "2", "c": "3"}});
    let created = api.post("/v1/contacts").token(token).json(&body).await.expect(201);
    assert_eq!(created["properties"], json!({"b": "2", "c": "3"}));
    let path = format!("/v1/contacts/{}", created["id"].as_str().unwrap());
    let changed =
        api.patch(&path).token(token).json(&json!({"properties": {"a": "", "b": ""}})).await.expect(200);
    assert_eq!(changed["properties"], json!({"c": "3"}));
    let by_email = "/v1/contacts/by-email/ada@example.org";
    let saved =
        api.put(by_email).token(token).json(&json!({"properties": {"c": "", "d": ""}})).await.expect(200);
    assert_eq!(saved["properties"], json!({}));
    assert_eq!(api.get(&path).token(token).await.expect(200), saved);
}

#[tokio::test(start_paused = true)]
async fn contact_update_rejects_the_marketing_state() {
    let (api, account) = one_account(json!({})).await;
    let path = format!("/v1/contacts/{}", api.contact(&account.token, json!({})).await);
    let reply = api.patch(&path).token(&account.token).json(&json!({"marketing": true, "source": {}})).await;
    reply.assert_invalid(&["marketing", "source"]);
    assert!(
        reply.text().contains("POST /v1/contacts/marketing"),
        "the detail names the right operation: {}",
        reply.text()
    );
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}

#[tokio::test(start_paused = true)]
async fn invalid_address_is_rejected_by_every_operation() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let path = format!("/v1/contacts/{}", api.contact(token, json!({})).await);
    let long = format!("{}@example.org", "a".repeat(65));
    let bad = [
        "",
        "ada",
        "ada@",
        "@example.org",
        "a b@example.org",
        " a@example.org",
        "a@example.org\n",
        "a@b@c",
        "a\0@b.example",
        "a@exa mple.org",
        "a@-example.org",
        "a@[192.0.2.1]",
        "Ada <a@example.org>",
        "a@example..org",
        "a@\u{200b}b.example",
        &long,
    ];
    for address in bad {
        let body = json!({"email": address});
        api.post("/v1/contacts").token(token).json(&body).await.assert_invalid(&["email"]);
        api.patch(&path).token(token).json(&body).await.assert_invalid(&["email"]);
        let listed = json!({"contacts": [{"email": "a@example.org"}, body]});
        api.post("/v1/contacts/marketing")
            .token(token)
            .json(&listed)
            .await
            .assert_invalid(&["contacts[1].email"]);
        if !address.is_empty() {
            let encoded: String = address.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let path = format!("/v1/contacts/by-email/{encoded}");
            api.get(&path).token(token).await.assert_invalid(&["email"]);
            api.put(&path).token(token).json(&json!({})).await.assert_invalid(&["email"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn invalid_properties_are_listed_one_by_one() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let body = json!({"properties": {
        "First": "a", "age": 36, "bell": "\u{7}", "email": "a@b", "hs_marketable_status": "true", "list": ["a"],
        "long": "x".repeat(PROPERTY_VALUE_BYTES_MAX + 1), "nul": "\0", "ok": "a", "yes": true, "": "a",
    }});
    let expected =
        ["", "First", "age", "bell", "email", "hs_marketable_status", "list", "long", "nul", "yes"];
    let expected: Vec<String> = expected.iter().map(|name| format!("properties.{name}")).collect();
    assert_eq!(api.post("/v1/contacts").token(token).json(&body).await.invalid_fields(), expected);

    let many = |from: usize, to: usize, value: &str| {
        (from..to).map(|number| (format!("p{number}"), json!(value))).collect::<Map<String, Value>>()
    };
    let full = json!({"email": "ada@example.org", "properties": many(0, PROPERTIES_MAX, "a")});
    let id = api.contact(token, full).await;
    let over = json!({"properties": many(0, PROPERTIES_MAX + 1, "a")});
    api.post("/v1/contacts").token(token).json(&over).await.assert_invalid(&["properties"]);
    // The contact would have one property too many, although each request by itself is within the limit.
    let one_more = json!({"properties": {"one_more": "a"}});
    let path = format!("/v1/contacts/{id}");
    api.patch(&path).token(token).json(&one_more).await.assert_invalid(&["properties"]);
    api.put("/v1/contacts/by-email/ada@example.org")
        .token(token)
        .json(&one_more)
        .await
        .assert_invalid(&["properties"]);
    let swapped = json!({"properties": {"one_more": "a", "p0": null}});
    assert_eq!(api.patch(&path).token(token).json(&swapped).await.status, 200);

    let large = json!({"properties": many(0, 2, &"x".repeat(PROPERTIES_BYTES_MAX / 2))});
    api.post("/v1/contacts").token(token).json(&large).await.assert_invalid(&["properties"]);
    let largest = json!({"properties": many(0, 2, &"\"".repeat(PROPERTIES_BYTES_MAX / 2 - 2))});
    let largest = api.post("/v1/contacts").token(token).json(&largest).await.expect(201);
    let path = format!("/v1/contacts/{}", largest["id"].as_str().unwrap());
    assert_eq!(api.get(&path).token(token).await.expect(200), largest);
}

#[tokio::test(start_paused = true)]
async fn contacts_are_listed_in_order_of_creation() {
    let (api, account) = one_account(json!({})).await;
    let mut created = Vec::new();
    for number in 0..40_i64 {
        api.clock.set(at(START).plus(chrono::TimeDelta::milliseconds(number)));
        created.push(api.contact(&account.token, json!({"marketing": number % 2 == 0})).await);
    }
    let listed = api.get("/v1/contacts").token(&account.token).await.expect(200);
    assert_eq!(column(&listed["results"], "id"), created);
    assert!(listed.get("paging").is_none());
}

#[tokio::test(start_paused = true)]
async fn unknown_contact_is_not_found() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    for id in ["417382950172345", "17", "42", "acc_00000000000000000000000000", "%00", "con_%F0%9F%98%80"] {
        let path = format!("/v1/contacts/{id}");
        api.get(&path).token(token).await.problem(ProblemType::NotFound);
        api.get(&format!("{path}/marketing")).token(token).await.problem(ProblemType::NotFound);
        api.patch(&path).token(token).json(&json!({})).await.problem(ProblemType::NotFound);
        api.delete(&path).token(token).await.problem(ProblemType::NotFound);
    }
    api.get("/v1/contacts/by-email/nobody@example.org").token(token).await.problem(ProblemType::NotFound);
}
