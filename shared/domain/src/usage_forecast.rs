//! The forecast of an account's usage: what the next update date leaves, and when a limit is reached at the present
//! pace.

use chrono::{Days, NaiveDate};

use crate::Timestamp;
use crate::limits::FORECAST_DAYS_MAX;
use crate::period::Period;

/// The changes of the usage within some days, of which the last is today.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// The number of days, 1 or more.
    pub days: u32,
    /// The contacts that were set.
    pub set: u64,
    /// The contacts that left.
    pub left: u64,
}

/// The forecast of an account's usage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsageForecast {
    /// The pace that the estimate continues.
    pub pace: Pace,
    /// The first day on which the usage is at least the tier limit of now. `None` if it is not foreseeable.
    pub limit_reached_on: Option<NaiveDate>,
    /// The first day on which the usage is at least the cap. `None` if there is no cap or it is not foreseeable.
    pub cap_reached_on: Option<NaiveDate>,
}

impl UsageForecast {
    /// Returns the forecast of an account that is in `period` at `now`.
    ///
    /// Until the next update date the usage only grows, by the contacts that the pace sets. At the update date the
    /// leaving contacts of now leave. From then on the usage changes by those that the pace sets less those that leave.
    #[must_use]
    pub fn new(period: &Period, now: Timestamp, pace: Pace) -> Self {
        let pace = Pace { days: pace.days.max(1), ..pace };
        let limit = period.tier.limit_for(period.marketing);
        let on = |target| reached_on(period, now, pace, target);
        Self { pace, limit_reached_on: on(limit), cap_reached_on: period.cap.and_then(on) }
    }
}

/// Returns the first day on which the usage is at least `target`.
fn reached_on(period: &Period, now: Timestamp, pace: Pace, target: u64) -> Option<NaiveDate> {
    let zone = period.calendar.time_zone;
    let today = zone.date(now);
    let until_update = zone.date(period.ends_at).signed_duration_since(today).num_days();
    // All contacts are counted in parts of one by the number of the pace's days, so that nothing is rounded.
    let parts = |contacts: u64| i128::from(contacts) * i128::from(pace.days);
    let (set, left) = (i128::from(pace.set), i128::from(pace.left));
    let missing = parts(target) - parts(period.marketing);
    let days = match days_to(missing, set) {
        Some(days) if days < i128::from(until_update) || missing <= 0 => days,
        _ => {
            let update = i128::from(until_update);
            let at_update = missing + parts(period.leaving) - set * update;
            update + days_to(at_update, set - left)?
        }
    };
    let days = u64::try_from(days).ok().filter(|days| *days <= FORECAST_DAYS_MAX.unsigned_abs())?;
    today.checked_add_days(Days::new(days))
}

/// Returns the number of days after which `missing` parts are there, if a day adds `daily`. `None` if never.
fn days_to(missing: i128, daily: i128) -> Option<i128> {
    if missing <= 0 {
        return Some(0);
    }
    (daily > 0).then(|| (missing + daily - 1) / daily)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::period::tests::period;
    use crate::tier::Tier;

    /// Returns an account with a limit of 100 on 10 November, whose next update date is 1 December.
    fn account(marketing: u64, leaving: u64, cap: Option<u64>) -> Period {
        Period { marketing, leaving, cap, ..period() }
    }

    fn forecast(period: &Period, pace: Pace) -> UsageForecast {
        UsageForecast::new(period, period.starts_at, pace)
    }

    fn on(month: u32, day: u32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(2026, month, day)
    }

    #[test]
    fn limits_are_reached_at_the_pace_before_the_update_date() {
        let pace = Pace { days: 28, set: 28, left: 0 };
        let told = forecast(&account(90, 90, Some(95)), pace);
        assert_eq!((told.limit_reached_on, told.cap_reached_on), (on(11, 20), on(11, 15)));
        let slow = Pace { days: 28, set: 14, left: 0 };
        assert_eq!(forecast(&account(90, 0, None), slow).limit_reached_on, on(11, 30));
    }

    #[test]
    fn leaving_contacts_move_the_date_behind_the_update_date() {
        let pace = Pace { days: 28, set: 28, left: 14 };
        // 70 at the start, 91 at the update date, of which 11 leave, and then one more in two days.
        assert_eq!(
            forecast(&account(70, 11, None), pace).limit_reached_on,
            NaiveDate::from_ymd_opt(2027, 1, 10)
        );
        assert_eq!(forecast(&account(70, 0, Some(90)), pace).cap_reached_on, on(11, 30));
        assert_eq!(forecast(&account(70, 0, Some(91)), pace).cap_reached_on, on(12, 1));
    }

    #[test]
    fn limit_that_is_reached_already_is_reached_today() {
        let none = Pace { days: 1, set: 0, left: 0 };
        let told = forecast(&account(100, 50, Some(80)), none);
        assert_eq!((told.limit_reached_on, told.cap_reached_on), (on(11, 10), on(11, 10)));
    }

    #[test]
    fn falling_or_very_slow_usage_reaches_nothing() {
        for pace in [Pace { days: 28, set: 5, left: 5 }, Pace { days: 28, set: 0, left: 9 }] {
            assert_eq!(forecast(&account(90, 0, Some(99)), pace).cap_reached_on, None, "{pace:?}");
        }
        let large = Period { tier: Tier::new(1_000_000, 1).unwrap(), ..account(0, 0, None) };
        assert_eq!(forecast(&large, Pace { days: 28, set: 28, left: 0 }).limit_reached_on, None);
    }

    proptest! {
        /// Compares the formula with a walk through the days.
        #[test]
        fn date_is_that_of_a_walk_through_the_days(
            marketing in 0..200_u64, share in 0..=100_u64, target in 0..400_u64,
            days in 1..29_u32, set in 0..200_u64, left in 0..200_u64,
        ) {
            let period = account(marketing, marketing * share / 100, Some(target));
            let told = forecast(&period, Pace { days, set, left }).cap_reached_on;
            let zone = period.calendar.time_zone;
            let update = zone.date(period.ends_at);
            let parts = |contacts: u64| i128::from(contacts * u64::from(days));
            let mut usage = parts(marketing);
            let mut walked = None;
            for day in zone.date(period.starts_at).iter_days().take(3_661) {
                if day > zone.date(period.starts_at) {
                    usage += i128::from(set);
                }
                if day == update {
                    usage -= parts(period.leaving);
                } else if day > update {
                    usage -= i128::from(left);
                }
                if usage >= parts(target) {
                    walked = Some(day);
                    break;
                }
            }
            prop_assert_eq!(told, walked);
        }
    }
}
