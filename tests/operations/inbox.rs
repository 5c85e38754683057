//! The inbox: a burst is accepted without errors and settled exactly once, in any order and despite repeats.

use std::io::Write as _;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::TimeDelta;
use domain::address::EmailAddress;
use domain::ids::AccountId;
use domain::limits::INBOX_EXPECTED;
use domain::period::Terms;
use domain::property::PropertyName;
use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use store::{
    ContactEffect, ContactRef, Due, Form, FormCounts, InboxTask, Job, MarketingEffect, NewForm, Responder,
    SaveContact, SaveMode, Store, StoreError, Submission, SubmissionOutcome, Submitted,
};
use testkit::{Conflicts, Fault, SeededRng, TABLE, TestTable, at, email, property, terms};

use super::forms::{SENDERS, counts, form, native, report};
use super::{START, Told, UPDATE, assert_exact, create, delete, saving};

fn print_line(text: impl std::fmt::Display) {
    // The test runner hides the `println!` output of a passing test.
    let _ = writeln!(std::io::stdout(), "\n{text}");
}

pub async fn accept(store: &Store, form: &Form, id: Option<&str>, address: &str) -> SubmissionOutcome {
    let email = email(address);
    let submission = Submission { form, submission_id: id, email: &email, properties: &[], left_out: 0 };
    store.accept_into_inbox(&submission, at(START)).await.unwrap()
}

/// Accepts `count` submissions of different contacts into the inbox.
pub async fn fill(store: &Store, form: &Form, count: usize) -> Vec<InboxTask> {
    let mut tasks = Vec::new();
    for n in 0..count {
        let taken = accept(store, form, None, &format!("person{n}@example.org")).await;
        tasks.extend(taken.waiting);
    }
    tasks
}

/// Sends `count` concurrent submissions of different contacts and returns their results.
async fn burst(table: &TestTable, form: &Form, count: usize) -> Vec<SubmissionOutcome> {
    let store = &table.store;
    let sent = (0..count).map(|n| async move {
        let email = email(&format!("person{n}@example.org"));
        let id = format!("delivery-{n}");
        let submission =
            Submission { form, submission_id: Some(&id), email: &email, properties: &[], left_out: 0 };
        store.submit_or_accept(&submission, at(START)).await.unwrap()
    });
    stream::iter(sent).buffer_unordered(SENDERS).collect().await
}

/// Settles the queued submissions in batches of 100, as the worker does, and returns how many were settled.
async fn settle_all(store: &Store, tasks: &[InboxTask]) -> u64 {
    let mut settled = 0;
    for batch in tasks.chunks(100) {
        let report = store.settle_inbox(batch, at(START), || true).await;
        assert!(report.unsettled.is_empty(), "{:?}", report.errors);
        settled += report.settled;
    }
    settled
}

