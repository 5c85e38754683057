//! A form's budget: how many contacts it may set marketing, or keep from leaving, on one day.

use chrono::NaiveDate;

/// How many contacts a form has set marketing, or kept from leaving, on its latest day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayCount {
    /// The day, by the calendar of the account's time zone.
    pub day: NaiveDate,
    /// How many contacts the form has set or kept on it.
    pub new_marketing: u64,
}

impl DayCount {
    /// What counts on `today`, `latest` being what was counted before.
    ///
    /// A day never goes back, neither where clocks differ around midnight nor where the account moves to another time
    /// zone: what was counted on a later day counts until that day is over.
    #[must_use]
    pub fn on(today: NaiveDate, latest: Option<Self>) -> Self {
        latest.filter(|latest| latest.day >= today).unwrap_or(Self { day: today, new_marketing: 0 })
    }
}

/// What is left of a day's budget, while decisions use it up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    room: u64,
    taken: u64,
}

impl Budget {
    /// What is left of `max` new marketing contacts a day. A budget that was lowered below what is used has no room.
    #[must_use]
    pub fn new(max: u64, count: DayCount) -> Self {
        Self { room: max.saturating_sub(count.new_marketing), taken: 0 }
    }

    /// Takes one place, if there is one.
    pub fn take_one(&mut self) -> bool {
        let Some(room) = self.room.checked_sub(1) else { return false };
        self.room = room;
        self.taken += 1;
        true
    }

    /// How many places were taken since it was made.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
    }

    #[test]
    fn a_new_day_begins_at_none_and_a_day_never_goes_back() {
        let count = |day, new_marketing| DayCount { day, new_marketing };
        assert_eq!(DayCount::on(day(21), None), count(day(21), 0));
        assert_eq!(DayCount::on(day(21), Some(count(day(21), 5))), count(day(21), 5));
        assert_eq!(DayCount::on(day(22), Some(count(day(21), 5))), count(day(22), 0));
        assert_eq!(DayCount::on(day(20), Some(count(day(21), 5))), count(day(21), 5));
    }

    #[test]
    fn a_budget_has_so_many_places_and_none_below_zero() {
        let mut budget = Budget::new(5, DayCount { day: day(21), new_marketing: 3 });
        assert_eq!([(); 3].map(|()| budget.take_one()), [true, true, false]);
        assert_eq!(budget.taken(), 2);
        assert!(!Budget::new(3, DayCount { day: day(21), new_marketing: 5 }).take_one(), "it was lowered");
    }
}
