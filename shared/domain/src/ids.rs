//! Types for identifiers. A contact's id is a decimal number below 2^53, because integrations parse, compare and sort
//! it as a number. All other ids are a prefix that names the kind, and then a ULID. Both sort by the time of
//! creation.

mod bucket;
mod contact;
mod number;
mod portal;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use ulid::Ulid;
use uuid::Uuid;

use crate::Timestamp;

pub use bucket::{BUCKETS, Bucket, BucketError};
pub use contact::{ContactId, NewContactIds};
pub use number::NumberedId;
pub use portal::PortalId;

/// The error for a text that is not an id of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected {expected}")]
pub struct IdError {
    expected: &'static str,
}

impl IdError {
    /// Creates the error. `expected` is a noun phrase.
    #[must_use]
    pub const fn expected(expected: &'static str) -> Self {
        Self { expected }
    }
}

/// A kind of identifier.
pub trait Id: FromStr<Err = IdError> + fmt::Display {
    /// The noun that messages use for the identified thing.
    const NOUN: &'static str;
    /// The regular expression that every id of this kind matches.
    const PATTERN: &'static str;
    /// The minimum number of characters of an id of this kind.
    const CHARS_MIN: usize;
    /// The maximum number of characters of an id of this kind.
    const CHARS_MAX: usize;
}

/// The length of every prefixed id: the prefix of three letters, the underscore and the 26 characters of a ULID.
const PREFIXED_CHARS: usize = 30;

fn parse(prefix: &str, expected: &'static str, text: &str) -> Result<Ulid, IdError> {
    let encoded =
        text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or(IdError { expected })?;
    let id = Ulid::from_string(encoded).map_err(|_| IdError { expected })?;
    // An id has one spelling only. Decoding alone would also accept upper case and look-alike letters.
    if id.to_string().to_ascii_lowercase() == encoded { Ok(id) } else { Err(IdError { expected }) }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $noun:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// Creates an id from an instant and 80 random bits (the low ones of `random`).
            #[must_use]
            pub fn new(now: Timestamp, random: u128) -> Self {
                Self(Ulid::from_parts(now.millis().unsigned_abs(), random))
            }
        }

        impl Id for $name {
            const NOUN: &'static str = $noun;
            // The first of the 26 digits has only three bits. ULIDs leave out i, l, o and u.
            const PATTERN: &'static str = concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$");
            const CHARS_MIN: usize = PREFIXED_CHARS;
            const CHARS_MAX: usize = PREFIXED_CHARS;
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse($prefix, concat!("an id that starts with `", $prefix, "_`"), text).map(Self)
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
    /// The id of an account: one company's contract, contacts, users and forms.
    AccountId,
    "acc",
    "account"
);
id!(
    /// The id of a form of one account. It is part of public URLs and not a secret.
    FormId,
    "frm",
    "form"
);
id!(
    /// The id of a user of one account.
    UserId,
    "usr",
    "user"
);
id!(
    /// The id of a bearer token, which responses show. The token itself is not stored.
    TokenId,
    "tok",
    "token"
);
id!(
    /// The id of an integration of one account, which is created together with its token.
    IntegrationId,
    "int",
    "integration"
);
id!(
    /// The id of a form submission that was rejected and is stored for the account's review.
    RejectionId,
    "rej",
    "rejected submission"
);
id!(
    /// The id of a segment: a stored filter or a static list of contacts.
    SegmentId,
    "seg",
    "segment"
);
id!(
    /// The id of a bulk job, which changes or counts many contacts.
    JobId,
    "job",
    "job"
);
id!(
    /// The id of an automation, which sets or queues contacts that begin to match it.
    AutomationId,
    "aut",
    "automation"
);

id!(
    /// The id of an import: a file whose rows become contacts.
    ImportId,
    "imp",
    "import"
);
id!(
    /// The id of an export: a file with contacts of the account.
    ExportId,
    "exp",
    "export"
);

