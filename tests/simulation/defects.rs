//! Tests of the simulation itself: it must catch every store with one of these defects.
//!
//! A defect is injected on the wire ([`testkit::FaultInjector`]). It rewrites requests into those that a defective
//! store would send, and responses into those that a defective store would see. So the program has no switches for
//! defects.

mod list;
mod wire;

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use list::{DEFECTS, Defect};

use super::plan::History;
use super::run::run_over;
use super::say;
use super::world::Violation;

/// The number of seeds within which a defect must be caught.
const SEEDS_MOST: u64 = 60;

/// The maximum length of a violation's text in the table, in characters.
const TEXT_MOST: usize = 110;

/// Returns a seed whose history catches the defect, and the violation. The known seed is tried first, and all seeds in
/// their order if it no longer catches the defect or `DEFECTS=search` asks for that.
fn caught(defect: &Defect) -> Option<(u64, Violation)> {
    let known = Some(defect.seed).filter(|_| !searches());
    known.into_iter().chain(1..=SEEDS_MOST).find_map(|seed| {
        let ended = run_over(&History::of(seed), |network| network.tamper((defect.tamper)()));
        Some((seed, ended.violation?))
    })
}

/// Returns true if the first seed of each defect must be searched.
fn searches() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the variable lets a developer search the seeds anew")]
    let asked = std::env::var("DEFECTS");
    asked.is_ok_and(|asked| asked == "search")
}

#[test]
fn every_defect_is_caught() {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(DEFECTS.each_ref().map(|_| None));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((place, defect)) =
                    DEFECTS.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed))
                {
                    let caught = caught(defect);
                    found.lock().unwrap()[place] = caught;
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    say(table(&found));
    let missed: Vec<_> = DEFECTS.iter().zip(&found).filter(|(_, found)| found.is_none()).collect();
    let missed: Vec<&str> = missed.into_iter().map(|(defect, _)| defect.name).collect();
    assert!(missed.is_empty(), "{SEEDS_MOST} histories did not catch these defects: {missed:?}");
}

fn table(found: &[Option<(u64, Violation)>]) -> String {
    let mut table =
        "| defect | what it is | seed | operations | what the simulation says |\n|---|---|---:|---:|---|\n"
            .to_owned();
    for (Defect { name, is, .. }, found) in DEFECTS.iter().zip(found) {
        let _ = match found {
            Some((seed, Violation { why, operations, .. })) => {
                let text: String = why.chars().take(TEXT_MOST).collect();
                let more = if text.len() < why.len() { " …" } else { "" };
                writeln!(table, "| {name} | {is} | {seed} | {operations} | `{text}`{more} |")
            }
            None => writeln!(table, "| {name} | {is} | – | – | **nothing** |"),
        };
    }
    table
}
