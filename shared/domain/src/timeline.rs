//! The usage of an account over time, by days.
//!
//! A day is known by the newest picture of the period on it. A picture contains totals since the account's creation, so
//! the numbers of a day are a difference of two pictures, and a picture that is missing or late makes no number wrong
//! for good.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use chrono::NaiveDate;

use crate::period::{Period, Totals};
use crate::source::BySource;

/// The usage at an instant, with the totals that explain it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// The usage.
    pub marketing: u64,
    /// The totals since the account's creation.
    pub totals: Totals,
}

/// The record of a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayRecord {
    /// The newest snapshot of the day.
    pub snapshot: Snapshot,
    /// The highest usage in the snapshots of the day.
    pub peak: u64,
}

/// The usage of an account on one day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayUsage {
    /// The day.
    pub date: NaiveDate,
    /// The usage at its end.
    pub marketing: u64,
    /// The highest usage.
    pub peak: u64,
    /// The contacts that were kept.
    pub kept: u64,
    /// The contacts that were queued to leave.
    pub queued: u64,
    /// The contacts that left at an update date.
    pub left: u64,
    /// The contacts that were set, by the type of their source.
    pub by_source: BySource,
}

impl Snapshot {
    /// Returns the snapshot of a period.
    #[must_use]
    pub fn of(period: &Period) -> Self {
        Self { marketing: period.marketing, totals: period.totals }
    }

    /// Returns the snapshot before the first write that was counted in `period`. The usage was zero, unless the account
    /// is older than its totals.
    #[must_use]
    pub fn before(period: &Period) -> Self {
        let Totals { left, .. } = period.totals;
        let marketing = period.marketing.saturating_add(left).saturating_sub(period.totals.set());
        Self { marketing, totals: Totals::default() }
    }

    /// Returns the newer of two snapshots.
    #[must_use]
    pub fn newer(self, other: Self) -> Self {
        if other.totals.counted > self.totals.counted { other } else { self }
    }
}

impl DayRecord {
    /// Returns the record of a day of which one snapshot is known.
    #[must_use]
    pub fn of(period: &Period) -> Self {
        Self { snapshot: Snapshot::of(period), peak: period.marketing }
    }

    /// Returns the record that both records make. The order does not matter, and a repeat changes nothing.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        Self { snapshot: self.snapshot.newer(other.snapshot), peak: self.peak.max(other.peak) }
    }
}

impl DayUsage {
    /// Returns the number of contacts that were set.
    #[must_use]
    pub fn set(&self) -> u64 {
        self.by_source.sum()
    }
}

/// Returns the usage on each of the days. `before` is the newest snapshot before them.
///
/// A day ends with the newest snapshot so far, so a day that is recorded late never has a negative difference. The usage
/// of a day is that of the day before, plus the contacts that were set, less those that left.
#[must_use]
pub fn timeline(
    days: RangeInclusive<NaiveDate>,
    before: Snapshot,
    records: &BTreeMap<NaiveDate, DayRecord>,
) -> Vec<DayUsage> {
    let mut latest = before;
    let (first, last) = days.into_inner();
    let days = first.iter_days().take_while(|date| *date <= last);
    let usage = days.map(|date| {
        let record = records.get(&date);
        let earlier = latest.totals;
        latest = record.map_or(latest, |record| latest.newer(record.snapshot));
        let Snapshot { marketing, totals } = latest;
        DayUsage {
            date,
            marketing,
            peak: record.map_or(marketing, |record| record.peak.max(marketing)),
            kept: totals.kept.saturating_sub(earlier.kept),
            queued: totals.queued.saturating_sub(earlier.queued),
            left: totals.left.saturating_sub(earlier.left),
            by_source: totals.by_source.since(&earlier.by_source),
        }
    });
    usage.collect()
}

#[cfg(test)]
mod tests {
    use chrono::{Days, TimeDelta};
    use proptest::prelude::*;

    use super::*;
    use crate::Timestamp;
    use crate::period::Delta;
    use crate::period::tests::period;
    use crate::source::SourceType;

    /// One write of the counts, after some hours.
    #[derive(Clone, Copy, Debug)]
    struct Write {
        hours: i64,
        set: u8,
        queued: u8,
    }

