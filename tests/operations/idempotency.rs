//! Idempotency keys: a repeated request is applied once and gets the first response.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use domain::decision::{Command, Outcome};
use domain::ids::{AccountId, ContactId};
use store::{
    ContactRef, IdempotencyClaim, Refused, Responder, Saved, StatusReport, StoreError, StoredResponse,
};
use testkit::{Conflicts, Fault, TestTable, at};

use super::{START, Told, assert_exact, claim, create, marketing_contacts, saving, set, set_status};

/// Renders a response that contains every outcome of the report.
fn render(report: &StatusReport) -> StoredResponse {
    let outcomes: Vec<String> = report.results.iter().map(|result| format!("{:?}", result.outcome)).collect();
    StoredResponse { status: 200, body: outcomes.join(" "), etag: None, location: None }
}

async fn send(
    table: &TestTable,
    account: AccountId,
    command: Command,
    ids: &[ContactId],
    claim: &IdempotencyClaim,
    now: domain::Timestamp,
) -> Result<String, StoreError> {
    let contacts: Vec<ContactRef> = ids.iter().copied().map(ContactRef::Id).collect();
    let responder = Responder::new(Some(claim), &render);
    set_status(&table.store, account, command, &contacts, now, responder).await.map(|answer| answer.body)
}

/// The number of transactions before an outage, for a table without an outage.
const NO_OUTAGE: i32 = i32::MAX;

/// Starts a table that becomes unavailable. Returns it with the number of transactions that succeed before that.
async fn table_with_outage() -> (TestTable, Arc<AtomicI32>) {
    let before_outage = Arc::new(AtomicI32::new(NO_OUTAGE));
    let left = Arc::clone(&before_outage);
    let faults = Conflicts::with_plan(Duration::ZERO, move |operation, _| {
        let met = operation == "TransactWriteItems" && left.fetch_sub(1, Ordering::SeqCst) <= 0;
        met.then_some(Fault::Unavailable)
    });
    (TestTable::with_faults(&faults).await, before_outage)
}

#[tokio::test(start_paused = true)]
async fn repeat_returns_the_first_response_after_later_changes() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", false, at(START)).await;
    let claim = claim(account, "k", 1, at(START));
    let first = send(&table, account, Command::SetMarketing, &[contact.id], &claim, at(START)).await.unwrap();
    assert_eq!(first, "Done(Set)");
    set(&table.store, account, Command::SetNonMarketingPending, &[contact.id], at(START)).await.unwrap();
    let again = send(&table, account, Command::SetMarketing, &[contact.id], &claim, at(START)).await.unwrap();
    assert_eq!(again, "Done(Set)");
    assert_eq!(
        table.store.usage(account, at(START)).await.unwrap().leaving,
        1,
        "the repeat must not keep the contact"
    );
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn response_without_changes_is_stored_too() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    let claim = claim(account, "k", 1, at(START));
    let first = send(&table, account, Command::SetMarketing, &[contact.id], &claim, at(START)).await.unwrap();
    assert_eq!(first, "Done(Unchanged)");
    set(&table.store, account, Command::SetNonMarketingPending, &[contact.id], at(START)).await.unwrap();
    let again = send(&table, account, Command::SetMarketing, &[contact.id], &claim, at(START)).await.unwrap();
    assert_eq!(again, "Done(Unchanged)");
    assert_eq!(table.store.usage(account, at(START)).await.unwrap().leaving, 1);
}

#[tokio::test(start_paused = true)]
async fn key_of_another_request_is_refused_for_a_day() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", false, at(START)).await;
    let ids = [contact.id];
    let first = claim(account, "k", 1, at(START));
    send(&table, account, Command::SetMarketing, &ids, &first, at(START)).await.unwrap();
    let other = claim(account, "k", 2, at(START));
    let refused = send(&table, account, Command::SetNonMarketingPending, &ids, &other, at(START)).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::IdempotencyKeyReused))));
    let a_day_later = at("2026-11-11T12:00:00.000Z");
    let other = claim(account, "k", 2, a_day_later);
    let answer = send(&table, account, Command::SetNonMarketingPending, &ids, &other, a_day_later).await;
    assert_eq!(answer.unwrap(), "Done(Queued)", "the key has expired, even if the item is still stored");
}

