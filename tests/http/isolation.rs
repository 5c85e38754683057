//! Isolation of accounts: an account cannot read or change another account's data, because its ids are not found.

use api::ProblemType;
use domain::ids::{AccountId, FormId, RejectionId};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use testkit::{Api, Reply, Request, Tenant, at};

use super::walk::Fixture;
use super::{START, column};
use crate::openapi::operations;

/// Returns everything that an account can read about itself.
async fn everything(api: &Api, account: &Tenant) -> Vec<Value> {
    let mut all = Vec::new();
    for path in [
        "/v1/account",
        "/v1/usage",
        "/v1/usage/statements",
        "/v1/usage/timeline",
        "/v1/events",
        "/v1/users",
        "/v1/tokens",
        "/v1/contacts",
        "/v1/forms",
        "/v1/segments",
        "/v1/bulk/jobs",
        "/v1/automations",
        "/v1/imports",
        "/v1/exports",
    ] {
        all.push(api.get(path).token(&account.token).await.expect(200));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn ids_of_another_account_are_not_found() {
    let (operations, _) = operations::api();
    let fixture = Fixture::start(Api::with_stream(at(START)).await).await;
    let api = &fixture.api;
    let ours = api.account(json!({})).await;
    let before = everything(api, &fixture.account).await;
    let ids =
        operations.iter().filter(|operation| operation.path.contains("{id}") && !operation.is_operators());
    let mut count = 0;
    for operation in ids {
        let body = fixture.body(operation);
        let reply = fixture.anonymous_request(operation, "", body.as_ref()).token(&ours.token).await;
        reply.problem(ProblemType::NotFound);
        count += 1;
    }
    assert_eq!(count, 35);
    assert_eq!(everything(api, &fixture.account).await, before);
    api.assert_exact(&fixture.account).await;
    assert_eq!(api.assert_exact(&ours).await["marketing"], 0);
}

#[tokio::test(start_paused = true)]
async fn addresses_and_cursors_of_another_account_find_nothing() {
    let api = Api::start(at(START)).await;
    let (ours, theirs) = (api.account(json!({})).await, api.account(json!({})).await);
    let mut ids = Vec::new();
    for address in ["ada@example.org", "bob@example.org"] {
        ids.push(api.contact(&theirs.token, json!({"email": address, "marketing": true})).await);
    }
    let before = everything(&api, &theirs).await;
    let path = "/v1/contacts/by-email/ada@example.org";
    api.get(path).token(&ours.token).await.problem(ProblemType::NotFound);
    let both = json!({"contacts": [{"email": "ada@example.org"}, {"id": ids[1]}]});
    for path in ["/v1/contacts/marketing", "/v1/contacts/non-marketing-pending"] {
        let answer = api.post(path).token(&ours.token).json(&both).await.expect(200);
        assert_eq!(column(&answer["results"], "outcome"), ["not_found", "not_found"]);
        assert_eq!(
            answer["results"],
            json!([{"email": "ada@example.org", "outcome": "not_found"},
                                             {"id": ids[1], "outcome": "not_found"}]),
            "a result repeats only the reference that the client sent"
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

    // The same address is a separate contact in each account.
    let own = api.put(path).token(&ours.token).json(&json!({"marketing": true})).await.expect(201);
    assert_ne!(own["id"], json!(ids[0]));
    assert_eq!(everything(&api, &theirs).await, before);
    assert_eq!(api.assert_exact(&ours).await["marketing"], 1);
    assert_eq!(api.assert_exact(&theirs).await["marketing"], 2);
}

#[tokio::test(start_paused = true)]
async fn only_the_operator_can_read_accounts() {
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
            reply.problem(ProblemType::PermissionDenied);
            assert!(!reply.text().contains("Theirs"), "{method} {path}");
        }
    }
    assert_eq!(everything(&api, &theirs).await, before);
}

#[tokio::test(start_paused = true)]
async fn account_is_identified_by_its_token_only() {
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

/// Ids of forms that a caller cannot use.
struct Forms {
    /// A native form of another account.
    native: String,
    /// A provider's form of another account.
    providers: String,
    /// A well-formed id of no form.
    unknown: String,
    malformed: &'static str,
}

impl Forms {
    async fn of(api: &Api, account: &Tenant) -> Self {
        let form = async |body: Value| {
            let form = api.post("/v1/forms").token(&account.token).json(&body).await.expect(201);
            form["id"].as_str().unwrap().to_owned()
        };
        let secrets = json!(["the-secret-of-this-form"]);
        Self {
            native: form(json!({"name": "Native", "allowed_origins": ["https://example.org"]})).await,
            providers: form(json!({"name": "Hook", "provider": "generic", "secrets": secrets})).await,
            unknown: FormId::new(at(START), 7).to_string(),
            malformed: "frm_1",
        }
    }
}

/// Returns the complete response without the id of its request.
fn comparable(reply: &Reply) -> (u16, HeaderMap, Value) {
    let mut body = reply.json();
    for name in ["instance", "correlationId"] {
        body.as_object_mut().unwrap().remove(name);
    }
    (reply.status, reply.headers.clone(), body)
}

/// Asserts that all requests receive the same response, with this status.
async fn assert_alike(status: u16, requests: Vec<Request<'_>>) {
    let mut answers = Vec::new();
    for request in requests {
        let reply = request.await;
        assert_eq!(reply.status, status, "{}", reply.text());
        answers.push(comparable(&reply));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
}

#[tokio::test(start_paused = true)]
async fn account_cannot_tell_foreign_from_unknown_forms() {
    let api = Api::start(at(START)).await;
    let (ours, theirs) = (api.account(json!({})).await, api.account(json!({})).await);
    let forms = Forms::of(&api, &theirs).await;
    let hook = format!("/v1/hooks/{}?secret=the-secret-of-this-form", forms.providers);
    let _ = api.post(&hook).json(&json!({"nothing": "of use"})).await.expect(200);
    let path = format!("/v1/forms/{}/rejected", forms.providers);
    let rejected = api.get(&path).token(&theirs.token).await.expect(200);
    let rejection = rejected["results"][0]["id"].as_str().unwrap();

    let ids = [&*forms.native, &*forms.providers, &*forms.unknown, forms.malformed];
    let unknown_rejection = RejectionId::new(at(START), 7).to_string();
    for (method, rest, body) in [
        (Method::GET, String::new(), None),
        (Method::PATCH, String::new(), Some(json!({"name": "Ours"}))),
        (Method::DELETE, String::new(), None),
        (Method::GET, "/rejected".to_owned(), None),
        (Method::POST, format!("/rejected/{rejection}/retry"), None),
        (Method::DELETE, format!("/rejected/{rejection}"), None),
        (Method::POST, format!("/rejected/{unknown_rejection}/retry"), None),
        (Method::DELETE, "/rejected/rej_1".to_owned(), None),
    ] {
        let request = |id: &&str| {
            let request = api.request(method.clone(), &format!("/v1/forms/{id}{rest}")).token(&ours.token);
            body.iter().fold(request, testkit::Request::json)
        };
        assert_alike(404, ids.iter().map(request).collect()).await;
    }
    assert_eq!(api.get(&path).token(&theirs.token).await.expect(200), rejected);
}

#[tokio::test(start_paused = true)]
async fn public_cannot_tell_unusable_from_unknown_forms() {
    let api = Api::start(at(START)).await;
    let account = api.account(json!({})).await;
    let forms = Forms::of(&api, &account).await;
    let body = json!({"fields": {"email": "ada@example.org"}});
    let ids = [&*forms.providers, &*forms.unknown, forms.malformed];
    for method in [Method::POST, Method::OPTIONS] {
        let request = |id: &&str| {
            let request = api.request(method.clone(), &format!("/v1/forms/{id}/submissions"));
            request.header("origin", "https://example.com").json(&body)
        };
        assert_alike(404, ids.iter().map(request).collect()).await;
    }
    let ids = [&*forms.native, &*forms.unknown, forms.malformed];
    let request = |id: &&str| api.post(&format!("/v1/hooks/{id}?secret=the-secret-of-this-form")).json(&body);
    assert_alike(404, ids.iter().map(request).collect()).await;
}

#[tokio::test(start_paused = true)]
async fn hubspot_endpoint_hides_foreign_and_unknown_forms() {
    let api = Api::start(at(START)).await;
    let (ours, theirs) = (api.account(json!({})).await, api.account(json!({})).await);
    let forms = Forms::of(&api, &theirs).await;
    let (our_portal, their_portal) = (ours.id.to_string(), theirs.id.to_string());
    let unknown_portal = AccountId::new(at(START), 7).to_string();
    let body = json!({"fields": [{"name": "email", "value": "ada@example.org"}]});
    let open = |method: Method, portal: &str, form: &str| {
        let request = api.request(method, &format!("/submissions/v3/integration/submit/{portal}/{form}"));
        request.header("origin", "https://example.com").json(&body)
    };
    for method in [Method::POST, Method::OPTIONS] {
        let mut requests = vec![open(method.clone(), &their_portal, &forms.providers)];
        for form in [&*forms.unknown, forms.malformed] {
            requests.push(open(method.clone(), &their_portal, form));
        }
        for portal in [&*our_portal, &*unknown_portal, "1"] {
            for form in [&*forms.native, &*forms.providers, &*forms.unknown, forms.malformed] {
                requests.push(open(method.clone(), portal, form));
            }
        }
        assert_alike(404, requests).await;
    }
    // Another account's portal is refused before its forms are looked up.
    for (portal, status) in [(&*our_portal, 404), (&*their_portal, 403), (&*unknown_portal, 403), ("1", 403)]
    {
        let secure = |form: &&str| {
            let path = format!("/submissions/v3/integration/secure/submit/{portal}/{form}");
            api.post(&path).token(&ours.token).json(&body)
        };
        let ids = [&*forms.native, &*forms.providers, &*forms.unknown, forms.malformed];
        assert_alike(status, ids.iter().map(secure).collect()).await;
    }
}
