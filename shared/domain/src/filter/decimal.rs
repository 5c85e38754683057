//! Decimal numbers of any length, which compare exactly, so that ids of twenty digits work like prices.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number such as `-12.50`, without insignificant zeros.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Decimal<T> {
    negative: bool,
    whole: T,
    fraction: T,
}

impl<'a> Decimal<&'a str> {
    /// Parses digits with an optional leading `-` and an optional fraction. Any other text is not a number, so
    /// `+49 30 1234` and `1e5` stay texts.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (signed, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (digits, ""),
        };
        let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let is_zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: signed && !is_zero, whole, fraction })
    }

    /// Returns a whole number, limited to the range of its type. Returns `None` for a number with a fraction.
    pub(super) fn to_integer(&self) -> Option<i64> {
        if !self.fraction.is_empty() {
            return None;
        }
        let digits = if self.whole.is_empty() { "0" } else { self.whole };
        // Digits alone fail to parse only if there are too many.
        let size = digits.parse().unwrap_or(i64::MAX);
        Some(if self.negative { -size } else { size })
    }

    pub(super) fn into_owned(self) -> Decimal<String> {
        Decimal { negative: self.negative, whole: self.whole.to_owned(), fraction: self.fraction.to_owned() }
    }
}

impl<T: AsRef<str>> Decimal<T> {
    pub(super) fn compare(&self, other: &Decimal<String>) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.compare_size(other),
            (true, true) => self.compare_size(other).reverse(),
        }
    }

    fn compare_size(&self, other: &Decimal<String>) -> Ordering {
        let (whole, fraction) = (self.whole.as_ref(), self.fraction.as_ref());
        let wholes = whole.len().cmp(&other.whole.len()).then_with(|| whole.cmp(&*other.whole));
        wholes.then_with(|| fraction.cmp(&*other.fraction))
    }
}

impl fmt::Display for Decimal<String> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let whole = if self.whole.is_empty() { "0" } else { &self.whole };
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{}", self.fraction)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compare(one: &str, other: &str) -> Ordering {
        Decimal::read(one).unwrap().compare(&Decimal::read(other).unwrap().into_owned())
    }

    #[test]
    fn decimals_compare_by_value() {
        let ascending =
            ["-100", "-12.5", "-12.49", "-0.01", "0", "0.001", "0.01", "0.1", "9", "10", "10.05", "10.5"];
        for (index, one) in ascending.iter().enumerate() {
            for (other_index, other) in ascending.iter().enumerate() {
                assert_eq!(compare(one, other), index.cmp(&other_index), "{one} {other}");
            }
        }
        for (one, other) in [("7", "007"), ("1.50", "1.5"), ("-0", "0"), ("-0.00", "0"), ("5.0", "5")] {
            assert_eq!(compare(one, other), Ordering::Equal, "{one} {other}");
        }
        assert_eq!(compare("9007199254740993", "9007199254740992"), Ordering::Greater);
    }

    #[test]
    fn other_text_is_not_a_decimal() {
        for text in ["", "-", ".5", "5.", "1e5", "+1", " 1", "1 ", "1,5", "--1", "1.2.3", "0x1", "NaN", "٣"]
        {
            assert!(Decimal::read(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn comparison_agrees_with_integers(one: i64, other: i64) {
            prop_assert_eq!(compare(&one.to_string(), &other.to_string()), one.cmp(&other));
        }
    }
}
