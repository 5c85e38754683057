//! The beginning and the end of sessions, and what protects them.

use chrono::TimeDelta;
use domain::limits::SESSION_TIME;
use serde_json::json;
use testkit::at;

use super::{Browser, hidden};
use crate::http::{START, one_account};

#[tokio::test(start_paused = true)]
async fn session_begins_with_a_token_and_ends_by_signing_out() {
    let (api, account) = one_account(json!({})).await;
    let visitor = Browser::new(&api);
    let reply = visitor.get("/console/jobs?after=1").await;
    assert_eq!(reply.status, 303);
    assert_eq!(reply.header("location"), Some("/console/sign-in?to=%2Fconsole%2Fjobs%3Fafter%3D1"));
    let fields = [("token", account.token.as_str()), ("to", "/console/jobs")];
    let reply = visitor.post("/console/sign-in", &fields).await;
    assert_eq!((reply.status, reply.header("location")), (303, Some("/console/jobs")));
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200"), "{cookie}");

    let browser = Browser::signed_in(&api, &account.token).await;
    assert!(browser.page("/console").await.contains("Marketing contacts now"));
    let copy = browser.copy();
    let reply = browser.post("/console/sign-out", &[]).await;
    assert_eq!(reply.header("location"), Some("/console/sign-in?done=out"));
    assert!(reply.header("set-cookie").unwrap().contains("=; Path=/"));
    assert!(browser.page("/console/sign-in?done=out").await.contains("You are signed out."));
    assert_eq!(copy.get("/console").await.status, 303, "the cookie's copy is of no use");
}

#[tokio::test(start_paused = true)]
async fn form_after_the_session_leads_back_to_its_page() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    api.clock.set(at(START).plus(SESSION_TIME));
    let reply = browser.act("/console/settings/name", &[("name", "New")]).await;
    assert!(reply.text().contains("Your session has ended, and nothing was changed."), "{}", reply.text());
    let to = hidden(reply.text(), "to").remove(0);
    assert_eq!(to, "/console/contacts?state=leaving");
    let reply = browser.post("/console/sign-in", &[("token", &account.token), ("to", &to)]).await;
    assert_eq!(reply.header("location"), Some(to.as_str()));
}

#[tokio::test(start_paused = true)]
async fn signing_in_again_ends_the_old_session() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let old = browser.copy();
    let _ = browser.post("/console/sign-in", &[("token", &account.token)]).await;
    assert_eq!(browser.get("/console").await.status, 200);
    assert_eq!(old.get("/console").await.status, 303);
}

