//! Random histories against a small independent model of the rules.
//!
//! The model knows the rules of the domain's `README.md` and nothing of the program: no period item, no versions, no
//! calendar code. After every step the store must agree with it in every outcome, every contact's state, the usage, the
//! period and the statements, and the usage must be what a full scan counts. A history that fails is shortened by
//! proptest.

pub mod calendar;
pub mod rules;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::Timestamp;
use domain::calendar::{Calendar, Term, TimeZone};
use domain::decision::{Command, Outcome, Refusal};
use domain::ids::{AccountId, ContactId};
use domain::marketing::EffectiveState;
use domain::period::Terms;
use domain::provider::Provider;
use domain::source::Intake;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use store::{
    ChangedBy, ContactRef, Due, Form, MarketingEffect, NewForm, Refused, Responder, SaveMode, StatusOutcome,
    Store, StoreError, Submission, Tasks, UpdateAccount,
};
use testkit::{TestTable, at, email, terms};

use crate::operations::{Told, assert_exact, delete, outcomes, save, set};
use rules::{Effect, Model};

/// How many people a history is about: few, so that things happen to the same ones.
const PEOPLE: usize = 5;
/// How many steps a history has at most.
const STEPS: usize = 40;
/// Of proptest's usual 256 cases one in so many is tried, for each takes most of a second. `PROPTEST_CASES` asks for
/// others.
const ONE_CASE_IN: u32 = 6;

/// One step of a history.
#[derive(Clone, Debug)]
pub enum Step {
    /// A user makes a contact.
    Create { who: usize, marketing: bool },
    /// A user makes sure of a contact.
    MakeSure { who: usize, marketing: bool },
    /// A form is submitted, perhaps twice under one id.
    Submit { who: usize, set_marketing: bool, twice: bool },
    /// A status command for some people, in this order.
    Status { set_marketing: bool, who: Vec<usize> },
    /// A contact is deleted or erased.
    Delete { who: usize, erase: bool },
    /// Time passes.
    Wait { hours: u16 },
    /// Time passes until the update date, or to the last instant before it.
    UpdateDate { just_before: bool },
    /// The contract's calendar changes.
    Calendar { monthly: bool, month: u32, day: u32, zone: usize },
    /// The cap changes.
    Cap { cap: Option<u64> },
    /// The schedule ticks and everything due is done.
    Tick,
}

/// Time zones with and without changes of the clock, on both sides of UTC and with a half-hour offset.
const ZONES: [&str; 5] = ["UTC", "Europe/Berlin", "America/Havana", "Asia/Kolkata", "Pacific/Auckland"];

fn step() -> impl Strategy<Value = Step> {
    let who = 0..PEOPLE;
    prop_oneof![
        4 => (who.clone(), any::<bool>()).prop_map(|(who, marketing)| Step::Create { who, marketing }),
        2 => (who.clone(), any::<bool>()).prop_map(|(who, marketing)| Step::MakeSure { who, marketing }),
        3 => (who.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(who, set_marketing, twice)| Step::Submit { who, set_marketing, twice }),
        8 => (any::<bool>(), prop::collection::vec(who.clone(), 1..PEOPLE * 2))
            .prop_map(|(set_marketing, who)| Step::Status { set_marketing, who }),
        2 => (who, any::<bool>()).prop_map(|(who, erase)| Step::Delete { who, erase }),
        2 => (1..3_000_u16).prop_map(|hours| Step::Wait { hours }),
        4 => any::<bool>().prop_map(|just_before| Step::UpdateDate { just_before }),
        1 => (any::<bool>(), 1..=12_u32, 1..=31_u32, 0..ZONES.len())
            .prop_map(|(monthly, month, day, zone)| Step::Calendar { monthly, month, day, zone }),
        1 => prop::option::of(0..PEOPLE as u64).prop_map(|cap| Step::Cap { cap }),
        2 => Just(Step::Tick),
    ]
}

