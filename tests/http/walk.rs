//! A fixture that calls every operation of the API with a valid body, in an account with a resource of every kind.

use http::Method;
use serde_json::{Value, json};
use testkit::{Api, OPERATOR_TOKEN, Observer, Reply, Request, Tenant, TokenOwner};

use crate::openapi::operations::Operation;

/// The header in which a provider without signatures sends the form's secret.
const SECRET_HEADER: &str = "x-tidemark-secret";

/// The word that every address, name and property value of the fixture contains, in any case.
pub const PRIVATE: &str = "wanda";

/// The secret of the provider's form.
const SECRET: &str = "tmk_wandas-form-secret";

/// The address of the contact that the fixture creates.
const ADDRESS: &str = "Wanda.First@private.example";

/// A sandbox account in its second period.
///
/// It has a contact, a user, an integration, a native form and a provider's form. The provider's form has two rejected
/// submissions, for which a retry now succeeds.
pub struct Fixture {
    /// The API.
    pub api: Api,
    /// The account.
    pub account: Tenant,
    /// A member.
    pub member: TokenOwner,
    /// An integration.
    pub integration: TokenOwner,
    account_id: String,
    contact: String,
    form: String,
    providers_form: String,
    list: String,
    job: String,
    automation: String,
    /// A finished import, a finished export, and an import that has not started.
    files: [String; 3],
    /// The ids of a rejection to retry and a rejection to delete.
    rejections: [String; 2],
}

impl Fixture {
    /// Creates the account and all of its resources.
    pub async fn start(api: Api) -> Self {
        let account =
            api.account(json!({"name": "Wanda & Co", "test_clock": "2026-11-10T12:00:00.000Z"})).await;
        let token = &account.token;
        let member =
            api.user(&account, json!({"name": "Wanda Member", "email": "wanda@private.example"})).await;
        let integration = api.integration(&account, json!({"name": "Wanda's Shop"})).await;
        let body = json!({
            "name": "Wanda's letter", "field_map": {"given": "firstname"}, "allowed_origins": ["https://private.example"],
            "redirect_url": "https://private.example/wanda",
        });
        let form = api.post("/v1/forms").token(token).json(&body).await.expect(201);
        let body = json!({"email": ADDRESS, "properties": {"firstname": "Wanda"}, "marketing": true});
        let contact = api.contact(token, body).await;
        let leaving =
            api.contact(token, json!({"email": "wanda.leaves@private.example", "marketing": true})).await;
        let _ = api.queue(token, &[&leaving]).await;
        let body = json!({"now": "2026-12-02T12:00:00.000Z"});
        let _ = api.post("/v1/account/test-clock").token(token).json(&body).await.expect(200);
        let form = form["id"].as_str().unwrap().to_owned();
        let (providers_form, rejections) = Self::rejected(&api, token).await;
        let account_id = account.id.to_string();
        let body = json!({"name": "Wanda's friends", "contacts": [{"id": contact}]});
        let list = api.post("/v1/segments").token(token).json(&body).await.expect(201);
        let list = list["id"].as_str().unwrap().to_owned();
        let body = json!({"action": "set-marketing", "selection": {"segment_id": list}, "confirm_count": 1});
        let job = api.post("/v1/bulk/jobs").token(token).json(&body).await.expect(202);
        let job = job["job"]["id"].as_str().unwrap().to_owned();
        let automation = Self::paused(&api, token).await;
        let files = Self::files(&api, token).await;
        Observer::default().follow(&api.table, api.clock.now()).await;
        Self {
            list,
            job,
            automation,
            files,
            account,
            member,
            integration,
            account_id,
            contact,
            form,
            providers_form,
            rejections,
            api,
        }
    }

    /// Creates an automation that its brake has paused.
    async fn paused(api: &Api, token: &str) -> String {
        let enrol = json!({"filterGroups": [{"filters": [
            {"propertyName": "city", "operator": "EQ", "value": "wandaville"},
        ]}]});
        let body = json!({"name": "Wanda's automation", "enabled": true, "enrol": enrol, "action": "set-marketing",
                          "pause_above": 1});
        let automation = api.post("/v1/automations").token(token).json(&body).await.expect(201);
        for n in 0..2 {
            let email = format!("wanda.enrolled.{n}@private.example");
            api.contact(token, json!({"email": email, "properties": {"city": "wandaville"}})).await;
        }
        api.follow().await;
        automation["id"].as_str().unwrap().to_owned()
    }

