//! Limits of the index of contacts by change.

use chrono::TimeDelta;

/// The time from switching the index on until it is complete. A request in flight that has read the account's terms
/// before writes without the index. It ends within an HTTP function's 15 s, and the rest is for clocks that differ.
pub const CHANGES_INDEXED_AFTER: TimeDelta = TimeDelta::minutes(1);

/// The time after a sweep for which its contacts are still looked up as before it. The index contains what the sweep
/// has written far sooner.
pub const SWEEP_INDEXED_AFTER: TimeDelta = TimeDelta::minutes(1);

/// The maximum number of keys that one search by change reads. They need some 2,000 read units and a second. A search
/// with an exact total has to read the key of each match.
pub const CHANGED_KEYS_MAX: usize = 100_000;

/// The number of keys that a search by change reads at once from one bucket. They have less than the 1 MB of a query's
/// page (DynamoDB).
pub const CHANGED_KEYS_PAGE: usize = 5_000;

/// The maximum number of closed periods in a search by change whose contacts are not swept. A sweep begins minutes after
/// its update date, so there is more than one only in a sandbox, or if sweeps have stopped.
pub const CHANGED_PERIODS_MAX: usize = 12;

/// The maximum number of times that a search by change replaces contacts of its page that have changed since the index
/// was read. Then the page is shorter.
pub const CHANGED_ROUNDS_MAX: usize = 10;
