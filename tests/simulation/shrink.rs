//! Shortening a failing history: requests are removed as long as the history still fails.

use std::time::{Duration, Instant};

use super::plan::{History, Planned};
use super::run::{Ended, run};

/// The time limit for shortening a history.
const TIME: Duration = Duration::from_secs(30);

/// Returns the shortest failing history found within the time limit, and its result.
pub fn shrink(history: &History, ended: Ended) -> (History, Ended) {
    let until = Instant::now() + TIME;
    let mut best = (history.clone(), ended);
    // Halves first, then quarters, down to single requests.
    let mut piece = best.0.requests().count().div_ceil(2);
    while piece > 0 && Instant::now() < until {
        let mut at = 0;
        while at < best.0.requests().count() && Instant::now() < until {
            let shorter = without(&best.0, at, piece);
            let ended = run(&shorter, false);
            if ended.violation.is_some() {
                best = (shorter, ended);
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    best
}

/// Returns the history without `piece` requests from the index `from` on.
fn without(history: &History, from: usize, piece: usize) -> History {
    let mut shorter = history.clone();
    let mut place = 0;
    for burst in &mut shorter.bursts {
        burst.requests.retain(|_: &Planned| {
            place += 1;
            !(from..from + piece).contains(&(place - 1))
        });
    }
    shorter
}
