//! `/v1/exports` and the statements as CSV.

use http::Method;
use serde_json::{Value, json};
use testkit::{Api, Tenant, at};

use super::imports::import;
use super::{JUST_BEFORE, UPDATE, one_account};
use crate::files::send;

/// Creates an export, lets the worker finish it, and returns it.
async fn export(api: &Api, account: &Tenant, body: Value) -> Value {
    let created = api.post("/v1/exports").token(&account.token).json(&body).await.expect(202);
    api.work_on_files().await;
    let id = created["id"].as_str().unwrap();
    api.get(&format!("/v1/exports/{id}")).token(&account.token).await.expect(200)
}

/// Downloads the file of a finished export.
async fn file_of(export: &Value) -> String {
    assert_eq!(export["state"], "done", "{export}");
    let file = send(Method::GET, export["download_url"].as_str().unwrap(), &[], "").await;
    assert_eq!(file.status, 200);
    file.text()
}

fn all() -> Value {
    json!({"selection": {"filterGroups": []}})
}

#[tokio::test]
async fn exported_file_imported_again_changes_nothing() {
    let (api, account) = one_account(json!({})).await;
    let values = [
        "=HYPERLINK(\"x\")",
        "+31 6",
        "-5",
        "@x",
        "\tx",
        "\rx",
        "'=1",
        "''-1",
        "'s-Gravenhage",
        "=\"007\"",
        "a\r\nb",
        "\"q\"",
        "a;b,c|d\te",
        " spaces ",
        "مرحبا",
        "Jiří",
        "01234",
        "1E5",
    ];
    for (n, value) in values.iter().enumerate() {
        let properties =
            json!({"note": value, "fname": "own name", "status": "unsubscribed", "city": "Delft"});
        let contact =
            json!({"email": format!("p{n}@example.org"), "properties": properties, "marketing": n % 2 == 0});
        let _ = api.contact(&account.token, contact).await;
    }
    let _ = api.contact(&account.token, json!({"email": "=left@example.org", "unsubscribed": true})).await;
    let before = super::dump(&api).await.len();
    let done = export(&api, &account, all()).await;
    assert_eq!((&done["matched"], &done["rows"]), (&json!(values.len() + 1), &json!(values.len() + 1)));
    let file = file_of(&done).await;
    assert!(file.starts_with("\u{feff}email,unsubscribed,bounced,id,"), "{file}");
    assert!(
        file.contains("property:fname") && file.contains("property:status"),
        "names that mean others: {file}"
    );
    assert!(file.contains("'=left@example.org") && file.contains("\"'=HYPERLINK(\"\"x\"\")\""), "{file}");
    let again = import(&api, &account, "all.csv", file.as_bytes(), json!({})).await;
    assert_eq!(again["summary"]["unchanged"], json!(values.len() + 1), "{again}");
    let mended = file.replacen("Delft", "Gouda", 1);
    let again = import(&api, &account, "mended.csv", mended.as_bytes(), json!({})).await;
    assert_eq!(
        (&again["summary"]["updated"], &again["summary"]["unchanged"]),
        (&json!(1), &json!(values.len()))
    );
    assert_eq!(api.assert_exact(&account).await["marketing"], 9, "state columns set nothing");
    assert!(super::dump(&api).await.len() > before, "the imports are stored");
}

#[tokio::test]
async fn update_date_in_the_middle_of_an_export_is_met_right() {
    let (api, account) = one_account(json!({})).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let contact = json!({"email": format!("p{n}@example.org"), "marketing": true});
        ids.push(api.contact(&account.token, contact).await);
    }
    api.clock.set(at(JUST_BEFORE));
    let _ = api.queue(&account.token, &ids[..1]).await;
    let created = api.post("/v1/exports").token(&account.token).json(&all()).await.expect(202);
    assert_eq!(created["as_of"], JUST_BEFORE);
    // The worker reads the contacts after the update date, and after further changes.
    api.clock.set(at(UPDATE));
    let _ = api.queue(&account.token, &ids[1..2]).await;
    let _ = api.contact(&account.token, json!({"email": "late@example.org", "marketing": true})).await;
    api.work_on_files().await;
    let path = format!("/v1/exports/{}", created["id"].as_str().unwrap());
    let file = file_of(&api.get(&path).token(&account.token).await.expect(200)).await;
    let mut lines: Vec<&str> = file.lines().skip(1).collect();
    lines.sort_unstable();
    let column = |at: usize| lines.iter().map(|line| line.split(',').nth(at).unwrap()).collect::<Vec<_>>();
    assert_eq!(column(6), ["leaving", "marketing", "marketing"], "{file}");
    assert_eq!(column(7), ["true"; 3]);
    assert_eq!(column(9), [UPDATE, "", ""], "the first leaves then");
}

