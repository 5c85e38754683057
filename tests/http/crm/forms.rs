//! Native forms in `HubSpot`'s format.

use serde_json::{Value, json};
use testkit::{Api, Tenant};

use super::super::{column, one_account};
use super::{answer, refusal, tick};

/// The members that clients require of every form.
const REQUIRED: [&str; 10] = [
    "formType",
    "id",
    "name",
    "createdAt",
    "updatedAt",
    "archived",
    "fieldGroups",
    "configuration",
    "displayOptions",
    "legalConsentOptions",
];

fn newsletter() -> Value {
    json!({
        "formType": "hubspot", "name": "Newsletter", "archived": false,
        "fieldGroups": [{"groupType": "default_group", "richTextType": "text", "fields": [
            {"objectTypeId": "0-1", "name": "email", "label": "Address", "required": true, "fieldType": "email"},
            {"objectTypeId": "0-1", "name": "city", "label": "City", "fieldType": "single_line_text"},
        ]}],
        "configuration": {
            "language": "de", "postSubmitAction": {"type": "redirect_url", "value": "https://example.org/thanks"},
        },
        "legalConsentOptions": {"type": "implicit_consent_to_process", "privacyText": "See our policy."},
    })
}

async fn create(api: &Api, account: &Tenant, body: &Value) -> Value {
    tick(api);
    answer(&api.post("/marketing/v3/forms/").token(&account.token).json(body).await, 201)
}

#[tokio::test(start_paused = true)]
async fn form_is_created_changed_and_archived() {
    let (api, account) = one_account(json!({})).await;
    let created = create(&api, &account, &newsletter()).await;
    for name in REQUIRED {
        assert!(!created[name].is_null(), "{name}");
    }
    let fields = &created["fieldGroups"][0]["fields"];
    assert_eq!(column(fields, "label"), ["Address", "City"]);
    assert_eq!((&fields[1]["required"], &fields[1]["dependentFields"]), (&json!(false), &json!([])));
    assert_eq!(created["legalConsentOptions"]["privacyText"], "See our policy.");
    let path = format!("/marketing/v3/forms/{}", created["id"].as_str().unwrap());
    assert_eq!(answer(&api.get(&path).token(&account.token).await, 200), created);
    let own = api.get("/v1/forms").token(&account.token).await.expect(200);
    let own = &own["results"][0];
    assert_eq!(own["redirect_url"], "https://example.org/thanks");
    assert_eq!((&own["fields"], &own["set_marketing"]), (&json!(["city", "email"]), &json!(true)));
    let body = json!({"name": "News", "displayOptions": {"submitButtonText": "Go"}});
    let patched = answer(&api.patch(&path).token(&account.token).json(&body).await, 200);
    assert_eq!((&patched["name"], &patched["fieldGroups"]), (&json!("News"), &created["fieldGroups"]));
    assert_eq!(patched["displayOptions"]["submitButtonText"], "Go");
    assert_eq!(patched["configuration"], created["configuration"]);
    let thanks =
        json!({"name": "Plain", "configuration": {"postSubmitAction": {"type": "thank_you", "value": "Hi"}}});
    let replaced = answer(&api.put(&path).token(&account.token).json(&thanks).await, 200);
    assert_eq!(replaced["configuration"]["postSubmitAction"], json!({"type": "thank_you", "value": "Hi"}));
    assert_eq!((&replaced["configuration"]["language"], &replaced["id"]), (&json!("en"), &created["id"]));
    assert_eq!(answer(&api.delete(&path).token(&account.token).await, 204), Value::Null);
    refusal(&api.get(&path).token(&account.token).await, 404, "OBJECT_NOT_FOUND");
}

