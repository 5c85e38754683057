//! An account never sees or changes another account's data: what is theirs is not found.

use api::Slug;
use http::Method;
use serde_json::{Value, json};
use testkit::{Api, Tenant, at};

use super::walk::Walk;
use super::{START, column};
use crate::openapi::operations;

/// All that an account can read of itself.
async fn everything(api: &Api, account: &Tenant) -> Vec<Value> {
    let mut all = Vec::new();
    for path in [
        "/v1/account",
        "/v1/usage",
        "/v1/usage/statements",
        "/v1/users",
        "/v1/tokens",
        "/v1/contacts",
        "/v1/forms",
    ] {
        all.push(api.get(path).token(&account.token).await.expect(200));
    }
    all
}

#[tokio::test]
async fn another_accounts_ids_are_not_found_whatever_is_done_with_them() {
    let (operations, _) = operations::api();
    let walk = Walk::start(Api::start(at(START)).await).await;
    let api = &walk.api;
    let ours = api.account(json!({})).await;
    let before = everything(api, &walk.account).await;
    let ids =
        operations.iter().filter(|operation| operation.path.contains("{id}") && !operation.is_operators());
    let mut asked = 0;
    for operation in ids {
        let body = walk.body(operation);
        let reply = walk.nobodys_request(operation, "", body.as_ref()).token(&ours.token).await;
        reply.problem(Slug::NotFound);
        asked += 1;
    }
    assert_eq!(asked, 12);
    assert_eq!(everything(api, &walk.account).await, before);
    api.assert_exact(&walk.account).await;
    assert_eq!(api.assert_exact(&ours).await["marketing"], 0);
}

#[tokio::test]
async fn another_accounts_addresses_and_cursors_lead_to_nothing_of_theirs() {
    let api = Api::start(at(START)).await;
    let (ours, theirs) = (api.account(json!({})).await, api.account(json!({})).await);
    let mut ids = Vec::new();
    for address in ["ada@example.org", "bob@example.org"] {
        ids.push(api.contact(&theirs.token, json!({"email": address, "marketing": true})).await);
    }
    let before = everything(&api, &theirs).await;
    let path = "/v1/contacts/by-email/ada@example.org";
    api.get(path).token(&ours.token).await.problem(Slug::NotFound);
    let both = json!({"contacts": [{"email": "ada@example.org"}, {"id": ids[1]}]});
    for path in ["/v1/contacts/marketing", "/v1/contacts/non-marketing-pending"] {
        let answer = api.post(path).token(&ours.token).json(&both).await.expect(200);
        assert_eq!(column(&answer["results"], "outcome"), ["not_found", "not_found"]);
        assert_eq!(
            answer["results"],
            json!([{"email": "ada@example.org", "outcome": "not_found"},
                                             {"id": ids[1], "outcome": "not_found"}]),
            "no more than was said"
        );
    }
    let mut question = both;
    question["tool"] = json!("sales_email");
    let answer = api.post("/v1/eligibility").token(&ours.token).json(&question).await.expect(200);
    assert_eq!(answer["summary"]["reasons"], json!({"not-found": 2}));

    let theirs_first = api.get("/v1/contacts?limit=1").token(&theirs.token).await.expect(200);
    let cursor = theirs_first["paging"]["next"]["after"].as_str().unwrap();
    let ours_after = api.get(&format!("/v1/contacts?after={cursor}")).token(&ours.token).await.expect(200);
    assert_eq!(ours_after, json!({"results": []}));
    let search = json!({"filterGroups": [], "after": cursor});
    let found = api.post("/v1/contacts/search").token(&ours.token).json(&search).await.expect(200);
    assert_eq!(found, json!({"results": []}));

    // The same address is a contact of its own in each account.
    let own = api.put(path).token(&ours.token).json(&json!({"marketing": true})).await.expect(201);
    assert_ne!(own["id"], json!(ids[0]));
    assert_eq!(everything(&api, &theirs).await, before);
    assert_eq!(api.assert_exact(&ours).await["marketing"], 1);
    assert_eq!(api.assert_exact(&theirs).await["marketing"], 2);
}

#[tokio::test]
async fn accounts_are_shown_to_the_operator_alone() {
    let api = Api::start(at(START)).await;
    let (ours, theirs) = (api.account(json!({})).await, api.account(json!({"name": "Theirs"})).await);
    let before = everything(&api, &theirs).await;
    for id in [ours.id, theirs.id] {
        let path = format!("/v1/accounts/{id}");
        for (method, path) in [
            (Method::GET, "/v1/accounts"),
            (Method::GET, &path),
            (Method::PATCH, &path),
            (Method::POST, &format!("{path}/tokens")),
        ] {
            let mut request = api.request(method.clone(), path).token(&ours.token);
            if method == Method::PATCH {
                request = request.json(&json!({"marketing_contacts": false}));
            }
            let reply = request.await;
            reply.problem(Slug::PermissionDenied);
            assert!(!reply.text().contains("Theirs"), "{method} {path}");
        }
    }
    assert_eq!(everything(&api, &theirs).await, before);
}

#[tokio::test]
async fn an_account_is_named_by_its_token_alone() {
    let api = Api::start(at(START)).await;
    let (ours, theirs) =
        (api.account(json!({"name": "Ours"})).await, api.account(json!({"name": "Theirs"})).await);
    let path = format!("/v1/account?account={}", theirs.id);
    api.get(&path).token(&ours.token).await.assert_invalid(&["account"]);
    let body = json!({"account": theirs.id.to_string()});
    api.post("/v1/contacts").token(&ours.token).json(&body).await.assert_invalid(&["account"]);
    let reply =
        api.request(Method::GET, "/v1/account").token(&ours.token).header("x-account", theirs.id.to_string());
    assert_eq!(reply.await.expect(200)["name"], "Ours");
}
