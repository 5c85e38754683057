//! A warm `set-marketing` through its real binary, compared with the same two bare calls.
//!
//! Three programs run in turns on one table, so that a busy moment of the machine affects all of them:
//!
//! * the function;
//! * a loop that only makes the two calls;
//! * a minimal function that makes the two calls, which shows the Lambda runtime's share of the difference.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout};
use std::time::Duration;

use domain::ids::ContactId;
use domain::marketing::EffectiveState;
use serde_json::{Map, Value, json};

use crate::binaries::Binaries;
use crate::events;
use crate::process::Process;
use crate::report::{Row, row};
use crate::runtime_api::Function;
use crate::sample::Sample;
use crate::setting::{Fixture, now};

/// The maximum ratio of the function's processor time to that of the bare calls.
const CPU_MOST: f64 = 1.3;
/// The number of turns of each program.
const TURNS: usize = 10;

/// The processor time and latency of a program.
#[derive(Default)]
struct Cost {
    cpu: Duration,
    latency: Sample,
}

impl Cost {
    /// Returns the processor time of one round, in microseconds.
    fn micros(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of rounds")]
        let rounds = self.latency.len() as f64;
        self.cpu.as_secs_f64() * 1e6 / rounds
    }
}

/// Measures the three programs, with this number of rounds in each turn.
pub async fn measure(binaries: &Binaries, rounds: usize) {
    let setting = Fixture::begun(now()).await;
    // The first turn is a warm-up.
    let count = 3 * rounds * (TURNS + 1);
    let ids =
        testkit::seed(&setting.table, setting.account, count as u64, EffectiveState::NonMarketing, now())
            .await;
    let mut turns = ids.chunks(rounds);
    let context = setting.context().await;
    let endpoint = setting.table.endpoint();
    let mut function = Function::start(binaries.path("set-marketing"), endpoint).await;
    let mut bare = Bare::start(binaries, endpoint);
    let mut bare_function = Function::start(binaries.path("two-calls-function"), endpoint).await;
    let [mut of_function, mut of_bare, mut of_bare_function] = [(); 3].map(|()| Cost::default());
    for turn in 0..=TURNS {
        let mut next = || turns.next().expect("contacts for every turn");
        let own = next().iter().map(|id| event(&context, *id)).collect();
        invoke(&mut function, own, &mut of_function).await;
        let lines: Vec<String> = next().iter().map(|id| keys(&setting, *id)).collect();
        bare.run(&lines, &mut of_bare);
        let lines = next().iter().map(|id| events::http("POST", "/", &Map::new(), &keys(&setting, *id)));
        invoke(&mut bare_function, lines.collect(), &mut of_bare_function).await;
        if turn == 0 {
            [of_function, of_bare, of_bare_function] = [(); 3].map(|()| Cost::default());
        }
    }
    let scan = testkit::scan(&setting.table.client, setting.account).await;
    assert_eq!(
        (scan.billable, scan.period.1),
        (count as u64, count as u64),
        "every round must change a contact"
    );

    let (cpu, latency) = (of_bare.micros(), of_bare.latency.median());
    row(&Row::new("The two calls bare: processor time", format!("{cpu:.0}"), "µs"));
    let ratio = of_function.micros() / cpu;
    let measured = format!("{:.0}", of_function.micros());
    let warm = Row::new("Warm `set-marketing`: processor time, against the two calls bare", measured, "µs");
    row(&warm.ratio(ratio).at_most(ratio, CPU_MOST, " ×"));
    let ratio = of_function.micros() / of_bare_function.micros();
    let measured = format!("{:.0}", of_bare_function.micros());
    let what =
        "The emptiest function that makes the two calls: processor time (ratio: `set-marketing` against it)";
    row(&Row::new(what, measured, "µs").ratio(ratio).at_most(ratio, CPU_MOST, " ×"));
    row(&Row::new("The two calls bare: latency, p50", format!("{latency:.2}"), "ms"));
    let own = of_function.latency.median();
    let what = "Warm `set-marketing`: latency, p50, against the two calls bare";
    row(&Row::new(what, format!("{own:.2}"), "ms").ratio(own / latency));
    let other = of_bare_function.latency.median();
    let what =
        "The emptiest function that makes the two calls: latency, p50 (ratio: `set-marketing` against it)";
    row(&Row::new(what, format!("{other:.2}"), "ms").ratio(own / other));
}

fn event(context: &Map<String, Value>, id: ContactId) -> String {
    let body = json!({"contacts": [{"id": id.to_string()}]}).to_string();
    events::http("POST", "/v1/contacts/marketing", context, &body)
}

fn keys(setting: &Fixture, id: ContactId) -> String {
    let account = setting.account;
    format!("CONTACT#{account}#{} {id} ACCOUNT#{account}", id.bucket())
}

async fn invoke(function: &mut Function, events: Vec<String>, cost: &mut Cost) {
    let before = function.process.cpu();
    for event in events {
        let (answer, took) = function.invoke(event).await;
        let answer: Value = serde_json::from_slice(&answer).expect("an answer in JSON");
        assert_eq!(answer["statusCode"], 200, "{answer}");
        cost.latency.add(took);
    }
    cost.cpu += function.process.cpu() - before;
}

/// The program that makes the two calls in a loop.
struct Bare {
    process: Process,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Bare {
    fn start(binaries: &Binaries, endpoint: &str) -> Self {
        let mut process = Process::start(binaries.path("two-calls"), endpoint, None);
        let (input, output) = process.pipes();
        Self { process, input, output: BufReader::new(output) }
    }

    fn run(&mut self, lines: &[String], cost: &mut Cost) {
        let before = self.process.cpu();
        writeln!(self.input, "{}\n", lines.join("\n"))
            .and_then(|()| self.input.flush())
            .expect("the program's input");
        let mut line = String::new();
        tokio::task::block_in_place(|| self.output.read_line(&mut line)).expect("the program's output");
        cost.cpu += self.process.cpu() - before;
        let times = line.split_whitespace().map(|nanos| nanos.parse().map(Duration::from_nanos));
        let before = cost.latency.len();
        cost.latency.extend(times.map(|time| time.expect("a number")));
        assert_eq!(cost.latency.len() - before, lines.len(), "every round has a time");
    }
}
