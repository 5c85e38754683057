//! All limits of the program. Each comment names the bounded quantity and the reason for its size.

use std::time::Duration;

use std::ops::RangeInclusive;

use chrono::TimeDelta;

/// The maximum number of periods closed in one transaction: four years of months. A transaction has at most 100 items
/// (DynamoDB), here the period and one statement per closed period. Further periods are closed in the next step.
pub const CLOSINGS_PER_STEP_MAX: usize = 48;

/// The largest accepted cap, tier limit or usage: far above any account, far below the overflow of sums.
pub const USAGE_MAX: u64 = 1_000_000_000_000;

/// The time for which the response to an `Idempotency-Key` is stored (`shared/api/README.md`, Idempotency).
pub const IDEMPOTENCY_KEPT: TimeDelta = TimeDelta::hours(24);

/// The time for which a form delivery is remembered (the crate's `README.md`, Deliveries).
pub const DELIVERY_KEPT: TimeDelta = TimeDelta::days(7);

/// The time for which a rejected submission is stored: a quarter, in which the account can correct the form's map.
pub const REJECTED_KEPT: TimeDelta = TimeDelta::days(90);

// Addresses, properties and search filters.

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

/// The number of properties of a contact up to which forms add new ones: half of [`PROPERTIES_MAX`]. So the account can
/// always add its own, whatever visitors submit.
pub const FORM_PROPERTIES_MAX: usize = PROPERTIES_MAX / 2;

/// The size in bytes up to which forms fill a contact's properties: half of [`PROPERTIES_BYTES_MAX`], for the same
/// reason.
pub const FORM_PROPERTIES_BYTES_MAX: usize = PROPERTIES_BYTES_MAX / 2;

/// The maximum number of groups of a search filter. With [`FILTER_CONDITIONS_MAX`] it bounds the work for each contact.
pub const FILTER_GROUPS_MAX: usize = 10;

/// The maximum number of conditions in a group of a search filter.
pub const FILTER_CONDITIONS_MAX: usize = 10;

/// The maximum number of values of an `IN` or `NOT_IN` condition.
pub const FILTER_VALUES_MAX: usize = 100;

/// The maximum number of retries of an operation after conflicts, throttling or a changed decision. Then the API
/// answers 503. Many tries with short pauses have a higher throughput than fewer tries with longer pauses, and a
/// shorter longest wait. They need no more tries per change until an account is close to its maximum throughput
/// (`tests/benches/README.md`, "Contention").
pub const RETRIES_MAX: u32 = 30;

/// The number of retries without a pause if only the data behind a decision has changed, because reading it again is
/// enough.
pub const RETRIES_AT_ONCE: u32 = 2;

/// The maximum time from the first try of an operation to the start of its last retry. It is well above the time of
/// all retries while calls are answered. If calls hang or the table is throttled, each try may last
/// [`AWS_OPERATION_TIMEOUT`]. The last one still ends within an HTTP function's 15 s.
pub const RETRIES_TIME_MAX: Duration = Duration::from_secs(6);

/// The first pause between retries, in milliseconds. The pause doubles with each retry.
pub const RETRY_PAUSE_FIRST_MILLIS: u64 = 10;

/// The longest pause between retries, in milliseconds.
pub const RETRY_PAUSE_LONGEST_MILLIS: u64 = 100;

/// The maximum number of items of a batched read (DynamoDB's `BatchGetItem`).
pub const BATCH_READ_MAX: usize = 100;

/// The maximum number of contacts in one transaction: its 100 items (DynamoDB) less the period and the stored response.
pub const CONTACTS_PER_TRANSACTION_MAX: usize = 98;

/// The maximum size of the contacts in one transaction, in bytes. DynamoDB accepts 4 MB. The rest is reserved for names
/// of attributes and histories.
pub const TRANSACTION_BYTES_MAX: usize = 3_000_000;

/// The maximum number of items in one transaction (DynamoDB).
pub const TRANSACTION_ITEMS_MAX: usize = 100;

/// The maximum number of form submissions in one transaction. Each writes three items: the contact, the address and
/// the delivery. All of them share the period and, for each form, its counts and its day. That is 93 of 100 items for
/// one form.
pub const SUBMISSIONS_PER_TRANSACTION_MAX: usize = 30;

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

// The HTTP API.

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

/// The maximum number of contacts in one status command. Its results are stored in one item under an `Idempotency-Key`.
pub const STATUS_CONTACTS_MAX: usize = 1000;

/// The default number of results in a page (`shared/api/README.md`, Pages).
pub const PAGE_LIMIT_DEFAULT: u64 = 100;

/// The maximum number of results in a page (`shared/api/README.md`, Pages).
pub const PAGE_LIMIT_MAX: u64 = 1000;

/// The maximum size of the results in a page, in bytes of JSON. A page with longer results ends early. A response of
/// Lambda has at most 6 MB, in which each quote and backslash of the body counts twice.
pub const PAGE_BYTES_MAX: usize = 2_500_000;

