//! The channels through which fields reach a form.

use serde_json::{Map, Value, json};
use testkit::{Api, Reply, Request, Tenant, at};

use super::START;
use super::senders::{Sender, sender};

const FORM: &str = "application/x-www-form-urlencoded";

/// A route and an encoding for fields that use the form's own names.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Channel {
    /// JSON from a page's script.
    Json,
    /// A plain HTML form.
    Post,
    /// An HTML form with the encoding `multipart/form-data`.
    Multipart,
    /// Site code for `HubSpot`.
    HubSpot,
    /// A server with site code for `HubSpot`.
    HubSpotSecure,
    /// JSON from any client with the form's secret.
    Generic,
    /// A form post from any client with the form's secret.
    GenericPost,
    /// A client that signs as Standard Webhooks specify.
    Standard,
}

/// Every channel.
pub const CHANNELS: [Channel; 8] = [
    Channel::Json,
    Channel::Post,
    Channel::Multipart,
    Channel::HubSpot,
    Channel::HubSpotSecure,
    Channel::Generic,
    Channel::GenericPost,
    Channel::Standard,
];

/// An account with a form that one channel submits to.
pub struct ChannelFixture {
    pub api: Api,
    pub account: Tenant,
    pub form: String,
    channel: Channel,
}

impl Channel {
    /// Creates an account and a form with these settings.
    pub async fn fixture(self, settings: Value) -> ChannelFixture {
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
        ChannelFixture { api, account, form, channel: self }
    }

    fn provider(self) -> Option<Sender> {
        match self {
            Self::Generic | Self::GenericPost => Some(sender("generic")),
            Self::Standard => Some(sender("standard_webhooks")),
            _ => None,
        }
    }
}

impl ChannelFixture {
    /// Returns the path that the channel posts to.
    pub fn path(&self) -> String {
        let (account, form) = (self.account.id, &self.form);
        match self.channel {
            Channel::HubSpot => format!("/submissions/v3/integration/submit/{account}/{form}"),
            Channel::HubSpotSecure => format!("/submissions/v3/integration/secure/submit/{account}/{form}"),
            Channel::Generic | Channel::GenericPost | Channel::Standard => format!("/v1/hooks/{form}"),
            _ => format!("/v1/forms/{form}/submissions"),
        }
    }

    /// Sends these fields. A repeated name has several values.
    pub async fn send(&self, fields: &[(&str, &str)]) -> Reply {
        match self.channel {
            Channel::Post | Channel::GenericPost => self.send_body(FORM, urlencoded(fields).as_bytes()).await,
            Channel::Multipart => {
                self.send_body("multipart/form-data; boundary=b", multipart(fields).as_bytes()).await
            }
            _ => self.send_body("application/json", self.document(fields).to_string().as_bytes()).await,
        }
    }

    /// Sends a body unchanged, with a signature if the channel requires one.
    pub async fn send_body(&self, media_type: &str, body: &[u8]) -> Reply {
        let request = self.api.post(&self.path()).body(media_type, body);
        self.signed(request, body).await
    }

    fn signed<'a>(&self, request: Request<'a>, body: &[u8]) -> Request<'a> {
        match self.channel.provider() {
            Some(provider) => {
                let id = ("webhook-id", "msg_2pXq".to_owned());
                let headers = provider.signature(body, 1, at(START)).into_iter().chain([id]);
                headers.fold(request, |request, (name, value)| request.header(name, value))
            }
            None if self.channel == Channel::HubSpotSecure => request.token(&self.account.token),
            None => request,
        }
    }

    /// Returns the fields as the channel's JSON document.
    pub fn document(&self, fields: &[(&str, &str)]) -> Value {
        if [Channel::HubSpot, Channel::HubSpotSecure].contains(&self.channel) {
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
        if self.channel == Channel::Json { json!({"fields": members}) } else { members.into() }
    }

    /// Returns the contact with this address.
    pub async fn contact(&self, address: &str) -> Value {
        let path = format!("/v1/contacts/by-email/{address}");
        self.api.get(&path).token(&self.account.token).await.expect(200)
    }

    /// Asserts that the account has only one contact, with this address, and returns its properties.
    pub async fn only_contact_properties(&self, address: &str) -> Value {
        let scan = testkit::scan(&self.api.table.client, self.account.id).await;
        assert_eq!(scan.contacts, 1, "{:?}", self.channel);
        let contact = self.contact(address).await;
        assert_eq!(contact["email"], address, "{:?}", self.channel);
        contact["properties"].clone()
    }
}

/// Encodes the fields as the body of a plain HTML form.
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