#[tokio::test(flavor = "multi_thread")]
async fn burst_loses_no_submission_and_counts_each_once() {
    let faults = Conflicts::new(Duration::from_millis(5));
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let form = form(&table.store, account, &native()).await;
    let taken = burst(&table, &form, 1_000).await;
    let waiting: Vec<InboxTask> = taken.iter().filter_map(|taken| taken.waiting).collect();
    let conflicts = faults.conflicts();
    assert!(conflicts > 0, "the test proves nothing without conflicts");
    assert_exact(&table, account, at(START)).await;
    assert_eq!(settle_all(&table.store, &waiting).await, waiting.len() as u64);
    let (scan, counts) = (testkit::scan(&table.client, account).await, counts(&table.store, &form).await);
    assert_eq!((scan.contacts, scan.addresses, scan.billable), (1_000, 1_000, 1_000));
    assert_eq!(counts, FormCounts { set: 1_000, ..FormCounts::default() });
    assert_exact(&table, account, at(START)).await;
    print_line(format_args!(
        "1,000 submissions from {SENDERS} senders: {conflicts} transactions cancelled by conflicts, {} accepted into \
         the inbox, no error",
        waiting.len()
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn burst_of_submissions_never_exceeds_the_cap() {
    let faults = Conflicts::new(Duration::from_millis(5));
    let table = TestTable::with_faults(&faults).await;
    let account = table.account_with(Terms { cap: Some(120), ..terms() }, at(START)).await;
    let form = form(&table.store, account, &native()).await;
    let taken = burst(&table, &form, 300).await;
    let waiting: Vec<InboxTask> = taken.iter().filter_map(|taken| taken.waiting).collect();
    assert_exact(&table, account, at(START)).await;
    settle_all(&table.store, &waiting).await;
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!(
        (scan.contacts, scan.billable),
        (300, 120),
        "every contact is stored, and the cap is not exceeded"
    );
    let expected = FormCounts { set: 120, not_set_by_cap: 180, ..FormCounts::default() };
    assert_eq!(counts(&table.store, &form).await, expected);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn queued_delivery_sent_again_is_a_duplicate() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    let accepted = Submitted {
        contact: ContactEffect::Accepted,
        marketing: MarketingEffect::Accepted,
        reason: None,
        duplicate: false,
    };
    let first = accept(store, &form, Some("s-1"), "ada@example.org").await;
    assert_eq!(first.submitted, accepted);
    let again = Submitted { duplicate: true, ..accepted };
    let second = accept(store, &form, Some("s-1"), "ada@example.org").await;
    assert_eq!(second, SubmissionOutcome { submitted: again.clone(), waiting: None });
    // The delivery stays a duplicate for as long as it is queued, even beyond seven days.
    let email = email("ada@example.org");
    let submission =
        Submission { form: &form, submission_id: Some("s-1"), email: &email, properties: &[], left_out: 0 };
    let later = at(START).plus(TimeDelta::days(9));
    assert_eq!(store.submit(&submission, later).await.unwrap(), again);

    let tasks: Vec<InboxTask> = first.waiting.into_iter().collect();
    assert_eq!(store.settle_inbox(&tasks, later, || true).await.settled, 1);
    let settled = store.submit(&submission, later.plus(TimeDelta::days(6))).await.unwrap();
    let (contact, marketing) = (ContactEffect::Created, MarketingEffect::Set);
    assert_eq!(settled, Submitted { contact, marketing, reason: None, duplicate: true });
    // A settled delivery is not accepted into the inbox again.
    let third = store.accept_into_inbox(&submission, later).await.unwrap();
    assert_eq!(third, SubmissionOutcome { submitted: settled, waiting: None });
    assert_eq!(counts(store, &form).await.set, 1);
    assert_exact(&table, account, later).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_settling_in_any_order_applies_once() {
    let faults = Conflicts::with_plan(Duration::from_millis(1), |operation, before| {
        (operation == "TransactWriteItems" && before % 5 == 3).then_some(Fault::AnswerLost)
    });
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let new = NewForm { max_new_marketing_per_day: Some(70), ..native() };
    let form = form(&table.store, account, &new).await;
    let tasks = fill(&table.store, &form, 100).await;
    let workers = (0..4).map(|worker| {
        let (store, mut tasks) = (table.store.clone(), tasks.clone());
        async move {
            let mut rng = SeededRng::of(&[worker]);
            for at in (1..tasks.len()).rev() {
                tasks.swap(at, rng.index(at + 1));
            }
            // Every other worker is stopped after 7 ms, before it has finished.
            let limit = Duration::from_millis(if worker % 2 == 0 { 60_000 } else { 7 });
            let settling = async {
                for batch in tasks.chunks(35) {
                    store.settle_inbox(batch, at(START), || true).await;
                }
            };
            let _ = tokio::time::timeout(limit, settling).await;
        }
    });
    join_all(workers).await;
    settle_all(&table.store, &tasks).await;
    let again = table.store.settle_inbox(&tasks, at(START), || true).await;
    assert_eq!((again.settled, again.already, again.unsettled.len()), (0, 100, 0));
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.billable), (100, 70));
    let report = report(&table.store, &form, at(START)).await;
    let expected = FormCounts { set: 70, not_set_by_budget: 30, ..FormCounts::default() };
    assert_eq!((report.counts, report.budget.unwrap().used_today), (expected, 70));
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn repeated_addresses_and_many_forms_settle_together() {
    let table = TestTable::start().await;
    let account = table.account_with(Terms { cap: Some(2), ..terms() }, at(START)).await;
    let store = &table.store;
    let mut tasks = Vec::new();
    let mut forms = Vec::new();
    for n in 0..40 {
        let new = NewForm { max_new_marketing_per_day: Some(1), ..native() };
        let form = form(store, account, &new).await;
        // Three contacts, each address in two spellings.
        let address = format!("{}{}@example.org", if n % 2 == 0 { "Person" } else { "person" }, n % 3);
        tasks.extend(accept(store, &form, Some("s-1"), &address).await.waiting);
        forms.push(form);
    }
    assert_eq!(settle_all(store, &tasks).await, 40);
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.billable), (3, 2));
    let mut sum = (0, 0, 0);
    for form in &forms {
        let report = report(store, form, at(START)).await;
        let FormCounts { set, unchanged, not_set_by_cap, .. } = report.counts;
        sum = (sum.0 + set, sum.1 + unchanged, sum.2 + not_set_by_cap);
        assert_eq!((report.counts.received(), report.budget.unwrap().used_today), (1, set));
    }
    assert_eq!(sum.0, 2);
    assert_eq!(sum.0 + sum.1 + sum.2, 40);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn later_submission_of_a_contact_overrides_the_earlier() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    let email = email("ada@example.org");
    let mut tasks = Vec::new();
    for n in 0..20 {
        let properties = [property("phone", &n.to_string())];
        let id = format!("s-{n}");
        let submission = Submission {
            form: &form,
            submission_id: Some(&id),
            email: &email,
            properties: &properties,
            left_out: 0,
        };
        let then = at(START).plus(TimeDelta::milliseconds(n));
        tasks.extend(store.accept_into_inbox(&submission, then).await.unwrap().waiting);
    }
    assert!(!tasks.is_sorted(), "the order of acceptance must differ from the order of the ids");
    assert_eq!(settle_all(store, &tasks).await, 20);
    let (contact, _) = store.contact(account, ContactRef::Email(email), at(START)).await.unwrap();
    assert_eq!(contact.properties.get("phone"), Some("19"));
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn submissions_beyond_one_transaction_settle_in_several() {
    // Each submission writes a contact, an address, a form's counts and day, and a delivery. With the period, 20 of
    // them exceed the 100 items of a transaction by one.
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let mut tasks = Vec::new();
    for n in 0..20 {
        let new = NewForm { max_new_marketing_per_day: Some(1), ..native() };
        let form = form(&table.store, account, &new).await;
        tasks.extend(accept(&table.store, &form, Some("s-1"), &format!("p{n}@example.org")).await.waiting);
    }
    table.recorder.reset();
    assert_eq!(settle_all(&table.store, &tasks).await, 20);
    assert_eq!(table.recorder.calls()["TransactWriteItems"], 2);

    // Thirty contacts with 120 kB of properties exceed the size limit of a transaction.
    let form = form(&table.store, account, &native()).await;
    let large = [property("one", &"n".repeat(60_000)), property("two", &"n".repeat(60_000))];
    let mut tasks = Vec::new();
    for n in 0..30 {
        let email = email(&format!("large{n}@example.org"));
        save_properties(&table.store, account, &email, &large).await;
        let submission =
            Submission { form: &form, submission_id: None, email: &email, properties: &[], left_out: 0 };
        tasks.extend(table.store.accept_into_inbox(&submission, at(START)).await.unwrap().waiting);
    }
    table.recorder.reset();
    assert_eq!(settle_all(&table.store, &tasks).await, 30);
    assert_eq!(table.recorder.calls()["TransactWriteItems"], 2);
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.billable), (50, 50));
    assert_exact(&table, account, at(START)).await;
}

