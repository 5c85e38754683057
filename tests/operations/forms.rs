//! Form submissions: duplicates, the daily budget, the marketing setting of the form or the account, and counts.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use domain::Timestamp;
use domain::calendar::Calendar;
use domain::decision::Command;
use domain::ids::AccountId;
use domain::patch::Patch;
use domain::period::Terms;
use domain::provider::Provider;
use domain::secrets::Secrets;
use domain::source::SourceType;
use futures_util::{StreamExt as _, stream};
use store::{
    ContactEffect, ContactRef, Form, FormCounts, FormReport, MarketingEffect, NewForm, Refused, Responder,
    Store, StoreError, Submission, Submitted, UpdateAccount, UpdateForm,
};
use testkit::{Conflicts, Fault, SeededRng, TestTable, at, email, terms};

use super::{START, Told, assert_exact, set};

/// The number of concurrent submissions.
pub const SENDERS: usize = 32;

/// Returns a native form with default settings.
pub fn native() -> NewForm {
    NewForm::new(Provider::Native, "Newsletter")
}

/// Creates a form.
pub async fn form(store: &Store, account: AccountId, new: &NewForm) -> Form {
    let told = Told::new();
    store.create_form(account, new, at(START), Responder::new(None, &told.render())).await.unwrap();
    told.take()
}

/// Updates a form.
pub async fn change(store: &Store, form: &Form, change: UpdateForm) -> Result<Form, StoreError> {
    let told = Told::new();
    let responder = told.render();
    store
        .update_form(form.account, form.id, &change, true, at(START), Responder::new(None, &responder))
        .await?;
    drop(responder);
    Ok(told.take())
}

/// Submits a form.
pub async fn submit(
    store: &Store,
    form: &Form,
    id: Option<&str>,
    address: &str,
    now: Timestamp,
) -> Submitted {
    let email = email(address);
    let submission = Submission { form, submission_id: id, email: &email, properties: &[], left_out: 0 };
    store.submit(&submission, now).await.unwrap()
}

/// Returns the form's report: its counts and its budget.
pub async fn report(store: &Store, form: &Form, now: Timestamp) -> FormReport {
    store.form_report(form.account, form.id, now).await.unwrap()
}

/// Returns the form's counts.
pub async fn counts(store: &Store, form: &Form) -> FormCounts {
    report(store, form, at(START)).await.counts
}

/// Returns a submission's effect on the marketing state, and the reason.
fn effect(submitted: &Submitted) -> (MarketingEffect, Option<&str>) {
    (submitted.marketing, submitted.reason.as_deref())
}

const BUDGET: (MarketingEffect, Option<&str>) = (MarketingEffect::NotSet, Some("form-budget"));
const CAP: (MarketingEffect, Option<&str>) = (MarketingEffect::NotSet, Some("cap-reached"));
const SET: (MarketingEffect, Option<&str>) = (MarketingEffect::Set, None);

#[tokio::test(start_paused = true)]
async fn delivery_is_a_duplicate_for_seven_days() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let form = form(&table.store, account, &native()).await;
    let later = at(START).plus(TimeDelta::days(7));
    let just_before = later.plus(TimeDelta::seconds(-1));
    for (now, duplicate) in [(at(START), false), (at(START), true), (just_before, true), (later, false)] {
        let submitted = submit(&table.store, &form, Some("s-1"), "ada@example.org", now).await;
        assert_eq!(submitted.duplicate, duplicate, "{now}");
    }
    let expected = FormCounts { duplicates: 2, set: 1, unchanged: 1, ..FormCounts::default() };
    assert_eq!((counts(&table.store, &form).await, expected.received()), (expected, 4));
    assert_exact(&table, account, later).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_submissions_set_exactly_the_daily_budget() {
    let faults = Conflicts::new(Duration::from_millis(1));
    let table = TestTable::with_faults(&faults).await;
    let account = table.account(at(START)).await;
    let new = NewForm { max_new_marketing_per_day: Some(10), ..native() };
    let form = form(&table.store, account, &new).await;
    let (store, form) = (&table.store, &form);
    let sent = (0..SENDERS).map(|n| async move {
        let email = email(&format!("person{n}@example.org"));
        let submission =
            Submission { form, submission_id: None, email: &email, properties: &[], left_out: 0 };
        store.submit_or_accept(&submission, at(START)).await.unwrap()
    });
    let taken: Vec<_> = stream::iter(sent).buffer_unordered(SENDERS).collect().await;
    let waiting: Vec<_> = taken.iter().filter_map(|taken| taken.waiting).collect();
    let settled = store.settle_inbox(&waiting, at(START), || true).await;
    assert_eq!((settled.settled, settled.unsettled.len()), (waiting.len() as u64, 0));
    let of_effect = |wanted| taken.iter().filter(|taken| effect(&taken.submitted) == wanted).count();
    assert_eq!(of_effect(SET) + of_effect(BUDGET) + waiting.len(), SENDERS);
    let report = report(store, form, at(START)).await;
    assert_eq!(
        report.counts,
        FormCounts { set: 10, not_set_by_budget: 22, ..FormCounts::default() },
        "every submission is counted once"
    );
    assert_eq!(report.budget.unwrap().used_today, 10);
    assert!(faults.conflicts() > 0, "the test proves nothing without conflicts");
    assert_eq!(testkit::scan(&table.client, account).await.contacts, 32, "every contact is stored");
    assert_eq!(table.store.usage(account, at(START)).await.unwrap().marketing, 10);
    assert_exact(&table, account, at(START)).await;
}

