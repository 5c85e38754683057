//! Bounded retries with back-off.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use domain::limits::{
    AWS_ATTEMPTS_MAX, AWS_BACKOFF_FIRST, RETRIES_AT_ONCE, RETRIES_TIME_MAX, RETRY_PAUSE_FIRST_MILLIS,
    RETRY_PAUSE_LONGEST_MILLIS,
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
    is_unanswered: AtomicBool,
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
            is_unanswered: AtomicBool::new(false),
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

    /// Returns true if a call had no response since the latest commit. The table may still receive it.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.is_unanswered.load(Ordering::Relaxed)
    }

    /// Records that a transaction was committed.
    pub(crate) fn record_commit(&self) {
        self.may_be_committed.store(true, Ordering::Relaxed);
        self.is_unanswered.store(false, Ordering::Relaxed);
    }

    /// Records that a transaction had no response.
    pub(crate) fn record_no_response(&self) {
        self.may_be_committed.store(true, Ordering::Relaxed);
        self.is_unanswered.store(true, Ordering::Relaxed);
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
        if self.used() >= self.max {
            return Err(self.used_up(why));
        }
        self.check_time(why)?;
        Ok(self.used.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn check_time(&self, why: &str) -> Result<(), StoreError> {
        if self.begun.elapsed() >= RETRIES_TIME_MAX { Err(self.used_up(why)) } else { Ok(()) }
    }

    fn used_up(&self, why: &str) -> StoreError {
        StoreError::Unavailable(format!("gave up after {} retries: {why}", self.used()), None)
    }

    /// Counts a retry and waits. Half of the pause is random, so that operations that conflicted do not conflict again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the retries or their time are used up.
    pub(crate) async fn back_off(&self, why: &str) -> Result<(), StoreError> {
        let used = self.count(why)?;
        self.pause(Duration::from_millis(RETRY_PAUSE_FIRST_MILLIS), used).await;
        Ok(())
    }

    /// Waits before a call without a response is attempted again, after `attempts` attempts. As with the SDK's own
    /// retries, [`AWS_ATTEMPTS_MAX`] attempts are one try, and only the next one counts a retry.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the retries or their time are used up.
    pub(crate) async fn attempt_again(&self, attempts: u32, why: &str) -> Result<(), StoreError> {
        let attempt = attempts % AWS_ATTEMPTS_MAX;
        if attempt == 0 {
            return self.back_off(why).await;
        }
        self.check_time(why)?;
        self.pause(AWS_BACKOFF_FIRST, attempt).await;
        Ok(())
    }

    /// Waits for the `n`th pause of a sequence, counted from 1, whose first pause is `first`. Half of it is random.
    async fn pause(&self, first: Duration, n: u32) {
        let doubled = first.saturating_mul(1 << n.min(16).saturating_sub(1));
        let half = doubled.min(Duration::from_millis(RETRY_PAUSE_LONGEST_MILLIS)) / 2;
        let random = self.rng.up_to(half.as_millis().try_into().unwrap_or(RETRY_PAUSE_LONGEST_MILLIS));
        tokio::time::sleep(half + Duration::from_millis(random)).await;
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
    async fn attempts_of_a_call_count_one_retry_together() {
        let rng = Rng::seeded(1);
        let retries = Retries::new(&rng, 2);
        for attempts in 1..3 * AWS_ATTEMPTS_MAX {
            retries.attempt_again(attempts, "no response").await.unwrap();
            assert_eq!(retries.used(), attempts / AWS_ATTEMPTS_MAX);
        }
        let refused = retries.attempt_again(3 * AWS_ATTEMPTS_MAX, "no response").await;
        assert!(matches!(refused, Err(StoreError::Unavailable(..))));

        let mut late = Retries::new(&rng, 2);
        late.begun = Instant::now() - RETRIES_TIME_MAX;
        assert!(matches!(late.attempt_again(1, "no response").await, Err(StoreError::Unavailable(..))));
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
