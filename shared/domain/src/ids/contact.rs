//! Ids of contacts: decimal numbers that order by creation.

use std::fmt;
use std::str::FromStr;

use super::{BUCKETS, Bucket, Id, IdError};
use crate::Timestamp;

/// The id of a contact of one account: its creation time in milliseconds since 2020, and then [`RANDOM_BITS`] random
/// bits.
///
/// The number is below 2^53, so a JavaScript number represents it exactly. Two accounts may have the same id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactId(u64);

/// The epoch of ids, the first instant of 2020 in UTC, in Unix milliseconds.
const EPOCH_MILLIS: i64 = 1_577_836_800_000;
/// The number of bits that distinguish the contacts of one millisecond.
const RANDOM_BITS: u32 = 12;
/// The highest id: 2^53 − 1, the last integer that a JavaScript number distinguishes from the next.
const HIGHEST: u64 = (1 << 53) - 1;
/// The last millisecond after [`EPOCH_MILLIS`] that fits in an id. It is in September 2089.
const LAST_MILLI: u64 = HIGHEST >> RANDOM_BITS;
/// The number of digits of [`HIGHEST`].
const DIGITS_MAX: usize = 16;
const EXPECTED: &str = "the id of a contact: a decimal number below 2^53";

impl ContactId {
    /// The lowest id.
    pub const LOWEST: Self = Self(0);
    /// The highest id.
    pub const HIGHEST: Self = Self(HIGHEST);

    /// Creates the id of a contact that is created at `wall_clock`, from the low [`RANDOM_BITS`] bits of `random`.
    /// The time is never that of a sandbox's clock.
    ///
    /// A time before 2020 counts as the first millisecond of 2020. A time after 2089 counts as the last that fits.
    #[must_use]
    pub fn new(wall_clock: Timestamp, random: u128) -> Self {
        let since_epoch = wall_clock.millis().saturating_sub(EPOCH_MILLIS);
        let millis = u64::try_from(since_epoch).unwrap_or_default().min(LAST_MILLI);
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits are used")]
        let random = random as u64 & ((1 << RANDOM_BITS) - 1);
        Self((millis << RANDOM_BITS) | random)
    }

    /// Returns the id with this number, or `None` if the number is too large.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        (number <= HIGHEST).then_some(Self(number))
    }

    /// Returns the number, which is below 2^53.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }

    /// Returns the id as a text of 16 digits, which sorts like the number.
    #[must_use]
    pub fn sortable(self) -> String {
        format!("{:0width$}", self.0, width = DIGITS_MAX)
    }

    /// Parses the text that [`Self::sortable`] returns.
    ///
    /// # Errors
    ///
    /// [`IdError`] for any other text.
    pub fn from_sortable(text: &str) -> Result<Self, IdError> {
        let digits = text.len() == DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .then(|| text.parse().ok())
            .flatten()
            .filter(|number| *number <= HIGHEST)
            .map(Self)
            .ok_or(IdError { expected: EXPECTED })
    }

    /// Returns the next higher id, or `None` for the highest.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).and_then(Self::from_number)
    }

    /// Returns the next lower id, or `None` for the lowest.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// Returns the instant at which the id was created, by the wall clock. It is exact unless ids of one millisecond were
    /// used up, and for ids of other programs it has no meaning.
    #[must_use]
    pub fn created_about(self) -> Timestamp {
        let millis = i64::try_from(self.0 >> RANDOM_BITS).unwrap_or(i64::MAX);
        Timestamp::from_millis(EPOCH_MILLIS.saturating_add(millis))
    }

    /// Returns the bucket that stores the contact. It follows from the low bits, so it is random.
    #[must_use]
    pub fn bucket(self) -> Bucket {
        // The remainder is below 16, so it is the number of a bucket.
        let number = u8::try_from(self.0 % u64::from(BUCKETS)).unwrap_or_default();
        Bucket::from_number(number).unwrap_or_default()
    }
}

impl Id for ContactId {
    const NOUN: &'static str = "contact";
    const PATTERN: &'static str = "^(0|[1-9][0-9]{0,15})$";
    const CHARS_MIN: usize = 1;
    const CHARS_MAX: usize = DIGITS_MAX;
}

impl FromStr for ContactId {
    type Err = IdError;

    /// Parses the only spelling of an id: digits without a sign and without leading zeros.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let canonical =
            text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        canonical
            .then(|| text.parse().ok())
            .flatten()
            .filter(|number| *number <= HIGHEST)
            .map(Self)
            .ok_or(IdError { expected: EXPECTED })
    }
}

