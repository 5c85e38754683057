//! Bulk jobs: previews, confirmed numbers, and jobs that are interrupted, cancelled, repeated and run twice at once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::Timestamp;
use domain::bulk::{Forecast, Summary};
use domain::contact::Contact;
use domain::decision::{Command, Refusal};
use domain::filter::{Condition, Filter};
use domain::ids::{AccountId, ContactId, JobId};
use domain::marketing::EffectiveState;
use domain::patch::Patch;
use domain::source::SourceType;
use futures_util::future::join;
use store::{
    BulkJob, BulkProgress, BulkRequest, ContactRef, JobState, Preview, Refused, Responder, Review, Search,
    Selected, Selection, Store, StoreError, Target, UpdateAccount, UpdateContact,
};
use testkit::{Conflicts, TestTable, at, property};

use super::forms::{form, native, submit};
use super::{
    START, Told, UPDATE, assert_exact, by_hand, claim, create, delete, marketing_contacts, read, set, user,
};

const SET: Command = Command::SetMarketing;
const QUEUE: Command = Command::SetNonMarketingPending;

/// An instant after the contacts were created.
const LATER: &str = "2026-11-10T12:01:00.000Z";

/// Returns a filter with one condition.
pub fn filter(name: &str, operator: &str, value: &str) -> Filter {
    let condition = Condition::new(name, operator, Some(value), None, None).unwrap();
    Filter::new(vec![vec![condition]]).unwrap()
}

/// Returns a selection of all contacts.
pub fn all() -> Selection {
    Selection::Filter(Filter::default())
}

/// Returns a request for the contacts of a selection, without exceptions.
pub fn request(
    account: AccountId,
    command: Command,
    by: Selection,
    confirm_count: Option<u64>,
) -> BulkRequest {
    let target = Target::Selected(Selected { by, except: BTreeSet::new() });
    BulkRequest { account, command, target, confirm_count, actor: user() }
}

/// Returns the forecast of a request.
pub async fn forecast(store: &Store, request: &BulkRequest, now: Timestamp) -> Forecast {
    let told = Told::new();
    store.preview(request, now, || true, Responder::new(None, &told.render())).await.unwrap();
    match told.take() {
        Preview::Complete { forecast, .. } => *forecast,
        Preview::Continues(job) => panic!("the count continues as {}", job.id),
    }
}

/// Creates a job.
pub async fn begin(store: &Store, request: &BulkRequest, now: Timestamp) -> Result<BulkJob, StoreError> {
    let told = Told::new();
    store.create_bulk_job(request, now, || true, Responder::new(None, &told.render())).await?;
    Ok(told.take())
}

/// Works on the account's jobs until all are finished.
pub async fn finish(store: &Store, account: AccountId, now: Timestamp) -> BulkProgress {
    let progress = store.work_on_bulk_jobs(account, || now, || true).await.unwrap();
    assert!(progress.finished);
    progress
}

/// Creates a job, works on it and returns it.
pub async fn run(store: &Store, request: &BulkRequest, now: Timestamp) -> BulkJob {
    let job = begin(store, request, now).await.unwrap();
    finish(store, request.account, now).await;
    store.bulk_job(request.account, job.id).await.unwrap()
}

/// Returns a request with exceptions.
fn without(request: BulkRequest, ids: &[ContactId]) -> BulkRequest {
    let Target::Selected(selected) = request.target else { panic!("no selection") };
    let except = ids.iter().copied().collect();
    BulkRequest { target: Target::Selected(Selected { except, ..selected }), ..request }
}

/// Returns a function that returns true for this number of calls.
fn true_for(times: u64) -> impl Fn() -> bool + Send + Sync {
    let calls = AtomicU64::new(0);
    move || calls.fetch_add(1, Ordering::Relaxed) < times
}

async fn contacts(store: &Store, account: AccountId, now: Timestamp) -> Vec<Contact> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let search = Search { account, filter: None, after, limit: 1_000 };
        let page = store.search(search, now).await.unwrap();
        found.extend(page.contacts);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

