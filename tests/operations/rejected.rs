//! Rejected submissions: storage, lists, retries, and expiry after 90 days.

use std::time::Duration;

use chrono::TimeDelta;
use domain::limits::{REJECTED_ANSWERS_BYTES_MAX, REJECTED_KEPT};
use domain::provider::Provider;
use futures_util::future::join_all;
use store::{
    ContactEffect, ContactRef, FieldProblem, Form, FormCounts, Mapped, MarketingEffect, NewForm, Person,
    Refused, Rejected, Rejection, Responder, Store, StoreError, StoredResponse, Submitted,
};
use testkit::{Conflicts, TestTable, at, email, property};

use super::forms::{counts, form, native};
use super::{START, Told, assert_exact, claim};

/// Rejects a submission.
pub async fn reject(store: &Store, form: &Form, id: Option<&str>, answers: &str) -> Submitted {
    let field = "email".to_owned();
    let errors = [FieldProblem { field, message: "is required: the person's e-mail address".to_owned() }];
    let rejection = Rejection { form, submission_id: id, answers, reason: "no-address", errors: &errors };
    store.reject(&rejection, at(START)).await.unwrap()
}

async fn rejected(store: &Store, form: &Form) -> Vec<Rejected> {
    store.rejected(form.account, form.id, at(START), None, 10).await.unwrap().items
}

/// Maps the answers of these tests, which are a single address. Fails if there is no address.
fn read(rejected: &Rejected) -> Result<Mapped, String> {
    let answers = &rejected.answers;
    if !answers.contains('@') {
        return Err(answers.clone());
    }
    let person = Person { email: email(answers), properties: vec![property("plan", "gold")] };
    Ok(Mapped { person, left_out: 2 })
}

