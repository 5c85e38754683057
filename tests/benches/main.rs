//! What the program costs, beside the least that it could cost. `tests/README.md` says how to run it and what it found.
//!
//! Each group prints its rows as it goes, and each ratio is of two things measured in the same run. Nothing here fails
//! because a machine is slow: the targets stand beside the numbers, and whoever reads them judges.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has failed"
)]
#![allow(unreachable_pub, reason = "within a program `pub` says what the other modules use")]

mod binaries;
mod caller;
mod closing;
mod contention;
mod events;
mod functions;
mod invocation;
mod load;
mod process;
mod report;
mod rules;
mod runtime_api;
mod sample;
mod setting;
mod sums;
mod throughput;
mod units;

use std::path::PathBuf;
use std::time::Duration;

use crate::binaries::Binaries;

/// Whether this was built as it is deployed.
pub const RELEASE: bool = !cfg!(debug_assertions);

/// The groups by the names under which they can be asked for.
const GROUPS: [&str; 8] =
    ["rules", "functions", "invocation", "units", "closing", "contention", "load", "throughput"];

/// How it is called.
const USAGE: &str = "[--quick] [--binaries=FOLDER] [--before=LOCAL_STACK] [GROUP]…";

/// What is asked for.
#[derive(Default)]
struct Options {
    quick: bool,
    /// Where the functions' binaries are, if they are not to be built.
    binaries: Option<PathBuf>,
    /// The local stack of another version, to be measured beside this one's.
    before: Option<PathBuf>,
    /// The groups; none means all.
    groups: Vec<String>,
}

impl Options {
    /// Reads the words of the command line, or finds one that is none.
    fn read(words: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self::default();
        for word in words {
            match word.as_str() {
                // Cargo adds it.
                "--bench" => {}
                "--quick" => options.quick = true,
                group if GROUPS.contains(&group) => options.groups.push(word),
                other => match other.split_once('=')? {
                    ("--binaries", folder) => options.binaries = Some(folder.into()),
                    ("--before", program) => options.before = Some(program.into()),
                    _ => return None,
                },
            }
        }
        Some(options)
    }

    fn wants(&self, group: &str) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|asked| asked == group)
    }
}

/// How much of everything is measured.
struct Extent {
    starts: usize,
    rounds: usize,
    leaving: [u64; 3],
    stretch: Duration,
}

const FULL: Extent =
    Extent { starts: 21, rounds: 200, leaving: [1_000, 10_000, 100_000], stretch: Duration::from_secs(10) };
/// Enough to see that the benchmarks themselves work.
const QUICK: Extent =
    Extent { starts: 2, rounds: 5, leaving: [10, 100, 1_000], stretch: Duration::from_secs(1) };

fn main() {
    let Some(options) = Options::read(std::env::args().skip(1)) else {
        report::line(&format!("usage: {USAGE}\n\ngroups: {}", GROUPS.join(", ")));
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(measure(&options));
}

async fn measure(options: &Options) {
    let extent = if options.quick { QUICK } else { FULL };
    let wanted = |group: &str| options.wants(group);
    // Built before anything is measured, so that the machine is quiet by then.
    let binaries = (wanted("functions") || wanted("invocation"))
        .then(|| options.binaries.as_deref().map_or_else(Binaries::build, Binaries::within));
    report::line(&format!("Built for {}. Load average at the beginning: {}.\n", profile(), load_average()));
    report::head();
    if wanted("rules") {
        rules::measure();
    }
    if let Some(binaries) = &binaries {
        if wanted("functions") {
            functions::measure(binaries, extent.starts).await;
        }
        if wanted("invocation") {
            invocation::measure(binaries, extent.rounds).await;
        }
    }
    if wanted("units") {
        units::measure().await;
    }
    if wanted("closing") {
        closing::measure(extent.leaving).await;
    }
    if wanted("contention") {
        contention::measure(extent.stretch).await;
    }
    if wanted("load") {
        load::measure(extent.stretch).await;
    }
    if wanted("throughput") {
        throughput::measure(extent.stretch, options.before.as_deref()).await;
    }
    report::line(&format!("\nLoad average at the end: {}.", load_average()));
}

fn profile() -> &'static str {
    if RELEASE { "release" } else { "development, so times and sizes mean nothing" }
}

/// The machine's load, and how many processors share it.
fn load_average() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let minutes: Vec<&str> = load.split_whitespace().take(3).collect();
    format!("{} on {processors} processors", minutes.join(", "))
}
