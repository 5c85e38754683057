//! Limits of the timeline of the usage, of notices and of the history of properties.

use chrono::TimeDelta;

/// The maximum number of days in a timeline: a year. Their items are read in one query.
pub const TIMELINE_DAYS_MAX: i64 = 366;

/// The number of days in a timeline if the request names none.
pub const TIMELINE_DAYS_DEFAULT: i64 = 30;

/// The number of days before a timeline that are read for its first difference. Clocks that differ, and a change of the
/// time zone, may let the newest count be on an earlier day than another one, by a day or two.
pub const TIMELINE_DAYS_BEFORE: usize = 3;

/// The number of days whose pace a forecast continues: four weeks, so that each day of the week counts the same.
pub const PACE_DAYS: u32 = 28;

/// The number of days that a forecast looks ahead: ten years. A later date is as good as none.
pub const FORECAST_DAYS_MAX: i64 = 3_660;

/// The time for which a notice is stored: a year, and a month to compare it with.
pub const NOTICE_KEPT: TimeDelta = TimeDelta::days(400);

/// The number of values of each property that its history keeps. A contact that is edited for years stays readable.
pub const PROPERTY_VALUES_KEPT: usize = 20;

/// The number of versions of a contact between two removals of old values from its history. So most changes cost one
/// write and no read.
pub const PROPERTY_VERSIONS_PER_REMOVAL: u64 = 16;
