//! Instants. The domain never reads a clock: every `now` is an argument.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Utc};
use thiserror::Error;

/// A UTC instant with millisecond precision, in the years 1970 to 9999.
///
/// The bounds make its text form (`2026-11-21T19:59:01.123Z`, RFC 3339) have one length, so that stored
/// instants sort as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

/// A text that is not an instant as the API writes them.
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

    /// The instant so many milliseconds after 1970-01-01T00:00:00Z, held within [`Self::MIN`] and [`Self::MAX`].
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        let held = millis.clamp(Self::MIN.millis(), Self::MAX.millis());
        Self(DateTime::from_timestamp_millis(held).unwrap_or_default())
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, as DynamoDB's time-to-live wants them.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// Its year in UTC.
    #[must_use]
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// The same instant as chrono's type.
    #[must_use]
    pub const fn to_utc(self) -> DateTime<Utc> {
        self.0
    }

    /// The instant `delta` later (earlier when negative), held within the bounds.
    #[must_use]
    pub fn plus(self, delta: TimeDelta) -> Self {
        Self::from_millis(self.millis().saturating_add(delta.num_milliseconds()))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    /// Cuts to whole milliseconds and holds the instant within the bounds.
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
    fn text_has_one_length_and_survives_the_round_trip() {
        for at in [Timestamp::MIN, Timestamp::MAX, Timestamp::from_millis(1_795_377_541_123)] {
            let text = at.to_string();
            assert_eq!(text.len(), 24);
            assert_eq!(text.parse(), Ok(at));
            assert_eq!(format!("{at:?}"), text);
            assert_eq!(text.get(..4).and_then(|year| year.parse().ok()), Some(at.year()));
        }
    }

    #[test]
    fn reads_offsets_and_cuts_to_milliseconds() {
        let at: Timestamp = "2026-11-21T20:59:01.1239+01:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-21T19:59:01.123Z");
    }

    #[test]
    fn refuses_what_is_no_instant_or_out_of_bounds() {
        for text in ["", "2026-11-21", "yesterday", "1969-12-31T23:59:59Z", "2026-13-01T00:00:00Z"] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
    }

    #[test]
    fn arithmetic_stays_within_the_bounds() {
        assert_eq!(Timestamp::MAX.plus(TimeDelta::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.plus(TimeDelta::days(-1)), Timestamp::MIN);
    }
}
