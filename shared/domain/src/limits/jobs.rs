//! Limits of the work that schedules and queues start.

use std::time::Duration;

use chrono::TimeDelta;

/// The number of contacts that a sweep writes in parallel.
pub const SWEEP_PARALLEL: usize = 16;

/// The number of due items that the schedule reads at once.
pub const DUE_PAGE: i32 = 200;

/// The number of pages of each shard that a count of the inbox reads. A page has up to 1 MB of keys, some 5,000.
pub const INBOX_COUNT_PAGES_MAX: u32 = 4;

/// The time after which the schedule queues the sweeps of a closed period again, if they are not finished.
pub const SWEEP_EXPECTED: TimeDelta = TimeDelta::hours(1);

/// The maximum number of messages in one call to a queue (SQS's `SendMessageBatch`).
pub const QUEUE_BATCH_MAX: usize = 10;

/// The time before the deadline of a job at which it begins no further step. It is the longest time of the last step if
/// the table stops answering during it.
pub const DEADLINE_MARGIN: TimeDelta = TimeDelta::seconds(40);

/// The maximum number of segments of an account.
pub const SEGMENTS_MAX: usize = 1_000;

/// The maximum number of members of a static list.
pub const LIST_MEMBERS_MAX: u64 = 1_000_000;

/// The maximum number of contacts that one request adds to a static list, and of those that it removes.
pub const MEMBERS_PER_REQUEST_MAX: usize = 1_000;

/// The number of members that one transaction adds or removes: half of its 100 items, less the segment and the stored
/// response, because each member has two items.
pub const MEMBERS_PER_TRANSACTION_MAX: usize = 49;

/// The maximum number of contacts that a selection excludes.
pub const EXCEPT_MAX: usize = 1_000;

/// The maximum size of a stored filter in bytes of JSON. A filter is a part of a segment's item and of a job's
/// definition, each at most 400 KB (DynamoDB).
pub const STORED_FILTER_BYTES_MAX: usize = 64 * 1024;

/// The maximum number of unfinished bulk jobs of an account. Their ids are in one item.
pub const OPEN_JOBS_MAX: usize = 100;

/// The time for which a finished bulk job is stored. It includes an annual renewal, before which accounts review what
/// they have changed.
pub const BULK_JOB_KEPT: TimeDelta = TimeDelta::days(400);

/// The maximum time for which a request counts contacts. A longer count continues as a job. API Gateway waits 30
/// seconds, and a client usually as long.
pub const COUNT_TIME_MAX: Duration = Duration::from_secs(10);

/// The time after which the schedule queues the bulk jobs of an account again. It is longer than one run of the worker,
/// which begins a new lease.
pub const BULK_EXPECTED: TimeDelta = TimeDelta::minutes(10);

/// The maximum number of an account's automations. The change feed reads all of them with each batch of changes.
pub const AUTOMATIONS_MAX: usize = 100;

/// The maximum size of an automation's filter, in bytes of its stored form.
pub const AUTOMATION_FILTER_BYTES_MAX: usize = 8 * 1024;

/// The maximum number of forms whose submissions one automation follows.
pub const AUTOMATION_FORMS_MAX: usize = 20;

/// The maximum number of contacts in one transaction of an automation. Each is two items, its contact and its enrolment,
/// beside the period, the run and the automation's state.
pub const TURNS_PER_TRANSACTION_MAX: usize = 48;

/// The number of triggers that an enrolment remembers, so that a submission that is read twice enrols once.
pub const TRIGGERS_KEPT: usize = 50;

/// The time for which the enrolment of a contact that was passed over is kept. Records of the stream are read for a day.
pub const PASSED_KEPT: TimeDelta = TimeDelta::days(7);

/// The maximum number of waiting contacts that a request counts.
pub const WAITING_COUNTED_MAX: u64 = 100_000;

/// The maximum number of contacts in one test of an automation.
pub const AUTOMATION_TEST_MAX: usize = 100;

/// The time after which the schedule sends the message of an automation again, if contacts still wait for it. It is
/// longer than one run of the worker.
pub const AUTOMATION_EXPECTED: TimeDelta = TimeDelta::minutes(10);

/// The maximum number of contacts of one bucket that a bulk job reads at once.
pub const BULK_PAGE_MAX: usize = 500;

/// The maximum number of contacts that a bulk job examines before it stores its place.
pub const BULK_EXAMINED_MAX: u64 = 20_000;

/// The maximum number of selected contacts that one transaction of a bulk job decides. Those without a change need no
/// write, but they are decided again if the transaction is not applied.
pub const BULK_DECIDED_MAX: usize = 1_000;

/// The number of consecutive failures without progress after which a run of the worker gives up.
pub const BULK_FAILURES_MAX: u32 = 5;

/// The pause of the worker of bulk jobs after the table was not available.
pub const BULK_UNAVAILABLE_PAUSE: Duration = Duration::from_secs(1);

/// The maximum length of the description of a job's selection. The history of each changed contact contains it.
pub const SELECTION_NAME_CHARS_MAX: usize = 100;

/// The maximum time for which a bulk job works before it stores its place, so that its progress moves every second.
pub const BULK_CHECKPOINT: Duration = Duration::from_secs(1);

/// The part of its own working time for which a bulk job pauses while other requests change the account's period: the
/// pause after a transaction is this many percent of the transaction's time.
pub const BULK_YIELD_PERCENT: u32 = 100;

/// The time between two pauses of a bulk job if no other request is known to change the account's period.
pub const BULK_PROBE_INTERVAL: Duration = Duration::from_millis(200);

/// The shortest pause of a bulk job. A single change needs about 5 ms between two transactions of the job.
pub const BULK_PAUSE_MIN: Duration = Duration::from_millis(15);

/// The longest pause of a bulk job.
pub const BULK_PAUSE_MAX: Duration = Duration::from_millis(100);

/// The time for which a bulk job yields after it noticed changes by other requests.
pub const BULK_YIELD_TIME: Duration = Duration::from_secs(2);
