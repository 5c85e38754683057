//! Batched reads are not one instant: one may show an item as it was and another as it is since.

use domain::decision::{Command, Outcome, Refusal};
use domain::ids::{AccountId, ContactId};
use domain::marketing::State;
use domain::period::PeriodNumber;
use domain::source::Intake;
use serde_json::Value;
use store::{
    Account, Answer, ContactRef, Entropy, Finish, Form, MarketingEffect, NewAccount, NewForm, Person,
    SaveMode, StatusOutcome, StatusReport, Store, Submission, Submitted,
};
use testkit::{Call, Network, RawItem, RawKey, TABLE, Tamper, Weather, at, email, terms};

use super::forms::{form, native, submit};
use super::rejected::reject;
use super::{START, Told, UPDATE, create, delete, done, outcomes, readdress, save, set, set_status};

/// Has the next batched read of one item show it as it was.
struct ShowsOnce(Option<(RawKey, RawItem)>);

impl Tamper for ShowsOnce {
    fn read(&mut self, call: &Call, _: &mut u16, answer: &mut Value) {
        let asked =
            call.body["RequestItems"][TABLE]["Keys"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is = |item: &Value, (pk, sk): &RawKey| item["pk"]["S"] == **pk && item["sk"]["S"] == **sk;
        let Some((key, earlier)) = self.0.take_if(|(key, _)| asked.iter().any(|item| is(item, key))) else {
            return;
        };
        let items = answer["Responses"][TABLE].as_array_mut().expect("what a batched read found");
        items.retain(|item| !is(item, &key));
        items.push(earlier);
    }
}

/// A store over a network, and an account of it.
async fn over_a_network(cap: Option<u64>) -> (Network, Store, AccountId) {
    let network = Network::start(1, Weather::calm()).await;
    let store = Store::new(network.client(), TABLE, Entropy::seeded(1));
    let told = Told::<Account>::new();
    let terms = domain::period::Terms { cap, ..terms() };
    let new = NewAccount { name: "Test", terms, token_sha256: &"0".repeat(64) };
    store.create_account(&new, at(START), Finish::new(None, &told.render())).await.unwrap();
    (network, store, told.take().id)
}

fn item_as_it_is(network: &Network, pk: &str, sk: &str) -> ShowsOnce {
    let items = network.items().into_iter();
    ShowsOnce(items.filter(|(key, _)| key.0.starts_with(pk)).find(|(key, _)| key.1 == sk))
}

/// Somebody whom the next read of them does not yet show as a marketing contact, in an account of two with room for one;
/// and a form of it.
struct JustSet {
    store: Store,
    account: AccountId,
    form: Form,
    /// Who has been given the last place.
    set: ContactId,
    /// Who is not given any.
    other: ContactId,
}

const SET: &str = "ada@example.org";
const OTHER: &str = "bob@example.org";

async fn just_set<T>(prepare: impl AsyncFnOnce(&Store, &Form) -> T) -> (JustSet, T) {
    let (network, store, account) = over_a_network(Some(1)).await;
    let form = form(&store, account, &native()).await;
    let ada = create(&store, account, SET, false, at(START)).await.id;
    let other = create(&store, account, OTHER, false, at(START)).await.id;
    let prepared = prepare(&store, &form).await;
    let before = item_as_it_is(&network, "CONTACT#", &ada.to_string());
    set(&store, account, Command::SetMarketing, &[ada], at(START)).await.unwrap();
    network.tamper(Box::new(before));
    (JustSet { store, account, form, set: ada, other }, prepared)
}

async fn nothing(_: &Store, _: &Form) {}

#[tokio::test]
async fn who_has_just_been_given_the_last_place_is_not_refused_it() {
    let (JustSet { store, account, set: ada, other, .. }, ()) = just_set(nothing).await;
    let report = set(&store, account, Command::SetMarketing, &[ada, other], at(START)).await.unwrap();
    assert_eq!(outcomes(&report), [done(Outcome::Unchanged), StatusOutcome::Refused(Refusal::CapReached)]);
}

#[tokio::test]
async fn nor_is_it_refused_to_them_when_they_are_made_sure_of() {
    let (JustSet { store, account, .. }, ()) = just_set(nothing).await;
    let marketing = Intake::Manual { marketing: Some(true) };
    for (address, status) in [(SET, Ok(Outcome::Unchanged)), (OTHER, Err(Refusal::CapReached))] {
        let saved =
            save(&store, account, address, SaveMode::CreateOrUpdate, marketing, at(START)).await.unwrap();
        assert_eq!(saved.status, Some(status));
    }
}

#[tokio::test]
async fn nor_is_it_refused_to_them_by_a_form() {
    let (JustSet { store, form, .. }, ()) = just_set(nothing).await;
    assert_eq!(submit(&store, &form, None, SET, at(START)).await.marketing, MarketingEffect::Unchanged);
    let refused = submit(&store, &form, None, OTHER, at(START)).await;
    assert_eq!(refused.reason.as_deref(), Some("cap-reached"));
}

/// The form's budget for the day is one, and was for whom the account's last place is.
#[tokio::test]
async fn nor_is_a_forms_budget_said_to_be_used_up_by_others() {
    let new = NewForm { max_new_marketing_per_day: Some(1), ..native() };
    let (network, store, account) = over_a_network(None).await;
    let form = form(&store, account, &new).await;
    let ada = create(&store, account, SET, false, at(START)).await.id;
    let before = item_as_it_is(&network, "CONTACT#", &ada.to_string());
    assert_eq!(submit(&store, &form, None, SET, at(START)).await.marketing, MarketingEffect::Set);
    network.tamper(Box::new(before));
    assert_eq!(submit(&store, &form, None, SET, at(START)).await.marketing, MarketingEffect::Unchanged);
}

#[tokio::test]
async fn nor_is_it_refused_to_those_who_wait_in_the_inbox() {
    let accept = async |store: &Store, form: &Form| {
        let mut tasks = Vec::new();
        for (id, address) in [("s-1", SET), ("s-2", SET), ("s-3", OTHER)] {
            let email = email(address);
            let submission = Submission { form, submission_id: Some(id), email: &email, properties: &[] };
            tasks.extend(store.accept_into_inbox(&submission, at(START)).await.unwrap().waiting);
        }
        tasks
    };
    let (JustSet { store, form, .. }, tasks) = just_set(accept).await;
    let report = store.settle_inbox(&tasks, at(START), || true).await;
    assert_eq!((report.settled, report.unsettled.len()), (3, 0), "{:?}", report.errors);
    let counts = super::forms::counts(&store, &form).await;
    assert_eq!((counts.unchanged, counts.not_set_by_cap), (2, 1));
}

#[tokio::test]
async fn nor_is_it_refused_to_those_who_are_taken_after_all() {
    let kept = async |store: &Store, form: &Form| reject(store, form, None, SET).await;
    let (JustSet { store, account, form, .. }, _) = just_set(kept).await;
    let rejected = store.rejected(account, form.id, at(START), None, 10).await.unwrap().items;
    let render = |submitted: &Submitted| {
        let body = submitted.marketing.to_string();
        Answer { status: 200, body, etag: None, location: None }
    };
    let map = |_| Ok::<_, ()>(Person { email: email(SET), properties: Vec::new() });
    let finish = Finish::new(None, &render);
    let taken = store.retry_rejected(&form, rejected[0].id, map, at(START), finish).await.unwrap();
    assert_eq!(taken.unwrap().body, "unchanged");
}

#[tokio::test]
async fn who_is_queued_since_the_period_turned_over_is_not_shown_beside_the_one_before() {
    let (network, store, account) = over_a_network(None).await;
    let ada = create(&store, account, SET, true, at(START)).await.id;
    let before = item_as_it_is(&network, "ACCOUNT#", "PERIOD");
    set(&store, account, Command::SetNonMarketingPending, &[ada], at(UPDATE)).await.unwrap();
    network.tamper(Box::new(before));
    // By a clock that is a little behind.
    let (contact, period) = store.contact(account, ContactRef::Id(ada), at(START)).await.unwrap();
    assert_eq!((contact.state(), period.number), (State::Leaving, PeriodNumber::FIRST.next()));
    assert_eq!((period.marketing, period.leaving), (1, 1));
}

#[tokio::test]
async fn who_is_no_longer_called_so_is_not_found_and_nothing_else_is_said() {
    let (network, store, account) = over_a_network(None).await;
    let ada = create(&store, account, "ada@example.org", false, at(START)).await;
    let before = item_as_it_is(&network, "EMAIL#", "EMAIL");
    delete(&store, account, ada.id, true, at(START)).await.unwrap();
    network.tamper(Box::new(before));
    let (told, asked) = (Told::new(), [ContactRef::Email(email("ada@example.org"))]);
    let finish_with = told.render();
    let finish = Finish::new(None, &finish_with);
    set_status(&store, account, Command::SetMarketing, &asked, at(START), finish).await.unwrap();
    let report: StatusReport = told.take();
    let [result] = report.results.as_slice() else { panic!("{report:?}") };
    assert_eq!(result.outcome, StatusOutcome::NotFound);
    assert_eq!((result.id, result.email.as_deref()), (None, Some("ada@example.org")));
}

#[tokio::test]
async fn a_submission_by_who_has_another_address_by_now_is_somebody_elses() {
    let (network, store, account) = over_a_network(None).await;
    let form = form(&store, account, &native()).await;
    let ada = create(&store, account, "ada@example.org", false, at(START)).await.id;
    let before = item_as_it_is(&network, "EMAIL#", "EMAIL");
    readdress(&store, account, ada, "lovelace@example.org", at(START)).await.unwrap();
    network.tamper(Box::new(before));
    submit(&store, &form, None, "ada@example.org", at(START)).await;
    let of = async |address: &str| store.contact(account, ContactRef::Email(email(address)), at(START)).await;
    assert_ne!(of("ada@example.org").await.unwrap().0.id, ada);
    assert_eq!(of("lovelace@example.org").await.unwrap().0.id, ada);
}
