//! The form providers, which send the samples of `tests/fixtures/forms` with signatures that this module creates.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::{Api, Request, Tenant};

/// A provider and its sample.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sender {
    /// The provider's name in the API, such as `typeform`.
    pub provider: &'static str,
    /// The media type of the sample.
    pub content_type: &'static str,
    /// The body of the sample.
    pub body: &'static [u8],
    /// The contact's address in the sample.
    pub address: &'static str,
    /// The field map that a form needs for the sample.
    map: &'static [(&'static str, &'static str)],
    signed: Signed,
}

/// The way in which a hook is authenticated.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Signed {
    /// A signature of the body.
    Body,
    /// A signature of the body and the time of sending.
    BodyAndTime,
    /// The secret itself, in a header or in the query.
    Secret,
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=tidemark-fixture";

macro_rules! sender {
    ($provider:literal, $file:literal, $content_type:expr, $address:literal, $signed:ident, $map:expr) => {
        Sender {
            provider: $provider,
            content_type: $content_type,
            body: include_bytes!(concat!("../fixtures/forms/", $file)),
            address: $address,
            map: $map,
            signed: Signed::$signed,
        }
    };
}

/// Every provider.
pub const SENDERS: [Sender; 10] = [
    sender!("typeform", "typeform.json", JSON, "wilhelmine.brandt@example.org", Body, &[]),
    sender!("tally", "tally.json", JSON, "teodora@example.org", Body, &[]),
    sender!("jotform", "jotform.multipart", MULTIPART, "kwame@example.org", Secret, &[]),
    sender!("webflow", "webflow.json", JSON, "ingrid.solberg@example.org", BodyAndTime, &[]),
    sender!("netlify", "netlify.json", JSON, "mateo.quispe@example.org", Body, &[]),
    sender!("calendly", "calendly.json", JSON, "hana.novakova@example.org", BodyAndTime, &[]),
    sender!(
        "gravity_forms",
        "gravity_forms.json",
        JSON,
        "noor.haddad@example.org",
        Secret,
        &[("2", "email")]
    ),
    sender!("wpforms", "wpforms.txt", FORM, "samuel.okoro@example.org", Secret, &[]),
    sender!(
        "standard_webhooks",
        "standard_webhooks.json",
        JSON,
        "lucia.ferrari@example.org",
        BodyAndTime,
        &[]
    ),
    sender!("generic", "generic.txt", FORM, "yuki.tanaka@example.org", Secret, &[]),
];

/// Returns the provider with this name.
pub fn sender(provider: &str) -> Sender {
    *SENDERS.iter().find(|sender| sender.provider == provider).unwrap()
}

impl Sender {
    /// Returns true if the signature covers the body.
    pub fn signs(&self) -> bool {
        self.signed != Signed::Secret
    }

    /// Returns true if the signature covers the time of sending.
    pub fn signs_timestamp(&self) -> bool {
        self.signed == Signed::BodyAndTime
    }

    /// Returns one of the secrets that the provider's forms can have.
    pub fn secret(&self, number: u8) -> String {
        match self.provider {
            "standard_webhooks" => format!("whsec_{}", STANDARD.encode([number; 32])),
            _ => format!("tmk_a-secret-of-this-form-{number}"),
        }
    }

