//! Acts of people: what they see before, what they confirm, and what they may not do.

use serde_json::json;
use testkit::{Api, Tenant};

use super::{Browser, hidden, id};
use crate::http::one_account;

/// Creates `count` non-marketing contacts and returns their ids.
async fn people(api: &Api, account: &Tenant, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        let body =
            json!({"email": format!("p{n}@example.org"), "properties": {"firstname": format!("P{n}")}});
        ids.push(api.contact(&account.token, body).await);
    }
    ids
}

/// Returns the fields of the dialog's form, with this typed number.
fn confirmed<'a>(page: &'a str, typed: &'a str, names: &[&'a str]) -> Vec<(&'a str, String)> {
    let mut fields = vec![("confirm_count", typed.to_owned())];
    let dialog = page.split("<dialog").nth(1).expect("a dialog");
    for name in names {
        fields.extend(hidden(dialog, name).into_iter().map(|value| (*name, value)));
    }
    fields
}

const SELECTION: [&str; 6] = ["key", "matched", "action", "scope", "contact", "state"];

fn borrowed<'a>(fields: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test(start_paused = true)]
async fn ticked_contacts_are_set_once_the_number_is_right() {
    let (api, account) = one_account(json!({})).await;
    let ids = people(&api, &account, 4).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let ticked: Vec<(&str, &str)> = ids[..3].iter().map(|id| ("contact", id.as_str())).collect();
    let fields = [&[("scope", "ticked"), ("action", "set-marketing")], &ticked[..]].concat();
    let reply = browser.post("/console/contacts/preview", &fields).await;
    let page = reply.text().to_owned();
    assert!(page.contains("3 contacts become marketing contacts now"), "{page}");
    assert_eq!(api.assert_exact(&account).await["marketing"], 0, "a preview changes nothing");

    for wrong in ["4", "", "three"] {
        let reply = browser.post("/console/jobs", &borrowed(&confirmed(&page, wrong, &SELECTION))).await;
        assert_eq!(reply.status, 409, "{wrong}");
        assert_eq!(hidden(reply.text(), "contact").len(), 3, "the selection is kept");
    }
    let right = confirmed(&page, "3", &SELECTION);
    let mut jobs = Vec::new();
    for _ in 0..2 {
        let reply = browser.post("/console/jobs", &borrowed(&right)).await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        jobs.push(reply.header("location").unwrap().to_owned());
    }
    assert_eq!(jobs[0], jobs[1], "a form that is sent twice acts once");
    api.work_on_bulk_jobs().await;
    assert!(browser.page(&jobs[0]).await.contains("3 set, 0 refused."));
    assert_eq!(api.assert_exact(&account).await["marketing"], 3);
}

#[tokio::test(start_paused = true)]
async fn count_that_changed_in_between_changes_nothing() {
    let (api, account) = one_account(json!({})).await;
    let _ = people(&api, &account, 2).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let fields = [("scope", "all"), ("action", "set-marketing")];
    let page = browser.post("/console/contacts/preview", &fields).await.text().to_owned();
    let _ = api.contact(&account.token, json!({"email": "late@example.org"})).await;
    let reply = browser.post("/console/jobs", &borrowed(&confirmed(&page, "2", &SELECTION))).await;
    assert_eq!(reply.status, 409);
    assert!(reply.text().contains("Nothing was changed: 3 contacts match now, not 2."), "{}", reply.text());
    assert_eq!(hidden(reply.text(), "matched"), ["3"]);
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}

#[tokio::test(start_paused = true)]
async fn contact_that_is_excepted_is_not_selected() {
    let (api, account) = one_account(json!({})).await;
    let ids = people(&api, &account, 3).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let fields = [("scope", "all"), ("action", "set-marketing"), ("except", ids[0].as_str())];
    let reply = browser.post("/console/contacts/preview", &fields).await;
    assert!(reply.text().contains("Set 2 contacts as marketing?"), "{}", reply.text());
    assert_eq!(hidden(reply.text(), "except"), [ids[0].clone()]);
}

