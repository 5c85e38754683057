//! Statistics of repeated measurements.

use std::time::{Duration, Instant};

/// A sample of durations with percentiles.
#[derive(Default)]
pub struct Sample(Vec<Duration>);

impl Sample {
    /// Adds a duration.
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Returns the number of durations.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the percentile for this share (0 to 1), in milliseconds.
    pub fn millis(&mut self, share: f64) -> f64 {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index in the list, which is far shorter than 2^52"
        )]
        let place = ((last as f64) * share).round() as usize;
        self.0.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }

    /// Returns the median, in milliseconds.
    pub fn median(&mut self) -> f64 {
        self.millis(0.5)
    }
}

impl Extend<Duration> for Sample {
    fn extend<I: IntoIterator<Item = Duration>>(&mut self, times: I) {
        self.0.extend(times);
    }
}

impl IntoIterator for Sample {
    type Item = Duration;
    type IntoIter = std::vec::IntoIter<Duration>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Returns the duration of one call of `work` in nanoseconds: the median of many batches, each of at least 5 ms.
pub fn nanos_each(mut work: impl FnMut()) -> f64 {
    const BATCHES: usize = 41;
    const BATCH: Duration = Duration::from_millis(5);
    let mut count = 1_u32;
    loop {
        let begun = Instant::now();
        (0..count).for_each(|_| work());
        if begun.elapsed() >= BATCH {
            break;
        }
        count = count.saturating_mul(2);
    }
    let mut batches = Sample::default();
    for _ in 0..BATCHES {
        let begun = Instant::now();
        (0..count).for_each(|_| work());
        batches.add(begun.elapsed());
    }
    batches.median() * 1e6 / f64::from(count)
}