#[tokio::test(start_paused = true)]
async fn rejected_submission_is_stored_once_in_order_for_90_days() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let store = &table.store;
    let form = form(store, account, &NewForm::new(Provider::Tally, "Sign-up")).await;
    let first = reject(store, &form, Some("s-1"), r#"{"name": "Ada"}"#).await;
    let reason = Some("no-address".to_owned());
    let (contact, marketing) = (ContactEffect::Rejected, MarketingEffect::NotSet);
    assert_eq!(first, Submitted { contact, marketing, reason, duplicate: false });
    let again = reject(store, &form, Some("s-1"), r#"{"name": "Ada"}"#).await;
    assert_eq!(again, Submitted { duplicate: true, ..first });
    reject(store, &form, None, "second").await;
    reject(store, &form, Some("s-3"), "third").await;
    let expected = FormCounts { duplicates: 1, rejected: 3, ..FormCounts::default() };
    assert_eq!(counts(store, &form).await, expected);

    let list = rejected(store, &form).await;
    let contents = ["{\"name\": \"Ada\"}", "second", "third"].map(str::to_owned);
    assert!(contents.iter().all(|text| list.iter().any(|rejected| rejected.answers == *text)));
    assert!(list.is_sorted_by_key(|rejected| rejected.id));
    let one = list.iter().find(|rejected| rejected.submission_id.as_deref() == Some("s-1")).unwrap();
    assert_eq!((one.reason.as_str(), one.received_at, one.errors.len()), ("no-address", at(START), 1));
    let page = store.rejected(account, form.id, at(START), None, 2).await.unwrap();
    assert!(page.items[..] == list[..2] && page.next == Some(list[1].id));
    let rest = store.rejected(account, form.id, at(START), page.next, 9).await.unwrap();
    assert!(rest.items[..] == list[2..] && rest.next.is_none());

    let over = at(START).plus(REJECTED_KEPT);
    let before = over.plus(TimeDelta::seconds(-1));
    assert_eq!(store.rejected(account, form.id, before, None, 9).await.unwrap().items.len(), 3);
    assert!(store.rejected(account, form.id, over, None, 9).await.unwrap().items.is_empty());
    let long = "x".repeat(REJECTED_ANSWERS_BYTES_MAX + 1);
    let rejection = Rejection { form: &form, submission_id: None, answers: &long, reason: "a", errors: &[] };
    assert!(matches!(
        store.reject(&rejection, at(START)).await,
        Err(StoreError::Refused(Refused::Invalid { field: "answers", .. }))
    ));
    let longest = &long[1..];
    reject(store, &form, None, longest).await;
    assert!(rejected(store, &form).await.iter().any(|rejected| rejected.answers == longest));
    assert_eq!(testkit::scan(&table.client, account).await.contacts, 0);
}

#[tokio::test(start_paused = true)]
async fn retry_applies_a_readable_submission_and_keeps_others() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, now) = (&table.store, at(START));
    let form = form(store, account, &native()).await;
    reject(store, &form, Some("s-1"), "ada at example").await;
    reject(store, &form, None, "grace@example.org").await;
    let list = rejected(store, &form).await;
    let id_of = |text: &str| list.iter().find(|rejected| rejected.answers == text).unwrap().id;
    let (ada, grace) = (id_of("ada at example"), id_of("grace@example.org"));
    let claim = claim(account, "retry", 1, now);
    for _ in 0..2 {
        let told = Told::new();
        let render = told.render();
        let still = store
            .retry_rejected_submission(&form, ada, read, now, Responder::new(Some(&claim), &render))
            .await;
        assert_eq!(still.unwrap().err().as_deref(), Some("ada at example"));
    }
    assert_eq!(counts(store, &form).await, FormCounts { rejected: 2, ..FormCounts::default() });

    // A repeat of the request returns the same response, although there is nothing left to retry.
    let render = |submitted: &Submitted| StoredResponse {
        status: 200,
        body: format!("{} {}", submitted.contact, submitted.marketing),
        etag: None,
        location: None,
    };
    for _ in 0..2 {
        let taken = store
            .retry_rejected_submission(&form, grace, read, now, Responder::new(Some(&claim), &render))
            .await;
        assert_eq!(taken.unwrap().ok().unwrap().body, "created set");
    }
    let done = store.retry_rejected_submission(&form, grace, read, now, Responder::new(None, &render)).await;
    assert!(matches!(done, Err(StoreError::Refused(Refused::NotFound(_)))));
    let over = now.plus(REJECTED_KEPT);
    let over = store.retry_rejected_submission(&form, ada, read, over, Responder::new(None, &render)).await;
    assert!(matches!(over, Err(StoreError::Refused(Refused::NotFound(_)))));
    assert_eq!(rejected(store, &form).await.len(), 1);
    assert_eq!(
        counts(store, &form).await,
        FormCounts { rejected: 1, set: 1, fields_left_out: 2, ..FormCounts::default() }
    );
    let (contact, _) =
        store.contact(account, ContactRef::Email(email("grace@example.org")), now).await.unwrap();
    assert_eq!(contact.properties.get("plan"), Some("gold"));
    // A repeat by the sender is still a duplicate.
    assert!(reject(store, &form, Some("s-1"), "ada at example").await.duplicate);
    assert_exact(&table, account, now).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_retries_apply_the_submission_once() {
    let faults = Conflicts::new(Duration::from_millis(1));
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let store = &table.store;
    let form = form(store, account, &native()).await;
    reject(store, &form, None, "ada@example.org").await;
    let id = rejected(store, &form).await[0].id;
    let render =
        |_: &Submitted| StoredResponse { status: 200, body: String::new(), etag: None, location: None };
    let retried = (0..8)
        .map(|_| store.retry_rejected_submission(&form, id, read, at(START), Responder::new(None, &render)));
    let done: Vec<_> = join_all(retried).await;
    let (taken, refused): (Vec<_>, Vec<_>) = done.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (1, 7));
    for refused in refused {
        assert!(matches!(refused, Err(StoreError::Refused(Refused::NotFound(_)))));
    }
    assert_eq!(
        counts(store, &form).await,
        FormCounts { set: 1, fields_left_out: 2, ..FormCounts::default() }
    );
    assert_exact(&table, account, at(START)).await;
}