impl fmt::Display for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A source of distinct ids for the contacts that one transaction creates.
///
/// The ids are consecutive and begin at a random one. Two transactions in one millisecond may draw the same id. The
/// condition on the second put then fails, and its transaction draws again.
#[derive(Debug, Clone)]
pub struct NewContactIds {
    wall_clock: Timestamp,
    next: u128,
}

impl NewContactIds {
    /// Creates a source of ids for contacts that are created at `wall_clock`, which is never a sandbox's clock.
    #[must_use]
    pub fn new(wall_clock: Timestamp, random: u128) -> Self {
        Self { wall_clock, next: random }
    }

    /// Returns an id that this source has not returned before. It has 2^12 ids, far more than a transaction has items.
    pub fn draw(&mut self) -> ContactId {
        let id = ContactId::new(self.wall_clock, self.next);
        self.next = self.next.wrapping_add(1);
        id
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn millis(since_2020: i64) -> Timestamp {
        Timestamp::from_millis(EPOCH_MILLIS + since_2020)
    }

    #[test]
    fn text_round_trips_and_sorts_by_time() {
        let early = ContactId::new(millis(1), u128::MAX);
        let late = ContactId::new(millis(2), 0);
        assert_eq!((early.to_string(), late.to_string()), ("8191".to_owned(), "8192".to_owned()));
        assert_eq!(early.to_string().parse(), Ok(early));
        assert!(early < late && early.sortable() < late.sortable());
        assert_eq!(late.sortable(), "0000000000008192");
    }

    #[test]
    fn id_has_its_documented_digits() {
        let id = ContactId::new(Timestamp::from_millis(1_795_377_541_123), 0xabc);
        assert_eq!(id.to_string(), "891046875642556");
    }

    #[test]
    fn other_spelling_of_a_number_is_rejected() {
        for wrong in [
            "",
            "00",
            "01",
            "+1",
            "-1",
            " 1",
            "1.0",
            "1e3",
            "9007199254740992",
            "99999999999999999999",
            "٣",
            "con_1",
        ] {
            assert!(wrong.parse::<ContactId>().is_err(), "{wrong}");
        }
        assert_eq!("0".parse(), Ok(ContactId(0)));
        assert_eq!("9007199254740991".parse(), Ok(ContactId(HIGHEST)));
        for wrong in ["", "8192", "00000000000008192", "+000000000008192", "9999999999999999"] {
            assert!(ContactId::from_sortable(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn last_id_is_in_september_2089() {
        let last = millis(i64::try_from(LAST_MILLI).unwrap());
        assert_eq!(last.to_string().get(..7), Some("2089-09"));
        for later in [last, last.plus(chrono::TimeDelta::milliseconds(1)), Timestamp::MAX] {
            assert_eq!(ContactId::new(later, u128::MAX), ContactId(HIGHEST));
        }
        assert_eq!(ContactId::new(Timestamp::MIN, 5), ContactId(5));
    }

    #[test]
    fn bucket_depends_on_the_random_bits() {
        let counts = (0..1600_u128).fold([0_u32; 16], |mut counts, random| {
            counts[usize::from(ContactId::new(millis(0), random).bucket().number())] += 1;
            counts
        });
        assert_eq!(counts, [100; 16]);
    }

    #[test]
    fn ids_of_one_transaction_differ_and_spread_evenly() {
        for random in [0, 4_095, u128::MAX] {
            let mut ids = NewContactIds::new(millis(7), random);
            let drawn: BTreeSet<ContactId> = (0..96).map(|_| ids.draw()).collect();
            assert_eq!(drawn.len(), 96);
            let in_bucket = |bucket| drawn.iter().filter(|id| id.bucket() == bucket).count();
            assert!(Bucket::all().all(|bucket| in_bucket(bucket) == 6));
            assert!(drawn.iter().all(|id| id.0 >> RANDOM_BITS == 7));
        }
    }

    proptest! {
        #[test]
        fn every_id_is_below_2_53_and_round_trips(wall_clock in any::<i64>(), random in any::<u128>()) {
            let id = ContactId::new(Timestamp::from_millis(wall_clock), random);
            prop_assert!(id.0 <= HIGHEST);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(ContactId::from_sortable(&id.sortable()), Ok(id));
        }
    }
}
