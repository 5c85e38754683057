//! Verification of webhooks.
//!
//! - A webhook with a signature is verified by its signature alone. The signature covers the raw body and must match
//!   one of the form's secrets. Comparisons run in constant time.
//! - A webhook without a signature must contain the secret itself, as `secret` in the query or in the header
//!   `x-tidemark-secret`. If both are present, the header counts.
//! - If the time of signing is signed too, it must be near now. A time too far in the future is also stale.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::Timestamp;
use domain::provider::Provider;
use domain::secrets::Secrets;
use domain::string_enum;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::verifiers::{
    Claims, Encoding, Key, Part, Place, Signature, SignedAt, Unit, Verifier, Written, verifier,
};

/// The header with the shared secret of a provider that does not sign.
pub(crate) const SECRET_HEADER: &str = "x-tidemark-secret";

/// The query parameter with the shared secret, as an alternative to the header.
pub(crate) const SECRET_PARAMETER: &str = "secret";

/// The base64 configuration. Padding is optional, because some providers omit it.
const PADDED_OR_NOT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, PADDED_OR_NOT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, PADDED_OR_NOT);

/// The HMAC key for comparing shared secrets. It separates this use of HMAC from all others.
const SHARED_PURPOSE: &[u8] = b"tidemark shared secret 1";

string_enum! {
    /// The reason why a webhook failed verification. The response is always 401. The reason helps the account's users
    /// to find the mistake.
    pub(crate) enum Unverified {
        /// The form has no secret yet, or it is native and accepts no webhooks.
        NoSecret = "no-secret",
        /// The signature or the shared secret is missing, or a header that belongs to the signature is.
        Missing = "missing",
        /// The signature was created with another secret or for another body, or the shared secret is another one.
        Wrong = "wrong",
        /// The time of signing is too far in the past or in the future.
        Stale = "stale",
    }
}

/// A webhook as it was received.
struct Hook<'h> {
    headers: &'h HeaderMap,
    query: &'h str,
    body: &'h [u8],
}

/// Verifies that a webhook comes from the form's provider. `query` is the query of the address, without its question
/// mark.
///
/// # Errors
///
/// The reason why the webhook failed verification.
pub(crate) fn verify(
    provider: Provider,
    headers: &HeaderMap,
    query: &str,
    body: &[u8],
    secrets: &Secrets,
    now: Timestamp,
) -> Result<(), Unverified> {
    let verifier = verifier(provider).filter(|_| !secrets.is_empty()).ok_or(Unverified::NoSecret)?;
    let hook = Hook { headers, query, body };
    match present(verifier, headers) {
        Some(signature) => signature.check(&hook, secrets, now),
        None if verifier.takes_shared_secret => hook.check_shared(secrets),
        None => Err(Unverified::Missing),
    }
}

/// Returns the delivery's id from the header that the webhook's signature covers. The id headers of other signature
/// schemes are ignored, because the signature does not cover them.
pub(super) fn delivery_id(provider: Provider, headers: &HeaderMap) -> Option<String> {
    let signatures = verifier(provider)?.signatures;
    let signed = present(verifier(provider)?, headers).or_else(|| signatures.first())?;
    let id = headers.get(signed.id_header?)?.to_str().ok()?;
    (!id.is_empty()).then(|| id.to_owned())
}

/// Returns the first signature scheme whose header is present.
fn present(verifier: &'static Verifier, headers: &HeaderMap) -> Option<&'static Signature> {
    verifier.signatures.iter().find(|signature| headers.contains_key(signature.header))
}

impl Hook<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn check_shared(&self, secrets: &Secrets) -> Result<(), Unverified> {
        let in_query = || {
            let mut parameters = form_urlencoded::parse(self.query.as_bytes());
            parameters.find(|(name, _)| name == SECRET_PARAMETER).map(|(_, value)| value.into_owned())
        };
        let given = self.header(SECRET_HEADER).map(str::to_owned).or_else(in_query);
        let given = given.ok_or(Unverified::Missing)?;
        // Digests are compared in constant time, so the duration does not reveal the lengths of the secrets either.
        let digest = |text: &str| code(SHARED_PURPOSE).chain_update(text);
        let given = digest(&given).finalize().into_bytes();
        one_of(secrets, |secret| Some(digest(secret).verify(&given).is_ok()))
    }
}

impl Signature {
    fn check(&self, hook: &Hook<'_>, secrets: &Secrets, now: Timestamp) -> Result<(), Unverified> {
        let header = hook.header(self.header).ok_or(Unverified::Missing)?;
        if let Written::Jws(claims) = self.written {
            return self.check_jws(header, claims, hook.body, secrets, now);
        }
        let signed_at =
            self.signed_at.map(|at| at.find(hook, header).ok_or(Unverified::Missing)).transpose()?;
        let found = self.written.find(header);
        if found.is_empty() {
            return Err(Unverified::Missing);
        }
        let parts = self.signed.iter().map(|part| part.bytes(hook, signed_at));
        let parts: Vec<&[u8]> = parts.collect::<Option<_>>().ok_or(Unverified::Missing)?;
        one_of(secrets, |secret| {
            let code = parts.iter().fold(code(&self.key.of(secret)?), Hmac::chain_update);
            // All signatures are compared, so that the duration does not reveal the matching one.
            Some(found.iter().filter(|given| code.clone().verify_slice(given).is_ok()).count() > 0)
        })?;
        match (self.signed_at, signed_at) {
            (Some(at), Some(text)) if !at.is_near(text, now) => Err(Unverified::Stale),
            _ => Ok(()),
        }
    }

