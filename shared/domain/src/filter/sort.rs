//! The order of a search's results by a field.
//!
//! Values have one total order: numbers by value, then instants by time, then all other texts without case. Flags are
//! texts. Two texts with the same first [`SORT_VALUE_CHARS_MAX`] characters are equal, and a longer number is a text.
//! Contacts without the field come last in both directions. Contacts with equal values are in the order of their ids.

use std::cmp::Ordering;
use std::fmt;

use chrono::{DateTime, Utc};

use super::decimal::Decimal;
use super::field::FieldName;
use super::operand::{fold, read_instant};
use super::{Fields, Value};
use crate::ids::ContactId;
use crate::limits::SORT_VALUE_CHARS_MAX;
use crate::string_enum::string_enum;

string_enum! {
    /// The direction of an order.
    pub enum Direction {
        /// The lowest value is first.
        Ascending = "ASCENDING",
        /// The highest value is first.
        Descending = "DESCENDING",
    }
}

impl Direction {
    /// Returns the order in this direction.
    #[must_use]
    pub fn order(self, ascending: Ordering) -> Ordering {
        match self {
            Self::Ascending => ascending,
            Self::Descending => ascending.reverse(),
        }
    }
}

/// An order of contacts by one field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sort {
    /// The field.
    pub field: FieldName,
    /// The direction.
    pub direction: Direction,
}

/// The place of a contact in an order. `Debug` does not show the value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SortPosition {
    /// The field's value. `None` if the contact lacks the field, and in an order by id.
    pub value: Option<SortValue>,
    /// The contact's id.
    pub id: ContactId,
}

/// The value of a field, as it is compared with others. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SortValue(Comparable);

#[derive(Clone, PartialEq, Eq)]
enum Comparable {
    Number(Decimal<String>),
    Instant(DateTime<Utc>),
    /// A folded and shortened text.
    Text(String),
}

impl Default for Sort {
    /// Returns the order of creation, which is the order of ids.
    fn default() -> Self {
        Self { field: FieldName::HsObjectId, direction: Direction::Ascending }
    }
}

impl Sort {
    /// Returns true for an order by id.
    #[must_use]
    pub fn is_by_id(&self) -> bool {
        self.field == FieldName::HsObjectId
    }

    /// Returns the place of a contact.
    #[must_use]
    pub fn position(&self, id: ContactId, contact: &impl Fields) -> SortPosition {
        let value = if self.is_by_id() { None } else { contact.field(&self.field) };
        SortPosition { value: value.filter(|value| !value.is_empty()).map(SortValue::new), id }
    }

    /// Compares two places in this order.
    #[must_use]
    pub fn compare(&self, one: &SortPosition, other: &SortPosition) -> Ordering {
        if self.is_by_id() {
            return self.direction.order(one.id.cmp(&other.id));
        }
        let values = match (&one.value, &other.value) {
            (Some(value), Some(other)) => self.direction.order(value.cmp(other)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        values.then_with(|| one.id.cmp(&other.id))
    }
}

impl SortValue {
    fn new(value: Value<'_>) -> Self {
        Self(match value {
            Value::Text(text) => Comparable::new(text),
            Value::Instant(at) => Comparable::Instant(at.to_utc()),
            Value::Id(id) => Comparable::new(&id.to_string()),
        })
    }

    /// Returns a text from which [`Self::from_text`] reads the value. It has a kind and at most
    /// [`SORT_VALUE_CHARS_MAX`] characters after it.
    #[must_use]
    pub fn to_text(&self) -> String {
        match &self.0 {
            Comparable::Number(number) => format!("n{number}"),
            Comparable::Instant(at) => format!("i{}.{}", at.timestamp(), at.timestamp_subsec_nanos()),
            Comparable::Text(text) => format!("t{text}"),
        }
    }

    /// Parses the text that [`Self::to_text`] returns.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (kind, value) = text.split_at_checked(1)?;
        let value = match kind {
            "n" => Comparable::Number(Decimal::read(value)?.into_owned()),
            "i" => {
                let (seconds, nanos) = value.split_once('.')?;
                Comparable::Instant(DateTime::from_timestamp(seconds.parse().ok()?, nanos.parse().ok()?)?)
            }
            "t" => Comparable::Text(value.to_owned()),
            _ => return None,
        };
        Some(Self(value))
    }
}

impl Comparable {
    fn new(text: &str) -> Self {
        // A character has at least one byte, so this checks only texts that may be short enough.
        let is_short = text.len() <= SORT_VALUE_CHARS_MAX;
        if let Some(at) = read_instant(text).filter(|_| is_short) {
            return Self::Instant(at);
        }
        match Decimal::read(text).filter(|_| is_short) {
            Some(number) => Self::Number(number.into_owned()),
            None => Self::Text(fold(text).take(SORT_VALUE_CHARS_MAX).collect()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Instant(_) => 1,
            Self::Text(_) => 2,
        }
    }
}

impl Ord for SortValue {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Comparable::Number(one), Comparable::Number(other)) => one.compare(other),
            (Comparable::Instant(one), Comparable::Instant(other)) => one.cmp(other),
            (Comparable::Text(one), Comparable::Text(other)) => one.cmp(other),
            (one, other) => one.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for SortValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for SortValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SortValue")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Timestamp;