#[tokio::test(start_paused = true)]
async fn budget_resets_at_midnight_in_the_accounts_time_zone() {
    let table = TestTable::start().await;
    let calendar = Calendar { time_zone: "Europe/Berlin".parse().unwrap(), ..terms().calendar };
    let account = table.account_with(Terms { calendar, ..terms() }, at(START)).await;
    let new = NewForm { max_new_marketing_per_day: Some(1), ..native() };
    let form = form(&table.store, account, &new).await;
    let store = &table.store;
    let used = async |now: &str| {
        let budget = report(store, &form, at(now)).await.budget.unwrap();
        (budget.day.to_string(), budget.used_today, budget.max_new_marketing_per_day)
    };
    let (just_before, midnight) = ("2026-11-10T22:59:59.999Z", "2026-11-10T23:00:00.000Z");
    assert_eq!(used(START).await, ("2026-11-10".to_owned(), 0, 1));
    assert_eq!(effect(&submit(store, &form, None, "a@example.org", at(START)).await), SET);
    assert_eq!(effect(&submit(store, &form, None, "b@example.org", at(just_before)).await), BUDGET);
    assert_eq!(used(just_before).await, ("2026-11-10".to_owned(), 1, 1));
    assert_eq!(used(midnight).await, ("2026-11-11".to_owned(), 0, 1));
    assert_eq!(effect(&submit(store, &form, None, "b@example.org", at(midnight)).await), SET);
    assert_eq!(used(midnight).await, ("2026-11-11".to_owned(), 1, 1));
    // A caller with a slow clock does not return the form to the earlier day.
    assert_eq!(effect(&submit(store, &form, None, "c@example.org", at(just_before)).await), BUDGET);
    assert_exact(&table, account, at(midnight)).await;
}

#[tokio::test(start_paused = true)]
async fn budget_counts_set_and_kept_after_the_cap_check() {
    let table = TestTable::start().await;
    let account = table.account_with(Terms { cap: Some(2), ..terms() }, at(START)).await;
    let (store, now) = (&table.store, at(START));
    let ids = super::marketing_contacts(store, account, 1, now).await;
    set(store, account, Command::SetNonMarketingPending, &ids, now).await.unwrap();
    let form = form(store, account, &NewForm { max_new_marketing_per_day: Some(2), ..native() }).await;
    let leaving = submit(store, &form, None, "person0@example.org", now).await;
    assert_eq!(effect(&leaving), (MarketingEffect::Kept, None));
    assert_eq!(effect(&submit(store, &form, None, "new@example.org", now).await), SET);
    let again = submit(store, &form, None, "new@example.org", now).await;
    assert_eq!(effect(&again), (MarketingEffect::Unchanged, None));
    assert_eq!(effect(&submit(store, &form, None, "one@example.org", now).await), CAP);
    let told = Told::new();
    let more = UpdateAccount { cap: Patch::Remove, ..UpdateAccount::default() };
    store.update_account(account, &more, now, Responder::new(None, &told.render())).await.unwrap();
    assert_eq!(effect(&submit(store, &form, None, "one@example.org", now).await), BUDGET);
    let wider = UpdateForm { max_new_marketing_per_day: Patch::Set(3), ..UpdateForm::default() };
    let form = change(store, &form, wider).await.unwrap();
    assert_eq!(effect(&submit(store, &form, None, "one@example.org", now).await), SET);
    let none = UpdateForm { max_new_marketing_per_day: Patch::Remove, ..UpdateForm::default() };
    let form = change(store, &form, none).await.unwrap();
    assert_eq!(effect(&submit(store, &form, None, "two@example.org", now).await), SET);
    let report = report(store, &form, now).await;
    let expected = FormCounts {
        set: 3,
        kept: 1,
        unchanged: 1,
        not_set_by_cap: 1,
        not_set_by_budget: 1,
        ..FormCounts::default()
    };
    assert_eq!((report.counts, report.budget), (expected, None));
    assert_exact(&table, account, now).await;
}

