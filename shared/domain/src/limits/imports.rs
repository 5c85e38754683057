//! Limits of imports and exports.

use std::time::Duration;

use chrono::TimeDelta;

use super::PROPERTIES_BYTES_MAX;

/// The maximum size of an imported file in bytes: that of one upload (S3's `PutObject`).
pub const IMPORT_FILE_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// The maximum size of a file that is sent with the request that creates its import, in bytes. API Gateway passes a
/// binary body as Base64 within the 6 MB that Lambda accepts.
pub const IMPORT_ATTACHED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The maximum size of the body that creates an import, in bytes: a file, and the other parts with their headers.
pub const IMPORT_BODY_BYTES_MAX: usize = IMPORT_ATTACHED_BYTES_MAX + 128 * 1024;

/// The time for which an upload's link is valid, and a download's.
pub const FILE_LINK_VALID: Duration = Duration::from_secs(60 * 60);

/// The time for which an import or an export is stored. It is as long as that of a bulk job.
pub const FILE_JOB_KEPT: TimeDelta = TimeDelta::days(400);

/// The time after which the schedule sends the message of an import or an export again. It is longer than one run of the
/// worker.
pub const FILE_JOB_EXPECTED: TimeDelta = TimeDelta::minutes(20);

/// The maximum number of rows that an import has in memory.
pub const IMPORT_ROWS_AHEAD_MAX: usize = 1_000;

/// The maximum size of the rows that an import has in memory, in bytes.
pub const IMPORT_BYTES_AHEAD_MAX: usize = 8 * 1024 * 1024;

/// The maximum number of rows that one transaction of an import decides. Those without a change need no write, but
/// their results are stored.
pub const IMPORT_ROWS_PER_TRANSACTION_MAX: usize = 1_000;

/// The maximum number of addresses that a dry run remembers, to recognize later rows of the same contact.
pub const DRY_RUN_ADDRESSES_MAX: usize = 1_000_000;

/// The number of rows whose outcomes a preview shows.
pub const PREVIEW_ROWS: usize = 100;

/// The number of bytes from the beginning of a file that a preview reads.
pub const PREVIEW_BYTES: usize = 4 * 1024 * 1024;

/// The maximum number of columns of an export that are found by reading the contacts. An account with more names the
/// columns in its request.
pub const EXPORT_COLUMNS_FOUND_MAX: usize = 5_000;

/// The maximum number of columns that a request for an export names.
pub const EXPORT_COLUMNS_MAX: usize = 1_000;

/// The maximum size of one record of a file in bytes: eight times the properties of a contact
/// ([`PROPERTIES_BYTES_MAX`]). A longer record is mostly a quote that was never closed.
pub const IMPORT_RECORD_BYTES_MAX: usize = 1024 * 1024;

/// The maximum number of lines of one record. The values of a contact have no more line ends. Each line takes memory of
/// its own until the record is complete.
pub const IMPORT_RECORD_LINES_MAX: usize = PROPERTIES_BYTES_MAX;

/// The maximum number of cells of one record: the columns of a sheet of Excel. A row may have empty cells after the last
/// column.
pub const IMPORT_RECORD_CELLS_MAX: usize = 16_384;

/// The size of the beginning of a file from which its delimiter, its header and its columns are read, in bytes. These
/// are a few thousand rows, so a column has values even if most of its cells are empty.
pub const IMPORT_SAMPLE_BYTES_MAX: usize = 256 * 1024;

/// The number of records at the beginning of a file among which its header is looked for. Titles have a few lines.
pub const IMPORT_HEADER_RECORDS_MAX: usize = 20;

/// The number of records by which the delimiters of a file are compared.
pub const IMPORT_DELIMITER_RECORDS_MAX: usize = 200;

/// The maximum number of columns of a file. The largest exports of other programs have about 300. The columns are
/// stored with an import in one item of at most 400 KB (`DynamoDB`).
pub const IMPORT_COLUMNS_MAX: usize = 500;

/// The number of characters of a column's name that are kept, for the same reason.
pub const IMPORT_COLUMN_NAME_CHARS_MAX: usize = 100;

/// The size to which each cell of a record that is too long is cut, in bytes. Such a record has no effect, and its
/// beginning is enough to find it again.
pub const IMPORT_CUT_CELL_BYTES_MAX: usize = 1024;

/// The size of the beginning of a line by which the encoding of lines that are not UTF-8 is guessed, in bytes.
pub const IMPORT_GUESSED_LINE_BYTES_MAX: usize = 4 * 1024;

/// The number of values of each column that a preview shows.
pub const PREVIEW_VALUES: usize = 3;

/// The number of characters of a value that a preview shows.
pub const PREVIEW_CELL_CHARS: usize = 100;
