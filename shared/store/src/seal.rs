//! Sealing what is kept of answers under the request's own `Idempotency-Key`, which itself is not kept.
//!
//! A kept answer repeats people's data for a day. Sealed, it is of use only to whoever sends the same request again,
//! and had it already: nobody who reads the table, or a backup of it, can read there what was erased meanwhile.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest as _, Sha256};

use crate::{Rng, StoreError};

/// Keeps this use of the key apart from its use as a name in the table.
const PURPOSE: &[u8] = b"tidemark kept answer 1";

/// The key that a request's answer is sealed under.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Seal([u8; 32]);

impl Seal {
    /// The seal of the request with this `Idempotency-Key` within this scope.
    pub(crate) fn new(scope: &str, key: &str) -> Self {
        let hash = Sha256::new_with_prefix(PURPOSE);
        Self(hash.chain_update([0]).chain_update(scope).chain_update([0]).chain_update(key).finalize().into())
    }

    /// The nonce, then the text and its tag (AES-256-GCM, NIST SP 800-38D).
    ///
    /// # Errors
    ///
    /// A fault, should the text be longer than the cipher takes, which is some gigabytes.
    pub(crate) fn close(&self, text: &[u8], rng: &Rng) -> Result<Vec<u8>, StoreError> {
        let random = rng.bits().to_be_bytes();
        let mut nonce = [0; NONCE_LEN];
        nonce.iter_mut().zip(random).for_each(|(byte, random)| *byte = random);
        let mut sealed = text.to_vec();
        let nonce_value = Nonce::assume_unique_for_key(nonce);
        let done = self.cipher()?.seal_in_place_append_tag(nonce_value, Aad::empty(), &mut sealed);
        done.map_err(|_| fault("could not seal an answer"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// The text that was sealed.
    ///
    /// # Errors
    ///
    /// A fault, if it was sealed under another key or has been changed.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let unreadable = || fault("a kept answer can't be opened");
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or_else(unreadable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| unreadable())?;
        let mut text = sealed.to_vec();
        let length =
            self.cipher()?.open_in_place(nonce, Aad::empty(), &mut text).map_err(|_| unreadable())?.len();
        text.truncate(length);
        Ok(text)
    }

    fn cipher(&self) -> Result<LessSafeKey, StoreError> {
        UnboundKey::new(&AES_256_GCM, &self.0).map(LessSafeKey::new).map_err(|_| fault("no cipher"))
    }
}

fn fault(message: &str) -> StoreError {
    StoreError::Fault(message.to_owned(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_opens_what_was_sealed_and_nothing_else_does() {
        let rng = Rng::seeded(1);
        let seal = Seal::new("acc_1", "key");
        let sealed = seal.close(b"ada@example.org", &rng).unwrap();
        assert_eq!(seal.open(&sealed).unwrap(), b"ada@example.org");
        assert!(!String::from_utf8_lossy(&sealed).contains("ada"));
        assert_ne!(seal.close(b"ada@example.org", &rng).unwrap(), sealed, "never the same twice");
        for other in [Seal::new("acc_1", "yek"), Seal::new("acc_2", "key")] {
            assert!(other.open(&sealed).is_err());
        }
        for spoilt in [&sealed[1..], &sealed[..sealed.len() - 1], &[]] {
            assert!(seal.open(spoilt).is_err());
        }
    }
}