    /// A contact with at most one field.
    struct Held<'a>(Option<Value<'a>>);

    impl Fields for Held<'_> {
        fn field(&self, _: &FieldName) -> Option<Value<'_>> {
            self.0
        }
    }

    fn sort(field: &str, direction: Direction) -> Sort {
        Sort { field: field.parse().unwrap(), direction }
    }

    fn id(number: usize) -> ContactId {
        ContactId::from_number(number as u64).unwrap()
    }

    /// Sorts the values of contacts with ids in the given order.
    fn sorted<'a>(sort: &Sort, values: &[Option<&'a str>]) -> Vec<Option<&'a str>> {
        let mut places: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(number, value)| (sort.position(id(number), &Held(value.map(Value::Text))), *value))
            .collect();
        places.sort_by(|(one, _), (other, _)| sort.compare(one, other));
        places.into_iter().map(|(_, value)| value).collect()
    }

    #[test]
    fn numbers_instants_and_texts_have_one_order() {
        let values = [
            Some("b"),
            None,
            Some("10"),
            Some("2026-11-02T00:00:00Z"),
            Some("B"),
            Some("9.5"),
            Some(""),
            Some("2026-11-02T00:30:00+01:00"),
            Some("äh"),
            Some("-1"),
            Some("2026-11-02"),
        ];
        let present = [
            Some("-1"),
            Some("9.5"),
            Some("10"),
            Some("2026-11-02T00:30:00+01:00"),
            Some("2026-11-02T00:00:00Z"),
            Some("2026-11-02"),
            Some("b"),
            Some("B"),
            Some("äh"),
        ];
        let absent = [None, Some("")];
        let ascending = sorted(&sort("field", Direction::Ascending), &values);
        assert_eq!(ascending, [&present[..], &absent].concat());
        let mut backwards = present;
        backwards.reverse();
        backwards.swap(1, 2);
        let descending = sorted(&sort("field", Direction::Descending), &values);
        assert_eq!(descending, [&backwards[..], &absent].concat(), "equal values keep the order of ids");
    }

    #[test]
    fn order_by_id_needs_no_value() {
        let by_id = |direction| sort("hs_object_id", direction);
        let values = [Some("b"), None, Some("a")];
        assert_eq!(sorted(&by_id(Direction::Ascending), &values), values);
        assert_eq!(sorted(&by_id(Direction::Descending), &values), [Some("a"), None, Some("b")]);
        assert_eq!(Sort::default(), by_id(Direction::Ascending));
    }

    #[test]
    fn long_texts_are_equal_if_they_begin_equally() {
        let long = |end: &str| "ä".repeat(SORT_VALUE_CHARS_MAX) + end;
        let (one, other) = (long("b"), long("a"));
        let values = [Some(&*one), Some(&*other), Some("ä")];
        assert_eq!(
            sorted(&sort("field", Direction::Ascending), &values),
            [Some("ä"), Some(&*one), Some(&*other)]
        );
        let digits = "9".repeat(SORT_VALUE_CHARS_MAX + 1);
        let value = SortValue::new(Value::Text(&digits));
        assert!(value > SortValue::new(Value::Text("2026-11-02T00:00:00Z")), "it is a text");
        assert_eq!(value.to_text().len(), SORT_VALUE_CHARS_MAX + 1);
    }

    #[test]
    fn instants_of_the_program_compare_with_texts() {
        let at = Timestamp::from_millis(1_795_377_541_123);
        assert!(SortValue::new(Value::Instant(at)) == SortValue::new(Value::Text(&at.to_string())));
        assert_eq!(SortValue::new(Value::Instant(at)).to_text(), "i1795377541.123000000");
    }

    #[test]
    fn debug_shows_no_value() {
        let place = sort("email", Direction::Ascending).position(id(7), &Held(Some(Value::Text("ada"))));
        assert_eq!(format!("{place:?}"), "SortPosition { value: Some(SortValue), id: 7 }");
    }

    proptest! {
        #[test]
        fn value_is_read_from_its_text(
            text in "\\PC{1,20}|-?[0-9]{1,9}(\\.[0-9]{1,9})?|20[0-9]{2}-11-01T0[0-9]:00:00\\.[0-9]{1,9}Z",
        ) {
            let value = SortValue::new(Value::Text(&text));
            let written = value.to_text();
            let read = SortValue::from_text(&written).unwrap();
            prop_assert!(read == value && read.cmp(&value).is_eq());
            prop_assert_eq!(read.to_text(), written);
        }

        #[test]
        fn garbage_is_no_value_or_has_a_text(text in "[nit]?\\PC{0,9}") {
            if let Some(value) = SortValue::from_text(&text) {
                prop_assert!(SortValue::from_text(&value.to_text()).unwrap() == value);
            }
        }
    }
}
