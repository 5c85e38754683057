//! Limits of requests and responses.

use chrono::TimeDelta;

/// The time for which the response to an `Idempotency-Key` is stored (`shared/api/README.md`, Idempotency).
pub const IDEMPOTENCY_KEPT: TimeDelta = TimeDelta::hours(24);

/// The maximum size of a request's body in bytes (`shared/api/README.md`, Limits). Lambda itself accepts 6 MB.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The maximum number of errors in the response to one request. A body of maximum size could contain a hundred thousand
/// errors, and a response has at most 6 MB (Lambda).
pub const FIELD_ERRORS_MAX: usize = 100;

/// The number of characters of a field's name that an error repeats. The caller chooses the names, and they may be as
/// long as the body.
pub const FIELD_NAME_SHOWN_CHARS_MAX: usize = 100;

/// The maximum length of an `Idempotency-Key`. Only its digest is stored, so this is an ordinary length of a header.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// The maximum length of the name of an account, a user, a form or an integration.
pub const NAME_CHARS_MAX: usize = 200;

/// The maximum length of an id in a request. The program's own ids have 30 characters.
pub const ID_CHARS_MAX: usize = 100;

/// The default number of results in a page (`shared/api/README.md`, Pages).
pub const PAGE_LIMIT_DEFAULT: u64 = 100;

/// The maximum number of results in a page (`shared/api/README.md`, Pages).
pub const PAGE_LIMIT_MAX: u64 = 1000;

/// The maximum size of the results in a page, in bytes of JSON. A page with longer results ends early. A response of
/// Lambda has at most 6 MB, in which each quote and backslash of the body counts twice.
pub const PAGE_BYTES_MAX: usize = 2_500_000;

/// The maximum length of a cursor in a request. The program's own cursors are far shorter.
pub const CURSOR_CHARS_MAX: usize = 1024;

/// The maximum length of a bearer token in a request. The program's own tokens have 47 characters.
pub const TOKEN_CHARS_MAX: usize = 512;

/// The time for which clients may cache the OpenAPI document, in seconds: a day. It changes with a deployment only,
/// and a request with `If-None-Match` detects that at once.
pub const DOCUMENT_KEPT_SECONDS: u64 = 24 * 60 * 60;

/// The value of `Retry-After` in a 503 response, in seconds. Contention passes within one second.
pub const RETRY_AFTER_SECONDS: u64 = 1;

/// The maximum size of an uncompressed response under an `Idempotency-Key`, in bytes. A longer one is compressed.
/// With its key and its fingerprint, an item with a body of this size stays below one kilobyte, DynamoDB's minimum
/// charge.
pub const ANSWER_PLAIN_BYTES_MAX: usize = 512;

/// The maximum size of a decompressed response, in bytes: the maximum that Lambda sends.
pub const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024;

/// The maximum size of a request's body in the local stack, in bytes: the limit of API Gateway. The functions' own
/// limits are lower.
pub const GATEWAY_BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The time within which the console shows the note about an act, in seconds.
pub const NOTE_SECONDS: i64 = 60;

/// The number of rows on a page of the console.
pub const ROWS_SHOWN: usize = 20;

/// The maximum length of a search in the console, in characters. It has room for a name or an address.
pub const SEARCH_CHARS_MAX: usize = 320;

/// The maximum length of the address with which the console shows what a form selects, in bytes. Browsers, proxies and
/// API Gateway all take addresses of this length. A longer one is answered by the post itself.
pub const SELECTION_PATH_BYTES_MAX: usize = 4_000;

/// The number of segments that the list of contacts shows as tabs.
pub const TABS_SHOWN: usize = 6;

/// The number of contacts that the console examines for one page of a filtered list. A page then opens at once, and says
/// how far the search is.
pub const EXAMINED_SHOWN_MAX: usize = 4_000;