async fn states(store: &Store, account: AccountId, now: Timestamp) -> Vec<EffectiveState> {
    contacts(store, account, now).await.iter().map(Contact::state).collect()
}

async fn change_property(store: &Store, account: AccountId, contact: ContactId, name: &str, value: &str) {
    let change = UpdateContact {
        account,
        contact,
        email: Patch::Keep,
        properties: &[property(name, value)],
        unsubscribed: None,
        bounced: None,
        status: None,
        if_match: None,
        source: by_hand(),
        actor: user(),
    };
    let told = Told::new();
    store.update_contact(&change, at(LATER), Responder::new(None, &told.render())).await.unwrap();
}

pub async fn set_cap(store: &Store, account: AccountId, cap: u64) {
    let change = UpdateAccount { cap: Patch::Set(cap), ..UpdateAccount::default() };
    let told = Told::new();
    store.update_account(account, &change, at(START), Responder::new(None, &told.render())).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn job_sets_all_matching_contacts_and_counts_them() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 1_000, EffectiveState::NonMarketing, at(START)).await;
    let request = request(account, SET, all(), Some(1_000));
    let expected = forecast(&table.store, &request, at(LATER)).await;
    assert_eq!((expected.matched, expected.would.set, expected.usage_after), (1_000, 1_000, 1_000));
    assert_eq!(expected.unengaged, Some(0));
    let job = run(&table.store, &request, at(LATER)).await;
    assert_eq!((job.state, job.matched, job.done()), (JobState::Done, Some(1_000), 1_000));
    assert_eq!(job.summary, Summary { set: 1_000, ..Summary::default() });
    assert!((job.progress - 1.0).abs() < f64::EPSILON);
    assert_eq!(table.store.usage(account, at(LATER)).await.unwrap().marketing, 1_000);
    assert_exact(&table, account, at(LATER)).await;
    let changed = &contacts(&table.store, account, at(LATER)).await[7];
    let source = &changed.marketing.source;
    assert_eq!((source.kind, &source.id), (SourceType::BulkJob, &Some(job.id.to_string())));
}

#[tokio::test(start_paused = true)]
async fn job_writes_at_most_2_1_units_for_each_contact() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 980, EffectiveState::NonMarketing, at(START)).await;
    begin(&table.store, &request(account, SET, all(), Some(980)), at(LATER)).await.unwrap();
    table.recorder.reset();
    finish(&table.store, account, at(LATER)).await;
    let (units, calls) = (table.recorder.units(), table.recorder.calls());
    // Ten full transactions, and one that finishes the job. Each contact has at most 1 KB.
    assert_eq!(calls["TransactWriteItems"], 11);
    assert!(units.write <= 2.1 * 980.0, "{} write units", units.write);
}

#[tokio::test(start_paused = true)]
async fn preview_reads_each_contact_once_and_writes_nothing() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 2_000, EffectiveState::Marketing, at(START)).await;
    table.recorder.reset();
    let request = request(account, QUEUE, all(), None);
    let forecast = forecast(&table.store, &request, at(LATER)).await;
    assert_eq!((forecast.would.queued, forecast.usage_after, forecast.after_next_update), (2_000, 2_000, 0));
    let (units, calls) = (table.recorder.units(), table.recorder.calls());
    assert_eq!(calls["Query"], 16, "one page for each bucket");
    // About 300 bytes for each contact, and 4 KB for each read unit.
    assert!(units.write == 0.0 && units.read < 2_000.0 * 0.1 + 20.0, "{units:?}");
}

#[tokio::test(start_paused = true)]
async fn changed_count_is_refused_with_the_number_now() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    marketing_contacts(&table.store, account, 3, at(START)).await;
    create(&table.store, account, "ada@example.org", false, at(START)).await;
    let request = request(account, SET, all(), Some(3));
    let refused = begin(&table.store, &request, at(LATER)).await.unwrap_err();
    let StoreError::Refused(Refused::CountChanged { confirmed, matched, would_change }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((confirmed, matched, would_change), (3, 4, 1));
    assert!(table.store.bulk_jobs(account, None, 10).await.unwrap().items.is_empty());
    assert_eq!(table.store.usage(account, at(LATER)).await.unwrap().marketing, 3);
}

