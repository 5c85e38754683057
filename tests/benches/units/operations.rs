//! One request of every operation of the API in a small world, with the items that it must read.

mod bulk;

use api::token::sha256_hex;
use domain::ids::{AccountId, ContactId, FormId};
use domain::marketing::EffectiveState;
use domain::permission::{Principal, PrincipalKind};
use serde_json::{Value, json};
use testkit::{Api, Observer, Tenant, TestTable, at};

use crate::units::least::Need;
use crate::units::operations::bulk::Selections;

/// The wall clock.
pub const NOW: &str = "2026-11-10T12:00:00.000Z";

/// The secret of the form that receives a provider's webhooks.
const SECRET: &str = "the-secret-of-a-form";

/// The number of contacts in a list, which is the maximum of a transaction.
const MANY: u64 = 98;

/// A request of one operation.
pub struct Operation {
    /// The HTTP method.
    pub method: &'static str,
    /// The path template in the OpenAPI document.
    pub route: &'static str,
    /// The path of the request.
    pub path: String,
    /// The JSON body, if there is one.
    pub body: Option<Value>,
    /// The `Idempotency-Key`, if there is one.
    pub key: Option<&'static str>,
    /// The suffix of the row's label, which distinguishes requests of the same operation.
    pub with: &'static str,
    /// The items that the operation must read.
    pub needs: Vec<Need>,
}

/// A sandbox account with a marketing contact, a non-marketing contact, two forms, a member, an integration,
/// two segments and a bulk job. It also has many non-marketing contacts that are never looked up by their addresses.
pub struct World {
    /// The table with the account.
    pub table: TestTable,
    /// The account's admin.
    pub admin: Principal,
    /// The admin's id.
    pub user: String,
    /// The digest of the admin's token.
    pub token_sha256: String,
    account: AccountId,
    contact: ContactId,
    idle: ContactId,
    free: Vec<ContactId>,
    form: FormId,
    provided: FormId,
    rejection: String,
    member: String,
    integration: String,
    selections: Selections,
}

impl World {
    /// Creates the account and everything in it.
    pub async fn create() -> Self {
        let api = Api::start(at(NOW)).await;
        let tenant = api.account(json!({"test_clock": NOW})).await;
        let token_sha256 = sha256_hex(tenant.token.as_bytes());
        let free = testkit::seed(&api.table, tenant.id, MANY, EffectiveState::NonMarketing, at(NOW)).await;
        let body = json!({"email": "ada@example.org", "properties": {"firstname": "Ada"}, "marketing": true});
        let contact = api.contact(&tenant.token, body).await.parse().expect("an id");
        let idle =
            api.contact(&tenant.token, json!({"email": "bob@example.org"})).await.parse().expect("an id");
        Observer::default().follow(&api.table, at(NOW)).await;
        let form =
            api.post("/v1/forms").token(&tenant.token).json(&json!({"name": "Newsletter"})).await.expect(201);
        let form = form["id"].as_str().expect("an id").parse().expect("an id");
        let (provided, rejection) = provided(&api, &tenant).await;
        let member = api.user(&tenant, json!({})).await.id;
        let integration = api.integration(&tenant, json!({})).await.id;
        let admin = api.table.store.authenticate(&token_sha256).await.expect("an answer").expect("the admin");
        let user = match &admin.caller {
            PrincipalKind::User { id, .. } => id.to_string(),
            PrincipalKind::Integration { .. } => panic!("the admin is a user"),
        };
        let selections = Selections::create(&api, &tenant, &free[0].to_string()).await;
        let account = tenant.id;
        Self {
            table: api.table,
            admin,
            user,
            token_sha256,
            account,
            contact,
            idle,
            free,
            form,
            provided,
            rejection,
            member,
            integration,
            selections,
        }
    }

    /// Returns the partition key of the account's own items.
    pub fn account_pk(&self) -> String {
        format!("ACCOUNT#{}", self.account)
    }

    /// Returns the requests of all operations.
    pub fn operations(&self) -> Vec<Operation> {
        let mut all = self.account_operations();
        all.extend(self.operator_operations());
        all.extend(self.contact_operations());
        all.extend(self.status_operations());
        all.extend(self.user_operations());
        all.extend(self.form_operations());
        all.extend(self.external_form_operations());
        all.extend(self.bulk_operations());
        all.extend(self.segment_operations());
        all
    }