#[tokio::test(start_paused = true)]
async fn damaged_selection_is_never_all_contacts() {
    let (api, account) = one_account(json!({})).await;
    let _ = people(&api, &account, 2).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    for damaged in ["segment", "job", "state", "queue_back"] {
        let fields = [("scope", "all"), ("action", "set-marketing"), (damaged, "x")];
        let reply = browser.post("/console/contacts/preview", &fields).await;
        assert_eq!(reply.status, 404, "{damaged}");
        assert!(!reply.text().contains("<dialog"), "{damaged}");
    }
    let row = [("property", "firstname"), ("operator", "EQ"), ("value", "P0")];
    let rows = [&[("scope", "all"), ("action", "set-marketing")][..], &row.repeat(11)].concat();
    let reply = browser.post("/console/contacts/preview", &rows).await;
    assert!(!reply.text().contains("<dialog"), "an eleventh condition is not dropped");
    let fields = [("name", "New"), ("key", "a\nb")];
    let reply = browser.post("/console/settings/name", &fields).await;
    assert_eq!(reply.status, 400, "a key that is no header is the sender's error");
}

#[tokio::test(start_paused = true)]
async fn cap_and_tier_are_said_before() {
    let (api, account) = one_account(json!({"tier": {"included": 2, "block": 2}, "cap": 3})).await;
    let _ = people(&api, &account, 5).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let fields = [("scope", "all"), ("action", "set-marketing")];
    let reply = browser.post("/console/contacts/preview", &fields).await;
    let page = reply.text();
    assert!(page.contains("Set 3 of 5 contacts as marketing?"), "{page}");
    assert!(page.contains("The tier rises from 2 to 4, at once."), "{page}");
    assert!(page.contains("2 contacts are refused,</b> because usage would pass the cap of 3."), "{page}");
}

#[tokio::test(start_paused = true)]
async fn member_without_the_permission_sees_the_reason() {
    let (api, account) = one_account(json!({})).await;
    let ids = people(&api, &account, 1).await;
    let member = json!({"name": "Pavel", "email": "p@example.org", "modify_marketing_contacts": false});
    let member = api.user(&account, member).await;
    let browser = Browser::signed_in(&api, &member.token).await;
    let page = browser.page("/console/contacts").await;
    assert!(page.contains("disabled aria-describedby=\"why-not\""), "{page}");
    assert!(page.contains("You can view contacts but not set their status."));
    let fields = [("scope", "ticked"), ("action", "set-marketing"), ("contact", ids[0].as_str())];
    let confirmed = [&fields[..], &[("matched", "1"), ("confirm_count", "1")]].concat();
    for (path, fields) in [("/console/contacts/preview", &fields[..]), ("/console/jobs", &confirmed)] {
        let reply = browser.post(path, fields).await;
        assert_eq!(reply.status, 403, "{path}");
        assert!(!reply.text().contains("<dialog"), "{path}");
    }
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}

#[tokio::test(start_paused = true)]
async fn addresses_stand_in_no_url() {
    let (api, account) = one_account(json!({})).await;
    let ids = people(&api, &account, 2).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let search = async |words: &str| browser.post("/console/contacts/search", &[("q", words)]).await;
    let reply = search("P0@example.org").await;
    assert_eq!(reply.header("location"), Some(format!("/console/contacts/{}", ids[0]).as_str()));
    assert_eq!(search("p1").await.header("location"), Some("/console/contacts?q=p1"));
    let reply = search("nobody@example.org").await;
    assert_eq!((reply.status, reply.header("location")), (200, None));
    assert!(reply.text().contains("No contact has this address."));
    let rows = [("property", "email"), ("operator", "EQ"), ("value", "p1@example.org")];
    let reply = browser.post("/console/contacts/filter", &rows).await;
    assert_eq!((reply.status, reply.header("location")), (200, None));
    assert!(reply.text().contains(&ids[1]) && !reply.text().contains(&ids[0]));
    assert!(!reply.text().contains("?property="), "no link carries the address");
    let rows = [("property", "firstname"), ("operator", "EQ"), ("value", "P1")];
    let reply = browser.post("/console/contacts/filter", &rows).await;
    let path = reply.header("location").unwrap();
    assert!(browser.page(path).await.contains(&ids[1]));
}

