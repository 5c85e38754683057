//! The days of an account's timeline.

use domain::timeline::{DayRecord, Snapshot};
use serde::{Deserialize, Serialize};

use super::{Entity, TotalsItem};

/// One day of an account's timeline: its newest snapshot and its peak. The sort key is the date.
#[derive(Serialize, Deserialize)]
pub(crate) struct TimelineItem {
    marketing: u64,
    peak: u64,
    #[serde(flatten)]
    totals: TotalsItem,
}

impl Entity for TimelineItem {
    const TAG: &'static str = "day";
}

impl From<DayRecord> for TimelineItem {
    fn from(DayRecord { snapshot: Snapshot { marketing, totals }, peak }: DayRecord) -> Self {
        Self { marketing, peak, totals: TotalsItem(totals) }
    }
}

impl From<TimelineItem> for DayRecord {
    fn from(TimelineItem { marketing, peak, totals }: TimelineItem) -> Self {
        Self { snapshot: Snapshot { marketing, totals: totals.0 }, peak }
    }
}