    fn account_operations(&self) -> Vec<Operation> {
        let both = || vec![self.own("ACCOUNT"), self.own("PERIOD")];
        let new = json!({"name": "New", "term": "annual", "renewal_date": "2026-01-01"});
        let within = json!({"now": "2026-11-11T12:00:00.000Z"});
        let over = json!({"now": "2026-12-01T00:00:00.000Z"});
        let days = || Need::all(format!("TIMELINE#{}", self.account), "");
        vec![
            operation("GET", "/v1/openapi.json", None, vec![]),
            operation("POST", "/v1/accounts", Some(new), vec![]),
            operation("GET", "/v1/account", None, both()),
            operation("PATCH", "/v1/account", Some(json!({"name": "Another"})), both()),
            operation("PATCH", "/v1/account", Some(json!({"cap": 500})), both()).with(", the cap"),
            operation("POST", "/v1/account/test-clock", Some(within), both()),
            operation("POST", "/v1/account/test-clock", Some(over), both()).with(", over an update date"),
            operation("GET", "/v1/usage", None, vec![self.own("PERIOD")]),
            operation(
                "GET",
                "/v1/usage/statements",
                None,
                vec![self.own("PERIOD"), Need::all(self.account_pk(), "STATEMENT#")],
            ),
            operation("GET", "/v1/usage/timeline", None, vec![self.own("PERIOD"), days()]),
            operation("GET", "/v1/usage/forecast", None, vec![self.own("PERIOD"), days()]),
            operation("GET", "/v1/events", None, vec![]),
        ]
    }

    fn operator_operations(&self) -> Vec<Operation> {
        let both = || vec![self.own("ACCOUNT"), self.own("PERIOD")];
        let account = self.account.to_string();
        let tier = json!({"tier": {"included": 2000, "block": 1000}});
        let users = || Need::all(self.account_pk(), "USER#");
        vec![
            operation("GET", "/v1/accounts", None, [both(), vec![Need::all("ACCOUNTS", "")]].concat()),
            operation("GET", "/v1/accounts/{id}", None, both()).at(&account),
            operation("PATCH", "/v1/accounts/{id}", Some(tier), both()).at(&account),
            operation("POST", "/v1/accounts/{id}/tokens", None, vec![self.own("ACCOUNT"), users()])
                .at(&account),
        ]
    }

    fn contact_operations(&self) -> Vec<Operation> {
        let id = &self.contact.to_string();
        let known = || vec![self.own("PERIOD"), self.contact_item(self.contact)];
        let found = || vec![self.own("PERIOD"), self.address_item(), self.contact_item(self.contact)];
        let all = || vec![self.own("PERIOD"), Need::all(format!("CONTACT#{}#", self.account), "")];
        let free = json!({"email": "new@example.org", "properties": {"firstname": "New"}});
        let marketing =
            json!({"email": "new@example.org", "properties": {"firstname": "New"}, "marketing": true});
        let filters = json!([{"propertyName": "firstname", "operator": "EQ", "value": "Ada"}]);
        let search = json!({"filterGroups": [{"filters": filters}]});
        let properties = json!({"properties": {"firstname": "Augusta"}});
        let by_email = "/v1/contacts/by-email/{email}";
        let change = || Need::item(format!("PROPERTIES#{}#{}", self.account, self.contact), "000000000001");
        vec![
            operation("POST", "/v1/contacts", Some(free), vec![self.own("PERIOD")]).with(", non-marketing"),
            operation("POST", "/v1/contacts", Some(marketing), vec![self.own("PERIOD")]).with(", marketing"),
            operation("PUT", by_email, Some(properties.clone()), found())
                .at("ada@example.org")
                .with(", known"),
            operation("PUT", by_email, Some(properties.clone()), vec![self.own("PERIOD")])
                .at("new@example.org")
                .with(", new"),
            operation("GET", by_email, None, found()).at("ada@example.org"),
            operation("GET", "/v1/contacts", None, all()).with(", 100 of them"),
            operation("POST", "/v1/contacts/search", Some(search), all()).with(", 100 of them"),
            operation("GET", "/v1/contacts/{id}", None, known()).at(id),
            operation("PATCH", "/v1/contacts/{id}", Some(properties), known()).at(id),
            operation("PATCH", "/v1/contacts/{id}", Some(json!({"email": "b@example.org"})), known())
                .at(id)
                .with(", the address"),
            operation("DELETE", "/v1/contacts/{id}", None, known()).at(id).with(", marketing"),
            operation(
                "DELETE",
                "/v1/contacts/{id}",
                None,
                vec![self.own("PERIOD"), self.contact_item(self.idle)],
            )
            .at(&self.idle.to_string())
            .with(", non-marketing"),
            operation("GET", "/v1/contacts/{id}/marketing", None, known()).at(id),
            operation(
                "GET",
                "/v1/contacts/{id}/properties/history",
                None,
                [known(), vec![change()]].concat(),
            )
            .at(id),
            operation(
                "POST",
                "/v1/contacts/{id}/properties/undo",
                Some(json!({"change_id": "1"})),
                [known(), vec![change()]].concat(),
            )
            .at(id),
        ]
    }