async fn save_properties(
    store: &Store,
    account: AccountId,
    email: &EmailAddress,
    properties: &[(PropertyName, Option<String>)],
) {
    let saved = SaveContact { mode: SaveMode::Create, ..saving(account, Some(email), properties) };
    let told = Told::new();
    store.upsert_contact(&saved, at(START), Responder::new(None, &told.render())).await.unwrap();
    let _: store::Saved = told.take();
}

#[tokio::test(start_paused = true)]
async fn recreated_contacts_settle_in_several_transactions() {
    // Each submission writes a new item, the address, the old item and the delivery: 30 of them exceed one transaction.
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    let mut tasks = Vec::new();
    for n in 0..30 {
        let address = format!("p{n}@example.org");
        let contact = create(store, account, &address, true, at(START)).await;
        delete(store, account, contact.id, false, at(START)).await.unwrap();
        tasks.extend(accept(store, &form, Some(&address), &address).await.waiting);
    }
    store.close_ended(account, at(UPDATE)).await.unwrap();
    table.recorder.reset();
    assert_eq!(settle_all(store, &tasks).await, 30);
    assert_eq!(table.recorder.calls()["TransactWriteItems"], 2);
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.billable), (30, 30));
    assert_exact(&table, account, at(UPDATE)).await;
}

