//! Many contacts: what succeeds together, what fails alone, and what is refused as a whole.

use serde_json::{Value, json};
use testkit::{Api, Reply, Tenant};

use super::{CONTACTS, create, id, ids, people, refused};
use crate::http::one_account;

async fn send(api: &Api, account: &Tenant, operation: &str, body: &Value) -> Reply {
    api.post(&format!("{CONTACTS}/batch/{operation}")).token(&account.token).json(body).await
}

fn with_emails(names: &[&str]) -> Value {
    let input =
        |name: &&str| json!({"properties": {"email": format!("{name}@example.org")}, "associations": []});
    json!({"inputs": names.iter().map(input).collect::<Vec<_>>()})
}

#[tokio::test]
async fn batch_is_created_read_updated_and_archived() {
    let (api, account) = one_account(json!({})).await;
    let created = send(&api, &account, "create", &with_emails(&["ada", "grace"])).await.expect(201);
    assert_eq!(created["status"], "COMPLETE");
    assert!(created["startedAt"].as_str().is_some() && created["completedAt"].as_str().is_some());
    let made = ids(&created);
    let inputs: Vec<Value> = made.iter().rev().map(|id| json!({"id": id})).collect();
    let read =
        send(&api, &account, "read", &json!({"inputs": inputs, "properties": ["email"]})).await.expect(200);
    let reversed: Vec<&str> = made.iter().rev().copied().collect();
    assert_eq!(ids(&read), reversed, "in the order of the inputs");
    let changes: Vec<Value> =
        made.iter().map(|id| json!({"id": id, "properties": {"city": "Paris"}})).collect();
    let updated = send(&api, &account, "update", &json!({"inputs": changes})).await.expect(200);
    assert_eq!(updated["results"][1]["properties"]["city"], "Paris");
    assert_eq!(send(&api, &account, "archive", &json!({"inputs": inputs})).await.status, 204);
    let gone = send(&api, &account, "read", &json!({"inputs": inputs})).await.expect(207);
    assert_eq!((ids(&gone).len(), &gone["numErrors"]), (0, &json!(1)));
}

#[tokio::test]
async fn unknown_ids_are_one_error_beside_the_results() {
    let (api, account) = one_account(json!({})).await;
    let ada = create(&api, &account.token, json!({"email": "ada@example.org"})).await;
    let inputs = json!([{"id": "Ada@example.org"}, {"id": "x@example.org"}, {"id": "ada@example.org"}, {"id": "nobody"}]);
    let read =
        send(&api, &account, "read", &json!({"inputs": inputs, "idProperty": "email"})).await.expect(207);
    assert_eq!(ids(&read), [id(&ada)], "one result for one contact");
    let error = &read["errors"][0];
    assert_eq!((&error["status"], &error["category"]), (&json!("error"), &json!("OBJECT_NOT_FOUND")));
    assert_eq!(error["context"]["ids"], json!(["x@example.org", "nobody"]), "as they were sent");
    let inputs = json!([{"id": "1", "properties": {}}, {"id": id(&ada), "properties": {"city": "Rome"}}]);
    let updated = send(&api, &account, "update", &json!({"inputs": inputs})).await.expect(207);
    assert_eq!((ids(&updated), &updated["errors"][0]["context"]["ids"]), (vec![id(&ada)], &json!(["1"])));
}

#[tokio::test]
async fn refused_batch_changes_nothing() {
    let (api, account) = one_account(json!({})).await;
    let ada = create(&api, &account.token, json!({"email": "ada@example.org"})).await;
    let conflict = send(&api, &account, "create", &with_emails(&["grace", "ada"])).await;
    let conflict = refused(&conflict, 409, "CONFLICT");
    assert_eq!(conflict["message"], format!("Contact already exists. Existing ID: {}", id(&ada)));
    let wrong =
        json!({"inputs": [{"properties": {"email": "grace@example.org"}}, {"properties": {"email": "x"}}]});
    refused(&send(&api, &account, "create", &wrong).await, 400, "VALIDATION_ERROR");
    let twice = send(&api, &account, "create", &with_emails(&["kay", "kay"])).await;
    refused(&twice, 400, "VALIDATION_ERROR");
    let wrong = json!({"inputs": [
        {"id": id(&ada), "properties": {"city": "Rome"}}, {"id": "7", "properties": {"nowhere": "x"}},
    ]});
    refused(&send(&api, &account, "update", &wrong).await, 400, "VALIDATION_ERROR");
    let all = api.get(&format!("{CONTACTS}?properties=city")).token(&account.token).await.expect(200);
    assert_eq!((ids(&all), &all["results"][0]["properties"]["city"]), (vec![id(&ada)], &Value::Null));
}

