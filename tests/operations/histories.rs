//! A contact's history: every change is stored, regardless of their number.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::Timestamp;
use domain::decision::Command;
use domain::limits::{HISTORY_PAGE, HISTORY_RECENT_MAX};
use domain::marketing::EffectiveState;
use domain::period::PeriodNumber;
use store::{ContactRef, Submission};
use testkit::{Conflicts, Fault, TestTable, at};

use super::forms::{form, native, submit};
use super::{START, UPDATE, assert_exact, create, delete, set};

/// Starts a table whose transactions fail as unavailable while `outage` is true.
async fn unavailable_while(outage: &Arc<AtomicBool>) -> TestTable {
    let outage = Arc::clone(outage);
    let faults = Conflicts::with_plan(Duration::ZERO, move |operation, _| {
        (operation == "TransactWriteItems" && outage.load(Ordering::SeqCst)).then_some(Fault::Unavailable)
    });
    TestTable::with_faults(&faults).await
}

#[tokio::test(start_paused = true)]
async fn long_history_is_complete_and_in_order() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    let changes = HISTORY_RECENT_MAX * 4;
    for n in 0..changes {
        let command = if n % 2 == 0 { Command::SetNonMarketingPending } else { Command::SetMarketing };
        let now = Timestamp::from_millis(at(START).millis() + i64::try_from(n).unwrap() + 1);
        set(&table.store, account, command, &[contact.id], now).await.unwrap();
    }
    let explained = table.store.explain(account, ContactRef::Id(contact.id), at(START)).await.unwrap();
    assert_eq!(explained.history.len(), changes + 1);
    assert!(
        explained.history.windows(2).all(|pair| pair[0].at > pair[1].at && pair[0].from == Some(pair[1].to))
    );
    assert_eq!(
        explained.history.last().map(|change| (change.from, change.to)),
        Some((None, EffectiveState::Marketing))
    );
    assert!(explained.contact.marketing.history.recent.len() <= HISTORY_RECENT_MAX);
}

#[tokio::test(start_paused = true)]
async fn history_page_of_a_failed_change_is_not_shown() {
    let outage = Arc::new(AtomicBool::new(false));
    let table = unavailable_while(&outage).await;
    let (store, account) = (&table.store, table.account(at(START)).await);
    let contact = create(store, account, "ada@example.org", true, at(START)).await;
    let mut commands = [Command::SetNonMarketingPending, Command::SetMarketing].into_iter().cycle();
    // The contact's item is full and one page is written. The next change writes another page.
    for command in commands.by_ref().take(HISTORY_RECENT_MAX + HISTORY_PAGE - 1) {
        set(store, account, command, &[contact.id], at(START)).await.unwrap();
    }
    let explain = || store.explain(account, ContactRef::Id(contact.id), at(START));
    let (before, id) = (explain().await.unwrap().history, contact.id.to_string());
    assert_eq!(before.len(), HISTORY_RECENT_MAX + HISTORY_PAGE);
    let items = testkit::items_of(&table.client, &id).await;
    outage.store(true, Ordering::SeqCst);
    assert!(set(store, account, commands.next().unwrap(), &[contact.id], at(START)).await.is_err());
    outage.store(false, Ordering::SeqCst);
    assert_eq!(testkit::items_of(&table.client, &id).await, items + 1, "a page was written");
    assert_eq!(explain().await.unwrap().history, before);
}

#[tokio::test(start_paused = true)]
async fn failed_deletion_keeps_the_history() {
    let outage = Arc::new(AtomicBool::new(false));
    let table = unavailable_while(&outage).await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    for n in 0..41 {
        let command = if n % 2 == 0 { Command::SetNonMarketingPending } else { Command::SetMarketing };
        set(&table.store, account, command, &[contact.id], at(START)).await.unwrap();
    }
    // Billable and not billable, deleted and erased: the contact has left at the second instant.
    for now in [START, UPDATE] {
        table.store.usage(account, at(now)).await.unwrap();
        let explain = || table.store.explain(account, ContactRef::Id(contact.id), at(now));
        let before = explain().await.unwrap().history;
        for erase in [false, true] {
            outage.store(true, Ordering::SeqCst);
            assert!(delete(&table.store, account, contact.id, erase, at(now)).await.is_err());
            outage.store(false, Ordering::SeqCst);
            assert_eq!(explain().await.unwrap().history, before);
        }
        assert!(before.len() > 41);
    }
}

#[tokio::test(start_paused = true)]
async fn removed_contact_leaves_no_history_pages() {
    for how in ["saved", "submitted", "settled from the inbox", "swept"] {
        let table = TestTable::start().await;
        let (store, account) = (&table.store, table.account(at(START)).await);
        let form = form(store, account, &native()).await;
        let contact = create(store, account, "ada@example.org", true, at(START)).await;
        for command in [Command::SetNonMarketingPending, Command::SetMarketing].into_iter().cycle().take(40) {
            set(store, account, command, &[contact.id], at(START)).await.unwrap();
        }
        delete(store, account, contact.id, false, at(START)).await.unwrap();
        let id = contact.id.to_string();
        assert!(testkit::items_of(&table.client, &id).await > 0);
        match how {
            "saved" => drop(create(store, account, "ada@example.org", true, at(UPDATE)).await),
            "submitted" => drop(submit(store, &form, None, "ada@example.org", at(UPDATE)).await),
            "swept" => {
                store.close_ended(account, at(UPDATE)).await.unwrap();
                for task in store.unswept(account, PeriodNumber::FIRST).await.unwrap() {
                    store.sweep(task, at(UPDATE), || true).await.unwrap();
                }
            }
            _ => {
                let email = testkit::email("ada@example.org");
                let submission = Submission {
                    form: &form,
                    submission_id: None,
                    email: &email,
                    properties: &[],
                    left_out: 0,
                };
                let taken = store.accept_into_inbox(&submission, at(UPDATE)).await.unwrap();
                let tasks: Vec<_> = taken.waiting.into_iter().collect();
                assert_eq!(store.settle_inbox(&tasks, at(UPDATE), || true).await.settled, 1);
            }
        }
        assert_eq!(testkit::items_of(&table.client, &id).await, 0, "{how}");
        assert_exact(&table, account, at(UPDATE)).await;
    }
}
