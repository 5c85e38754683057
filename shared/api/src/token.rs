//! Bearer tokens: how they look, how they are made, and how one can be told again without ever being kept.
//!
//! A token is kept only as its SHA-256, and yet the answer to a repeated `Idempotency-Key` has to be the first one,
//! token included. So a new token is not simply random. It is HMAC-SHA-256 under the caller's own bearer token of a
//! random *seed* of 256 bits, and the kept answer holds the seed in the token's place ([`NewToken::sealed`]). When
//! the answer is sent, be it the first time or again, the seed and the caller's bearer token give the token
//! ([`open`]).
//!
//! That is safe because each half alone is useless. Who reads the table has seeds and digests, and no bearer token
//! to derive with; 256 bits can't be searched. Who holds the caller's bearer token has no seed: it is never sent,
//! is forgotten with the answer after 24 hours, and could only be had from the table. HMAC's output under an unknown
//! key tells nothing of the key, so the new token's owner learns nothing of the caller's.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::limits::TOKEN_CHARS_MAX;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use store::Rng;

/// What every bearer token begins with, so that people and scanners know one when they see it.
pub const TOKEN_PREFIX: &str = "tmk_";

/// Keeps this use of HMAC apart from any other.
const PURPOSE: &[u8] = b"tidemark bearer token 1";

/// A bearer token. It is shown to its owner once and never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Holds a token that came with a request.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token's text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it: its SHA-256 in lower-case hexadecimal.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The token in the value of an `Authorization` header of the scheme `Bearer` (RFC 6750 §2.1). The scheme's name is
/// read without case (RFC 9110 §11.1).
#[must_use]
pub fn bearer(authorization: &str) -> Option<Secret> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim_matches(' ');
    let fits = (1..=TOKEN_CHARS_MAX).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
    (scheme.eq_ignore_ascii_case("bearer") && fits).then(|| Secret::new(token))
}

/// SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A token that was just made.
pub struct NewToken {
    secret: Secret,
    seed: String,
}

impl NewToken {
    /// Makes a token on behalf of the caller with this bearer token.
    #[must_use]
    pub fn mint(bearer: &Secret, rng: &Rng) -> Self {
        let mut seed = [0; 32];
        let (high, low) = seed.split_at_mut(16);
        high.copy_from_slice(&rng.bits().to_be_bytes());
        low.copy_from_slice(&rng.bits().to_be_bytes());
        let seed = URL_SAFE_NO_PAD.encode(seed);
        Self { secret: derive(bearer, &seed), seed }
    }

    /// What to keep of it, for the authorizer to find.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        self.secret.sha256_hex()
    }

    /// What stands for it in an answer that is kept: the seed, and the digest that tells whether [`open`] had the
    /// right bearer token.
    #[must_use]
    pub fn sealed(&self) -> String {
        format!("{}.{}", self.seed, self.sha256_hex())
    }
}

/// The token that [`NewToken::sealed`] stands for. None with another bearer token than the one it was made under.
#[must_use]
pub fn open(bearer: &Secret, sealed: &str) -> Option<Secret> {
    let (seed, digest) = sealed.split_once('.')?;
    let secret = derive(bearer, seed);
    (secret.sha256_hex() == digest).then_some(secret)
}

fn derive(bearer: &Secret, seed: &str) -> Secret {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104 §2)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(bearer.0.as_bytes()).expect("HMAC takes any key");
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
    fn a_header_of_the_bearer_scheme_has_a_token() {
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
    fn the_same_bearer_opens_what_was_sealed_and_no_other_does() {
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
    fn neither_the_sealed_form_nor_debug_output_shows_the_token() {
        let token = NewToken::mint(&Secret::new("tmk_a"), &Rng::seeded(3));
        let random = token.secret.expose().trim_start_matches("tmk_").to_owned();
        assert!(!token.sealed().contains(&random));
        assert!(!format!("{:?}", token.secret).contains(&random));
    }
}
