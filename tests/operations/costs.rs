//! What operations cost: counts of calls and capacity units, which are exact.

use std::collections::BTreeMap;

use domain::decision::{Command, Outcome};
use domain::marketing::State;
use store::{ContactRef, Finish};
use testkit::{Recorder, TestTable, at};

use super::{START, Told, UPDATE, claim, create, done, marketing_contacts, outcomes, read, set, set_status};

fn calls(recorder: &Recorder) -> Vec<(&'static str, u32)> {
    let calls: BTreeMap<_, _> = recorder.calls();
    calls.into_iter().collect()
}

#[tokio::test]
async fn setting_one_contact_is_one_batched_read_and_one_transaction() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", false, at(START)).await;
    table.recorder.reset();
    let report = set(&table.store, account, Command::SetMarketing, &[contact.id], at(START)).await.unwrap();
    assert_eq!(outcomes(&report), [done(Outcome::Set)]);
    assert_eq!(calls(&table.recorder), [("BatchGetItem", 1), ("TransactWriteItems", 1)]);
    assert_eq!(table.recorder.inconsistent_reads(), BTreeMap::new());
    // Two items of at most 1 KB, each 2 write units in a transaction; two consistent reads of at most 4 KB.
    assert_eq!((table.recorder.units().write, table.recorder.units().read), (4.0, 2.0));
}

#[tokio::test]
async fn setting_98_contacts_under_a_key_is_the_same_two_calls() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 98, at(START)).await;
    let contacts: Vec<ContactRef> = ids.into_iter().map(ContactRef::Id).collect();
    for (key, command, outcome) in [
        ("queue", Command::SetNonMarketingPending, Outcome::Queued),
        ("keep", Command::SetMarketing, Outcome::Kept),
    ] {
        let claim = claim(account, key, 1, at(START));
        let told = Told::new();
        table.recorder.reset();
        let render = told.render();
        let finish = Finish::new(Some(&claim), &render);
        set_status(&table.store, account, command, &contacts, at(START), finish).await.unwrap();
        assert_eq!(calls(&table.recorder), [("BatchGetItem", 1), ("TransactWriteItems", 1)]);
        assert_eq!(outcomes(&told.take()), vec![done(outcome); 98]);
    }
}

#[tokio::test]
async fn what_changes_nothing_writes_nothing() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    table.recorder.reset();
    let report = set(&table.store, account, Command::SetMarketing, &[contact.id], at(START)).await.unwrap();
    assert_eq!(outcomes(&report), [done(Outcome::Unchanged)]);
    assert_eq!(calls(&table.recorder), [("BatchGetItem", 1)]);
}

#[tokio::test]
async fn the_usage_is_one_read() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    table.recorder.reset();
    table.store.usage(account, at(START)).await.unwrap();
    assert_eq!(calls(&table.recorder), [("BatchGetItem", 1)]);
    assert!((table.recorder.units().read - 1.0).abs() < f64::EPSILON);
    assert_eq!(table.recorder.inconsistent_reads(), BTreeMap::new());
}

#[tokio::test]
async fn reading_one_contact_is_one_read() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    table.recorder.reset();
    read(&table.store, account, contact.id, at(START)).await.unwrap();
    assert_eq!(calls(&table.recorder), [("BatchGetItem", 1)]);
}

/// The promise that everything rests on: a month turns over in one write.
#[tokio::test(flavor = "multi_thread")]
async fn closing_a_period_costs_the_same_for_10_1_000_and_20_000_leaving_contacts() {
    let mut costs = Vec::new();
    for count in [10, 1_000, 20_000] {
        let table = TestTable::start().await;
        let account = table.account(at(START)).await;
        testkit::seed(&table, account, count, State::Leaving, at(START)).await;
        super::assert_exact(&table, account, at(START)).await;
        let before = table.store.usage(account, at(START)).await.unwrap();
        assert_eq!((before.marketing, before.leaving), (count, count));
        table.recorder.reset();
        table.store.close_ended(account, at(UPDATE)).await.unwrap();
        costs.push((table.recorder.units(), calls(&table.recorder)));
        let after = table.store.usage(account, at(UPDATE)).await.unwrap();
        assert_eq!((after.marketing, after.leaving), (0, 0));
    }
    assert_eq!(costs[0], costs[1]);
    assert_eq!(costs[0], costs[2]);
    assert_eq!(costs[0].1, [("BatchGetItem", 2), ("TransactWriteItems", 1)]);
}
