//! The operations that each caller may use (the domain's `README.md`, Permissions).

use std::collections::BTreeMap;

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{Api, OPERATOR_TOKEN, Tenant, at};

use super::walk::Fixture;
use super::{START, one_account};
use crate::openapi::operations;

/// The callers that may use an operation.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Access {
    /// Every caller, with or without a token.
    Public,
    /// The operator only.
    Operator,
    /// Every caller with a token of the account.
    Account,
    /// The admins of the account.
    Admins,
    /// Callers with the permission `modify_marketing_contacts`.
    Editors,
}

/// A kind of caller.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Caller {
    Anonymous,
    UnknownToken,
    Operator,
    Admin,
    AdminWithoutPermission,
    Member,
    MemberWithoutPermission,
    Integration,
    IntegrationWithPermission,
}

const CALLERS: [Caller; 9] = [
    Caller::Anonymous,
    Caller::UnknownToken,
    Caller::Operator,
    Caller::Admin,
    Caller::AdminWithoutPermission,
    Caller::Member,
    Caller::MemberWithoutPermission,
    Caller::Integration,
    Caller::IntegrationWithPermission,
];

impl Access {
    /// Returns the problem that the caller receives, or `None` if the caller may use the operation.
    fn refusal(self, caller: Caller) -> Option<ProblemType> {
        let denied = |is_denied: bool| is_denied.then_some(ProblemType::PermissionDenied);
        match (self, caller) {
            (Self::Public, _) => None,
            (_, Caller::Anonymous | Caller::UnknownToken) => Some(ProblemType::Unauthenticated),
            (Self::Operator, _) => denied(caller != Caller::Operator),
            (_, Caller::Operator) => Some(ProblemType::PermissionDenied),
            (Self::Account, _) => None,
            (Self::Admins, _) => denied(!matches!(caller, Caller::Admin | Caller::AdminWithoutPermission)),
            (Self::Editors, _) => {
                denied(!matches!(caller, Caller::Admin | Caller::Member | Caller::IntegrationWithPermission))
            }
        }
    }
}

