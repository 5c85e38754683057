//! Limits of accounts, their users and tokens, and sandboxes.

use std::ops::RangeInclusive;

use chrono::TimeDelta;

/// The maximum number of periods closed in one transaction: four years of months. A transaction has at most 100 items
/// (DynamoDB), here the period and one statement per closed period. Further periods are closed in the next step.
pub const CLOSINGS_PER_STEP_MAX: usize = 48;

/// The largest accepted cap, tier limit or usage: far above any account, far below the overflow of sums.
pub const USAGE_MAX: u64 = 1_000_000_000_000;

/// The years to which a sandbox's own clock may be set: enough for any trial, and far from both ends of the calendar.
pub const TEST_CLOCK_YEARS: RangeInclusive<i32> = 2000..=2199;

/// The maximum move of a sandbox's clock in one request: five leap years. Each period in between is closed by itself,
/// with its own statement.
pub const TEST_CLOCK_MOVE_MAX: TimeDelta = TimeDelta::days(5 * 366);

/// The maximum number of chat flows with a setting of their own. They are stored in the account's item.
pub const CHATFLOWS_MAX: usize = 200;

/// The maximum number of forms of an account. So the list of forms, and their count, fits on one page. One campaign a
/// day reaches the limit in three years, and a deleted form no longer counts.
pub const FORMS_MAX: usize = 1_000;

/// The maximum number of users of an account. It bounds the work of counting the admins with a token, which reads all
/// users in one or two queries.
pub const USERS_MAX: usize = 1_000;

/// The maximum number of tokens of an account. It bounds the work of counting the admins' tokens, which reads all
/// tokens in one or two queries. It does not apply to tokens that the operator creates.
pub const TOKENS_MAX: usize = 1_000;

/// The time after which a session of the console ends: a working day.
pub const SESSION_TIME: TimeDelta = TimeDelta::hours(12);

/// The time for which a code may begin a session. The local stack prints one at its start, and a person may look at it
/// later in the day.
pub const SIGN_IN_CODE_TIME: TimeDelta = TimeDelta::hours(12);

/// The maximum number of a period in a request. Keys have ten digits for it, and periods are days long but for a few.
pub const PERIOD_NUMBER_MAX: u64 = 9_999_999_999;
