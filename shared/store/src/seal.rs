//! Encryption of stored responses with a key that is derived from the request's `Idempotency-Key`, which is not stored.
//!
//! A stored response contains personal data for a day. Encrypted, only a client that repeats the request can use it,
//! and that client has the data already. Data of an erased contact can't be read from the table, or from a backup of
//! it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest as _, Sha256};

use crate::{Rng, StoreError};

/// The domain separator from the key's other use, as a name in the table. Its value must not change.
const PURPOSE: &[u8] = b"tidemark kept answer 1";

/// The key that encrypts a request's response.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Seal([u8; 32]);

impl Seal {
    /// Derives the key for a request with this `Idempotency-Key` within this scope.
    pub(crate) fn new(scope: &str, key: &str) -> Self {
        let hash = Sha256::new_with_prefix(PURPOSE);
        Self(hash.chain_update([0]).chain_update(scope).chain_update([0]).chain_update(key).finalize().into())
    }

    /// Encrypts a text. The result is the nonce, the ciphertext and its tag (AES-256-GCM, NIST SP 800-38D).
    ///
    /// # Errors
    ///
    /// A fault if the text is longer than the cipher's limit of some gigabytes.
    pub(crate) fn close(&self, text: &[u8], rng: &Rng) -> Result<Vec<u8>, StoreError> {
        let random = rng.bits().to_be_bytes();
        let mut nonce = [0; NONCE_LEN];
        nonce.iter_mut().zip(random).for_each(|(byte, random)| *byte = random);
        let mut sealed = text.to_vec();
        let nonce_value = Nonce::assume_unique_for_key(nonce);
        let done = self.cipher()?.seal_in_place_append_tag(nonce_value, Aad::empty(), &mut sealed);
        done.map_err(|_| fault("could not encrypt a response"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts a text.
    ///
    /// # Errors
    ///
    /// A fault if it was encrypted with another key, or has been changed.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let unreadable = || fault("could not decrypt a stored response");
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or_else(unreadable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| unreadable())?;
        let mut text = sealed.to_vec();
        let length =
            self.cipher()?.open_in_place(nonce, Aad::empty(), &mut text).map_err(|_| unreadable())?.len();
        text.truncate(length);
        Ok(text)
    }

    fn cipher(&self) -> Result<LessSafeKey, StoreError> {
        UnboundKey::new(&AES_256_GCM, &self.0)
            .map(LessSafeKey::new)
            .map_err(|_| fault("could not create the cipher"))
    }
}

fn fault(message: &str) -> StoreError {
    StoreError::Fault(message.to_owned(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_text_opens_only_with_the_same_key() {
        let rng = Rng::seeded(1);
        let seal = Seal::new("acc_1", "key");
        let sealed = seal.close(b"ada@example.org", &rng).unwrap();
        assert_eq!(seal.open(&sealed).unwrap(), b"ada@example.org");
        assert!(!String::from_utf8_lossy(&sealed).contains("ada"));
        assert_ne!(seal.close(b"ada@example.org", &rng).unwrap(), sealed, "the nonce is random");
        for other in [Seal::new("acc_1", "yek"), Seal::new("acc_2", "key")] {
            assert!(other.open(&sealed).is_err());
        }
        for spoilt in [&sealed[1..], &sealed[..sealed.len() - 1], &[]] {
            assert!(seal.open(spoilt).is_err());
        }
    }
}