    /// Returns the field map that a form needs for the sample.
    pub fn map(&self) -> BTreeMap<String, &'static str> {
        self.map.iter().map(|(field, target)| ((*field).to_owned(), *target)).collect()
    }

    /// Creates a form with the secrets of these numbers and with these settings. Returns the form's id.
    pub async fn form(&self, api: &Api, account: &Tenant, secrets: &[u8], settings: Value) -> String {
        let secrets: Vec<String> = secrets.iter().map(|number| self.secret(*number)).collect();
        let mut body =
            json!({"name": "Sample", "provider": self.provider, "secrets": secrets, "field_map": self.map()});
        body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let form = api.post("/v1/forms").token(&account.token).json(&body).await.expect(201);
        let id = form["id"].as_str().unwrap();
        let url = form["webhook_url"].as_str().unwrap();
        assert_eq!(
            url,
            format!("{}/v1/hooks/{id}", testkit::PUBLIC_URL),
            "the webhook URL that the provider receives"
        );
        id.to_owned()
    }

    /// Returns the request that sends the sample at this time.
    pub fn hook<'a>(&self, api: &'a Api, form: &str, secret: u8, at: Timestamp) -> Request<'a> {
        self.with_body(api, form, self.body, &self.signature(self.body, secret, at))
    }

    /// Returns a delivery with this address and with an answer to a question called `note`. Both are inserted into JSON
    /// without escaping. A provider whose sample is a form post also sends JSON, with the media type of the sample.
    pub fn delivery_with(&self, email: &str, note: &str) -> String {
        match self.provider {
            "typeform" => format!(
                r#"{{"event_id": "e", "event_type": "form_response", "form_response": {{"answers": [
                    {{"type": "email", "email": "{email}", "field": {{"id": "f1", "ref": "mail"}}}},
                    {{"type": "text", "text": "{note}", "field": {{"id": "f2", "ref": "note"}}}}]}}}}"#
            ),
            "tally" => format!(
                r#"{{"eventId": "e", "eventType": "FORM_RESPONSE", "data": {{"fields": [
                    {{"key": "k1", "label": "Mail", "type": "INPUT_EMAIL", "value": "{email}"}},
                    {{"key": "k2", "label": "note", "type": "INPUT_TEXT", "value": "{note}"}}]}}}}"#
            ),
            "jotform" => {
                let part = |name: &str, value: &str| {
                    format!(
                        "--tidemark-fixture\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
                    )
                };
                let answers = format!(r#"{{"q3_email": "{email}", "q4_note": "{note}"}}"#);
                [&part("submissionID", "e"), &part("rawRequest", &answers), "--tidemark-fixture--\r\n"]
                    .concat()
            }
            "webflow" => format!(
                r#"{{"triggerType": "form_submission", "payload": {{"id": "e", "data": {{"email": "{email}", "note": "{note}"}}}}}}"#
            ),
            "netlify" => format!(r#"{{"id": "e", "data": {{"email": "{email}", "note": "{note}"}}}}"#),
            "calendly" => format!(
                r#"{{"event": "invitee.created", "payload": {{"uri": "e", "email": "{email}",
                    "questions_and_answers": [{{"question": "note", "answer": "{note}"}}]}}}}"#
            ),
            _ => format!(r#"{{"submission_id": "e", "email": "{email}", "note": "{note}"}}"#),
        }
    }

    /// Returns the request for a hook with this body. The signature may belong to another body.
    pub fn with_body<'a>(
        &self,
        api: &'a Api,
        form: &str,
        body: &[u8],
        signature: &[(&'static str, String)],
    ) -> Request<'a> {
        let request = api.post(&format!("/v1/hooks/{form}")).body(self.content_type, body);
        let id = (self.provider == "standard_webhooks").then(|| ("webhook-id", "msg_2pXq".to_owned()));
        let headers = signature.iter().cloned().chain(id);
        headers.fold(request, |request, (name, value)| request.header(name, value))
    }

    /// Returns the headers that authenticate a hook with this body.
    pub fn signature(&self, body: &[u8], secret: u8, at: Timestamp) -> Vec<(&'static str, String)> {
        let secret = self.secret(secret);
        let key = secret.as_bytes();
        let (seconds, millis) = (at.seconds().to_string(), at.millis().to_string());
        let after = |before: &[&str]| [before.concat().as_bytes(), body].concat();
        match self.provider {
            "typeform" => {
                vec![("typeform-signature", format!("sha256={}", STANDARD.encode(code(key, body))))]
            }
            "tally" => vec![("tally-signature", STANDARD.encode(code(key, body)))],
            "webflow" => vec![
                ("x-webflow-signature", hex(&code(key, &after(&[&millis, ":"])))),
                ("x-webflow-timestamp", millis),
            ],
            "netlify" => {
                let claims = json!({"iss": "netlify", "sha256": hex(&Sha256::digest(body))});
                vec![("x-webhook-signature", jws(&claims, key))]
            }
            "calendly" => {
                let code = hex(&code(key, &after(&[&seconds, "."])));
                vec![("calendly-webhook-signature", format!("t={seconds},v1={code}"))]
            }
            "standard_webhooks" => {
                let key = STANDARD.decode(&secret["whsec_".len()..]).unwrap();
                let code = STANDARD.encode(code(&key, &after(&["msg_2pXq.", &seconds, "."])));
                vec![("webhook-signature", format!("v1,{code}")), ("webhook-timestamp", seconds)]
            }
            _ => vec![("x-tidemark-secret", secret)],
        }
    }
}

fn code(key: &[u8], text: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

fn jws(claims: &Value, key: &[u8]) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT"}).to_string();
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(code(key, signed.as_bytes())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
