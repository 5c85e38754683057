//! A small model of contention, to compare with the measurements. In one account, an attempt that conflicts with
//! another one fails, and every other attempt is in flight for a fixed time. The model uses only the program's retry
//! limits, so it also shows the effect of other limits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use domain::limits::{RETRIES_MAX, RETRY_PAUSE_FIRST_MILLIS, RETRY_PAUSE_LONGEST_MILLIS};
use testkit::SeededRng;

use crate::report::{Row, row};
use crate::sample::Sample;

/// The simulated time, in microseconds.
const STRETCH: u64 = 60_000_000;
/// The duration of an attempt that conflicts, in microseconds. It is also the shortest time from a writer's response to
/// its next attempt.
const WAY: u64 = 1_500;

/// The load on the contacts of one account.
#[derive(Clone, Copy)]
pub enum Load {
    /// The number of writers. Each one starts its next change as soon as the last one is finished.
    Writers(u32),
    /// The number of changes a second, at random times.
    Arrivals(u64),
}

/// The maximum number of retries, and the longest pause in microseconds.
#[derive(Clone, Copy)]
struct Policy {
    retries: u32,
    longest: u64,
}

/// Prints the model's results for the store's retry limits, and for ten retries with pauses of up to 400 ms.
pub fn report(in_flight: Duration) {
    let own = Policy { retries: RETRIES_MAX, longest: RETRY_PAUSE_LONGEST_MILLIS * 1_000 };
    let design = Policy { retries: 10, longest: 400_000 };
    for load in [
        Load::Writers(16),
        Load::Writers(64),
        Load::Arrivals(80),
        Load::Arrivals(100),
        Load::Arrivals(130),
        Load::Arrivals(160),
    ] {
        for (suffix, policy) in [("", own), (", with ten retries and pauses of up to 400 ms", design)] {
            let label = format!("By the sums: {load}{suffix}");
            row(&Row::new(label, Sums::of(load, policy, in_flight), "changes; ms"));
        }
    }
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Writers(writers) => write!(f, "{writers} writers at once"),
            Self::Arrivals(rate) => write!(f, "{rate} arrivals a second"),
        }
    }
}

/// A change: the instant of its next attempt, the instant of its request, and the number of failed attempts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    at: u64,
    requested: u64,
    tries: u32,
}

struct Sums {
    times: Sample,
    refused: usize,
    tries: usize,
}

impl Sums {
    fn of(load: Load, policy: Policy, in_flight: Duration) -> String {
        let mut sums = Self { times: Sample::default(), refused: 0, tries: 0 };
        sums.play(load, policy, u64::try_from(in_flight.as_micros()).expect("a short time"));
        sums.summary()
    }

    fn play(&mut self, load: Load, policy: Policy, in_flight: u64) {
        let rng = &mut SeededRng::new(1);
        let (mut waiting, mut free_at) = (first(load, rng), 0);
        while let Some(Reverse(mut change)) = waiting.pop() {
            self.tries += 1;
            let ended = if change.at >= free_at {
                free_at = change.at + in_flight;
                self.times.add(Duration::from_micros(free_at - change.requested));
                Some(free_at)
            } else if change.tries == policy.retries {
                self.refused += 1;
                Some(change.at + WAY)
            } else {
                let longest =
                    ((RETRY_PAUSE_FIRST_MILLIS * 1_000) << change.tries.min(16)).min(policy.longest);
                change.at += WAY + rng.between(longest / 2, longest);
                change.tries += 1;
                waiting.push(Reverse(change));
                None
            };
            if let (Some(ended), Load::Writers(_)) = (ended, load)
                && ended < STRETCH
            {
                let at = ended + rng.between(WAY, 2 * WAY);
                waiting.push(Reverse(Change { at, requested: at, tries: 0 }));
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts")]
    fn summary(mut self) -> String {
        let (done, seconds) = (self.times.len(), STRETCH as f64 / 1e6);
        format!(
            "{:.0}/s: {:.1} tries a change, {:.2} % refused; p50 {:.0}, p99 {:.0}",
            done as f64 / seconds,
            self.tries as f64 / (done + self.refused) as f64,
            100.0 * self.refused as f64 / (done + self.refused) as f64,
            self.times.median(),
            self.times.millis(0.99),
        )
    }
}

/// Returns the first attempt of each writer, or of each arrival.
fn first(load: Load, rng: &mut SeededRng) -> BinaryHeap<Reverse<Change>> {
    let mut times = Vec::new();
    match load {
        Load::Writers(writers) => times.extend((0..writers).map(|_| rng.below(WAY))),
        Load::Arrivals(rate) => {
            let mut at = 0;
            while at < STRETCH {
                at += pause(rate, rng.bits());
                times.push(at);
            }
        }
    }
    times.into_iter().map(|at| Reverse(Change { at, requested: at, tries: 0 })).collect()
}

/// Returns the time until the next arrival of a Poisson process in microseconds, for a rate per second and 64 random
/// bits.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate, 53 random bits, and a time of at most a minute"
)]
pub fn pause(rate: u64, bits: u64) -> u64 {
    let uniform = ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    (-uniform.ln() * 1e6 / rate as f64) as u64
}
