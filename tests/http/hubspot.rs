//! `HubSpot`'s form endpoint: `/submissions/v3/integration/submit/…` and
//! `/submissions/v3/integration/secure/submit/…`.

use domain::limits::{BODY_BYTES_MAX, PUBLIC_BODY_BYTES_MAX};
use http::Method;
use serde_json::{Value, json};
use testkit::{Api, Reply, Tenant};

use super::one_account;

/// Returns the example request of `HubSpot`'s documentation, with another contact.
fn documented() -> Value {
    json!({
        "submittedAt": "1517927174000",
        "fields": [
            {"objectTypeId": "0-1", "name": "email", "value": "Ada@Example.org"},
            {"objectTypeId": "0-1", "name": "firstname", "value": "Ada"},
            {"objectTypeId": "0-2", "name": "name", "value": "Example Ltd"},
        ],
        "context": {"hutk": "a1b2c3", "pageUri": "https://www.example.org/page", "pageName": "A page"},
        "legalConsentOptions": {"consent": {
            "consentToProcess": true, "text": "I agree.",
            "communications": [{"value": true, "subscriptionTypeId": 999, "text": "I agree."}],
        }},
    })
}

fn fields_with(address: &str) -> Value {
    json!({"fields": [{"name": "email", "value": address}]})
}

/// Creates a form and returns its id.
async fn form(api: &Api, account: &Tenant, settings: Value) -> String {
    let mut body = json!({"name": "Newsletter"});
    body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let form = api.post("/v1/forms").token(&account.token).json(&body).await.expect(201);
    form["id"].as_str().unwrap().to_owned()
}

fn open_path(account: &Tenant, form: &str) -> String {
    format!("/submissions/v3/integration/submit/{}/{form}", account.id)
}

fn secure_path(account: &Tenant, form: &str) -> String {
    format!("/submissions/v3/integration/secure/submit/{}/{form}", account.id)
}

/// Returns the portal number and the GUID by which HubSpot's clients identify the account and the form.
async fn portal_and_guid(api: &Api, account: &Tenant, form: &str) -> (String, String) {
    let read = async |path: &str| api.get(path).token(&account.token).await.expect(200);
    let (account, form) = (read("/v1/account").await, read(&format!("/v1/forms/{form}")).await);
    (account["portal_id"].to_string(), form["guid"].as_str().unwrap().to_owned())
}

/// Asserts that the error document is complete and returns the types of its errors.
#[track_caller]
fn refused(reply: &Reply, status: u16) -> Vec<String> {
    let document = reply.expect(status);
    assert_eq!(document["status"], "error", "{document}");
    assert!(document["message"].as_str().is_some_and(|message| message.len() > 3), "{document}");
    assert!(document["correlationId"].as_str().is_some_and(|id| id.len() == 32), "{document}");
    let errors = document["errors"].as_array().into_iter().flatten();
    let kind = |error: &Value| {
        assert!(
            error["message"].as_str().is_some_and(|message| message.starts_with("Error in '")),
            "{document}"
        );
        error["errorType"].as_str().unwrap().to_owned()
    };
    errors.map(kind).collect()
}

