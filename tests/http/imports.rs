//! `/v1/imports`: upload, preview, start, outcomes and cancellation.

use std::path::PathBuf;

use api::ProblemType;
use http::Method;
use serde_json::{Value, json};
use testkit::{Api, Tenant};

use super::{column, one_account};
use crate::files::{send, send_upload};

/// The boundary of multipart bodies.
const BOUNDARY: &str = "----boundary-of-the-tests";

/// Returns the content of a sample of the repository.
pub fn sample(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/files");
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the names of all samples.
fn samples() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/files");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = entries.map(|name| name.into_string().unwrap()).filter(|name| name.ends_with(".csv"));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Returns a multipart body with a file and text parts.
fn multipart(name: &str, file: &[u8], texts: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, text) in texts {
        body.extend(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
                .bytes(),
        );
    }
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: text/csv\r\n\r\n"
    );
    body.extend(head.bytes());
    body.extend(file);
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
    body
}

/// Sends a file with the request that creates its import.
async fn attach(api: &Api, token: &str, name: &str, file: &[u8], options: Value) -> testkit::Reply {
    let body = multipart(name, file, &[("options", &options.to_string())]);
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    api.post("/v1/imports").token(token).body(&content_type, body).await
}

/// Imports a file and returns the finished import.
pub async fn import(api: &Api, account: &Tenant, name: &str, file: &[u8], options: Value) -> Value {
    let created = attach(api, &account.token, name, file, options).await.expect(201);
    api.work_on_files().await;
    get(api, account, &created).await
}

async fn get(api: &Api, account: &Tenant, import: &Value) -> Value {
    let id = import["id"].as_str().unwrap();
    api.get(&format!("/v1/imports/{id}")).token(&account.token).await.expect(200)
}

/// Downloads the file with the results of an import.
async fn rows_of(api: &Api, account: &Tenant, import: &Value, query: &str) -> Vec<u8> {
    let path = format!("/v1/imports/{}/rows.csv{query}", import["id"].as_str().unwrap());
    let reply = api.get(&path).token(&account.token).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    let file = send(Method::GET, reply.header("location").unwrap(), &[], "").await;
    assert_eq!(file.status, 200, "{}", file.text());
    file.body.to_vec()
}

/// Returns the sum of all outcomes.
fn rows(import: &Value) -> u64 {
    let summary = &import["summary"];
    let names = ["created", "updated", "unchanged", "duplicate_of", "empty", "invalid", "not_run"];
    names.iter().map(|name| summary[name].as_u64().unwrap()).sum()
}

async fn find(api: &Api, account: &Tenant, email: &str) -> Option<Value> {
    let reply = api.get(&format!("/v1/contacts/by-email/{email}")).token(&account.token).await;
    (reply.status == 200).then(|| reply.json())
}

#[tokio::test]
async fn every_sample_is_imported_or_refused_by_name() {
    for name in samples() {
        let (api, account) = one_account(json!({})).await;
        let file = sample(&name);
        let reply = attach(&api, &account.token, &name, &file, json!({})).await;
        if reply.status == 400 {
            reply.assert_invalid(&["file"]);
            let list = api.get("/v1/imports").token(&account.token).await.expect(200);
            assert_eq!(list["results"], json!([]), "{name}: nothing is made");
            continue;
        }
        let created = reply.expect(201);
        api.work_on_files().await;
        let done = get(&api, &account, &created).await;
        assert_eq!((&done["state"], &done["progress"]), (&json!("done"), &json!(1.0)), "{name}: {done}");
        assert_eq!(done["rows"], json!(rows(&done)), "{name}: every row has one outcome");
        let usage = api.assert_exact(&account).await;
        assert_eq!(usage["marketing"], 0, "{name}: no file sets contacts marketing by itself");
        // The results can be sent again. They change nothing.
        let results = rows_of(&api, &account, &done, "").await;
        if done["summary"]["created"] == json!(0) {
            continue;
        }
        let again = import(&api, &account, "rows.csv", &results, json!({})).await;
        let summary = &again["summary"];
        assert_eq!((&again["state"], &again["rows"]), (&json!("done"), &done["rows"]), "{name}: {again}");
        // The quotes of the results are regular, so a row whose quotes were not is read now.
        if ["quote-unclosed.csv", "truncated.csv"].contains(&&*name) {
            continue;
        }
        assert_eq!((&summary["created"], &summary["updated"]), (&json!(0), &json!(0)), "{name}: {again}");
        assert_eq!(summary["invalid"], done["summary"]["invalid"], "{name}");
    }
}