#[tokio::test(start_paused = true)]
async fn external_form_uses_its_setting_or_the_account_default() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let (store, now) = (&table.store, at(START));
    let not_set = (MarketingEffect::NotSet, None);
    let mut contacts = 0;
    for (external_form, provider, own, expected) in [
        (true, Provider::Typeform, None, SET),
        (true, Provider::Typeform, Some(false), not_set),
        (false, Provider::Typeform, None, not_set),
        (false, Provider::Typeform, Some(true), SET),
        (false, Provider::Native, None, SET),
        (true, Provider::Native, Some(false), not_set),
    ] {
        let told = Told::new();
        let default = UpdateAccount { external_form: Some(external_form), ..UpdateAccount::default() };
        store.update_account(account, &default, now, Responder::new(None, &told.render())).await.unwrap();
        let new = NewForm { set_marketing: own, ..NewForm::new(provider, "Sign-up") };
        let form = form(store, account, &new).await;
        contacts += 1;
        let address = format!("person{contacts}@example.org");
        let submitted = submit(store, &form, None, &address, now).await;
        assert_eq!(effect(&submitted), expected, "{external_form} {provider} {own:?}");
        let (contact, _) = store.contact(account, ContactRef::Email(email(&address)), now).await.unwrap();
        let kind = if provider.is_native() { SourceType::Form } else { SourceType::ExternalForm };
        let source = &contact.marketing.source;
        assert_eq!((source.kind, source.id.as_ref()), (kind, Some(&form.id.to_string())));
    }
    assert_exact(&table, account, now).await;
}

#[tokio::test(start_paused = true)]
async fn form_settings_not_allowed_by_its_provider_are_refused() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let store = &table.store;
    let secret = "0123456789abcdef".to_owned();
    let secrets = Secrets::new(Provider::Tally, vec![secret.clone()]).unwrap();
    let external =
        form(store, account, &NewForm { secrets, ..NewForm::new(Provider::Tally, "Sign-up") }).await;
    assert_eq!(store.public_form(external.id).await.unwrap(), external);
    let texts = |count| UpdateForm { secrets: Some(vec![secret.clone(); count]), ..UpdateForm::default() };
    assert_eq!(change(store, &external, texts(2)).await.unwrap().secrets.len(), 2);
    assert!(change(store, &external, texts(0)).await.unwrap().secrets.is_empty());
    let unset = || UpdateForm { set_marketing: Patch::Remove, ..UpdateForm::default() };
    assert_eq!(change(store, &external, unset()).await.unwrap().set_marketing, None);

    let native = form(store, account, &native()).await;
    assert_eq!(native.set_marketing, Some(true));
    for (form, change_of, field) in [
        (&external, texts(3), "secrets"),
        (&native, texts(1), "secrets"),
        (&native, unset(), "set_marketing"),
    ] {
        let refused = change(store, form, change_of).await.unwrap_err();
        let StoreError::Refused(Refused::Invalid { field: refused, .. }) = refused else {
            panic!("{refused}")
        };
        assert_eq!(refused, field);
    }
}

#[tokio::test(start_paused = true)]
async fn deleted_form_leaves_no_items() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let form = form(&table.store, account, &NewForm { max_new_marketing_per_day: Some(9), ..native() }).await;
    for n in 0..20 {
        submit(&table.store, &form, None, &format!("p{n}@example.org"), at(START)).await;
    }
    super::rejected::reject(&table.store, &form, None, "{}").await;
    assert!(testkit::items_of(&table.client, &form.id.to_string()).await > 3);
    let told = Told::new();
    let render = told.render();
    table.store.delete_form(account, form.id, at(START), Responder::new(None, &render)).await.unwrap();
    assert_eq!(testkit::items_of(&table.client, &form.id.to_string()).await, 0);
    assert_eq!(table.store.usage(account, at(START)).await.unwrap().marketing, 9);
}