#[tokio::test(start_paused = true)]
async fn every_text_is_escaped() {
    let (api, account) = one_account(json!({"name": "<b>Acme</b>"})).await;
    let hostile = "<script>alert(1)</script>\"'&";
    let body =
        json!({"email": "a@example.org", "properties": {"firstname": hostile, "lastname": "\"><img src=x>"}});
    let contact = api.contact(&account.token, body).await;
    let segment = json!({"name": hostile, "filterGroups": []});
    let _ = api.post("/v1/segments").token(&account.token).json(&segment).await.expect(201);
    let browser = Browser::signed_in(&api, &account.token).await;
    let query = "/console/contacts?q=%3Cscript%3E&property=%22%3E%3Cimg&operator=EQ&value=%3Cscript%3Ealert";
    for path in
        ["/console", "/console/contacts", query, "/console/segments", &format!("/console/contacts/{contact}")]
    {
        let reply = browser.get(path).await;
        let page = reply.text();
        assert!(
            !page.contains("<script>alert") && !page.contains("<img") && !page.contains("<b>Acme"),
            "{path}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_another_account_is_shown() {
    let (api, ours) = one_account(json!({})).await;
    let theirs = api.account(json!({})).await;
    let contact = people(&api, &theirs, 1).await.remove(0);
    let segment = json!({"name": "Theirs", "filterGroups": []});
    let segment = id(&api.post("/v1/segments").token(&theirs.token).json(&segment).await.expect(201));
    let form =
        id(&api.post("/v1/forms").token(&theirs.token).json(&json!({"name": "Theirs"})).await.expect(201));
    let job = json!({"action": "set-marketing", "selection": {"contacts": [{"id": contact}]}});
    let job = api.post("/v1/bulk/jobs").token(&theirs.token).json(&job).await.expect(202);
    let job = id(&job["job"]);
    let browser = Browser::signed_in(&api, &ours.token).await;
    for path in [
        format!("/console/contacts/{contact}"),
        format!("/console/contacts?segment={segment}"),
        format!("/console/contacts?job={job}&outcome=refused"),
        format!("/console/segments/{segment}"),
        format!("/console/forms/{form}"),
        format!("/console/jobs/{job}"),
        format!("/console/jobs/{job}/progress"),
    ] {
        let reply = browser.get(&path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(!reply.text().contains("Theirs"), "{path}");
    }
    for (path, fields) in [
        (format!("/console/jobs/{job}/cancel"), vec![]),
        (
            "/console/contacts/preview".to_owned(),
            vec![("queue_back", job.as_str()), ("action", "set-non-marketing-pending")],
        ),
    ] {
        let reply = browser.post(&path, &fields).await;
        assert!([404, 400].contains(&reply.status), "{path}: {}", reply.status);
    }
    assert!(browser.page("/console/contacts").await.contains("No contacts yet"));
}

#[tokio::test(start_paused = true)]
async fn sandbox_clock_moves_to_the_update_date() {
    let (api, account) = one_account(json!({"test_clock": "2026-11-10T12:00:00.000Z"})).await;
    let ids = people(&api, &account, 1).await;
    let _ = api.set_marketing(&account.token, &ids).await;
    let _ = api.queue(&account.token, &ids).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    for (to, marketing, done) in [("day", 1, "moved"), ("before", 1, "moved"), ("update", 0, "passed")] {
        let reply = browser.post("/console/clock", &[("move", to)]).await;
        assert_eq!(reply.header("location"), Some(format!("/console?done={done}").as_str()), "{to}");
        assert_eq!(api.assert_exact(&account).await["marketing"], marketing, "{to}");
    }
    assert!(browser.page("/console?done=passed").await.contains("The clock has passed an update date"));
}