#[tokio::test]
async fn files_of_other_kinds_are_refused_by_name() {
    let (api, account) = one_account(json!({})).await;
    for (name, word) in [
        ("xlsx-renamed.csv", "spreadsheet"),
        ("xls-renamed.csv", "spreadsheet"),
        ("zip-of-three.csv", "archive"),
        ("gzip.csv", "archive"),
        ("error-page.csv", "web page"),
        ("vcard.csv", "vCard"),
        ("json.csv", "JSON"),
        ("empty.csv", "empty"),
        ("only-mark.csv", "empty"),
    ] {
        let reply = attach(&api, &account.token, name, &sample(name), json!({})).await;
        let problem = reply.problem(ProblemType::InvalidRequest);
        assert!(problem["errors"][0]["message"].as_str().unwrap().contains(word), "{problem}");
    }
    let done = import(&api, &account, "only-header.csv", &sample("only-header.csv"), json!({})).await;
    assert_eq!((&done["state"], &done["rows"]), (&json!("done"), &json!(0)));
}

#[tokio::test]
async fn uploaded_file_is_imported_after_its_start() {
    let (api, account) = one_account(json!({})).await;
    let body = json!({"name": "spring.csv"});
    let created = api.post("/v1/imports").token(&account.token).json(&body).await;
    assert_eq!(
        created.header("location"),
        Some(&*format!("/v1/imports/{}", created.json()["id"].as_str().unwrap()))
    );
    let created = created.expect(201);
    assert_eq!((&created["state"], &created["upload"]["method"]), (&json!("created"), &json!("PUT")));
    let path = format!("/v1/imports/{}", created["id"].as_str().unwrap());
    let start = || api.post(&format!("{path}/start")).token(&account.token);
    start().await.problem(ProblemType::UploadMissing);
    api.get(&format!("{path}/preview")).token(&account.token).await.problem(ProblemType::UploadMissing);
    api.get(&format!("{path}/rows.csv")).token(&account.token).await.problem(ProblemType::NotFinished);
    let sent = send_upload(created["upload"]["url"].as_str().unwrap(), sample("duplicates-case.csv")).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    let preview = api.get(&format!("{path}/preview")).token(&account.token).await.expect(200);
    assert_eq!(column(&preview["rows"], "outcome"), ["created", "duplicate-of", "duplicate-of", "created"]);
    assert_eq!(preview["summary"]["duplicate_of"], 2);
    assert!(find(&api, &account, "d1@fixture.example").await.is_none(), "a preview changes nothing");
    assert_eq!(start().await.expect(202)["state"], "reading");
    assert_eq!(start().await.expect(202)["state"], "reading", "a second start is the first");
    assert_eq!(api.take_files().len(), 1, "one job");
    let _ = api.post(&format!("{path}/cancel")).token(&account.token).await.expect(200);
    let cancelled = api.get(&path).token(&account.token).await.expect(200);
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(start().await.expect(202)["state"], "cancelled", "a finished import stays");
    assert!(find(&api, &account, "d1@fixture.example").await.is_none());
}

#[tokio::test]
async fn preview_shows_columns_and_what_becomes_of_rows() {
    let (api, account) = one_account(json!({})).await;
    let created =
        attach(&api, &account.token, "hubspot.csv", &sample("hubspot-contacts.csv"), json!({})).await;
    let path = format!("/v1/imports/{}/preview", created.expect(201)["id"].as_str().unwrap());
    let preview = api.get(&path).token(&account.token).await.expect(200);
    assert_eq!((&preview["encoding"], &preview["delimiter"]), (&json!("UTF-8"), &json!(",")));
    let targets: Vec<_> = preview["columns"].as_array().unwrap().iter().map(|column| &column["to"]).collect();
    assert_eq!(targets[..4], [&json!(null), &json!("firstname"), &json!("lastname"), &json!("email")]);
    assert_eq!(preview["columns"][7]["note"], "is not read, because no file sets it");
    assert_eq!(column(&preview["rows"], "outcome"), ["created", "created", "invalid"]);
    assert_eq!(preview["rows"][2]["field"], "email");
}