#[tokio::test(start_paused = true)]
async fn two_queued_returns_of_a_left_contact_create_one_contact() {
    let table = TestTable::start().await;
    let (store, account) = (&table.store, table.account(at(START)).await);
    let form = form(store, account, &native()).await;
    let left = create(store, account, "ada@example.org", true, at(START)).await.id;
    delete(store, account, left, false, at(START)).await.unwrap();
    store.close_ended(account, at(UPDATE)).await.unwrap();
    let mut tasks = Vec::new();
    for id in ["s-1", "s-2"] {
        tasks.extend(accept(store, &form, Some(id), "ada@example.org").await.waiting);
    }
    table.recorder.reset();
    let report = store.settle_inbox(&tasks, at(UPDATE), || true).await;
    assert_eq!((report.settled, report.errors.len()), (2, 0), "{:?}", report.errors);
    assert_eq!(table.recorder.calls()["TransactWriteItems"], 1);
    assert_eq!(testkit::items_of(&table.client, &left.to_string()).await, 0);
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.billable), (1, 1));
    assert_exact(&table, account, at(UPDATE)).await;
}

#[tokio::test(start_paused = true)]
async fn schedule_finds_submissions_lost_by_the_queue() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    let tasks = fill(store, &form, 12).await;
    let expected = at(START).plus(INBOX_EXPECTED);
    assert_eq!(due(store, expected.plus(TimeDelta::milliseconds(-1))).await, []);
    let mut found = due(store, expected).await;
    let mut all = tasks.clone();
    found.sort();
    all.sort();
    assert_eq!(found, all);
    let (first, rest) = tasks.split_first().unwrap();
    store.lease(first.job(), expected).await.unwrap();
    assert_eq!(due(store, expected).await.len(), 11);
    store.settle_inbox(rest, expected, || true).await;
    assert_eq!(due(store, expected).await, []);
    assert_eq!(due(store, expected.plus(INBOX_EXPECTED)).await, [*first]);
    store.settle_inbox(&[*first], expected, || true).await;
    // A lease of a settled submission creates no new job.
    store.lease(first.job(), expected).await.unwrap();
    assert_eq!(due(store, expected.plus(TimeDelta::days(1))).await, []);
}

#[tokio::test(start_paused = true)]
async fn failed_lease_write_is_an_error() {
    let faults = Conflicts::with_plan(Duration::ZERO, |operation, _| {
        (operation == "UpdateItem").then_some(Fault::Unavailable)
    });
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let form = form(&table.store, account, &native()).await;
    let tasks = fill(&table.store, &form, 1).await;
    let leased = table.store.lease(tasks[0].job(), at(UPDATE)).await;
    assert!(matches!(leased, Err(StoreError::Unavailable(..))), "{leased:?}");
}

async fn due(store: &Store, now: domain::Timestamp) -> Vec<InboxTask> {
    let mut tasks = Vec::new();
    for shard in Store::due_shards() {
        for due in store.due(shard, now, None).await.unwrap().due {
            tasks.extend(match due {
                Due::Job(Job::Inbox(task)) => Some(task),
                Due::Period(..) | Due::Job(_) => None,
            });
        }
    }
    tasks
}

#[tokio::test(start_paused = true)]
async fn settling_stops_when_should_continue_is_false() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    let tasks = fill(store, &form, 70).await;
    let turns = std::cell::Cell::new(2);
    let should_continue = || turns.replace(turns.get() - 1) > 0;
    let report = store.settle_inbox(&tasks, at(START), should_continue).await;
    assert_eq!((report.settled, report.unsettled.len(), report.errors.len()), (60, 10, 0));
    assert_eq!(settle_all(store, &report.unsettled).await, 10);
    assert_exact(&table, account, at(START)).await;
}