fn table() -> BTreeMap<(&'static str, &'static str), Access> {
    use Access::{Account, Admins, Editors, Operator, Public};
    BTreeMap::from([
        (("POST", "/v1/accounts"), Operator),
        (("GET", "/v1/accounts"), Operator),
        (("GET", "/v1/accounts/{id}"), Operator),
        (("PATCH", "/v1/accounts/{id}"), Operator),
        (("POST", "/v1/accounts/{id}/tokens"), Operator),
        (("GET", "/v1/account"), Account),
        (("PATCH", "/v1/account"), Admins),
        (("POST", "/v1/account/test-clock"), Admins),
        (("GET", "/v1/usage"), Account),
        (("GET", "/v1/usage/statements"), Account),
        (("GET", "/v1/usage/timeline"), Account),
        (("GET", "/v1/usage/forecast"), Account),
        (("GET", "/v1/events"), Account),
        (("POST", "/v1/users"), Admins),
        (("GET", "/v1/users"), Admins),
        (("PATCH", "/v1/users/{id}"), Admins),
        (("POST", "/v1/tokens"), Admins),
        (("GET", "/v1/tokens"), Admins),
        (("DELETE", "/v1/tokens/{id}"), Admins),
        (("POST", "/v1/contacts"), Account),
        (("GET", "/v1/contacts"), Account),
        (("PUT", "/v1/contacts/by-email/{email}"), Account),
        (("GET", "/v1/contacts/by-email/{email}"), Account),
        (("GET", "/v1/contacts/{id}"), Account),
        (("PATCH", "/v1/contacts/{id}"), Account),
        (("DELETE", "/v1/contacts/{id}"), Account),
        (("GET", "/v1/contacts/{id}/marketing"), Account),
        (("GET", "/v1/contacts/{id}/properties/history"), Account),
        (("POST", "/v1/contacts/{id}/properties/undo"), Account),
        (("POST", "/v1/contacts/search"), Account),
        (("POST", "/v1/contacts/marketing"), Editors),
        (("POST", "/v1/contacts/non-marketing-pending"), Editors),
        (("POST", "/v1/eligibility"), Account),
        (("POST", "/v1/segments"), Account),
        (("GET", "/v1/segments"), Account),
        (("GET", "/v1/segments/{id}"), Account),
        (("PATCH", "/v1/segments/{id}"), Account),
        (("DELETE", "/v1/segments/{id}"), Account),
        (("POST", "/v1/segments/{id}/members"), Account),
        (("GET", "/v1/segments/{id}/contacts"), Account),
        (("POST", "/v1/bulk/preview"), Account),
        (("POST", "/v1/review"), Account),
        (("POST", "/v1/bulk/jobs"), Editors),
        (("GET", "/v1/bulk/jobs"), Account),
        (("GET", "/v1/bulk/jobs/{id}"), Account),
        (("POST", "/v1/bulk/jobs/{id}/cancel"), Editors),
        (("POST", "/v1/automations"), Editors),
        (("GET", "/v1/automations"), Account),
        (("GET", "/v1/automations/{id}"), Account),
        (("PATCH", "/v1/automations/{id}"), Editors),
        (("DELETE", "/v1/automations/{id}"), Editors),
        (("POST", "/v1/automations/{id}/resume"), Editors),
        (("POST", "/v1/automations/{id}/test"), Account),
        (("GET", "/v1/automations/{id}/runs"), Account),
        // Only an import that sets contacts marketing needs the permission.
        (("POST", "/v1/imports"), Account),
        (("GET", "/v1/imports"), Account),
        (("GET", "/v1/imports/{id}"), Account),
        (("PATCH", "/v1/imports/{id}"), Account),
        (("POST", "/v1/imports/{id}/start"), Account),
        (("POST", "/v1/imports/{id}/cancel"), Account),
        (("GET", "/v1/imports/{id}/preview"), Account),
        (("GET", "/v1/imports/{id}/rows.csv"), Account),
        (("POST", "/v1/exports"), Account),
        (("GET", "/v1/exports"), Account),
        (("GET", "/v1/exports/{id}"), Account),
        (("POST", "/v1/exports/{id}/cancel"), Account),
        (("GET", "/v1/usage/statements.csv"), Account),
        (("GET", "/v1/usage/statements/{number}/contacts.csv"), Account),
        (("POST", "/v1/forms"), Account),
        (("GET", "/v1/forms"), Account),
        (("GET", "/v1/forms/{id}"), Account),
        (("PATCH", "/v1/forms/{id}"), Account),
        (("DELETE", "/v1/forms/{id}"), Account),
        (("POST", "/v1/forms/{form_id}/submissions"), Public),
        (("OPTIONS", "/v1/forms/{form_id}/submissions"), Public),
        (("GET", "/v1/forms/{id}/rejected"), Account),
        (("POST", "/v1/forms/{id}/rejected/{rejection_id}/retry"), Account),
        (("DELETE", "/v1/forms/{id}/rejected/{rejection_id}"), Account),
        // A hook is authenticated by the provider's signature, which the fixture adds.
        (("POST", "/v1/hooks/{form_id}"), Public),
        (("POST", "/submissions/v3/integration/submit/{portal_id}/{form_guid}"), Public),
        (("OPTIONS", "/submissions/v3/integration/submit/{portal_id}/{form_guid}"), Public),
        (("POST", "/submissions/v3/integration/secure/submit/{portal_id}/{form_guid}"), Account),
        (("GET", "/v1/openapi.json"), Public),
    ])
}

async fn token(api: &Api, account: &Tenant, caller: Caller) -> Option<String> {
    let without = json!({"modify_marketing_contacts": false});
    let user = async |mut settings: Value, role: &str| {
        settings["role"] = json!(role);
        Some(api.user(account, settings).await.token)
    };
    let integration = async |settings: Value| Some(api.integration(account, settings).await.token);
    match caller {
        Caller::Anonymous => None,
        Caller::UnknownToken => Some("tmk_unknown-to-every-account".to_owned()),
        Caller::Operator => Some(OPERATOR_TOKEN.to_owned()),
        Caller::Admin => user(json!({}), "admin").await,
        Caller::AdminWithoutPermission => user(without, "admin").await,
        Caller::Member => user(json!({}), "member").await,
        Caller::MemberWithoutPermission => user(without, "member").await,
        // Without `set_marketing`: this caller could not delete a marketing contact that it had created.
        Caller::Integration => integration(json!({})).await,
        Caller::IntegrationWithPermission => integration(json!({"modify_marketing_contacts": true})).await,
    }
}