/// The maximum length of a cursor in a request. The program's own cursors are far shorter.
pub const CURSOR_CHARS_MAX: usize = 1024;

// Submissions of forms.

/// The maximum number of fields of a submission: one for each property of a contact ([`PROPERTIES_MAX`]).
pub const SUBMISSION_FIELDS_MAX: usize = 200;

/// The maximum length of a form field's own name.
pub const FORM_FIELD_NAME_CHARS_MAX: usize = 200;

/// The maximum length of the id that a sender assigns to a submission. Only its digest is stored.
pub const SUBMISSION_ID_CHARS_MAX: usize = 255;

/// The maximum length of the URL of the page with the form. Browsers and servers commonly accept this length.
pub const PAGE_URL_CHARS_MAX: usize = 2048;

/// The number of retries of a submission before it is written to the inbox: four tries in total. So a burst of
/// submissions costs little, and the worker applies many of them in one transaction.
pub const SUBMISSION_RETRIES_MAX: u32 = 3;

/// The number of earlier versions of an edited delivery that are remembered, so a late repeat of one of them changes
/// nothing. Visitors correct a form a few times at most.
pub const DELIVERY_VERSIONS_MAX: usize = 16;

/// The maximum number of event types in a form's list. Programs that send webhooks have tens of them.
pub const EVENT_TYPES_MAX: usize = 100;

/// The maximum length of an event type. Standard Webhooks recommends short dotted names such as `contact.created`.
pub const EVENT_TYPE_CHARS_MAX: usize = 200;

/// The boundary between seconds and milliseconds for numeric instants in a submission. Smaller numbers are seconds
/// since 1970, larger ones are milliseconds. As seconds the boundary is in the year 5138, as milliseconds in 1973.
pub const SECONDS_OF_AN_INSTANT_MAX: f64 = 1e11;

/// The maximum size of the body of a public form's submission, in bytes. It is an eighth of the size of other bodies,
/// so a burst of anonymous requests costs less.
pub const PUBLIC_BODY_BYTES_MAX: usize = 128 * 1024;

/// The maximum number of request headers that a page may send to a public form. Analytics scripts add a few.
pub const PREFLIGHT_HEADERS_MAX: usize = 50;

/// The maximum length of the name of a request header that a page may send to a public form.
pub const PREFLIGHT_HEADER_CHARS_MAX: usize = 100;

/// The time after which the schedule queues a submission in the inbox again, if the worker has not applied it.
pub const INBOX_EXPECTED: TimeDelta = TimeDelta::minutes(15);

/// The maximum number of a form's secrets: the current one and its replacement.
pub const FORM_SECRETS_MAX: usize = 2;

/// The minimum length of a form's secret: 16 random letters and digits are 95 bits.
pub const FORM_SECRET_CHARS_MIN: usize = 16;

/// The maximum length of a form's secret: an ordinary length in a header or a URL.
pub const FORM_SECRET_CHARS_MAX: usize = 255;

/// The minimum length of a key of Standard Webhooks 1.0, in bytes ("Signature scheme": between 24 and 64).
pub const STANDARD_WEBHOOKS_KEY_BYTES_MIN: usize = 24;

/// The maximum length of a key of Standard Webhooks 1.0, in bytes.
pub const STANDARD_WEBHOOKS_KEY_BYTES_MAX: usize = 64;

/// The maximum difference between now and the time at which a webhook was signed, in either direction. Standard
/// Webhooks recommends this value, and Webflow requires it.
pub const WEBHOOK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The maximum difference for Calendly, whose documentation requires this value.
pub const WEBHOOK_TOLERANCE_CALENDLY: TimeDelta = TimeDelta::minutes(3);

/// The maximum size of the stored answers of a rejected submission, in bytes of JSON. They are stored in one item of at
/// most 400 KB (DynamoDB), together with the list of errors.
pub const REJECTED_ANSWERS_BYTES_MAX: usize = 288 * 1024;

/// The number of rejected submissions that are read at once. Their maximum size is a few megabytes.
pub const REJECTED_PAGE_MAX: usize = 10;

/// The number of characters that remain of an answer that is cut, because the answers exceed
/// [`REJECTED_ANSWERS_BYTES_MAX`].
pub const REJECTED_ANSWER_CUT_CHARS: usize = 100;

/// The time for which a browser may cache the permission of a page to post to a form, in seconds. It is short, so a
/// changed list of origins soon takes effect.
pub const PREFLIGHT_KEPT_SECONDS: u64 = 600;

/// The maximum length of a bearer token in a request. The program's own tokens have 47 characters.
pub const TOKEN_CHARS_MAX: usize = 512;

/// The time for which clients may cache the OpenAPI document, in seconds: a day. It changes with a deployment only,
/// and a request with `If-None-Match` detects that at once.
pub const DOCUMENT_KEPT_SECONDS: u64 = 24 * 60 * 60;

/// The value of `Retry-After` in a 503 response, in seconds. Contention passes within one second.
pub const RETRY_AFTER_SECONDS: u64 = 1;