#[tokio::test(start_paused = true)]
async fn job_without_contacts_is_done_at_once() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let nobody = Selection::Filter(filter("city", "EQ", "Delft"));
    let job = run(&table.store, &request(account, SET, nobody, Some(0)), at(LATER)).await;
    assert_eq!((job.state, job.matched, job.done()), (JobState::Done, Some(0), 0));
}

#[tokio::test(start_paused = true)]
async fn exceptions_are_neither_counted_nor_changed() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = testkit::seed(&table, account, 20, EffectiveState::NonMarketing, at(START)).await;
    let nobody: ContactId = "7777".parse().unwrap();
    let request = without(request(account, SET, all(), Some(17)), &[ids[0], ids[7], ids[19], nobody]);
    assert_eq!(forecast(&table.store, &request, at(LATER)).await.matched, 17);
    let job = run(&table.store, &request, at(LATER)).await;
    assert_eq!((job.state, job.summary.set), (JobState::Done, 17));
    for spared in [ids[0], ids[7], ids[19]] {
        let (contact, _) = read(&table.store, account, spared, at(LATER)).await.unwrap();
        assert_eq!(contact.state(), EffectiveState::NonMarketing);
    }
}

#[tokio::test(start_paused = true)]
async fn named_contacts_need_no_confirmed_number() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ada = create(&table.store, account, "ada@example.org", false, at(START)).await;
    create(&table.store, account, "bob@example.org", false, at(START)).await;
    let named = Selection::Contacts(vec![
        ContactRef::Id(ada.id),
        ContactRef::Email(testkit::email("ADA@example.org")),
        ContactRef::Id("7777".parse().unwrap()),
        ContactRef::Unknown,
    ]);
    table.recorder.reset();
    let job = run(&table.store, &request(account, SET, named, None), at(LATER)).await;
    assert_eq!((job.matched, job.summary.set, job.done()), (Some(1), 1, 1));
    assert_eq!(table.recorder.calls().get("Query"), None, "no bucket is read");
    assert_exact(&table, account, at(LATER)).await;
}

#[tokio::test(start_paused = true)]
async fn cap_refuses_the_last_contacts_and_the_job_is_done() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 500, EffectiveState::NonMarketing, at(START)).await;
    set_cap(&table.store, account, 123).await;
    let request = request(account, SET, all(), Some(500));
    let expected = forecast(&table.store, &request, at(LATER)).await;
    let job = run(&table.store, &request, at(LATER)).await;
    let summary = Summary { set: 123, refused: [(Refusal::CapReached, 377)].into(), ..Summary::default() };
    assert_eq!((job.state, &job.summary, &expected.would), (JobState::Done, &summary, &summary));
    assert_eq!(expected.usage_after, 123);
    let states = states(&table.store, account, at(LATER)).await;
    assert!(states[..123].iter().all(|state| *state == EffectiveState::Marketing), "the oldest are set");
    assert_exact(&table, account, at(LATER)).await;
}

#[tokio::test(start_paused = true)]
async fn interrupted_job_continues_where_it_stopped() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 700, EffectiveState::NonMarketing, at(START)).await;
    let job = begin(&table.store, &request(account, SET, all(), Some(700)), at(LATER)).await.unwrap();
    let (mut runs, mut before) = (0, 0);
    loop {
        let progress = table.store.work_on_bulk_jobs(account, || at(LATER), true_for(3)).await.unwrap();
        let now = table.store.bulk_job(account, job.id).await.unwrap();
        assert!(now.done() >= before && now.done() <= 700 && now.done() == now.summary.set);
        assert!((now.progress < 1.0) == (now.state != JobState::Done));
        assert_exact(&table, account, at(LATER)).await;
        before = now.done();
        runs += 1;
        if progress.finished {
            break;
        }
    }
    let job = table.store.bulk_job(account, job.id).await.unwrap();
    assert!(runs > 2 && job.state == JobState::Done && job.summary.set == 700, "{runs} {job:?}");
}

