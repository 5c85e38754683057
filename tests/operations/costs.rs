//! Costs of operations, as exact counts of calls and capacity units.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::TimeDelta;
use domain::decision::{Command, Outcome, Refusal};
use domain::limits::HISTORY_RECENT_MAX;
use domain::marketing::EffectiveState;
use domain::patch::Patch;
use domain::period::{PeriodNumber, Terms};
use domain::provider::Provider;
use domain::source::Intake;
use store::{
    Account, ContactRef, MarketingEffect, NewForm, Responder, SaveContact, SaveMode, StatusOutcome,
    UpdateAccount,
};
use testkit::{Recorder, TABLE, TestTable, at, email, property, terms};

use super::forms::{form, native, report, submit};
use super::{
    START, Told, UPDATE, claim, create, done, marketing_contacts, outcomes, read, saving, set, set_status,
};

fn calls(recorder: &Recorder) -> Vec<(&'static str, u32)> {
    let calls: BTreeMap<_, _> = recorder.calls();
    calls.into_iter().collect()
}

#[tokio::test(start_paused = true)]
async fn setting_one_contact_costs_one_batch_and_one_transaction() {
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

#[tokio::test(start_paused = true)]
async fn setting_98_contacts_under_a_key_costs_the_same_two_calls() {
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
        let responder = Responder::new(Some(&claim), &render);
        set_status(&table.store, account, command, &contacts, at(START), responder).await.unwrap();
        assert_eq!(calls(&table.recorder), [("BatchGetItem", 1), ("TransactWriteItems", 1)]);
        assert_eq!(outcomes(&told.take()), vec![done(outcome); 98]);
    }
}

#[tokio::test(start_paused = true)]
async fn unchanged_contact_causes_no_write() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    table.recorder.reset();
    let report = set(&table.store, account, Command::SetMarketing, &[contact.id], at(START)).await.unwrap();
    assert_eq!(outcomes(&report), [done(Outcome::Unchanged)]);
    assert_eq!(calls(&table.recorder), [("BatchGetItem", 1)]);
}

#[tokio::test(start_paused = true)]
async fn usage_costs_one_read() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    table.recorder.reset();
    table.store.usage(account, at(START)).await.unwrap();
    assert_eq!(calls(&table.recorder), [("BatchGetItem", 1)]);
    assert!((table.recorder.units().read - 1.0).abs() < f64::EPSILON);
    assert_eq!(table.recorder.inconsistent_reads(), BTreeMap::new());
}

#[tokio::test(start_paused = true)]
async fn contact_read_costs_one_batched_read() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    table.recorder.reset();
    read(&table.store, account, contact.id, at(START)).await.unwrap();
    assert_eq!(calls(&table.recorder), [("BatchGetItem", 1)]);
}

