//! Update dates: state and usage just before, at and after them, with and without the jobs.

use std::time::Duration;

use domain::Timestamp;
use domain::decision::Command;
use domain::filter::{Condition, Filter};
use domain::ids::{AccountId, Bucket, ContactId};
use domain::marketing::EffectiveState;
use domain::period::PeriodNumber;
use domain::source::SourceType;
use store::{ContactRef, Due, Job, Store, SweepTask, Swept, Tasks};
use testkit::{Conflicts, Fault, TestTable, at};

use super::{JUST_BEFORE, START, UPDATE, assert_exact, create, marketing_contacts, read, set};

#[tokio::test(start_paused = true)]
async fn leaving_contact_is_billable_until_the_update_date() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 3, at(START)).await;
    set(&table.store, account, Command::SetNonMarketingPending, &ids[..2], at(START)).await.unwrap();

    let before = table.store.usage(account, at(JUST_BEFORE)).await.unwrap();
    assert_eq!((before.number.number(), before.marketing, before.leaving), (1, 3, 2));
    let (contact, _) = read(&table.store, account, ids[0], at(JUST_BEFORE)).await.unwrap();
    assert_eq!(contact.state(), EffectiveState::Leaving);

    let after = table.store.usage(account, at(UPDATE)).await.unwrap();
    assert_eq!((after.number.number(), after.marketing, after.leaving), (2, 1, 0));
    assert_eq!(after.starts_at, at(UPDATE));
    assert_exact(&table, account, at(UPDATE)).await;
}

#[tokio::test(start_paused = true)]
async fn reads_show_the_update_date_before_any_job_runs() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    set(&table.store, account, Command::SetNonMarketingPending, &[contact.id], at(START)).await.unwrap();

    let (seen, _) = read(&table.store, account, contact.id, at(UPDATE)).await.unwrap();
    assert_eq!((seen.state(), seen.marketing.since), (EffectiveState::NonMarketing, at(UPDATE)));
    assert_eq!(seen.updated_at, at(UPDATE));
    assert_eq!(seen.marketing.source.kind, SourceType::UpdateDate);
    let explained = table.store.explain(account, ContactRef::Id(contact.id), at(UPDATE)).await.unwrap();
    let moves: Vec<_> = explained.history.iter().map(|change| (change.from, change.to)).collect();
    assert_eq!(
        moves,
        [
            (Some(EffectiveState::Leaving), EffectiveState::NonMarketing),
            (Some(EffectiveState::Marketing), EffectiveState::Leaving),
            (None, EffectiveState::Marketing)
        ]
    );
    let page = store::Search { account, filter: None, after: None, limit: 10 };
    let listed = table.store.search(page, at(UPDATE)).await.unwrap().contacts;
    assert_eq!(
        listed.iter().map(domain::contact::Contact::state).collect::<Vec<_>>(),
        [EffectiveState::NonMarketing]
    );
    assert_eq!(listed[0].updated_at, at(UPDATE));
}

/// Returns the ids of the contacts that changed between two instants, by a search that reads all contacts.
async fn updated(store: &Store, account: AccountId, [from, to]: [&str; 2], now: Timestamp) -> Vec<ContactId> {
    let condition = Condition::new("updated_at", "BETWEEN", Some(from), None, Some(to)).unwrap();
    let filter = Filter::new(vec![vec![condition]]).unwrap();
    let page = store::Search { account, filter: Some(&filter), after: None, limit: 100 };
    store.search(page, now).await.unwrap().contacts.iter().map(|contact| contact.id).collect()
}

/// A change that nobody wrote has the instant of the update date in searches too, also after later update dates.
#[tokio::test(start_paused = true)]
async fn contact_that_left_was_updated_at_its_update_date() {
    let table = TestTable::start().await;
    let (store, account) = (&table.store, table.account(at(START)).await);
    let mut ids = marketing_contacts(store, account, 20, at(START)).await;
    ids.sort_unstable();
    set(store, account, Command::SetNonMarketingPending, &ids[..15], at(START)).await.unwrap();
    for now in [UPDATE, "2026-12-20T00:00:00.000Z", "2027-02-20T00:00:00.000Z"] {
        assert_eq!(updated(store, account, [UPDATE, UPDATE], at(now)).await, ids[..15], "at {now}");
        assert_eq!(updated(store, account, [START, JUST_BEFORE], at(now)).await, ids[15..], "at {now}");
    }
    let now = at("2027-02-20T00:00:00.000Z");
    assert_eq!(sweep_everything(store, now).await, 15);
    assert_eq!(updated(store, account, [UPDATE, UPDATE], now).await, ids[..15], "after the sweep");
}

