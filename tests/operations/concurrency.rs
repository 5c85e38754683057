//! Concurrent requests: the cap, a closing under load, and identical requests sent in parallel.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::decision::{Command, Outcome, Refusal};
use domain::ids::ContactId;
use domain::provider::Provider;
use domain::source::Intake;
use futures_util::future::join_all;
use store::{ContactRef, Form, NewForm, Responder, SaveMode, StatusOutcome, Submission};
use testkit::{Conflicts, TestTable, at, email, terms};

use super::{
    START, Told, assert_exact, claim, create, done, marketing_contacts, outcomes, save, set, set_status,
};

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_for_last_places_never_exceed_the_cap() {
    let faults = Conflicts::new(Duration::from_millis(1));
    let table = TestTable::with_faults(&faults).await;
    let account = table.account_with(domain::period::Terms { cap: Some(7), ..terms() }, at(START)).await;
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(create(&table.store, account, &format!("p{n}@example.org"), false, at(START)).await.id);
    }
    let requests = ids
        .iter()
        .map(|id| set(&table.store, account, Command::SetMarketing, std::slice::from_ref(id), at(START)));
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for report in join_all(requests).await {
        match outcomes(&report.unwrap())[..] {
            [StatusOutcome::Done(Outcome::Set)] => *counts.entry("set").or_default() += 1,
            [StatusOutcome::Refused(Refusal::CapReached)] => *counts.entry("refused").or_default() += 1,
            ref other => panic!("{other:?}"),
        }
    }
    assert_eq!(counts, BTreeMap::from([("set", 7), ("refused", 13)]));
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn capacity_is_assigned_in_the_order_of_the_list() {
    let table = TestTable::start().await;
    let account = table.account_with(domain::period::Terms { cap: Some(150), ..terms() }, at(START)).await;
    let mut ids: Vec<ContactId> = Vec::new();
    for n in 0..200 {
        ids.push(create(&table.store, account, &format!("p{n}@example.org"), false, at(START)).await.id);
    }
    let report = set(&table.store, account, Command::SetMarketing, &ids, at(START)).await.unwrap();
    let all = outcomes(&report);
    let (first, rest) = all.split_at(150);
    assert_eq!(first, vec![done(Outcome::Set); 150]);
    assert_eq!(rest, vec![StatusOutcome::Refused(Refusal::CapReached); 50]);
    assert_eq!(report.period.marketing, 150);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn period_under_load_closes_once_with_exact_counts() {
    let faults = Conflicts::new(Duration::from_millis(1));
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let ids = marketing_contacts(&table.store, account, 24, at(START)).await;
    // The clocks of the clients differ: half of them show the last instant before the update date.
    let work = ids.iter().enumerate().map(|(n, id)| {
        let now = if n % 2 == 0 { super::JUST_BEFORE } else { super::UPDATE };
        let command = if n % 3 == 0 { Command::SetMarketing } else { Command::SetNonMarketingPending };
        set(&table.store, account, command, std::slice::from_ref(id), at(now))
    });
    for report in join_all(work).await {
        report.unwrap();
    }
    let now = at("2026-12-01T00:00:01.000Z");
    assert_exact(&table, account, now).await;
    let statements = table.store.statements(account, now, None, 10).await.unwrap().items;
    let period = table.store.usage(account, now).await.unwrap();
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0].marketing, 24);
    assert_eq!(period.marketing, statements[0].marketing - statements[0].left);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_identical_requests_apply_once_with_one_response() {
    let faults = Conflicts::new(Duration::from_millis(1));
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let contact = create(&table.store, account, "ada@example.org", false, at(START)).await;
    let claim = claim(account, "the-same", 1, at(START));
    let contacts = [ContactRef::Id(contact.id)];
    let render = |report: &store::StatusReport| store::StoredResponse {
        status: 200,
        body: format!("{:?} {}", report.results[0].outcome, report.period.marketing),
        etag: None,
        location: None,
    };
    let sent = (0..12).map(|_| {
        let responder = Responder::new(Some(&claim), &render);
        set_status(&table.store, account, Command::SetMarketing, &contacts, at(START), responder)
    });
    for answer in join_all(sent).await {
        assert_eq!(answer.unwrap().body, "Done(Set) 1");
    }
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_saves_of_one_address_create_one_contact() {
    let faults = Conflicts::new(Duration::from_millis(1));
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let made = (0..12).map(|n| {
        let spelling = if n % 2 == 0 { "Ada@Example.org" } else { "ada@example.ORG" };
        let intake = Intake::Manual { marketing: Some(n % 3 == 0) };
        save(&table.store, account, spelling, SaveMode::CreateOrUpdate, intake, at(START))
    });
    let saved: Vec<_> = join_all(made).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(saved.iter().filter(|saved| saved.created).count(), 1);
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.addresses, scan.billable), (1, 1, 1));
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_identical_deliveries_bill_one_contact() {
    let faults = Conflicts::new(Duration::from_millis(1));
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let form = form(&table, account).await;
    let email = email("ada@example.org");
    let submission =
        Submission { form: &form, submission_id: Some("s-1"), email: &email, properties: &[], left_out: 0 };
    let sent = (0..12).map(|_| table.store.submit(&submission, at(START)));
    let submitted: Vec<_> = join_all(sent).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(submitted.iter().filter(|submitted| !submitted.duplicate).count(), 1);
    assert!(submitted.iter().all(|submitted| submitted.marketing == store::MarketingEffect::Set));
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.billable), (1, 1));
    assert_exact(&table, account, at(START)).await;
}

/// Creates a form that sets contacts marketing.
async fn form(table: &TestTable, account: domain::ids::AccountId) -> Form {
    let new = NewForm::new(Provider::Native, "Newsletter");
    let told = Told::new();
    table.store.create_form(account, &new, at(START), Responder::new(None, &told.render())).await.unwrap();
    told.take()
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_operations_of_all_kinds_keep_counts_exact() {
    let faults = Conflicts::new(Duration::from_millis(1));
    let table = TestTable::with_faults(&faults).await;
    let account = table.account_with(domain::period::Terms { cap: Some(25), ..terms() }, at(START)).await;
    let form = form(&table, account).await;
    let ids = marketing_contacts(&table.store, account, 10, at(START)).await;
    let store = &table.store;
    let commands = ids.iter().enumerate().map(|(n, id)| async move {
        let command = if n % 2 == 0 { Command::SetNonMarketingPending } else { Command::SetMarketing };
        set(store, account, command, std::slice::from_ref(id), at(START)).await.unwrap();
    });
    let deletes = ids.iter().step_by(3).map(|id| async move {
        super::delete(store, account, *id, false, at(START)).await.unwrap();
    });
    let form = &form;
    let submissions = (0..20).map(|n| async move {
        // Some of these contacts are being deleted concurrently.
        let email = email(&format!("person{n}@example.org"));
        let submission =
            Submission { form, submission_id: None, email: &email, properties: &[], left_out: 0 };
        store.submit(&submission, at(START)).await.unwrap();
    });
    tokio::join!(join_all(commands), join_all(deletes), join_all(submissions));
    assert!(faults.conflicts() > 0, "the test proves nothing without conflicts");
    assert_exact(&table, account, at(START)).await;
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!(
        scan.addresses, 20,
        "one address item for each of twenty contacts, including the deleted ones"
    );
}
