//! Shortening a history that fails: requests are left out for as long as it still fails.

use std::time::{Duration, Instant};

use super::plan::{History, Planned};
use super::run::{Ended, run};

/// For how long a history is shortened. What is left then is printed.
const TIME: Duration = Duration::from_secs(30);

/// The shortest history found that fails as this one does, and how it fails.
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

/// The history without so many requests from this one on.
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
