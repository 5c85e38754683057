//! Contention on one account: many clients set its contacts concurrently. A transaction that conflicts with another one
//! in flight is cancelled, as in DynamoDB. The throughput of an account follows from the duration of a transaction and
//! the spread of the retries. The [`sums`](crate::sums) compute the expected values.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use domain::Timestamp;
use domain::decision::Command;
use domain::ids::{AccountId, ContactId, UserId};
use domain::marketing::EffectiveState;
use domain::source::{Actor, Source, SourceType};
use futures_util::future::join_all;
use store::{ContactRef, Responder, StatusReport, StatusRequest, StoreError, StoredResponse};
use testkit::{Conflicts, SeededRng, TestTable, at};

use crate::report::{Row, row};
use crate::sample::Sample;
use crate::sums::{self, Load};

/// The wall clock of the changes.
pub const NOW: &str = "2026-11-10T12:00:00.000Z";
/// The duration of a transaction in flight.
const IN_FLIGHT: Duration = Duration::from_millis(5);

/// The result of a measurement.
#[derive(Default)]
pub struct Result {
    /// The durations of the changes.
    pub times: Sample,
    /// The number of refused changes.
    pub refused: usize,
    seconds: f64,
}

/// Measures parallel writers and arrivals, each for this duration.
pub async fn measure(stretch: Duration) {
    for writers in [1, 2, 4, 8, 16, 32, 64] {
        let bench = Bench::start(stretch.as_secs() * 250).await;
        let result = bench.write_in_parallel(writers, stretch).await;
        row(&bench.row(Load::Writers(writers), result).await);
    }
    for (rate, target) in [
        (20, "p99 ≤ 300 ms, none refused"),
        (40, "p99 ≤ 300 ms, none refused"),
        (60, "p99 ≤ 300 ms, none refused"),
        (80, "p99 ≤ 300 ms, none refused"),
        (100, "p99 ≤ 500 ms, none refused"),
        (130, "about 1 % refused"),
        (160, ""),
    ] {
        let bench = Bench::start(stretch.as_secs() * rate).await;
        let result = bench.arrive(rate, stretch).await;
        row(&bench.row(Load::Arrivals(rate), result).await.target(target));
    }
    sums::report(IN_FLIGHT);
}

struct Bench {
    table: Arc<TestTable>,
    faults: Conflicts,
    account: AccountId,
    ids: Vec<ContactId>,
}

impl Bench {
    async fn start(contacts: u64) -> Self {
        let faults = Conflicts::new(IN_FLIGHT);
        let table = TestTable::with_faults(&faults).await;
        let account = table.account(at(NOW)).await;
        let ids = testkit::seed(&table, account, contacts, EffectiveState::NonMarketing, at(NOW)).await;
        Self { table: Arc::new(table), faults, account, ids }
    }

    /// Runs this number of writers. Each one starts its next change as soon as the last one is finished, and no contact
    /// is written twice.
    async fn write_in_parallel(&self, writers: u32, stretch: Duration) -> Result {
        let (begun, next) = (Instant::now(), AtomicUsize::new(0));
        let writer = async || {
            let mut result = Result::default();
            while begun.elapsed() < stretch
                && let Some(id) = self.ids.get(next.fetch_add(1, Ordering::Relaxed))
            {
                let begun = Instant::now();
                result.note(set(&self.table, self.account, *id).await, begun);
            }
            result
        };
        let mut whole = Result::default();
        for result in join_all((0..writers).map(|_| writer())).await {
            whole.times.extend(result.times);
            whole.refused += result.refused;
        }
        whole.seconds = begun.elapsed().as_secs_f64();
        whole
    }

    /// Runs arrivals at random times (a Poisson process). They do not wait for earlier arrivals.
    async fn arrive(&self, rate: u64, stretch: Duration) -> Result {
        let (begun, mut due, mut arrivals) = (Instant::now(), Duration::ZERO, Vec::new());
        let mut rng = SeededRng::new(rate);
        for id in self.ids.iter().copied() {
            due += Duration::from_micros(sums::pause(rate, rng.bits()));
            if due > stretch {
                break;
            }
            tokio::time::sleep_until((begun + due).into()).await;
            let (table, account) = (Arc::clone(&self.table), self.account);
            arrivals.push(tokio::spawn(async move {
                let begun = Instant::now();
                (set(&table, account, id).await, begun, Instant::now())
            }));
        }
        let mut whole = Result::default();
        for arrival in join_all(arrivals).await {
            let (done, begun, ended) = arrival.expect("an arrival");
            whole.note_until(done, begun, ended);
        }
        whole.seconds = begun.elapsed().as_secs_f64();
        whole
    }

    async fn row(&self, load: Load, mut result: Result) -> Row {
        let (done, refused) = (result.times.len(), result.refused);
        let scan = testkit::scan(&self.table.client, self.account).await;
        assert_eq!((scan.billable, scan.period.1), (done as u64, done as u64), "the count is exact");
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let rate = done as f64 / result.seconds;
        let (p50, p99) = (result.times.median(), result.times.millis(0.99));
        let measured = format!(
            "{rate:.0}/s: {done} done, {} retried, {refused} refused; p50 {p50:.0}, p99 {p99:.0}",
            self.faults.conflicts()
        );
        Row::new(format!("One account, {IN_FLIGHT:?} in flight: {load}"), measured, "changes; ms")
    }
}

impl Result {
    fn note(&mut self, done: bool, begun: Instant) {
        self.note_until(done, begun, Instant::now());
    }

    /// Records the outcome of a change.
    pub fn note_until(&mut self, done: bool, begun: Instant, ended: Instant) {
        if done {
            self.times.add(ended - begun);
        } else {
            self.refused += 1;
        }
    }
}

/// Sets one contact. Returns false if the store is unavailable after its retries, which a client sees as status 503.
pub async fn set(table: &TestTable, account: AccountId, id: ContactId) -> bool {
    let request = StatusRequest {
        account,
        command: Command::SetMarketing,
        contacts: &[ContactRef::Id(id)],
        dry_run: false,
        source: Source { kind: SourceType::Manual, name: "Ada".to_owned(), id: None },
        actor: Actor::User(UserId::new(Timestamp::MIN, 1)),
    };
    let render =
        |_: &StatusReport| StoredResponse { status: 200, body: String::new(), etag: None, location: None };
    match table.store.set_status(&request, at(NOW), Responder::new(None, &render)).await {
        Ok(_) => true,
        Err(StoreError::Unavailable(..)) => false,
        Err(error) => panic!("{error}"),
    }
}
