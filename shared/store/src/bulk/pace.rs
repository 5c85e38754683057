//! The pauses of a bulk job or an import, in which other requests change the account.
//!
//! Every transaction of an account that changes a count writes the period item, and two of them in flight conflict. A job
//! without pauses would leave no time for a single change. A job can't see requests that wait, but it sees those that
//! succeeded: the counts differ from what its own transactions have written. So it pauses shortly from time to time, and
//! pauses after every transaction while others succeed.

use std::time::Duration;

use domain::limits::{
    BULK_PAUSE_MAX, BULK_PAUSE_MIN, BULK_PROBE_INTERVAL, BULK_YIELD_PERCENT, BULK_YIELD_TIME,
};
use tokio::time::Instant;

/// The recent activity of other requests, and the time of the last pause.
pub(crate) struct Pace {
    yields_until: Option<Instant>,
    paused_at: Instant,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self { yields_until: None, paused_at: Instant::now() }
    }

    /// Records that another request has changed the account.
    pub(crate) fn observe_others(&mut self) {
        self.yields_until = Some(Instant::now() + BULK_YIELD_TIME);
    }

    /// Returns true if no other request has changed the account recently.
    pub(crate) fn is_alone(&self) -> bool {
        self.yields_until.is_none_or(|until| Instant::now() >= until)
    }

    /// Returns the pause after a transaction that took `busy`, if one is due.
    pub(crate) fn pause(&mut self, busy: Duration) -> Option<Duration> {
        let now = Instant::now();
        let pause = if !self.is_alone() {
            (busy * BULK_YIELD_PERCENT / 100).clamp(BULK_PAUSE_MIN, BULK_PAUSE_MAX)
        } else if now.duration_since(self.paused_at) >= BULK_PROBE_INTERVAL {
            BULK_PAUSE_MIN
        } else {
            return None;
        };
        self.paused_at = now + pause;
        Some(pause)
    }
}
