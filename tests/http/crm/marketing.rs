//! The marketing status through properties: written, shown, explained and refused.

use serde_json::{Value, json};

use super::{CONTACTS, create, id, refused};
use crate::http::{UPDATE, one_account};

const SHOWN: &str = "properties=hs_marketable_status,hs_marketable_until_renewal,hs_marketable_reason_type,\
                     hs_marketable_reason_id,tidemark_leaves_at";

#[tokio::test]
async fn status_is_set_queued_and_kept() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let created =
        create(&api, token, json!({"email": "ada@example.org", "hs_marketable_status": true})).await;
    assert_eq!(created["properties"]["hs_marketable_status"], "true");
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
    let path = format!("{CONTACTS}/{}", id(&created));
    let set = |status: Value| {
        api.patch(&path)
            .token(token)
            .json(&json!({"properties": {"hs_marketable_status": status, "city": "Rome"}}))
    };
    for again in 0..2 {
        let queued = set(json!("false")).await.expect(200);
        assert_eq!(
            queued["properties"]["hs_marketable_status"], "true",
            "it stays billable until the update date"
        );
        assert_eq!(queued["properties"]["hs_marketable_until_renewal"], "true");
        assert!(queued["warnings"][0]["message"].as_str().unwrap().contains(UPDATE), "{queued}");
        let usage = api.assert_exact(&account).await;
        assert_eq!((&usage["marketing"], &usage["leaving"]), (&json!(1), &json!(1)), "{again}");
    }
    let shown = api.get(&format!("{path}?{SHOWN}")).token(token).await.expect(200);
    assert_eq!(shown["properties"]["tidemark_leaves_at"], UPDATE);
    assert_eq!(shown["properties"]["hs_marketable_reason_type"], "MANUAL");
    let kept = set(json!(true)).await.expect(200);
    assert_eq!(
        (&kept["properties"]["hs_marketable_until_renewal"], kept.get("warnings")),
        (&json!("false"), None)
    );
    let versions =
        api.get(&format!("{path}?propertiesWithHistory=hs_marketable_status,hs_marketable_until_renewal"));
    let versions = versions.token(token).await.expect(200)["propertiesWithHistory"].clone();
    let values = |name: &str| {
        let versions = versions[name].as_array().unwrap().iter();
        versions.map(|version| version["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(values("hs_marketable_status"), ["true"], "the value never changed");
    assert_eq!(values("hs_marketable_until_renewal"), ["false", "true", "false"], "newest first");
}

#[tokio::test]
async fn contact_that_left_shows_the_update_date() {
    let (api, account) = one_account(json!({})).await;
    let created =
        create(&api, &account.token, json!({"email": "ada@example.org", "hs_marketable_status": true})).await;
    let path = format!("{CONTACTS}/{}", id(&created));
    let body = json!({"properties": {"hs_marketable_status": false}});
    let _ = api.patch(&path).token(&account.token).json(&body).await.expect(200);
    api.clock.set(testkit::at("2026-12-03T09:00:00.000Z"));
    let shown = api.get(&format!("{path}?{SHOWN}")).token(&account.token).await.expect(200);
    assert_eq!(
        (&shown["updatedAt"], &shown["properties"]["lastmodifieddate"]),
        (&json!(UPDATE), &json!(UPDATE))
    );
    assert_eq!(shown["properties"]["hs_marketable_status"], "false");
    assert_eq!(shown["properties"]["hs_marketable_reason_type"], "UPDATE_DATE");
}

#[tokio::test]
async fn cap_makes_a_warning_when_created_and_refuses_an_update() {
    let (api, account) = one_account(json!({"cap": 1})).await;
    let token = &account.token;
    create(&api, token, json!({"email": "ada@example.org", "hs_marketable_status": "true"})).await;
    let over =
        create(&api, token, json!({"email": "grace@example.org", "hs_marketable_status": "true"})).await;
    assert_eq!(over["properties"]["hs_marketable_status"], "false", "nobody is lost");
    assert_eq!(over["warnings"][0]["category"], "MARKETING_CONTACTS_LIMIT");
    let path = format!("{CONTACTS}/{}", id(&over));
    let body = json!({"properties": {"hs_marketable_status": "true", "city": "Rome"}});
    let refusal = refused(&api.patch(&path).token(token).json(&body).await, 400, "VALIDATION_ERROR");
    assert_eq!(refusal["errors"][0]["code"], "MARKETING_CONTACTS_LIMIT");
    let unchanged = api.get(&format!("{path}?properties=city")).token(token).await.expect(200);
    assert_eq!(unchanged["properties"]["city"], Value::Null, "a refused update changes nothing");
    let inputs = json!([
        {"id": id(&over), "properties": {"hs_marketable_status": "true"}},
        {"id": "ada@example.org", "idProperty": null, "properties": {"city": "Rome"}},
    ]);
    let body = json!({"inputs": inputs});
    let batch = api.post(&format!("{CONTACTS}/batch/update")).token(token).json(&body).await.expect(207);
    assert_eq!(batch["errors"][0]["errors"][0]["code"], "MARKETING_CONTACTS_LIMIT");
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test]
async fn status_is_read_only_without_the_permission() {
    let (api, account) = one_account(json!({})).await;
    let shop = api.integration(&account, json!({})).await;
    let body = json!({"properties": {"email": "ada@example.org", "hs_marketable_status": "true"}});
    let refusal = refused(&api.post(CONTACTS).token(&shop.token).json(&body).await, 400, "VALIDATION_ERROR");
    assert_eq!(refusal["errors"][0]["code"], "READ_ONLY_VALUE");
    let created = create(&api, &shop.token, json!({"email": "ada@example.org"})).await;
    assert_eq!(created["properties"]["email"], "ada@example.org");
    api.set_marketing(&account.token, &[id(&created)]).await;
    let path = format!("{CONTACTS}/{}", id(&created));
    refused(&api.delete(&path).token(&shop.token).await, 403, "MISSING_SCOPES");
    let settings = json!({"set_marketing": true, "modify_marketing_contacts": true});
    let crm = api.integration(&account, settings).await;
    for (name, status, expected) in [("grace", Value::Null, "true"), ("kay", json!(false), "false")] {
        let mut properties = json!({"email": format!("{name}@example.org")});
        if !status.is_null() {
            properties["hs_marketable_status"] = status;
        }
        let made = create(&api, &crm.token, properties).await;
        let shown = api.get(&format!("{CONTACTS}/{}?{SHOWN}", id(&made))).token(&crm.token).await.expect(200);
        assert_eq!(shown["properties"]["hs_marketable_status"], expected, "{name}");
    }
    api.assert_exact(&account).await;
}

#[tokio::test]
async fn same_record_written_back_changes_nothing() {
    let (api, account) = one_account(json!({})).await;
    let properties = json!({"email": "ada@example.org", "firstname": "Ada", "hs_marketable_status": "true"});
    let created = create(&api, &account.token, properties.clone()).await;
    api.clock.set(testkit::at("2026-11-11T12:00:00.000Z"));
    let path = format!("{CONTACTS}/{}", id(&created));
    let written =
        api.patch(&path).token(&account.token).json(&json!({"properties": properties})).await.expect(200);
    assert_eq!(written["updatedAt"], created["updatedAt"]);
}
