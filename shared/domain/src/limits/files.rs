//! Limits of files, and of the calls that read and write them.

use std::time::Duration;

use chrono::TimeDelta;

/// The size in bytes from which written bytes become a part of their own. S3 requires 5 MiB of each part but the last. A
/// larger part would need more of a function's memory, and its loss would repeat more work.
pub const FILE_PART_BYTES: usize = 8 * 1024 * 1024;

/// The minimum size in bytes of each part but the last (S3).
pub const FILE_PART_BYTES_MIN: u64 = 5 * 1024 * 1024;

/// The maximum number of parts of one file (S3).
pub const FILE_PARTS_MAX: i32 = 10_000;

/// The time for which a file is stored. It is long enough to read the result of an import after a holiday, and files
/// contain personal data. A test compares it with the bucket in the template.
pub const FILE_KEPT: TimeDelta = TimeDelta::days(30);

/// The time for which the parts of an unfinished file are stored. A worker resumes within minutes or never.
pub const FILE_PARTS_KEPT: TimeDelta = TimeDelta::days(1);

/// The maximum time of one attempt to send a part. At 1 MiB a second, far below the rate of a function, a part needs 8
/// seconds.
pub const FILE_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum time to send a part with all of its attempts. It is shorter than [`super::DEADLINE_MARGIN`], within which
/// the last step of a worker ends.
pub const FILE_OPERATION_TIMEOUT: Duration = Duration::from_secs(30);

/// The time after which a file that sends no more bytes counts as stalled, and is read again from there. S3 usually
/// sends the first byte within a tenth of a second.
pub const FILE_STALL_TIME_MAX: Duration = Duration::from_secs(5);

/// The time for which a browser may cache the permission of a page to use a link, in seconds: an hour. It is the same for
/// every page, so it never changes.
pub const FILE_PREFLIGHT_KEPT_SECONDS: u64 = 60 * 60;

/// The maximum number of contacts of one bucket that an export reads at once. Up to two such pages of each bucket are in
/// memory. Smaller pages save little: most of the memory of an export is a part of its file.
pub const EXPORT_PAGE_MAX: usize = 100;