#[tokio::test(start_paused = true)]
async fn created_form_accepts_submissions_of_its_fields() {
    let (api, account) = one_account(json!({})).await;
    let created = create(&api, &account, &newsletter()).await;
    let info = answer(&api.get("/account-info/v3/details").token(&account.token).await, 200);
    let path = format!(
        "/submissions/v3/integration/submit/{}/{}",
        info["portalId"],
        created["id"].as_str().unwrap()
    );
    let field = |name: &str, value: &str| json!({"name": name, "value": value});
    let fields = [field("email", "ada@example.org"), field("city", "Delft"), field("spy", "x")];
    let reply = api.post(&path).json(&json!({"fields": fields})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let contact = api.get("/v1/contacts/by-email/ada@example.org").token(&account.token).await.expect(200);
    assert_eq!(contact["properties"], json!({"city": "Delft"}));
    assert_eq!(contact["marketing"]["state"], "marketing");
}

#[tokio::test(start_paused = true)]
async fn forms_are_listed_in_pages() {
    let (api, account) = one_account(json!({})).await;
    let webhook = json!({"name": "Hook", "provider": "generic", "set_marketing": false});
    let _ = api.post("/v1/forms").token(&account.token).json(&webhook).await.expect(201);
    let native = json!({"name": "Native", "fields": ["email", "phone"]});
    tick(&api);
    let _ = api.post("/v1/forms").token(&account.token).json(&native).await.expect(201);
    create(&api, &account, &newsletter()).await;
    let first = answer(&api.get("/marketing/v3/forms/?limit=1").token(&account.token).await, 200);
    assert_eq!(column(&first["results"], "name"), ["Native"], "a webhook is no form of HubSpot");
    for name in REQUIRED {
        assert!(!first["results"][0][name].is_null(), "{name}");
    }
    let names: Vec<&Value> = first["results"][0]["fieldGroups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| &group["fields"][0]["name"])
        .collect();
    assert_eq!(names, ["email", "phone"]);
    let after = first["paging"]["next"]["after"].as_str().unwrap();
    let path = format!("/marketing/v3/forms/?limit=1&after={after}&formTypes=hubspot");
    let second = answer(&api.get(&path).token(&account.token).await, 200);
    assert_eq!((column(&second["results"], "name"), &second["paging"]), (vec!["Newsletter"], &Value::Null));
    let none = answer(&api.get("/marketing/v3/forms?archived=true").token(&account.token).await, 200);
    assert_eq!(none, json!({"results": []}));
}

#[tokio::test(start_paused = true)]
async fn form_without_the_permission_sets_nobody_marketing() {
    let (api, account) = one_account(json!({})).await;
    let shop = api.integration(&account, json!({})).await;
    let created = api.post("/marketing/v3/forms").token(&shop.token).json(&newsletter()).await;
    answer(&created, 201);
    let own = api.get("/v1/forms").token(&account.token).await.expect(200);
    assert_eq!(own["results"][0]["set_marketing"], false);
}

#[tokio::test(start_paused = true)]
async fn form_of_another_account_is_unknown() {
    let (api, account) = one_account(json!({})).await;
    let created = create(&api, &account, &newsletter()).await;
    let other = api.account(json!({})).await;
    let path = format!("/marketing/v3/forms/{}", created["id"].as_str().unwrap());
    refusal(&api.get(&path).token(&other.token).await, 404, "OBJECT_NOT_FOUND");
    refusal(&api.put(&path).token(&other.token).json(&newsletter()).await, 404, "OBJECT_NOT_FOUND");
    refusal(&api.patch(&path).token(&other.token).json(&json!({"name": "x"})).await, 404, "OBJECT_NOT_FOUND");
    refusal(&api.delete(&path).token(&other.token).await, 404, "OBJECT_NOT_FOUND");
    let listed = answer(&api.get("/marketing/v3/forms").token(&other.token).await, 200);
    assert_eq!(listed, json!({"results": []}));
    refusal(&api.get(&path).await, 401, "INVALID_AUTHENTICATION");
    let unknown = api.get("/marketing/v3/forms/frm_1").token(&account.token).await;
    refusal(&unknown, 404, "OBJECT_NOT_FOUND");
    for body in [json!({}), json!({"name": "x", "fieldGroups": 7}), json!({"name": "x", "formType": "flow"})]
    {
        let reply = api.post("/marketing/v3/forms").token(&account.token).json(&body).await;
        refusal(&reply, 400, "VALIDATION_ERROR");
    }
}