#[tokio::test(start_paused = true)]
async fn sweep_changes_nothing_visible_to_reads() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 40, at(START)).await;
    set(&table.store, account, Command::SetNonMarketingPending, &ids, at(START)).await.unwrap();
    let now = at("2026-12-01T09:00:00.000Z");
    let mut before = Vec::new();
    for id in &ids {
        before.push(read(&table.store, account, *id, now).await.unwrap().0);
    }

    assert_eq!(sweep_everything(&table.store, now).await, 40);
    for (id, before) in ids.iter().zip(before) {
        assert_eq!(read(&table.store, account, *id, now).await.unwrap().0, before);
    }
    assert_exact(&table, account, now).await;
    assert_eq!(sweep_everything(&table.store, now).await, 0, "a swept period is no longer due");
}

#[tokio::test(start_paused = true)]
async fn stopped_sweep_resumes_later() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 20, at(START)).await;
    set(&table.store, account, Command::SetNonMarketingPending, &ids, at(START)).await.unwrap();
    let now = at(UPDATE);
    table.store.close_ended(account, now).await.unwrap();

    let tasks = table.store.unswept(account, PeriodNumber::FIRST).await.unwrap();
    assert_eq!(tasks.len(), 16);
    for task in &tasks {
        let stopped = table.store.sweep(*task, now, || false).await.unwrap();
        assert!(!stopped.finished && stopped.contacts == 0);
    }
    assert_eq!(table.store.unswept(account, PeriodNumber::FIRST).await.unwrap().len(), 16);
    assert_eq!(sweep_everything(&table.store, now).await, 20);
    assert_eq!(table.store.unswept(account, PeriodNumber::FIRST).await.unwrap(), []);
}

/// Simulates contact updates that were decided just before the period closed and written just after.
#[tokio::test(start_paused = true)]
async fn sweep_updates_contacts_changed_by_late_writes() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 30, at(START)).await;
    set(&table.store, account, Command::SetNonMarketingPending, &ids, at(START)).await.unwrap();
    table.store.close_ended(account, at(UPDATE)).await.unwrap();
    // Such a write leaves the contact queued in the closed period, with a version that the sweep has not read.
    let write_late = async {
        for id in &ids {
            let update = table.client.update_item().table_name(testkit::TABLE);
            let update = update.key("pk", text(&format!("CONTACT#{account}#{}", id.bucket())));
            let update = update.key("sk", text(&id.to_string())).update_expression("ADD version :one");
            let update = update
                .condition_expression("#state = :leaving")
                .expression_attribute_names("#state", "state");
            let one = aws_sdk_dynamodb::types::AttributeValue::N("1".to_owned());
            let update = update.expression_attribute_values(":one", one);
            // The condition fails for contacts that the sweep has already updated.
            let _ = update.expression_attribute_values(":leaving", text("leaving")).send().await;
        }
    };
    let (_, ()) = tokio::join!(sweep_everything(&table.store, at(UPDATE)), write_late);
    let items = table.client.scan().table_name(testkit::TABLE).send().await.unwrap().items.unwrap();
    let leaving = items.iter().filter(|item| item.contains_key("leaving_pk"));
    assert_eq!(leaving.count(), 0, "every contact is swept");
    assert_exact(&table, account, at(UPDATE)).await;
}

fn text(value: &str) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::S(value.to_owned())
}

#[tokio::test(start_paused = true)]
async fn missed_periods_are_closed_each_with_its_statement() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 3, at(START)).await;
    set(&table.store, account, Command::SetNonMarketingPending, &ids[..1], at(START)).await.unwrap();

    let now = at("2027-03-05T00:00:00.000Z");
    let period = table.store.usage(account, now).await.unwrap();
    assert_eq!((period.number.number(), period.starts_at), (5, at("2027-03-01T00:00:00.000Z")));
    let statements = table.store.statements(account, now, None, 10).await.unwrap();
    let numbers: Vec<_> = statements
        .items
        .iter()
        .map(|statement| (statement.number.number(), statement.marketing, statement.left))
        .collect();
    assert_eq!(numbers, [(4, 2, 0), (3, 2, 0), (2, 2, 0), (1, 3, 1)]);
    let left = read(&table.store, account, ids[0], now).await.unwrap().0;
    assert_eq!(
        (left.state(), left.marketing.since),
        (EffectiveState::NonMarketing, at(UPDATE)),
        "non-marketing since the contact's own update date"
    );
}

#[tokio::test(start_paused = true)]
async fn missed_periods_beyond_one_transaction_close_in_steps() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let now = at("2036-11-10T00:00:00.000Z");
    let period = table.store.usage(account, now).await.unwrap();
    let statements = table.store.statements(account, now, None, 1_000).await.unwrap().items;
    assert_eq!(statements.len() as u64 + 1, period.number.number());
    assert!(statements.len() > domain::limits::CLOSINGS_PER_STEP_MAX * 2);
    assert!(statements.windows(2).all(|pair| pair[1].ends_at == pair[0].starts_at), "no gap between periods");
}

