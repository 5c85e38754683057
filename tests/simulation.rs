//! A simulation of concurrent clients with injected faults.
//!
//! From one seed it draws a history of several accounts with conflicting clients. It runs the store through the history
//! over a simulated network that injects every fault of DynamoDB (`testkit::Network`). At every write it compares the
//! whole account with `model::rules`. Each response must be one that the rules allow at some instant while the request
//! was in flight. Whenever no request is in flight, the whole table must match the rules, including every history. A
//! seed always produces the same history, so a failing seed is a bug report. `tests/simulation/README.md` describes how to run the
//! simulation and which defects it catches.

mod checks;
mod commands;
mod defects;
mod plan;
mod raw;
mod report;
mod run;
mod shrink;
mod watching;
mod world;

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use plan::History;
use report::Report;
use run::{Ended, run};

/// The number of seeds that `cargo test` runs. Each known defect but the rarest shows within the first half of them, and
/// CI runs fresh seeds besides.
const SEEDS: u64 = 25;

/// The number of kinds of faults that occur in every run of many seeds. One more kind is too rare: a write of a single
/// item that conflicts with a transaction.
const KINDS_OF_FAULTS: usize = 10;

/// Returns the number in an environment variable, or `None` if it is not set.
fn env_number(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "the variables let a developer choose the seeds")]
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("expected a number in {name}, found {text:?}")))
}

/// Seeds to run, in order.
struct Seeds {
    numbers: std::ops::Range<u64>,
    /// The instant after which no further history begins.
    until: Option<Instant>,
}

impl Seeds {
    /// Returns the seeds that the environment asks for: `SEED=7` for one, `SEEDS=1000` for the first thousand, or
    /// `FROM=123 SECONDS=300` for as many as begin within five minutes.
    fn from_environment() -> Self {
        if let Some(seed) = env_number("SEED") {
            return Self { numbers: seed..seed + 1, until: None };
        }
        let from = env_number("FROM").unwrap_or(1);
        match env_number("SECONDS") {
            Some(seconds) => {
                Self { numbers: from..u64::MAX, until: Some(Instant::now() + Duration::from_secs(seconds)) }
            }
            None => Self { numbers: from..from + env_number("SEEDS").unwrap_or(SEEDS), until: None },
        }
    }

    fn is_single(&self) -> bool {
        self.numbers.end - self.numbers.start == 1
    }

    fn has_ended(&self, seed: u64) -> bool {
        seed >= self.numbers.end || self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// Runs the histories of these seeds on every core, until `each` returns false.
fn run_all(seeds: &Seeds, each: impl Fn(u64, Ended) -> bool + Sync) {
    let next = AtomicU64::new(seeds.numbers.start);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seeds.has_ended(seed) || !each(seed, run(&History::of(seed), false)) {
                        return;
                    }
                }
            });
        }
    });
}

/// Prints a text even if the test passes, because the statistics of a run are part of its result.
pub fn say(text: impl std::fmt::Display) {
    // The test runner hides the `println!` output of a passing test.
    let _ = writeln!(std::io::stdout(), "\n{text}");
}

#[test]
fn random_histories_under_faults_keep_the_promises() {
    let seeds = Seeds::from_environment();
    let report = Mutex::new(Report::default());
    let failed = Mutex::new(None);
    let alone = seeds.is_single();
    run_all(&seeds, |seed, ended| {
        report.lock().unwrap().add(&ended);
        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.violation.is_some() {
            failed.get_or_insert((seed, ended));
        }
        failed.is_none()
    });
    let report = report.into_inner().unwrap();
    say(&report);
    if let Some((seed, ended)) = failed.into_inner().unwrap() {
        let (history, ended) = shrink::shrink(&History::of(seed), ended);
        if alone {
            say(run(&history, true).trace);
        }
        let hint = format!("SEED={seed} runs it again and shows every request");
        let violation = ended.violation.expect("a shortened history still fails");
        panic!("{history}\n{violation}\n\n{hint}");
    }
    // A simulation without faults or update dates proves nothing.
    assert!(alone || report.kinds_of_faults() >= KINDS_OF_FAULTS, "a kind of fault never occurred");
    assert!(alone || report.counts().update_dates > 0, "no update date passed");
}

#[test]
fn seed_determines_the_history() {
    for seed in [3, 5, 11] {
        let [first, again] = [(); 2].map(|()| run(&History::of(seed), true));
        assert!(!first.trace.is_empty());
        let differ = first.trace.lines().zip(again.trace.lines()).find(|(one, other)| one != other);
        assert_eq!(differ, None, "seed {seed}");
        assert_eq!(first.trace, again.trace, "seed {seed}");
    }
}
