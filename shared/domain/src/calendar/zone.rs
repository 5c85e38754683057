//! Time zones: the local time at an instant, and the instant at which a local day begins.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use thiserror::Error;
use tz::TimeZoneRef;
use tzdb_data::{TZ_NAMES, find_tz, time_zone};

use crate::Timestamp;

/// A time zone of the IANA database. The default is UTC.
#[derive(Clone, Copy)]
pub struct TimeZone {
    name: &'static str,
    /// The known changes of its clocks, and the rule for all later changes.
    clocks: &'static TimeZoneRef<'static>,
}

/// The error for a text that does not name a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected an IANA time zone name such as Europe/Berlin")]
pub struct TimeZoneError;

/// A bound on the offsets from UTC of all clocks since 1970, in seconds. It is also small enough that no clocks changed
/// twice within twice this time.
const REACH: i64 = 15 * 60 * 60;

impl TimeZone {
    /// Returns the zone's name in the IANA database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.name
    }

    /// Returns the local date at an instant.
    #[must_use]
    pub fn date(self, at: Timestamp) -> NaiveDate {
        self.local(at).date()
    }

    /// Returns the local date and time at an instant.
    #[must_use]
    pub fn local(self, at: Timestamp) -> NaiveDateTime {
        at.to_utc().naive_utc() + TimeDelta::seconds(self.offset(at.seconds()))
    }

    /// Returns the first instant of the local day after that of `at`.
    #[must_use]
    pub fn next_day(self, at: Timestamp) -> Timestamp {
        let today = self.date(at);
        self.midnight(today.succ_opt().unwrap_or(today))
    }

    /// Returns 00:00 of `date`: the earlier if it exists twice, the first instant after the gap if it does not exist.
    pub(super) fn midnight(self, date: NaiveDate) -> Timestamp {
        let midnight = date.and_time(NaiveTime::MIN).and_utc().timestamp();
        let (before, after) = (midnight.saturating_sub(REACH), midnight.saturating_add(REACH));
        // The offset before a change is tried first: if midnight exists twice, this finds the earlier one.
        let shown = [before, after].into_iter().find_map(|near| {
            let offset = self.offset(near);
            let at = midnight.saturating_sub(offset);
            (self.offset(at) == offset).then_some(at)
        });
        at_second(shown.unwrap_or_else(|| self.change(before, after)))
    }

    /// Returns the offset from UTC at an instant, in seconds. The data has a rule for all later instants. Without a
    /// rule the offset is 0.
    fn offset(self, second: i64) -> i64 {
        self.clocks.find_local_time_type(second).map_or(0, |local| i64::from(local.ut_offset()))
    }

    /// Returns the only instant between these two at which clocks changed. The binary search ends at one second, which
    /// is the precision of the IANA database.
    fn change(self, mut before: i64, mut after: i64) -> i64 {
        let offset = self.offset(before);
        while after - before > 1 {
            let middle = i64::midpoint(before, after);
            if self.offset(middle) == offset {
                before = middle;
            } else {
                after = middle;
            }
        }
        after
    }
}

fn at_second(second: i64) -> Timestamp {
    Timestamp::from_millis(second.saturating_mul(1000))
}

fn without_case(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

impl Default for TimeZone {
    fn default() -> Self {
        Self { name: "UTC", clocks: &time_zone::UTC }
    }
}

impl FromStr for TimeZone {
    type Err = TimeZoneError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The list is sorted without case, so the search ignores case. The filter then requires the exact spelling.
        let place = TZ_NAMES.binary_search_by(|name| without_case(name).cmp(without_case(text)));
        let name = place.ok().and_then(|place| TZ_NAMES.get(place)).filter(|name| **name == text);
        let name = name.ok_or(TimeZoneError)?;
        let clocks = find_tz(name.as_bytes()).ok_or(TimeZoneError)?;
        Ok(Self { name, clocks })
    }
}

impl PartialEq for TimeZone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TimeZone {}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::{Datelike as _, Months};
    use chrono_tz::{TZ_VARIANTS, Tz};

    use super::*;

    /// Returns every zone of the database.
    pub(in crate::calendar) fn zones() -> Vec<TimeZone> {
        TZ_NAMES.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn names_are_sorted_without_case() {
        assert!(TZ_NAMES.is_sorted_by(|one, other| without_case(one).lt(without_case(other))));
        assert!(TZ_NAMES.len() > 500);
        for zone in zones() {
            assert_eq!(zone.to_string().parse(), Ok(zone));
        }
    }

    /// The zones that differ between the database of 2026 and that of 2025, which the other reader has. British
    /// Columbia no longer changes its clocks, and the past of Baja California was corrected.
    const CHANGED: [&str; 6] = [
        "America/Ensenada",
        "America/Santa_Isabel",
        "America/Tijuana",
        "America/Vancouver",
        "Canada/Pacific",
        "Mexico/BajaNorte",
    ];

    /// Checks that two editions of the database, read by different programs, agree on every zone. The other edition
    /// ends with 2099.
    #[test]
    fn agrees_with_another_reader_of_the_database() {
        let mut differing = std::collections::BTreeSet::new();
        for other in TZ_VARIANTS {
            let Ok(zone) = other.name().parse::<TimeZone>() else { panic!("{other} is missing") };
            let mut month = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
            while month.year() < 2099 {
                for day in [1, 14, 28] {
                    let midnight = zone.midnight(month.with_day(day).unwrap());
                    if !agrees(midnight, zone, other) {
                        differing.insert(other.name());
                    }
                }
                month = month + Months::new(1);
            }
        }
        assert_eq!(differing, CHANGED.into());
    }

    fn agrees(midnight: Timestamp, zone: TimeZone, other: Tz) -> bool {
        let local = midnight.to_utc().with_timezone(&other).naive_local();
        zone.local(midnight) == local
    }

    /// Checks the assumptions of [`TimeZone::midnight`].
    #[test]
    fn clocks_stay_near_utc_and_change_at_most_once_a_day() {
        for zone in zones() {
            let changes = zone.clocks.transitions().iter().map(tz::timezone::Transition::unix_leap_time);
            let changes: Vec<i64> = changes.filter(|at| *at > -REACH).collect();
            for (one, next) in changes.iter().zip(changes.iter().skip(1)) {
                let moves =
                    [*one, *next].iter().filter(|at| zone.offset(**at) != zone.offset(**at - 1)).count();
                assert!(next - one > 2 * REACH || moves < 2, "{zone} at {one} and {next}");
            }
            assert!(changes.iter().all(|at| zone.offset(*at).abs() < REACH), "{zone}");
        }
    }
}
