//! Benchmarks that compare the program's costs with the lowest possible costs. `tests/benches/README.md` describes how to run
//! them and their results.
//!
//! Each group prints its rows immediately, and each ratio compares two measurements of the same run. No benchmark fails
//! on a slow machine: the table shows the targets beside the numbers, and the reader judges them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot continue has failed"
)]
#![allow(unreachable_pub, reason = "within a program `pub` marks the items that other modules use")]

mod binaries;
mod bulk;
mod caller;
mod closing;
mod console;
mod contention;
mod events;
mod feed;
mod files;
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

/// True if the benchmarks were built in the release profile, as in a deployment.
pub const RELEASE: bool = !cfg!(debug_assertions);

/// The names of the groups on the command line.
const GROUPS: [&str; 12] = [
    "rules",
    "functions",
    "invocation",
    "units",
    "closing",
    "contention",
    "load",
    "throughput",
    "bulk",
    "console",
    "feed",
    "files",
];

/// The usage text of the command line.
const USAGE: &str = "[--quick] [--binaries=FOLDER] [--before=LOCAL_STACK] [GROUP]…";

/// The options of the command line.
#[derive(Default)]
struct Options {
    quick: bool,
    /// The folder with the functions' binaries. `None` builds them.
    binaries: Option<PathBuf>,
    /// The local stack of another version, which is measured beside this version's.
    before: Option<PathBuf>,
    /// The groups. An empty list means all groups.
    groups: Vec<String>,
}

impl Options {
    /// Parses the arguments of the command line. Returns `None` if one is unknown.
    fn read(words: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self::default();
        for word in words {
            match word.as_str() {
                // Cargo adds this argument.
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
        self.groups.is_empty() || self.groups.iter().any(|wanted| wanted == group)
    }
}

/// The extent of the measurements.
struct Extent {
    starts: usize,
    rounds: usize,
    leaving: [u64; 3],
    /// The numbers of contacts of a bulk job: for its throughput, and beside other changes.
    selected: [u64; 2],
    /// The numbers of contacts behind the console's pages.
    shown: [u64; 2],
    /// The number of rows of an import and an export.
    transferred: usize,
    stretch: Duration,
}

const FULL: Extent = Extent {
    starts: 21,
    rounds: 200,
    leaving: [1_000, 10_000, 100_000],
    selected: [100_000, 50_000],
    shown: [100, 100_000],
    transferred: 100_000,
    stretch: Duration::from_secs(10),
};
/// The extent that only shows that the benchmarks work.
const QUICK: Extent = Extent {
    starts: 2,
    rounds: 5,
    leaving: [10, 100, 1_000],
    selected: [2_000, 2_000],
    shown: [100, 2_000],
    transferred: 2_000,
    stretch: Duration::from_secs(1),
};

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
    // The build ends before the first measurement, so that the machine is idle then.
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
    if wanted("bulk") {
        bulk::measure(extent.selected).await;
    }
    if wanted("console") {
        console::measure(extent.shown, extent.rounds / 5).await;
    }
    if wanted("feed") {
        feed::measure(extent.rounds).await;
    }
    if wanted("files") {
        files::measure(extent.transferred).await;
    }
    report::line(&format!("\nLoad average at the end: {}.", load_average()));
}

fn profile() -> &'static str {
    if RELEASE { "release" } else { "development, so times and sizes mean nothing" }
}

/// Returns the machine's load averages and its number of processors.
fn load_average() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let minutes: Vec<&str> = load.split_whitespace().take(3).collect();
    format!("{} on {processors} processors", minutes.join(", "))
}
