//! Bounded retries with back-off.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use domain::limits::{
    RETRIES_AT_ONCE, RETRIES_TIME_MAX, RETRY_PAUSE_FIRST_MILLIS, RETRY_PAUSE_LONGEST_MILLIS,
};
use metrics::Metric;
use tokio::time::Instant;

use crate::{Rng, StoreError};

/// The retries of one operation, a single budget for all causes.
///
/// The counters are atomic because a future that shares them may move to another thread. One operation runs one step
/// at a time.
pub(crate) struct Retries<'a> {
    rng: &'a Rng,
    max: u32,
    used: AtomicU32,
    begun: Instant,
    may_be_committed: AtomicBool,
}

impl Drop for Retries<'_> {
    fn drop(&mut self) {
        if self.used() > 0 {
            Metric::Retries.record(self.used().into());
        }
    }
}

impl<'a> Retries<'a> {
    /// Creates a budget of `max` retries.
    pub(crate) fn new(rng: &'a Rng, max: u32) -> Self {
        Self {
            rng,
            max,
            used: AtomicU32::new(0),
            begun: Instant::now(),
            may_be_committed: AtomicBool::new(false),
        }
    }

    /// Returns how many retries were used.
    pub(crate) fn used(&self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }

    /// Returns true if a transaction of the operation was committed, or a call had no response. A conflict that a
    /// later call reports does not prove that the first call was not applied.
    pub(crate) fn may_be_committed(&self) -> bool {
        self.may_be_committed.load(Ordering::Relaxed)
    }

    /// Records that a transaction was committed or had no response.
    pub(crate) fn record_commit(&self) {
        self.may_be_committed.store(true, Ordering::Relaxed);
    }

    /// Counts a retry after a change of the items that were read. Reading them again is enough. Only the later retries
    /// wait, because only items that keep changing make waiting useful.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the retries or their time are used up.
    pub(crate) async fn retry_now(&self, why: &str) -> Result<(), StoreError> {
        if self.used() < RETRIES_AT_ONCE {
            self.count(why)?;
            return Ok(());
        }
        self.back_off(why).await
    }

    /// Counts a retry and returns the number of retries.
    fn count(&self, why: &str) -> Result<u32, StoreError> {
        let used = self.used();
        if used >= self.max || self.begun.elapsed() >= RETRIES_TIME_MAX {
            return Err(StoreError::Unavailable(format!("gave up after {used} retries: {why}"), None));
        }
        Ok(self.used.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Counts a retry and waits. Half of the pause is random, so that operations that conflicted do not conflict again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the retries or their time are used up.
    pub(crate) async fn back_off(&self, why: &str) -> Result<(), StoreError> {
        let used = self.count(why)?;
        let doubled = RETRY_PAUSE_FIRST_MILLIS.saturating_mul(1 << used.min(16).saturating_sub(1));
        let longest = doubled.min(RETRY_PAUSE_LONGEST_MILLIS);
        let millis = longest / 2 + self.rng.up_to(longest - longest / 2);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::limits::RETRIES_MAX;

    use super::*;

    #[test]
    fn retries_are_limited_in_number_and_in_time() {
        let rng = Rng::seeded(1);
        let retries = Retries::new(&rng, RETRIES_MAX);
        for _ in 0..RETRIES_MAX {
            retries.count("a conflict").unwrap();
        }
        let refused = retries.count("a conflict").unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("the table is not available: gave up after {RETRIES_MAX} retries: a conflict")
        );

        let mut late = Retries::new(&rng, RETRIES_MAX);
        late.begun = Instant::now() - RETRIES_TIME_MAX;
        assert!(matches!(late.count("no answer"), Err(StoreError::Unavailable(..))));
    }

    #[tokio::test(start_paused = true)]
    async fn first_retries_do_not_wait_and_later_pauses_grow() {
        let rng = Rng::seeded(1);
        let retries = Retries::new(&rng, RETRIES_MAX);
        let mut longest = RETRY_PAUSE_FIRST_MILLIS;
        for tried in 0..RETRIES_MAX {
            let begun = Instant::now();
            retries.retry_now("a change").await.unwrap();
            let waited = u64::try_from(begun.elapsed().as_millis()).unwrap();
            let expected = if tried < RETRIES_AT_ONCE { 0..=0 } else { longest / 2..=longest };
            assert!(expected.contains(&waited), "{waited} ms after {tried} retries, expected {expected:?}");
            longest = (2 * longest).min(RETRY_PAUSE_LONGEST_MILLIS);
        }
        let begun = Instant::now();
        assert!(matches!(retries.retry_now("a change").await, Err(StoreError::Unavailable(..))));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn half_of_a_pause_is_random() {
        let mut pauses = Vec::new();
        for seed in 0..64 {
            let rng = Rng::seeded(seed);
            let mut retries = Retries::new(&rng, RETRIES_MAX);
            retries.used = AtomicU32::new(RETRIES_MAX - 1);
            let begun = Instant::now();
            retries.back_off("a conflict").await.unwrap();
            pauses.push(u64::try_from(begun.elapsed().as_millis()).unwrap());
        }
        pauses.sort_unstable();
        let longest = RETRY_PAUSE_LONGEST_MILLIS;
        assert!(pauses[0] < longest * 6 / 10 && pauses[63] > longest * 9 / 10, "{pauses:?}");
    }
}