/// Runs a worker for at most this time, and drops it wherever it is.
async fn killed_after(store: &Store, account: AccountId, time: Duration) {
    let work = store.work_on_bulk_jobs(account, || at(LATER), || true);
    let _ = tokio::time::timeout(time, work).await;
}

#[tokio::test(start_paused = true)]
async fn killed_workers_and_repeated_messages_lose_no_contact() {
    let table = TestTable::with_faults(&Conflicts::new(Duration::from_millis(5))).await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 900, EffectiveState::NonMarketing, at(START)).await;
    let job = begin(&table.store, &request(account, SET, all(), Some(900)), at(LATER)).await.unwrap();
    for millis in [1, 3, 5, 6, 8, 11, 13, 17, 19, 23] {
        let one = killed_after(&table.store, account, Duration::from_millis(millis));
        let other = killed_after(&table.store, account, Duration::from_millis(millis + 2));
        join(one, other).await;
        let now = table.store.bulk_job(account, job.id).await.unwrap();
        assert!(now.done() <= 900, "{} done", now.done());
    }
    finish(&table.store, account, at(LATER)).await;
    let job = table.store.bulk_job(account, job.id).await.unwrap();
    assert_eq!((job.state, job.summary.set, job.done()), (JobState::Done, 900, 900));
    assert_exact(&table, account, at(LATER)).await;
}

#[tokio::test(start_paused = true)]
async fn cancelled_job_stops_within_one_transaction() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 500, EffectiveState::NonMarketing, at(START)).await;
    let job = begin(&table.store, &request(account, SET, all(), Some(500)), at(LATER)).await.unwrap();
    table.store.work_on_bulk_jobs(account, || at(LATER), true_for(3)).await.unwrap();
    let told = Told::new();
    let render = told.render();
    let cancel = table.store.cancel_bulk_job(account, job.id, at(LATER), Responder::new(None, &render));
    cancel.await.unwrap();
    let cancelled: BulkJob = told.take();
    assert!(cancelled.state == JobState::Cancelled && cancelled.done() > 0 && cancelled.done() < 500);
    finish(&table.store, account, at(LATER)).await;
    let now = table.store.bulk_job(account, job.id).await.unwrap();
    assert_eq!((now.state, now.done()), (JobState::Cancelled, cancelled.done()));
    assert_eq!(table.store.usage(account, at(LATER)).await.unwrap().marketing, cancelled.done());
    // A finished job stays as it is.
    let told = Told::new();
    let render = told.render();
    let cancel = table.store.cancel_bulk_job(account, job.id, at(UPDATE), Responder::new(None, &render));
    cancel.await.unwrap();
    assert_eq!(told.take().finished_at, cancelled.finished_at);
}

#[tokio::test(start_paused = true)]
async fn jobs_of_an_account_run_in_the_order_of_their_requests() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 300, EffectiveState::NonMarketing, at(START)).await;
    let set = begin(&table.store, &request(account, SET, all(), Some(300)), at(LATER)).await.unwrap();
    let queue = begin(&table.store, &request(account, QUEUE, all(), Some(300)), at(LATER)).await.unwrap();
    let again = begin(&table.store, &request(account, QUEUE, all(), Some(300)), at(LATER)).await.unwrap();
    // Two workers at once make no difference.
    let worker = || table.store.work_on_bulk_jobs(account, || at(LATER), || true);
    let (one, other) = join(worker(), worker()).await;
    assert!(one.unwrap().finished && other.unwrap().finished);
    finish(&table.store, account, at(LATER)).await;
    let done = async |id: JobId| table.store.bulk_job(account, id).await.unwrap().summary;
    assert_eq!(done(set.id).await, Summary { set: 300, ..Summary::default() });
    assert_eq!(done(queue.id).await, Summary { queued: 300, ..Summary::default() });
    assert_eq!(done(again.id).await, Summary { unchanged: 300, ..Summary::default() });
    assert_eq!(table.store.usage(account, at(LATER)).await.unwrap().leaving, 300);
    let listed = table.store.bulk_jobs(account, None, 2).await.unwrap();
    assert_eq!((listed.items.len(), listed.more), (2, true));
}