    fn check_jws(
        &self,
        header: &str,
        claims: Claims,
        body: &[u8],
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<(), Unverified> {
        let (signed, given) = header.rsplit_once('.').ok_or(Unverified::Missing)?;
        let (header, claims_part) = signed.split_once('.').ok_or(Unverified::Missing)?;
        let given = BASE64_URL.decode(given).map_err(|_| Unverified::Wrong)?;
        one_of(secrets, |secret| {
            let code = code(&self.key.of(secret)?).chain_update(signed);
            Some(code.verify_slice(&given).is_ok())
        })?;
        let header: JwsHeader = part_of_jws(header).ok_or(Unverified::Wrong)?;
        let found: Map<String, Value> = part_of_jws(claims_part).ok_or(Unverified::Wrong)?;
        let text = |name: &str| found.get(name).and_then(Value::as_str);
        let digest = text(claims.digest).and_then(|digest| Encoding::Hex.decode(digest));
        if header.alg != "HS256"
            || text("iss") != Some(claims.issuer)
            || digest.as_deref() != Some(&Sha256::digest(body)[..])
        {
            return Err(Unverified::Wrong);
        }
        // RFC 7519 §4.1.4. Netlify does not send `exp`, but if it is present it applies.
        match found.get("exp").map(Value::as_f64) {
            Some(Some(at)) if Timestamp::from_millis(millis(at)) > now => Ok(()),
            Some(_) => Err(Unverified::Stale),
            None => Ok(()),
        }
    }
}

/// The needed members of a JWS header. They are used only after the signature has been verified.
#[derive(Deserialize)]
struct JwsHeader {
    alg: String,
}

fn part_of_jws<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL.decode(part).ok()?).ok()
}

#[expect(clippy::cast_possible_truncation, reason = "the cast saturates at the bounds")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}

impl Written {
    /// Returns the signatures in a header. Entries that are not signatures are ignored.
    fn find(self, header: &str) -> Vec<Vec<u8>> {
        match self {
            Self::Alone(prefix, encoding) => {
                let text = header.trim().strip_prefix(prefix);
                text.and_then(|text| encoding.decode(text)).into_iter().collect()
            }
            Self::Pair(name, encoding) => {
                pairs(header, name).filter_map(|text| encoding.decode(text)).collect()
            }
            Self::Listed(version, encoding) => {
                let entries = header.split(' ').filter_map(|entry| entry.split_once(','));
                let ours = entries.filter(|(of, _)| *of == version);
                ours.filter_map(|(_, text)| encoding.decode(text)).collect()
            }
            // `check_jws` parses the whole header.
            Self::Jws(_) => Vec::new(),
        }
    }
}

/// Returns the values of one name in `name=value,name=value`.
fn pairs<'h>(header: &'h str, wanted: &str) -> impl Iterator<Item = &'h str> {
    let pairs = header.split(',').filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(name, _)| *name == wanted).map(|(_, value)| value)
}

impl Encoding {
    fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => BASE64.decode(text).ok(),
            Self::Hex => {
                let digits = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<_>>>()?;
                let (bytes, rest) = digits.as_chunks::<2>();
                let byte = |[high, low]: &[u32; 2]| u8::try_from(high * 16 + low).ok();
                rest.is_empty().then(|| bytes.iter().map(byte).collect())?
            }
        }
    }
}

impl SignedAt {
    /// Returns the text of the time of signing, because the text is what is signed.
    fn find<'h>(self, hook: &'h Hook<'_>, header: &'h str) -> Option<&'h str> {
        match self.place {
            Place::Header(name) => hook.header(name),
            Place::Pair(name) => pairs(header, name).next(),
        }
    }

    fn is_near(self, text: &str, now: Timestamp) -> bool {
        let Ok(number) = text.parse::<i64>() else { return false };
        let millis = match self.unit {
            Unit::Seconds => number.saturating_mul(1000),
            Unit::Milliseconds => number,
        };
        now.millis().abs_diff(millis) <= self.tolerance.num_milliseconds().unsigned_abs()
    }
}

impl Part {
    /// Returns the bytes of the part. Returns `None` if the webhook lacks it.
    fn bytes<'h>(&self, hook: &'h Hook<'_>, signed_at: Option<&'h str>) -> Option<&'h [u8]> {
        match self {
            Self::Header(name) => hook.header(name).map(str::as_bytes),
            Self::SignedAt => signed_at.map(str::as_bytes),
            Self::Literal(text) => Some(text.as_bytes()),
            Self::Body => Some(hook.body),
        }
    }
}

impl Key {
    /// Returns the key. Returns `None` if the secret does not have the required format.
    fn of(self, secret: &str) -> Option<Vec<u8>> {
        match self {
            Self::Text => Some(secret.as_bytes().to_vec()),
            Self::Base64After(prefix) => BASE64.decode(secret.strip_prefix(prefix)?).ok(),
        }
    }
}

fn code(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC accepts a key of any length (RFC 2104 §2)")]
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts any key")
}

/// Returns an error unless one of the secrets matches. All are tried, so that the duration does not reveal the matching
/// one.
fn one_of(secrets: &Secrets, fits: impl Fn(&str) -> Option<bool>) -> Result<(), Unverified> {
    let fitting = secrets.iter().filter(|secret| fits(secret) == Some(true)).count();
    if fitting > 0 { Ok(()) } else { Err(Unverified::Wrong) }
}

#[cfg(test)]
mod tests;
