//! Every limit of the program in one place. Each says what it bounds and why it has this size.

use std::time::Duration;

use std::ops::RangeInclusive;

use chrono::TimeDelta;

/// How many periods are closed in one transaction at most: four years of months. A transaction takes 100 items (DynamoDB):
/// the period and a statement each. Further ones follow in a next step.
pub const CLOSINGS_PER_STEP_MAX: usize = 48;

/// The largest cap, tier limit or usage that is accepted: far above any account, far below where sums overflow.
pub const USAGE_MAX: u64 = 1_000_000_000_000;

/// How long the answer to an `Idempotency-Key` is kept (`shared/api/README.md`, Idempotency).
pub const IDEMPOTENCY_KEPT: TimeDelta = TimeDelta::hours(24);

/// How long a form delivery's id is remembered (the crate's `README.md`, Deliveries).
pub const DELIVERY_KEPT: TimeDelta = TimeDelta::days(7);

/// How long a rejected submission is kept for the account to look at: a quarter, in which somebody mends the mapping.
pub const REJECTED_KEPT: TimeDelta = TimeDelta::days(90);

// Addresses, properties and search filters.

/// An e-mail address in bytes: the forward path of RFC 5321 §4.5.3.1.3 is 256 with its angle brackets.
pub const ADDRESS_BYTES_MAX: usize = 254;

/// The local part of an e-mail address in bytes (RFC 5321 §4.5.3.1.1).
pub const LOCAL_PART_BYTES_MAX: usize = 64;

/// The length of a property's name (the crate's `README.md`, Properties).
pub const PROPERTY_NAME_CHARS_MAX: usize = 100;

/// How many properties a contact has at most (the crate's `README.md`, Properties).
pub const PROPERTIES_MAX: usize = 200;

/// One property's value in bytes (the crate's `README.md`, Properties).
pub const PROPERTY_VALUE_BYTES_MAX: usize = 64 * 1024;

/// All names and values of a contact's properties in bytes. A contact is one item of at most 400 KB (DynamoDB), and
/// escaping its values may double them.
pub const PROPERTIES_BYTES_MAX: usize = 128 * 1024;

/// The number of properties of a contact up to which forms add new ones: half of [`PROPERTIES_MAX`], so that the
/// account can always add its own, whatever strangers submit.
pub const FORM_PROPERTIES_MAX: usize = PROPERTIES_MAX / 2;

/// The size in bytes up to which forms fill a contact's properties: half of [`PROPERTIES_BYTES_MAX`], for the same
/// reason.
pub const FORM_PROPERTIES_BYTES_MAX: usize = PROPERTIES_BYTES_MAX / 2;

/// How many groups a search filter has at most: with [`FILTER_CONDITIONS_MAX`] it bounds the work for each contact.
pub const FILTER_GROUPS_MAX: usize = 10;

/// How many conditions a group of a search filter has at most.
pub const FILTER_CONDITIONS_MAX: usize = 10;

/// How many values an `IN` or `NOT_IN` condition takes at most.
pub const FILTER_VALUES_MAX: usize = 100;

/// How often an operation is tried again after conflicts, throttling or a changed decision before it answers 503.
/// Many tries with short pauses carry more than fewer with longer ones, take no more tries for each change until an
/// account is close to what it can carry, and keep the unlucky waiting for less (`tests/README.md`, "Contention").
pub const RETRIES_MAX: u32 = 30;

/// How many of them are made without a pause, where what was decided on has changed and is only to be read again.
pub const RETRIES_AT_ONCE: u32 = 2;

/// For how long an operation is tried again: well above what all retries take when calls are answered. When calls
/// hang or the table is throttled, each try may take [`AWS_OPERATION_TIMEOUT`]; the one that begins last still ends
/// within an HTTP function's 15 s.
pub const RETRIES_TIME_MAX: Duration = Duration::from_secs(6);

/// The first pause between retries, in milliseconds; it doubles each time.
pub const RETRY_PAUSE_FIRST_MILLIS: u64 = 10;

/// The longest pause between retries, in milliseconds.
pub const RETRY_PAUSE_LONGEST_MILLIS: u64 = 100;

/// How many items a batched read takes (DynamoDB's `BatchGetItem`).
pub const BATCH_READ_MAX: usize = 100;

/// How many contacts share a transaction: its 100 items (DynamoDB) less the period and the kept answer.
pub const CONTACTS_PER_TRANSACTION_MAX: usize = 98;

