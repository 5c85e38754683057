//! Bulk jobs: the throughput of previews and jobs, compared with bare calls on the same items, and the latency of
//! single changes beside a job.

mod bare;
mod sums;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Timestamp;
use domain::decision::Command;
use domain::filter::{Condition, Filter};
use domain::ids::{AccountId, ContactId, UserId};
use domain::marketing::EffectiveState;
use domain::source::Actor;
use futures_util::future::join_all;
use store::{
    BulkJob, BulkRequest, JobState, Preview, Responder, Rng, Selected, Selection, Store, StoredResponse,
    Target,
};
use testkit::{Conflicts, SeededRng, TABLE, TestTable, at};

use crate::bulk::bare::Bare;
use crate::contention::{self, Result};
use crate::process::{own_peak_megabytes, reset_own_peak};
use crate::report::{Row, row};

/// The wall clock of previews and jobs, after the contacts were created.
const LATER: &str = "2026-11-10T12:01:00.000Z";
/// The number of alternating measurements of a preview and of its bare queries.
const PREVIEWS: usize = 5;
/// The number of alternating measurements of a job and of its bare transactions.
const JOBS: usize = 2;
/// The number of single changes a second beside a job.
const SINGLES: u64 = 10;
/// The time in flight of a transaction with few items.
const SMALL: Duration = Duration::from_millis(5);
/// The time in flight of a transaction with many items.
const LARGE: Duration = Duration::from_millis(15);
/// The least number of items of a transaction that counts as large.
const LARGE_FROM: usize = 10;

/// Measures previews and jobs over this number of contacts, and a job over another number beside other changes.
pub async fn measure([contacts, beside]: [u64; 2]) {
    let table = TestTable::start().await;
    // The bare calls have the same client, without the recorder of the table's own store. The seed is another one,
    // because a seed determines the tokens.
    let store = Store::new(table.client.clone(), TABLE, Rng::seeded(8));
    let account = table.account(at(contention::NOW)).await;
    let ids =
        testkit::seed(&table, account, contacts, EffectiveState::NonMarketing, at(contention::NOW)).await;
    let bench = Bench { bare: Arc::new(Bare::new(&table, account).await), store, account, ids };
    bench.previews().await;
    bench.jobs().await;
    drop((bench, table));
    for singles in [false, true] {
        manners(beside, singles).await;
    }
    sums::report();
}

struct Bench {
    bare: Arc<Bare>,
    store: Store,
    account: AccountId,
    ids: Vec<ContactId>,
}

impl Bench {
    /// Measures previews and the queries that read the same contacts.
    async fn previews(&self) {
        let (mut preview, mut queries, mut spread) = (0.0, 0.0, 0.0);
        let mut memory = 0.0_f64;
        for _ in 0..PREVIEWS {
            let before = reset_own_peak();
            preview += timed(self.preview()).await;
            memory = memory.max(own_peak_megabytes() - before);
            queries += timed(self.bare.query_all()).await;
            spread += timed(self.bare.query_all_spread()).await;
        }
        let count = self.ids.len();
        let print =
            |what: String, seconds: f64| Row::new(what, rate(PREVIEWS * count, seconds), "contacts/s");
        row(&print(format!("Bare queries of {count} contacts, 16 at once in one task"), queries));
        row(&print(format!("Bare queries of {count} contacts, 16 at once in 16 tasks"), spread));
        let row_of = print(format!("A preview of {count} contacts, against those in one task"), preview);
        row(&row_of.ratio(queries / preview).at_least(queries / preview, 0.7));
        let row_of = print(format!("A preview of {count} contacts, against those in 16 tasks"), preview);
        row(&row_of.ratio(spread / preview));
        let what = format!("A preview of {count} contacts: peak memory above that before, with the engine's");
        row(&Row::new(what, format!("{memory:.0}"), "MB"));
    }

    async fn preview(&self) {
        let paris = Condition::new("city", "EQ", Some("Paris"), None, None).expect("a condition");
        let request = request(self.account, Command::SetMarketing, paris, None);
        let render = |preview: &Preview| match preview {
            Preview::Complete { tally, .. } => answer(tally.examined),
            Preview::Continues(job) => panic!("the count continues as {}", job.id),
        };
        let responder = Responder::new(None, &render);
        let previewed = self.store.preview(&request, at(LATER), || true, responder).await;
        assert_eq!(previewed.expect("a preview").body, self.ids.len().to_string());
    }

    /// Measures jobs, bare transactions of the same items by the SDK, and the engine's typed ones. The last ones
    /// restore the contacts.
    async fn jobs(&self) {
        let count = self.ids.len();
        let (mut job, mut bare, mut engine) = (0.0, 0.0, 0.0);
        for _ in 0..JOBS {
            begin(&self.store, self.account, count as u64).await;
            let (store, account) = (self.store.clone(), self.account);
            job += timed(work(store, account)).await;
            let transactions = self.bare.transactions().await;
            bare += timed(self.bare.send_all(transactions)).await;
            let transactions = self.bare.restoring().await;
            let own = Arc::clone(&self.bare);
            let restored = tokio::task::spawn_blocking(move || own.restore(transactions));
            engine += timed(async { restored.await.expect("the contacts are restored") }).await;
        }
        let print = |what: String, seconds: f64| Row::new(what, rate(JOBS * count, seconds), "contacts/s");
        row(&print(format!("Typed transactions of the engine, {count} contacts"), engine));
        let row_of = print(format!("Bare transactions of the SDK, {count} contacts"), bare);
        row(&row_of.ratios(format!("{:.2} of the engine", engine / bare)));
        let row_of = print(format!("A job of {count} contacts, against those of the SDK"), job);
        let ratios = format!("{:.2}, {:.2} of the engine", bare / job, engine / job);
        row(&row_of.ratios(ratios).at_least(bare / job, 0.7));
    }
}