#[tokio::test(start_paused = true)]
async fn due_index_lists_ended_periods_then_unswept_statements() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 1, at(START)).await;
    set(&table.store, account, Command::SetNonMarketingPending, &ids, at(START)).await.unwrap();
    assert_eq!(due(&table.store, at(JUST_BEFORE)).await, []);
    assert_eq!(due(&table.store, at(UPDATE)).await, [Due::Period(account, at(UPDATE))]);
    table.store.close_ended(account, at(UPDATE)).await.unwrap();
    assert_eq!(due(&table.store, at(UPDATE)).await, [Due::Job(Job::Sweep(account, PeriodNumber::FIRST))]);
    table.store.lease(Job::Sweep(account, PeriodNumber::FIRST), at(UPDATE)).await.unwrap();
    assert_eq!(due(&table.store, at(UPDATE)).await, []);
    assert_eq!(due(&table.store, at("2026-12-01T01:00:00.000Z")).await.len(), 1);
    sweep_everything(&table.store, at("2026-12-01T02:00:00.000Z")).await;
    assert_eq!(due(&table.store, at("2026-12-31T23:59:59.999Z")).await, []);
}

#[tokio::test(start_paused = true)]
async fn period_without_leaving_contacts_needs_no_sweep() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let _ = marketing_contacts(&table.store, account, 1, at(START)).await;
    table.store.close_ended(account, at(UPDATE)).await.unwrap();
    assert_eq!(due(&table.store, at("2026-12-31T23:59:59.999Z")).await, []);
    assert_eq!(table.store.unswept(account, PeriodNumber::FIRST).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn sweep_before_its_period_closes_does_nothing() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 1, at(START)).await;
    set(&table.store, account, Command::SetNonMarketingPending, &ids, at(START)).await.unwrap();
    for bucket in Bucket::all() {
        let task = SweepTask { account, period: PeriodNumber::FIRST, bucket };
        let swept = table.store.sweep(task, at(JUST_BEFORE), || true).await.unwrap();
        assert_eq!(swept, Swept { contacts: 0, finished: true });
    }
    assert_eq!(table.store.statements(account, at(JUST_BEFORE), None, 10).await.unwrap().items, []);
    table.store.close_ended(account, at(UPDATE)).await.unwrap();
    assert_eq!(sweep_everything(&table.store, at(UPDATE)).await, 1, "no bucket was marked as swept");
}

#[tokio::test(start_paused = true)]
async fn sweep_without_recorded_progress_is_not_finished() {
    // The write that marks the first bucket as swept fails, and so does the write that marks the period as finished.
    let faults = Conflicts::with_plan(Duration::ZERO, |operation, before| {
        (operation == "UpdateItem" && matches!(before, 0..3 | 19..22)).then_some(Fault::Unavailable)
    });
    let table = TestTable::with_faults(&faults).await;
    let (store, period) = (&table.store, PeriodNumber::FIRST);
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(store, account, 1, at(START)).await;
    set(store, account, Command::SetNonMarketingPending, &ids, at(START)).await.unwrap();
    store.close_ended(account, at(UPDATE)).await.unwrap();

    let tasks = store.unswept(account, period).await.unwrap();
    assert!(store.sweep(tasks[0], at(UPDATE), || true).await.is_err());
    assert_eq!(store.unswept(account, period).await.unwrap(), tasks);
    let job = Job::Sweep(account, period);
    assert_eq!(store.rest_of(job).await.unwrap(), Some(Tasks::Sweeps(tasks.clone())));
    assert_eq!(due(store, at(UPDATE)).await, [Due::Job(job)], "buckets remain");

    let (last, others) = tasks.split_last().unwrap();
    for task in others {
        assert!(store.sweep(*task, at(UPDATE), || true).await.unwrap().finished);
    }
    assert!(store.sweep(*last, at(UPDATE), || true).await.is_err());
    assert_eq!(store.unswept(account, period).await.unwrap(), []);
    assert_eq!(due(store, at(UPDATE)).await, [Due::Job(job)]);
    assert_eq!(store.rest_of(job).await.unwrap(), None);
    assert_eq!(due(store, at("2026-12-31T23:59:59.999Z")).await, []);
    assert_exact(&table, account, at(UPDATE)).await;
}

/// Returns everything that is due, over all shards.
async fn due(store: &Store, now: Timestamp) -> Vec<Due> {
    let mut due = Vec::new();
    for shard in Store::due_shards() {
        due.extend(store.due(shard, now, None).await.unwrap().due);
    }
    due
}

/// Runs every due sweep and returns the number of swept contacts.
async fn sweep_everything(store: &Store, now: Timestamp) -> u64 {
    let mut contacts = 0;
    for due in due(store, now).await {
        if let Due::Job(Job::Sweep(account, period)) = due {
            for task in store.unswept(account, period).await.unwrap() {
                let swept = store.sweep(task, now, || true).await.unwrap();
                assert!(swept.finished);
                contacts += swept.contacts;
            }
        }
    }
    contacts
}
