//! Limits of retries and of the time of calls.

use std::time::Duration;

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

/// The maximum number of attempts of a call. The SDK makes them, and for a transaction the store. They do not repeat
/// conflicts and refusals, because the store decides again itself.
pub const AWS_ATTEMPTS_MAX: u32 = 4;