#[tokio::test]
async fn lines_of_json_have_the_selected_contacts() {
    let (api, account) = one_account(json!({})).await;
    for city in ["Delft", "Gouda"] {
        let properties = json!({"city": city, "note": "x"});
        let contact = json!({"email": format!("{city}@example.org"), "properties": properties});
        let _ = api.contact(&account.token, contact).await;
    }
    let filter = json!([{"filters": [{"propertyName": "city", "operator": "EQ", "value": "Gouda"}]}]);
    let body = json!({"selection": {"filterGroups": filter}, "format": "ndjson", "columns": ["city"]});
    let file = file_of(&export(&api, &account, body).await).await;
    let lines: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["email"], &lines[0]["properties"]),
        (&json!("Gouda@example.org"), &json!({"city": "Gouda"}))
    );
    assert_eq!(lines[0]["marketing"]["billable"], false);
}

#[tokio::test]
async fn export_of_nobody_is_a_header() {
    let (api, account) = one_account(json!({})).await;
    let done = export(&api, &account, all()).await;
    assert_eq!(file_of(&done).await.lines().count(), 1);
    let other = api.account(json!({})).await;
    let path = format!("/v1/exports/{}", done["id"].as_str().unwrap());
    api.get(&path).token(&other.token).await.problem(api::ProblemType::NotFound);
    let _ = api.post(&format!("{path}/cancel")).token(&account.token).await.expect(200);
    let list = api.get("/v1/exports").token(&account.token).await.expect(200);
    assert_eq!(
        (list["results"].as_array().unwrap().len(), &list["results"][0]["state"]),
        (1, &json!("done"))
    );
}

#[tokio::test]
async fn cancelled_export_has_no_file() {
    let (api, account) = one_account(json!({})).await;
    let created = api.post("/v1/exports").token(&account.token).json(&all()).await.expect(202);
    let path = format!("/v1/exports/{}", created["id"].as_str().unwrap());
    let cancelled = api.post(&format!("{path}/cancel")).token(&account.token).await.expect(200);
    assert_eq!(cancelled["state"], "cancelled");
    api.work_on_files().await;
    let export = api.get(&path).token(&account.token).await.expect(200);
    assert_eq!((&export["state"], &export["download_url"]), (&json!("cancelled"), &Value::Null));
}

#[tokio::test]
async fn statement_lists_its_contacts_with_the_reasons() {
    let (api, account) = one_account(json!({})).await;
    let mut ids = Vec::new();
    for name in ["stays", "leaves", "deleted", "free"] {
        let contact = json!({"email": format!("{name}@example.org"), "marketing": name != "free"});
        ids.push(api.contact(&account.token, contact).await);
    }
    let _ = api.queue(&account.token, &ids[1..2]).await;
    let _ = api.delete(&format!("/v1/contacts/{}", ids[2])).token(&account.token).await.expect(204);
    let contacts = "/v1/usage/statements/1/contacts.csv";
    api.get(contacts).token(&account.token).await.problem(api::ProblemType::NotFound);
    api.clock.set(at(UPDATE));
    let _ = api.queue(&account.token, &ids[..1]).await;
    let accepted = api.get(contacts).token(&account.token).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    let location = accepted.header("location").unwrap().to_owned();
    assert_eq!(
        api.get(contacts).token(&account.token).await.header("location"),
        Some(&*location),
        "one export"
    );
    api.work_on_files().await;
    let reply = api.get(contacts).token(&account.token).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    let file = send(Method::GET, reply.header("location").unwrap(), &[], "").await.text();
    assert_eq!(file.lines().count(), 4, "three billable contacts: {file}");
    assert!(
        file.contains("stays@example.org,marketing,") && file.contains("leaves@example.org,leaving,"),
        "{file}"
    );
    assert!(file.contains("Billable in period 1:") && file.contains("Billable until 2026-12-01"), "{file}");
    assert!(!file.contains("free@example.org"));
    let export = api.get(&location).token(&account.token).await.expect(200);
    assert_eq!((&export["statement"], &export["without_row"]), (&json!(1), &json!(0)));
    let list = api.get("/v1/usage/statements.csv").token(&account.token).await;
    assert!(
        list.text().contains("1,2026-11-10T12:00:00.000Z,2026-12-01T00:00:00.000Z,3,2,1000"),
        "{}",
        list.text()
    );
}