/// Overwrites the form's name in the queued submission of this address. A number makes the item unreadable.
async fn overwrite_form_name(table: &TestTable, address: &str, name: AttributeValue) {
    let waiting = table.client.scan().table_name(TABLE).filter_expression("pending.person.email = :email");
    let waiting = waiting.expression_attribute_values(":email", AttributeValue::S(address.to_owned()));
    let found = waiting.send().await.unwrap().items.unwrap();
    let [item] = found.as_slice() else { panic!("{} submissions by {address}", found.len()) };
    let update =
        table.client.update_item().table_name(TABLE).update_expression("SET pending.form_name = :name");
    let update = update.set_key(Some(["pk", "sk"].map(|name| (name.to_owned(), item[name].clone())).into()));
    update.expression_attribute_values(":name", name).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn unreadable_submission_does_not_block_the_others() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    let tasks = fill(store, &form, 12).await;
    overwrite_form_name(&table, "person7@example.org", AttributeValue::N("7".to_owned())).await;
    let report = store.settle_inbox(&tasks, at(START), || true).await;
    assert_eq!((report.settled, report.unsettled.as_slice()), (11, &tasks[7..8]));
    // It fails once in the batch and once alone.
    assert!(matches!(report.errors.as_slice(), [StoreError::Fault(..), StoreError::Fault(..)]));
    let alone = store.settle_inbox(&report.unsettled, at(START), || true).await;
    assert_eq!((alone.settled, alone.unsettled.as_slice(), alone.errors.len()), (0, &tasks[7..8], 1));

    overwrite_form_name(&table, "person7@example.org", AttributeValue::S("Sign-up".to_owned())).await;
    assert_eq!(settle_all(store, &report.unsettled).await, 1);
    assert_eq!(counts(store, &form).await, FormCounts { set: 12, ..FormCounts::default() });
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn unavailable_table_is_not_queried_per_submission() {
    // The creation of the form is the first batched read.
    let faults = Conflicts::with_plan(Duration::ZERO, |operation, before| {
        (operation == "BatchGetItem" && before >= 1).then_some(Fault::Unavailable)
    });
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let form = form(&table.store, account, &native()).await;
    let tasks = fill(&table.store, &form, 3).await;
    let report = table.store.settle_inbox(&tasks, at(START), || true).await;
    assert!(matches!(report.errors.as_slice(), [StoreError::Unavailable(..)]));
    assert_eq!((report.settled, report.unsettled.len()), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn submission_with_unknown_result_is_accepted_only_with_an_id() {
    // The first two transactions create the account and the form. Later ones are applied, but their responses are lost.
    let faults = Conflicts::with_plan(Duration::ZERO, |operation, before| {
        (operation == "TransactWriteItems" && before >= 2).then_some(Fault::AnswerLost)
    });
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let form = form(&table.store, account, &native()).await;
    let email = email("ada@example.org");
    let submission =
        |id| Submission { form: &form, submission_id: id, email: &email, properties: &[], left_out: 0 };
    let taken = table.store.submit_or_accept(&submission(Some("s-1")), at(START)).await.unwrap();
    assert_eq!(
        (taken.submitted.marketing, taken.waiting),
        (MarketingEffect::Set, None),
        "the first attempt was applied"
    );
    let refused = table.store.submit_or_accept(&submission(None), at(START)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(..))), "without an id the result stays unknown");
    assert_eq!(counts(&table.store, &form).await.received(), 2);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn submission_surely_not_applied_is_accepted_without_id() {
    let faults = Conflicts::with_plan(Duration::ZERO, |operation, before| {
        (operation == "BatchGetItem" && before >= 1).then_some(Fault::Unavailable)
    });
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let form = form(&table.store, account, &native()).await;
    let email = email("ada@example.org");
    let submission =
        Submission { form: &form, submission_id: None, email: &email, properties: &[], left_out: 0 };
    let taken = table.store.submit_or_accept(&submission, at(START)).await.unwrap();
    assert_eq!(taken.submitted.marketing, MarketingEffect::Accepted);
    assert!(taken.waiting.is_some());
}
