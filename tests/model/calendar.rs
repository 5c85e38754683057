//! Update dates by brute force: the local date is examined every quarter of an hour.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::Timestamp;
use domain::calendar::{Calendar, Term};

/// Returns the first instant after `after` at which an update date of the contract begins in the account's time zone.
/// Every UTC offset since 1990 is a whole number of quarter hours, so the search skips no beginning of a day.
pub fn next_update(calendar: &Calendar, after: Timestamp) -> Timestamp {
    const QUARTER: i64 = 15 * 60 * 1_000;
    let zone = zone(calendar);
    let local = |millis| day_in(zone, Timestamp::from_millis(millis));
    let mut instant = (after.millis().div_euclid(QUARTER) + 1) * QUARTER;
    loop {
        let day = local(instant);
        if day != local(instant - QUARTER) && is_update_date(calendar, day) {
            return Timestamp::from_millis(instant);
        }
        instant += QUARTER;
    }
}

/// Returns the date in the account's time zone.
pub fn day(calendar: &Calendar, at: Timestamp) -> NaiveDate {
    day_in(zone(calendar), at)
}

fn zone(calendar: &Calendar) -> Tz {
    calendar.time_zone.as_str().parse().unwrap()
}

fn day_in(zone: Tz, at: Timestamp) -> NaiveDate {
    let at: DateTime<Utc> = DateTime::from_timestamp_millis(at.millis()).unwrap();
    at.with_timezone(&zone).date_naive()
}

fn is_update_date(calendar: &Calendar, day: NaiveDate) -> bool {
    let renewal = calendar.renewal_date;
    let is_last_of_month = (day + TimeDelta::days(1)).month() != day.month();
    let is_renewal_day = day.day() == renewal.day() || (is_last_of_month && day.day() < renewal.day());
    match calendar.term {
        Term::Monthly => is_renewal_day,
        Term::Annual => {
            day.day() == 1 || (day >= renewal && day.month() == renewal.month() && is_renewal_day)
        }
    }
}