/// Closing a period is one transaction, independent of the number of leaving contacts. The design depends on this.
#[tokio::test(flavor = "multi_thread")]
async fn closing_cost_is_independent_of_leaving_contacts() {
    let mut costs = Vec::new();
    for count in [10, 1_000, 20_000] {
        let table = TestTable::start().await;
        let account = table.account(at(START)).await;
        testkit::seed(&table, account, count, EffectiveState::Leaving, at(START)).await;
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

/// Returns the calls, read units and write units since the recorder's last reset, and resets it.
fn spent(table: &TestTable) -> (Vec<(&'static str, u32)>, f64, f64) {
    let units = table.recorder.units();
    let spent = (calls(&table.recorder), units.read, units.write);
    assert_eq!(table.recorder.inconsistent_reads(), BTreeMap::new());
    table.recorder.reset();
    spent
}

#[tokio::test(start_paused = true)]
async fn submission_costs_at_most_two_batches_and_one_transaction() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let plain = form(&table.store, account, &native()).await;
    let bounded = NewForm { max_new_marketing_per_day: Some(9), ..native() };
    let bounded = form(&table.store, account, &bounded).await;
    let external = form(&table.store, account, &NewForm::new(Provider::Tally, "Sign-up")).await;
    table.recorder.reset();
    let (new, known) =
        ([("BatchGetItem", 1), ("TransactWriteItems", 1)], [("BatchGetItem", 2), ("TransactWriteItems", 1)]);
    // Contact, address, period and the form's counts: each at most 1 KB, so 2 write units each in a transaction.
    submit(&table.store, &plain, None, "a@example.org", at(START)).await;
    assert_eq!(spent(&table), (new.into(), 2.0, 8.0));
    // The delivery is one more item.
    submit(&table.store, &plain, Some("s-1"), "b@example.org", at(START)).await;
    assert_eq!(spent(&table), (new.into(), 3.0, 10.0));
    // The form's day is one more item. The account's default is read in the same batch.
    submit(&table.store, &bounded, Some("s-1"), "c@example.org", at(START)).await;
    assert_eq!(spent(&table), (new.into(), 4.0, 12.0));
    submit(&table.store, &external, Some("s-1"), "d@example.org", at(START)).await;
    assert_eq!(spent(&table), (new.into(), 4.0, 10.0));
    let set = NewForm { set_marketing: Some(true), ..NewForm::new(Provider::Tally, "Sign-up") };
    let set = form(&table.store, account, &set).await;
    table.recorder.reset();
    submit(&table.store, &set, Some("s-1"), "e@example.org", at(START)).await;
    assert_eq!(spent(&table), (new.into(), 3.0, 10.0));
    // Only the counts are written.
    submit(&table.store, &plain, None, "a@example.org", at(START)).await;
    assert_eq!(spent(&table), (known.into(), 4.0, 2.0));
    submit(&table.store, &plain, Some("s-1"), "b@example.org", at(START)).await;
    assert_eq!(spent(&table), (vec![("BatchGetItem", 1), ("UpdateItem", 1)], 3.0, 1.0));
    super::rejected::reject(&table.store, &external, Some("s-2"), "{}").await;
    assert_eq!(spent(&table), (new.into(), 2.0, 6.0));
    report(&table.store, &bounded, at(START)).await;
    assert_eq!(spent(&table), (vec![("BatchGetItem", 1), ("Query", 1)], 4.0, 0.0));
}

#[tokio::test(start_paused = true)]
async fn refused_submission_costs_no_more_than_an_accepted_one() {
    let table = TestTable::start().await;
    let account = table.account_with(Terms { cap: Some(0), ..terms() }, at(START)).await;
    let plain = form(&table.store, account, &native()).await;
    let bounded = NewForm { max_new_marketing_per_day: Some(0), ..native() };
    let bounded = form(&table.store, account, &bounded).await;
    for (form, address) in [(&plain, "ada@example.org"), (&bounded, "bob@example.org")] {
        for reads in [1, 2] {
            table.recorder.reset();
            let refused = submit(&table.store, form, None, address, at(START)).await;
            assert_eq!(refused.marketing, MarketingEffect::NotSet);
            assert_eq!(calls(&table.recorder), [("BatchGetItem", reads), ("TransactWriteItems", 1)]);
        }
    }
}

/// The command reads the period and the contacts in one batch, so it reads both again before it refuses a contact.
#[tokio::test(start_paused = true)]
async fn refused_status_command_costs_one_more_batched_read() {
    let table = TestTable::start().await;
    let account = table.account_with(Terms { cap: Some(0), ..terms() }, at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", false, at(START)).await;
    table.recorder.reset();
    let report = set(&table.store, account, Command::SetMarketing, &[contact.id], at(START)).await.unwrap();
    assert_eq!(outcomes(&report), [StatusOutcome::Refused(Refusal::CapReached)]);
    assert_eq!(calls(&table.recorder), [("BatchGetItem", 2)]);
}

#[tokio::test(start_paused = true)]
async fn account_update_writes_only_the_items_that_change() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let name = UpdateAccount { name: Some("Ada & Co".to_owned()), ..UpdateAccount::default() };
    let cap = UpdateAccount { cap: Patch::Set(9), ..UpdateAccount::default() };
    let both = UpdateAccount { cap: Patch::Remove, ..name.clone() };
    for (change, units) in [(name, 2.0), (cap, 2.0), (both, 4.0)] {
        table.recorder.reset();
        let told = Told::<Account>::new();
        let render = told.render();
        let responder = Responder::new(None, &render);
        table.store.update_account(account, &change, at(START), responder).await.unwrap();
        assert!((table.recorder.units().write - units).abs() < f64::EPSILON);
    }
}

#[tokio::test(start_paused = true)]
async fn accept_costs_one_write_and_thirty_settle_in_a_transaction() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let form = form(&table.store, account, &native()).await;
    for (reads, contacts) in [(2, "new"), (3, "known")] {
        table.recorder.reset();
        let tasks = super::inbox::fill(&table.store, &form, 1).await;
        // The item, and its entry in the `due` index.
        assert_eq!(spent(&table), (vec![("PutItem", 1)], 0.0, 2.0));
        let tasks: Vec<_> =
            tasks.into_iter().chain(super::inbox::fill(&table.store, &form, 29).await).collect();
        table.recorder.reset();
        let settled = table.store.settle_inbox(&tasks, at(START), || true).await;
        assert_eq!(settled.settled, 30);
        let expected = vec![("BatchGetItem", reads), ("TransactWriteItems", 1)];
        assert_eq!(spent(&table).0, expected, "{contacts} contacts");
    }
}

#[tokio::test(start_paused = true)]
async fn sweep_page_costs_one_query_and_one_batched_read() {
    // Each bucket holds 102 contacts. A page holds 99, because the batched read of 100 items includes the period.
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let _ = testkit::seed(&table, account, 16 * 102, EffectiveState::Leaving, at(START)).await;
    table.store.close_ended(account, at(UPDATE)).await.unwrap();
    let tasks = table.store.unswept(account, PeriodNumber::FIRST).await.unwrap();
    table.recorder.reset();
    let swept = table.store.sweep(tasks[3], at(UPDATE), || true).await.unwrap();
    assert_eq!((swept.contacts, swept.finished), (102, true));
    assert_eq!(
        calls(&table.recorder),
        [("BatchGetItem", 2), ("PutItem", 102), ("Query", 2), ("UpdateItem", 1)]
    );
}

#[tokio::test(start_paused = true)]
async fn history_overflow_is_written_to_a_page() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    table.recorder.reset();
    let commands = [Command::SetNonMarketingPending, Command::SetMarketing].into_iter().cycle();
    for (changes, command) in (2..=HISTORY_RECENT_MAX + 1).zip(commands) {
        set(&table.store, account, command, &[contact.id], at(START)).await.unwrap();
        let pages = table.recorder.calls().get("BatchWriteItem").copied();
        assert_eq!(pages, (changes > HISTORY_RECENT_MAX).then_some(1), "after {changes} changes");
    }
}