#[tokio::test(start_paused = true)]
async fn every_operation_enforces_its_permission() {
    let (operations, _) = operations::every();
    let table = table();
    assert_eq!(operations.len(), table.len());
    let fixture = Fixture::start(Api::with_stream(at(START)).await).await;
    for caller in CALLERS {
        let token = token(&fixture.api, &fixture.account, caller).await;
        for operation in &operations {
            let access = table[&(operation.method.as_str(), &*operation.path)];
            assert_eq!(operation.is_public(), access == Access::Public, "{operation}");
            assert_eq!(operation.is_operators(), access == Access::Operator, "{operation}");
            let body = operation.body().map(|_| json!({}));
            let mut request = fixture.anonymous_request(operation, "", body.as_ref());
            if let Some(token) = &token {
                request = request.token(token);
            }
            let reply = request.await;
            match access.refusal(caller) {
                Some(problem_type) if operation.is_in_others_words() => {
                    assert_eq!(reply.status, problem_type.status().as_u16(), "{operation} {caller:?}");
                }
                Some(problem_type) => {
                    let problem = reply.problem(problem_type);
                    assert_eq!(problem["status"], reply.status, "{operation} {caller:?}");
                }
                None => {
                    assert!(![401, 403].contains(&reply.status), "{operation} {caller:?} {}", reply.text());
                }
            }
        }
    }
    fixture.api.assert_exact(&fixture.account).await;
}

#[tokio::test(start_paused = true)]
async fn caller_without_permission_cannot_set_marketing() {
    let (api, account) = one_account(json!({})).await;
    let marketing = api.contact(&account.token, json!({"email": "in@example.org", "marketing": true})).await;
    let free = api.contact(&account.token, json!({"email": "out@example.org"})).await;
    let member = api.user(&account, json!({"modify_marketing_contacts": false})).await;
    let integration = api.integration(&account, json!({})).await;
    let before = api.get("/v1/contacts").token(&account.token).await.expect(200);

    for token in [&member.token, &integration.token] {
        let body = json!({"contacts": [{"id": free}, {"id": marketing}]});
        api.post("/v1/contacts/marketing")
            .token(token)
            .json(&body)
            .await
            .problem(ProblemType::PermissionDenied);
        api.post("/v1/contacts/non-marketing-pending")
            .token(token)
            .json(&body)
            .await
            .problem(ProblemType::PermissionDenied);
        let body = json!({"contacts": [{"id": free}], "dry_run": true});
        api.post("/v1/contacts/marketing")
            .token(token)
            .json(&body)
            .await
            .problem(ProblemType::PermissionDenied);
        let body = json!({"marketing": true, "source": {"type": "manual", "name": "By hand"}});
        api.post("/v1/contacts").token(token).json(&body).await.problem(ProblemType::PermissionDenied);
        let path = "/v1/contacts/by-email/out@example.org";
        api.put(path).token(token).json(&body).await.problem(ProblemType::PermissionDenied);
        api.post("/v1/forms")
            .token(token)
            .json(&json!({"name": "Mine"}))
            .await
            .problem(ProblemType::PermissionDenied);
    }
    assert_eq!(api.get("/v1/contacts").token(&account.token).await.expect(200), before);
    let forms = api.get("/v1/forms").token(&account.token).await.expect(200);
    assert_eq!(forms, json!({"results": []}));
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);

    // Changes that set no marketing status are allowed.
    for token in [&member.token, &integration.token] {
        let contact = api.post("/v1/contacts").token(token).json(&json!({})).await.expect(201);
        assert_eq!(contact["marketing"]["state"], "non_marketing");
        let body = json!({"name": "Mine", "set_marketing": false});
        let form = api.post("/v1/forms").token(token).json(&body).await.expect(201);
        let path = format!("/v1/forms/{}", form["id"].as_str().unwrap());
        let on = json!({"set_marketing": true});
        api.patch(&path).token(token).json(&on).await.problem(ProblemType::PermissionDenied);
        assert_eq!(api.patch(&path).token(token).json(&json!({"name": "Ours"})).await.status, 200);
        assert_eq!(api.patch(&path).token(&account.token).json(&on).await.status, 200);
    }
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn deleting_a_marketing_contact_requires_the_permission() {
    let (api, account) = one_account(json!({})).await;
    let member = api.user(&account, json!({"modify_marketing_contacts": false})).await;
    let integration = api.integration(&account, json!({})).await;
    let shop = api.integration(&account, json!({"modify_marketing_contacts": true})).await;
    let marketing = async || api.contact(&account.token, json!({"marketing": true})).await;
    let staying = marketing().await;
    let before = api.get("/v1/contacts").token(&account.token).await.expect(200);
    for token in [&member.token, &integration.token] {
        for query in ["", "?erase=true", "?erase=false"] {
            let path = format!("/v1/contacts/{staying}{query}");
            let problem = api.delete(&path).token(token).await.problem(ProblemType::PermissionDenied);
            assert!(problem["detail"].as_str().unwrap().contains("modify_marketing_contacts"));
        }
    }
    assert_eq!(api.get("/v1/contacts").token(&account.token).await.expect(200), before);
    assert_eq!(api.assert_exact(&account).await["leaving"], 0);

    // A deletion that does not lower the usage requires no permission.
    for token in [&member.token, &integration.token] {
        for query in ["", "?erase=true"] {
            let free = api.contact(&account.token, json!({})).await;
            let _ = api.delete(&format!("/v1/contacts/{free}{query}")).token(token).await.expect(204);
            let leaving = marketing().await;
            let _ = api.queue(&account.token, &[&leaving]).await;
            let _ = api.delete(&format!("/v1/contacts/{leaving}{query}")).token(token).await.expect(204);
        }
        let unit = marketing().await;
        let path = format!("/v1/contacts/{unit}");
        let _ = api.delete(&path).token(&account.token).await.expect(204);
        let _ = api.delete(&format!("{path}?erase=true")).token(token).await.expect(204);
    }
    for token in [&account.token, &shop.token] {
        let _ = api.delete(&format!("/v1/contacts/{}", marketing().await)).token(token).await.expect(204);
    }
    api.assert_exact(&account).await;
}

