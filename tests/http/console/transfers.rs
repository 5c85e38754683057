//! Imports and exports of people: what they see before, what they start, and what they may not do.

use http::Method;
use serde_json::{Value, json};
use testkit::{Api, Tenant, at};

use super::{Browser, hidden};
use crate::files::{send, send_upload};
use crate::http::{UPDATE, one_account};

const FILE: &str = "E-mail,First name,Town,Notes\nada@example.org,Ada,London,x\nbroken,Bob,,\n\
                    grace@example.org,Grace,,y\nada@example.org,Ada,Paris,\n";

/// Posts the form of a new import, and returns the path of the import's page.
async fn new_import(browser: &Browser<'_>, fields: &[(&str, &str)], file: &str) -> String {
    let page = browser.page("/console/imports/new").await;
    let key = hidden(&page, "key").remove(0);
    let fields = [fields, &[("key", key.as_str())]].concat();
    let reply = browser.post_file("/console/imports/new", &fields, ("spring.csv", file.as_bytes())).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    reply.header("location").unwrap().to_owned()
}

/// Returns the file to which a path of the console leads.
async fn download(browser: &Browser<'_>, path: &str) -> String {
    let reply = browser.get(path).await;
    assert_eq!(reply.status, 303, "{path}: {}", reply.text());
    let file = send(Method::GET, reply.header("location").unwrap(), &[], "").await;
    assert_eq!(file.status, 200, "{}", file.text());
    file.text()
}

async fn contacts(api: &Api, account: &Tenant) -> usize {
    let search = json!({"filterGroups": []});
    let found = api.post("/v1/contacts/search").token(&account.token).json(&search).await.expect(200);
    found["results"].as_array().unwrap().len()
}

#[tokio::test]
async fn file_is_previewed_changed_and_imported() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let path = new_import(&browser, &[("marketing", "true")], FILE).await;
    let page = browser.page(&path).await;
    for said in [
        "2 contacts of these rows become marketing contacts and billable at once.",
        "Nothing is imported yet.",
        "If you start now, these are the outcomes of all 4 rows.",
        "As found out: UTF-8 (most programs)",
        "As found out: a comma",
        "<option value=\"city\" selected>City</option>",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert_eq!((contacts(&api, &account).await, api.take_files().len()), (0, 0), "a preview imports nothing");

    let columns = [
        ("E-mail", "email", "email", ""),
        ("First name", "firstname", "firstname", ""),
        ("Town", "city", "city", "home_town"),
        ("Notes", "notes", "-", ""),
    ];
    let mut fields = vec![("marketing", "true"), ("mode", "both")];
    for (column, now, target, other) in columns {
        fields.extend([("column", column), ("now", now), ("target", target), ("other", other)]);
    }
    let reply = browser.act(&format!("{path}/options"), &fields).await;
    let page = reply.text();
    assert!(page.contains("The import is read in this way now. Nothing is imported yet."), "{page}");
    assert!(page.contains("<option value=\"home_town\" selected>"), "{page}");

    let reply = browser.act(&format!("{path}/start"), &[]).await;
    assert!(reply.text().contains("The file is being read."), "{}", reply.text());
    assert!(browser.page("/console").await.contains("Import of spring.csv"), "the overview tells what runs");
    api.work_on_files().await;
    let page = browser.page(&path).await;
    assert!(page.contains("3 imported, 1 not imported."), "{page}");
    assert!(page.contains("Usage is 2 of"), "{page}");
    let failed = download(&browser, &format!("{path}/rows.csv?only=failed")).await;
    assert!(failed.contains("broken") && !failed.contains("grace"), "{failed}");
    assert!(download(&browser, &format!("{path}/rows.csv")).await.contains("grace@example.org"));
    assert_eq!(api.assert_exact(&account).await["marketing"], 2);
    let known =
        json!({"filterGroups": [{"filters": [{"propertyName": "home_town", "operator": "HAS_PROPERTY"}]}]});
    let found = api.post("/v1/contacts/search").token(&account.token).json(&known).await.expect(200);
    assert_eq!(found["results"].as_array().unwrap().len(), 1, "{found}");
    assert!(!found.to_string().contains("notes"), "{found}");
}

