//! Bounded retries with back-off.

use std::time::Duration;

use domain::limits::{
    RETRIES_AT_ONCE, RETRIES_TIME_MAX, RETRY_PAUSE_FIRST_MILLIS, RETRY_PAUSE_LONGEST_MILLIS,
};
use tokio::time::Instant;

use crate::{Rng, StoreError};

/// The retries of one operation, whatever each of them is for.
pub(crate) struct Retries<'a> {
    rng: &'a Rng,
    max: u32,
    used: u32,
    begun: Instant,
    /// Whether a transaction of the operation has happened, or had no answer at some time: one that is told later that
    /// others had its items in hand may still be on its way a second time.
    pub(crate) may_have_happened: bool,
}

impl<'a> Retries<'a> {
    /// Up to `max` retries.
    pub(crate) fn new(rng: &'a Rng, max: u32) -> Self {
        Self { rng, max, used: 0, begun: Instant::now(), may_have_happened: false }
    }

    /// Returns how many retries were used.
    pub(crate) fn used(&self) -> u32 {
        self.used
    }

    /// Counts one more try, for when what was decided on has changed: reading it again is enough, and waiting would
    /// not help unless it keeps changing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the tries or their time are used up.
    pub(crate) async fn retry_now(&mut self, why: &str) -> Result<(), StoreError> {
        if self.used < RETRIES_AT_ONCE { self.count(why) } else { self.back_off(why).await }
    }

    fn count(&mut self, why: &str) -> Result<(), StoreError> {
        if self.used >= self.max || self.begun.elapsed() >= RETRIES_TIME_MAX {
            return Err(StoreError::Unavailable(format!("gave up after {} retries: {why}", self.used), None));
        }
        self.used += 1;
        Ok(())
    }

    /// Counts one more try and waits: half the pause for certain and half at random, so that those who met in a
    /// conflict do not meet again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the tries or their time are used up.
    pub(crate) async fn back_off(&mut self, why: &str) -> Result<(), StoreError> {
        self.count(why)?;
        let doubled = RETRY_PAUSE_FIRST_MILLIS.saturating_mul(1 << self.used.min(16).saturating_sub(1));
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
    fn tries_are_used_up_by_their_number_or_by_their_time() {
        let rng = Rng::seeded(1);
        let mut retries = Retries::new(&rng, RETRIES_MAX);
        for _ in 0..RETRIES_MAX {
            retries.count("a conflict").unwrap();
        }
        let refused = retries.count("a conflict").unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("the table is not available: gave up after {RETRIES_MAX} retries: a conflict")
        );

        let mut late =
            Retries { begun: Instant::now() - RETRIES_TIME_MAX, ..Retries::new(&rng, RETRIES_MAX) };
        assert!(matches!(late.count("no answer"), Err(StoreError::Unavailable(..))));
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_changed_is_decided_at_once_and_then_after_ever_longer_pauses() {
        let rng = Rng::seeded(1);
        let mut retries = Retries::new(&rng, RETRIES_MAX);
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
    async fn half_of_a_pause_is_at_random() {
        let mut pauses = Vec::new();
        for seed in 0..64 {
            let rng = Rng::seeded(seed);
            let mut retries = Retries { used: RETRIES_MAX - 1, ..Retries::new(&rng, RETRIES_MAX) };
            let begun = Instant::now();
            retries.back_off("a conflict").await.unwrap();
            pauses.push(u64::try_from(begun.elapsed().as_millis()).unwrap());
        }
        pauses.sort_unstable();
        let longest = RETRY_PAUSE_LONGEST_MILLIS;
        assert!(pauses[0] < longest * 6 / 10 && pauses[63] > longest * 9 / 10, "{pauses:?}");
    }
}
