//! The `hubspot-crm` function: its own check of tokens, its refusals, and every permission of its role.

use chrono::TimeDelta;
use domain::Timestamp;
use serde_json::{Value, json};
use store::{Responder, UpdateAccount};
use testkit::TestFiles;

use super::events::{HttpEvent, HttpResponse, http};
use super::function::Function;
use super::permissions::{delete, with_long_history};
use super::queue::Queues;
use super::setting::{ADMIN_TOKEN, Fixture, address, now};

const CONTACTS: &str = "/crm/v3/objects/contacts";

/// Returns a request with the admin's token.
fn request(method: &str, path: &str) -> HttpEvent {
    http(method, path).header("Authorization", &format!("Bearer {ADMIN_TOKEN}"))
}

/// Returns a request of an import with this file.
fn with_import(file: &str) -> HttpEvent {
    let import = json!({
        "name": "Spring", "importOperations": {"0-1": "UPSERT"},
        "files": [{"fileName": "a.csv", "fileFormat": "CSV", "fileImportPage": {
            "hasHeader": true,
            "columnMappings": [{"columnObjectTypeId": "0-1", "columnName": "Email", "propertyName": "email"}],
        }}],
    });
    let part = |disposition: &str, content: &str| {
        format!("--edge\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    };
    let body = part("name=\"importRequest\"", &import.to_string())
        + &part("name=\"files\"; filename=\"a.csv\"", file)
        + "--edge--\r\n";
    request("POST", "/crm/v3/imports").base64("multipart/form-data; boundary=edge", body.as_bytes())
}

/// Switches the index of changes on.
async fn index_changes(fixture: &Fixture, at: Timestamp) {
    let change = UpdateAccount { index_changes: Some(true), ..UpdateAccount::default() };
    let render = |_: &store::Account| store::StoredResponse {
        status: 200,
        body: String::new(),
        etag: None,
        location: None,
    };
    let changed =
        fixture.table.store.update_account(fixture.account, &change, at, Responder::new(None, &render));
    changed.await.expect("the index is on");
}

#[tokio::test]
async fn token_is_checked_by_the_function_itself() {
    let fixture = Fixture::start().await;
    let (queues, files) = (Queues::start().await, TestFiles::start());
    let mut crm = Function::start_with_files("hubspot-crm", &fixture.table, &queues, &files).await;
    let created = request("POST", CONTACTS).json(&json!({"properties": {"email": address("ada")}}));
    let created = crm.send(created, 201).await;
    let by_email = format!("{CONTACTS}/{}", address("ada"));
    let read = crm
        .send(request("GET", &by_email).query("idProperty=email&properties=city&properties=phone"), 200)
        .await;
    assert_eq!(read["id"], created["id"]);
    for unknown in
        [http("GET", CONTACTS), http("GET", CONTACTS).header("Authorization", "Bearer tmk_unknown")]
    {
        let refused = HttpResponse::of(&crm.invoke(unknown.event()).await.done());
        let body: Value = serde_json::from_str(&refused.body).expect("an envelope");
        assert_eq!((refused.status, &body["category"]), (401, &json!("INVALID_AUTHENTICATION")));
        assert_eq!(body["correlationId"].as_str().map(str::len), Some(36));
    }
    let lines = crm.end().await;
    assert!(lines.iter().all(|line| !line.to_string().contains("lovelace")), "no line has an address");
}

#[tokio::test]
async fn hubspot_crm_uses_every_permission_of_its_role() {
    // Two periods have ended since, so the second one began with the index.
    let past = now().plus(TimeDelta::days(-70));
    let fixture = Fixture::begun(past).await;
    let (queues, files) = (Queues::start().await, TestFiles::start());
    index_changes(&fixture, past).await;
    let later = now().plus(TimeDelta::days(-31));
    let left = fixture.contact("left", true, later).await;
    fixture.queue(&[left], later).await;
    let returning = with_long_history(&fixture, "ada", later).await;
    delete(&fixture, returning, later).await;
    let erased = with_long_history(&fixture, "bo", now()).await;
    let mut crm = Function::start_with_files("hubspot-crm", &fixture.table, &queues, &files).await;

    let properties =
        |name: &str| json!({"properties": {"email": address(name), "hs_marketable_status": true}});
    let ada = crm.send(request("POST", CONTACTS).json(&properties("ada")), 201).await;
    let cy = crm.send(request("POST", CONTACTS).json(&properties("cy")), 201).await;
    let id = |view: &Value| view["id"].as_str().expect("an id").to_owned();
    let path = format!("{CONTACTS}/{}", id(&ada));
    let change = json!({"properties": {"email": address("ed"), "firstname": "Ed"}});
    crm.send(request("PATCH", &path).json(&change), 200).await;
    crm.send(request("GET", &path).query("propertiesWithHistory=email,hs_marketable_status"), 200).await;
    crm.send(
        request("GET", &format!("{CONTACTS}/{erased}")).query("propertiesWithHistory=hs_marketable_status"),
        200,
    )
    .await;
    let since = json!({"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": later.millis()}]});
    let found = crm.send(request("POST", &format!("{CONTACTS}/search")).json(&since), 200).await;
    let found: Vec<&str> = found["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|view| view["id"].as_str().expect("an id"))
        .collect();
    assert!(
        found.contains(&left.to_string().as_str()),
        "the contact that left has changed at the update date"
    );
    let own = json!({"name": "tier", "label": "Tier", "type": "string", "fieldType": "text", "groupName": "contactinformation"});
    crm.send(request("POST", "/crm/v3/properties/contacts").json(&own), 201).await;
    crm.send(request("DELETE", "/crm/v3/properties/contacts/tier"), 204).await;

    let list = json!({"name": "Spring", "objectTypeId": "0-1", "processingType": "MANUAL"});
    let list = crm.send(request("POST", "/crm/v3/lists").json(&list), 200).await;
    let list = format!("/crm/v3/lists/{}", list["list"]["listId"].as_str().expect("an id"));
    crm.send(request("PUT", &format!("{list}/memberships/add")).json(&json!([id(&ada), id(&cy)])), 200).await;
    crm.send(request("GET", &format!("{list}/memberships")), 200).await;
    let merge = json!({"primaryObjectId": id(&ada), "objectIdToMerge": id(&cy)});
    crm.send(request("POST", &format!("{CONTACTS}/merge")).json(&merge), 200).await;
    crm.send(request("DELETE", &list), 204).await;
    crm.send(request("DELETE", &path), 204).await;
    let erase = json!({"objectId": erased.to_string()});
    crm.send(request("POST", &format!("{CONTACTS}/gdpr-delete")).json(&erase), 204).await;

    let import = crm.send(with_import(&format!("Email\n{}\n", address("di"))), 200).await;
    let import = format!("/crm/v3/imports/{}", import["id"].as_str().expect("an id"));
    crm.send(request("GET", &import), 200).await;
    crm.send(request("GET", &format!("{import}/errors")), 200).await;
    let form = json!({"name": "Newsletter", "formType": "hubspot", "fieldGroups": []});
    let form = crm.send(request("POST", "/marketing/v3/forms").json(&form), 201).await;
    crm.send(request("DELETE", &format!("/marketing/v3/forms/{}", id(&form))), 204).await;
    crm.send(request("GET", "/crm/v3/owners"), 200).await;
    crm.send(request("GET", "/account-info/v3/details"), 200).await;
    crm.assert_role_used_and_end("hubspot-crm", queues.used()).await;
}