    /// Returns the period after each write and each closing, with its day.
    fn pictures(writes: &[Write]) -> Vec<(NaiveDate, Period)> {
        let mut current = period();
        let mut now = current.starts_at;
        let mut pictures = Vec::new();
        for Write { hours, set, queued } in writes {
            now = now.plus(TimeDelta::hours(*hours));
            while let Some(closing) = current.closing(now) {
                current = closing.next;
                pictures.push(current.clone());
            }
            let kind = SourceType::ALL[usize::from(*set) % SourceType::ALL.len()];
            let sets = [(kind, u64::from(*set))].into_iter().collect();
            current = current.counted(Delta { marketing: i64::from(*set), leaving: 0 }, &sets, now);
            pictures.push(current.clone());
            let leaving = i64::from(*queued).min(i64::try_from(current.after_next_update()).unwrap());
            current = current.counted(Delta { marketing: 0, leaving }, &BySource::default(), now);
            pictures.push(current.clone());
        }
        let day = |picture: &Period| Some(picture.calendar.time_zone.date(picture.counted_at?));
        pictures.into_iter().filter_map(|picture| Some((day(&picture)?, picture))).collect()
    }

    fn gathered<'p>(
        pictures: impl IntoIterator<Item = &'p (NaiveDate, Period)>,
    ) -> BTreeMap<NaiveDate, DayRecord> {
        let mut records = BTreeMap::new();
        for (date, picture) in pictures {
            let new = DayRecord::of(picture);
            records
                .entry(*date)
                .and_modify(|record: &mut DayRecord| *record = record.merged(new))
                .or_insert(new);
        }
        records
    }

    fn date(at: Timestamp) -> NaiveDate {
        period().calendar.time_zone.date(at)
    }

    #[test]
    fn days_without_changes_repeat_the_usage() {
        let writes = [Write { hours: 1, set: 5, queued: 2 }, Write { hours: 72, set: 1, queued: 0 }];
        let (first, pictures) = (date(period().starts_at), pictures(&writes));
        let days = timeline(first..=first + Days::new(4), Snapshot::default(), &gathered(&pictures));
        let told: Vec<_> = days.iter().map(|day| (day.marketing, day.set(), day.queued)).collect();
        assert_eq!(told, [(5, 5, 2), (5, 0, 0), (5, 0, 0), (6, 1, 0), (6, 0, 0)]);
    }

    #[test]
    fn update_date_is_the_day_on_which_contacts_leave() {
        let writes = [Write { hours: 1, set: 5, queued: 2 }, Write { hours: 24 * 30, set: 0, queued: 0 }];
        let update = date(period().ends_at);
        let days = timeline(
            update - Days::new(1)..=update,
            Snapshot { marketing: 5, ..Snapshot::default() },
            &gathered(&pictures(&writes)[2..]),
        );
        let told: Vec<_> = days.iter().map(|day| (day.marketing, day.peak, day.left)).collect();
        assert_eq!(told, [(5, 5, 0), (3, 3, 2)], "the update date begins with the lower usage");
    }

    #[test]
    fn usage_from_before_the_totals_is_the_base_of_the_first_day() {
        let old = Period { marketing: 90, ..period() };
        let new = old.counted(
            Delta { marketing: 2, leaving: 0 },
            &[(SourceType::Form, 2)].into_iter().collect(),
            old.starts_at,
        );
        assert_eq!(Snapshot::before(&new), Snapshot { marketing: 90, ..Snapshot::default() });
    }

    proptest! {
        #[test]
        fn days_add_up_to_the_usage(
            writes in prop::collection::vec((0..100_i64, 0..9_u8, 0..9_u8), 1..30),
            order in any::<u64>(),
        ) {
            let writes: Vec<_> = writes.into_iter().map(|(hours, set, queued)| Write { hours, set, queued }).collect();
            let pictures = pictures(&writes);
            prop_assume!(!pictures.is_empty());
            let (first, last) = (pictures[0].0, pictures[pictures.len() - 1].0);
            let before = Snapshot::before(&pictures[0].1);
            let all = timeline(first..=last, before, &gathered(&pictures));
            let mut marketing = 0;
            for day in &all {
                prop_assert_eq!(day.marketing + day.left, marketing + day.set());
                prop_assert!(day.peak >= day.marketing);
                marketing = day.marketing;
            }
            prop_assert_eq!(marketing, pictures[pictures.len() - 1].1.marketing);
            // Any order, with repeats.
            let mut shuffled: Vec<_> = pictures.iter().chain(&pictures).collect();
            let length = u64::try_from(shuffled.len()).unwrap();
            shuffled.rotate_left(usize::try_from(order % length).unwrap());
            shuffled.reverse();
            prop_assert_eq!(timeline(first..=last, before, &gathered(shuffled)), all.clone());
            // Missing pictures leave no difference negative, and the last day exact.
            let some = pictures.iter().enumerate().filter(|(n, _)| order >> (n % 64) & 1 == 0);
            let some = some.map(|(_, picture)| picture).chain(pictures.last());
            let part = timeline(first..=last, before, &gathered(some));
            prop_assert_eq!(part.last().map(|day| day.marketing), all.last().map(|day| day.marketing));
            let sum = |days: &[DayUsage]| days.iter().map(DayUsage::set).sum::<u64>();
            prop_assert_eq!(sum(&part), sum(&all));
        }
    }
}