/// How many bytes of contacts share a transaction. DynamoDB takes 4 MB; the rest is room for names and history.
pub const TRANSACTION_BYTES_MAX: usize = 3_000_000;

/// How many items share a transaction (DynamoDB).
pub const TRANSACTION_ITEMS_MAX: usize = 100;

/// How many submissions of forms share a transaction. Each writes three items (the person, the address, the delivery),
/// and all of them the period and, of each form, its counts and its day: 93 of the 100 for one form.
pub const SUBMISSIONS_PER_TRANSACTION_MAX: usize = 30;

/// How many changes a contact's own item keeps. When there are more, the oldest [`HISTORY_PAGE`] move to a page, which only
/// an explanation reads. A change is a dozen bytes, so few contacts ever have a page, and none is much larger for it.
pub const HISTORY_RECENT_MAX: usize = 11;

/// How many changes a page holds. So at most every eighth change writes one.
pub const HISTORY_PAGE: usize = 8;

/// How many changes of a contact an explanation shows: a day of nothing but changes, or decades of ordinary use.
pub const HISTORY_SHOWN_MAX: usize = 1_000;

/// How many contacts a search examines for one page. A search that matches few answers a short page with a cursor
/// rather than reading for minutes.
pub const SEARCH_EXAMINED_MAX: usize = 20_000;

/// How many bytes of properties a search examines for one page. It is what the function reads well within its time.
pub const SEARCH_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How many bytes of properties a search holds at once. A function has 512 MB.
pub const SEARCH_ROUND_BYTES_MAX: usize = 16 * 1024 * 1024;

// The HTTP API.

/// A request's body in bytes (`shared/api/README.md`, Limits). Lambda itself accepts 6 MB.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// How many problems of one request are listed. A body of full size could hold a hundred thousand of them, and the
/// answer may not be larger than 6 MB (Lambda).
pub const FIELD_ERRORS_MAX: usize = 100;

/// How much of a field's name is repeated in a problem. Names are the caller's and may be as long as the body.
pub const FIELD_NAME_SHOWN_CHARS_MAX: usize = 100;

/// The length of an `Idempotency-Key`. Only its digest is kept, so this is what a header comfortably holds.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// The length of a name that people give to an account, a user, a form or an integration.
pub const NAME_CHARS_MAX: usize = 200;

/// The length of an id in a request. The program's own have 30 characters; longer ones than this are no ids.
pub const ID_CHARS_MAX: usize = 100;

/// How many contacts one request sets. Its results are stored in one item under an `Idempotency-Key`.
pub const STATUS_CONTACTS_MAX: usize = 1000;

/// How many results a page has by default (`shared/api/README.md`, Pages).
pub const PAGE_LIMIT_DEFAULT: u64 = 100;

/// How many results a page has at most (`shared/api/README.md`, Pages).
pub const PAGE_LIMIT_MAX: u64 = 1000;

/// How many bytes of results, as JSON, a page holds: one whose results are longer ends early. An answer of Lambda has at
/// most 6 MB, in which each quote and backslash of the body counts twice.
pub const PAGE_BYTES_MAX: usize = 2_500_000;

/// The length of a cursor in a request: its own are far shorter.
pub const CURSOR_CHARS_MAX: usize = 1024;

// Submissions of forms.

/// How many fields a submission has: one for each property of a contact ([`PROPERTIES_MAX`]).
pub const SUBMISSION_FIELDS_MAX: usize = 200;

/// The length of a form field's own name.
pub const FORM_FIELD_NAME_CHARS_MAX: usize = 200;

/// The length of the id that a sender gives a submission. Only its digest is kept.
pub const SUBMISSION_ID_CHARS_MAX: usize = 255;

/// The length of the address of the page that a form stands on: what browsers and servers commonly take.
pub const PAGE_URL_CHARS_MAX: usize = 2048;

/// The number of retries of a submission before it goes to the inbox: four tries in all. A flood of submissions then
/// costs little, and the inbox settles many of them in one transaction.
pub const SUBMISSION_RETRIES_MAX: u32 = 3;

/// The number of earlier versions of an edited delivery that are remembered, so that a late repeat of one of them changes
/// nothing. People correct a form a few times at most.
pub const DELIVERY_VERSIONS_MAX: usize = 16;

/// The number of event types that a form lists. Programs that send webhooks have tens of them.
pub const EVENT_TYPES_MAX: usize = 100;