#[tokio::test(start_paused = true)]
async fn repeated_request_creates_one_job() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 5, EffectiveState::NonMarketing, at(START)).await;
    let request = request(account, SET, all(), Some(5));
    let claim = claim(account, "key", 1, at(LATER));
    for _ in 0..2 {
        let told = Told::<BulkJob>::new();
        let render = told.render();
        let responder = Responder::new(Some(&claim), &render);
        table.store.create_bulk_job(&request, at(LATER), || true, responder).await.unwrap();
        finish(&table.store, account, at(LATER)).await;
        create(&table.store, account, "ada@example.org", false, at(LATER)).await;
        delete(
            &table.store,
            account,
            contacts(&table.store, account, at(LATER)).await.last().unwrap().id,
            true,
            at(LATER),
        )
        .await
        .unwrap();
    }
    assert_eq!(table.store.bulk_jobs(account, None, 10).await.unwrap().items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn contact_is_judged_when_the_job_reads_it() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = testkit::seed(&table, account, 10, EffectiveState::NonMarketing, at(START)).await;
    for id in &ids {
        change_property(&table.store, account, *id, "city", "Delft").await;
    }
    let delft = Selection::Filter(filter("city", "EQ", "Delft"));
    let job = begin(&table.store, &request(account, SET, delft, Some(10)), at(LATER)).await.unwrap();
    change_property(&table.store, account, ids[3], "city", "Gouda").await;
    let later = at("2026-11-10T12:02:00.000Z");
    let new = create(&table.store, account, "new@example.org", false, later).await;
    change_property(&table.store, account, new.id, "city", "Delft").await;
    finish(&table.store, account, later).await;
    let job = table.store.bulk_job(account, job.id).await.unwrap();
    assert_eq!((job.state, job.matched, job.done(), job.summary.set), (JobState::Done, Some(10), 9, 9));
    for id in [ids[3], new.id] {
        let (contact, _) = read(&table.store, account, id, later).await.unwrap();
        assert_eq!(contact.state(), EffectiveState::NonMarketing);
    }
}

#[tokio::test(start_paused = true)]
async fn undo_queues_what_the_job_set_and_nobody_else_touched() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = testkit::seed(&table, account, 50, EffectiveState::NonMarketing, at(START)).await;
    set(&table.store, account, SET, &ids[..10], at(START)).await.unwrap();
    let job = run(&table.store, &request(account, SET, all(), Some(50)), at(LATER)).await;
    assert_eq!((job.summary.set, job.summary.unchanged), (40, 10));
    set(&table.store, account, QUEUE, &ids[10..13], at(LATER)).await.unwrap();
    set(&table.store, account, SET, &ids[10..11], at(LATER)).await.unwrap();
    let undo = request(account, QUEUE, Selection::Job(job.id), Some(37));
    let undone = run(&table.store, &undo, at(LATER)).await;
    assert_eq!((undone.state, undone.summary.queued, undone.done()), (JobState::Done, 37, 37));
    assert_eq!(undone.next_update_at, Some(at(UPDATE)));
    // After the update date they have left, and the undo of the undo sets them again.
    let redo = request(account, SET, Selection::Job(undone.id), Some(37));
    let after = at("2026-12-01T10:00:00.000Z");
    let expected = forecast(&table.store, &redo, after).await;
    assert_eq!((expected.would.set, expected.usage_before, expected.usage_after), (37, 11, 48));
    let redone = run(&table.store, &redo, after).await;
    assert_eq!(redone.summary.set, 37);
    assert_exact(&table, account, after).await;
}