#[test]
fn random_histories_agree_with_the_rules() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let cases = Config::default().cases.div_ceil(ONE_CASE_IN);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let history = (any::<bool>(), prop::collection::vec(step(), 1..STEPS));
    runner
        .run(&history, |(sandbox, steps)| {
            runtime.block_on(async {
                let mut run = Run::start(sandbox).await;
                for step in steps {
                    run.take(&step).await?;
                    run.compare(&step).await?;
                }
                Ok(())
            })
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

/// The store and the model side by side.
struct Run {
    table: TestTable,
    account: AccountId,
    forms: BTreeMap<bool, Form>,
    model: Model,
    ids: BTreeMap<usize, ContactId>,
    /// The instant of the account: a sandbox's own clock, or the wall clock.
    now: Timestamp,
    sandbox: bool,
    deliveries: u32,
}

fn address(who: usize) -> String {
    format!("person{who}@example.org")
}

fn calendar(monthly: bool, month: u32, day: u32, zone: usize) -> Calendar {
    // A day that the month lacks is asked for as the month's last, as a contract would.
    let renewal_date = (0..4).find_map(|less| NaiveDate::from_ymd_opt(2025, month, day - less)).unwrap();
    let term = if monthly { Term::Monthly } else { Term::Annual };
    Calendar { term, renewal_date, time_zone: ZONES[zone].parse::<TimeZone>().unwrap() }
}

/// The wall clock of a sandbox's history: it does not matter and does not move.
const WALL: &str = "2001-01-01T00:00:00.000Z";

impl Run {
    async fn start(sandbox: bool) -> Self {
        let table = TestTable::start().await;
        let now = at("2026-11-10T12:00:00.000Z");
        let terms =
            Terms { test_clock: sandbox.then_some(now), calendar: calendar(false, 1, 31, 0), ..terms() };
        let model = Model::new(&terms.calendar, now);
        let wall_clock = if sandbox { at(WALL) } else { now };
        let account = table.account_with(terms, wall_clock).await;
        let mut forms = BTreeMap::new();
        for set_marketing in [false, true] {
            forms.insert(set_marketing, form(&table.store, account, set_marketing, wall_clock).await);
        }
        Self { table, account, forms, model, ids: BTreeMap::new(), now, sandbox, deliveries: 0 }
    }

    fn store(&self) -> &Store {
        &self.table.store
    }

    fn wall_clock(&self) -> Timestamp {
        if self.sandbox { at(WALL) } else { self.now }
    }

    async fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Create { who, marketing } => self.save(*who, *marketing, SaveMode::Create).await,
            Step::MakeSure { who, marketing } => self.save(*who, *marketing, SaveMode::CreateOrUpdate).await,
            Step::Submit { who, set_marketing, twice } => self.submit(*who, *set_marketing, *twice).await,
            Step::Status { set_marketing, who } => self.status(*set_marketing, who).await,
            Step::Delete { who, erase } => self.delete(*who, *erase).await,
            Step::Wait { hours } => {
                let millis = i64::from(*hours) * 3_600_000 + 1;
                self.wait_until(Timestamp::from_millis(self.now.millis() + millis)).await
            }
            Step::UpdateDate { just_before } => {
                let ends = self.model.ends_at.millis() - i64::from(*just_before);
                self.wait_until(Timestamp::from_millis(ends.max(self.now.millis()))).await
            }
            Step::Calendar { monthly, month, day, zone } => {
                let calendar = calendar(*monthly, *month, *day, *zone);
                self.model.change_calendar(&calendar, self.now);
                let change = UpdateAccount {
                    term: Some(calendar.term),
                    renewal_date: Some(calendar.renewal_date),
                    time_zone: Some(calendar.time_zone),
                    by: ChangedBy::Operator,
                    ..UpdateAccount::default()
                };
                self.change(&change).await
            }
            Step::Cap { cap } => {
                self.model.cap = *cap;
                self.change(&UpdateAccount { cap: Some(*cap), ..UpdateAccount::default() }).await
            }
            Step::Tick => self.tick().await,
        }
    }

    async fn save(&mut self, who: usize, marketing: bool, mode: SaveMode) -> Result<(), TestCaseError> {
        let expected = self.model.save(who, marketing, mode == SaveMode::CreateOrUpdate);
        let intake = Intake::Manual { marketing: Some(marketing) };
        let saved = save(self.store(), self.account, &address(who), mode, intake, self.wall_clock()).await;
        let seen = match saved {
            Ok(saved) => {
                self.ids.insert(who, saved.contact.id);
                Some(effect(saved.status))
            }
            Err(StoreError::Refused(Refused::ContactExists(_))) => None,
            Err(error) => panic!("{error}"),
        };
        prop_assert_eq!(seen, expected);
        Ok(())
    }

    async fn submit(&mut self, who: usize, set_marketing: bool, twice: bool) -> Result<(), TestCaseError> {
        let expected = self.model.submit(who, set_marketing);
        self.deliveries += 1;
        let id = self.deliveries.to_string();
        let email = email(&address(who));
        let form = &self.forms[&set_marketing];
        let submission =
            Submission { form, submission_id: Some(&id), email: &email, properties: &[], left_out: 0 };
        for time in 0..=u8::from(twice) {
            let submitted = self.store().submit(&submission, self.wall_clock()).await.expect("a submission");
            let seen = match submitted.marketing {
                MarketingEffect::Set => Effect::Set,
                MarketingEffect::Kept => Effect::Kept,
                MarketingEffect::Unchanged => Effect::Unchanged,
                MarketingEffect::NotSet if submitted.reason.is_some() => Effect::Refused,
                MarketingEffect::NotSet => Effect::NotAsked,
                MarketingEffect::Accepted => panic!("nothing waits in an inbox that nobody uses"),
            };
            prop_assert_eq!((seen, submitted.duplicate), (expected, time > 0));
        }
        let found = self.store().contact(self.account, ContactRef::Email(email), self.wall_clock()).await;
        self.ids.insert(who, found.expect("who submitted").0.id);
        Ok(())
    }

    async fn status(&mut self, set_marketing: bool, who: &[usize]) -> Result<(), TestCaseError> {
        // People who were never made are asked for by an id that nobody has.
        let nobody = ContactId::new(Timestamp::MAX, 0);
        let ids: Vec<ContactId> =
            who.iter().map(|who| self.ids.get(who).copied().unwrap_or(nobody)).collect();
        let command = if set_marketing { Command::SetMarketing } else { Command::SetNonMarketingPending };
        let expected = self.model.status(set_marketing, who);
        let report =
            set(self.store(), self.account, command, &ids, self.wall_clock()).await.expect("a report");
        let seen: Vec<Effect> = outcomes(&report)
            .into_iter()
            .map(|outcome| match outcome {
                StatusOutcome::Done(outcome) => effect(Some(Ok(outcome))),
                StatusOutcome::Refused(_) => Effect::Refused,
                StatusOutcome::NotFound => Effect::NotFound,
            })
            .collect();
        prop_assert_eq!(seen, expected);
        Ok(())
    }

    async fn delete(&mut self, who: usize, erase: bool) -> Result<(), TestCaseError> {
        let expected = self.model.delete(who, erase);
        let Some(id) = self.ids.get(&who) else {
            prop_assert!(!expected);
            return Ok(());
        };
        let done = match delete(self.store(), self.account, *id, erase, self.wall_clock()).await {
            Ok(()) => true,
            Err(StoreError::Refused(Refused::NotFound(_))) => false,
            Err(error) => panic!("{error}"),
        };
        // Somebody who was deleted and has left is erased as well, as long as the sweep has not been there.
        prop_assert!(done == expected || (done && erase), "deleted: {}, expected: {}", done, expected);
        if erase {
            // Nobody is left to name.
            self.ids.remove(&who);
        }
        Ok(())
    }

    async fn wait_until(&mut self, then: Timestamp) -> Result<(), TestCaseError> {
        self.now = then;
        self.model.advance(then);
        if self.sandbox {
            let told = Told::new();
            let render = told.render();
            let finish = Responder::new(None, &render);
            self.table.store.advance_test_clock(self.account, then, at(WALL), finish).await.expect("a clock");
        }
        Ok(())
    }

    async fn change(&mut self, change: &UpdateAccount) -> Result<(), TestCaseError> {
        let told = Told::new();
        let render = told.render();
        let finish = Responder::new(None, &render);
        self.table
            .store
            .update_account(self.account, change, self.wall_clock(), finish)
            .await
            .expect("a change");
        Ok(())
    }

    /// Closes and sweeps whatever is due. Nothing that reads show may change by it, so the model does nothing.
    async fn tick(&mut self) -> Result<(), TestCaseError> {
        let wall_clock = self.wall_clock();
        for _ in 0..2 {
            for shard in Store::due_shards() {
                for due in self.store().due(shard, wall_clock, None).await.expect("what is due").due {
                    match due {
                        Due::Period(account) => {
                            self.store().close_ended(account, wall_clock).await.expect("a closing");
                        }
                        Due::Job(job) => match self.store().rest_of(job).await.expect("the tasks") {
                            Some(Tasks::Sweeps(tasks)) => {
                                for task in tasks {
                                    let swept =
                                        self.store().sweep(task, wall_clock, || true).await.expect("a sweep");
                                    prop_assert!(swept.finished);
                                }
                            }
                            Some(Tasks::Inbox(tasks)) => {
                                let report = self.store().settle_inbox(&tasks, wall_clock, || true).await;
                                prop_assert!(report.unsettled.is_empty());
                            }
                            None => {}
                        },
                    }
                }
            }
        }
        Ok(())
    }

    /// Everything that reads show, against the model.
    async fn compare(&self, step: &Step) -> Result<(), TestCaseError> {
        let period = self.store().usage(self.account, self.wall_clock()).await.expect("the usage");
        let (usage, leaving) = self.model.usage();
        prop_assert_eq!(
            (period.number.number(), period.ends_at, period.marketing, period.leaving),
            (self.model.number, self.model.ends_at, usage, leaving),
            "the period after {:?}",
            step
        );
        for who in 0..PEOPLE {
            let asked = ContactRef::Email(email(&address(who)));
            let seen = match self.store().contact(self.account, asked, self.wall_clock()).await {
                Ok((contact, _)) => Some(contact.state()),
                Err(StoreError::Refused(Refused::NotFound(_))) => None,
                Err(error) => panic!("{error}"),
            };
            let expected = self.model.state(who).map(|state| match state {
                rules::Kept::NonMarketing => EffectiveState::NonMarketing,
                rules::Kept::Marketing => EffectiveState::Marketing,
                rules::Kept::Leaving => EffectiveState::Leaving,
            });
            prop_assert_eq!(seen, expected, "person {} after {:?}", who, step);
        }
        let statements =
            self.store().statements(self.account, self.wall_clock(), None, 1_000).await.expect("statements");
        let seen: Vec<_> = statements
            .items
            .iter()
            .rev()
            .map(|statement| (statement.ends_at, statement.marketing, statement.left))
            .collect();
        prop_assert_eq!(&seen, &self.model.statements);
        assert_exact_but_for_the_cap(self, &period).await;
        Ok(())
    }
}

/// A cap that was lowered below the usage removes nobody, so only then may the usage stand above it.
async fn assert_exact_but_for_the_cap(run: &Run, period: &domain::period::Period) {
    if period.cap.is_none_or(|cap| period.marketing <= cap) {
        assert_exact(&run.table, run.account, run.wall_clock()).await;
    }
}

fn effect(status: Option<Result<Outcome, Refusal>>) -> Effect {
    match status {
        Some(Ok(Outcome::Set)) => Effect::Set,
        Some(Ok(Outcome::Kept)) => Effect::Kept,
        Some(Ok(Outcome::Queued)) => Effect::Queued,
        Some(Ok(Outcome::Unchanged)) => Effect::Unchanged,
        Some(Err(_)) => Effect::Refused,
        None => Effect::NotAsked,
    }
}

async fn form(store: &Store, account: AccountId, set_marketing: bool, now: Timestamp) -> Form {
    let new = NewForm { set_marketing: Some(set_marketing), ..NewForm::new(Provider::Native, "Newsletter") };
    let told = Told::new();
    let render = told.render();
    store.create_form(account, &new, now, Responder::new(None, &render)).await.expect("a form");
    told.take()
}