#[tokio::test]
async fn inputs_with_trace_ids_fail_one_by_one() {
    let (api, account) = one_account(json!({})).await;
    create(&api, &account.token, json!({"email": "ada@example.org"})).await;
    let mut body = with_emails(&["ada", "grace"]);
    for (input, trace) in body["inputs"].as_array_mut().unwrap().iter_mut().zip(["first", "second"]) {
        input["objectWriteTraceId"] = json!(trace);
    }
    let created = send(&api, &account, "create", &body).await.expect(207);
    assert_eq!(created["results"][0]["objectWriteTraceId"], "second");
    assert_eq!(created["errors"][0]["context"]["objectWriteTraceId"], json!(["first"]));
    assert_eq!(created["errors"][0]["category"], "CONFLICT");
}

#[tokio::test]
async fn upsert_creates_or_updates_by_address() {
    let (api, account) = one_account(json!({})).await;
    let ada = create(&api, &account.token, json!({"email": "ada@example.org", "city": "Rome"})).await;
    let inputs = json!([
        {"id": "ADA@example.org", "idProperty": "email", "properties": {"phone": "1"}},
        {"id": "grace@example.org", "idProperty": "email", "properties": {"phone": "2"}},
    ]);
    let done = send(&api, &account, "upsert", &json!({"inputs": inputs})).await.expect(200);
    let found: Vec<_> =
        done["results"].as_array().unwrap().iter().map(|view| view["new"].as_bool().unwrap()).collect();
    assert_eq!((found, ids(&done)[0]), (vec![false, true], id(&ada)));
    assert_eq!(done["results"][1]["properties"]["email"], "grace@example.org");
    for (inputs, text) in [
        (json!([{"id": "a@example.org", "properties": {}}]), "idProperty"),
        (json!([{"id": "a", "idProperty": "city", "properties": {}}]), "non-unique 0-1 property city"),
        (
            json!([
                {"id": "a@example.org", "idProperty": "email", "properties": {}},
                {"id": "A@Example.org", "idProperty": "email", "properties": {}},
            ]),
            "Duplicate IDs found in batch input",
        ),
    ] {
        let refusal = refused(
            &send(&api, &account, "upsert", &json!({"inputs": inputs})).await,
            400,
            "VALIDATION_ERROR",
        );
        assert!(refusal["message"].as_str().unwrap().contains(text), "{refusal}");
    }
}

#[tokio::test]
async fn upsert_with_anothers_address_is_its_own_error() {
    let (api, account) = one_account(json!({})).await;
    let ada = create(&api, &account.token, json!({"email": "ada@example.org", "city": "Rome"})).await;
    let input = |property: &str, id: &str| json!({"id": id, "idProperty": property, "properties": {"email": "Ada@example.org", "city": "Paris"}});
    for (property, unknown) in [("email", "grace@example.org"), ("hs_object_id", "7")] {
        let body = json!({"inputs": [input(property, unknown)]});
        let done = send(&api, &account, "upsert", &body).await.expect(207);
        assert_eq!(done["results"], json!([]));
        let error = &done["errors"][0];
        assert_eq!((&error["category"], &error["context"]["ids"]), (&json!("CONFLICT"), &json!([unknown])));
        assert_eq!(error["message"], format!("Contact already exists. Existing ID: {}", id(&ada)));
    }
    let all = api.get(&format!("{CONTACTS}?properties=city")).token(&account.token).await.expect(200);
    assert_eq!((ids(&all), &all["results"][0]["properties"]["city"]), (vec![id(&ada)], &json!("Rome")));
}

#[tokio::test]
async fn batch_has_at_most_a_hundred_distinct_inputs() {
    let (api, account) = one_account(json!({})).await;
    let made = people(&api, &account.token, &["ada"]).await;
    let many: Vec<Value> = (0..101).map(|n| json!({"id": n.to_string()})).collect();
    for operation in ["create", "read", "update", "upsert", "archive"] {
        let refusal = refused(
            &send(&api, &account, operation, &json!({"inputs": many})).await,
            400,
            "VALIDATION_ERROR",
        );
        let text = "The maximum number of inputs supported in a batch is 100";
        assert!(refusal["message"].as_str().unwrap().starts_with(text), "{refusal}");
        for wrong in [json!({}), json!({"inputs": 7}), json!({"inputs": [7]})] {
            let reply = send(&api, &account, operation, &wrong).await;
            assert!(reply.status == 400 || operation == "create", "{operation} {wrong}");
        }
    }
    let history = json!({"inputs": many[..51], "propertiesWithHistory": ["email"]});
    refused(&send(&api, &account, "read", &history).await, 400, "VALIDATION_ERROR");
    let twice = json!({"inputs": [{"id": made[0], "properties": {}}, {"id": made[0], "properties": {}}]});
    let refusal = refused(&send(&api, &account, "update", &twice).await, 400, "VALIDATION_ERROR");
    let expected = format!("Duplicate IDs found in batch input: [{}]. IDs must be unique", made[0]);
    assert_eq!((&refusal["message"], &refusal["context"]["ids"]), (&json!(expected), &json!([made[0]])));
}