    fn status_operations(&self) -> Vec<Operation> {
        let (set, pending) = ("/v1/contacts/marketing", "/v1/contacts/non-marketing-pending");
        let one = &self.free[..1];
        let tool = json!({"tool": "marketing_email", "contacts": self.named(&self.free)["contacts"]});
        let ada = || json!({"contacts": [{"email": "ada@example.org"}]});
        let found = || vec![self.own("PERIOD"), self.address_item(), self.contact_item(self.contact)];
        vec![
            operation("POST", set, Some(self.named(one)), self.these(one)).with(", 1 by id"),
            operation("POST", set, Some(self.named(one)), self.these(one))
                .key("benchmark")
                .with(", 1 by id, with an `Idempotency-Key`"),
            operation("POST", set, Some(self.named(&self.free)), self.these(&self.free)).with(", 98 by id"),
            operation("POST", set, Some(ada()), found()).with(", 1 by address, unchanged"),
            operation("POST", pending, Some(ada()), found()).with(", 1 by address"),
            operation("POST", "/v1/eligibility", Some(tool), self.these(&self.free)).with(", 98 by id"),
        ]
    }

    fn user_operations(&self) -> Vec<Operation> {
        let user = json!({"name": "New", "email": "new@example.org"});
        let member = || self.own(&format!("USER#{}", self.member));
        let token = || self.own(&format!("TOKEN#{}", self.integration));
        let integration = json!({"integration": {"name": "Shop"}});
        vec![
            operation("GET", "/v1/users", None, vec![Need::all(self.account_pk(), "USER#")]),
            operation("POST", "/v1/users", Some(user), vec![self.own("ACCOUNT")]),
            operation("PATCH", "/v1/users/{id}", Some(json!({"name": "Other"})), vec![member()])
                .at(&self.member),
            operation("GET", "/v1/tokens", None, vec![Need::all(self.account_pk(), "TOKEN#")]),
            operation("POST", "/v1/tokens", Some(integration), vec![self.own("ACCOUNT")])
                .with(", an integration's"),
            operation(
                "POST",
                "/v1/tokens",
                Some(json!({"user_id": self.member})),
                vec![member(), self.own("ACCOUNT")],
            )
            .with(", a user's"),
            operation("DELETE", "/v1/tokens/{id}", None, vec![token(), self.own("ACCOUNT")])
                .at(&self.integration),
        ]
    }

    fn form_operations(&self) -> Vec<Operation> {
        let id = &self.form.to_string();
        let form = || Need::item(format!("FORM#{}", self.form), "FORM");
        let counts = || Need::all(format!("FORM_COUNTS#{}", self.form), "");
        let rejected = || Need::all(format!("REJECTED#{}#{}", self.account, self.form), "rej_");
        let submissions = "/v1/forms/{form_id}/submissions";
        let known = json!({"fields": {"email": "ada@example.org", "firstname": "Augusta"}});
        let new = json!({"fields": {"email": "new@example.org", "firstname": "New"}});
        let named = json!({"fields": {"email": "new@example.org", "firstname": "New"}, "submission_id": "1"});
        let found = vec![form(), self.own("PERIOD"), self.address_item(), self.contact_item(self.contact)];
        vec![
            operation(
                "GET",
                "/v1/forms",
                None,
                vec![
                    Need::all(self.account_pk(), "FORM#"),
                    form(),
                    Need::item(format!("FORM#{}", self.provided), "FORM"),
                ],
            ),
            operation(
                "POST",
                "/v1/forms",
                Some(json!({"name": "Other"})),
                vec![self.own("PERIOD"), self.own("ACCOUNT")],
            ),
            operation("GET", "/v1/forms/{id}", None, vec![form(), self.own("PERIOD"), counts()]).at(id),
            operation("PATCH", "/v1/forms/{id}", Some(json!({"name": "Other"})), vec![form()]).at(id),
            operation(
                "DELETE",
                "/v1/forms/{id}",
                None,
                vec![form(), counts(), rejected(), self.own("ACCOUNT")],
            )
            .at(id),
            operation("OPTIONS", submissions, None, vec![form()]).at(id),
            operation("POST", submissions, Some(new), vec![form(), self.own("PERIOD")])
                .at(id)
                .with(", new person"),
            operation("POST", submissions, Some(named), vec![form(), self.own("PERIOD")])
                .at(id)
                .with(", new person, with a `submission_id`"),
            operation("POST", submissions, Some(known), found).at(id).with(", known person"),
        ]
    }

