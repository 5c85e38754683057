//! Acts of people: what they see before, what they confirm, and what they may not do.

use chrono::TimeDelta;
use serde_json::json;
use testkit::{Api, Tenant, at};

use super::{Browser, hidden, id};
use crate::http::{START, one_account};

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
    let reply = browser.act("/console/contacts/preview", &fields).await;
    let page = reply.text().to_owned();
    assert!(page.contains("3 contacts become marketing contacts now"), "{page}");
    assert_eq!(api.assert_exact(&account).await["marketing"], 0, "a preview changes nothing");

    for wrong in ["4", "", "three"] {
        let reply = browser.act("/console/jobs", &borrowed(&confirmed(&page, wrong, &SELECTION))).await;
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
    let page = browser.act("/console/contacts/preview", &fields).await.text().to_owned();
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
    let reply = browser.act("/console/contacts/preview", &fields).await;
    assert!(reply.text().contains("Set 2 contacts as marketing?"), "{}", reply.text());
    let dialog = reply.text().split("<dialog").nth(1).expect("a dialog");
    assert_eq!(hidden(dialog, "except"), [ids[0].clone()]);
}

/// Returns the fields that post all contacts of a page's selection bar.
async fn all_of(browser: &Browser<'_>, path: &str) -> Vec<(&'static str, String)> {
    let page = browser.get(path).await;
    let mut fields = vec![("scope", "all".to_owned()), ("action", "set-marketing".to_owned())];
    for name in ["segment", "job", "outcome", "q", "property", "operator", "value", "except"] {
        let form = page.text().split("data-select").nth(1).unwrap_or_default();
        fields.extend(hidden(form, name).into_iter().map(|value| (name, value)));
    }
    fields
}

#[tokio::test(start_paused = true)]
async fn selection_without_a_filter_is_never_widened() {
    let (api, account) = one_account(json!({"cap": 1})).await;
    let ids = people(&api, &account, 5).await;
    let members: Vec<_> = ids[..3].iter().map(|id| json!({"id": id})).collect();
    let list = json!({"name": "List", "contacts": members});
    let list = id(&api.post("/v1/segments").token(&account.token).json(&list).await.expect(201));
    let job = json!({"action": "set-marketing", "selection": {"segment_id": list}, "confirm_count": 3});
    let job = api.post("/v1/bulk/jobs").token(&account.token).json(&job).await.expect(202);
    let job = id(&job["job"]);
    api.work_on_bulk_jobs().await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let page = browser.page(&format!("/console/jobs/{job}")).await;
    assert!(page.contains("1 set, 2 refused.") && !page.contains("outcome=refused"), "no dead end: {page}");

    let (segment, refused) =
        (vec![("segment", list.as_str())], vec![("job", job.as_str()), ("outcome", "refused")]);
    let row = [("property", "firstname"), ("operator", "EQ"), ("value", "P4")];
    let no_field = [("property", ""), ("operator", "EQ"), ("value", "P4")];
    let wrong = [
        [&segment[..], &row].concat(),
        [&segment[..], &no_field].concat(),
        [&segment[..], &[("q", "p4")]].concat(),
        refused.clone(),
        [&refused[..], &row].concat(),
    ];
    for fields in &wrong {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let reply = browser.get(&format!("/console/contacts?{query}")).await;
        assert_eq!(reply.status, 422, "{fields:?}");
        assert!(!ids.iter().any(|id| reply.text().contains(id)), "no contact is shown: {fields:?}");
        let all = [("scope", "all"), ("action", "set-marketing"), ("matched", "5"), ("confirm_count", "5")];
        let all = [&fields[..], &all].concat();
        for path in ["/console/contacts/preview", "/console/jobs"] {
            let reply = browser.act(path, &all).await;
            assert_eq!(reply.status, 422, "{path} {fields:?}");
            assert!(!reply.text().contains("<dialog"), "{path} {fields:?}");
        }
        let save = [&fields[..], &[("save", "1")]].concat();
        let reply = browser.act("/console/contacts/filter", &save).await;
        assert!(!reply.text().contains("<dialog"), "{fields:?} is saved as a segment");
    }
    let reply = browser
        .act(
            "/console/contacts/preview",
            &borrowed(&all_of(&browser, &format!("/console/contacts?segment={list}")).await),
        )
        .await;
    assert!(reply.text().contains("Of 3 contacts: 0 set"), "the whole list: {}", reply.text());
}

