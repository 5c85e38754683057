//! The ways in which fields and their values reach a form.

use serde_json::{Map, Value, json};
use testkit::{Api, Reply, Request, Tenant, at};

use super::START;
use super::senders::{Sender, sender};

const FORM: &str = "application/x-www-form-urlencoded";

/// One way in for fields by the form's own names.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Road {
    /// A page's script.
    Json,
    /// A plain HTML form.
    Post,
    /// A plain HTML form with room for files.
    Multipart,
    /// Site code for `HubSpot`.
    HubSpot,
    /// A server with site code for `HubSpot`.
    HubSpotSecure,
    /// Anything with the form's secret, in JSON.
    Generic,
    /// Anything with the form's secret, as a form post.
    GenericPost,
    /// Anything that signs as Standard Webhooks say.
    Standard,
}

/// Every one of them.
pub const ROADS: [Road; 8] = [
    Road::Json,
    Road::Post,
    Road::Multipart,
    Road::HubSpot,
    Road::HubSpotSecure,
    Road::Generic,
    Road::GenericPost,
    Road::Standard,
];

/// An account with a form that one road leads to.
pub struct Journey {
    pub api: Api,
    pub account: Tenant,
    pub form: String,
    road: Road,
}

impl Road {
    /// A form with these settings at the end of the road.
    pub async fn to(self, settings: Value) -> Journey {
        let api = Api::start(at(START)).await;
        let account = api.account(json!({})).await;
        let form = match self.provider() {
            Some(provider) => provider.form(&api, &account, &[1], settings).await,
            None => {
                let mut body = json!({"name": "Native"});
                body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
                let form = api.post("/v1/forms").token(&account.token).json(&body).await.expect(201);
                form["id"].as_str().unwrap().to_owned()
            }
        };
        Journey { api, account, form, road: self }
    }

    fn provider(self) -> Option<Sender> {
        match self {
            Self::Generic | Self::GenericPost => Some(sender("generic")),
            Self::Standard => Some(sender("standard_webhooks")),
            _ => None,
        }
    }
}

impl Journey {
    /// The path that the road ends with.
    pub fn path(&self) -> String {
        let (account, form) = (self.account.id, &self.form);
        match self.road {
            Road::HubSpot => format!("/submissions/v3/integration/submit/{account}/{form}"),
            Road::HubSpotSecure => format!("/submissions/v3/integration/secure/submit/{account}/{form}"),
            Road::Generic | Road::GenericPost | Road::Standard => format!("/v1/hooks/{form}"),
            _ => format!("/v1/forms/{form}/submissions"),
        }
    }

    /// Sends these fields. A name that stands more than once has several values.
    pub async fn send(&self, fields: &[(&str, &str)]) -> Reply {
        match self.road {
            Road::Post | Road::GenericPost => self.send_body(FORM, urlencoded(fields).as_bytes()).await,
            Road::Multipart => {
                self.send_body("multipart/form-data; boundary=b", multipart(fields).as_bytes()).await
            }
            _ => self.send_body("application/json", self.document(fields).to_string().as_bytes()).await,
        }
    }

    /// Sends a body as it is, signed where the road asks for it.
    pub async fn send_body(&self, media_type: &str, body: &[u8]) -> Reply {
        let request = self.api.post(&self.path()).body(media_type, body);
        self.signed(request, body).await
    }

    fn signed<'a>(&self, request: Request<'a>, body: &[u8]) -> Request<'a> {
        match self.road.provider() {
            Some(provider) => {
                let id = ("webhook-id", "msg_2pXq".to_owned());
                let headers = provider.signature(body, 1, at(START)).into_iter().chain([id]);
                headers.fold(request, |request, (name, value)| request.header(name, value))
            }
            None if self.road == Road::HubSpotSecure => request.token(&self.account.token),
            None => request,
        }
    }

    /// The JSON document of these fields.
    pub fn document(&self, fields: &[(&str, &str)]) -> Value {
        if [Road::HubSpot, Road::HubSpotSecure].contains(&self.road) {
            let fields = fields.iter().map(|(name, value)| json!({"name": name, "value": value}));
            return json!({"fields": fields.collect::<Vec<_>>()});
        }
        let mut members = Map::new();
        for (name, value) in fields {
            match members.get_mut(*name) {
                Some(Value::Array(values)) => values.push(json!(value)),
                Some(one) => *one = json!([one.take(), value]),
                None => drop(members.insert((*name).to_owned(), json!(value))),
            }
        }
        if self.road == Road::Json { json!({"fields": members}) } else { members.into() }
    }

    /// The contact with this address.
    pub async fn contact(&self, address: &str) -> Value {
        let path = format!("/v1/contacts/by-email/{address}");
        self.api.get(&path).token(&self.account.token).await.expect(200)
    }

    /// The properties of the only contact there is, which has this address.
    pub async fn only(&self, address: &str) -> Value {
        let scan = testkit::scan(&self.api.table.client, self.account.id).await;
        assert_eq!(scan.contacts, 1, "{:?}", self.road);
        let contact = self.contact(address).await;
        assert_eq!(contact["email"], address, "{:?}", self.road);
        contact["properties"].clone()
    }
}

/// The body of a plain HTML form.
pub fn urlencoded(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn multipart(fields: &[(&str, &str)]) -> String {
    let parts = fields.iter().map(|(name, value)| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    parts.chain(["--b--\r\n".to_owned()]).collect()
}