#[tokio::test(start_paused = true)]
async fn interrupted_long_request_resumes_and_reports_all_contacts() {
    // The request takes three transactions. The table is unavailable from the second one on.
    let (table, before_outage) = table_with_outage().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 250, at(START)).await;
    let claim = claim(account, "long", 1, at(START));

    before_outage.store(1, Ordering::SeqCst);
    let cut = send(&table, account, Command::SetNonMarketingPending, &ids, &claim, at(START)).await;
    assert!(matches!(cut, Err(StoreError::Unavailable(..))));
    assert_eq!(table.store.usage(account, at(START)).await.unwrap().leaving, 98);
    before_outage.store(NO_OUTAGE, Ordering::SeqCst);
    let answer =
        send(&table, account, Command::SetNonMarketingPending, &ids, &claim, at(START)).await.unwrap();
    assert_eq!(
        answer,
        vec!["Done(Queued)"; 250].join(" "),
        "this request queued every contact, so none is `unchanged`"
    );
    assert_eq!(table.store.usage(account, at(START)).await.unwrap().leaving, 250);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn interrupted_request_with_large_contacts_reports_all() {
    // Sixty contacts of 60 kB exceed one transaction. Later they shrink, so that one transaction would suffice.
    let (table, before_outage) = table_with_outage().await;
    let account = table.account(at(START)).await;
    let mut ids = Vec::new();
    for n in 0..60 {
        ids.push(with_notes(&table, account, n, 60_000).await);
    }
    let claim = claim(account, "large", 1, at(START));
    before_outage.store(1, Ordering::SeqCst);
    assert!(send(&table, account, Command::SetMarketing, &ids, &claim, at(START)).await.is_err());
    let done = table.store.usage(account, at(START)).await.unwrap().marketing;
    assert!((40..60).contains(&done), "{done}");
    before_outage.store(NO_OUTAGE, Ordering::SeqCst);
    for n in 0..60 {
        with_notes(&table, account, n, 30_000).await;
    }
    let answer = send(&table, account, Command::SetMarketing, &ids, &claim, at(START)).await.unwrap();
    assert_eq!(answer, vec!["Done(Set)"; 60].join(" "), "this request set every contact");
    assert_exact(&table, account, at(START)).await;
}

/// Creates or updates the n-th contact with notes of this many bytes, and returns its id.
async fn with_notes(table: &TestTable, account: AccountId, n: usize, bytes: usize) -> ContactId {
    let email = testkit::email(&format!("person{n}@example.org"));
    let properties = [testkit::property("notes", &"n".repeat(bytes))];
    let request = saving(account, Some(&email), &properties);
    let told = Told::new();
    table.store.upsert_contact(&request, at(START), Responder::new(None, &told.render())).await.unwrap();
    let saved: Saved = told.take();
    saved.contact.id
}

#[tokio::test(start_paused = true)]
async fn contact_listed_twice_is_unchanged_the_second_time() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let a = create(&table.store, account, "a@example.org", false, at(START)).await.id;
    let b = create(&table.store, account, "b@example.org", false, at(START)).await.id;
    let report = set(&table.store, account, Command::SetMarketing, &[a, b, a], at(START)).await.unwrap();
    let expected = [Outcome::Set, Outcome::Set, Outcome::Unchanged].map(super::done);
    assert_eq!(super::outcomes(&report), expected);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn dry_run_predicts_the_result_and_changes_nothing() {
    let table = TestTable::start().await;
    let terms = domain::period::Terms { cap: Some(120), ..testkit::terms() };
    let account = table.account_with(terms, at(START)).await;
    let mut contacts = Vec::new();
    for n in 0..130 {
        let made = create(&table.store, account, &format!("p{n}@example.org"), false, at(START)).await;
        contacts.push(ContactRef::Id(made.id));
    }
    let mut answers = Vec::new();
    for dry_run in [true, false] {
        let request = store::StatusRequest {
            account,
            command: Command::SetMarketing,
            contacts: &contacts,
            dry_run,
            source: super::by_hand(),
            actor: super::user(),
        };
        let told = super::Told::new();
        let render = told.render();
        let responder = Responder::new(None, &render);
        table.store.set_status(&request, at(START), responder).await.unwrap();
        let report = told.take();
        answers.push((super::outcomes(&report), report.period.marketing));
        let usage = table.store.usage(account, at(START)).await.unwrap().marketing;
        assert_eq!(usage, if dry_run { 0 } else { 120 });
    }
    assert_eq!(answers[0], answers[1]);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn repeat_with_erased_contacts_reports_the_earlier_changes() {
    let (table, before_outage) = table_with_outage().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 100, at(START)).await;
    let contacts: Vec<ContactRef> =
        (0..100).map(|n| ContactRef::Email(testkit::email(&format!("person{n}@example.org")))).collect();
    let claim = claim(account, "fewer", 1, at(START));
    let send = || {
        let responder = Responder::new(Some(&claim), &render);
        set_status(&table.store, account, Command::SetNonMarketingPending, &contacts, at(START), responder)
    };
    before_outage.store(1, Ordering::SeqCst);
    assert!(send().await.is_err());
    before_outage.store(NO_OUTAGE, Ordering::SeqCst);
    for id in &ids[98..] {
        super::delete(&table.store, account, *id, true, at(START)).await.unwrap();
    }
    let expected = [vec!["Done(Queued)"; 98], vec!["NotFound"; 2]].concat().join(" ");
    assert_eq!(send().await.unwrap().body, expected);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn response_larger_than_an_item_is_stored_and_replayed() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 120, at(START)).await;
    let contacts: Vec<ContactRef> = ids.iter().copied().map(ContactRef::Id).collect();
    let claim = claim(account, "long", 1, at(START));
    let render = |report: &StatusReport| StoredResponse {
        body: format!("{:?}", report.results).repeat(60),
        ..render(report)
    };
    let send = || {
        let responder = Responder::new(Some(&claim), &render);
        set_status(&table.store, account, Command::SetNonMarketingPending, &contacts, at(START), responder)
    };
    let first = send().await.unwrap();
    assert!(first.body.len() > domain::limits::ITEM_BYTES_MAX, "{}", first.body.len());
    assert_eq!(send().await.unwrap(), first);
    assert_exact(&table, account, at(START)).await;
}
