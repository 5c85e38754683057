//! The marketing status that each source sets on new and on existing contacts (the domain's `README.md`, Default status
//! by source).

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{Api, Tenant};

use super::one_account;

/// The kind of caller that sends the contact.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sender {
    User,
    /// An integration whose own setting is off.
    Integration,
    /// An integration whose own setting is on.
    MarketingIntegration,
}

/// The account's settings for chat flows.
#[derive(Clone, Copy, Debug)]
enum Chatflows {
    /// The settings of a new account.
    Off,
    /// On, except for the flow `quiet`.
    On,
    /// Off, except for the flow `loud`.
    OneOn,
}

impl Chatflows {
    fn defaults(self) -> Value {
        match self {
            Self::Off => json!({}),
            Self::On => json!({"chatflow": true, "chatflows": {"quiet": false}}),
            Self::OneOn => json!({"chatflow": false, "chatflows": {"loud": true}}),
        }
    }
}

fn source(kind: &str, id: Option<&str>) -> Value {
    let mut source = json!({"type": kind, "name": "A name"});
    if let Some(id) = id {
        source["id"] = json!(id);
    }
    json!({"source": source})
}

struct Tokens {
    user: String,
    integration: String,
    marketing_integration: String,
}

impl Tokens {
    async fn create(api: &Api, account: &Tenant) -> Self {
        let (off, on) = (json!({"set_marketing": false}), json!({"set_marketing": true}));
        Self {
            user: account.token.clone(),
            integration: api.integration(account, off).await.token,
            marketing_integration: api.integration(account, on).await.token,
        }
    }

    fn of(&self, by: Sender) -> &str {
        match by {
            Sender::User => &self.user,
            Sender::Integration => &self.integration,
            Sender::MarketingIntegration => &self.marketing_integration,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_source_sets_its_documented_status() {
    let manual = |marketing: Value| json!({"marketing": marketing});
    // The sender, the settings, the body, and whether a new and an existing contact become marketing contacts.
    let table = [
        (Sender::User, Chatflows::Off, json!({}), false, false),
        (Sender::User, Chatflows::Off, manual(json!(true)), true, true),
        (Sender::User, Chatflows::Off, manual(json!(false)), false, false),
        (Sender::User, Chatflows::Off, source("manual", None), false, false),
        (Sender::User, Chatflows::Off, source("chatflow", Some("loud")), false, false),
        (Sender::User, Chatflows::On, source("chatflow", None), true, false),
        (Sender::User, Chatflows::On, source("chatflow", Some("quiet")), false, false),
        (Sender::User, Chatflows::OneOn, source("chatflow", Some("loud")), true, false),
        (Sender::User, Chatflows::OneOn, source("chatflow", Some("other")), false, false),
        (Sender::Integration, Chatflows::OneOn, source("chatflow", Some("loud")), true, false),
        (Sender::User, Chatflows::On, source("import", Some("loud")), false, false),
        (Sender::User, Chatflows::On, source("integration", None), false, false),
        (Sender::Integration, Chatflows::On, json!({}), false, false),
        (Sender::MarketingIntegration, Chatflows::Off, json!({}), true, false),
        (Sender::MarketingIntegration, Chatflows::Off, source("integration", Some("x")), true, false),
        (Sender::MarketingIntegration, Chatflows::Off, source("import", None), false, false),
        (Sender::User, Chatflows::On, source("meeting", None), false, false),
        (Sender::User, Chatflows::On, source("logged_email", None), false, false),
        (Sender::User, Chatflows::On, source("team_inbox", None), false, false),
        (Sender::User, Chatflows::On, source("document", None), false, false),
        (Sender::User, Chatflows::On, source("email_extension", None), false, false),
        (Sender::MarketingIntegration, Chatflows::On, source("mobile_app", None), false, false),
    ];
    let (api, account) = one_account(json!({})).await;
    let tokens = Tokens::create(&api, &account).await;
    let mut usage = 0;
    for (row, (by, chatflows, body, new, existing)) in table.into_iter().enumerate() {
        let defaults = json!({"defaults": {"chatflow": false, "chatflows": {}}});
        let _ = api.patch("/v1/account").token(&account.token).json(&defaults).await.expect(200);
        let defaults = json!({"defaults": chatflows.defaults()});
        let _ = api.patch("/v1/account").token(&account.token).json(&defaults).await.expect(200);

        let path = format!("/v1/contacts/by-email/new{row}@example.org");
        let created = api.put(&path).token(tokens.of(by)).json(&body).await.expect(201);
        let existing_address = format!("there{row}@example.org");
        let _ = api.contact(&account.token, json!({"email": existing_address})).await;
        let path = format!("/v1/contacts/by-email/{existing_address}");
        let saved = api.put(&path).token(tokens.of(by)).json(&body).await.expect(200);
        let state = |contact: &Value| contact["marketing"]["state"] == "marketing";
        assert_eq!((state(&created), state(&saved)), (new, existing), "{by:?} {chatflows:?} {body}");
        usage += u64::from(new) + u64::from(existing);
        assert_eq!(api.assert_exact(&account).await["marketing"], usage);
    }
}

#[tokio::test(start_paused = true)]
async fn source_is_stored_as_sent_except_for_integrations() {
    let (api, account) = one_account(json!({})).await;
    let tokens = Tokens::create(&api, &account).await;
    let body = source("meeting", Some("room 4"));
    let contact = api.post("/v1/contacts").token(&tokens.integration).json(&body).await.expect(201);
    assert_eq!(contact["marketing"]["source"], json!({"type": "meeting", "name": "A name", "id": "room 4"}));
    let body = source("integration", Some("another"));
    let contact = api.post("/v1/contacts").token(&tokens.integration).json(&body).await.expect(201);
    let own = &contact["marketing"]["source"];
    assert_eq!((&own["type"], &own["name"]), (&json!("integration"), &json!("Shop")));
    assert!(own["id"].as_str().unwrap().starts_with("int_"));
}

#[tokio::test(start_paused = true)]
async fn marketing_field_requires_the_manual_source() {
    let (api, account) = one_account(json!({})).await;
    let tokens = Tokens::create(&api, &account).await;
    for kind in [
        "chatflow",
        "import",
        "integration",
        "meeting",
        "logged_email",
        "team_inbox",
        "document",
        "email_extension",
        "mobile_app",
    ] {
        let mut body = source(kind, None);
        body["marketing"] = json!(true);
        api.post("/v1/contacts").token(&tokens.user).json(&body).await.assert_invalid(&["marketing"]);
    }
    let body = json!({"marketing": false});
    api.post("/v1/contacts").token(&tokens.integration).json(&body).await.assert_invalid(&["marketing"]);
    let mut body = source("manual", None);
    body["marketing"] = json!(true);
    api.post("/v1/contacts")
        .token(&tokens.integration)
        .json(&body)
        .await
        .problem(ProblemType::PermissionDenied);
    for kind in ["form", "external_form", "update_date", "Manual", "", "shop"] {
        let reply = api.post("/v1/contacts").token(&tokens.user).json(&source(kind, None)).await;
        assert_eq!(reply.invalid_fields(), ["source.type"], "{kind}");
    }
    assert_eq!(api.assert_exact(&account).await["marketing"], 0);
}