#[tokio::test]
async fn wrong_file_answers_with_the_reason_and_makes_nothing() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let large = vec![b'x'; 4 * 1024 * 1024 + 1];
    for (name, content, said) in [
        ("a.xlsx", &b"PK\x03\x04[Content_Types].xml"[..], "save it as CSV"),
        ("a.csv", b"", "The file is empty."),
        ("a.csv", b"Name,Town\nAda,London\n", "The file has no column with email addresses."),
        ("a.csv", b"ada@example.org,Ada\n", "The file has no names of columns"),
        ("", b"", "Choose a file."),
        ("a.csv", &large, "The file is larger than 4"),
    ] {
        let fields = [("mode", "update"), ("dry_run", "true")];
        let reply = browser.post_file("/console/imports/new", &fields, (name, content)).await;
        let page = reply.text();
        assert_eq!(reply.status, 400, "{said}");
        assert!(page.contains(said), "{said}: {page}");
        assert!(page.contains("<option value=\"update\" selected>"), "what was chosen is kept");
    }
    let imports = api.get("/v1/imports").token(&account.token).await.expect(200);
    assert_eq!(imports["results"], json!([]));
}

#[tokio::test]
async fn refused_change_keeps_what_was_chosen() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let path = new_import(&browser, &[], FILE).await;
    let change = |column: &'static str, target: &'static str, other: &'static str| {
        [("column", column), ("now", "x"), ("target", target), ("other", other), ("clear_flags", "true")]
    };
    for (fields, said) in [
        (change("Town", "city", "Home Town"), "class=\"error\" id=\"to-2-e\""),
        (change("E-mail", "-", ""), "No column has an e-mail address"),
    ] {
        let reply = browser.post(&format!("{path}/options"), &fields).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        let page = reply.text();
        assert!(page.to_lowercase().contains(&said.to_lowercase()), "{said}: {page}");
        assert!(page.contains("name=\"clear_flags\" value=\"true\" checked"), "{page}");
    }
    assert!(browser.page(&path).await.contains("<option value=\"city\" selected>City</option>"));
}

#[tokio::test]
async fn form_that_is_sent_twice_creates_one_import() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let mut paths = Vec::new();
    for _ in 0..2 {
        let file = ("spring.csv", FILE.as_bytes());
        let reply = browser.post_file("/console/imports/new", &[("key", "the-key")], file).await;
        paths.push(reply.header("location").unwrap().to_owned());
        let _ = browser.post(&format!("{}/start", paths[0]), &[("key", "the-start")]).await;
    }
    assert_eq!(paths[0], paths[1]);
    api.work_on_files().await;
    assert!(
        browser.page(&paths[0]).await.contains("3 imported"),
        "the second post does not replace the file"
    );
}

#[tokio::test]
async fn script_gets_a_link_for_a_large_file() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let reply = browser.get("/console/imports/new").await;
    let policy = reply.header("content-security-policy").unwrap().to_owned();
    let fields = [("file_name", "big.csv"), ("mode", "create"), ("key", "the-key")];
    let reply = browser.post("/console/imports/upload", &fields).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let upload: Value = reply.json();
    let url = upload["url"].as_str().unwrap();
    let origin = url.split("/tidemark-files").next().unwrap();
    assert!(policy.contains(&format!("; connect-src 'self' {origin}; ")), "{policy}");
    let path = upload["page"].as_str().unwrap();
    assert!(browser.page(path).await.contains("The file has not arrived."));
    assert_eq!(send_upload(url, FILE).await.status, 200);
    assert!(browser.page(path).await.contains("Import of big.csv"));
    for other in ["/console", path] {
        let reply = browser.get(other).await;
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.contains("; connect-src 'self'; "), "{other}: {policy}");
    }
    let reply = browser.post("/console/imports/upload", &[("file_name", "")]).await;
    assert_eq!(reply.status, 400);
    assert!(reply.json()["message"].is_string(), "{}", reply.text());
}