    /// Creates an import and an export, and an export of the first statement, and lets the worker finish them. Then creates
    /// an import without a file.
    async fn files(api: &Api, token: &str) -> [String; 3] {
        let boundary = "wanda";
        let file = "email,Given name\nwanda.imported@private.example,Wanda\nnot an address,Wanda\n";
        let body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"wanda.csv\"\r\n\r\n{file}\r\n\
             --{boundary}--\r\n"
        );
        let media_type = format!("multipart/form-data; boundary={boundary}");
        let import = api.post("/v1/imports").token(token).body(&media_type, body).await.expect(201);
        let selection = json!({"selection": {"filterGroups": []}});
        let export = api.post("/v1/exports").token(token).json(&selection).await.expect(202);
        assert_eq!(api.get("/v1/usage/statements/1/contacts.csv").token(token).await.status, 202);
        api.work_on_files().await;
        let waiting = api.post("/v1/imports").token(token).json(&json!({"name": "Wanda's later file"}));
        [import, export, waiting.await.expect(201)].map(|created| created["id"].as_str().unwrap().to_owned())
    }

    /// Creates a provider's form and two submissions that were rejected before the form mapped their address field.
    async fn rejected(api: &Api, token: &str) -> (String, [String; 2]) {
        let body = json!({"name": "Wanda's provider", "provider": "generic", "secrets": [SECRET]});
        let form = api.post("/v1/forms").token(token).json(&body).await.expect(201);
        let form = form["id"].as_str().unwrap().to_owned();
        for id in ["wanda-0", "wanda-00"] {
            let body = json!({"submission_id": id, "reach_me_at": "wanda.rejected@private.example"});
            let hook = api.post(&format!("/v1/hooks/{form}")).header(SECRET_HEADER, SECRET);
            assert_eq!(hook.json(&body).await.expect(200)["contact"], "rejected");
        }
        let path = format!("/v1/forms/{form}");
        let body = json!({"field_map": {"reach_me_at": "email"}});
        let _ = api.patch(&path).token(token).json(&body).await.expect(200);
        let rejected = api.get(&format!("{path}/rejected")).token(token).await.expect(200);
        (form, [0, 1].map(|n| rejected["results"][n]["id"].as_str().unwrap().to_owned()))
    }

    /// Returns all tokens that can be used with the fixture.
    pub fn tokens(&self) -> [&str; 4] {
        [OPERATOR_TOKEN, &self.account.token, &self.member.token, &self.integration.token]
    }

    /// Returns the operation's path, with the ids of the fixture's resources as its variables.
    pub fn path(&self, operation: &Operation) -> String {
        let id = match operation.path.split('/').nth(2) {
            Some("accounts") => &self.account_id,
            Some("users") => &self.member.id,
            Some("tokens") => &self.integration.id,
            Some("hooks") => &self.providers_form,
            Some("forms") if operation.path.contains("rejected") => &self.providers_form,
            Some("forms") => &self.form,
            Some("segments") => &self.list,
            Some("automations") => &self.automation,
            Some("bulk") => &self.job,
            Some("imports") if operation.path == "/v1/imports/{id}" => &self.files[2],
            Some("imports") => &self.files[0],
            Some("exports") => &self.files[1],
            _ => &self.contact,
        };
        let path = operation.path.replace("{id}", id).replace("{form_id}", id);
        let path =
            path.replace("{rejection_id}", &self.rejections[usize::from(operation.method == Method::DELETE)]);
        let path =
            path.replace("{portal_id}", &self.account.id.to_string()).replace("{form_guid}", &self.form);
        let path = path.replace("{number}", "1");
        path.replace("{email}", &ADDRESS.replace('@', "%40"))
    }

    /// Returns the token of a caller that may use the operation, or `None` for a public operation.
    pub fn token(&self, operation: &Operation) -> Option<&str> {
        match operation {
            operation if operation.is_public() => None,
            operation if operation.is_operators() => Some(OPERATOR_TOKEN),
            _ => Some(&self.account.token),
        }
    }

    /// Returns a request for the operation, without a body.
    pub fn request(&self, operation: &Operation) -> Request<'_> {
        self.request_with(operation, "", None)
    }

    /// Returns a request for the operation with this query and this body.
    pub fn request_with(&self, operation: &Operation, query: &str, body: Option<&Value>) -> Request<'_> {
        let mut request = self.anonymous_request(operation, query, body);
        if let Some(token) = self.token(operation) {
            request = request.token(token);
        }
        request
    }

    /// Returns a request for the operation with this query and this body, but without a token.
    pub fn anonymous_request(&self, operation: &Operation, query: &str, body: Option<&Value>) -> Request<'_> {
        let path = format!("{}?{query}", self.path(operation));
        let mut request = self.api.request(operation.method.clone(), path.trim_end_matches('?'));
        if operation.path.starts_with("/v1/hooks/") {
            request = request.header(SECRET_HEADER, SECRET);
        }
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    /// Returns a body that the operation accepts, or `None` if the operation has no body.
    pub fn body(&self, operation: &Operation) -> Option<Value> {
        let list = json!({"contacts": [{"id": self.contact}, {"email": "nobody.wanda@private.example"}, {"id": "wanda"}]});
        Some(match (operation.method.as_str(), &*operation.path) {
            ("GET" | "DELETE" | "OPTIONS", _)
            | (
                "POST",
                "/v1/accounts/{id}/tokens"
                | "/v1/forms/{id}/rejected/{rejection_id}/retry"
                | "/v1/bulk/jobs/{id}/cancel"
                | "/v1/imports/{id}/start"
                | "/v1/imports/{id}/cancel"
                | "/v1/exports/{id}/cancel",
            ) => {
                return None;
            }
            ("POST", "/v1/accounts") => json!({
                "name": "Wanda Ltd", "time_zone": "Europe/Berlin", "term": "monthly", "renewal_date": "2026-01-31",
                "tier": {"included": 10, "block": 5}, "cap": 100, "marketing_contacts": true,
                "test_clock": "2026-11-10T12:00:00Z",
            }),
            ("PATCH", "/v1/accounts/{id}") => json!({
                "time_zone": "Europe/Vienna", "term": "annual", "renewal_date": "2027-04-30",
                "tier": {"included": 1000, "block": 500}, "tier_limit_at_renewal": 1000, "marketing_contacts": true,
            }),
            ("PATCH", "/v1/account") => json!({
                "name": "Wanda Inc", "time_zone": "Asia/Tokyo", "term": "annual", "renewal_date": "2027-03-31", "cap": 500,
                "marketing_contacts": true, "tier_limit_at_renewal": 1000,
                "defaults": {"external_form": false, "chatflow": true, "chatflows": {"wanda": false}},
            }),
            ("POST", "/v1/account/test-clock") => json!({"now": "2026-12-03T12:00:00Z"}),
            ("POST", "/v1/users") => {
                json!({"name": "Wanda Two", "email": "wanda.two@private.example", "role": "admin", "modify_marketing_contacts": false})
            }
            ("PATCH", "/v1/users/{id}") => {
                json!({"name": "Wanda Three", "email": "wanda.three@private.example"})
            }
            ("POST", "/v1/tokens") => json!({"integration": {"name": "Wanda's CRM", "set_marketing": true}}),
            ("POST", "/v1/contacts") => json!({
                "email": "wanda.new@private.example", "properties": {"firstname": "Wanda", "note": "wanda\n"},
                "unsubscribed": false, "bounced": true, "source": {"type": "chatflow", "name": "Wanda's chat", "id": "wanda"},
            }),
            ("PUT", "/v1/contacts/by-email/{email}") => {
                json!({"properties": {"lastname": "Wandason", "none": null}, "unsubscribed": true, "marketing": true})
            }
            ("PATCH", "/v1/contacts/{id}") => json!({"properties": {"firstname": "WANDA"}, "bounced": false}),
            ("POST", "/v1/contacts/{id}/properties/undo") => json!({"change_id": "1"}),
            ("POST", "/v1/contacts/search") => json!({
                "filterGroups": [{"filters": [
                    {"propertyName": "email", "operator": "CONTAINS_TOKEN", "value": "wanda*"},
                    {"propertyName": "firstname", "operator": "IN", "values": ["wanda", 7]},
                    {"propertyName": "created_at", "operator": "BETWEEN", "value": 0, "highValue": "2030-01-01"},
                ]}],
                "limit": 1,
            }),
            ("POST", "/v1/segments") => json!({"name": "Wanda's list", "contacts": list["contacts"]}),
            ("PATCH", "/v1/segments/{id}") => json!({"name": "Wanda's friends and family"}),
            ("POST", "/v1/segments/{id}/members") => {
                json!({"add": list["contacts"], "remove": [{"email": "nobody.wanda@private.example"}]})
            }
            ("POST", "/v1/automations") => json!({
                "name": "Wanda's second automation", "enabled": true, "enrol": {"filterGroups": [{"filters": [
                    {"propertyName": "city", "operator": "EQ", "value": "wandatown"},
                ]}]}, "re_enrol": true, "action": "set-non-marketing-pending", "max_per_day": 5, "pause_above": 5,
                "enrol_existing": true, "confirm_count": 0,
            }),
            ("PATCH", "/v1/automations/{id}") => json!({
                "name": "Wanda's third", "enrol": {"filterGroups": []}, "re_enrol": true, "max_per_day": 7,
                "pause_above": null, "action": "set-marketing",
            }),
            ("POST", "/v1/automations/{id}/resume") => json!({"waiting": "keep"}),
            ("POST", "/v1/automations/{id}/test") => json!({"contacts": list["contacts"]}),
            ("POST", "/v1/bulk/preview") => json!({
                "action": "set-marketing",
                "selection": {"filterGroups": [{"filters": [
                    {"propertyName": "firstname", "operator": "EQ", "value": "wanda"},
                ]}], "except": ["wanda"]},
            }),
            ("POST", "/v1/bulk/jobs") => json!({
                "action": "set-non-marketing-pending", "selection": {"contacts": list["contacts"]},
            }),
            ("POST", "/v1/imports") => json!({
                "name": "Wanda's file", "options": {
                    "mapping": {"Wanda's mail": "email", "Wanda": null}, "encoding": "utf-8", "delimiter": ";",
                    "add_to_segment": self.list, "set_marketing": true, "clear_flags": true,
                },
            }),
            ("PATCH", "/v1/imports/{id}") => {
                json!({"name": "Wanda's file", "options": {"mapping": {"Wanda": "wanda"}, "dry_run": true}})
            }
            ("POST", "/v1/exports") => {
                json!({"selection": {"contacts": list["contacts"]}, "columns": ["firstname"]})
            }
            ("POST", "/v1/review") => json!({
                "unengaged": {"unsubscribed": true, "bounced": false}, "selection": {"segment_id": self.list},
            }),
            ("POST", "/v1/contacts/marketing" | "/v1/contacts/non-marketing-pending") => list,
            ("POST", "/v1/eligibility") => json!({"tool": "marketing_email", "contacts": list["contacts"]}),
            ("POST", "/v1/forms") => json!({
                "name": "Wanda's second", "provider": "native", "set_marketing": false,
                "field_map": {"wanda": "email", "dull": null}, "allowed_origins": ["https://private.example"],
                "redirect_url": "https://private.example/wanda", "max_new_marketing_per_day": 10,
            }),
            ("PATCH", "/v1/forms/{id}") => {
                json!({"name": "Wanda's first", "field_map": {}, "allowed_origins": []})
            }
            ("POST", "/v1/forms/{form_id}/submissions") => json!({
                "fields": {"email": "wanda.submits@private.example", "given": "Wanda", "Ticked": ["wanda", 1, true]},
                "submission_id": "wanda", "submitted_at": "2026-12-02T12:00:00Z", "page_url": "https://private.example/",
            }),
            ("POST", "/v1/hooks/{form_id}") => json!({
                "submission_id": "wanda-1", "email": "wanda.hooks@private.example", "Given name": "Wanda", "Topics": ["wanda", 1, true],
            }),
            ("POST", path) if path.starts_with("/submissions/v3/") => json!({
                "submittedAt": 1_795_377_541_123_u64, "context": {"hutk": "wanda", "pageUri": "https://private.example/"},
                "fields": [{"objectTypeId": "0-1", "name": "email", "value": "wanda.at.hubspot@private.example"},
                           {"objectTypeId": "0-1", "name": "firstname", "value": "Wanda"}],
            }),
            (method, path) => panic!("the fixture has no body for {method} {path}"),
        })
    }

    /// Calls every operation and returns the responses. Deletions come last, because the others need the resources.
    pub async fn all(&self, operations: &[Operation]) -> Vec<(Operation, Reply)> {
        let mut operations = operations.to_vec();
        operations.sort_by_key(|operation| operation.method == Method::DELETE);
        let mut replies = Vec::new();
        for operation in operations {
            let body = self.body(&operation);
            let reply = self.request_with(&operation, "", body.as_ref()).await;
            replies.push((operation, reply));
        }
        replies
    }
}