/// Returns the size of an attribute in bytes, as DynamoDB counts it.
fn bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, value)| 1 + name.len() + bytes(value)).sum::<usize>()
        }
        other => panic!("unexpected attribute type of a contact: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn contact_update_cost_is_independent_of_history_length() {
    let table = TestTable::start().await;
    let (store, account) = (&table.store, table.account(at(START)).await);
    let properties = [property("firstname", "Ada"), property("city", "London")];
    let address = email("ada@example.org");
    let intake = Intake::Manual { marketing: Some(true) };
    let save = SaveContact { mode: SaveMode::Create, intake, ..saving(account, Some(&address), &properties) };
    let told = Told::new();
    store.upsert_contact(&save, at(START), Responder::new(None, &told.render())).await.unwrap();
    let id = told.take().contact.id;
    let mut pages = 0;
    for n in 0..=100_i64 {
        let key = |text: String| AttributeValue::S(text);
        let get = table.client.get_item().table_name(TABLE);
        let get =
            get.key("pk", key(format!("CONTACT#{account}#{}", id.bucket()))).key("sk", key(id.sortable()));
        let item = get.send().await.unwrap().item.unwrap();
        let size: usize = item.iter().map(|(name, value)| name.len() + bytes(value)).sum();
        assert!(size <= 1_024, "{size} bytes after {n} changes");
        table.recorder.reset();
        let command = if n % 2 == 0 { Command::SetNonMarketingPending } else { Command::SetMarketing };
        let now = at(START).plus(TimeDelta::milliseconds(n + 1));
        set(store, account, command, &[id], now).await.unwrap();
        // The contact and the period cost 2 units each. The entry in the `leaving` index and a page cost 1 each.
        let page = u32::from(table.recorder.calls().contains_key("BatchWriteItem"));
        pages += page;
        let units = table.recorder.units();
        assert_eq!((units.read, units.write), (2.0, f64::from(5 + page)), "after {n} changes");
    }
    assert_eq!(pages, 12, "every eighth change writes a page, except the first changes");
}

#[tokio::test(start_paused = true)]
async fn explanation_queries_history_pages_only_if_they_exist() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", true, at(START)).await;
    let explain = async || {
        table.recorder.reset();
        table.store.explain(account, ContactRef::Id(contact.id), at(START)).await.unwrap();
        calls(&table.recorder)
    };
    let commands = [Command::SetNonMarketingPending, Command::SetMarketing].into_iter().cycle();
    for command in commands.take(HISTORY_RECENT_MAX) {
        assert_eq!(explain().await, [("BatchGetItem", 1)]);
        set(&table.store, account, command, &[contact.id], at(START)).await.unwrap();
    }
    assert_eq!(explain().await, [("BatchGetItem", 1), ("Query", 1)]);
}
