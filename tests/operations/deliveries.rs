//! The identity of a delivery: duplicates, edits, and two contacts under one submission id.

use std::time::Duration;

use domain::Timestamp;
use domain::decision::Command;
use domain::ids::AccountId;
use futures_util::future::join_all;
use store::{
    ContactEffect, ContactRef, Form, FormCounts, InboxTask, Mapped, MarketingEffect, Person, Rejected,
    Responder, Store, StoredResponse, Submission, SubmissionOutcome, Submitted,
};
use testkit::{Conflicts, TestTable, at, email, property};

use super::forms::{counts, form, native};
use super::rejected::reject;
use super::{START, UPDATE, assert_exact, set};

/// Submits a delivery with one property, `city`.
async fn deliver(
    store: &Store,
    form: &Form,
    id: &str,
    address: &str,
    city: &str,
    now: Timestamp,
) -> Submitted {
    deliver_or_accept(store, form, id, address, &[("city", city)], now).await.submitted
}

async fn deliver_or_accept(
    store: &Store,
    form: &Form,
    id: &str,
    address: &str,
    answers: &[(&str, &str)],
    now: Timestamp,
) -> SubmissionOutcome {
    let (email, properties) = (email(address), properties_of(answers));
    let submission =
        Submission { form, submission_id: Some(id), email: &email, properties: &properties, left_out: 0 };
    store.submit_or_accept(&submission, now).await.unwrap()
}

async fn accept(
    store: &Store,
    form: &Form,
    id: &str,
    address: &str,
    answers: &[(&str, &str)],
) -> SubmissionOutcome {
    let (email, properties) = (email(address), properties_of(answers));
    let submission =
        Submission { form, submission_id: Some(id), email: &email, properties: &properties, left_out: 0 };
    store.accept_into_inbox(&submission, at(START)).await.unwrap()
}

fn properties_of(answers: &[(&str, &str)]) -> Vec<(domain::property::PropertyName, Option<String>)> {
    answers.iter().map(|(name, value)| property(name, value)).collect()
}

async fn settle(store: &Store, tasks: impl IntoIterator<Item = InboxTask>) {
    let tasks: Vec<InboxTask> = tasks.into_iter().collect();
    let report = store.settle_inbox(&tasks, at(START), || true).await;
    assert!(report.unsettled.is_empty(), "{:?}", report.errors);
}

async fn city(store: &Store, account: AccountId, address: &str) -> Option<String> {
    let (contact, _) = store.contact(account, ContactRef::Email(email(address)), at(START)).await.unwrap();
    contact.properties.get("city").map(str::to_owned)
}

fn effect(submitted: &Submitted) -> (ContactEffect, MarketingEffect, bool) {
    (submitted.contact, submitted.marketing, submitted.duplicate)
}

const CREATED: (ContactEffect, MarketingEffect, bool) = (ContactEffect::Created, MarketingEffect::Set, false);
const EDITED: (ContactEffect, MarketingEffect, bool) =
    (ContactEffect::Updated, MarketingEffect::Unchanged, false);

#[tokio::test(start_paused = true)]
async fn same_id_with_another_contact_is_a_separate_submission() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    for address in ["ada@example.org", "grace@example.org"] {
        assert_eq!(effect(&deliver(store, &form, "s-1", address, "Rome", at(START)).await), CREATED);
    }
    let again = deliver(store, &form, "s-1", "Ada@Example.org", "Rome", at(START)).await;
    assert!(again.duplicate, "another spelling of the address is the same contact");
    let expected = FormCounts { set: 2, duplicates: 1, ..FormCounts::default() };
    assert_eq!(counts(store, &form).await, expected);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn edit_changes_properties_and_a_late_repeat_changes_nothing() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    let ada = "ada@example.org";
    let versions = [("Rome", CREATED), ("Paris", EDITED), ("Oslo", EDITED)];
    for (place, expected) in versions {
        assert_eq!(effect(&deliver(store, &form, "s-1", ada, place, at(START)).await), expected);
        assert_eq!(city(store, account, ada).await.as_deref(), Some(place));
    }
    for (place, _) in versions {
        assert!(deliver(store, &form, "s-1", ada, place, at(START)).await.duplicate, "{place}");
        assert_eq!(city(store, account, ada).await.as_deref(), Some("Oslo"));
    }
    let expected = FormCounts { set: 1, unchanged: 2, duplicates: 3, ..FormCounts::default() };
    assert_eq!(counts(store, &form).await, expected);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn edit_leaves_the_marketing_state_alone() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    let (ada, now) = ("ada@example.org", at("2026-11-30T12:00:00.000Z"));
    deliver(store, &form, "s-1", ada, "Rome", now).await;
    let (contact, _) = store.contact(account, ContactRef::Email(email(ada)), now).await.unwrap();
    set(store, account, Command::SetNonMarketingPending, &[contact.id], now).await.unwrap();
    assert_eq!(effect(&deliver(store, &form, "s-1", ada, "Paris", now).await), EDITED);
    let usage = store.usage(account, now).await.unwrap();
    assert_eq!((usage.marketing, usage.leaving), (1, 1), "the contact is still leaving");
    // The contact has left, and the provider edits the delivery once more.
    assert_eq!(effect(&deliver(store, &form, "s-1", ada, "Oslo", at(UPDATE)).await), EDITED);
    assert_eq!(store.usage(account, at(UPDATE)).await.unwrap().marketing, 0);
    assert_exact(&table, account, at(UPDATE)).await;
}