/// Sends random concurrent submissions of two forms, with conflicts and lost responses. The forms' counts must equal
/// the responses.
#[tokio::test(flavor = "multi_thread")]
async fn form_counts_match_the_responses_under_faults() {
    for seed in 1..=3_u64 {
        let faults = Conflicts::with_plan(Duration::from_millis(1), move |operation, before| {
            let mut rng = SeededRng::of(&[seed, u64::from(before)]);
            (operation == "TransactWriteItems" && rng.happens(150)).then_some(Fault::AnswerLost)
        });
        let table = TestTable::with_faults(&faults).await;
        let account = table.account_with(Terms { cap: Some(25), ..terms() }, at(START)).await;
        let store = &table.store;
        let native = form(store, account, &NewForm { max_new_marketing_per_day: Some(8), ..native() }).await;
        let external = form(store, account, &NewForm::new(Provider::Generic, "Sign-up")).await;
        let forms = [&native, &external];
        let sent = (0..300).map(|n| async move {
            let mut rng = SeededRng::of(&[seed, 1, n]);
            let form = forms[rng.index(2)];
            let email = email(&format!("person{}@example.org", rng.below(60)));
            let id = rng.happens(700).then(|| rng.below(150).to_string());
            let submission = Submission {
                form,
                submission_id: id.as_deref(),
                email: &email,
                properties: &[],
                left_out: 0,
            };
            (form.id, store.submit_or_accept(&submission, at(START)).await.unwrap())
        });
        let answers: Vec<_> = stream::iter(sent).buffer_unordered(12).collect().await;
        let waiting: Vec<_> = answers.iter().filter_map(|(_, taken)| taken.waiting).collect();
        for form in forms {
            let mut expected = BTreeMap::new();
            // On a slow machine a submission may wait in the inbox, and is counted when it is settled.
            let of_form = answers.iter().filter(|(id, taken)| *id == form.id && taken.waiting.is_none());
            for (_, taken) in of_form.clone() {
                *expected.entry(name(&taken.submitted)).or_insert(0) += 1;
            }
            let counts = counts(store, form).await;
            assert_eq!(named(&counts), expected, "seed {seed}");
            let applied = of_form.count();
            assert_eq!(
                counts.received(),
                applied as u64,
                "the counts do not add up to the applied submissions"
            );
        }
        let settled = store.settle_inbox(&waiting, at(START), || true).await;
        assert_eq!(settled.unsettled, []);
        let received = counts(store, &native).await.received() + counts(store, &external).await.received();
        assert_eq!(received, 300, "seed {seed}");
        assert_exact(&table, account, at(START)).await;
    }
}

/// Returns the name of the count that a submission with this result increments.
fn name(submitted: &Submitted) -> &'static str {
    match (submitted.duplicate, submitted.marketing, submitted.reason.as_deref()) {
        (true, ..) => "duplicates",
        (_, MarketingEffect::Set, _) => "set",
        (_, MarketingEffect::Kept, _) => "kept",
        (_, MarketingEffect::Unchanged, _) => "unchanged",
        (_, MarketingEffect::NotSet, Some("cap-reached")) => "not_set_by_cap",
        (_, MarketingEffect::NotSet, Some("form-budget")) => "not_set_by_budget",
        (_, MarketingEffect::NotSet, _) if submitted.contact == ContactEffect::Rejected => "rejected",
        (_, MarketingEffect::NotSet, _) => "not_set",
        (_, MarketingEffect::Accepted, _) => "accepted",
    }
}

fn named(counts: &FormCounts) -> BTreeMap<&'static str, u64> {
    let all = [
        ("duplicates", counts.duplicates),
        ("rejected", counts.rejected),
        ("set", counts.set),
        ("kept", counts.kept),
        ("unchanged", counts.unchanged),
        ("not_set", counts.not_set),
        ("not_set_by_cap", counts.not_set_by_cap),
        ("not_set_by_budget", counts.not_set_by_budget),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

#[tokio::test(start_paused = true)]
async fn form_without_marketing_counts_its_submissions() {
    let table = TestTable::start().await;
    let account = table.account(at(START)).await;
    let new = NewForm { set_marketing: Some(false), ..native() };
    let form = form(&table.store, account, &new).await;
    for address in ["ada@example.org", "bob@example.org", "ada@example.org"] {
        submit(&table.store, &form, None, address, at(START)).await;
    }
    let expected = FormCounts { not_set: 2, unchanged: 1, ..FormCounts::default() };
    assert_eq!(counts(&table.store, &form).await, expected);
    assert_exact(&table, account, at(START)).await;
}