#[tokio::test(start_paused = true)]
async fn update_date_within_a_job_is_met() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 600, EffectiveState::Marketing, at(START)).await;
    let job = begin(&table.store, &request(account, QUEUE, all(), Some(600)), at(LATER)).await.unwrap();
    table.store.work_on_bulk_jobs(account, || at(LATER), true_for(3)).await.unwrap();
    let before = table.store.bulk_job(account, job.id).await.unwrap();
    assert!(before.done() > 0 && before.done() < 600);
    finish(&table.store, account, at(UPDATE)).await;
    let job = table.store.bulk_job(account, job.id).await.unwrap();
    assert_eq!((job.state, job.done(), job.summary.queued), (JobState::Done, 600, 600));
    let period = table.store.usage(account, at(UPDATE)).await.unwrap();
    let left = before.done();
    assert_eq!((period.number.number(), period.marketing, period.leaving), (2, 600 - left, 600 - left));
    assert_exact(&table, account, at(UPDATE)).await;
}

#[tokio::test(start_paused = true)]
async fn long_count_continues_as_a_job_with_the_same_numbers() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 450, EffectiveState::NonMarketing, at(START)).await;
    let request = request(account, SET, all(), Some(450));
    let expected = forecast(&table.store, &request, at(LATER)).await;
    let told = Told::new();
    let render = told.render();
    let preview = table.store.preview(&request, at(LATER), || false, Responder::new(None, &render));
    preview.await.unwrap();
    let Preview::Continues(job) = told.take() else { panic!("the count is complete") };
    finish(&table.store, account, at(LATER)).await;
    let job = table.store.bulk_job(account, job.id).await.unwrap();
    assert_eq!((job.state, job.matched), (JobState::Done, Some(450)));
    assert_eq!(job.forecast.unwrap().0, expected);
    assert_eq!(
        table.store.usage(account, at(LATER)).await.unwrap().marketing,
        0,
        "a preview changes nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn job_that_counts_first_ends_when_the_count_changed() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, 250, EffectiveState::NonMarketing, at(START)).await;
    for (confirmed, state, set) in [(249, JobState::CountChanged, 0), (250, JobState::Done, 250)] {
        let told = Told::new();
        let render = told.render();
        let request = request(account, SET, all(), Some(confirmed));
        let responder = Responder::new(None, &render);
        table.store.create_bulk_job(&request, at(LATER), || false, responder).await.unwrap();
        let job: BulkJob = told.take();
        assert_eq!((job.state, job.matched), (JobState::Waiting, None));
        finish(&table.store, account, at(LATER)).await;
        let job = table.store.bulk_job(account, job.id).await.unwrap();
        assert_eq!((job.state, job.matched, job.summary.set), (state, Some(250), set));
        assert_eq!(table.store.usage(account, at(LATER)).await.unwrap().marketing, set);
    }
}

#[tokio::test(start_paused = true)]
async fn review_counts_and_queues_unengaged_marketing_contacts() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 6, at(START)).await;
    create(&table.store, account, "free@example.org", false, at(START)).await;
    let flag = async |contact, unsubscribed, bounced| {
        let change = UpdateContact {
            account,
            contact,
            email: Patch::Keep,
            properties: &[],
            unsubscribed,
            bounced,
            status: None,
            if_match: None,
            source: by_hand(),
            actor: user(),
        };
        let told = Told::new();
        let render = told.render();
        table.store.update_contact(&change, at(START), Responder::new(None, &render)).await.unwrap();
    };
    flag(ids[0], Some(true), None).await;
    flag(ids[1], None, Some(true)).await;
    flag(ids[2], Some(true), Some(true)).await;
    set(&table.store, account, QUEUE, &ids[2..3], at(START)).await.unwrap();
    let selected =
        Selected { by: Selection::Contacts(vec![ContactRef::Id(ids[5])]), except: BTreeSet::new() };
    let review = Review { unsubscribed: true, bounced: true, selected: Some(selected) };
    let target = Target::Review(review);
    let request = BulkRequest { account, command: QUEUE, target, confirm_count: Some(3), actor: user() };
    let told = Told::new();
    let render = told.render();
    table.store.preview(&request, at(LATER), || true, Responder::new(None, &render)).await.unwrap();
    let Preview::Complete { forecast, tally, .. } = told.take() else { panic!("the count continues") };
    assert_eq!((forecast.matched, forecast.would.queued, forecast.after_next_update), (3, 3, 2));
    assert_eq!((tally.unsubscribed, tally.bounced, tally.existing.non_marketing), (1, 1, 1));
    let job = run(&table.store, &request, at(LATER)).await;
    assert_eq!((job.state, job.summary.queued), (JobState::Done, 3));
    assert_exact(&table, account, at(LATER)).await;
}

