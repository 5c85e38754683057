//! Searches by the instant of the latest change, through the index, compared with a read of all contacts.

mod histories;
mod lags;

use std::ops::RangeInclusive;

use chrono::TimeDelta;
use domain::Timestamp;
use domain::contact::Contact;
use domain::decision::Command;
use domain::filter::Direction;
use domain::ids::{AccountId, ContactId};
use domain::limits::{CHANGED_PERIODS_MAX, CHANGES_INDEXED_AFTER};
use domain::marketing::EffectiveState;
use domain::patch::Patch;
use domain::period::PeriodNumber;
use store::{
    Account, ChangeOrder, ChangedContacts, ChangedPage, ChangedResult, Responder, Search, Store,
    UpdateAccount, UpdateContact,
};
use testkit::{TestTable, at, property};

use super::{JUST_BEFORE, START, Told, UPDATE, by_hand, create, delete, marketing_contacts, read, set, user};

const ALL_IDS: RangeInclusive<ContactId> = ContactId::LOWEST..=ContactId::HIGHEST;
const BY_INSTANT: ChangeOrder = ChangeOrder::Instant(Direction::Ascending);
const BY_ID: ChangeOrder = ChangeOrder::Id(Direction::Ascending);
/// An instant of the first period at which an index that was switched on at [`START`] is complete.
const LATER: &str = "2026-11-20T12:00:00.000Z";

/// Switches the account's index of changes on or off.
async fn index_changes(store: &Store, account: AccountId, on: bool, now: Timestamp) {
    let change = UpdateAccount { index_changes: Some(on), ..UpdateAccount::default() };
    let told = Told::<Account>::new();
    store.update_account(account, &change, now, Responder::new(None, &told.render())).await.unwrap();
}

/// Starts a table with an account whose index is complete from a minute after [`START`] on.
async fn indexed() -> (TestTable, AccountId) {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    index_changes(&table.store, account, true, at(START)).await;
    (table, account)
}

/// Changes a property of a contact.
async fn edit(store: &Store, account: AccountId, contact: ContactId, value: &str, now: Timestamp) {
    let change = UpdateContact {
        account,
        contact,
        email: Patch::Keep,
        properties: &[property("plan", value)],
        unsubscribed: None,
        bounced: None,
        status: None,
        if_match: None,
        source: by_hand(),
        actor: user(),
    };
    store.update_contact(&change, now, Responder::new(None, &Told::new().render())).await.unwrap();
}

/// Returns a request for all contacts that changed within a range.
fn changed(account: AccountId, changed: RangeInclusive<Timestamp>, order: ChangeOrder) -> ChangedContacts {
    ChangedContacts { account, changed, ids: ALL_IDS, order, offset: 0, limit: 1_000 }
}

/// Returns the page of a request that the index can answer.
async fn page(store: &Store, request: &ChangedContacts, now: Timestamp) -> ChangedPage {
    match store.changed_contacts(request, now).await.unwrap() {
        ChangedResult::Page(page) => *page,
        other => panic!("{other:?} for {request:?}"),
    }
}

async fn is_indexed(store: &Store, account: AccountId, from: Timestamp, now: Timestamp) -> bool {
    let request = changed(account, from..=Timestamp::MAX, BY_ID);
    matches!(store.changed_contacts(&request, now).await.unwrap(), ChangedResult::Page(_))
}

fn ids(page: &ChangedPage) -> Vec<ContactId> {
    page.contacts.iter().map(|contact| contact.id).collect()
}

/// Returns all contacts of the account as reads show them.
async fn everything(store: &Store, account: AccountId, now: Timestamp) -> Vec<Contact> {
    let search = Search { account, filter: None, after: None, limit: 100_000 };
    store.search(search, now).await.unwrap().contacts
}

/// Sweeps all buckets of a period.
async fn sweep(store: &Store, account: AccountId, number: PeriodNumber, now: Timestamp) {
    for task in store.unswept(account, number).await.unwrap() {
        assert!(store.sweep(task, now, || true).await.unwrap().finished);
    }
}

