//! Time zones: what clocks somewhere show, and when a day begins there.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use thiserror::Error;
use tz::TimeZoneRef;
use tzdb_data::{TZ_NAMES, find_tz, time_zone};

use crate::Timestamp;

/// A time zone of the IANA database. UTC unless an account says otherwise.
#[derive(Clone, Copy)]
pub struct TimeZone {
    name: &'static str,
    /// Every change of its clocks that is known, and the rule by which they change after the last of these.
    clocks: &'static TimeZoneRef<'static>,
}

/// A text that names no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected an IANA time zone name such as Europe/Berlin")]
pub struct TimeZoneError;

/// Further than clocks anywhere have been from UTC since 1970, in seconds, and near enough that no clocks have changed
/// twice within twice as much.
const REACH: i64 = 15 * 60 * 60;

impl TimeZone {
    /// Its name in the IANA database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.name
    }

    /// What day it is there.
    #[must_use]
    pub fn date(self, at: Timestamp) -> NaiveDate {
        self.local(at).date()
    }

    /// What clocks there show.
    pub(super) fn local(self, at: Timestamp) -> NaiveDateTime {
        at.to_utc().naive_utc() + TimeDelta::seconds(self.offset(at.seconds()))
    }

    /// 00:00 of `date`: the earlier if it exists twice, the first instant after the gap if it does not exist.
    pub(super) fn midnight(self, date: NaiveDate) -> Timestamp {
        let midnight = date.and_time(NaiveTime::MIN).and_utc().timestamp();
        let (before, after) = (midnight.saturating_sub(REACH), midnight.saturating_add(REACH));
        // What clocks are ahead by before a change comes first: where midnight exists twice, this finds the earlier one.
        let shown = [before, after].into_iter().find_map(|near| {
            let offset = self.offset(near);
            let at = midnight.saturating_sub(offset);
            (self.offset(at) == offset).then_some(at)
        });
        at_second(shown.unwrap_or_else(|| self.change(before, after)))
    }

    /// How far clocks there are ahead of UTC at an instant, in seconds. (The data have a rule for all time to come; what
    /// is said of an instant without one is what UTC says.)
    fn offset(self, second: i64) -> i64 {
        self.clocks.find_local_time_type(second).map_or(0, |local| i64::from(local.ut_offset()))
    }

    /// The instant between these two at which clocks changed, of which there is one. The search halves the time
    /// between them until one second is left, which is the precision of the IANA database.
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
        // Names are in order, and found, without case; a zone has its one spelling all the same.
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

    /// Every zone.
    pub(in crate::calendar) fn zones() -> Vec<TimeZone> {
        TZ_NAMES.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn names_are_in_the_order_in_which_they_are_looked_for() {
        assert!(TZ_NAMES.is_sorted_by(|one, other| without_case(one).lt(without_case(other))));
        assert!(TZ_NAMES.len() > 500);
        for zone in zones() {
            assert_eq!(zone.to_string().parse(), Ok(zone));
        }
    }

    /// Where the database of 2026 says something else than that of 2025, which the other reader has: British Columbia no
    /// longer changes its clocks, and the past of Baja California was corrected.
    const CHANGED: [&str; 6] = [
        "America/Ensenada",
        "America/Santa_Isabel",
        "America/Tijuana",
        "America/Vancouver",
        "Canada/Pacific",
        "Mexico/BajaNorte",
    ];

    /// Two editions of the database, read by different programs, agree on every zone. (The other one ends with 2099.)
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

    /// What [`TimeZone::midnight`] takes for granted.
    #[test]
    fn clocks_are_never_far_from_utc_and_never_change_twice_in_a_day() {
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
