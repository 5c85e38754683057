//! The wall clock.

use api::Clock;
use domain::Timestamp;

/// The system's clock. It is read here and nowhere else.
#[must_use]
pub fn system_clock() -> Clock {
    Clock::new(|| Timestamp::from(chrono::Utc::now()))
}
