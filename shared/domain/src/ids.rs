//! Identifiers as types: a prefix that says what is meant, then a ULID, so that they sort by time of making.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use ulid::Ulid;

use crate::Timestamp;

/// A text that is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected an id that starts with `{prefix}_`")]
pub struct IdError {
    prefix: &'static str,
}

fn parse(prefix: &'static str, text: &str) -> Result<Ulid, IdError> {
    let encoded =
        text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or(IdError { prefix })?;
    let id = Ulid::from_string(encoded).map_err(|_| IdError { prefix })?;
    // One spelling an id: decoding alone would also take upper case and look-alike letters.
    if id.to_string().to_ascii_lowercase() == encoded { Ok(id) } else { Err(IdError { prefix }) }
}

/// A kind of identifier.
pub trait Id: FromStr + fmt::Display {
    /// The text before the underscore.
    const PREFIX: &'static str;
    /// The noun that messages use for the identified thing.
    const NOUN: &'static str;
}

/// The length of every id: the prefix of three letters, the underscore and the 26 characters of a ULID.
pub const ID_CHARS: usize = 30;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $noun:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// A new id from the instant and 80 bits of randomness (the low ones of `random`).
            #[must_use]
            pub fn new(now: Timestamp, random: u128) -> Self {
                Self(Ulid::from_parts(now.millis().unsigned_abs(), random))
            }
        }

        impl Id for $name {
            const PREFIX: &'static str = $prefix;
            const NOUN: &'static str = $noun;
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse($prefix, text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.to_string().to_ascii_lowercase())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

id!(
    /// An account: one company's contract, contacts, users and forms.
    AccountId,
    "acc",
    "account"
);
id!(
    /// A contact of one account.
    ContactId,
    "con",
    "contact"
);
id!(
    /// A form of one account. It stands in public addresses and is no secret.
    FormId,
    "frm",
    "form"
);
id!(
    /// A user of one account.
    UserId,
    "usr",
    "user"
);
id!(
    /// A bearer token's id, which is shown; the token itself is not kept.
    TokenId,
    "tok",
    "token"
);
id!(
    /// An integration of one account, made together with its token.
    IntegrationId,
    "int",
    "integration"
);
id!(
    /// A submission of a form that could not be taken and is kept for the account to look at.
    RejectionId,
    "rej",
    "rejected submission"
);

/// How many partitions an account's contacts are spread over.
pub const BUCKETS: u8 = 16;

/// One of the [`BUCKETS`] partitions that hold an account's contacts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Bucket(u8);

impl Bucket {
    /// Every bucket, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..BUCKETS).map(Self)
    }

    /// The bucket with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        (number < BUCKETS).then_some(Self(number))
    }

    /// Its number, 0 to 15.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

/// A text that is not a bucket's.
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

impl ContactId {
    /// The bucket that holds the contact: the last bits of the id's random part.
    #[must_use]
    pub fn bucket(self) -> Bucket {
        let [.., last] = self.0.to_bytes();
        Bucket(last % BUCKETS)
    }
}

impl AccountId {
    /// A number below `shards` that depends on the id's random part alone, to spread accounts evenly.
    #[must_use]
    pub fn shard(self, shards: u8) -> u8 {
        let [.., last] = self.0.to_bytes();
        last % shards.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_sorts_by_time() {
        let early = ContactId::new(Timestamp::from_millis(1_000), u128::MAX);
        let late = ContactId::new(Timestamp::from_millis(2_000), 0);
        assert_eq!(early.to_string().parse(), Ok(early));
        assert!(early < late && early.to_string() < late.to_string());
        assert!(late.to_string().starts_with("con_"));
        assert_eq!(late.to_string().len(), ID_CHARS);
    }

    #[test]
    fn one_spelling_an_id() {
        let id = ContactId::new(Timestamp::from_millis(1_000), 77).to_string();
        for wrong in [
            id.to_uppercase(),
            id.replace("con_", "acc_"),
            id.replace('0', "o"),
            format!("{id}0"),
            id.trim_end_matches(|_: char| true).to_owned(),
            "con_".to_owned(),
            "con_zzzzzzzzzzzzzzzzzzzzzzzzzz".to_owned(),
        ] {
            assert!(wrong.parse::<ContactId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn buckets_follow_the_random_part() {
        let counts = (0..1600_u128).fold([0_u32; 16], |mut counts, random| {
            counts[usize::from(ContactId::new(Timestamp::MIN, random).bucket().number())] += 1;
            counts
        });
        assert_eq!(counts, [100; 16]);
        assert_eq!(Bucket::all().count(), 16);
        assert_eq!(Bucket::from_number(16), None);
    }

    #[test]
    fn a_bucket_is_one_digit() {
        for (bucket, digit) in Bucket::all().zip("0123456789abcdef".chars()) {
            assert_eq!(bucket.to_string(), digit.to_string());
            assert_eq!(digit.to_string().parse(), Ok(bucket));
            assert_eq!(Bucket::from_number(bucket.number()), Some(bucket));
        }
        for wrong in ["", "g", "10", "05", "+5", "-1", "5 "] {
            assert_eq!(wrong.parse::<Bucket>(), Err(BucketError), "{wrong}");
        }
    }

    #[test]
    fn shards_follow_the_random_part() {
        let shard = |random, shards| AccountId::new(Timestamp::from_millis(1_000), random).shard(shards);
        assert_eq!([0, 1, 7, 8, 255, 256].map(|random| shard(random, 8)), [0, 1, 7, 0, 7, 0]);
        assert_eq!([0, 1, 2, 3].map(|random| shard(random, 3)), [0, 1, 2, 0]);
        assert_eq!(shard(255, 0), 0);
    }
}