/// The maximum number of items of a batched write (DynamoDB's `BatchWriteItem`).
pub const BATCH_WRITE_MAX: usize = 25;

/// The number of contacts of one bucket that a list or a search reads at once.
pub const BUCKET_PAGE_MAX: usize = 250;

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

// Calls to AWS.

/// The maximum time to open a connection to AWS. Within a region this needs milliseconds.
pub const AWS_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum time of one attempt of a call to AWS. A full transaction needs tens of milliseconds. A call of this
/// length hangs on a connection that broke while the function was frozen.
pub const AWS_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);

/// The maximum time of a call to AWS with all of its attempts: half of an HTTP function's time limit, so the function
/// can still respond.
pub const AWS_OPERATION_TIMEOUT: Duration = Duration::from_secs(7);

/// The first pause between the attempts of a call. It doubles with each attempt, and each pause is shortened at
/// random. Throttling and internal errors of DynamoDB pass within tens of milliseconds. With the SDK's default of one
/// second, every request whose connection broke during a freeze would wait that long.
pub const AWS_BACKOFF_FIRST: Duration = Duration::from_millis(50);

/// The maximum number of attempts of a call by the SDK. It does not retry conflicts and refusals, because the store
/// decides again itself.
pub const AWS_ATTEMPTS_MAX: u32 = 4;

// Accounts and forms.

/// The years to which a sandbox's own clock may be set: enough for any trial, and far from both ends of the calendar.
pub const TEST_CLOCK_YEARS: RangeInclusive<i32> = 2000..=2199;

/// The maximum move of a sandbox's clock in one request: five leap years. Each period in between is closed by itself,
/// with its own statement.
pub const TEST_CLOCK_MOVE_MAX: TimeDelta = TimeDelta::days(5 * 366);

/// The maximum number of chat flows with a setting of their own. They are stored in the account's item.
pub const CHATFLOWS_MAX: usize = 200;

/// The maximum number of fields in a form's map. A contact has no more properties ([`PROPERTIES_MAX`]).
pub const FIELD_MAP_MAX: usize = 200;

/// The maximum total size of a form's lists in bytes: `field_map`, `fields`, `event_types` and `allowed_origins`.
/// Each list has its own limit. But all of them at their limits, in characters of four bytes, exceed an item of 400
/// KB (DynamoDB).
pub const FORM_LISTS_BYTES_MAX: usize = 256 * 1024;

/// The maximum number of web origins that may post to a form. They are stored in the form's item.
pub const ALLOWED_ORIGINS_MAX: usize = 50;

/// The maximum length of a web origin: a scheme, a host name of at most 253 characters (RFC 1035 §2.3.4) and a port.
pub const ORIGIN_CHARS_MAX: usize = 267;

/// The maximum length of the URL to which a browser is redirected after it has posted a form. Browsers and proxies
/// accept this length.
pub const REDIRECT_URL_CHARS_MAX: usize = 2048;

/// The maximum number of forms of an account. So the list of forms, and their count, fits on one page. One campaign a
/// day reaches the limit in three years, and a deleted form no longer counts.
pub const FORMS_MAX: usize = 1_000;

/// The maximum number of users of an account. It bounds the work of counting the admins with a token, which reads all
/// users in one or two queries.
pub const USERS_MAX: usize = 1_000;

/// The maximum number of tokens of an account. It bounds the work of counting the admins' tokens, which reads all
/// tokens in one or two queries. It does not apply to tokens that the operator creates.
pub const TOKENS_MAX: usize = 1_000;

/// The maximum size of an uncompressed response under an `Idempotency-Key`, in bytes. A longer one is compressed.
/// With its key and its fingerprint, an item with a body of this size stays below one kilobyte, DynamoDB's minimum
/// charge.
pub const ANSWER_PLAIN_BYTES_MAX: usize = 512;

/// The maximum size of a decompressed response, in bytes: the maximum that Lambda sends.
pub const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024;

/// The maximum size of an item in DynamoDB in bytes, names of attributes included.
pub const ITEM_BYTES_MAX: usize = 400 * 1024;

// The local stack.

/// The maximum size of a request's body in the local stack, in bytes: the limit of API Gateway. The functions' own
/// limits are lower.
pub const GATEWAY_BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The time for which the local stack waits for the head of a request, and for which a kept-alive connection may be
/// idle. Without it, a client that sends nothing would keep its connections forever.
pub const REQUEST_HEAD_TIME_MAX: Duration = Duration::from_secs(30);

/// The time for which the local stack waits for the whole body of a request. API Gateway allows a whole request this
/// time.
pub const REQUEST_BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// The maximum number of connections that the local stack serves at once. Further ones wait until another is closed.
/// Each may need a second one to the engine, and a process has 1,024 open files by default.
pub const CONNECTIONS_MAX: usize = 256;

/// The pause of the local stack after it could not accept a connection, so a lack of open files does not keep a
/// processor busy.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