#[tokio::test(start_paused = true)]
async fn index_is_complete_a_minute_after_it_is_switched_on() {
    let table = TestTable::start().await;
    let (store, account, now) = (&table.store, table.account(at(START)).await, at(LATER));
    assert!(!is_indexed(store, account, at(START), now).await, "it is off in a new account");
    index_changes(store, account, true, at(START)).await;
    let complete = at(START).plus(CHANGES_INDEXED_AFTER);
    assert!(!is_indexed(store, account, complete.plus(TimeDelta::milliseconds(-1)), now).await);
    assert!(is_indexed(store, account, complete, now).await);
    index_changes(store, account, true, now).await;
    assert!(is_indexed(store, account, complete, now).await, "it was on already");
    index_changes(store, account, false, now).await;
    assert!(!is_indexed(store, account, now, now).await);
    index_changes(store, account, true, now).await;
    assert!(!is_indexed(store, account, complete, now).await, "changes in between may be missing");
    assert!(is_indexed(store, account, now.plus(CHANGES_INDEXED_AFTER), now).await);
}

#[tokio::test(start_paused = true)]
async fn contacts_of_one_instant_are_ordered_by_id_in_pages() {
    let (table, account) = indexed().await;
    let mut all = marketing_contacts(&table.store, account, 40, at(LATER)).await;
    all.sort_unstable();
    for (order, reverse) in [
        (BY_INSTANT, false),
        (BY_ID, false),
        (ChangeOrder::Instant(Direction::Descending), true),
        (ChangeOrder::Id(Direction::Descending), true),
    ] {
        let mut found = Vec::new();
        for offset in (0..).step_by(7) {
            let request =
                ChangedContacts { offset, limit: 7, ..changed(account, at(LATER)..=at(LATER), order) };
            let page = page(&table.store, &request, at(LATER)).await;
            assert_eq!(page.total, 40);
            if page.contacts.is_empty() {
                break;
            }
            found.extend(ids(&page));
        }
        if reverse {
            found.reverse();
        }
        assert_eq!(found, all, "{order:?}");
    }
    let part =
        ChangedContacts { ids: all[3]..=all[30], ..changed(account, at(LATER)..=at(LATER), BY_INSTANT) };
    assert_eq!(ids(&page(&table.store, &part, at(LATER)).await), all[3..=30]);
}

/// The update date is the instant of the change, before the sweep, during it and after it.
#[tokio::test(start_paused = true)]
async fn contact_that_left_changed_at_the_update_date() {
    let (table, account) = indexed().await;
    let store = &table.store;
    let mut all = marketing_contacts(store, account, 60, at(LATER)).await;
    all.sort_unstable();
    let (left, stay) = all.split_at(40);
    set(store, account, Command::SetNonMarketingPending, left, at(LATER)).await.unwrap();
    let now = at("2026-12-01T09:00:00.000Z");
    store.close_ended(account, now).await.unwrap();
    // The first period had begun before the index was complete, so it counts only once it is swept.
    assert!(!is_indexed(store, account, at(LATER), now).await);
    let tasks = store.unswept(account, PeriodNumber::FIRST).await.unwrap();
    for task in tasks {
        store.sweep(task, now, || true).await.unwrap();
        let (contact, _) = read(store, account, left[0], now).await.unwrap();
        assert_eq!(contact.updated_at, at(UPDATE));
    }
    let swept = now.plus(TimeDelta::minutes(2));
    let found = |from: &str, to: &str| changed(account, at(from)..=at(to), BY_INSTANT);
    assert_eq!(ids(&page(store, &found(UPDATE, UPDATE), swept).await), left);
    assert_eq!(ids(&page(store, &found(LATER, JUST_BEFORE), swept).await), stay);

    // The second period began after that, and its contacts are found at once.
    let second = at("2027-01-01T00:00:00.000Z");
    set(store, account, Command::SetNonMarketingPending, stay, swept).await.unwrap();
    delete(store, account, stay[0], false, swept).await.unwrap();
    delete(store, account, stay[1], true, swept).await.unwrap();
    let (stay, now) = (&stay[2..], second.plus(TimeDelta::hours(1)));
    store.close_ended(account, now).await.unwrap();
    let number = PeriodNumber::FIRST.next();
    for task in store.unswept(account, number).await.unwrap() {
        let at_date = page(store, &changed(account, second..=second, BY_INSTANT), now).await;
        assert_eq!((ids(&at_date), at_date.total), (stay.to_vec(), stay.len() as u64));
        let before = changed(account, at(UPDATE)..=second.plus(TimeDelta::milliseconds(-1)), BY_INSTANT);
        assert_eq!(ids(&page(store, &before, now).await), left, "they did not change before it any more");
        assert!(at_date.contacts.iter().all(|contact| contact.updated_at == second));
        store.sweep(task, now, || true).await.unwrap();
    }
    for now in [now, now.plus(TimeDelta::hours(1))] {
        assert_eq!(ids(&page(store, &changed(account, second..=second, BY_INSTANT), now).await), stay);
    }
}

