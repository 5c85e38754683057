//! A simulation that breaks things.
//!
//! From one seed it draws a history of several accounts and of clients that get in each other's way, and runs the
//! store through it over a network on which everything goes wrong that does with DynamoDB (`testkit::Network`). At
//! every single write it compares the whole account with `model::rules`; each answer must be one that the rules give at
//! some instant while the request was under way; and whenever nothing is under way the whole table must be as it should
//! be, to the last entry of the last history. A history is the same each time it runs, so a seed that fails is a bug
//! report. How to run it, and what it has caught: `tests/README.md`.

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

use plan::History;
use report::Report;
use run::{Ended, run};

/// How many seeds `cargo test` runs: as many as take about a minute and a half on two cores, with the other tests beside.
const SEEDS: u64 = 100;

/// The kinds of faults that come in every run of many seeds. One more is rarer than that: a single item's write that
/// meets a transaction.
const KINDS_OF_FAULTS: usize = 10;

/// A number that the caller may set.
fn asked(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the simulation says so which seeds it runs")]
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is to be a number")))
}

/// Runs the histories of these seeds on every core and gives the first that fails, if one does.
fn run_all(seeds: std::ops::Range<u64>, each: impl Fn(u64, Ended) -> bool + Sync) {
    let next = AtomicU64::new(seeds.start);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || !each(seed, run(&History::of(seed), false)) {
                        return;
                    }
                }
            });
        }
    });
}

/// Prints what a run went through even if it passes: that is its result as much as that it passed.
pub fn say(what: impl std::fmt::Display) {
    // The test runner keeps `println!` of a test that passes to itself.
    let _ = writeln!(std::io::stdout(), "\n{what}");
}

#[test]
fn random_histories_under_faults_keep_the_promises() {
    let seeds = match asked("SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..asked("SEEDS").unwrap_or(SEEDS) + 1,
    };
    let report = Mutex::new(Report::default());
    let failed = Mutex::new(None);
    let alone = seeds.end - seeds.start == 1;
    run_all(seeds, |seed, ended| {
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
        let violation = ended.violation.expect("what is shortened still fails");
        panic!("{history}\n{violation}\n\n{hint}");
    }
    // A simulation in which nothing happens proves nothing.
    assert!(alone || report.kinds_of_faults() >= KINDS_OF_FAULTS, "a kind of fault never came");
    assert!(alone || report.counts().update_dates > 0);
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
