//! Limits of contacts, their history and their search.

use std::time::Duration;

/// The maximum size of an e-mail address in bytes: the forward path of RFC 5321 §4.5.3.1.3 is 256 with its angle
/// brackets.
pub const ADDRESS_BYTES_MAX: usize = 254;

/// The maximum size of the local part of an e-mail address in bytes (RFC 5321 §4.5.3.1.1).
pub const LOCAL_PART_BYTES_MAX: usize = 64;

/// The maximum length of a property's name (the crate's `README.md`, Properties).
pub const PROPERTY_NAME_CHARS_MAX: usize = 100;

/// The maximum number of properties of a contact (the crate's `README.md`, Properties).
pub const PROPERTIES_MAX: usize = 200;

/// The maximum size of one property's value in bytes (the crate's `README.md`, Properties).
pub const PROPERTY_VALUE_BYTES_MAX: usize = 64 * 1024;

/// The maximum size of all names and values of a contact's properties in bytes. A contact is one item of at most 400 KB
/// (DynamoDB), and escaping may double the size of its values.
pub const PROPERTIES_BYTES_MAX: usize = 128 * 1024;

/// The maximum number of groups of a search filter. With [`FILTER_CONDITIONS_MAX`] it bounds the work for each contact.
pub const FILTER_GROUPS_MAX: usize = 10;

/// The maximum number of conditions in a group of a search filter.
pub const FILTER_CONDITIONS_MAX: usize = 10;

/// The maximum number of values of an `IN` or `NOT_IN` condition.
pub const FILTER_VALUES_MAX: usize = 100;

/// The maximum number of changes in a contact's own item. Beyond it, the oldest [`HISTORY_PAGE`] changes move to a
/// page, which only an explanation reads. A change has about a dozen bytes, so few contacts ever have a page, and
/// their items stay small.
pub const HISTORY_RECENT_MAX: usize = 11;

/// The number of changes in a page of a history. So at most every eighth change writes a page.
pub const HISTORY_PAGE: usize = 8;

/// The maximum number of changes in the explanation of a contact: a day of continuous changes, or decades of ordinary
/// use.
pub const HISTORY_SHOWN_MAX: usize = 1_000;

/// The maximum number of contacts that a search examines for one page. A search with few matches returns a short page
/// with a cursor instead of reading for minutes.
pub const SEARCH_EXAMINED_MAX: usize = 20_000;

/// The maximum size of the properties that a search examines for one page, in bytes. The function reads this much well
/// within its time limit.
pub const SEARCH_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The maximum size of the properties that a search has in memory at once, in bytes. A function has 512 MB.
pub const SEARCH_ROUND_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The maximum time of a search that must read all contacts of an account, because it sorts by a field or counts its
/// matches. It leaves room for the last reads and the response within an HTTP function's 15 s.
pub const SEARCH_SCAN_TIME_MAX: Duration = Duration::from_secs(8);

/// The number of characters by which texts are sorted. A cursor contains them, with at most four bytes each, and a
/// search keeps them in memory for each result.
pub const SORT_VALUE_CHARS_MAX: usize = 100;

/// The maximum number of rules in the order of a search.
pub const SORTS_MAX: usize = 1;

/// The maximum number of contacts in one status command. Its results are stored in one item under an `Idempotency-Key`.
pub const STATUS_CONTACTS_MAX: usize = 1000;