#[tokio::test(start_paused = true)]
async fn hubspot_site_code_works_with_another_host() {
    let (api, account) = one_account(json!({})).await;
    let form =
        form(&api, &account, json!({"field_map": {"page_url": "first_page", "submitted_at": "sent"}})).await;
    let path = open_path(&account, &form);
    let reply = api.post(&path).json(&documented()).header("origin", "https://www.example.org").await;
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert_eq!(reply.expect(200), json!({"inlineMessage": "Thanks for submitting the form."}));
    let ada = api.get("/v1/contacts/by-email/ada@example.org").token(&account.token).await.expect(200);
    assert_eq!(
        ada["properties"],
        json!({"firstname": "Ada", "first_page": "https://www.example.org/page", "sent": "2018-02-06T14:26:14.000Z"})
    );
    assert_eq!(
        (&ada["marketing"]["state"], &ada["marketing"]["source"]["id"]),
        (&json!("marketing"), &json!(form))
    );
    let reply = api.post(&path).json(&documented()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn form_with_a_redirect_returns_the_redirect_uri() {
    let (api, account) = one_account(json!({})).await;
    let form = form(&api, &account, json!({"redirect_url": "https://example.org/thanks"})).await;
    let reply = api.post(&open_path(&account, &form)).json(&fields_with("ada@example.org")).await;
    assert_eq!(reply.expect(200), json!({"redirectUri": "https://example.org/thanks"}));
}

#[tokio::test(start_paused = true)]
async fn invalid_submission_returns_hubspot_error_types() {
    let (api, account) = one_account(json!({})).await;
    let form = form(&api, &account, json!({})).await;
    let path = open_path(&account, &form);
    let field = |name: &str, value: String| json!({"name": name, "value": value});
    let email = || field("email", "ada@example.org".to_owned());
    let many: Vec<Value> = (0..201).map(|number| field(&format!("f{number}"), "a".to_owned())).collect();
    let with = |fields: Vec<Value>| [vec![email()], fields].concat();
    for (body, expected) in [
        (fields_with("ada"), "INVALID_EMAIL"),
        (fields_with(""), "REQUIRED_FIELD"),
        (json!({"fields": []}), "REQUIRED_FIELD"),
        (json!({"fields": [field("firstname", "Ada".to_owned())]}), "REQUIRED_FIELD"),
        (json!({"fields": with(many)}), "MAX_NUMBER_OF_SUBMITTED_VALUES_EXCEEDED"),
    ] {
        let reply = api.post(&path).json(&body).await;
        assert_eq!(refused(&reply, 400), [expected], "{}", reply.text());
        assert_eq!(reply.json()["message"], "The request is not valid");
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "a page's script may read it");
    }
    for (media_type, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "", 400),
        ("application/json", "[]", 400),
        ("application/json", "{\"fields\": {\"email\": \"ada@example.org\"}}", 400),
        ("application/x-www-form-urlencoded", "email=ada%40example.org", 415),
    ] {
        let reply = api.post(&path).body(media_type, body).await;
        assert_eq!(refused(&reply, status), [""; 0], "{body}");
        assert!(!reply.text().contains("ada"), "the response repeats the submission: {}", reply.text());
    }
    let reply = api.post(&path).body("application/json", vec![b' '; PUBLIC_BODY_BYTES_MAX + 1]).await;
    assert_eq!(refused(&reply, 413), [""; 0]);
    let reply = api.post(&secure_path(&account, &form)).token(&account.token);
    let reply = reply.body("application/json", vec![b' '; BODY_BYTES_MAX + 1]).await;
    assert_eq!(refused(&reply, 413), [""; 0], "servers may send more than pages");
    let scan = testkit::scan(&api.table.client, account.id).await;
    assert_eq!(scan.contacts, 0);
}

#[tokio::test(start_paused = true)]
async fn only_own_native_forms_are_found() {
    let (api, account) = one_account(json!({})).await;
    let other = api.account(json!({})).await;
    let native = form(&api, &account, json!({})).await;
    let provided = json!({"provider": "typeform", "secrets": ["a-secret-of-typeforms"]});
    let provided = form(&api, &account, provided).await;
    for path in [
        open_path(&other, &native),
        open_path(&account, &provided),
        open_path(&account, "frm_00000000000000000000000000"),
        open_path(&account, "94e05eab-1373-47f7-ab5e-d84f9e6aa262"),
        format!("/submissions/v3/integration/submit/244637579/{native}"),
    ] {
        let reply = api.post(&path).json(&fields_with("ada@example.org")).await;
        assert_eq!(refused(&reply, 404), [""; 0], "{path}");
        assert_eq!(refused(&api.request(Method::OPTIONS, &path).await, 404), [""; 0], "{path}");
    }
    let path = secure_path(&account, &provided);
    let reply = api.post(&path).token(&account.token).json(&fields_with("ada@example.org")).await;
    assert_eq!(refused(&reply, 404), [""; 0], "a provider's form accepts only signed hooks");
    assert_eq!(testkit::scan(&api.table.client, account.id).await.contacts, 0);
}

#[tokio::test(start_paused = true)]
async fn secure_endpoint_requires_a_token_of_the_account() {
    let (api, account) = one_account(json!({})).await;
    let other = api.account(json!({})).await;
    let shop = api.integration(&account, json!({})).await;
    let form = form(&api, &account, json!({"allowed_origins": ["https://example.org"]})).await;
    let path = secure_path(&account, &form);
    let body = fields_with("ada@example.org");
    assert_eq!(refused(&api.post(&path).json(&body).await, 401), [""; 0]);
    assert_eq!(refused(&api.post(&path).token("tmk_nobodys").json(&body).await, 401), [""; 0]);
    assert_eq!(refused(&api.post(&path).token(testkit::OPERATOR_TOKEN).json(&body).await, 403), [""; 0]);
    assert_eq!(refused(&api.post(&path).token(&other.token).json(&body).await, 403), [""; 0]);
    let theirs = secure_path(&other, &form);
    assert_eq!(refused(&api.post(&theirs).token(&other.token).json(&body).await, 404), [""; 0]);
    assert_eq!(testkit::scan(&api.table.client, account.id).await.contacts, 0);

    for token in [&account.token, &shop.token] {
        let reply = api.post(&path).token(token).json(&body).await;
        assert_eq!(reply.expect(200), json!({"inlineMessage": "Thanks for submitting the form."}));
        assert_eq!(reply.header("access-control-allow-origin"), None, "the secure endpoint is not for pages");
    }
    assert_eq!(api.assert_exact(&account).await["marketing"], 1);
}

