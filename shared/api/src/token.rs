//! Bearer tokens: their format, their creation, and their repetition in responses without being stored.
//!
//! A token is stored only as its SHA-256 digest, yet a repeated `Idempotency-Key` must return the first response with
//! the token. So a new token is not simply random. It is the HMAC-SHA-256 of a random *seed* of 256 bits, with the
//! caller's own bearer token as the key. The stored response contains the seed in place of the token
//! ([`NewToken::sealed`]). Whenever the response is sent, [`open`] derives the token from the seed and the caller's
//! bearer token.
//!
//! This is safe because each half alone is useless. A reader of the table has seeds and digests, but no bearer token to
//! derive with, and 256 bits cannot be searched. An owner of the caller's bearer token has no seed: it is never sent,
//! it is deleted with the response after 24 hours, and it is only in the table. HMAC's output under an unknown key
//! reveals nothing about the key, so the new token's owner learns nothing about the caller's token.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
pub use domain::digest::sha256_hex;
use domain::limits::TOKEN_CHARS_MAX;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use store::Rng;

/// The prefix of every bearer token, by which readers and secret scanners recognize tokens.
pub const TOKEN_PREFIX: &str = "tmk_";

/// The text that separates this use of HMAC from any other.
const PURPOSE: &[u8] = b"tidemark bearer token 1";

/// A bearer token, which is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Creates a secret from a token's text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Creates a random secret of 256 bits, such as that of a session.
    #[must_use]
    pub fn random(rng: &Rng) -> Self {
        Self(random_text(rng))
    }

    /// Returns the token's text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the stored form of the token: its SHA-256 in lower-case hexadecimal.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        sha256_hex(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Parses the token in an `Authorization` header of the scheme `Bearer` (RFC 6750 §2.1). The scheme's name is
/// case-insensitive (RFC 9110 §11.1).
#[must_use]
pub fn bearer(authorization: &str) -> Option<Secret> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim_matches(' ');
    let fits = (1..=TOKEN_CHARS_MAX).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
    (scheme.eq_ignore_ascii_case("bearer") && fits).then(|| Secret::new(token))
}

/// A newly created token.
pub struct NewToken {
    secret: Secret,
    seed: String,
}

impl NewToken {
    /// Creates a token for the caller with this bearer token.
    #[must_use]
    pub fn mint(bearer: &Secret, rng: &Rng) -> Self {
        let seed = random_text(rng);
        Self { secret: derive(bearer, &seed), seed }
    }

    /// Returns the digest to store, by which the authorizer finds the token.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        self.secret.sha256_hex()
    }

    /// Returns the form of the token in a stored response: the seed, and the digest by which [`open`] recognizes the
    /// right bearer token.
    #[must_use]
    pub fn sealed(&self) -> String {
        format!("{}.{}", self.seed, self.sha256_hex())
    }
}

/// Opens the result of [`NewToken::sealed`]. Returns `None` with another bearer token than that of its creation.
#[must_use]
pub fn open(bearer: &Secret, sealed: &str) -> Option<Secret> {
    let (seed, digest) = sealed.split_once('.')?;
    let secret = derive(bearer, seed);
    (secret.sha256_hex() == digest).then_some(secret)
}

/// Returns 256 random bits as text.
fn random_text(rng: &Rng) -> String {
    let mut bits = [0; 32];
    let (high, low) = bits.split_at_mut(16);
    high.copy_from_slice(&rng.bits().to_be_bytes());
    low.copy_from_slice(&rng.bits().to_be_bytes());
    URL_SAFE_NO_PAD.encode(bits)
}

fn derive(bearer: &Secret, seed: &str) -> Secret {
    #[expect(clippy::expect_used, reason = "HMAC accepts a key of any length (RFC 2104 §2)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(bearer.0.as_bytes()).expect("HMAC accepts any key");
    mac.update(PURPOSE);
    mac.update(&[0]);
    mac.update(seed.as_bytes());
    Secret(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_256_bits_and_the_prefix() {
        let bearer = Secret::new("tmk_a");
        let rng = Rng::seeded(1);
        let token = NewToken::mint(&bearer, &rng);
        let text = token.secret.expose();
        let random = text.strip_prefix("tmk_").unwrap();
        assert_eq!(random.len(), 43);
        assert_eq!(URL_SAFE_NO_PAD.decode(random).unwrap().len(), 32);
        assert_ne!(NewToken::mint(&bearer, &rng).secret.expose(), text);
        assert_eq!(token.sha256_hex(), sha256_hex(text.as_bytes()));
    }

    #[test]
    fn the_digest_is_plain_sha_256() {
        assert_eq!(
            Secret::new("abc").sha256_hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn bearer_token_is_parsed_from_the_header() {
        for header in ["Bearer tmk_a", "bearer tmk_a", "BEARER  tmk_a", "Bearer tmk_a "] {
            assert_eq!(bearer(header), Some(Secret::new("tmk_a")), "{header}");
        }
        let long = format!("Bearer {}", "a".repeat(TOKEN_CHARS_MAX + 1));
        for header in [
            "",
            "Bearer",
            "Bearer ",
            "tmk_a",
            "Basic tmk_a",
            "Bearer a b",
            "Bearer ü",
            "Bearer\ttmk_a",
            &long,
        ] {
            assert_eq!(bearer(header), None, "{header}");
        }
    }

    #[test]
    fn sealed_token_opens_only_with_the_same_bearer() {
        let bearer = Secret::new("tmk_a");
        let token = NewToken::mint(&bearer, &Rng::seeded(2));
        let sealed = token.sealed();
        assert_eq!(open(&bearer, &sealed).as_ref(), Some(&token.secret));
        assert_eq!(open(&Secret::new("tmk_b"), &sealed), None);
        for spoilt in ["", ".", "x", &sealed.replace('.', ""), &format!("A{sealed}")] {
            assert_eq!(open(&bearer, spoilt), None, "{spoilt}");
        }
    }

    #[test]
    fn sealed_form_and_debug_output_hide_the_token() {
        let token = NewToken::mint(&Secret::new("tmk_a"), &Rng::seeded(3));
        let random = token.secret.expose().trim_start_matches("tmk_").to_owned();
        assert!(!token.sealed().contains(&random));
        assert!(!format!("{:?}", token.secret).contains(&random));
    }
}
