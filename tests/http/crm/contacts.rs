//! One contact: created, read, updated, archived, erased and listed.

use serde_json::{Value, json};
use testkit::OPERATOR_TOKEN;

use super::{CONTACTS, METHODS, create, id, ids, people, refused};
use crate::http::one_account;

#[tokio::test]
async fn contact_is_created_read_updated_and_archived() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let created = create(&api, token, json!({"email": "Ada@Example.org", "firstname": "Ada"})).await;
    assert_eq!(created["properties"]["email"], "ada@example.org", "addresses come back in lower case");
    assert_eq!(
        (&created["archived"], &created["createdAt"]),
        (&json!(false), &created["properties"]["createdate"])
    );
    assert_eq!(created["updatedAt"], created["properties"]["lastmodifieddate"]);
    let path = format!("{CONTACTS}/{}", id(&created));
    let read = api.get(&path).token(token).await.expect(200);
    assert_eq!(read, created);
    assert_eq!(read["properties"]["lastname"], Value::Null, "asked for and empty");
    let body = json!({"properties": {"firstname": "", "lastname": "Lovelace"}});
    let updated = api.patch(&path).token(token).json(&body).await.expect(200);
    assert_eq!(
        (&updated["properties"]["firstname"], &updated["properties"]["lastname"]),
        (&Value::Null, &json!("Lovelace"))
    );
    for _ in 0..2 {
        let archived = api.delete(&path).token(token).await;
        assert_eq!((archived.status, archived.body.len()), (204, 0), "again, too");
    }
    let gone = refused(&api.get(&path).token(token).await, 404, "OBJECT_NOT_FOUND");
    assert_eq!(gone["context"]["id"], json!([id(&created)]));
    refused(&api.patch(&path).token(token).json(&body).await, 404, "OBJECT_NOT_FOUND");
}

#[tokio::test]
async fn contact_is_found_by_its_address_in_a_path() {
    let (api, account) = one_account(json!({})).await;
    let created = create(&api, &account.token, json!({"email": "ada+news@example.org"})).await;
    for spelling in ["ada+news@example.org", "ada%2Bnews%40example.org", "ADA+NEWS@EXAMPLE.ORG"] {
        let path = format!("{CONTACTS}/{spelling}?idProperty=email");
        assert_eq!(api.get(&path).token(&account.token).await.expect(200)["id"], created["id"], "{spelling}");
        let body = json!({"properties": {"city": spelling}});
        assert_eq!(api.patch(&path).token(&account.token).json(&body).await.expect(200)["id"], created["id"]);
    }
    let path = format!("{CONTACTS}/London?idProperty=city");
    let refusal = refused(&api.get(&path).token(&account.token).await, 400, "VALIDATION_ERROR");
    assert!(refusal["message"].as_str().unwrap().contains("non-unique"), "{refusal}");
}

#[tokio::test]
async fn every_spelling_of_a_path_is_taken() {
    let (api, account) = one_account(json!({})).await;
    let created = create(&api, &account.token, json!({"email": "ada@example.org"})).await;
    for path in [
        "/crm/v3/objects/contacts",
        "//crm/v3/objects/contacts/",
        "/crm//v3/objects/contact",
        "/crm/v3/objects/0-1/?archived=false&associations=companies&colour=red",
        "/crm/objects/2025-09/contacts",
        "/crm/objects/2026-03/0-1",
        "/crm/objects/2026-09-beta/contact/",
    ] {
        assert_eq!(ids(&api.get(path).token(&account.token).await.expect(200)), [id(&created)], "{path}");
    }
}

#[tokio::test]
async fn existing_address_is_a_conflict_with_the_id() {
    let (api, account) = one_account(json!({})).await;
    let created = create(&api, &account.token, json!({"email": "ada@example.org"})).await;
    let body = json!({"properties": {"email": "ADA@example.org"}});
    let conflict = refused(&api.post(CONTACTS).token(&account.token).json(&body).await, 409, "CONFLICT");
    assert_eq!(conflict["message"], format!("Contact already exists. Existing ID: {}", id(&created)));
    let other = create(&api, &account.token, json!({"email": "grace@example.org"})).await;
    let path = format!("{CONTACTS}/{}", id(&other));
    let conflict = refused(&api.patch(&path).token(&account.token).json(&body).await, 409, "CONFLICT");
    assert_eq!(conflict["message"], format!("Contact already exists. Existing ID: {}", id(&created)));
}

