//! Update dates, at which periods end (the crate's `README.md`, Update dates).

mod zone;

use chrono::{Datelike, NaiveDate};
use thiserror::Error;

pub use zone::{TimeZone, TimeZoneError};

use crate::Timestamp;
use crate::string_enum::string_enum;

string_enum! {
    /// The interval at which an account's contract renews.
    pub enum Term {
        /// Every year. Update dates are the first of each month and the renewal date.
        Annual = "annual",
        /// Every month. Update dates are the renewal day of each month.
        Monthly = "monthly",
    }
}

/// The error for a text that is not a calendar date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected a date such as 2026-11-21, in the years 1970 to 9999")]
pub struct DateError;

/// The settings that determine an account's update dates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Calendar {
    /// The interval at which the contract renews.
    pub term: Term,
    /// A day on which the contract renews. A monthly contract renews on its day of the month. An annual contract also
    /// has its month, and does not renew before this date.
    pub renewal_date: NaiveDate,
    /// The time zone whose midnight begins an update date.
    pub time_zone: TimeZone,
}

/// Parses a date in the only format of the API, `YYYY-MM-DD`.
///
/// # Errors
/// [`DateError`] if the text has another format, the day does not exist, or the year is outside the range of
/// [`Timestamp`].
pub fn parse_date(text: &str) -> Result<NaiveDate, DateError> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| DateError)?;
    // chrono also reads `2026-1-5` and `+2026-01-05`.
    let canonical = (1970..=9999).contains(&date.year()) && date.to_string() == text;
    canonical.then_some(date).ok_or(DateError)
}

impl Calendar {
    /// Returns the first update date strictly after `after`.
    ///
    /// Returns [`Timestamp::MAX`] if there is none before it. Only then may the result equal `after`.
    #[must_use]
    pub fn next_update(&self, after: Timestamp) -> Timestamp {
        let month = MonthIndex::of(self.time_zone.date(after));
        self.first_days(month)
            .chain(self.renewals(month))
            .map(|date| self.time_zone.midnight(date))
            .filter(|update| *update > after)
            .min()
            .unwrap_or(Timestamp::MAX)
    }

    /// Returns true if the contract renews at `update`, which is one of this calendar's update dates.
    #[must_use]
    pub fn is_renewal(&self, update: Timestamp) -> bool {
        match self.term {
            Term::Monthly => true,
            Term::Annual => {
                let month = MonthIndex::of(self.time_zone.date(update));
                self.renewals(month).any(|date| self.time_zone.midnight(date) == update)
            }
        }
    }

    /// Returns the first days of `month` and the months around it, if first days are update dates.
    fn first_days(&self, month: MonthIndex) -> impl Iterator<Item = NaiveDate> {
        let annual = self.term == Term::Annual;
        month.around().filter(move |_| annual).filter_map(|month| month.day(1))
    }

    /// Returns the renewal days in `month` and the months around it.
    fn renewals(&self, month: MonthIndex) -> impl Iterator<Item = NaiveDate> {
        let Self { term, renewal_date, .. } = *self;
        month
            .around()
            .filter(move |month| term == Term::Monthly || month.is_same_of_year(renewal_date))
            .filter_map(move |month| month.day(renewal_date.day()))
            .filter(move |date| term == Term::Monthly || *date >= renewal_date)
    }
}

/// A month, counted from the start of the year 0.
#[derive(Clone, Copy)]
struct MonthIndex(i32);

impl MonthIndex {
    const PER_YEAR: i32 = 12;

    fn of(date: NaiveDate) -> Self {
        Self(date.year() * Self::PER_YEAR + i32::try_from(date.month0()).unwrap_or_default())
    }

    /// Returns the previous month, this month and the two next months.
    ///
    /// The next update date after an instant is in this month or the next. The previous month is included because a
    /// midnight in a gap moves to a later day. The second month after is included because some clocks are set back over
    /// midnight (America/St_Johns until 2011, at 00:01). They show the old day again after the new day's midnight.
    fn around(self) -> impl Iterator<Item = Self> {
        (-1..=2).map(move |months| Self(self.0 + months))
    }

    fn is_same_of_year(self, date: NaiveDate) -> bool {
        Self::of(date).0.rem_euclid(Self::PER_YEAR) == self.0.rem_euclid(Self::PER_YEAR)
    }

    /// Returns the day with this number, or the month's last day if the month is shorter.
    fn day(self, day: u32) -> Option<NaiveDate> {
        let year = self.0.div_euclid(Self::PER_YEAR);
        let month0 = u32::try_from(self.0.rem_euclid(Self::PER_YEAR)).ok()?;
        let first = NaiveDate::from_ymd_opt(year, month0 + 1, 1)?;
        first.with_day(day.min(u32::from(first.num_days_in_month())))
    }
}

#[cfg(test)]
mod tests;
