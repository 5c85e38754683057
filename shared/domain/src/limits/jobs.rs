//! Limits of the work that schedules and queues start.

use chrono::TimeDelta;

/// The number of contacts that a sweep writes in parallel.
pub const SWEEP_PARALLEL: usize = 16;

/// The number of due items that the schedule reads at once.
pub const DUE_PAGE: i32 = 200;

/// The time after which the schedule queues the sweeps of a closed period again, if they are not finished.
pub const SWEEP_EXPECTED: TimeDelta = TimeDelta::hours(1);

/// The maximum number of messages in one call to a queue (SQS's `SendMessageBatch`).
pub const QUEUE_BATCH_MAX: usize = 10;

/// The time before the deadline of a job at which it begins no further step. It is the longest time of the last step if
/// the table stops answering during it.
pub const DEADLINE_MARGIN: TimeDelta = TimeDelta::seconds(40);
