//! Torn batched reads: one response can contain an old version of one item and a newer version of another.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use domain::decision::{Command, Outcome, Refusal};
use domain::ids::{AccountId, ContactId};
use domain::marketing::EffectiveState;
use domain::patch::Patch;
use domain::period::{PeriodNumber, Terms};
use domain::source::Intake;
use domain::tier::Tier;
use serde_json::Value;
use store::{
    Account, ChangedBy, ContactRef, Form, FormCounts, Mapped, MarketingEffect, NewAccount, NewForm, Person,
    Rejected, Responder, Rng, SaveMode, StatusOutcome, StatusReport, Store, StoredResponse, Submission,
    Submitted, UpdateAccount, UpdateForm, UpdateUser,
};
use testkit::{Call, FaultInjector, FaultRates, Network, RawItem, RawKey, TABLE, at, email, terms};

use super::forms::{change as update_form, counts, form, native, submit};
use super::rejected::reject;
use super::{START, Told, UPDATE, create, delete, done, outcomes, readdress, save, set, set_status};

/// Replaces each of these items by its earlier version in the first batched read that requests it.
#[derive(Clone)]
struct StaleItems(Arc<Mutex<Vec<(RawKey, RawItem)>>>);

impl FaultInjector for StaleItems {
    fn read(&mut self, call: &Call, _: &mut u16, answer: &mut Value) {
        let requested =
            call.body["RequestItems"][TABLE]["Keys"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is = |item: &Value, (pk, sk): &RawKey| item["pk"]["S"] == **pk && item["sk"]["S"] == **sk;
        let mut waiting = self.0.lock().unwrap();
        for (key, earlier) in waiting.extract_if(.., |(key, _)| requested.iter().any(|item| is(item, key))) {
            let items = answer["Responses"][TABLE].as_array_mut().expect("the items of a batched read");
            items.retain(|item| !is(item, &key));
            items.push(earlier);
        }
    }
}

impl StaleItems {
    /// Records the current version of each item, given the prefix of its partition key and its sort key.
    fn now(network: &Network, keys: &[(&str, &str)]) -> Self {
        let items = network.items();
        let named = |(pk, sk): &(&str, &str)| {
            let mut items = items.iter().map(|(key, item)| (key.clone(), item.clone()));
            items
                .find(|(key, _)| key.0.starts_with(pk) && key.1.trim_start_matches('0') == *sk)
                .expect("the item")
        };
        Self(Arc::new(Mutex::new(keys.iter().map(named).collect())))
    }

