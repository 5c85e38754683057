//! The timeline of the usage: one item for each account and day.
//!
//! A period's item contains its totals, so each record is a complete snapshot. The newest wins, and records that come
//! twice, late or in any order change nothing.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::ids::AccountId;
use domain::timeline::DayRecord;
use metrics::Metric;

use super::{Change, Followed, Numbered, PeriodChange};
use crate::StoreError;
use crate::expressions::{Expression, number};
use crate::items::{COUNTED, TimelineItem};
use crate::keys::Key;
use crate::store::Store;

/// The records of one account and day.
struct Day {
    record: DayRecord,
    sequence_numbers: Vec<String>,
}

impl PeriodChange {
    /// Returns the record of the day on which the change was counted. `None` if the counts did not change.
    fn day(&self) -> Option<(NaiveDate, DayRecord)> {
        let new = self.images.new.as_ref()?;
        let before = self.images.old.as_ref().map_or(0, |old| old.totals.counted);
        let counted_at = new.counted_at.filter(|_| new.totals.counted != before)?;
        Some((new.calendar.time_zone.date(counted_at), DayRecord::of(new)))
    }
}

/// Records the usage of each account as a metric, as of the last change. Sandboxes are left out.
fn record_usage(changes: &[Numbered]) {
    let mut latest = BTreeMap::new();
    for Numbered { change, .. } in changes {
        if let Change::Period(change) = change
            && let Some(period) = change.images.new.as_ref().filter(|period| period.test_clock.is_none())
        {
            latest.insert(change.account, period);
        }
    }
    for period in latest.into_values() {
        let limit = period.tier.limit_for(period.marketing);
        for (metric, most) in [(Metric::TierUsed, Some(limit)), (Metric::CapUsed, period.cap)] {
            let share = most.and_then(|most| period.marketing.saturating_mul(100).checked_div(most));
            share.into_iter().for_each(|share| metric.record(share));
        }
    }
}

impl Store {
    /// Records the changes of periods in the timelines of their accounts.
    pub(super) async fn follow_timelines(&self, changes: &[Numbered], followed: &mut Followed) {
        let mut days: BTreeMap<(AccountId, NaiveDate), Day> = BTreeMap::new();
        for Numbered { sequence_number, change } in changes {
            let Change::Period(change) = change else { continue };
            let Some((date, record)) = change.day() else { continue };
            let day = days.entry((change.account, date));
            let day = day.or_insert_with(|| Day { record, sequence_numbers: Vec::new() });
            day.record = day.record.merged(record);
            day.sequence_numbers.push(sequence_number.clone());
        }
        record_usage(changes);
        for ((account, date), day) in days {
            if let Err(error) = self.record_day(account, date, day.record).await {
                followed.fail(day.sequence_numbers, error);
            }
        }
    }

    /// Merges a record into the item of the day. The condition is that the item's snapshot is as read.
    async fn record_day(
        &self,
        account: AccountId,
        date: NaiveDate,
        record: DayRecord,
    ) -> Result<(), StoreError> {
        let key = Key::timeline(account, date);
        let retries = self.retries();
        loop {
            let stored = self.get::<TimelineItem>(key.clone()).await?.map(DayRecord::from);
            let merged = stored.map_or(record, |stored| stored.merged(record));
            if stored == Some(merged) {
                return Ok(());
            }
            let item = TimelineItem::from(merged);
            let put = match stored {
                None => self.put_new(key.clone(), &item)?,
                Some(stored) => {
                    let peak = Expression::default().name("peak").value("peak", number(stored.peak));
                    let as_read = peak.name(COUNTED).value(COUNTED, number(stored.snapshot.totals.counted));
                    self.put_if(key.clone(), &item, "#counted = :counted AND #peak = :peak", &as_read)?
                }
            };
            if self.put_item(&put).await? {
                return Ok(());
            }
            retries.retry_now("a day of the timeline kept changing").await?;
        }
    }
}
