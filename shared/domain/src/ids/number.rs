//! Ids as decimal numbers, for programs that parse the ids of `HubSpot` as numbers.
//!
//! The number of an id is its creation time in milliseconds since 2020, and then the first [`RANDOM_BITS`] of its random
//! bits. So it is below 2^53, and numbers order like ids. All ids with one number are next to each other in the order of
//! their texts, so one query for the first of them finds the id of a number. No second item is needed. Two ids of one
//! account have the same number only if they were created in the same millisecond and agree in these bits.

use ulid::Ulid;

use super::Id;

/// The epoch of the numbers, the first instant of 2020 in UTC, in Unix milliseconds. It is that of the ids of contacts.
const EPOCH_MILLIS: u64 = 1_577_836_800_000;
/// The number of random bits of an id that its number contains.
const RANDOM_BITS: u32 = 12;
/// The number of random bits of a ULID.
const ULID_RANDOM_BITS: u32 = 80;
/// The number of bits of an id that its number does not contain.
const HIDDEN_BITS: u32 = ULID_RANDOM_BITS - RANDOM_BITS;
/// The highest number: 2^53 − 1, the last integer that a JavaScript number distinguishes from the next.
const HIGHEST: u64 = (1 << 53) - 1;

/// A kind of identifier with a number.
pub trait NumberedId: Id + Sized {
    /// Returns the id's number, which is below 2^53. It is unique within an account for all practical purposes.
    #[must_use]
    fn number(self) -> u64;

    /// Returns the lowest id with this number, or `None` if the number is too large.
    #[must_use]
    fn lowest_of(number: u64) -> Option<Self>;

    /// Returns the highest id with this number, or `None` if the number is too large.
    #[must_use]
    fn highest_of(number: u64) -> Option<Self>;
}

/// Returns the number of an id that begins with these bits. An id from before 2020 has a number that leads to no id.
pub(super) fn number_of(id: Ulid) -> u64 {
    // The first bits of 128, without the hidden ones, have 60 bits.
    let first = u64::try_from(id.0 >> HIDDEN_BITS).unwrap_or(u64::MAX);
    first.saturating_sub(EPOCH_MILLIS << RANDOM_BITS).min(HIGHEST)
}

/// Returns the lowest and the highest id with a number.
pub(super) fn range_of(number: u64) -> Option<(Ulid, Ulid)> {
    let number = Some(number).filter(|number| *number <= HIGHEST)?;
    let first = u128::from((EPOCH_MILLIS << RANDOM_BITS) + number);
    let lowest = first << HIDDEN_BITS;
    Some((Ulid(lowest), Ulid(lowest | ((1 << HIDDEN_BITS) - 1))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{SegmentId, UserId};
    use super::*;
    use crate::Timestamp;

    #[test]
    fn id_has_its_documented_digits() {
        let segment = SegmentId::new(Timestamp::from_millis(1_795_377_541_123), u128::MAX);
        assert_eq!(segment.number(), 891_046_875_643_903);
        assert_eq!(SegmentId::new(Timestamp::from_millis(1_577_836_800_000), 0).number(), 0);
    }

    #[test]
    fn number_above_the_highest_leads_to_no_id() {
        assert!(UserId::lowest_of(HIGHEST).is_some() && UserId::highest_of(HIGHEST).is_some());
        assert!(UserId::lowest_of(HIGHEST + 1).is_none() && UserId::highest_of(u64::MAX).is_none());
    }

    proptest! {
        #[test]
        fn id_is_in_the_range_of_its_number(
            millis in 1_577_836_800_000_i64..3_700_000_000_000, random in any::<u128>(),
        ) {
            let id = SegmentId::new(Timestamp::from_millis(millis), random);
            let number = id.number();
            prop_assert!(number <= HIGHEST);
            let (lowest, highest) = (SegmentId::lowest_of(number).unwrap(), SegmentId::highest_of(number).unwrap());
            prop_assert!(lowest <= id && id <= highest);
            prop_assert_eq!((lowest.number(), highest.number()), (number, number));
        }

        #[test]
        fn numbers_order_like_ids(one in any::<u32>(), other in any::<u32>(), random in any::<u128>()) {
            let id = |millis: u32| {
                SegmentId::new(Timestamp::from_millis(1_577_836_800_000 + i64::from(millis)), random)
            };
            prop_assert_eq!(id(one).cmp(&id(other)), id(one).number().cmp(&id(other).number()));
        }
    }
}
