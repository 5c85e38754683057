//! Lost responses, throttling and outages: the store never reports an applied change as not applied.

use std::time::Duration;

use domain::decision::{Command, Outcome};
use domain::source::Intake;
use store::{Responder, Rng, SaveContact, SaveMode, Saved, Store, StoreError};
use testkit::{Conflicts, Fault, TestTable, at};

use super::{START, Told, assert_exact, create, done, outcomes, saving, set};

/// Starts a table that injects `fault` at these requests of one operation, counted from 0.
async fn table(operation: &'static str, fault: Fault, at_requests: &'static [u32]) -> TestTable {
    let faults = Conflicts::with_plan(Duration::ZERO, move |requested, before| {
        (requested == operation && at_requests.contains(&before)).then_some(fault)
    });
    TestTable::with_faults(&faults).await
}

/// The transaction that sets the contact. The first one creates the account and the second one the contact.
const THIRD: &[u32] = &[2];

#[tokio::test(start_paused = true)]
async fn lost_response_is_retried_and_the_change_applies_once() {
    for lost in [THIRD, &[2, 3, 4], &[2, 3, 4, 5, 6]] {
        let table = table("TransactWriteItems", Fault::AnswerLost, lost).await;
        let account = table.account(at(START)).await;
        let contact = create(&table.store, account, "ada@example.org", false, at(START)).await;
        let report =
            set(&table.store, account, Command::SetMarketing, &[contact.id], at(START)).await.unwrap();
        assert_eq!(
            outcomes(&report),
            [done(Outcome::Set)],
            "this request set the contact, so it is not `unchanged`"
        );
        assert_exact(&table, account, at(START)).await;
    }
}

/// The repeat of the transaction meets a conflict, so the store decides again. The first one arrives after the response.
#[tokio::test(start_paused = true)]
async fn contact_created_by_a_retry_is_not_created_late_too() {
    let faults = Conflicts::with_plan(Duration::ZERO, |operation, before| match (operation, before) {
        ("TransactWriteItems", 1) => Some(Fault::Delayed),
        ("TransactWriteItems", 2) => Some(Fault::Conflict),
        _ => None,
    });
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let intake = Intake::Manual { marketing: Some(true) };
    let request = SaveContact { mode: SaveMode::Create, intake, ..saving(account, None, &[]) };
    let told = Told::<Saved>::new();
    table.store.upsert_contact(&request, at(START), Responder::new(None, &told.render())).await.unwrap();

    assert_eq!(faults.deliver().await, 1);
    assert_exact(&table, account, at(START)).await;
    assert_eq!(testkit::scan(&table.client, account).await.billable, 1);
}

#[tokio::test(start_paused = true)]
async fn throttling_and_transient_errors_are_retried() {
    for fault in [Fault::Throttled, Fault::Unavailable] {
        for operation in ["TransactWriteItems", "BatchGetItem"] {
            let table = table(operation, fault, &[2, 3]).await;
            let account = table.account(at(START)).await;
            let contact = create(&table.store, account, "ada@example.org", false, at(START)).await;
            set(&table.store, account, Command::SetMarketing, &[contact.id], at(START)).await.unwrap();
            assert_exact(&table, account, at(START)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn permanent_outage_is_unavailable_and_changes_nothing() {
    let faults = Conflicts::with_plan(Duration::ZERO, |operation, before| {
        (operation == "TransactWriteItems" && before >= 2).then_some(Fault::Unavailable)
    });
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", false, at(START)).await;
    let refused = set(&table.store, account, Command::SetMarketing, &[contact.id], at(START)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(..))));
    assert_eq!(testkit::scan(&table.client, account).await.billable, 0);
}

/// A missing table, or one without read permission, is a fault: a retry cannot succeed.
#[tokio::test(start_paused = true)]
async fn request_to_an_unknown_table_is_a_fault() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let elsewhere = Store::new(table.client.clone(), "elsewhere", Rng::seeded(1));
    let nothing = elsewhere.usage(account, at(START)).await;
    assert!(matches!(nothing, Err(StoreError::Fault(..))), "{nothing:?}");
}
