//! Update dates by looking at the clock on the wall, a quarter of an hour at a time.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use domain::Timestamp;
use domain::calendar::{Calendar, Term};

/// The first instant after `after` at which a day begins, in the account's zone, that the contract calls an update
/// date. Every offset in force since 1990 is a whole number of quarter hours, so no beginning is stepped over.
pub fn next_update(calendar: &Calendar, after: Timestamp) -> Timestamp {
    const QUARTER: i64 = 15 * 60 * 1_000;
    let zone: chrono_tz::Tz = calendar.time_zone.as_str().parse().unwrap();
    let local = |millis: i64| -> NaiveDate {
        let at: DateTime<Utc> = DateTime::from_timestamp_millis(millis).unwrap();
        at.with_timezone(&zone).date_naive()
    };
    let mut instant = (after.millis().div_euclid(QUARTER) + 1) * QUARTER;
    loop {
        let day = local(instant);
        if day != local(instant - QUARTER) && is_update_date(calendar, day) {
            return Timestamp::from_millis(instant);
        }
        instant += QUARTER;
    }
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
