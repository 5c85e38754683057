//! The identity of deliveries, and their accepted versions.

use std::fmt;
use std::str::FromStr;

use domain::address::EmailAddress;
use domain::digest::hex;
use domain::limits::DELIVERY_VERSIONS_MAX;
use domain::property::PropertyName;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Rng;

/// The identity of a delivery within its form: the digest of its sender's id and of the submitted address. It is random
/// if there is no id.
///
/// The sender's id is not enough. Pages are cached with their hidden fields, and programs restart their numbers at 1,
/// so two contacts may arrive with the same id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId([u8; 32]);

/// The error for a text that is not a delivery's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a delivery's id: 64 hexadecimal digits in lower case")]
pub struct DeliveryIdError;

impl DeliveryId {
    /// Returns the identity of a delivery with this id and address.
    pub(crate) fn of(submission_id: &str, email: &EmailAddress) -> Self {
        Self::digest(b"contact", submission_id, email.key())
    }

    /// Returns the identity of a delivery without a usable address.
    pub(crate) fn unusable(submission_id: &str) -> Self {
        Self::digest(b"unusable", submission_id, "")
    }

    /// The length of the id separates it from the address.
    fn digest(kind: &[u8], submission_id: &str, address: &str) -> Self {
        let length = u64::try_from(submission_id.len()).unwrap_or(u64::MAX).to_be_bytes();
        let digest = Sha256::new().chain_update(kind).chain_update(length).chain_update(submission_id);
        Self(digest.chain_update(address).finalize().into())
    }

    /// Returns a random identity, for a submission without an id.
    pub(crate) fn random(rng: &Rng) -> Self {
        let mut id = [0; 32];
        let random = [rng.bits(), rng.bits()].into_iter().flat_map(u128::to_be_bytes);
        id.iter_mut().zip(random).for_each(|(byte, random)| *byte = random);
        Self(id)
    }

    /// Returns a number below `shards`.
    pub(crate) fn shard(self, shards: u8) -> u8 {
        let [.., last] = self.0;
        last % shards.max(1)
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for DeliveryId {
    type Err = DeliveryIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut id = [0; 32];
        if text.len() != 2 * id.len() {
            return Err(DeliveryIdError);
        }
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(DeliveryIdError),
        };
        let (pairs, _) = text.as_bytes().as_chunks::<2>();
        for (byte, [high, low]) in id.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(id))
    }
}

/// The digest of a delivery's content. It distinguishes a repeat from an edit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ContentDigest(String);

