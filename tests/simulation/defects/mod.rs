//! Whether the simulation catches anything: stores with a defect each, none of which it may let pass.
//!
//! A defect is on the wire ([`testkit::FaultInjector`]): the requests are rewritten into those that a store with the defect
//! would send, and answers into what it would take them for. So the program itself has no defect to switch on.

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

/// In how many histories at the most a defect must show.
const SEEDS_MOST: u64 = 60;

/// How much of what the simulation says stands in the table.
const SAID: usize = 110;

/// The first seed whose history the defect spoils, and how.
fn caught(defect: &Defect) -> Option<(u64, Violation)> {
    (1..=SEEDS_MOST).find_map(|seed| {
        let ended = run_over(&History::of(seed), |network| network.tamper((defect.tamper)()));
        Some((seed, ended.violation?))
    })
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
    assert!(missed.is_empty(), "{SEEDS_MOST} histories each let these pass: {missed:?}");
}

fn table(found: &[Option<(u64, Violation)>]) -> String {
    let mut table =
        "| defect | what it is | seed | operations | what the simulation says |\n|---|---|---:|---:|---|\n"
            .to_owned();
    for (Defect { name, is, .. }, found) in DEFECTS.iter().zip(found) {
        let _ = match found {
            Some((seed, Violation { why, operations, .. })) => {
                let said: String = why.chars().take(SAID).collect();
                let more = if said.len() < why.len() { " …" } else { "" };
                writeln!(table, "| {name} | {is} | {seed} | {operations} | `{said}`{more} |")
            }
            None => writeln!(table, "| {name} | {is} | – | – | **nothing** |"),
        };
    }
    table
}