#[tokio::test]
async fn failed_rows_can_be_corrected_and_sent_again() {
    let (api, account) = one_account(json!({})).await;
    let done = import(&api, &account, "flags.csv", &sample("flags.csv"), json!({})).await;
    assert_eq!((&done["summary"]["created"], &done["summary"]["invalid"]), (&json!(11), &json!(1)));
    let failed = rows_of(&api, &account, &done, "?only=failed").await;
    let text = String::from_utf8(failed).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.lines().last().unwrap().starts_with("10,11,invalid,unsubscribed,"), "{text}");
    let corrected = text.replace("maybe", "yes");
    let done = import(&api, &account, "again.csv", corrected.as_bytes(), json!({})).await;
    assert_eq!(done["summary"]["created"], 1, "{done}");
    assert_eq!(find(&api, &account, "f10@fixture.example").await.unwrap()["unsubscribed"], true);
}

#[tokio::test]
async fn marketing_contacts_are_set_only_with_the_permission() {
    let (api, account) = one_account(json!({"cap": 3})).await;
    let member = api.user(&account, json!({"modify_marketing_contacts": false})).await;
    let (name, file) = ("people.csv", "email\na@example.org\nb@example.org\nc@example.org\nd@example.org\n");
    let options = json!({"set_marketing": true});
    let refused = attach(&api, &member.token, name, file.as_bytes(), options.clone()).await;
    refused.problem(ProblemType::PermissionDenied);
    assert!(api.take_files().is_empty());
    let done = import(&api, &account, name, file.as_bytes(), options).await;
    let summary = &done["summary"];
    assert_eq!((&summary["created"], &summary["set"]), (&json!(4), &json!(3)));
    assert_eq!(summary["refused"], json!({"cap-reached": 1}));
    let contact = find(&api, &account, "a@example.org").await.unwrap();
    assert_eq!(contact["marketing"]["source"], json!({"type": "import", "name": name, "id": done["id"]}));
    let failed = rows_of(&api, &account, &done, "?only=failed").await;
    assert!(String::from_utf8(failed).unwrap().contains("refused: cap-reached"));
    assert_eq!(api.assert_exact(&account).await["marketing"], 3);
}

#[tokio::test]
async fn file_adds_flags_and_clears_them_only_on_request() {
    let (api, account) = one_account(json!({})).await;
    let contact = json!({"email": "a@example.org", "unsubscribed": true});
    let _ = api.contact(&account.token, contact).await;
    let file = b"email,unsubscribed\na@example.org,no\n";
    for (clear_flags, expected) in [(false, true), (true, false)] {
        let options = json!({"clear_flags": clear_flags});
        let _ = import(&api, &account, "flags.csv", file, options).await;
        assert_eq!(find(&api, &account, "a@example.org").await.unwrap()["unsubscribed"], expected);
    }
}

#[tokio::test]
async fn import_of_another_account_is_not_found() {
    let (api, account) = one_account(json!({})).await;
    let other = api.account(json!({})).await;
    let done = import(&api, &account, "a.csv", b"email\na@example.org\n", json!({})).await;
    let path = format!("/v1/imports/{}", done["id"].as_str().unwrap());
    for path in [path.clone(), format!("{path}/preview"), format!("{path}/rows.csv")] {
        api.get(&path).token(&other.token).await.problem(ProblemType::NotFound);
    }
    for act in ["start", "cancel"] {
        api.post(&format!("{path}/{act}")).token(&other.token).await.problem(ProblemType::NotFound);
    }
    assert_eq!(api.get("/v1/imports").token(&other.token).await.expect(200)["results"], json!([]));
}