    /// Asserts that every item was read once in its earlier version.
    fn assert_shown(&self) {
        assert!(self.0.lock().unwrap().is_empty(), "a torn read did not happen");
    }
}

/// Starts a store over a simulated network and creates an account.
async fn over_a_network(terms: Terms) -> (Network, Store, AccountId) {
    let network = Network::start(1, FaultRates::calm()).await;
    let store = Store::new(network.client(), TABLE, Rng::seeded(1));
    let told = Told::<Account>::new();
    let new = NewAccount { name: "Test", terms, token_sha256: &"0".repeat(64) };
    store.create_account(&new, at(START), Responder::new(None, &told.render())).await.unwrap();
    (network, store, told.take().id)
}

/// An account with two contacts, a form and a cap of one. One contact has just been set marketing, but the next batched
/// read still returns its earlier state.
struct JustSet {
    store: Store,
    account: AccountId,
    form: Form,
    /// The contact that uses the cap's only place.
    set: ContactId,
    /// The contact that the cap excludes.
    other: ContactId,
    before: StaleItems,
}

const SET: &str = "ada@example.org";
const OTHER: &str = "bob@example.org";

/// The batched read that returns the contact's earlier state.
#[derive(Clone, Copy, PartialEq)]
enum During {
    /// The next batched read, which returns the newer period.
    TheNextRead,
    /// The second batched read, which reads the contacts after the first one has resolved their addresses.
    TheSecondRead,
}

async fn just_set<T>(
    during: During,
    prepare: impl AsyncFnOnce(&Store, &Form, AccountId) -> T,
) -> (JustSet, T) {
    let (network, store, account) = over_a_network(Terms { cap: Some(1), ..terms() }).await;
    let form = form(&store, account, &native()).await;
    let ada = create(&store, account, SET, false, at(START)).await.id;
    let other = create(&store, account, OTHER, false, at(START)).await.id;
    let prepared = prepare(&store, &form, account).await;
    let id = ada.to_string();
    let mut items = vec![("CONTACT#", &*id)];
    items.extend((during == During::TheSecondRead).then_some(("ACCOUNT#", "PERIOD")));
    let before = StaleItems::now(&network, &items);
    set(&store, account, Command::SetMarketing, &[ada], at(START)).await.unwrap();
    network.tamper(Box::new(before.clone()));
    (JustSet { store, account, form, set: ada, other, before }, prepared)
}

async fn nothing(_: &Store, _: &Form, _: AccountId) {}

#[tokio::test(start_paused = true)]
async fn status_command_does_not_refuse_the_last_place_to_its_holder() {
    let (just, ()) = just_set(During::TheNextRead, nothing).await;
    let both = [just.set, just.other];
    let report = set(&just.store, just.account, Command::SetMarketing, &both, at(START)).await.unwrap();
    assert_eq!(outcomes(&report), [done(Outcome::Unchanged), StatusOutcome::Refused(Refusal::CapReached)]);
    just.before.assert_shown();
}

#[tokio::test(start_paused = true)]
async fn save_does_not_refuse_the_last_place_to_its_holder() {
    let (JustSet { store, account, before, .. }, ()) = just_set(During::TheSecondRead, nothing).await;
    let marketing = Intake::Manual { marketing: Some(true) };
    for (address, status) in [(SET, Ok(Outcome::Unchanged)), (OTHER, Err(Refusal::CapReached))] {
        let saved =
            save(&store, account, address, SaveMode::CreateOrUpdate, marketing, at(START)).await.unwrap();
        assert_eq!(saved.status, Some(status));
    }
    before.assert_shown();
}

#[tokio::test(start_paused = true)]
async fn form_does_not_refuse_the_last_place_to_its_holder() {
    let (JustSet { store, form, before, .. }, ()) = just_set(During::TheSecondRead, nothing).await;
    assert_eq!(submit(&store, &form, None, SET, at(START)).await.marketing, MarketingEffect::Unchanged);
    let refused = submit(&store, &form, None, OTHER, at(START)).await;
    assert_eq!(refused.reason.as_deref(), Some("cap-reached"));
    before.assert_shown();
}

#[tokio::test(start_paused = true)]
async fn inbox_does_not_refuse_the_last_place_to_its_holder() {
    // One submission through a form that sets contacts marketing, between submissions through forms that do not.
    let accept = async |store: &Store, sets: &Form, account: AccountId| {
        let mut forms = vec![sets.clone()];
        // Submissions are settled in the order of the forms' ids.
        while forms.len() < 2 || [&forms[0], &forms[forms.len() - 1]].iter().any(|form| form.id == sets.id) {
            let other = NewForm { set_marketing: Some(false), ..native() };
            forms.push(form(store, account, &other).await);
            forms.sort_by_key(|form| form.id);
        }
        let email = email(SET);
        let mut tasks = Vec::new();
        for form in &forms {
            let submission =
                Submission { form, submission_id: Some("s-1"), email: &email, properties: &[], left_out: 0 };
            tasks.extend(store.accept_into_inbox(&submission, at(START)).await.unwrap().waiting);
        }
        (forms, tasks)
    };
    let (JustSet { store, before, .. }, (forms, tasks)) = just_set(During::TheSecondRead, accept).await;
    let report = store.settle_inbox(&tasks, at(START), || true).await;
    assert_eq!((report.settled, report.unsettled.len()), (forms.len() as u64, 0), "{:?}", report.errors);
    for form in &forms {
        let expected = FormCounts { unchanged: 1, ..FormCounts::default() };
        assert_eq!(counts(&store, form).await, expected);
    }
    before.assert_shown();
}

#[tokio::test(start_paused = true)]
async fn retry_does_not_refuse_the_last_place_to_its_holder() {
    let reject_one = async |store: &Store, form: &Form, _: AccountId| reject(store, form, None, SET).await;
    let (JustSet { store, account, form, before, .. }, _) = just_set(During::TheSecondRead, reject_one).await;
    let rejected = store.rejected(account, form.id, at(START), None, 10).await.unwrap().items;
    let render = |submitted: &Submitted| {
        let body = submitted.marketing.to_string();
        StoredResponse { status: 200, body, etag: None, location: None }
    };
    let map = |_: &Rejected| {
        let person = Person { email: email(SET), properties: Vec::new() };
        Ok::<_, ()>(Mapped { person, left_out: 0 })
    };
    let responder = Responder::new(None, &render);
    let taken =
        store.retry_rejected_submission(&form, rejected[0].id, map, at(START), responder).await.unwrap();
    assert_eq!(taken.unwrap().body, "unchanged");
    before.assert_shown();
}

#[tokio::test(start_paused = true)]
async fn contact_queued_after_rollover_is_not_shown_in_old_period() {
    let (network, store, account) = over_a_network(terms()).await;
    let ada = create(&store, account, SET, true, at(START)).await.id;
    let before = StaleItems::now(&network, &[("ACCOUNT#", "PERIOD")]);
    set(&store, account, Command::SetNonMarketingPending, &[ada], at(UPDATE)).await.unwrap();
    network.tamper(Box::new(before.clone()));
    // The reader's clock is slow: it still shows an instant before the update date.
    let (contact, period) = store.contact(account, ContactRef::Id(ada), at(START)).await.unwrap();
    assert_eq!((contact.state(), period.number), (EffectiveState::Leaving, PeriodNumber::FIRST.next()));
    assert_eq!((period.marketing, period.leaving), (1, 1));
    before.assert_shown();
}

#[tokio::test(start_paused = true)]
async fn decision_from_before_a_clock_move_is_discarded() {
    let sandbox = Terms { test_clock: Some(at(START)), ..terms() };
    let (network, store, account) = over_a_network(sandbox).await;
    let ada = create(&store, account, SET, false, at(START)).await.id;
    let before = StaleItems::now(&network, &[("ACCOUNT#", "PERIOD")]);
    let (moved, told) = (at(START).plus(TimeDelta::days(1)), Told::<Account>::new());
    let render = told.render();
    store.advance_test_clock(account, moved, at(START), Responder::new(None, &render)).await.unwrap();
    network.tamper(Box::new(before.clone()));
    set(&store, account, Command::SetMarketing, &[ada], at(START)).await.unwrap();
    let (contact, _) = store.contact(account, ContactRef::Id(ada), at(START)).await.unwrap();
    assert_eq!((contact.marketing.since, contact.updated_at), (moved, moved));
    before.assert_shown();
}

#[tokio::test(start_paused = true)]
async fn lookup_by_stale_address_is_not_found_and_leaks_nothing() {
    let (network, store, account) = over_a_network(terms()).await;
    let ada = create(&store, account, "ada@example.org", false, at(START)).await;
    let before = StaleItems::now(&network, &[("EMAIL#", "EMAIL")]);
    delete(&store, account, ada.id, true, at(START)).await.unwrap();
    network.tamper(Box::new(before.clone()));
    let (told, contacts) = (Told::new(), [ContactRef::Email(email("ada@example.org"))]);
    let finish_with = told.render();
    let responder = Responder::new(None, &finish_with);
    set_status(&store, account, Command::SetMarketing, &contacts, at(START), responder).await.unwrap();
    let report: StatusReport = told.take();
    let [result] = report.results.as_slice() else { panic!("{report:?}") };
    assert_eq!(result.outcome, StatusOutcome::NotFound);
    assert_eq!((result.id, result.email.as_deref()), (None, Some("ada@example.org")));
    before.assert_shown();
}

#[tokio::test(start_paused = true)]
async fn submission_to_a_stale_address_creates_another_contact() {
    let (network, store, account) = over_a_network(terms()).await;
    let form = form(&store, account, &native()).await;
    let ada = create(&store, account, "ada@example.org", false, at(START)).await.id;
    let before = StaleItems::now(&network, &[("EMAIL#", "EMAIL")]);
    readdress(&store, account, ada, "lovelace@example.org", at(START)).await.unwrap();
    network.tamper(Box::new(before.clone()));
    submit(&store, &form, None, "ada@example.org", at(START)).await;
    let of = async |address: &str| store.contact(account, ContactRef::Email(email(address)), at(START)).await;
    assert_ne!(of("ada@example.org").await.unwrap().0.id, ada);
    assert_eq!(of("lovelace@example.org").await.unwrap().0.id, ada);
    before.assert_shown();
}

#[tokio::test(start_paused = true)]
async fn new_tier_uses_the_current_limit() {
    let tier = Tier::new(1, 1_000).unwrap();
    let (network, store, account) = over_a_network(Terms { tier, ..terms() }).await;
    create(&store, account, SET, true, at(START)).await;
    let before = StaleItems::now(&network, &[("ACCOUNT#", "PERIOD")]);
    // The second contact raises the limit to 1001.
    create(&store, account, OTHER, true, at(START)).await;
    network.tamper(Box::new(before.clone()));
    let tier = Tier::new(1, 1).ok();
    let change = UpdateAccount { by: ChangedBy::Operator, tier, ..UpdateAccount::default() };
    let told = Told::<Account>::new();
    let render = told.render();
    store.update_account(account, &change, at(START), Responder::new(None, &render)).await.unwrap();
    before.assert_shown();
    assert_eq!(told.take().period.tier.limit, 1_001);
    assert_eq!(store.usage(account, at(START)).await.unwrap().tier.limit, 1_001);
}

#[tokio::test(start_paused = true)]
async fn concurrent_updates_of_one_item_keep_both_changes() {
    let (network, store, account) = over_a_network(terms()).await;
    let made = form(&store, account, &native()).await;
    let user = store.users(account, None, 10).await.unwrap().items.remove(0).id;
    let user_key = format!("USER#{user}");
    let change = async |sk: &str, name: Option<&str>| {
        let name = name.map(str::to_owned);
        // The second update changes another attribute.
        let other_part = name.is_none();
        match sk {
            "FORM" => {
                let redirect_url =
                    if other_part { Patch::Set("https://second.example".to_owned()) } else { Patch::Keep };
                let change = UpdateForm { name, redirect_url, ..UpdateForm::default() };
                update_form(&store, &made, change).await.unwrap();
            }
            "ACCOUNT" => {
                let (told, chatflow) = (Told::<Account>::new(), other_part.then_some(true));
                let change = UpdateAccount { name, chatflow, ..UpdateAccount::default() };
                let responder = told.render();
                store
                    .update_account(account, &change, at(START), Responder::new(None, &responder))
                    .await
                    .unwrap();
            }
            _ => {
                let (told, email) = (Told::new(), other_part.then(|| "second@example.org".to_owned()));
                let change = UpdateUser { name, email, ..UpdateUser::default() };
                let responder = told.render();
                store
                    .update_user(account, user, &change, at(START), Responder::new(None, &responder))
                    .await
                    .unwrap();
            }
        }
    };
    for (pk, sk) in [("FORM#", "FORM"), ("ACCOUNT#", "ACCOUNT"), ("ACCOUNT#", &user_key)] {
        let before = StaleItems::now(&network, &[(pk, sk)]);
        change(sk, Some("First")).await;
        network.tamper(Box::new(before.clone()));
        change(sk, None).await;
        before.assert_shown();
    }
    let form = store.form(account, made.id).await.unwrap();
    assert_eq!((form.name.as_str(), form.redirect_url.as_deref()), ("First", Some("https://second.example")));
    let user = store.users(account, None, 10).await.unwrap().items.remove(0);
    assert_eq!((user.name.as_str(), user.email.as_str()), ("First", "second@example.org"));
    let account = store.account(account, at(START)).await.unwrap();
    assert_eq!((account.name.as_str(), account.defaults.chatflow), ("First", true));
}