#[tokio::test(start_paused = true)]
async fn refused_contacts_of_a_job_are_its_own() {
    let (api, account) = one_account(json!({"cap": 1})).await;
    let ids = people(&api, &account, 4).await;
    let selection = json!({"filterGroups": [], "except": [ids[3]]});
    let job = json!({"action": "set-marketing", "selection": selection, "confirm_count": 3});
    let job = api.post("/v1/bulk/jobs").token(&account.token).json(&job).await.expect(202);
    let job = id(&job["job"]);
    api.work_on_bulk_jobs().await;
    api.clock.set(at(START).plus(TimeDelta::minutes(1)));
    let late = api.contact(&account.token, json!({"email": "late@example.org"})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let path = format!("/console/contacts?job={job}&outcome=refused");
    assert!(browser.page(&format!("/console/jobs/{job}")).await.contains("Show the 2 refused"));
    let page = browser.page(&path).await;
    let shown = |id: &String| page.contains(&format!("/console/contacts/{id}\""));
    assert_eq!(ids.iter().filter(|id| shown(id)).count(), 2, "{page}");
    assert!(!shown(&ids[3]) && !shown(&late), "neither excepted nor later contacts");
    let reply = browser.act("/console/contacts/preview", &borrowed(&all_of(&browser, &path).await)).await;
    assert!(
        reply.text().contains("Of 2 contacts: 0 set, 0 kept, 0 unchanged, 2 refused."),
        "{}",
        reply.text()
    );
    assert!(reply.text().contains("<title>No contact to set as marketing"), "{}", reply.text());
}

#[tokio::test(start_paused = true)]
async fn page_under_a_dialog_keeps_its_exceptions() {
    let (api, account) = one_account(json!({})).await;
    let ids = people(&api, &account, 3).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let fields = [("scope", "all"), ("action", "set-marketing"), ("except", ids[0].as_str())];
    let reply = browser.act("/console/contacts/preview", &fields).await;
    let list = reply.text().split("<dialog").next().unwrap();
    assert_eq!(hidden(list, "except"), [ids[0].clone()]);
    let row = |id: &str| {
        list.split("<tr").find(|row| row.contains(&format!("name=\"contact\" value=\"{id}\""))).unwrap()
    };
    assert!(!row(&ids[0]).contains("checked") && row(&ids[1]).contains("checked"));
}

#[tokio::test(start_paused = true)]
async fn list_says_what_was_added() {
    let (api, account) = one_account(json!({})).await;
    let ids = people(&api, &account, 1).await;
    let list = json!({"name": "List", "contacts": []});
    let list = id(&api.post("/v1/segments").token(&account.token).json(&list).await.expect(201));
    let browser = Browser::signed_in(&api, &account.token).await;
    for (contact, said) in [
        ("9999999999", "Nothing was added to the list. 1 contact does not exist."),
        (ids[0].as_str(), "1 contact was added to the list."),
        (ids[0].as_str(), "Nothing was added: the list has these contacts already."),
    ] {
        let fields = [("list", list.as_str()), ("contact", contact)];
        let reply = browser.act("/console/contacts/add-to-list", &fields).await;
        assert!(reply.text().contains(said), "{said}: {}", reply.text());
    }
}

#[tokio::test(start_paused = true)]
async fn damaged_selection_is_never_all_contacts() {
    let (api, account) = one_account(json!({})).await;
    let _ = people(&api, &account, 2).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    for damaged in ["segment", "job", "state", "queue_back"] {
        let fields = [("scope", "all"), ("action", "set-marketing"), (damaged, "x")];
        let reply = browser.act("/console/contacts/preview", &fields).await;
        assert_eq!(reply.status, 404, "{damaged}");
        assert!(!reply.text().contains("<dialog"), "{damaged}");
    }
    let row = [("property", "firstname"), ("operator", "EQ"), ("value", "P0")];
    let rows = [&[("scope", "all"), ("action", "set-marketing")][..], &row.repeat(11)].concat();
    let reply = browser.act("/console/contacts/preview", &rows).await;
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
    let reply = browser.act("/console/contacts/preview", &fields).await;
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
        let reply = browser.act(path, fields).await;
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
        let reply = browser.act(&path, &fields).await;
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
    let moves = async || -> Vec<String> {
        let page = browser.page("/console").await;
        let buttons = page.split("<button name=\"now\" value=\"").skip(1);
        buttons.filter_map(|rest| Some(rest.split('"').next()?.to_owned())).collect()
    };
    let old = moves().await;
    assert_eq!(old.len(), 3);
    for (place, marketing, done) in [(0, 1, "moved"), (1, 1, "moved"), (2, 0, "passed")] {
        let reply = browser.post("/console/clock", &[("now", &moves().await[place])]).await;
        assert_eq!(reply.header("location"), Some(format!("/console?done={done}").as_str()), "{place}");
        assert_eq!(api.assert_exact(&account).await["marketing"], marketing, "{place}");
    }
    assert!(browser.page("/console?done=passed").await.contains("The clock has passed an update date"));
    for button in &old[..2] {
        let reply = browser.post("/console/clock", &[("now", button)]).await;
        assert!((400..500).contains(&reply.status), "a button of an old page goes back: {button}");
    }
    let _ = browser.post("/console/clock", &[("now", &old[2])]).await;
    assert!(moves().await[2].starts_with("2027-01-01"), "an old button closes no other period");
}
