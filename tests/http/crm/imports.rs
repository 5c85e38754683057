//! Imports of files.

use serde_json::{Value, json};
use testkit::{Api, Reply, Tenant};

use super::super::{column, one_account};
use super::{answer, refusal, tick};

/// The boundary of multipart bodies.
const BOUNDARY: &str = "----boundary-of-the-tests";

const FILE: &str = "E-Mail,First,Notes\nada@example.org,Ada,x\nnobody,Bob,y\neve@example.org,Eve,z\n";

/// Returns a multipart body with the options and files.
fn multipart(request: &str, files: &[&str]) -> Vec<u8> {
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"importRequest\"\r\n\r\n{request}\r\n"
    );
    for file in files {
        body.push_str(&format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.csv\"\r\n\
             Content-Type: text/csv\r\n\r\n{file}\r\n"
        ));
    }
    body.push_str(&format!("--{BOUNDARY}--\r\n"));
    body.into_bytes()
}

async fn send(api: &Api, token: &str, request: &Value, files: &[&str]) -> Reply {
    tick(api);
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let body = multipart(&request.to_string(), files);
    api.post("/crm/v3/imports/").token(token).body(&content_type, body).await
}

/// Returns the options of an import with two mapped columns.
fn request(more: Value) -> Value {
    let column = |name: &str, property: &str| json!({"columnObjectTypeId": "0-1", "columnName": name, "propertyName": property});
    let mut request = json!({
        "name": "Spring", "dateFormat": "DAY_MONTH_YEAR",
        "files": [{"fileName": "a.csv", "fileFormat": "CSV", "fileImportPage": {
            "hasHeader": true, "columnMappings": [column("E-Mail", "email"), column("First", "firstname")],
        }}],
    });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

async fn get(api: &Api, account: &Tenant, import: &Value, rest: &str) -> Value {
    let path = format!("/crm/v3/imports/{}{rest}", import["id"].as_str().unwrap());
    answer(&api.get(&path).token(&account.token).await, 200)
}

#[tokio::test]
async fn import_sets_contacts_marketing_and_fills_a_list() {
    let (api, account) = one_account(json!({})).await;
    let more = json!({
        "marketableContactImport": true, "createContactListFromImport": true, "importOperations": {"0-1": "UPSERT"},
    });
    let created = answer(&send(&api, &account.token, &request(more), &[FILE]).await, 200);
    assert_eq!((&created["state"], &created["optOutImport"]), (&json!("STARTED"), &json!(false)));
    assert_eq!(
        (&created["mappedObjectTypeIds"], &created["importName"]),
        (&json!(["0-1"]), &json!("Spring"))
    );
    let number: u64 = created["id"].as_str().unwrap().parse().unwrap();
    assert!(number < 1 << 53);
    api.work_on_files().await;
    let done = get(&api, &account, &created, "").await;
    let counters = &done["metadata"]["counters"];
    assert_eq!((&done["state"], &counters["TOTAL_ROWS"]), (&json!("DONE"), &json!(3)));
    assert_eq!((&counters["CREATED_OBJECTS"], &counters["ERRORS"]), (&json!(2), &json!(1)));
    assert_eq!(counters["MARKETABLE_CONTACTS_SET"], 2);
    let errors = get(&api, &account, &created, "/errors").await;
    assert_eq!(column(&errors["results"], "errorType"), ["INVALID_EMAIL"]);
    assert_eq!(errors["results"][0]["sourceData"]["lineNumber"], 3);
    assert_eq!(errors["paging"], Value::Null);
    let list = &done["metadata"]["objectLists"][0];
    assert_eq!(list["objectType"], "CONTACT");
    let path = format!("/crm/v3/lists/{}/memberships", list["listId"].as_str().unwrap());
    let members = answer(&api.get(&path).token(&account.token).await, 200);
    assert_eq!(members["results"].as_array().unwrap().len(), 2);
    let usage = api.assert_exact(&account).await;
    assert_eq!(usage["marketing"], 2);
    let contact = api.get("/v1/contacts/by-email/ada@example.org").token(&account.token).await.expect(200);
    assert_eq!(contact["properties"], json!({"firstname": "Ada"}), "a column without a mapping is not read");
}

#[tokio::test]
async fn operation_limits_what_rows_write() {
    let (api, account) = one_account(json!({})).await;
    api.contact(&account.token, json!({"email": "ada@example.org"})).await;
    let update = request(json!({"importOperations": {"0-1": "UPDATE"}}));
    let created = answer(&send(&api, &account.token, &update, &[FILE]).await, 200);
    api.work_on_files().await;
    let counters = &get(&api, &account, &created, "").await["metadata"]["counters"];
    assert_eq!((&counters["UPDATED_OBJECTS"], &counters["CREATED_OBJECTS"]), (&json!(1), &json!(0)));
    let first = get(&api, &account, &created, "/errors?limit=1").await;
    assert_eq!(column(&first["results"], "errorType"), ["INVALID_EMAIL"]);
    let after = first["paging"]["next"]["after"].as_str().unwrap();
    let second = get(&api, &account, &created, &format!("/errors?limit=1&after={after}")).await;
    assert_eq!(column(&second["results"], "errorType"), ["UPDATE_ONLY_IMPORT"]);
    assert_eq!(second["paging"], Value::Null);
}

#[tokio::test]
async fn imports_are_listed_and_cancelled() {
    let (api, account) = one_account(json!({})).await;
    let one = answer(&send(&api, &account.token, &request(json!({"name": "One"})), &[FILE]).await, 200);
    answer(&send(&api, &account.token, &request(json!({"name": "Two"})), &[FILE]).await, 200);
    let first = answer(&api.get("/crm/v3/imports/?limit=1").token(&account.token).await, 200);
    assert_eq!(column(&first["results"], "importName"), ["Two"]);
    let after = first["paging"]["next"]["after"].as_str().unwrap();
    let path = format!("/crm/v3/imports/?limit=1&after={after}");
    let second = answer(&api.get(&path).token(&account.token).await, 200);
    assert_eq!((column(&second["results"], "importName"), &second["paging"]), (vec!["One"], &Value::Null));
    let path = format!("/crm/v3/imports/{}/cancel", one["id"].as_str().unwrap());
    let cancelled = answer(&api.post(&path).token(&account.token).await, 200);
    assert_eq!(cancelled["status"], "COMPLETE");
    assert_eq!(get(&api, &account, &one, "").await["state"], "CANCELED");
}

#[tokio::test]
async fn marketable_import_needs_the_permission() {
    let (api, account) = one_account(json!({})).await;
    let shop = api.integration(&account, json!({})).await;
    let reply = send(&api, &shop.token, &request(json!({"marketableContactImport": true})), &[FILE]).await;
    refusal(&reply, 403, "MISSING_SCOPES");
    assert!(api.take_files().is_empty(), "nothing is started");
    answer(&send(&api, &shop.token, &request(json!({})), &[FILE]).await, 200);
}

#[tokio::test]
async fn invalid_import_is_refused_and_leaves_nothing() {
    let (api, account) = one_account(json!({})).await;
    let list = json!({"createContactListFromImport": true});
    let mut unknown = request(list.clone());
    unknown["files"][0]["fileImportPage"]["columnMappings"][1]["columnName"] = json!("Given");
    let mut no_header = request(list.clone());
    no_header["files"][0]["fileImportPage"]["hasHeader"] = json!(false);
    let valid = request(list);
    let zip = "PK\u{3}\u{4}\u{14}\u{0}\u{6}\u{0}";
    for (given, files, part) in [
        (&unknown, vec![FILE], "columnName"),
        (&no_header, vec![FILE], "hasHeader"),
        (&valid, vec![], "files"),
        (&valid, vec![FILE, FILE], "files"),
        (&valid, vec![zip], "files"),
        (&valid, vec![""], "files"),
        (&json!([]), vec![FILE], "name"),
    ] {
        let message = refusal(&send(&api, &account.token, given, &files).await, 400, "VALIDATION_ERROR");
        assert!(message.contains(part), "{message}");
    }
    let plain = api.post("/crm/v3/imports").token(&account.token).json(&valid).await;
    refusal(&plain, 400, "VALIDATION_ERROR");
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let cut = multipart("{}", &[FILE]).into_iter().take(150).collect::<Vec<u8>>();
    let cut = api.post("/crm/v3/imports").token(&account.token).body(&content_type, cut).await;
    refusal(&cut, 400, "VALIDATION_ERROR");
    let lists = answer(&api.post("/crm/v3/lists/search").token(&account.token).json(&json!({})).await, 200);
    assert_eq!(lists["total"], 0);
}

#[tokio::test]
async fn import_of_another_account_is_unknown() {
    let (api, account) = one_account(json!({})).await;
    let created = answer(&send(&api, &account.token, &request(json!({})), &[FILE]).await, 200);
    let other = api.account(json!({})).await;
    let path = format!("/crm/v3/imports/{}", created["id"].as_str().unwrap());
    refusal(&api.get(&path).token(&other.token).await, 404, "OBJECT_NOT_FOUND");
    refusal(&api.get(&format!("{path}/errors")).token(&other.token).await, 404, "OBJECT_NOT_FOUND");
    refusal(&api.post(&format!("{path}/cancel")).token(&other.token).await, 404, "OBJECT_NOT_FOUND");
    let listed = answer(&api.get("/crm/v3/imports").token(&other.token).await, 200);
    assert_eq!(listed, json!({"results": []}));
    refusal(&api.get(&path).await, 401, "INVALID_AUTHENTICATION");
}
