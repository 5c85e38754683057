//! Limits on anonymous callers of a public form: the tier, the properties, and the cost of a burst.

use std::time::Duration;

use domain::decision::Command;
use domain::form::Overwrite;
use domain::ids::AccountId;
use domain::limits::{FORM_PROPERTIES_MAX, PROPERTIES_MAX};
use domain::period::Terms;
use domain::property::PropertyName;
use domain::tier::Tier;
use futures_util::{StreamExt as _, stream};
use store::{
    ContactRef, Form, FormCounts, InboxTask, MarketingEffect, NewForm, Responder, Store, Submission,
    SubmissionOutcome, Submitted, UpdateAccount,
};
use testkit::{Conflicts, Fault, SeededRng, TestTable, at, email, property, terms};

use super::forms::{SENDERS, counts, form, native, submit};
use super::{START, Told, assert_exact, create, set};

const SET: (MarketingEffect, Option<&str>) = (MarketingEffect::Set, None);
const TIER: (MarketingEffect, Option<&str>) = (MarketingEffect::NotSet, Some("tier-limit"));

fn effect(submitted: &Submitted) -> (MarketingEffect, Option<&str>) {
    (submitted.marketing, submitted.reason.as_deref())
}

/// Returns terms with a tier of three contacts that grows in steps of ten.
fn small_tier() -> Terms {
    Terms { tier: Tier::new(3, 10).unwrap(), ..terms() }
}

async fn change(store: &Store, account: AccountId, change: &UpdateAccount) {
    let told = Told::new();
    store.update_account(account, change, at(START), Responder::new(None, &told.render())).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn form_keeps_contacts_beyond_the_tier_limit_as_non_marketing() {
    let table = TestTable::start().await;
    let account = table.account_with(small_tier(), at(START)).await;
    let (store, now) = (&table.store, at(START));
    let form = form(store, account, &native()).await;
    for (n, expected) in [SET, SET, SET, TIER, TIER].into_iter().enumerate() {
        let submitted = submit(store, &form, None, &format!("p{n}@example.org"), now).await;
        assert_eq!(effect(&submitted), expected, "{n}");
    }
    let period = store.usage(account, now).await.unwrap();
    assert_eq!((period.marketing, period.tier.limit_for(period.marketing)), (3, 3));
    // A user raises the limit, so the next submission of the same contact is accepted.
    create(store, account, "user@example.org", true, now).await;
    assert_eq!(effect(&submit(store, &form, None, "p3@example.org", now).await), SET);
    let expected = FormCounts { set: 4, not_set_by_tier: 2, ..FormCounts::default() };
    assert_eq!(counts(store, &form).await, expected);
    assert_exact(&table, account, now).await;
}

#[tokio::test(start_paused = true)]
async fn form_raises_the_tier_by_its_setting_or_account_default() {
    for (by_account, by_form, raises) in
        [(false, None, false), (true, None, true), (true, Some(false), false), (false, Some(true), true)]
    {
        let table = TestTable::start().await;
        let account = table.account_with(small_tier(), at(START)).await;
        let (store, now) = (&table.store, at(START));
        let default = UpdateAccount { forms_may_raise_tier: Some(by_account), ..UpdateAccount::default() };
        change(store, account, &default).await;
        let form = form(store, account, &NewForm { may_raise_tier: by_form, ..native() }).await;
        for n in 0..3 {
            submit(store, &form, None, &format!("p{n}@example.org"), now).await;
        }
        let fourth = submit(store, &form, None, "p3@example.org", now).await;
        assert_eq!(effect(&fourth), if raises { SET } else { TIER }, "{by_account} {by_form:?}");
        let limit = store.usage(account, now).await.unwrap().tier.limit_for(if raises { 4 } else { 3 });
        assert_eq!(limit, if raises { 13 } else { 3 });
    }
}

/// Sends concurrent submissions of a form that may not raise the limit, with lost responses.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_submissions_never_exceed_the_tier_limit() {
    let mut conflicts = 0;
    for seed in 1..=3_u64 {
        let faults = Conflicts::with_plan(Duration::from_millis(5), move |operation, before| {
            let mut rng = SeededRng::of(&[seed, u64::from(before)]);
            (operation == "TransactWriteItems" && rng.happens(100)).then_some(Fault::AnswerLost)
        });
        let table = TestTable::with_faults(&faults).await;
        let tier = Tier::new(20, 100).unwrap();
        let account = table.account_with(Terms { tier, ..terms() }, at(START)).await;
        let store = &table.store;
        let form = &form(store, account, &native()).await;
        let sent = (0..60).map(|n| async move {
            let (email, id) = (email(&format!("p{n}@example.org")), n.to_string());
            let submission =
                Submission { form, submission_id: Some(&id), email: &email, properties: &[], left_out: 0 };
            store.submit_or_accept(&submission, at(START)).await.unwrap()
        });
        let taken: Vec<SubmissionOutcome> = stream::iter(sent).buffer_unordered(SENDERS).collect().await;
        let waiting: Vec<InboxTask> = taken.iter().filter_map(|taken| taken.waiting).collect();
        let report = store.settle_inbox(&waiting, at(START), || true).await;
        assert!(report.unsettled.is_empty(), "{:?}", report.errors);
        let expected = FormCounts { set: 20, not_set_by_tier: 40, ..FormCounts::default() };
        assert_eq!(counts(store, form).await, expected, "seed {seed}");
        let scan = testkit::scan(&table.client, account).await;
        assert_eq!((scan.contacts, scan.billable), (60, 20), "every contact is stored");
        conflicts += faults.conflicts();
        assert_exact(&table, account, at(START)).await;
    }
    assert!(conflicts > 0, "the test proves nothing without conflicts");
}