#[tokio::test(start_paused = true)]
async fn single_change_during_a_job_is_taken_and_met() {
    let table = TestTable::with_faults(&Conflicts::new(Duration::from_millis(5))).await;
    let account = table.account(at(START)).await;
    let ids = testkit::seed(&table, account, 1_500, EffectiveState::NonMarketing, at(START)).await;
    let job = begin(&table.store, &request(account, SET, all(), Some(1_500)), at(LATER)).await.unwrap();
    let changes = async {
        for id in ids.iter().step_by(50) {
            set(&table.store, account, QUEUE, &[*id], at(LATER)).await.unwrap();
            set(&table.store, account, SET, &[*id], at(LATER)).await.unwrap();
        }
    };
    join(finish(&table.store, account, at(LATER)), changes).await;
    let job = table.store.bulk_job(account, job.id).await.unwrap();
    assert_eq!((job.state, job.done()), (JobState::Done, 1_500));
    assert_eq!(table.store.usage(account, at(LATER)).await.unwrap().marketing, 1_500);
    assert_exact(&table, account, at(LATER)).await;
}

#[tokio::test(start_paused = true)]
async fn refused_contacts_are_counted_among_conflicts() {
    let table = TestTable::with_faults(&Conflicts::new(Duration::from_millis(5))).await;
    let (store, account) = (&table.store, table.account(at(START)).await);
    let ids = testkit::seed(&table, account, 600, EffectiveState::NonMarketing, at(START)).await;
    let marketing: Vec<ContactId> = ids.iter().copied().step_by(3).collect();
    for chunk in marketing.chunks(98) {
        set(store, account, SET, chunk, at(START)).await.unwrap();
    }
    set_cap(store, account, 200).await;
    let job = begin(store, &request(account, SET, all(), Some(600)), at(LATER)).await.unwrap();
    // The last contact is queued and kept all the time, so the transactions of the job meet others.
    let finished = std::sync::atomic::AtomicBool::new(false);
    let changes = async {
        while !finished.load(Ordering::Relaxed) {
            for command in [QUEUE, SET] {
                set(store, account, command, &marketing[199..], at(LATER)).await.unwrap();
            }
        }
    };
    let work = async {
        finish(store, account, at(LATER)).await;
        finished.store(true, Ordering::Relaxed);
    };
    join(work, changes).await;
    let job = store.bulk_job(account, job.id).await.unwrap();
    assert_eq!((job.state, job.done(), job.summary.refused()), (JobState::Done, 600, 400));
    assert_exact(&table, account, at(LATER)).await;
}

#[tokio::test(start_paused = true)]
async fn unreadable_job_does_not_stop_the_following_ones() {
    let table = TestTable::start().await;
    let (store, account) = (&table.store, table.account(at(START)).await);
    testkit::seed(&table, account, 5, EffectiveState::NonMarketing, at(START)).await;
    let mut jobs = Vec::new();
    for _ in 0..3 {
        jobs.push(begin(store, &request(account, SET, all(), Some(5)), at(LATER)).await.unwrap().id);
    }
    // The first job is lost, and the definition of the second one is.
    for (pk, sk) in [
        (format!("ACCOUNT#{account}"), format!("JOB#{}", jobs[0])),
        (format!("JOB#{account}#{}", jobs[1]), "DEFINITION".to_owned()),
    ] {
        let delete = table.client.delete_item().table_name(testkit::TABLE);
        let text = aws_sdk_dynamodb::types::AttributeValue::S;
        delete.key("pk", text(pk)).key("sk", text(sk)).send().await.unwrap();
    }
    let worked = store.work_on_bulk_jobs(account, || at(LATER), || true).await;
    assert!(matches!(worked, Err(StoreError::Fault(..))), "{worked:?}");
    assert_eq!(store.bulk_job(account, jobs[1]).await.unwrap().state, JobState::Failed);
    let last = store.bulk_job(account, jobs[2]).await.unwrap();
    assert_eq!((last.state, last.summary.set), (JobState::Done, 5));
    finish(store, account, at(LATER)).await;
}