#[tokio::test(start_paused = true)]
async fn deleted_contact_is_not_among_the_changes() {
    let (table, account) = indexed().await;
    let (store, now) = (&table.store, at(LATER));
    let billable = create(store, account, "ada@example.org", true, now).await.id;
    let free = create(store, account, "bob@example.org", false, now).await.id;
    let erased = create(store, account, "cy@example.org", true, now).await.id;
    let rest = create(store, account, "di@example.org", true, now).await.id;
    for (id, erase) in [(billable, false), (free, false), (erased, true)] {
        delete(store, account, id, erase, now).await.unwrap();
    }
    let page = page(store, &changed(account, now..=Timestamp::MAX, BY_ID), now).await;
    assert_eq!((ids(&page), page.total), (vec![rest], 1));
}

#[tokio::test(start_paused = true)]
async fn too_many_unswept_periods_are_refused() {
    let (table, account) = indexed().await;
    let store = &table.store;
    let all = marketing_contacts(store, account, CHANGED_PERIODS_MAX + 1, at(LATER)).await;
    let mut now = at("2026-12-10T00:00:00.000Z");
    for id in &all {
        set(store, account, Command::SetNonMarketingPending, &[*id], now).await.unwrap();
        now = store.usage(account, now).await.unwrap().ends_at;
    }
    let request = changed(account, at("2026-12-10T00:00:00.000Z")..=Timestamp::MAX, BY_ID);
    let result = store.changed_contacts(&request, now).await.unwrap();
    assert!(matches!(result, ChangedResult::TooMany), "{result:?}");
    sweep(store, account, PeriodNumber::from_number(2).unwrap(), now).await;
    let swept = now.plus(TimeDelta::minutes(2));
    assert_eq!(page(store, &request, swept).await.total, all.len() as u64);
}