#[tokio::test(start_paused = true)]
async fn kept_contact_counts_against_the_budget() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, now) = (&table.store, at(START));
    let ids = super::marketing_contacts(store, account, 2, now).await;
    set(store, account, Command::SetNonMarketingPending, &ids, now).await.unwrap();
    let form = form(store, account, &NewForm { max_new_marketing_per_day: Some(1), ..native() }).await;
    let kept = submit(store, &form, None, "person0@example.org", now).await;
    assert_eq!(effect(&kept), (MarketingEffect::Kept, None));
    let refused = submit(store, &form, None, "person1@example.org", now).await;
    assert_eq!(effect(&refused), (MarketingEffect::NotSet, Some("form-budget")));
    let usage = store.usage(account, now).await.unwrap();
    assert_eq!((usage.marketing, usage.leaving), (2, 1), "the second contact is still leaving");
    let report = super::forms::report(store, &form, now).await;
    assert_eq!(report.budget.unwrap().used_today, 1);
    let expected = FormCounts { kept: 1, not_set_by_budget: 1, ..FormCounts::default() };
    assert_eq!(report.counts, expected);
    assert_exact(&table, account, now).await;
}

fn numbered(range: std::ops::Range<usize>) -> Vec<(PropertyName, Option<String>)> {
    range.map(|n| property(&format!("p{n:03}"), "x")).collect()
}

/// Submits Ada's address with these properties, directly or through the inbox.
async fn submit_ada(
    store: &Store,
    form: &Form,
    properties: &[(PropertyName, Option<String>)],
    through_inbox: bool,
) {
    let ada = email("ada@example.org");
    let submission = Submission { form, submission_id: None, email: &ada, properties, left_out: 2 };
    if through_inbox {
        let waiting = store.accept_into_inbox(&submission, at(START)).await.unwrap().waiting;
        let report = store.settle_inbox(waiting.as_slice(), at(START), || true).await;
        assert_eq!((report.settled, report.errors.len()), (1, 0));
    } else {
        store.submit(&submission, at(START)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn form_fills_half_of_the_properties_and_counts_the_rest() {
    for through_inbox in [false, true] {
        let table = TestTable::start().await;
        let account = table.account(at(START)).await;
        let (store, form) = (&table.store, form(&table.store, account, &native()).await);
        submit_ada(store, &form, &numbered(0..PROPERTIES_MAX), through_inbox).await;
        submit_ada(store, &form, &numbered(0..PROPERTIES_MAX), through_inbox).await;
        let ada = ContactRef::Email(email("ada@example.org"));
        let (contact, _) = store.contact(account, ada, at(START)).await.unwrap();
        assert_eq!(contact.properties.len(), FORM_PROPERTIES_MAX);
        let left_out = u64::try_from(PROPERTIES_MAX - FORM_PROPERTIES_MAX + 2).unwrap();
        let counts = counts(store, &form).await;
        assert_eq!((counts.fields_left_out, counts.received()), (2 * left_out, 2), "{through_inbox}");
    }
}

#[tokio::test(start_paused = true)]
async fn stored_properties_follow_the_forms_overwrite_setting() {
    for (overwrite, city) in
        [(Overwrite::Always, "Rome"), (Overwrite::IfEmpty, "Berlin"), (Overwrite::Never, "Berlin")]
    {
        for through_inbox in [false, true] {
            let table = TestTable::start().await;
            let account = table.account(at(START)).await;
            let store = &table.store;
            let open = form(store, account, &native()).await;
            let closed = form(store, account, &NewForm { overwrite, ..native() }).await;
            submit_ada(store, &closed, &[property("city", "Berlin")], through_inbox).await;
            submit_ada(store, &closed, &[property("city", "Rome"), property("zip", "1")], through_inbox)
                .await;
            let ada = || ContactRef::Email(email("ada@example.org"));
            let (contact, _) = store.contact(account, ada(), at(START)).await.unwrap();
            assert_eq!(contact.properties.get("city"), Some(city), "{overwrite} {through_inbox}");
            let zip = (overwrite != Overwrite::Never).then_some("1");
            assert_eq!(contact.properties.get("zip"), zip, "{overwrite} {through_inbox}");
            submit_ada(store, &open, &[property("city", "Oslo")], through_inbox).await;
            let (contact, _) = store.contact(account, ada(), at(START)).await.unwrap();
            assert_eq!(
                contact.properties.get("city"),
                Some("Oslo"),
                "the other form applies its own setting"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn submission_tries_four_times_then_enters_the_inbox() {
    let faults = Conflicts::new(Duration::from_secs(1));
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let (store, form) = (&table.store, form(&table.store, account, &native()).await);
    table.recorder.reset();
    // Another transaction locks the account's period meanwhile.
    let other = create(store, account, "grace@example.org", true, at(START));
    let ada = email("ada@example.org");
    let submission =
        Submission { form: &form, submission_id: None, email: &ada, properties: &[], left_out: 0 };
    let submitted = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        store.submit_or_accept(&submission, at(START)).await.unwrap()
    };
    let (_, taken) = futures_util::future::join(other, submitted).await;
    assert!(taken.waiting.is_some());
    let calls = table.recorder.calls();
    assert_eq!((calls["TransactWriteItems"], calls["PutItem"]), (1 + 4, 1), "{calls:?}");
}