/// Measures a job, alone or beside single changes of the same account. Transactions that have a common item and are in
/// flight at the same time conflict.
async fn manners(contacts: u64, singles: bool) {
    let faults = Conflicts::by_size(|items| if items < LARGE_FROM { SMALL } else { LARGE });
    let table = Arc::new(TestTable::with_faults(&faults).await);
    let now = at(contention::NOW);
    let account = table.account(now).await;
    let ids = testkit::seed(&table, account, contacts, EffectiveState::NonMarketing, now).await;
    begin(&table.store, account, contacts).await;
    let store = table.store.clone();
    let begun = Instant::now();
    let job = tokio::spawn(async move {
        work(store, account).await;
        Instant::now()
    });
    let single =
        if singles { arrivals(&table, account, &ids, || job.is_finished()).await } else { Vec::new() };
    let seconds = (job.await.expect("the job is done") - begun).as_secs_f64();
    let mut result = Result::default();
    for (done, begun, ended) in single {
        result.note_until(done, begun, ended);
    }
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.billable, scan.period.1), (contacts, contacts), "the count is exact");
    let what = if singles { format!("beside {SINGLES} single changes a second") } else { "alone".to_owned() };
    let what = format!("A job of {contacts} contacts, {LARGE:?} in flight, {what}");
    let count = usize::try_from(contacts).expect("a count");
    row(&Row::new(what, rate(count, seconds), "contacts/s"));
    if singles {
        let (done, refused) = (result.times.len(), result.refused);
        let (p50, p99) = (result.times.median(), result.times.millis(0.99));
        let what = format!("{SINGLES} single changes a second beside that job, {SMALL:?} in flight");
        let measured = format!(
            "{done} done, {} conflicts, {refused} refused; p50 {p50:.0}, p99 {p99:.0}",
            faults.conflicts()
        );
        let verdict = if p99 <= 1_000.0 && refused == 0 { "" } else { ", **missed**" };
        row(&Row::new(what, measured, "changes; ms").target(format!("p99 ≤ 1 s, none refused{verdict}")));
    }
}

/// Sets single contacts at random times (a Poisson process) until `ended` returns true. They are the last ones, which
/// the job reaches at its end. Returns for each change true if it was made, its begin and its end.
async fn arrivals(
    table: &Arc<TestTable>,
    account: AccountId,
    ids: &[ContactId],
    ended: impl Fn() -> bool,
) -> Vec<(bool, Instant, Instant)> {
    let (begun, mut due, mut arrivals) = (Instant::now(), Duration::ZERO, Vec::new());
    let mut rng = SeededRng::new(SINGLES);
    for id in ids.iter().rev().copied() {
        due += Duration::from_micros(crate::sums::pause(SINGLES, rng.bits()));
        tokio::time::sleep_until((begun + due).into()).await;
        if ended() {
            break;
        }
        let table = Arc::clone(table);
        arrivals.push(tokio::spawn(async move {
            let begun = Instant::now();
            (contention::set(&table, account, id).await, begun, Instant::now())
        }));
    }
    join_all(arrivals).await.into_iter().map(|arrival| arrival.expect("an arrival")).collect()
}

/// Creates a job that sets all contacts, after it has counted them.
async fn begin(store: &Store, account: AccountId, contacts: u64) {
    let all = Condition::new("city", "NOT_HAS_PROPERTY", None, None, None).expect("a condition");
    let request = request(account, Command::SetMarketing, all, Some(contacts));
    let render = |job: &BulkJob| answer(job.matched.expect("a count"));
    let responder = Responder::new(None, &render);
    let created = store.create_bulk_job(&request, at(LATER), || true, responder).await;
    assert_eq!(created.expect("a job").body, contacts.to_string());
}

/// Works until the account's jobs are done.
async fn work(store: Store, account: AccountId) {
    let progress = store.work_on_bulk_jobs(account, || at(LATER), || true).await.expect("a job");
    assert!(progress.finished && progress.jobs == 1, "{progress:?}");
    let jobs = store.bulk_jobs(account, None, 1).await.expect("the jobs");
    assert_eq!(jobs.items[0].state, JobState::Done);
}

fn request(
    account: AccountId,
    command: Command,
    condition: Condition,
    confirm_count: Option<u64>,
) -> BulkRequest {
    let by = Selection::Filter(Filter::new(vec![vec![condition]]).expect("a filter"));
    let target = Target::Selected(Selected { by, except: BTreeSet::new() });
    let actor = Actor::User(UserId::new(Timestamp::MIN, 1));
    BulkRequest { account, command, target, confirm_count, actor }
}

fn answer(body: u64) -> StoredResponse {
    StoredResponse { status: 200, body: body.to_string(), etag: None, location: None }
}

/// Returns the seconds that this work takes.
async fn timed(work: impl Future<Output = ()>) -> f64 {
    let begun = Instant::now();
    work.await;
    begun.elapsed().as_secs_f64()
}

fn rate(count: usize, seconds: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a count of contacts")]
    let count = count as f64;
    format!("{:.0}", count / seconds)
}