#[tokio::test(start_paused = true)]
async fn edit_of_a_queued_delivery_replaces_it() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    let ada = "ada@example.org";
    let first = accept(store, &form, "s-1", ada, &[("city", "Rome"), ("zip", "00100")]).await;
    let edit = deliver_or_accept(store, &form, "s-1", ada, &[("city", "Paris")], at(START)).await;
    assert_eq!(edit.submitted.contact, ContactEffect::Accepted);
    assert_eq!(edit.waiting, first.waiting, "the edit replaces the queued submission");
    let late = accept(store, &form, "s-1", ada, &[("city", "Rome"), ("zip", "00100")]).await;
    assert!(late.submitted.duplicate && late.waiting.is_none());
    settle(store, first.waiting).await;
    let (contact, _) = store.contact(account, ContactRef::Email(email(ada)), at(START)).await.unwrap();
    assert_eq!(contact.properties.get("city"), Some("Paris"));
    assert_eq!(contact.properties.get("zip"), Some("00100"), "the edit does not contain the property");
    for place in ["Rome", "Paris"] {
        let answers =
            if place == "Rome" { vec![("city", place), ("zip", "00100")] } else { vec![("city", place)] };
        assert!(deliver_or_accept(store, &form, "s-1", ada, &answers, at(START)).await.submitted.duplicate);
    }
    assert_eq!(counts(store, &form).await.set, 1);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn queued_edit_of_an_applied_delivery_sets_no_marketing() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    let ada = "ada@example.org";
    deliver(store, &form, "s-1", ada, "Rome", at(START)).await;
    let (contact, _) = store.contact(account, ContactRef::Email(email(ada)), at(START)).await.unwrap();
    set(store, account, Command::SetNonMarketingPending, &[contact.id], at(START)).await.unwrap();
    let edit = accept(store, &form, "s-1", ada, &[("city", "Paris")]).await;
    let edited_again = accept(store, &form, "s-1", ada, &[("city", "Oslo")]).await;
    assert_eq!(edit.waiting, edited_again.waiting);
    settle(store, edit.waiting).await;
    assert_eq!(city(store, account, ada).await.as_deref(), Some("Oslo"));
    let usage = store.usage(account, at(START)).await.unwrap();
    assert_eq!((usage.marketing, usage.leaving), (1, 1));
    assert!(deliver(store, &form, "s-1", ada, "Rome", at(START)).await.duplicate);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn rejected_delivery_with_other_answers_is_rejected_again() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    for (answers, duplicate) in [("one", false), ("one", true), ("two", false), ("one", true), ("two", true)]
    {
        assert_eq!(reject(store, &form, Some("s-1"), answers).await.duplicate, duplicate, "{answers}");
    }
    let kept = store.rejected(account, form.id, at(START), None, 10).await.unwrap().items;
    assert_eq!(kept.len(), 2);
    // A version with an address is not a duplicate of a version without one.
    assert_eq!(effect(&deliver(store, &form, "s-1", "ada@example.org", "Rome", at(START)).await), CREATED);
    let expected = FormCounts { rejected: 2, duplicates: 3, set: 1, ..FormCounts::default() };
    assert_eq!(counts(store, &form).await, expected);
}

#[tokio::test(start_paused = true)]
async fn retried_delivery_sent_again_is_a_duplicate() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    let ada = "ada@example.org";
    let read = |_: &Rejected| {
        let person = Person { email: email(ada), properties: properties_of(&[("city", "Rome")]) };
        Ok::<_, ()>(Mapped { person, left_out: 0 })
    };
    let render =
        |_: &Submitted| StoredResponse { status: 200, body: String::new(), etag: None, location: None };
    let retry_all = async || {
        for rejected in store.rejected(account, form.id, at(START), None, 10).await.unwrap().items {
            let responder = Responder::new(None, &render);
            store
                .retry_rejected_submission(&form, rejected.id, read, at(START), responder)
                .await
                .unwrap()
                .unwrap();
        }
    };
    reject(store, &form, Some("s-1"), "one").await;
    retry_all().await;
    assert!(deliver(store, &form, "s-1", ada, "Rome", at(START)).await.duplicate);
    // The reverse order: the provider sends the delivery again before the retry.
    reject(store, &form, Some("s-2"), "two").await;
    deliver(store, &form, "s-2", ada, "Rome", at(START)).await;
    retry_all().await;
    assert!(deliver(store, &form, "s-2", ada, "Rome", at(START)).await.duplicate);
    let expected = FormCounts { duplicates: 2, set: 1, unchanged: 2, ..FormCounts::default() };
    assert_eq!(counts(store, &form).await, expected);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_versions_of_a_delivery_are_each_applied_once() {
    let faults = Conflicts::new(Duration::from_millis(1));
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, &form(&table.store, account, &native()).await);
    let sent = (0..24).map(|n| async move {
        let place = format!("city {}", n % 4);
        deliver_or_accept(store, form, "s-1", "ada@example.org", &[("city", &place)], at(START)).await
    });
    let taken = join_all(sent).await;
    let applied = taken.iter().filter(|taken| !taken.submitted.duplicate).count();
    assert_eq!(applied, 4, "each version is applied once");
    settle(store, taken.iter().filter_map(|taken| taken.waiting)).await;
    let scan = testkit::scan(&table.client, account).await;
    assert_eq!((scan.contacts, scan.billable), (1, 1));
    let counts = counts(store, form).await;
    // A version that replaces a queued version is settled together with it.
    assert_eq!(counts.set, 1);
    assert!(counts.set + counts.unchanged <= 4, "{counts:?}");
    assert_exact(&table, account, at(START)).await;
}