#[tokio::test(start_paused = true)]
async fn form_accepts_pages_of_allowed_origins_only() {
    let (api, account) = one_account(json!({})).await;
    let form = form(&api, &account, json!({"allowed_origins": ["https://example.org"]})).await;
    let path = open_path(&account, &form);
    let preflight = api.request(Method::OPTIONS, &path).header("origin", "https://example.org").await;
    assert_eq!((preflight.status, preflight.text()), (204, ""));
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://example.org"));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("POST"));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("content-type"));
    let body = fields_with("ada@example.org");
    let strange = api.post(&path).json(&body).header("origin", "https://evil.example").await;
    assert_eq!(refused(&strange, 403), [""; 0]);
    assert_eq!(strange.header("access-control-allow-origin"), None);
    assert_eq!(testkit::scan(&api.table.client, account.id).await.contacts, 0);
    let listed = api.post(&path).json(&body).header("origin", "https://example.org").await;
    assert_eq!(
        (listed.status, listed.header("access-control-allow-origin")),
        (200, Some("https://example.org"))
    );
}

#[tokio::test(start_paused = true)]
async fn submission_over_the_cap_is_stored_as_non_marketing() {
    let (api, account) = one_account(json!({"cap": 0})).await;
    let form = form(&api, &account, json!({})).await;
    let reply = api.post(&open_path(&account, &form)).json(&fields_with("ada@example.org")).await;
    assert_eq!(reply.expect(200), json!({"inlineMessage": "Thanks for submitting the form."}));
    let ada = api.get("/v1/contacts/by-email/ada@example.org").token(&account.token).await.expect(200);
    assert_eq!(ada["marketing"]["state"], "non_marketing");
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}

#[tokio::test(start_paused = true)]
async fn portal_number_and_guid_identify_the_form() {
    let (api, account) = one_account(json!({})).await;
    let form = form(&api, &account, json!({})).await;
    let (portal, guid) = portal_and_guid(&api, &account, &form).await;
    let id = account.id.to_string();
    let names = [(&portal, &guid), (&portal, &form), (&id, &guid), (&portal, &guid.to_uppercase())];
    for (n, (portal, form)) in names.into_iter().enumerate() {
        let path = format!("/submissions/v3/integration/submit/{portal}/{form}");
        let open = api.post(&path).json(&fields_with(&format!("person{n}@example.org"))).await;
        assert_eq!(open.status, 200);
        let path = format!("/submissions/v3/integration/secure/submit/{portal}/{form}");
        let secure =
            api.post(&path).token(&account.token).json(&fields_with(&format!("person{n}@example.org"))).await;
        assert_eq!(secure.status, 200);
    }
    assert_eq!(api.get("/v1/usage").token(&account.token).await.expect(200)["marketing"], 4);
}

#[tokio::test(start_paused = true)]
async fn portal_number_of_another_account_finds_no_form() {
    let (api, account) = one_account(json!({})).await;
    let other = api.account(json!({"name": "Other", "term": "annual", "renewal_date": "2027-06-15"})).await;
    let mine = form(&api, &account, json!({})).await;
    let others = form(&api, &other, json!({})).await;
    let (my_portal, my_guid) = portal_and_guid(&api, &account, &mine).await;
    let (others_portal, others_guid) = portal_and_guid(&api, &other, &others).await;
    for (portal, guid) in
        [(&my_portal, &others_guid), (&others_portal, &my_guid), (&others_portal, &others_guid)]
    {
        let path = format!("/submissions/v3/integration/secure/submit/{portal}/{guid}");
        let reply = api.post(&path).token(&account.token).json(&fields_with("ada@example.org")).await;
        assert_eq!(refused(&reply, 404), [""; 0], "{path}");
    }
    let crossed = format!("/submissions/v3/integration/submit/{my_portal}/{others_guid}");
    refused(&api.post(&crossed).json(&fields_with("ada@example.org")).await, 404);
    for tenant in [&account, &other] {
        assert_eq!(api.get("/v1/usage").token(&tenant.token).await.expect(200)["marketing"], 0);
    }
}