#[tokio::test]
async fn every_wrong_property_is_in_the_message() {
    let (api, account) = one_account(json!({})).await;
    let properties =
        json!({"email": "nobody", "colour_of_eyes": "blue", "createdate": "2026-01-01", "firstname": "Ada"});
    let reply = api.post(CONTACTS).token(&account.token).json(&json!({"properties": properties})).await;
    let refusal = refused(&reply, 400, "VALIDATION_ERROR");
    let array =
        refusal["message"].as_str().unwrap().strip_prefix("Property values were not valid: ").unwrap();
    let errors: Vec<Value> = serde_json::from_str(array).unwrap();
    let found: Vec<_> = errors
        .iter()
        .map(|error| (error["name"].as_str().unwrap(), error["error"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("colour_of_eyes", "PROPERTY_DOESNT_EXIST"),
            ("createdate", "READ_ONLY_VALUE"),
            ("email", "INVALID_EMAIL")
        ]
    );
    assert!(errors.iter().all(|error| error["isValid"] == false && error["portalId"].is_u64()));
    let named =
        refusal["errors"].as_array().unwrap().iter().map(|error| error["context"]["propertyName"].clone());
    assert_eq!(Value::Array(named.collect()), json!([["colour_of_eyes"], ["createdate"], ["email"]]));
    assert_eq!(
        ids(&api.get(CONTACTS).token(&account.token).await.expect(200)),
        [""; 0],
        "nothing was created"
    );
}

#[tokio::test]
async fn page_with_histories_has_at_most_fifty_contacts() {
    let (api, account) = one_account(json!({})).await;
    let input = |n: usize| json!({"properties": {"email": format!("ada{n}@example.org")}});
    let inputs: Vec<Value> = (0..51).map(input).collect();
    let path = format!("{CONTACTS}/batch/create");
    let created = api.post(&path).token(&account.token).json(&json!({"inputs": inputs})).await;
    assert_eq!(created.status, 201);
    for (query, contacts, more) in
        [("limit=100", 51, false), ("limit=100&propertiesWithHistory=email", 50, true)]
    {
        let page = api.get(&format!("{CONTACTS}?{query}")).token(&account.token).await.expect(200);
        assert_eq!((ids(&page).len(), page.get("paging").is_some()), (contacts, more), "{query}");
    }
}

#[tokio::test]
async fn list_pages_through_all_contacts_by_links() {
    let (api, account) = one_account(json!({})).await;
    let created = people(&api, &account.token, &["ada", "grace", "mary", "joan", "kay"]).await;
    let mut path = format!("{CONTACTS}?limit=2&properties=city&after=0");
    let mut found = Vec::new();
    loop {
        let page = api.get(&path).token(&account.token).await.expect(200);
        found.extend(ids(&page).into_iter().map(str::to_owned));
        assert_eq!(page["results"][0]["properties"]["city"], Value::Null);
        let Some(link) = page["paging"]["next"]["link"].as_str() else {
            assert_eq!(page.get("paging"), None);
            break;
        };
        assert!(link.contains("properties=city") && link.contains("limit=2"), "{link}");
        let after = page["paging"]["next"]["after"].as_str().unwrap();
        assert!(link.ends_with(&format!("after={after}")), "{link}");
        path = link
            .split_once("/crm")
            .map(|(base, rest)| {
                assert!(base.starts_with("https://"), "{base}");
                format!("/crm{rest}")
            })
            .unwrap();
    }
    assert_eq!(found, created);
    for wrong in ["limit=101", "limit=0", "limit=x", "after=x", "after=-1"] {
        let reply = api.get(&format!("{CONTACTS}?{wrong}")).token(&account.token).await;
        refused(&reply, 400, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn erased_contact_leaves_nothing() {
    let (api, account) = one_account(json!({})).await;
    let created = people(&api, &account.token, &["ada", "grace"]).await;
    let erase = |body: Value| api.post(&format!("{CONTACTS}/gdpr-delete")).token(&account.token).json(&body);
    for body in [
        json!({"objectId": created[0]}),
        json!({"objectId": "grace@example.org", "idProperty": "email"}),
        json!({"objectId": "nobody@example.org", "idProperty": "email"}),
        json!({"objectId": created[0]}),
    ] {
        assert_eq!(erase(body.clone()).await.status, 204, "{body}");
    }
    assert_eq!(ids(&api.get(CONTACTS).token(&account.token).await.expect(200)), [""; 0]);
    refused(&erase(json!({})).await, 400, "VALIDATION_ERROR");
}

#[tokio::test]
async fn bad_token_is_unauthorized_on_every_path() {
    let (api, _) = one_account(json!({})).await;
    for path in [CONTACTS, "/crm/v3/objects/deals", "/crm/v3/nothing", "/account-info/v3/nothing"] {
        for token in ["wrong", OPERATOR_TOKEN] {
            let reply = api.get(path).token(token).await;
            refused(&reply, 401, "INVALID_AUTHENTICATION");
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        }
        refused(&api.get(path).await, 401, "INVALID_AUTHENTICATION");
    }
}

#[tokio::test]
async fn other_objects_are_refused_as_missing_scopes() {
    let (api, account) = one_account(json!({})).await;
    for path in [
        "/crm/v3/objects/deals",
        "/crm/v3/objects/companies/7",
        "/crm/v3/properties/tickets",
        "/crm/objects/2026-03/deals/search",
        "/crm/v3/pipelines/deals",
        "/companies/v2/properties",
        "/properties/v1/deals/properties",
        "/properties/v2/company/properties",
    ] {
        let refusal = refused(&api.get(path).token(&account.token).await, 403, "MISSING_SCOPES");
        assert!(refusal["errors"][0]["context"]["requiredGranularScopes"].as_array().is_some());
        assert!(refusal["links"]["scopes"].as_str().is_some());
    }
}

#[tokio::test]
async fn every_refusal_is_an_envelope() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let created = create(&api, token, json!({"email": "ada@example.org"})).await;
    let contact = format!("{CONTACTS}/{}", id(&created));
    for body in
        ["", "{", "[]", "7", "\"a\"", "{\"properties\": 7}", "{\"properties\": {}}", "{\"a\": 1, \"a\": 2}"]
    {
        let reply = api.post(CONTACTS).token(token).body("application/json", body).await;
        refused(&reply, 400, "VALIDATION_ERROR");
    }
    let large = format!("{{\"properties\": {{\"city\": \"{}\"}}}}", "x".repeat(2_000_000));
    let reply = api.patch(&contact).token(token).body("application/json", large).await;
    assert_eq!(reply.status, 413);
    refused(&reply, 413, "VALIDATION_ERROR");
    for path in [
        CONTACTS,
        &contact,
        "/crm/v3/objects/contacts/batch/read",
        "/crm/v3/x",
        "/crm/v3/objects/contacts/%ff",
    ] {
        for method in METHODS {
            let reply = api.request(method.clone(), path).token(token).await;
            if reply.status >= 400 {
                let category: Value = reply.json();
                refused(&reply, reply.status, category["category"].as_str().unwrap());
            }
        }
    }
}

#[tokio::test]
async fn account_sees_only_its_own_contacts() {
    let (api, account) = one_account(json!({})).await;
    let other = api.account(json!({})).await;
    let created = create(&api, &account.token, json!({"email": "ada@example.org"})).await;
    let path = format!("{CONTACTS}/{}", id(&created));
    let by_email = format!("{CONTACTS}/ada@example.org?idProperty=email");
    for path in [&path, &by_email] {
        refused(&api.get(path).token(&other.token).await, 404, "OBJECT_NOT_FOUND");
        let body = json!({"properties": {"city": "Paris"}});
        refused(&api.patch(path).token(&other.token).json(&body).await, 404, "OBJECT_NOT_FOUND");
    }
    assert_eq!(api.delete(&path).token(&other.token).await.status, 204);
    assert_eq!(api.get(&path).token(&account.token).await.expect(200)["properties"], created["properties"]);
}
