//! Limits of forms, submissions and webhooks.

use chrono::TimeDelta;

use super::{PROPERTIES_BYTES_MAX, PROPERTIES_MAX};

/// The time for which a form delivery is remembered (the crate's `README.md`, Deliveries).
pub const DELIVERY_KEPT: TimeDelta = TimeDelta::days(7);

/// The time for which a rejected submission is stored: a quarter, in which the account can correct the form's map.
pub const REJECTED_KEPT: TimeDelta = TimeDelta::days(90);

/// The number of properties of a contact up to which forms add new ones: half of [`PROPERTIES_MAX`]. So the account can
/// always add its own, whatever visitors submit.
pub const FORM_PROPERTIES_MAX: usize = PROPERTIES_MAX / 2;

/// The size in bytes up to which forms fill a contact's properties: half of [`PROPERTIES_BYTES_MAX`], for the same
/// reason.
pub const FORM_PROPERTIES_BYTES_MAX: usize = PROPERTIES_BYTES_MAX / 2;

/// The maximum number of form submissions in one transaction. Each writes three items: the contact, the address and
/// the delivery. All of them share the period and, for each form, its counts and its day. That is 93 of 100 items for
/// one form.
pub const SUBMISSIONS_PER_TRANSACTION_MAX: usize = 30;

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

/// The number of forms that a page of the console shows with their counts. The counts of a form are a query of their own.
pub const FORMS_SHOWN_MAX: usize = 20;
