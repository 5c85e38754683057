//! Buckets: the partitions of an account's contacts.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The number of partitions of an account's contacts.
pub const BUCKETS: u8 = 16;

/// One of the [`BUCKETS`] partitions that store an account's contacts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Bucket(u8);

impl Bucket {
    /// Returns all buckets, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..BUCKETS).map(Self)
    }

    /// Returns the bucket with this number, or `None` if the number is too large.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        (number < BUCKETS).then_some(Self(number))
    }

    /// Returns the number, 0 to 15.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

/// The error for a text that does not name a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected a bucket: one hexadecimal digit")]
pub struct BucketError;

impl FromStr for Bucket {
    type Err = BucketError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.as_bytes() {
            [digit @ b'0'..=b'9'] => Ok(Self(digit - b'0')),
            [digit @ b'a'..=b'f'] => Ok(Self(digit - b'a' + 10)),
            _ => Err(BucketError),
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_is_one_hexadecimal_digit() {
        for (bucket, digit) in Bucket::all().zip("0123456789abcdef".chars()) {
            assert_eq!(bucket.to_string(), digit.to_string());
            assert_eq!(digit.to_string().parse(), Ok(bucket));
            assert_eq!(Bucket::from_number(bucket.number()), Some(bucket));
        }
        for wrong in ["", "g", "10", "05", "+5", "-1", "5 "] {
            assert_eq!(wrong.parse::<Bucket>(), Err(BucketError), "{wrong}");
        }
    }
}