/// The length of an event type. Standard Webhooks recommends short dotted names such as `contact.created`.
pub const EVENT_TYPE_CHARS_MAX: usize = 200;

/// The number up to which an instant in a submission counts seconds since 1970, and from which on it counts milliseconds:
/// as seconds it lies in the year 5138, as milliseconds in 1973.
pub const SECONDS_OF_AN_INSTANT_MAX: f64 = 1e11;

/// The size of a body that anybody may post, in bytes. It is eight times less than other bodies have, so that a flood of
/// strangers costs less.
pub const PUBLIC_BODY_BYTES_MAX: usize = 128 * 1024;

/// The number of request headers that a page may send to a public form. Scripts that measure pages add a few.
pub const PREFLIGHT_HEADERS_MAX: usize = 50;

/// The length of the name of such a header.
pub const PREFLIGHT_HEADER_CHARS_MAX: usize = 100;

/// How long the queue may take with a submission in the inbox before the schedule asks for it again.
pub const INBOX_EXPECTED: TimeDelta = TimeDelta::minutes(15);

/// How many live secrets a form has: one, and the one that takes over from it.
pub const FORM_SECRETS_MAX: usize = 2;

/// The least length of a form's secret: 16 random letters and digits are 95 bits.
pub const FORM_SECRET_CHARS_MIN: usize = 16;

/// The length of a form's secret: what a header or an address comfortably holds.
pub const FORM_SECRET_CHARS_MAX: usize = 255;

/// The least length of a key of Standard Webhooks 1.0, in bytes ("Signature scheme": between 24 and 64).
pub const STANDARD_WEBHOOKS_KEY_BYTES_MIN: usize = 24;

/// The length of a key of Standard Webhooks 1.0, in bytes.
pub const STANDARD_WEBHOOKS_KEY_BYTES_MAX: usize = 64;

/// How far the time at which a webhook was signed may lie from now, in either direction: what Standard Webhooks
/// recommends, and what Webflow asks for.
pub const WEBHOOK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The same for Calendly, whose documentation asks for this.
pub const WEBHOOK_TOLERANCE_CALENDLY: TimeDelta = TimeDelta::minutes(3);

/// How many bytes of answers, as JSON, are kept of a submission that was rejected. They stand in one item of at most
/// 400 KB (DynamoDB) together with what was wrong with them.
pub const REJECTED_ANSWERS_BYTES_MAX: usize = 288 * 1024;

/// How many rejected submissions are read at a time: what they hold at most is a few megabytes.
pub const REJECTED_PAGE_MAX: usize = 10;

/// How much is kept of an answer that is cut because the answers are longer than that.
pub const REJECTED_ANSWER_CUT_CHARS: usize = 100;

/// How long a browser may remember that a page may post to a form, in seconds. A changed list of origins is to be
/// seen soon.
pub const PREFLIGHT_KEPT_SECONDS: u64 = 600;

/// The length of a bearer token in a request. The program's own have 47 characters.
pub const TOKEN_CHARS_MAX: usize = 512;

/// How long the description of the API may be kept, in seconds: a day. It changes with a deployment only, and a request
/// with `If-None-Match` sees that at once.
pub const DOCUMENT_KEPT_SECONDS: u64 = 24 * 60 * 60;

/// How long a caller is asked to wait after a 503, in seconds. Contention passes within one.
pub const RETRY_AFTER_SECONDS: u64 = 1;

/// How many items a batched write takes (DynamoDB's `BatchWriteItem`).
pub const BATCH_WRITE_MAX: usize = 25;

/// How many contacts of one bucket are read at a time by a list or a search.
pub const BUCKET_PAGE_MAX: usize = 250;

/// How many contacts a sweep writes at a time.
pub const SWEEP_PARALLEL: usize = 16;

/// How many due things the schedule reads at a time.
pub const DUE_PAGE: i32 = 200;

/// How long the sweeps of a closed period may take before the schedule asks for them again.
pub const SWEEP_EXPECTED: TimeDelta = TimeDelta::hours(1);

/// How many messages a queue takes at a time (SQS's `SendMessageBatch`).
pub const QUEUE_BATCH_MAX: usize = 10;

/// How much of its time a job keeps to end in good order: what its last step takes at the most when the table stops
/// answering in the middle of it.
pub const DEADLINE_MARGIN: TimeDelta = TimeDelta::seconds(40);