/// Returns the calls, the read units and the write units since the last call.
fn spent(table: &TestTable) -> (Vec<(&'static str, u32)>, f64, f64) {
    let (calls, units) = (table.recorder.calls(), table.recorder.units());
    table.recorder.reset();
    (calls.into_iter().collect(), units.read, units.write)
}

/// Returns the write units of operations on one contact, with the index or without it.
async fn units_of_writes(on: bool) -> Vec<(&'static str, f64)> {
    let table = TestTable::start().await;
    let (store, account) = (&table.store, table.account(at(START)).await);
    index_changes(store, account, on, at(START)).await;
    spent(&table);
    let mut units = Vec::new();
    let contact = create(store, account, "ada@example.org", true, at(LATER)).await.id;
    units.push(("create", spent(&table).2));
    let now = at(LATER).plus(TimeDelta::seconds(1));
    edit(store, account, contact, "gold", now).await;
    units.push(("edit", spent(&table).2));
    set(store, account, Command::SetNonMarketingPending, &[contact], at(JUST_BEFORE)).await.unwrap();
    units.push(("queue", spent(&table).2));
    store.close_ended(account, at(UPDATE)).await.unwrap();
    units.push(("close", spent(&table).2));
    let tasks = store.unswept(account, PeriodNumber::FIRST).await.unwrap();
    let task = tasks.into_iter().find(|task| task.bucket == contact.bucket()).unwrap();
    store.sweep(task, at(UPDATE), || true).await.unwrap();
    units.push(("sweep, with one unit for the statement", spent(&table).2));
    edit(store, account, contact, "silver", at("2026-12-02T00:00:00.000Z")).await;
    units.push(("edit after the sweep", spent(&table).2));
    delete(store, account, contact, false, at("2026-12-03T00:00:00.000Z")).await.unwrap();
    units.push(("delete", spent(&table).2));
    units
}

/// A new entry or a removed one costs one unit, and a moved one two. A swept contact leaves `leaving` with its next
/// write and not with the sweep.
#[tokio::test(start_paused = true)]
async fn index_costs_a_known_number_of_write_units() {
    let expected = [
        ("create", 6.0, 7.0),
        ("edit", 2.0, 4.0),
        ("queue", 5.0, 7.0),
        ("close", 7.0, 7.0),
        ("sweep, with one unit for the statement", 3.0, 4.0),
        ("edit after the sweep", 2.0, 5.0),
        ("delete", 4.0, 5.0),
    ];
    assert_eq!(units_of_writes(false).await, expected.map(|(name, without, _)| (name, without)));
    assert_eq!(units_of_writes(true).await, expected.map(|(name, _, with)| (name, with)));
}

/// Returns the number of contacts of the tests with many contacts: `CONTACTS` from the environment, or 2,000.
fn many() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the variable lets a developer choose the number")]
    let contacts = std::env::var("CONTACTS");
    contacts.map_or(2_000, |contacts| contacts.parse().expect("a number in CONTACTS"))
}

/// The 16 buckets are queried once, and the contacts of the page are read. The rest of the contacts is not read.
#[tokio::test(start_paused = true)]
async fn changes_of_few_contacts_read_only_those() {
    let (table, account) = indexed().await;
    let (store, now) = (&table.store, at("2026-11-25T00:00:00.000Z"));
    let all = testkit::seed(&table, account, many(), EffectiveState::NonMarketing, at(LATER)).await;
    let some: Vec<ContactId> = all.iter().copied().step_by(all.len() / 100).take(100).collect();
    set(store, account, Command::SetMarketing, &some, now).await.unwrap();
    table.recorder.reset();
    let page = page(store, &changed(account, now..=Timestamp::MAX, BY_INSTANT), now).await;
    assert_eq!((ids(&page), page.total), (some, 100));
    let (calls, read, _) = spent(&table);
    assert_eq!(calls, [("BatchGetItem", 3), ("Query", 16)]);
    // Half a unit for each bucket, one for each contact, and the period in each batched read. Keys of more than 4 KB in a
    // bucket are half a unit more, which depends on the number of contacts.
    assert!((111.0..=112.0).contains(&read), "{read}");
}

/// The keys of all contacts that left are read for the total, and the contacts of one page.
#[tokio::test(start_paused = true)]
async fn page_of_many_changes_reads_keys_and_one_page() {
    let (table, account) = indexed().await;
    let (store, second) = (&table.store, at("2027-01-01T00:00:00.000Z"));
    let all = testkit::seed(&table, account, many(), EffectiveState::Leaving, at(LATER)).await;
    let now = at("2026-12-01T01:00:00.000Z");
    store.close_ended(account, now).await.unwrap();
    sweep(store, account, PeriodNumber::FIRST, now).await;
    table.recorder.reset();
    let request = ChangedContacts {
        ids: all[50]..=ContactId::HIGHEST,
        limit: 50,
        ..changed(account, at(UPDATE)..=second, BY_ID)
    };
    let page = page(store, &request, now.plus(TimeDelta::minutes(2))).await;
    assert_eq!((ids(&page), page.total), (all[50..100].to_vec(), many() - 50));
    let (_, read, _) = spent(&table);
    // A key has less than 200 bytes, and half a unit reads 4 KB of them.
    let keys = 200.0 * f64::from(u32::try_from(many()).unwrap()) / 8_192.0;
    assert!(read <= 16.0 + 52.0 + keys, "{read}");
}
