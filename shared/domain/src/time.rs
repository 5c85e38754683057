//! Instants. The domain never reads a clock: every `now` is an argument.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Utc};
use thiserror::Error;

/// A UTC instant with millisecond precision, in the years 1970 to 9999.
///
/// Because of these bounds its text form (`2026-11-21T19:59:01.123Z`, RFC 3339) has one length, so stored instants
/// sort as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

/// The error for a text that is not an RFC 3339 instant within the bounds.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected an RFC 3339 instant such as 2026-11-21T19:59:01.123Z, in the years 1970 to 9999")]
pub struct TimestampError;

impl Timestamp {
    /// The earliest instant: 1970-01-01T00:00:00.000Z.
    pub const MIN: Self = Self(DateTime::UNIX_EPOCH);
    /// The latest instant: 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = match DateTime::from_timestamp_millis(253_402_300_799_999) {
        Some(at) => Self(at),
        None => Self::MIN,
    };

    /// Creates an instant from the milliseconds since 1970-01-01T00:00:00Z, limited to [`Self::MIN`] and [`Self::MAX`].
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        let millis = millis.clamp(Self::MIN.millis(), Self::MAX.millis());
        Self(DateTime::from_timestamp_millis(millis).unwrap_or_default())
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// Returns the whole seconds since 1970-01-01T00:00:00Z, which is the unit of DynamoDB's time-to-live.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// Returns the year in UTC.
    #[must_use]
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// Returns the instant as a chrono value.
    #[must_use]
    pub const fn to_utc(self) -> DateTime<Utc> {
        self.0
    }

    /// Returns the instant `delta` later (earlier if negative), limited to the bounds.
    #[must_use]
    pub fn plus(self, delta: TimeDelta) -> Self {
        Self::from_millis(self.millis().saturating_add(delta.num_milliseconds()))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    /// Cuts the instant to whole milliseconds and limits it to the bounds.
    fn from(at: DateTime<Utc>) -> Self {
        Self::from_millis(at.timestamp_millis())
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| TimestampError)?.with_timezone(&Utc);
        if (1970..=9999).contains(&at.year()) { Ok(Self::from(at)) } else { Err(TimestampError) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_one_length_and_round_trips() {
        for at in [Timestamp::MIN, Timestamp::MAX, Timestamp::from_millis(1_795_377_541_123)] {
            let text = at.to_string();
            assert_eq!(text.len(), 24);
            assert_eq!(text.parse(), Ok(at));
            assert_eq!(format!("{at:?}"), text);
            assert_eq!(text.get(..4).and_then(|year| year.parse().ok()), Some(at.year()));
        }
    }

    #[test]
    fn instant_with_an_offset_is_converted_and_cut() {
        let at: Timestamp = "2026-11-21T20:59:01.1239+01:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-21T19:59:01.123Z");
    }

    #[test]
    fn invalid_text_or_instant_out_of_bounds_is_rejected() {
        for text in ["", "2026-11-21", "yesterday", "1969-12-31T23:59:59Z", "2026-13-01T00:00:00Z"] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
    }

    #[test]
    fn sum_stays_within_the_bounds() {
        assert_eq!(Timestamp::MAX.plus(TimeDelta::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.plus(TimeDelta::days(-1)), Timestamp::MIN);
    }
}
