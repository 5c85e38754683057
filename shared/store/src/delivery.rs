//! The ids by which deliveries are told apart.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::Entropy;
use crate::answer::hex;

/// A delivery of a form's submission within its form: the digest of the id that its sender gave it, or a random one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId([u8; 32]);

/// A text that is not a delivery's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a delivery's id: 64 hexadecimal digits in lower case")]
pub struct DeliveryIdError;

impl DeliveryId {
    /// That of the delivery to which its sender gave this id.
    pub(crate) fn of(submission_id: &str) -> Self {
        Self(Sha256::digest(submission_id).into())
    }

    /// A new one, for a submission without an id.
    pub(crate) fn random(entropy: &Entropy) -> Self {
        let mut id = [0; 32];
        let random = [entropy.bits(), entropy.bits()].into_iter().flat_map(u128::to_be_bytes);
        id.iter_mut().zip(random).for_each(|(byte, random)| *byte = random);
        Self(id)
    }

    /// A number below `shards`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_text() {
        let id = DeliveryId::of("delivery-1");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(format!("{id:?}"), id.to_string());
        assert_ne!(DeliveryId::of("delivery-2"), id);
        let entropy = Entropy::seeded(1);
        assert_ne!(DeliveryId::random(&entropy), DeliveryId::random(&entropy));
        let upper = id.to_string().to_uppercase();
        for text in ["", "0", &upper, &"g".repeat(64), &"0".repeat(65), &"ü".repeat(32)] {
            assert_eq!(text.parse::<DeliveryId>(), Err(DeliveryIdError), "{text}");
        }
    }

    #[test]
    fn shards_are_told_by_the_end() {
        let shard = |end: &str, shards| {
            format!("{}{end}", "7".repeat(62)).parse::<DeliveryId>().unwrap().shard(shards)
        };
        assert_eq!(["00", "01", "07", "08", "ff"].map(|end| shard(end, 8)), [0, 1, 7, 0, 7]);
        assert_eq!(shard("ff", 0), 0);
    }
}
