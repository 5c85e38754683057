//! A form's budget: the number of contacts that it may set marketing, or keep from leaving, on one day.

use chrono::NaiveDate;

/// The number of contacts that a form has set marketing, or kept from leaving, on its latest day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayCount {
    /// The day, by the calendar of the account's time zone.
    pub day: NaiveDate,
    /// The number of contacts that the form has set or kept on that day.
    pub new_marketing: u64,
}

impl DayCount {
    /// Returns the count for `today`, given the latest stored count.
    ///
    /// A day never moves back, neither because clocks differ around midnight nor because the account changes its time
    /// zone. The count of a later day applies until that day is over.
    #[must_use]
    pub fn on(today: NaiveDate, latest: Option<Self>) -> Self {
        latest.filter(|latest| latest.day >= today).unwrap_or(Self { day: today, new_marketing: 0 })
    }
}

/// The remaining budget of a day, which decisions use up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    remaining: u64,
    used: u64,
}

impl Budget {
    /// Creates the remaining budget of `max` new marketing contacts a day. A budget that was lowered below its use is
    /// used up.
    #[must_use]
    pub fn new(max: u64, count: DayCount) -> Self {
        Self { remaining: max.saturating_sub(count.new_marketing), used: 0 }
    }

    /// Uses one unit of the budget. Returns false if none remains.
    pub fn use_one(&mut self) -> bool {
        let Some(remaining) = self.remaining.checked_sub(1) else { return false };
        self.remaining = remaining;
        self.used += 1;
        true
    }

    /// Returns the number of units that were used since this value was created.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
    }

    #[test]
    fn new_day_begins_at_zero_and_a_day_never_moves_back() {
        let count = |day, new_marketing| DayCount { day, new_marketing };
        assert_eq!(DayCount::on(day(21), None), count(day(21), 0));
        assert_eq!(DayCount::on(day(21), Some(count(day(21), 5))), count(day(21), 5));
        assert_eq!(DayCount::on(day(22), Some(count(day(21), 5))), count(day(22), 0));
        assert_eq!(DayCount::on(day(20), Some(count(day(21), 5))), count(day(21), 5));
    }

    #[test]
    fn budget_is_exact_and_never_negative() {
        let mut budget = Budget::new(5, DayCount { day: day(21), new_marketing: 3 });
        assert_eq!([(); 3].map(|()| budget.use_one()), [true, true, false]);
        assert_eq!(budget.used(), 2);
        assert!(!Budget::new(3, DayCount { day: day(21), new_marketing: 5 }).use_one(), "it was lowered");
    }
}
