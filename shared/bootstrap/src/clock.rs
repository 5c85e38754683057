//! The wall clock.

use api::Clock;
use domain::Timestamp;

/// Returns the system's clock. No other code reads it.
#[must_use]
pub fn system_clock() -> Clock {
    Clock::new(|| Timestamp::from(chrono::Utc::now()))
}