#[tokio::test(start_paused = true)]
async fn note_about_an_act_is_shown_once_after_it() {
    let (api, account) = one_account(json!({})).await;
    let contact = api.contact(&account.token, json!({"email": "a@example.org"})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    let (erased, said) = ("/console/contacts?done=erased", "The person was erased.");
    assert!(!browser.page(erased).await.contains(said), "nothing was done");
    for false_note in ["/console?done=passed", "/console/sign-in?done=out", "/console/sign-in?done=ended"] {
        assert!(!browser.page(false_note).await.contains("role=\"status\""), "{false_note}");
    }
    let page = browser.page(&format!("/console/contacts/{contact}/erase")).await;
    let fields = ["key", "version"].map(|name| (name, hidden(&page, name)));
    let fields: Vec<(&str, &str)> =
        fields.iter().flat_map(|(name, values)| values.last().map(|value| (*name, value.as_str()))).collect();
    let reply = browser.post(&format!("/console/contacts/{contact}/erase"), &fields).await;
    assert_eq!(reply.header("location"), Some(erased), "{}", reply.text());
    let other = Browser::signed_in(&api, &account.token).await;
    assert!(!other.page(erased).await.contains(said), "another browser");
    assert!(!browser.page("/console/contacts").await.contains(said), "another page");
    assert!(browser.page(erased).await.contains(said));
    assert!(!browser.page(erased).await.contains(said), "once");
}

#[tokio::test(start_paused = true)]
async fn path_of_an_act_leads_to_a_page() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    for (act, page) in [
        ("/console/", "/console"),
        ("/console/clock", "/console"),
        ("/console/contacts/preview", "/console/contacts"),
        ("/console/contacts/filter", "/console/contacts"),
        ("/console/contacts/search", "/console/contacts"),
        ("/console/contacts/add-to-list", "/console/contacts"),
        ("/console/settings/cap", "/console/settings"),
        (
            "/console/jobs/job_01k0000000000000000000000a/cancel",
            "/console/jobs/job_01k0000000000000000000000a",
        ),
        ("/console/sign-out", "/console"),
    ] {
        let reply = browser.get(act).await;
        assert_eq!((reply.status, reply.header("location")), (303, Some(page)), "{act}");
        assert!(reply.header("content-security-policy").is_some(), "{act}");
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_tokens_and_integrations_start_no_session() {
    let (api, account) = one_account(json!({})).await;
    let robot = api.integration(&account, json!({"name": "Shop", "set_marketing": true})).await;
    let browser = Browser::new(&api);
    for (token, message) in [
        ("tmk_unknown", "This token is not known"),
        ("", "This token is not known"),
        (robot.token.as_str(), "This is the token of an integration"),
    ] {
        let reply = browser.post("/console/sign-in", &[("token", token)]).await;
        assert_eq!((reply.status, reply.header("set-cookie")), (422, None), "{token}");
        assert!(reply.text().contains(message));
        assert!(token.is_empty() || !reply.text().contains(token), "the token is not repeated");
    }
}

#[tokio::test(start_paused = true)]
async fn sign_in_leads_to_no_other_site() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::new(&api);
    for to in [
        "https://example.org",
        "//example.org/console",
        "/console\\@example.org",
        "/v1/contacts",
        "/console/\0",
        "/console/\x7f",
    ] {
        let fields = [("token", account.token.as_str()), ("to", to)];
        let reply = browser.post("/console/sign-in", &fields).await;
        assert_eq!(reply.header("location"), Some("/console"), "{to}");
    }
}

#[tokio::test(start_paused = true)]
async fn session_ends_with_its_token_its_user_and_its_time() {
    let (api, account) = one_account(json!({})).await;
    let other = api.user(&account, json!({"name": "Bo", "email": "bo@example.org", "role": "admin"})).await;
    let browser = Browser::signed_in(&api, &other.token).await;
    let _ = browser.page("/console").await;
    let tokens = api.get("/v1/tokens").token(&account.token).await.expect(200);
    let listed = tokens["results"].as_array().unwrap();
    let own = listed.iter().find(|token| token["user_id"] == json!(other.id)).unwrap();
    let path = format!("/v1/tokens/{}", own["id"].as_str().unwrap());
    let _ = api.delete(&path).token(&account.token).await.expect(204);
    assert_eq!(browser.get("/console").await.status, 303, "the token is gone");

    let browser = Browser::signed_in(&api, &account.token).await;
    api.clock.set(at(START).plus(SESSION_TIME - TimeDelta::seconds(1)));
    let _ = browser.page("/console").await;
    api.clock.set(at(START).plus(SESSION_TIME));
    assert_eq!(browser.get("/console").await.status, 303, "twelve hours have passed");
}

#[tokio::test(start_paused = true)]
async fn sign_in_code_begins_one_session() {
    let (api, account) = one_account(json!({})).await;
    let digest = |text: &str| api::token::sha256_hex(text.as_bytes());
    let (code, token) = (digest("code"), digest(&account.token));
    api.table.store.create_sign_in_code(&code, &token, at(START)).await.unwrap();
    let browser = Browser::new(&api);
    let looked = api.request(http::Method::HEAD, "/console/sign-in/code").await;
    assert_eq!(looked.status, 200, "a program that looks at the link does not use it up");
    let replies = [browser.get("/console/sign-in/code").await, browser.get("/console/sign-in/code").await];
    assert_eq!(
        replies.map(|reply| (reply.status, reply.header("set-cookie").is_some())),
        [(303, true), (404, false)]
    );
    assert_eq!(browser.get("/console/sign-in/other").await.status, 404);
    api.table.store.create_sign_in_code(&code, &token, at(START)).await.unwrap();
    api.clock.set(at(START).plus(SESSION_TIME));
    assert_eq!(browser.get("/console/sign-in/code").await.status, 404, "the code is too old");
}

#[tokio::test(start_paused = true)]
async fn posts_of_other_origins_change_nothing() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    for site in ["cross-site", "same-site", "none"] {
        let reply = browser.post_from(site, "/console/sign-out", &[]).await;
        assert_eq!(reply.status, 403, "{site}");
        let reply = browser.post_from(site, "/console/sign-in", &[("token", &account.token)]).await;
        assert_eq!((reply.status, reply.header("set-cookie")), (403, None), "{site}");
    }
    let _ = browser.page("/console").await;
}

#[tokio::test(start_paused = true)]
async fn every_response_restricts_the_browser() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    for path in ["/console", "/console/sign-in", "/console/contacts", "/console/nowhere", "/console/jobs/x"] {
        let reply = browser.get(path).await;
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{path}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("referrer-policy"), Some("same-origin"), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
        let page = reply.text();
        for inline in [" style=", "<style", " onclick=", "javascript:"] {
            assert!(!page.contains(inline), "{path} has {inline}");
        }
        assert!(page.matches("<script").count() == page.matches("<script type=\"module\" src=").count());
    }
}

#[tokio::test(start_paused = true)]
async fn style_and_script_are_kept_for_good() {
    let (api, account) = one_account(json!({})).await;
    let page = Browser::signed_in(&api, &account.token).await.page("/console").await;
    let mut bytes = page.len();
    for begin in ["<link rel=\"stylesheet\" href=\"", "<script type=\"module\" src=\""] {
        let path = page.split(begin).nth(1).unwrap().split('"').next().unwrap();
        // Without a session: they are the same for everybody.
        let reply = Browser::new(&api).get(path).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("cache-control"), Some("public, max-age=31536000, immutable"));
        bytes += reply.body.len();
    }
    // The first page with everything that it needs, uncompressed.
    assert!(bytes <= 60_000, "{bytes} bytes");
    assert_eq!(Browser::new(&api).get("/console/assets/tidemark-0.css").await.status, 404);
}