impl ContentDigest {
    /// Returns the digest of a contact's submitted properties.
    pub(crate) fn of_properties(properties: &[(PropertyName, Option<String>)]) -> Self {
        let mut digest = Sha256::new();
        for (name, value) in properties {
            let value = value.as_deref().unwrap_or_default();
            digest.update(name.as_str());
            // No name contains a zero byte, so name, length and value can't be confused.
            digest.update([0]);
            digest.update(u64::try_from(value.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(value);
        }
        Self::short(&digest.finalize())
    }

    /// Returns the digest of a text.
    pub(crate) fn of_text(text: &str) -> Self {
        Self::short(&Sha256::digest(text))
    }

    /// Returns the first 128 bits. They suffice, because a collision gains nothing: it only hides a sender's own edit.
    fn short(digest: &[u8]) -> Self {
        Self(hex(digest.get(..16).unwrap_or(digest)))
    }

    /// Returns the digest as it is stored.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The accepted versions of a delivery.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Versions {
    /// The latest version. Items of older releases do not have it.
    #[serde(rename = "content", default, skip_serializing_if = "Option::is_none")]
    pub(crate) latest: Option<ContentDigest>,
    /// The versions that edits have replaced, the oldest first.
    #[serde(rename = "earlier", default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<ContentDigest>,
}

impl Versions {
    /// Returns the versions of a delivery that was accepted once.
    pub(crate) fn first(content: ContentDigest) -> Self {
        Self { latest: Some(content), earlier: Vec::new() }
    }

    /// Returns true if this version was accepted before. It is the latest one or one that an edit has replaced.
    pub(crate) fn include(&self, content: &ContentDigest) -> bool {
        self.latest.as_ref().is_none_or(|latest| latest == content) || self.earlier.contains(content)
    }

    /// Returns true if an earlier version was accepted.
    pub(crate) fn are_edited(&self) -> bool {
        !self.earlier.is_empty()
    }

    /// Returns the versions after an edit.
    pub(crate) fn edited(mut self, content: ContentDigest) -> Self {
        self.earlier.extend(self.latest.replace(content));
        let surplus = self.earlier.len().saturating_sub(DELIVERY_VERSIONS_MAX);
        self.earlier.drain(..surplus);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(submission_id: &str, address: &str) -> DeliveryId {
        DeliveryId::of(submission_id, &EmailAddress::parse(address).unwrap())
    }

    #[test]
    fn id_has_one_text() {
        let id = of("delivery-1", "ada@example.org");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(format!("{id:?}"), id.to_string());
        let rng = Rng::seeded(1);
        assert_ne!(DeliveryId::random(&rng), DeliveryId::random(&rng));
        let upper = id.to_string().to_uppercase();
        for text in ["", "0", &upper, &"g".repeat(64), &"0".repeat(65), &"ü".repeat(32)] {
            assert_eq!(text.parse::<DeliveryId>(), Err(DeliveryIdError), "{text}");
        }
    }

    #[test]
    fn identity_depends_on_id_and_address() {
        let id = of("delivery-1", "ada@example.org");
        assert_eq!(of("delivery-1", "Ada@EXAMPLE.org"), id, "one address in two spellings");
        assert_ne!(of("delivery-2", "ada@example.org"), id);
        assert_ne!(of("delivery-1", "grace@example.org"), id);
        assert_ne!(of("delivery-1a", "da@example.org"), of("delivery-1", "ada@example.org"));
        assert_ne!(DeliveryId::unusable("delivery-1"), id);
        assert_ne!(DeliveryId::unusable("delivery-1"), DeliveryId::unusable("delivery-2"));
    }

    #[test]
    fn content_digest_separates_names_and_values() {
        let digest = |entries: &[(&str, &str)]| {
            let properties: Vec<_> = entries
                .iter()
                .map(|(name, value)| (PropertyName::parse(name).unwrap(), Some((*value).to_owned())))
                .collect();
            ContentDigest::of_properties(&properties)
        };
        let contents = [
            digest(&[]),
            digest(&[("a", "b")]),
            digest(&[("a", "bc")]),
            digest(&[("ab", "c")]),
            digest(&[("a", "b"), ("c", "d")]),
            ContentDigest::of_text(""),
            ContentDigest::of_text("a"),
        ];
        // Empty content of both kinds has the same digest.
        let distinct: std::collections::BTreeSet<&str> = contents.iter().map(ContentDigest::as_str).collect();
        assert_eq!(distinct.len(), contents.len() - 1);
        assert!(distinct.iter().all(|digest| digest.len() == 32));
    }

    #[test]
    fn versions_include_the_latest_and_some_earlier_ones() {
        let content = |number: usize| ContentDigest::of_text(&number.to_string());
        let mut versions = Versions::first(content(0));
        for number in 1..=DELIVERY_VERSIONS_MAX + 1 {
            assert!(!versions.include(&content(number)), "{number} is new");
            versions = versions.edited(content(number));
        }
        assert!(!versions.include(&content(0)), "the oldest is forgotten");
        assert!((1..=DELIVERY_VERSIONS_MAX + 1).all(|number| versions.include(&content(number))));
        assert!(
            Versions::default().include(&content(7)),
            "any content is a repeat of an item of older releases"
        );
    }

    #[test]
    fn last_byte_decides_the_shard() {
        let shard = |end: &str, shards| {
            format!("{}{end}", "7".repeat(62)).parse::<DeliveryId>().unwrap().shard(shards)
        };
        assert_eq!(["00", "01", "07", "08", "ff"].map(|end| shard(end, 8)), [0, 1, 7, 0, 7]);
        assert_eq!(shard("ff", 0), 0);
    }
}
