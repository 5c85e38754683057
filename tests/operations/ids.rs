//! Ids of contacts and portal numbers of accounts: unique, ordered and evenly spread over the buckets.

use std::collections::{BTreeSet, HashSet};

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::TimeDelta;
use domain::Timestamp;
use domain::ids::{AccountId, Bucket, ContactId, PortalId};
use domain::limits::SUBMISSIONS_PER_TRANSACTION_MAX;
use store::{Search, Store};
use testkit::{TABLE, TestTable, at, terms};

use super::forms::{form, native};
use super::inbox::accept;
use super::{START, assert_exact, create};

/// The default number of contacts to create. The environment variable `CONTACTS` overrides it.
const CONTACTS: usize = 3_000;
/// The highest id, 2^53 − 1.
const HIGHEST: u64 = 9_007_199_254_740_991;

fn number(id: ContactId) -> u64 {
    id.to_string().parse().unwrap()
}

/// Returns the ids of all contacts of the account, in the order of the list.
async fn list(store: &Store, account: AccountId, now: Timestamp) -> Vec<ContactId> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = store.search(Search { account, filter: None, after, limit: 1_000 }, now).await.unwrap();
        ids.extend(page.contacts.iter().map(|contact| contact.id));
        after = page.next;
        if after.is_none() {
            return ids;
        }
    }
}

/// Returns the number of contacts to create.
#[expect(
    clippy::disallowed_methods,
    reason = "the variable lets a developer run the test with more contacts"
)]
fn contacts_to_create() -> usize {
    std::env::var("CONTACTS").map_or(CONTACTS, |count| count.parse().expect("a number"))
}

#[tokio::test(start_paused = true)]
async fn ids_of_a_burst_are_unique_ordered_and_evenly_spread() {
    let contacts = contacts_to_create();
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    // The highest rate of one account: a full transaction every ten milliseconds.
    let mut now = at(START);
    for first in (0..contacts).step_by(SUBMISSIONS_PER_TRANSACTION_MAX) {
        let mut tasks = Vec::new();
        for n in first..contacts.min(first + SUBMISSIONS_PER_TRANSACTION_MAX) {
            let taken = accept(store, &form, None, &format!("person{n}@example.org")).await;
            tasks.extend(taken.waiting);
        }
        let report = store.settle_inbox(&tasks, now, || true).await;
        assert_eq!(report.settled, tasks.len() as u64);
        now = now.plus(TimeDelta::milliseconds(10));
    }
    let ids = list(store, account, now).await;
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), contacts);
    assert!(ids.iter().all(|id| number(*id) <= HIGHEST));
    assert!(ids.windows(2).all(|pair| number(pair[0]) < number(pair[1])));
    for bucket in Bucket::all() {
        let count = ids.iter().filter(|id| id.bucket() == bucket).count();
        let even = contacts / 16;
        assert!(count.abs_diff(even) * 20 <= even, "{count} in bucket {bucket}, {even} would be even");
    }
    assert_exact(&table, account, now).await;
}

#[tokio::test(start_paused = true)]
async fn contacts_of_later_milliseconds_have_higher_ids() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let mut ids = Vec::new();
    for n in 0..20 {
        let now = at(START).plus(TimeDelta::milliseconds(n));
        ids.push(create(&table.store, account, &format!("person{n}@example.org"), false, now).await.id);
    }
    assert!(ids.is_sorted());
}

#[tokio::test(start_paused = true)]
async fn contact_with_a_colliding_id_gets_another_id() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    table.recorder.reset();
    let mut ids = BTreeSet::new();
    // A millisecond has 4,096 ids, so some of two hundred contacts draw the same id.
    for n in 0..200 {
        let address = format!("person{n}@example.org");
        ids.insert(create(&table.store, account, &address, true, at(START)).await.id);
    }
    assert_eq!(ids.len(), 200);
    assert!(table.recorder.calls()["TransactWriteItems"] > 200, "no two contacts drew the same id");
    assert_exact(&table, account, at(START)).await;
}

/// Creates an account in a new table, with the same randomness each time, and returns its portal number. `taken` is a
/// number that another account already uses.
async fn portal(taken: Option<PortalId>) -> PortalId {
    let table = TestTable::start().await;
    if let Some(taken) = taken {
        let text = |text: String| AttributeValue::S(text);
        let put = table.client.put_item().table_name(TABLE).item("pk", text(format!("PORTAL#{taken}")));
        put.item("sk", text("PORTAL".to_owned())).send().await.unwrap();
    }
    let account = table.account(at(START)).await;
    table.store.account(account, at(START)).await.unwrap().portal
}

#[tokio::test(start_paused = true)]
async fn account_with_a_colliding_portal_number_gets_another() {
    let drawn = portal(None).await;
    assert_eq!(portal(None).await, drawn);
    assert_ne!(portal(Some(drawn)).await, drawn);
}

#[tokio::test(start_paused = true)]
async fn sandbox_ids_follow_the_wall_clock() {
    let table = TestTable::start().await;
    let clock = Some(at("2150-01-01T00:00:00.000Z"));
    let account = table.account_with(domain::period::Terms { test_clock: clock, ..terms() }, at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    assert_eq!(contact.created_at, at("2150-01-01T00:00:00.000Z"));
    assert_eq!(number(contact.id) >> 12, number(ContactId::new(at(START), 0)) >> 12);
}
