//! The consequences of changes: the usage by day, the values that a contact had, automations, and events.

use serde_json::{Value, json};
use testkit::{Api, Reply, Tenant, at};

use super::{Browser, hidden, id};
use crate::http::START;

/// Returns an API whose changes are followed, with an account.
async fn followed(terms: Value) -> (Api, Tenant) {
    let api = Api::with_stream(at(START)).await;
    let account = api.account(terms).await;
    (api, account)
}

async fn set(api: &Api, account: &Tenant, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(api.contact(&account.token, json!({"marketing": true})).await);
    }
    api.follow().await;
    ids
}

/// Returns the text of a page without its markup, with single spaces.
fn words(page: &str) -> String {
    let main = page.split("<main").nth(1).expect("a main part");
    let text: String =
        main.split('<').map(|part| part.split_once('>').map_or("", |(_, text)| text)).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn usage_page_has_the_days_and_the_forecast() {
    let (api, account) = followed(json!({"cap": 50})).await;
    let ids = set(&api, &account, 3).await;
    let _ = api.queue(&account.token, &ids[..1]).await;
    api.follow().await;
    api.clock.set(at("2026-11-12T12:00:00.000Z"));
    let browser = Browser::signed_in(&api, &account.token).await;
    assert!(browser.page("/console").await.contains("href=\"/console/usage\""));
    let page = browser.page("/console/usage").await;
    let text = words(&page);
    for sentence in [
        "On 1 December 2026, 1 contact leaves. Usage is 2 of 1,000 after that",
        "In the latest 3 days: 3 contacts set, 0 left. On average, 1.0 set and 0.0 left a day.",
        "At this pace, usage reaches the cap of 50 on",
        "This is an estimate.",
        "The peak was 3, on 10 November 2026.",
        "1 day without a change is not listed.",
    ] {
        assert!(text.contains(sentence), "{sentence}: {text}");
    }
    for (query, days) in [("", 28), ("?days=90", 90), ("?days=366", 366), ("?days=91", 28), ("?days=-1", 28)]
    {
        let page = browser.page(&format!("/console/usage{query}")).await;
        let chosen = format!("href=\"/console/usage?days={days}\" aria-current=\"page\"");
        assert!(page.contains(&chosen), "{query}");
    }
    api.clock.set(at("2026-12-02T12:00:00.000Z"));
    let _ = api.assert_exact(&account).await;
    api.follow().await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let text = words(&browser.page("/console/usage").await);
    assert!(text.contains("1 left") && text.contains("Update date"), "{text}");
    assert!(text.contains("no contact leaves. Usage stays at 2"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn usage_page_of_a_new_account_has_one_day() {
    let (api, account) = followed(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let text = words(&browser.page("/console/usage").await);
    for sentence in [
        "No contact was marketing on these days.",
        "The tier limit of 1,000 is above the picture.",
        "no day is foreseeable on which usage reaches the tier limit of 1,000. This is an estimate.",
        "No cap is set.",
    ] {
        assert!(text.contains(sentence), "{sentence}: {text}");
    }
}

/// Creates a contact whose first name a submission changes. Returns its id.
async fn changed_contact(api: &Api, account: &Tenant) -> String {
    let body = json!({"email": "ada@example.org", "properties": {"firstname": "Ada", "plan": "gold"}});
    let contact = api.contact(&account.token, body).await;
    let form = json!({"name": "Newsletter", "set_marketing": false});
    let form = id(&api.post("/v1/forms").token(&account.token).json(&form).await.expect(201));
    let fields = json!({"fields": {"email": "ada@example.org", "firstname": "<script>alert(1)</script>", "note": "x"}});
    let _ = api.post(&format!("/v1/forms/{form}/submissions")).json(&fields).await.expect(200);
    api.follow().await;
    contact
}

async fn property(api: &Api, account: &Tenant, contact: &str, name: &str) -> Value {
    let path = format!("/v1/contacts/{contact}");
    api.get(&path).token(&account.token).await.expect(200)["properties"][name].clone()
}

#[tokio::test(start_paused = true)]
async fn submission_is_set_back_on_the_page_of_values() {
    let (api, account) = followed(json!({})).await;
    let contact = changed_contact(&api, &account).await;
    // Editing contacts needs no permission, and so does setting values back.
    let member = json!({"name": "Pavel", "email": "p@example.org", "modify_marketing_contacts": false});
    let member = api.user(&account, member).await;
    let browser = Browser::signed_in(&api, &member.token).await;
    assert!(browser.page(&format!("/console/contacts/{contact}")).await.contains("/values\""));
    let path = format!("/console/contacts/{contact}/values");
    let page = browser.page(&path).await;
    assert!(page.contains("&lt;script&gt;alert") && !page.contains("<script>alert"), "{page}");
    assert!(words(&page).contains("Newsletter form. By: a submission."), "{}", words(&page));
    let change = hidden(&page, "change_id")[0].clone();
    let patch = json!({"properties": {"note": "y"}});
    let _ =
        api.patch(&format!("/v1/contacts/{contact}")).token(&account.token).json(&patch).await.expect(200);
    let key = hidden(&page, "key")[0].clone();
    let reply = browser.post(&path, &[("key", &key), ("change_id", &change)]).await;
    let location = reply.header("location").unwrap().to_owned();
    assert_eq!(
        (reply.status, location.as_str()),
        (303, format!("{path}?done=undone&change={change}").as_str())
    );
    let text = words(&browser.page(&location).await);
    assert!(text.contains("Set back: First name. Left as they are: note."), "{text}");
    assert_eq!(property(&api, &account, &contact, "firstname").await, "Ada");
    let again = browser.act(&path, &[("key", &key), ("change_id", &change)]).await;
    assert!(words(again.text()).contains("Set back: First name."), "{}", again.text());
    api.follow().await;
    let text = words(&browser.page(&path).await);
    assert!(text.contains("By: Pavel."), "the undoing is a change of its own: {text}");
    assert!(!text.contains("Left as they are"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn values_of_an_unknown_contact_or_change_are_not_found() {
    let (api, account) = followed(json!({})).await;
    let contact = changed_contact(&api, &account).await;
    let other = api.account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let path = format!("/console/contacts/{contact}/values");
    for change in ["99", "", "-1", "two", "999999999999999999999999"] {
        let reply = browser.post(&path, &[("change_id", change)]).await;
        assert!([400, 404].contains(&reply.status), "{change}: {}", reply.status);
        assert!(reply.text().contains("Nothing was changed."), "{change}");
    }
    let theirs = Browser::signed_in(&api, &other.token).await;
    for path in [path.as_str(), "/console/contacts/99/values", "/console/contacts/x/values"] {
        assert_eq!(theirs.get(path).await.status, 404, "{path}");
        assert_eq!(theirs.post(path, &[("change_id", "1")]).await.status, 404, "{path}");
    }
    assert_eq!(browser.get(&format!("{path}?after=zzz")).await.status, 200);
    let _ = api.delete(&format!("/v1/contacts/{contact}")).token(&account.token).await;
    assert_eq!(browser.get(&path).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn values_are_shown_page_by_page() {
    let (api, account) = followed(json!({})).await;
    let contact = api.contact(&account.token, json!({"email": "ada@example.org"})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let path = format!("/console/contacts/{contact}/values");
    assert!(browser.page(&path).await.contains("No change of a property is known."));
    for n in 0..41 {
        let patch =
            json!({"properties": {format!("p{}", n % 5): format!("value {n}"), "same": n.to_string()}});
        let _ = api
            .patch(&format!("/v1/contacts/{contact}"))
            .token(&account.token)
            .json(&patch)
            .await
            .expect(200);
        api.follow().await;
    }
    let (mut next, mut shown) = (Some(path), Vec::new());
    while let Some(path) = next {
        let page = browser.page(&path).await;
        shown.push(page.matches("<section").count());
        let link = page.split("rel=\"next\"").next().filter(|before| before.len() < page.len());
        next = link.and_then(|before| Some(before.rsplit("href=\"").next()?.split('"').next()?.to_owned()));
    }
    assert_eq!(shown, [20, 20, 1]);
}

/// Creates an automation for contacts of Rome, with these further fields.
async fn romans(api: &Api, account: &Tenant, more: Value) -> String {
    let filters = [json!({"propertyName": "city", "operator": "EQ", "value": "Rome"})];
    let mut body = json!({"name": "Romans", "action": "set-marketing",
                          "enrol": {"filterGroups": [{"filters": filters}]}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    id(&api.post("/v1/automations").token(&account.token).json(&body).await.expect(201))
}

async fn new_romans(api: &Api, account: &Tenant) {
    for name in ["ada", "bea", "cem"] {
        let body = json!({"email": format!("{name}@example.org"), "properties": {"city": "Rome"}});
        let _ = api.contact(&account.token, body).await;
    }
    api.follow().await;
}

#[tokio::test(start_paused = true)]
async fn overview_names_what_waits_and_what_happened() {
    let (api, account) = followed(json!({"cap": 3})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    assert!(!browser.page("/console").await.contains("What happened"));
    let automation = romans(&api, &account, json!({"pause_above": 1, "enabled": true})).await;
    new_romans(&api, &account).await;
    let _ = set(&api, &account, 2).await;
    let page = browser.page("/console").await;
    let text = words(&page);
    assert!(text.contains("Romans: paused by its brake, with "), "{text}");
    assert!(text.contains("What happened"), "{text}");
    assert!(text.contains("Usage reached the cap of 3"), "{text}");
    assert!(page.matches(&format!("href=\"/console/automations/{automation}\"")).count() >= 2, "{page}");
    let text = words(&browser.page(&format!("/console/automations/{automation}")).await);
    assert!(text.contains("Paused on 10 November 2026") && text.contains("2 contacts wait."), "{text}");
    let reply =
        browser.act(&format!("/console/automations/{automation}/resume"), &[("waiting", "drop")]).await;
    assert!(words(reply.text()).contains("It goes on."), "{}", reply.text());
    assert!(!words(&browser.page("/console").await).contains("Romans: paused"));
}

async fn enrol(browser: &Browser<'_>, automation: &str, count: &str) -> Reply {
    let path = format!("/console/automations/{automation}/switch");
    browser.post(&path, &[("to", "existing"), ("confirm_count", count)]).await
}

#[tokio::test(start_paused = true)]
async fn matching_contacts_are_enrolled_with_their_number() {
    let (api, account) = followed(json!({})).await;
    new_romans(&api, &account).await;
    let automation = romans(&api, &account, json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let path = format!("/console/automations/{automation}");
    assert!(words(&browser.page(&path).await).contains("3 contacts match now, of which 3 would change."));
    for (typed, status, message) in [
        ("7", 409, "You typed 7. 3 contacts match."),
        ("", 400, "Type 3."),
        ("x", 400, "Expected a whole number"),
    ] {
        let reply = enrol(&browser, &automation, typed).await;
        assert_eq!(reply.status, status, "{typed}");
        assert!(words(reply.text()).contains(message), "{typed}: {}", words(reply.text()));
    }
    let reply = enrol(&browser, &automation, "3").await;
    let job = reply.header("location").unwrap().to_owned();
    assert!(reply.status == 303 && job.starts_with("/console/jobs/"), "{job}");
    api.work_on_bulk_jobs().await;
    api.follow().await;
    assert_eq!(browser.get(&job).await.status, 200);
    assert_eq!(api.assert_exact(&account).await["marketing"], 3);
    assert!(words(&browser.page(&path).await).contains("Switch it off"));
}

#[tokio::test(start_paused = true)]
async fn automation_is_tried_with_an_address_in_no_url() {
    let (api, account) = followed(json!({})).await;
    new_romans(&api, &account).await;
    let automation = romans(&api, &account, json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let path = format!("/console/automations/{automation}/test");
    for (contact, status, message) in [
        ("ada@example.org", 200, "It matches now. The next change that makes it match would enrol it."),
        ("ada@example.org", 200, "Its turn would set it as marketing."),
        ("nobody@example.org", 200, "No contact has this address or id."),
        ("999", 200, "No contact has this address or id."),
        ("nothing", 400, "Expected an address or the id of a contact."),
        ("a@", 400, "Expected an address or the id of a contact."),
    ] {
        let reply = browser.post(&path, &[("contact", contact)]).await;
        assert_eq!((reply.status, reply.header("location")), (status, None), "{contact}");
        assert!(words(reply.text()).contains(message), "{contact}: {}", words(reply.text()));
        assert!(!reply.text().contains("=ada@") && !reply.text().contains("ada%40"), "{contact}");
    }
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}

#[tokio::test(start_paused = true)]
async fn automations_of_a_member_are_disabled_with_the_reason() {
    let (api, account) = followed(json!({})).await;
    let automation = romans(&api, &account, json!({})).await;
    let member = json!({"name": "Pavel", "email": "p@example.org", "modify_marketing_contacts": false});
    let member = api.user(&account, member).await;
    let browser = Browser::signed_in(&api, &member.token).await;
    let path = format!("/console/automations/{automation}");
    let delete = format!("{path}/delete");
    for page in ["/console/automations", "/console/automations/new", &path, &delete] {
        let page = browser.page(page).await;
        assert!(page.contains("disabled aria-describedby=\"may-not\""), "{page}");
        assert_eq!(page.matches("id=\"may-not\"").count(), 1);
    }
    for (part, fields) in
        [("/switch", [("to", "on")]), ("", [("max_per_day", "1")]), ("/delete", [("key", "k")])]
    {
        assert_eq!(browser.post(&format!("{path}{part}"), &fields).await.status, 403, "{part}");
    }
}
