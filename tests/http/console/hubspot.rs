//! The page that shows how programs for `HubSpot` are pointed here, with the index of changes.

use serde_json::json;

use super::{Browser, hidden};
use crate::http::one_account;

const PAGE: &str = "/console/settings/hubspot";

#[tokio::test]
async fn page_has_the_address_and_the_portal_number() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    assert!(browser.page("/console/settings").await.contains(&format!("href=\"{PAGE}\"")));
    let page = browser.page(PAGE).await;
    let portal = api.get("/v1/account").token(&account.token).await.expect(200)["portal_id"].to_string();
    for shown in
        [testkit::PUBLIC_URL, portal.trim_matches('"'), "@hubspot/api-client", "hs_marketable_status = true"]
    {
        assert!(page.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn admin_switches_the_index_of_changes() {
    let (api, account) = one_account(json!({})).await;
    let browser = Browser::signed_in(&api, &account.token).await;
    for (value, now) in [("true", "on"), ("false", "off")] {
        let page = browser.page(PAGE).await;
        let fields = [("key", hidden(&page, "key").remove(0)), ("index_changes", value.to_owned())];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let reply = browser.post(&format!("{PAGE}/index"), &fields).await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        let shown = browser.page(reply.header("location").unwrap()).await;
        assert!(shown.contains(&format!("The index of changes is {now} now.")));
        let setting = api.get("/v1/account").token(&account.token).await.expect(200)["index_changes"].clone();
        assert_eq!(setting, value == "true");
    }
}
