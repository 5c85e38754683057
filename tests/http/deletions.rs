//! `DELETE /v1/contacts/{id}`, erasure, and the return of an address (the domain's `README.md`, Deletion and erasure).

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{Api, Tenant, at};

use super::{UPDATE, one_account};

/// Asserts that no read shows the contact.
async fn assert_gone(api: &Api, account: &Tenant, id: &str, address: &str) {
    let token = &account.token;
    api.get(&format!("/v1/contacts/{id}")).token(token).await.problem(ProblemType::NotFound);
    api.get(&format!("/v1/contacts/{id}/marketing")).token(token).await.problem(ProblemType::NotFound);
    api.get(&format!("/v1/contacts/by-email/{address}")).token(token).await.problem(ProblemType::NotFound);
    api.patch(&format!("/v1/contacts/{id}"))
        .token(token)
        .json(&json!({}))
        .await
        .problem(ProblemType::NotFound);
    assert_eq!(api.get("/v1/contacts").token(token).await.expect(200), json!({"results": []}));
    let all = json!({"filterGroups": []});
    assert_eq!(
        api.post("/v1/contacts/search").token(token).json(&all).await.expect(200),
        json!({"results": []})
    );
    let both = json!({"contacts": [{"id": id}, {"email": address}]});
    let set = api.post("/v1/contacts/marketing").token(token).json(&both).await.expect(200);
    assert_eq!(set["summary"]["not_found"], 2, "{set}");
    let mut question = both;
    question["tool"] = json!("sales_email");
    let eligible = api.post("/v1/eligibility").token(token).json(&question).await.expect(200);
    assert_eq!(eligible["summary"], json!({"allowed": 0, "not_allowed": 2, "reasons": {"not-found": 2}}));
}

async fn delete(api: &Api, account: &Tenant, id: &str, query: &str) -> Value {
    let reply = api.delete(&format!("/v1/contacts/{id}{query}")).token(&account.token).await;
    assert_eq!(reply.header("etag"), None);
    reply.expect(204)
}

#[tokio::test(start_paused = true)]
async fn deleted_contact_stays_billable_until_the_update_date() {
    for query in ["", "?erase=false", "?erase=true"] {
        let (api, account) = one_account(json!({})).await;
        let body = json!({"email": "ada@example.org", "properties": {"firstname": "Ada"}, "marketing": true});
        let id = api.contact(&account.token, body).await;
        delete(&api, &account, &id, query).await;
        assert_gone(&api, &account, &id, "ada@example.org").await;
        let usage = api.assert_exact(&account).await;
        assert_eq!((&usage["marketing"], &usage["leaving"]), (&json!(1), &json!(1)), "{query}");
        api.clock.set(at(UPDATE));
        assert_gone(&api, &account, &id, "ada@example.org").await;
        assert_eq!(api.assert_exact(&account).await["marketing"], 0);
    }
}

#[tokio::test(start_paused = true)]
async fn deleted_non_marketing_contact_leaves_no_items() {
    let (api, account) = one_account(json!({})).await;
    let id = api.contact(&account.token, json!({"email": "ada@example.org"})).await;
    delete(&api, &account, &id, "").await;
    assert_gone(&api, &account, &id, "ada@example.org").await;
    let scan = testkit::scan(&api.table.client, account.id).await;
    assert_eq!((scan.contacts, scan.addresses, scan.billable), (0, 0, 0));
    api.delete(&format!("/v1/contacts/{id}")).token(&account.token).await.problem(ProblemType::NotFound);
}

#[tokio::test(start_paused = true)]
async fn returning_address_counts_once_in_a_period() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let body = json!({"email": "ada@example.org", "properties": {"firstname": "Ada"}, "unsubscribed": true, "marketing": true});
    let id = api.contact(token, body).await;
    delete(&api, &account, &id, "").await;
    let returned = api
        .post("/v1/contacts")
        .token(token)
        .json(&json!({"email": "Ada@example.org", "marketing": true}))
        .await
        .expect(201);
    assert_eq!(
        (&returned["properties"], &returned["unsubscribed"]),
        (&json!({}), &json!(false)),
        "the deleted data does not return"
    );
    assert_eq!(returned["marketing"]["state"], "marketing");
    let usage = api.assert_exact(&account).await;
    assert_eq!((&usage["marketing"], &usage["leaving"]), (&json!(1), &json!(0)), "the contact counts once");
}

#[tokio::test(start_paused = true)]
async fn erased_address_returns_as_a_new_contact() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let id = api.contact(token, json!({"email": "ada@example.org", "marketing": true})).await;
    delete(&api, &account, &id, "?erase=true").await;
    assert_eq!(testkit::scan(&api.table.client, account.id).await.addresses, 0, "no address remains stored");
    let returned = api
        .post("/v1/contacts")
        .token(token)
        .json(&json!({"email": "ada@example.org", "marketing": true}))
        .await
        .expect(201);
    assert_ne!(returned["id"], json!(id));
    assert_eq!(api.assert_exact(&account).await["marketing"], 2, "an erased contact cannot be recognized");
}

#[tokio::test(start_paused = true)]
async fn deleted_contact_can_still_be_erased() {
    let (api, account) = one_account(json!({})).await;
    let id = api.contact(&account.token, json!({"email": "ada@example.org", "marketing": true})).await;
    delete(&api, &account, &id, "").await;
    delete(&api, &account, &id, "?erase=true").await;
    let scan = testkit::scan(&api.table.client, account.id).await;
    assert_eq!((scan.contacts, scan.addresses, scan.billable), (1, 0, 1));
    api.assert_exact(&account).await;
}

#[tokio::test(start_paused = true)]
async fn erase_parameter_accepts_only_true_or_false() {
    let (api, account) = one_account(json!({})).await;
    let id = api.contact(&account.token, json!({})).await;
    for query in
        ["erase", "erase=", "erase=1", "erase=yes", "erase=TRUE", "erase=true&erase=true", "erase=%FF"]
    {
        let reply = api.delete(&format!("/v1/contacts/{id}?{query}")).token(&account.token).await;
        assert_eq!(reply.invalid_fields(), ["erase"], "{query}");
    }
    let reply = api.delete(&format!("/v1/contacts/{id}?gdpr=true")).token(&account.token).await;
    reply.assert_invalid(&["gdpr"]);
    assert_eq!(api.get(&format!("/v1/contacts/{id}")).token(&account.token).await.status, 200);
}