#[tokio::test]
async fn repeated_request_creates_one_import() {
    let (api, account) = one_account(json!({})).await;
    let create = || {
        let request = api.post("/v1/imports").token(&account.token).key("one");
        request.json(&json!({"name": "spring.csv"}))
    };
    let first = create().await.expect(201);
    assert_eq!(create().await.expect(201), first, "with the same upload");
    let list = api.get("/v1/imports").token(&account.token).await.expect(200);
    assert_eq!(list["results"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn malformed_request_is_refused_with_its_fields() {
    let (api, account) = one_account(json!({})).await;
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let whole = multipart("a.csv", b"email\na@example.org\n", &[]);
    let cut = &whole[..whole.len() - 20];
    for (content_type, body, fields) in [
        (content_type.clone(), cut.to_vec(), &[""][..]),
        ("multipart/form-data".to_owned(), whole.clone(), &[""]),
        (content_type.clone(), multipart("a.csv", b"x", &[("options", "{")]), &["options"]),
        (content_type.clone(), multipart("a.csv", b"x", &[("options", "{\"mode\": 1}")]), &["options.mode"]),
        (content_type.clone(), multipart("a.csv", b"x", &[("colour", "red")]), &["colour"]),
        (content_type.clone(), format!("--{BOUNDARY}--\r\n").into_bytes(), &["file"]),
        ("application/json".to_owned(), b"{\"options\": {}}".to_vec(), &["name"]),
    ] {
        let request = api.post("/v1/imports").token(&account.token).body(&content_type, body);
        request.await.assert_invalid(fields);
    }
    for mapping in [json!({"Nowhere": "city"}), json!({"1": "email", "2": "email"})] {
        let file = b"email,other\na@example.org,b@example.org\n";
        let reply = attach(&api, &account.token, "a.csv", file, json!({"mapping": mapping})).await;
        reply.assert_invalid(&["options.mapping"]);
    }
    let text = format!("/v1/imports/imp_{}/rows.csv?only=some", "0".repeat(26));
    api.get(&text).token(&account.token).await.assert_invalid(&["only"]);
    assert!(api.take_files().is_empty());
}

#[tokio::test]
async fn dry_run_shows_the_outcomes_and_writes_nothing() {
    let (api, account) = one_account(json!({})).await;
    let options = json!({"dry_run": true, "set_marketing": true});
    let done = import(&api, &account, "duplicates.csv", &sample("duplicates-case.csv"), options).await;
    let summary = &done["summary"];
    assert_eq!((&summary["created"], &summary["duplicate_of"]), (&json!(2), &json!(2)));
    assert_eq!(summary["set"], 2);
    assert!(find(&api, &account, "d1@fixture.example").await.is_none());
    let file = String::from_utf8(rows_of(&api, &account, &done, "").await).unwrap();
    assert!(file.contains("duplicate-of,,row 1 has the same contact"), "{file}");
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}

#[tokio::test]
async fn spreadsheet_is_refused_at_the_start() {
    let (api, account) = one_account(json!({})).await;
    let created = api.post("/v1/imports").token(&account.token).json(&json!({"name": "a"})).await.expect(201);
    let sent = send_upload(created["upload"]["url"].as_str().unwrap(), sample("xlsx-renamed.csv")).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    let start = format!("/v1/imports/{}/start", created["id"].as_str().unwrap());
    api.post(&start).token(&account.token).await.assert_invalid(&["file"]);
    assert!(api.take_files().is_empty());
}

#[tokio::test]
async fn replaced_file_fails_the_import_instead_of_mixing_two() {
    let (api, account) = one_account(json!({})).await;
    let created = api.post("/v1/imports").token(&account.token).json(&json!({"name": "a"})).await.expect(201);
    let url = created["upload"]["url"].as_str().unwrap();
    let path = format!("/v1/imports/{}", created["id"].as_str().unwrap());
    send_upload(url, "email\na@example.org\n").await;
    let _ = api.post(&format!("{path}/start")).token(&account.token).await.expect(202);
    assert_eq!(send_upload(url, "email\nb@example.org\n").await.status, 412, "a link stores a file once");
    let key = file_jobs::upload_key(account.id, created["id"].as_str().unwrap().parse().unwrap());
    api.file_server.files.put(&key, "text/csv", b"email\nb@example.org\n".to_vec()).await.unwrap();
    api.work_on_files().await;
    let failed = api.get(&path).token(&account.token).await.expect(200);
    assert_eq!((&failed["state"], &failed["problem"]["slug"]), (&json!("failed"), &json!("file-changed")));
    assert!(find(&api, &account, "a@example.org").await.is_none());
}
