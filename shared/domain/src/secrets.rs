//! The secrets with which a form's provider signs its webhooks, or that it sends with them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::limits::{
    FORM_SECRET_CHARS_MAX, FORM_SECRET_CHARS_MIN, FORM_SECRETS_MAX, STANDARD_WEBHOOKS_KEY_BYTES_MAX,
    STANDARD_WEBHOOKS_KEY_BYTES_MIN,
};
use crate::provider::Provider;

/// The prefix of a Standard Webhooks secret, before the key in base64.
pub const STANDARD_WEBHOOKS_PREFIX: &str = "whsec_";

/// The current secrets of a form: at most two, so that one can replace the other. `Debug` shows only their number.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secrets(Vec<String>);

/// The error for secrets that a form cannot have. It never repeats a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SecretsError {
    /// The form is native. Any browser may submit it, so it has no secret.
    #[error("a native form has no secrets, because anyone may submit it")]
    Native,
    /// There are more secrets than [`FORM_SECRETS_MAX`].
    #[error("expected at most {FORM_SECRETS_MAX} secrets")]
    TooMany,
    /// A secret is too short, too long, or contains other characters.
    #[error(
        "expected secrets of {FORM_SECRET_CHARS_MIN} to {FORM_SECRET_CHARS_MAX} visible ASCII characters, without spaces"
    )]
    Characters,
    /// A secret does not have the format of Standard Webhooks 1.0.
    #[error(
        "expected {STANDARD_WEBHOOKS_PREFIX} and then {STANDARD_WEBHOOKS_KEY_BYTES_MIN} to {STANDARD_WEBHOOKS_KEY_BYTES_MAX} bytes in base64"
    )]
    StandardWebhooks,
}

impl Secrets {
    /// Creates the secrets of a form of this provider, in the given order.
    ///
    /// # Errors
    ///
    /// See [`SecretsError`].
    pub fn new(provider: Provider, texts: Vec<String>) -> Result<Self, SecretsError> {
        if provider.is_native() && !texts.is_empty() {
            return Err(SecretsError::Native);
        }
        if texts.len() > FORM_SECRETS_MAX {
            return Err(SecretsError::TooMany);
        }
        if !texts.iter().all(|text| is_secret(text)) {
            return Err(SecretsError::Characters);
        }
        if provider == Provider::StandardWebhooks && !texts.iter().all(|text| is_standard(text)) {
            return Err(SecretsError::StandardWebhooks);
        }
        Ok(Self(texts))
    }

    /// Creates the secrets from stored ones, which were checked before they were stored.
    #[must_use]
    pub fn from_trusted(stored: Vec<String>) -> Self {
        Self(stored)
    }

    /// Returns the secrets, in the given order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Returns the number of secrets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if there are no secrets. Then no webhook can be verified.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Returns true for a text that is valid in a header and in a URL, and long enough not to be guessed.
fn is_secret(text: &str) -> bool {
    (FORM_SECRET_CHARS_MIN..=FORM_SECRET_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_standard(text: &str) -> bool {
    let key = text.strip_prefix(STANDARD_WEBHOOKS_PREFIX).and_then(|rest| STANDARD.decode(rest).ok());
    let bytes = STANDARD_WEBHOOKS_KEY_BYTES_MIN..=STANDARD_WEBHOOKS_KEY_BYTES_MAX;
    key.is_some_and(|key| bytes.contains(&key.len()))
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(provider: Provider, texts: &[&str]) -> Result<usize, SecretsError> {
        Secrets::new(provider, texts.iter().map(|text| (*text).to_owned()).collect()).map(|secrets| {
            assert!(secrets.iter().eq(texts.iter().copied()), "all are returned, in the given order");
            assert_eq!(secrets.is_empty(), texts.is_empty());
            secrets.len()
        })
    }

    #[test]
    fn form_has_at_most_two_secrets_and_a_native_one_has_none() {
        let (one, two) = ("0123456789abcdef", "fedcba9876543210");
        assert_eq!(secrets(Provider::Typeform, &[]), Ok(0));
        assert_eq!(secrets(Provider::Typeform, &[one]), Ok(1));
        assert_eq!(secrets(Provider::Generic, &[one, two]), Ok(2));
        assert_eq!(secrets(Provider::Generic, &[one, two, one]), Err(SecretsError::TooMany));
        assert_eq!(secrets(Provider::Native, &[]), Ok(0));
        assert_eq!(secrets(Provider::Native, &[one]), Err(SecretsError::Native));
    }

    #[test]
    fn secret_is_long_enough_and_valid_in_a_header() {
        let longest = "x".repeat(FORM_SECRET_CHARS_MAX);
        assert_eq!(secrets(Provider::Tally, &[&longest]), Ok(1));
        let longer = format!("{longest}x");
        for text in
            ["", "fifteen-letters", "with a space in it", "tab\tin-the-middle", "größer-als-ascii", &longer]
        {
            assert_eq!(secrets(Provider::Tally, &[text]), Err(SecretsError::Characters), "{text:?}");
        }
    }

    #[test]
    fn standard_webhooks_secret_is_a_key_in_base64() {
        let key = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for bytes in [24, 25, 26, 64] {
            assert_eq!(secrets(Provider::StandardWebhooks, &[&key(bytes)]), Ok(1), "{bytes}");
        }
        let bare = STANDARD.encode([7; 32]);
        for text in
            [&key(23), &key(65), &bare, "whsec_not+base64*not+base64*not+base64", "whsec_0123456789abcdef"]
        {
            assert_eq!(
                secrets(Provider::StandardWebhooks, &[text]),
                Err(SecretsError::StandardWebhooks),
                "{text}"
            );
        }
    }

    #[test]
    fn neither_debug_nor_errors_show_a_secret() {
        let secret = "a-secret-with-space";
        let kept = Secrets::from_trusted(vec![secret.to_owned()]);
        assert_eq!(format!("{kept:?}"), "Secrets(1)");
        let error = secrets(Provider::StandardWebhooks, &[secret]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret));
    }
}