#[tokio::test(start_paused = true)]
async fn revoked_permission_ends_with_the_next_request() {
    let (api, account) = one_account(json!({})).await;
    let member = api.user(&account, json!({})).await;
    let id = api.contact(&member.token, json!({"marketing": true})).await;
    let path = format!("/v1/users/{}", member.id);
    let revoke = json!({"modify_marketing_contacts": false});
    let _ = api.patch(&path).token(&account.token).json(&revoke).await.expect(200);
    let body = json!({"contacts": [{"id": id}]});
    api.post("/v1/contacts/non-marketing-pending")
        .token(&member.token)
        .json(&body)
        .await
        .problem(ProblemType::PermissionDenied);
    // A user cannot restore their own permission.
    let grant = json!({"modify_marketing_contacts": true, "role": "admin"});
    api.patch(&path).token(&member.token).json(&grant).await.problem(ProblemType::PermissionDenied);
    let usage = api.assert_exact(&account).await;
    assert_eq!((&usage["marketing"], &usage["leaving"]), (&json!(1), &json!(0)));
    let _ = api.patch(&path).token(&account.token).json(&grant).await.expect(200);
    assert_eq!(api.get("/v1/users").token(&member.token).await.status, 200);
    assert_eq!(api.queue(&member.token, &[&id]).await["results"][0]["outcome"], "queued");
    assert_eq!(api.assert_exact(&account).await["leaving"], 1);
}

#[tokio::test(start_paused = true)]
async fn forms_and_integrations_act_under_their_own_setting() {
    let (api, account) = one_account(json!({})).await;
    let body = json!({"name": "Newsletter", "answer": "full"});
    let form = api.post("/v1/forms").token(&account.token).json(&body).await.expect(201);
    let path = format!("/v1/forms/{}/submissions", form["id"].as_str().unwrap());
    let shop = api.integration(&account, json!({"set_marketing": true})).await;
    // Revoking every user's permission affects neither the form nor the integration.
    let users = api.get("/v1/users").token(&account.token).await.expect(200);
    let admin = format!("/v1/users/{}", users["results"][0]["id"].as_str().unwrap());
    let revoke = json!({"modify_marketing_contacts": false});
    let _ = api.patch(&admin).token(&account.token).json(&revoke).await.expect(200);
    let body = json!({"fields": {"email": "ada@example.org"}});
    assert_eq!(api.post(&path).json(&body).await.expect(200)["marketing"], "set");
    let contact = api.post("/v1/contacts").token(&shop.token).json(&json!({})).await.expect(201);
    assert_eq!(contact["marketing"]["state"], "marketing");
    assert_eq!(api.assert_exact(&account).await["marketing"], 2);
}
