//! The status that a contact gets by its source (the domain's `README.md`, Default status by source), for new contacts
//! and for existing ones.

use api::ProblemType;
use serde_json::{Value, json};
use testkit::{Api, Tenant};

use super::one_account;

/// Who relays the source.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    User,
    /// An integration whose own setting is off.
    Integration,
    /// An integration whose own setting is on.
    MarketingIntegration,
}

/// The account's settings for chat flows.
#[derive(Clone, Copy, Debug)]
enum Chatflows {
    /// As an account begins.
    Off,
    /// On, but for the flow `quiet`.
    On,
    /// Off, but for the flow `loud`.
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
    async fn make(api: &Api, account: &Tenant) -> Self {
        let (off, on) = (json!({"set_marketing": false}), json!({"set_marketing": true}));
        Self {
            user: account.token.clone(),
            integration: api.integration(account, off).await.token,
            marketing_integration: api.integration(account, on).await.token,
        }
    }

    fn of(&self, by: By) -> &str {
        match by {
            By::User => &self.user,
            By::Integration => &self.integration,
            By::MarketingIntegration => &self.marketing_integration,
        }
    }
}

#[tokio::test]
async fn each_source_gives_the_status_of_the_rules() {
    let manual = |marketing: Value| json!({"marketing": marketing});
    // By whom, with which settings, what is said; whether a new contact is marketing, and one that is there becomes so.
    let table = [
        (By::User, Chatflows::Off, json!({}), false, false),
        (By::User, Chatflows::Off, manual(json!(true)), true, true),
        (By::User, Chatflows::Off, manual(json!(false)), false, false),
        (By::User, Chatflows::Off, source("manual", None), false, false),
        (By::User, Chatflows::Off, source("chatflow", Some("loud")), false, false),
        (By::User, Chatflows::On, source("chatflow", None), true, false),
        (By::User, Chatflows::On, source("chatflow", Some("quiet")), false, false),
        (By::User, Chatflows::OneOn, source("chatflow", Some("loud")), true, false),
        (By::User, Chatflows::OneOn, source("chatflow", Some("other")), false, false),
        (By::Integration, Chatflows::OneOn, source("chatflow", Some("loud")), true, false),
        (By::User, Chatflows::On, source("import", Some("loud")), false, false),
        (By::User, Chatflows::On, source("integration", None), false, false),
        (By::Integration, Chatflows::On, json!({}), false, false),
        (By::MarketingIntegration, Chatflows::Off, json!({}), true, false),
        (By::MarketingIntegration, Chatflows::Off, source("integration", Some("x")), true, false),
        (By::MarketingIntegration, Chatflows::Off, source("import", None), false, false),
        (By::User, Chatflows::On, source("meeting", None), false, false),
        (By::User, Chatflows::On, source("logged_email", None), false, false),
        (By::User, Chatflows::On, source("team_inbox", None), false, false),
        (By::User, Chatflows::On, source("document", None), false, false),
        (By::User, Chatflows::On, source("email_extension", None), false, false),
        (By::MarketingIntegration, Chatflows::On, source("mobile_app", None), false, false),
    ];
    let (api, account) = one_account(json!({})).await;
    let tokens = Tokens::make(&api, &account).await;
    let mut usage = 0;
    for (row, (by, chatflows, body, new, existing)) in table.into_iter().enumerate() {
        let defaults = json!({"defaults": {"chatflow": false, "chatflows": {}}});
        let _ = api.patch("/v1/account").token(&account.token).json(&defaults).await.expect(200);
        let defaults = json!({"defaults": chatflows.defaults()});
        let _ = api.patch("/v1/account").token(&account.token).json(&defaults).await.expect(200);

        let path = format!("/v1/contacts/by-email/new{row}@example.org");
        let made = api.put(&path).token(tokens.of(by)).json(&body).await.expect(201);
        let there = format!("there{row}@example.org");
        let _ = api.contact(&account.token, json!({"email": there})).await;
        let path = format!("/v1/contacts/by-email/{there}");
        let saved = api.put(&path).token(tokens.of(by)).json(&body).await.expect(200);
        let state = |contact: &Value| contact["marketing"]["state"] == "marketing";
        assert_eq!((state(&made), state(&saved)), (new, existing), "{by:?} {chatflows:?} {body}");
        usage += u64::from(new) + u64::from(existing);
        assert_eq!(api.assert_exact(&account).await["marketing"], usage);
    }
}

#[tokio::test]
async fn a_source_is_kept_as_it_was_named_and_an_integrations_own_is_its_own() {
    let (api, account) = one_account(json!({})).await;
    let tokens = Tokens::make(&api, &account).await;
    let body = source("meeting", Some("room 4"));
    let contact = api.post("/v1/contacts").token(&tokens.integration).json(&body).await.expect(201);
    assert_eq!(contact["marketing"]["source"], json!({"type": "meeting", "name": "A name", "id": "room 4"}));
    let body = source("integration", Some("another"));
    let contact = api.post("/v1/contacts").token(&tokens.integration).json(&body).await.expect(201);
    let own = &contact["marketing"]["source"];
    assert_eq!((&own["type"], &own["name"]), (&json!("integration"), &json!("Shop")));
    assert!(own["id"].as_str().unwrap().starts_with("int_"));
}

#[tokio::test]
async fn a_status_is_said_for_manual_contacts_alone() {
    let (api, account) = one_account(json!({})).await;
    let tokens = Tokens::make(&api, &account).await;
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