// Calls to AWS.

/// How long a connection to AWS may take to stand. Within a region it takes milliseconds.
pub const AWS_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long one attempt of a call to AWS may take. A full transaction takes tens of milliseconds; what takes this
/// long hangs on a connection that died while the function was frozen.
pub const AWS_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);

/// How long a call to AWS may take with all of its attempts: half of an HTTP function's time, so that its answer
/// still comes in time.
pub const AWS_OPERATION_TIMEOUT: Duration = Duration::from_secs(7);

/// The first pause between the attempts of a call; it doubles each time, and each is cut at random. Throttling and
/// trouble of DynamoDB's own pass within tens of milliseconds. (The SDK's own default of a second would make every
/// request wait that finds its connection dead after a freeze.)
pub const AWS_BACKOFF_FIRST: Duration = Duration::from_millis(50);

/// How often the SDK attempts a call. Conflicts and refusals are not its concern: the store decides again itself.
pub const AWS_ATTEMPTS_MAX: u32 = 4;

// Accounts and forms.

/// The years in which a sandbox's own clock may stand: enough to try anything, and far from both ends of the calendar.
pub const TEST_CLOCK_YEARS: RangeInclusive<i32> = 2000..=2199;

/// How far one request moves a sandbox's clock: five of the longest years. Each period in between is closed one by
/// one, with its statement.
pub const TEST_CLOCK_MOVE_MAX: TimeDelta = TimeDelta::days(5 * 366);

/// How many chat flows of an account have a setting of their own. They stand in the account's item.
pub const CHATFLOWS_MAX: usize = 200;

/// How many fields a form's map has. A person's record has no more properties ([`PROPERTIES_MAX`]).
pub const FIELD_MAP_MAX: usize = 200;

/// The size in bytes of a form's lists together: `field_map`, `fields`, `event_types` and `allowed_origins`. Each list has
/// its own limit, but all of them at once, in characters of four bytes, are more than an item of 400 KB (DynamoDB).
pub const FORM_LISTS_BYTES_MAX: usize = 256 * 1024;

/// How many web origins may post to a form. They stand in the form's item.
pub const ALLOWED_ORIGINS_MAX: usize = 50;

/// The length of a web origin: a scheme, a host name of at most 253 characters (RFC 1035 §2.3.4) and a port.
pub const ORIGIN_CHARS_MAX: usize = 267;

/// The length of the address that a browser is sent to after it has posted a form. Browsers and proxies take this much.
pub const REDIRECT_URL_CHARS_MAX: usize = 2048;

/// How many forms an account has. A list of them, and their count, is then one page. A campaign a day fills it in three
/// years, and a form that is deleted makes room.
pub const FORMS_MAX: usize = 1_000;

/// How many users an account has. It bounds the work of counting the admins who have a token, which reads all users
/// in one or two queries.
pub const USERS_MAX: usize = 1_000;

/// How many tokens an account has. It bounds the work of counting the admins' tokens, which reads all tokens in one
/// or two queries. The operator's way into an account is not bound by it.
pub const TOKENS_MAX: usize = 1_000;

/// How many bytes of an answer are kept as they are under an `Idempotency-Key`; a longer one is compressed. With its key
/// and its fingerprint, an item with so long a body stays below one kilobyte, the least that DynamoDB charges for.
pub const ANSWER_PLAIN_BYTES_MAX: usize = 512;

/// How long an answer becomes at most when it is decompressed: what Lambda sends.
pub const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024;

/// The size of an item in DynamoDB, names of attributes included.
pub const ITEM_BYTES_MAX: usize = 400 * 1024;

// The local stack.

/// How many bytes of a request's body the local stack reads: what API Gateway takes. The functions' own limits are lower.
pub const GATEWAY_BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// How long the local stack waits for the head of a request, which is also how long a kept-alive connection may be idle.
/// A client that opens connections and sends nothing would hold them for ever.
pub const REQUEST_HEAD_TIME_MAX: Duration = Duration::from_secs(30);

/// How long the local stack waits for the whole body of a request: what API Gateway gives a whole request.
pub const REQUEST_BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// How many connections the local stack serves at once; further ones wait until one is closed. Each may need a second
/// one to the engine, and a process has 1,024 open files by default.
pub const CONNECTIONS_MAX: usize = 256;

/// How long the local stack waits after it could not accept a connection, so that a lack of open files does not keep a
/// processor busy.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
