//! The sample deliveries of `tests/fixtures/forms`, with the signatures of their senders.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::Timestamp;
use domain::secrets::Secrets;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};

use super::*;
use form_mapping::person::FieldMap;

/// A sample delivery of a provider.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) provider: Provider,
    pub(super) content_type: &'static str,
    pub(super) body: &'static [u8],
    /// The field map that a form needs for the sample.
    map: &'static [(&'static str, &'static str)],
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

macro_rules! sample {
    ($provider:ident, $file:literal, $content_type:expr, $map:expr) => {
        Sample {
            provider: Provider::$provider,
            content_type: $content_type,
            body: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/forms/", $file)),
            map: $map,
        }
    };
}

/// One sample of each provider.
pub(super) const SAMPLES: [Sample; 10] = [
    sample!(Typeform, "typeform.json", JSON, &[]),
    sample!(Tally, "tally.json", JSON, &[]),
    sample!(Jotform, "jotform.multipart", "multipart/form-data; boundary=tidemark-fixture", &[]),
    sample!(Webflow, "webflow.json", JSON, &[]),
    sample!(Netlify, "netlify.json", JSON, &[]),
    sample!(Calendly, "calendly.json", JSON, &[]),
    sample!(GravityForms, "gravity_forms.json", JSON, &[("2", "email")]),
    sample!(Wpforms, "wpforms.txt", FORM, &[]),
    sample!(StandardWebhooks, "standard_webhooks.json", JSON, &[]),
    sample!(Generic, "generic.txt", FORM, &[]),
];

/// Returns the sample of a provider.
pub(super) fn sample(provider: Provider) -> Sample {
    *SAMPLES.iter().find(|sample| sample.provider == provider).unwrap()
}

/// Returns the time at which the samples are sent.
pub(super) fn now() -> Timestamp {
    "2026-11-21T20:00:00.500Z".parse().unwrap()
}

/// Returns a secret in the provider's format. Each number has its own secret.
pub(super) fn secret(provider: Provider, number: u8) -> String {
    match provider {
        Provider::StandardWebhooks => format!("whsec_{}", STANDARD.encode([number; 32])),
        _ => format!("a-secret-of-this-form-{number}"),
    }
}

pub(super) fn secrets(provider: Provider, numbers: &[u8]) -> Secrets {
    Secrets::new(provider, numbers.iter().map(|number| secret(provider, *number)).collect()).unwrap()
}

pub(super) fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pairs = pairs.iter().map(|(name, value)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
    });
    pairs.collect()
}

impl Sample {
    pub(super) fn map(&self) -> FieldMap {
        self.map.iter().map(|(field, target)| ((*field).to_owned(), target.parse().unwrap())).collect()
    }

    /// Returns the sample's headers, without those of a signature.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut found = headers(&[("content-type", self.content_type)]);
        if self.provider == Provider::StandardWebhooks {
            found.insert("webhook-id", HeaderValue::from_static("msg_2pXq"));
        }
        found
    }

    /// Parses a body with the sample's provider and headers.
    pub(super) fn read(&self, body: impl Into<Bytes>) -> Result<Delivery, Problem> {
        read(self.provider, &self.headers(), &body.into())
    }

    /// Returns the headers and the query of a signed delivery with this body.
    pub(super) fn signed(&self, body: &[u8], secret: &str, at: Timestamp) -> (HeaderMap, String) {
        let key = secret.as_bytes();
        let dotted = |first: &str, body: &[u8]| [first.as_bytes(), b".", body].concat();
        let mut headers = self.headers();
        let mut query = String::new();
        let mut put = |name: &'static str, value: String| {
            headers.insert(HeaderName::from_static(name), HeaderValue::try_from(value).unwrap());
        };
        match self.provider {
            Provider::Typeform => {
                put("typeform-signature", format!("sha256={}", STANDARD.encode(hmac(key, body))));
            }
            Provider::Tally => put("tally-signature", STANDARD.encode(hmac(key, body))),
            Provider::Webflow => {
                let at = at.millis().to_string();
                let signed = [at.as_bytes(), b":", body].concat();
                put("x-webflow-signature", hex(&hmac(key, &signed)));
                put("x-webflow-timestamp", at);
            }
            Provider::Netlify => {
                let claims = format!(r#"{{"iss":"netlify","sha256":"{}"}}"#, hex(&Sha256::digest(body)));
                put("x-webhook-signature", jws(r#"{"alg":"HS256","typ":"JWT"}"#, &claims, key));
            }
            Provider::Calendly => {
                let at = at.seconds().to_string();
                let code = hex(&hmac(key, &dotted(&at, body)));
                put("calendly-webhook-signature", format!("t={at},v1={code}"));
            }
            Provider::StandardWebhooks => {
                let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
                let at = at.seconds().to_string();
                let signed = dotted("msg_2pXq", &dotted(&at, body));
                put("webhook-signature", format!("v1,{}", STANDARD.encode(hmac(&key, &signed))));
                put("webhook-timestamp", at);
            }
            Provider::Jotform => query = format!("a=b&secret={secret}"),
            _ => put("x-tidemark-secret", secret.to_owned()),
        }
        (headers, query)
    }
}

/// Returns a JWS in compact form. It is signed with HS256, even if its header names another algorithm.
pub(super) fn jws(header: &str, claims: &str, key: &[u8]) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac(key, signed.as_bytes())))
}

/// Computes HMAC-SHA256 as RFC 2104 defines it, independently of the code under test.
pub(super) fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |with: u8| block.map(|byte| byte ^ with).to_vec();
    let inner = Sha256::digest([&padded(0x36), text].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn independent_hmac_matches_rfc_4231() {
    let code = hex(&hmac(b"Jefe", b"what do ya want for nothing?"));
    assert_eq!(code, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    let code = hex(&hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"));
    assert_eq!(code, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

#[test]
fn every_provider_has_a_sample() {
    let with: Vec<Provider> = SAMPLES.iter().map(|sample| sample.provider).collect();
    let others: Vec<&Provider> = Provider::ALL.iter().filter(|provider| !with.contains(provider)).collect();
    assert_eq!(others, [&Provider::Native]);
    assert!(
        SAMPLES
            .iter()
            .all(|sample| !sample.headers().is_empty() && sample.headers().contains_key(CONTENT_TYPE))
    );
}