#[tokio::test]
async fn member_without_the_permission_imports_without_marketing() {
    let (api, account) = one_account(json!({})).await;
    let admin = Browser::signed_in(&api, &account.token).await;
    let marketing = new_import(&admin, &[("marketing", "true")], FILE).await;
    let member = json!({"name": "Pavel", "email": "p@example.org", "modify_marketing_contacts": false});
    let member = api.user(&account, member).await;
    let browser = Browser::signed_in(&api, &member.token).await;
    assert!(!browser.page("/console/imports/new").await.contains("Set these contacts as marketing"));
    let file = ("spring.csv", FILE.as_bytes());
    let reply = browser.post_file("/console/imports/new", &[("marketing", "true")], file).await;
    assert_eq!(reply.status, 403, "{}", reply.text());
    let page = browser.page(&marketing).await;
    assert!(page.contains("This import sets its contacts as marketing. You may look at it"), "{page}");
    for act in ["start", "options"] {
        let reply = browser.post(&format!("{marketing}/{act}"), &[("marketing", "true")]).await;
        assert_eq!(reply.status, 403, "{act}: {}", reply.text());
    }
    let own = new_import(&browser, &[], FILE).await;
    let _ = browser.post(&format!("{own}/start"), &[]).await;
    api.work_on_files().await;
    assert!(browser.page(&own).await.contains("3 imported, 1 not imported."));
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}

#[tokio::test]
async fn import_is_cancelled_after_a_question() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let path = new_import(&browser, &[], FILE).await;
    let page = browser.page(&format!("{path}/cancel")).await;
    assert!(page.contains("<dialog") && page.contains("Discard this import?"), "{page}");
    let _ = browser.post(&format!("{path}/start"), &[]).await;
    let page = browser.page(&format!("{path}/cancel")).await;
    assert!(page.contains("Cancel the rest of this import?"), "{page}");
    let reply = browser.act(&format!("{path}/cancel"), &[]).await;
    assert!(reply.text().contains("Cancelled"), "{}", reply.text());
    api.work_on_files().await;
    assert_eq!(contacts(&api, &account).await, 0);
    assert_eq!(browser.get(&format!("{path}/cancel")).await.header("location"), Some(path.as_str()));
}

#[tokio::test]
async fn every_selection_is_exported() {
    let (api, account) = one_account(json!({})).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let body =
            json!({"email": format!("p{n}@example.org"), "properties": {"firstname": format!("P{n}")}});
        ids.push(api.contact(&account.token, body).await);
    }
    let list = json!({"name": "Fair", "contacts": [{"id": ids[2]}]});
    let list = super::id(&api.post("/v1/segments").token(&account.token).json(&list).await.expect(201));
    let browser = Browser::signed_in(&api, &account.token).await;
    assert!(browser.page("/console/contacts").await.contains("value=\"export\">Export</button>"));
    let filter = [("property", "firstname"), ("operator", "EQ"), ("value", "P1")];
    for (fields, expected) in [
        (vec![("contact", ids[0].as_str())], vec!["p0@"]),
        (vec![("scope", "all")], vec!["p0@", "p1@", "p2@"]),
        (vec![("scope", "all"), ("except", ids[1].as_str())], vec!["p0@", "p2@"]),
        ([&[("scope", "all")][..], &filter].concat(), vec!["p1@"]),
        (vec![("scope", "all"), ("segment", list.as_str())], vec!["p2@"]),
    ] {
        let asked = [&fields[..], &[("action", "export")]].concat();
        let reply = browser.act("/console/contacts/preview", &asked).await;
        assert!(reply.text().contains("Export contacts"), "{}", reply.text());
        let reply = browser.post("/console/exports", &[&fields[..], &[("format", "csv")]].concat()).await;
        let path = reply.header("location").unwrap().to_owned();
        assert!(browser.page(&path).await.contains("You can close this page"));
        api.work_on_files().await;
        assert!(browser.page(&path).await.contains("written."));
        let file = download(&browser, &format!("{path}/file")).await;
        let found: Vec<&str> = ["p0@", "p1@", "p2@"].into_iter().filter(|who| file.contains(who)).collect();
        assert_eq!(found, expected, "{fields:?}");
    }
    let reply = browser.act("/console/contacts/preview", &[("action", "export")]).await;
    assert!(reply.text().contains("Tick at least one contact"), "{}", reply.text());
    assert!(browser.page("/console/exports").await.contains("/file\">Download"));
}