/// Returns the number of contacts of the tests with many contacts: `CONTACTS` from the environment, or 2,000.
fn many() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the variable lets a developer choose the number")]
    let contacts = std::env::var("CONTACTS");
    contacts.map_or(2_000, |contacts| contacts.parse().expect("a number in CONTACTS"))
}

/// Kills workers of the job after random times, with doubled messages, until one of them has finished it.
async fn finish_among_killed_workers(
    store: &Store,
    account: AccountId,
    now: impl Fn() -> Timestamp + Sync + Send,
) {
    let mut rng = testkit::SeededRng::of(&[1]);
    loop {
        let lives = [rng.between(1, 400), rng.between(1, 400)].map(Duration::from_millis);
        let [one, other] =
            lives.map(|life| tokio::time::timeout(life, store.work_on_bulk_jobs(account, &now, || true)));
        let (one, other) = join(one, other).await;
        let finished = |run: Result<Result<BulkProgress, StoreError>, _>| {
            run.is_ok_and(|run| run.is_ok_and(|progress| progress.finished))
        };
        // A worker that meets another one also ends.
        if finished(one)
            && finished(other)
            && store.bulk_jobs(account, None, 1).await.unwrap().items[0].state.is_finished()
        {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn many_contacts_are_set_among_killed_workers() {
    let table = TestTable::with_faults(&Conflicts::new(Duration::from_millis(5))).await;
    let account = table.account(at(START)).await;
    testkit::seed(&table, account, many(), EffectiveState::NonMarketing, at(START)).await;
    let job = begin(&table.store, &request(account, SET, all(), Some(many())), at(LATER)).await.unwrap();
    finish_among_killed_workers(&table.store, account, || at(LATER)).await;
    let job = table.store.bulk_job(account, job.id).await.unwrap();
    assert_eq!((job.state, job.summary.set, job.done()), (JobState::Done, many(), many()));
    assert_eq!(table.store.usage(account, at(LATER)).await.unwrap().marketing, many());
    assert_exact(&table, account, at(LATER)).await;
}

#[tokio::test(start_paused = true)]
async fn many_contacts_are_queued_among_changes_and_an_update_date() {
    let table = TestTable::with_faults(&Conflicts::new(Duration::from_millis(5))).await;
    let (store, account) = (&table.store, table.account(at(START)).await);
    let ids = testkit::seed(&table, account, many(), EffectiveState::Marketing, at(START)).await;
    let letter = form(store, account, &native()).await;
    let job = begin(store, &request(account, QUEUE, all(), Some(many())), at(LATER)).await.unwrap();
    let ticks = AtomicU64::new(0);
    // The update date passes in the middle of the changes.
    let middle = many() / 40;
    let now = || {
        if ticks.load(Ordering::Relaxed) < middle {
            at("2026-11-10T12:02:00.000Z")
        } else {
            at("2026-12-01T00:00:01.000Z")
        }
    };
    let changes = async {
        for (n, id) in ids.iter().step_by(20).enumerate() {
            let command = if n % 2 == 0 { SET } else { QUEUE };
            set(store, account, command, &[*id], now()).await.unwrap();
            submit(store, &letter, None, &format!("f{n}@example.org"), now()).await;
            ticks.fetch_add(1, Ordering::Relaxed);
        }
    };
    join(finish_among_killed_workers(store, account, now), changes).await;
    let job = store.bulk_job(account, job.id).await.unwrap();
    assert_eq!((job.state, job.done()), (JobState::Done, many()));
    let end = at("2026-12-01T00:00:01.000Z");
    assert_eq!(store.usage(account, end).await.unwrap().number.number(), 2);
    assert_exact(&table, account, end).await;
}