macro_rules! numbered {
    ($($name:ident),*) => {
        $(
            impl NumberedId for $name {
                fn number(self) -> u64 {
                    number::number_of(self.0)
                }

                fn lowest_of(number: u64) -> Option<Self> {
                    number::range_of(number).map(|(lowest, _)| Self(lowest))
                }

                fn highest_of(number: u64) -> Option<Self> {
                    number::range_of(number).map(|(_, highest)| Self(highest))
                }
            }
        )*
    };
}

numbered!(SegmentId, ImportId, UserId, IntegrationId);

impl AccountId {
    /// Returns a number below `shards` that depends on the id's random part only, so accounts spread evenly.
    #[must_use]
    pub fn shard(self, shards: u8) -> u8 {
        let [.., last] = self.0.to_bytes();
        last % shards.max(1)
    }
}

impl FormId {
    /// Returns the UUID of the same 128 bits, by which HubSpot's clients name a form.
    #[must_use]
    pub fn guid(self) -> String {
        Uuid::from_u128(self.0.0).hyphenated().to_string()
    }

    /// Parses the form's UUID with hyphens, in upper or lower case.
    ///
    /// # Errors
    ///
    /// [`IdError`] for any other text.
    pub fn from_guid(text: &str) -> Result<Self, IdError> {
        let uuid = Uuid::try_parse(text).ok().filter(|_| text.len() == uuid::fmt::Hyphenated::LENGTH);
        let uuid = uuid.ok_or(IdError { expected: "the guid of a form" })?;
        Ok(Self(Ulid(uuid.as_u128())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_sorts_by_time() {
        let early = FormId::new(Timestamp::from_millis(1_000), u128::MAX);
        let late = FormId::new(Timestamp::from_millis(2_000), 0);
        assert_eq!(early.to_string().parse(), Ok(early));
        assert!(early < late && early.to_string() < late.to_string());
        assert!(late.to_string().starts_with("frm_"));
        assert_eq!(late.to_string().len(), PREFIXED_CHARS);
    }

    #[test]
    fn other_spelling_of_an_id_is_rejected() {
        let id = FormId::new(Timestamp::from_millis(1_000), 77).to_string();
        for wrong in [
            id.to_uppercase(),
            id.replace("frm_", "acc_"),
            id.replace('0', "o"),
            format!("{id}0"),
            id.trim_end_matches(|_: char| true).to_owned(),
            "frm_".to_owned(),
            "frm_zzzzzzzzzzzzzzzzzzzzzzzzzz".to_owned(),
        ] {
            assert!(wrong.parse::<FormId>().is_err(), "{wrong}");
        }
        assert_eq!("x".parse::<FormId>().unwrap_err().to_string(), "expected an id that starts with `frm_`");
    }

    #[test]
    fn guid_of_a_form_names_the_same_form() {
        let form = FormId::new(Timestamp::from_millis(1_800_000_000_000), 77);
        let guid = form.guid();
        assert_eq!(guid, "01a3185c-5000-0000-0000-00000000004d");
        assert_eq!(FormId::from_guid(&guid), Ok(form));
        assert_eq!(FormId::from_guid(&guid.to_uppercase()), Ok(form));
        for wrong in
            [guid.replace('-', ""), format!("{{{guid}}}"), format!("urn:uuid:{guid}"), form.to_string()]
        {
            assert!(FormId::from_guid(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shard_depends_on_the_random_part_only() {
        let shard = |random, shards| AccountId::new(Timestamp::from_millis(1_000), random).shard(shards);
        assert_eq!([0, 1, 7, 8, 255, 256].map(|random| shard(random, 8)), [0, 1, 7, 0, 7, 0]);
        assert_eq!([0, 1, 2, 3].map(|random| shard(random, 3)), [0, 1, 2, 0]);
        assert_eq!(shard(255, 0), 0);
    }
}