#[tokio::test]
async fn statements_are_downloaded_with_their_contacts() {
    let (api, account) = one_account(json!({})).await;
    let _ = api.contact(&account.token, json!({"email": "ada@example.org", "marketing": true})).await;
    api.clock.set(at(UPDATE));
    let browser = Browser::signed_in(&api, &account.token).await;
    let page = browser.page("/console/statements").await;
    assert!(page.contains("Download as CSV") && page.contains("Contacts (CSV)"), "{page}");
    let reply = browser.get("/console/statements.csv").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/csv; charset=utf-8")));
    assert!(reply.text().contains("\n1,"), "{}", reply.text());
    let mut paths = Vec::new();
    for _ in 0..2 {
        let reply = browser.post("/console/statements/1/contacts", &[]).await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        paths.push(reply.header("location").unwrap().to_owned());
        api.work_on_files().await;
    }
    assert_eq!(paths[0], paths[1], "the file is written once");
    assert!(download(&browser, &format!("{}/file", paths[0])).await.contains("ada@example.org"));
    for unknown in ["2", "0", "x"] {
        let reply = browser.post(&format!("/console/statements/{unknown}/contacts"), &[]).await;
        assert_eq!(reply.status, 404, "{unknown}");
    }
}

#[tokio::test]
async fn transfers_of_another_account_are_not_found() {
    let (api, ours) = one_account(json!({})).await;
    let theirs = api.account(json!({})).await;
    let them = Browser::signed_in(&api, &theirs.token).await;
    let import = new_import(&them, &[], FILE).await;
    let body = json!({"selection": {"filterGroups": []}});
    let export = super::id(&api.post("/v1/exports").token(&theirs.token).json(&body).await.expect(202));
    let export = format!("/console/exports/{export}");
    let browser = Browser::signed_in(&api, &ours.token).await;
    let of_imports = ["", "/progress", "/cancel", "/rows.csv"];
    let of_exports = ["", "/progress", "/file"];
    for (paths, parts) in [
        ([import.clone(), "/console/imports/x".to_owned()], &of_imports[..]),
        ([export.clone(), "/console/exports/x".to_owned()], &of_exports[..]),
    ] {
        for path in paths.iter().flat_map(|path| parts.iter().map(move |part| format!("{path}{part}"))) {
            let reply = browser.get(&path).await;
            assert_eq!(reply.status, 404, "{path}");
            assert!(!reply.text().contains("spring.csv"), "{path}");
        }
    }
    for path in [
        format!("{import}/start"),
        format!("{import}/options"),
        format!("{import}/cancel"),
        format!("{export}/cancel"),
    ] {
        assert_eq!(browser.post(&path, &[]).await.status, 404, "{path}");
    }
    assert!(browser.page("/console/imports").await.contains("No imports yet"));
    assert!(browser.page("/console/exports").await.contains("No exports yet"));
    assert!(them.page(&import).await.contains("Nothing is imported yet."));
}