    /// Returns the requests in the formats of others: a provider's webhooks, and site code for `HubSpot`.
    fn external_form_operations(&self) -> Vec<Operation> {
        let id = &self.provided.to_string();
        let item = |form: FormId| Need::item(format!("FORM#{form}"), "FORM");
        let rejected = format!("REJECTED#{}#{id}", self.account);
        let needs = || vec![item(self.provided), self.own("PERIOD"), self.own("ACCOUNT")];
        let hook = json!({"submission_id": "1", "email": "new@example.org", "firstname": "New"});
        let without_address = json!({"submission_id": "1", "firstname": "New"});
        let submission = json!({"fields": [{"name": "email", "value": "new@example.org"}]});
        let hubspot = |method, route: &'static str, body: Option<Value>, needs| {
            let path = route.replace("{portal_id}", &self.account.to_string());
            let path = path.replace("{form_guid}", &self.form.to_string());
            Operation { path, ..operation(method, route, body, needs) }
        };
        let native = || vec![item(self.form), self.own("PERIOD")];
        let retry = "/v1/forms/{id}/rejected/{rejection_id}/retry";
        let retried = Operation {
            path: retry.replace("{id}", id).replace("{rejection_id}", &self.rejection),
            ..operation("POST", retry, None, [needs(), vec![Need::item(&rejected, &self.rejection)]].concat())
        };
        let remove = "/v1/forms/{id}/rejected/{rejection_id}";
        let removed = Operation {
            path: remove.replace("{id}", id).replace("{rejection_id}", &self.rejection),
            ..operation("DELETE", remove, None, vec![Need::item(&rejected, &self.rejection)])
        };
        let open = "/submissions/v3/integration/submit/{portal_id}/{form_guid}";
        let secure = "/submissions/v3/integration/secure/submit/{portal_id}/{form_guid}";
        let hooked = format!("{id}?secret={SECRET}");
        vec![
            operation("POST", "/v1/hooks/{form_id}", Some(hook), needs()).at(&hooked).with(", new person"),
            operation(
                "POST",
                "/v1/hooks/{form_id}",
                Some(without_address),
                vec![item(self.provided), self.own("PERIOD")],
            )
            .at(&hooked)
            .with(", without an address"),
            operation("GET", "/v1/forms/{id}/rejected", None, vec![Need::all(&rejected, "rej_")]).at(id),
            retried,
            removed,
            hubspot("POST", open, Some(submission.clone()), native()),
            hubspot("OPTIONS", open, None, vec![item(self.form)]),
            hubspot("POST", secure, Some(submission), native()),
        ]
    }

    fn own(&self, sk: &str) -> Need {
        Need::item(self.account_pk(), sk)
    }

    fn contact_item(&self, id: ContactId) -> Need {
        Need::item(format!("CONTACT#{}#{}", self.account, id.bucket()), id.to_string())
    }

    fn address_item(&self) -> Need {
        Need::item(format!("EMAIL#{}#ada@example.org", self.account), "EMAIL")
    }

    fn these(&self, ids: &[ContactId]) -> Vec<Need> {
        ids.iter().map(|id| self.contact_item(*id)).chain([self.own("PERIOD")]).collect()
    }

    fn named(&self, ids: &[ContactId]) -> Value {
        let contacts: Vec<Value> = ids.iter().map(|id| json!({"id": id.to_string()})).collect();
        json!({"contacts": contacts})
    }
}

/// Creates a form for a provider's webhooks with a rejected submission, whose retry succeeds after a change of the
/// form.
async fn provided(api: &Api, tenant: &Tenant) -> (FormId, String) {
    let token = &tenant.token;
    let body = json!({"name": "Provided", "provider": "generic", "secrets": [SECRET]});
    let form = api.post("/v1/forms").token(token).json(&body).await.expect(201);
    let form = form["id"].as_str().expect("an id");
    let rejected = json!({"submission_id": "0", "reach_me_at": "rejected@example.org"});
    let hook = format!("/v1/hooks/{form}?secret={SECRET}");
    assert_eq!(api.post(&hook).json(&rejected).await.expect(200)["contact"], "rejected");
    let path = format!("/v1/forms/{form}");
    let body = json!({"field_map": {"reach_me_at": "email"}});
    let _ = api.patch(&path).token(token).json(&body).await.expect(200);
    let rejected = api.get(&format!("{path}/rejected")).token(token).await.expect(200);
    let rejection = rejected["results"][0]["id"].as_str().expect("an id").to_owned();
    (form.parse().expect("an id"), rejection)
}

fn operation(method: &'static str, route: &'static str, body: Option<Value>, needs: Vec<Need>) -> Operation {
    Operation { method, route, path: route.to_owned(), body, key: None, with: "", needs }
}

impl Operation {
    /// Replaces the variable in the path by this value.
    fn at(mut self, variable: &str) -> Self {
        let (before, rest) = self.route.split_once('{').expect("a variable");
        let (_, after) = rest.split_once('}').expect("a variable");
        self.path = format!("{before}{variable}{after}");
        self
    }

    fn with(self, with: &'static str) -> Self {
        Self { with, ..self }
    }

    fn key(self, key: &'static str) -> Self {
        Self { key: Some(key), ..self }
    }
}
