//! Random histories, compared with a small independent model of the rules.
//!
//! The model implements the rules of the domain's `README.md` and shares no code with the program: no period item, no
//! versions, no calendar. After every step the store must agree with the model in every outcome, every contact's state,
//! the usage, the period and the statements. The usage must also equal a full scan's count. Proptest shortens a history
//! that fails.

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

/// The number of addresses in a history. It is small, so that many steps affect the same contact.
const PEOPLE: usize = 5;
/// The maximum number of steps in a history.
const STEPS: usize = 40;
/// The divisor of proptest's number of cases (256 by default, or `PROPTEST_CASES`), because a case takes most of a
/// second.
const ONE_CASE_IN: u32 = 6;

/// One step of a history.
#[derive(Clone, Debug)]
pub enum Step {
    /// A user creates a contact.
    Create { who: usize, marketing: bool },
    /// A user creates or updates a contact by its address.
    Upsert { who: usize, marketing: bool },
    /// A form is submitted, perhaps twice under one id.
    Submit { who: usize, set_marketing: bool, twice: bool },
    /// A status command for several contacts, in this order.
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
    /// The schedule ticks, and the jobs do everything that is due.
    Tick,
}

/// Time zones with and without changes of the clock, on both sides of UTC and with a half-hour offset.
const ZONES: [&str; 5] = ["UTC", "Europe/Berlin", "America/Havana", "Asia/Kolkata", "Pacific/Auckland"];

fn step() -> impl Strategy<Value = Step> {
    let who = 0..PEOPLE;
    prop_oneof![
        4 => (who.clone(), any::<bool>()).prop_map(|(who, marketing)| Step::Create { who, marketing }),
        2 => (who.clone(), any::<bool>()).prop_map(|(who, marketing)| Step::Upsert { who, marketing }),
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
                    run.apply(&step).await?;
                    run.compare(&step).await?;
                }
                Ok(())
            })
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

/// A run of a history against the store and the model.
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
    // A day that the month does not have becomes the month's last day, as in a contract.
    let renewal_date = (0..4).find_map(|less| NaiveDate::from_ymd_opt(2025, month, day - less)).unwrap();
    let term = if monthly { Term::Monthly } else { Term::Annual };
    Calendar { term, renewal_date, time_zone: ZONES[zone].parse::<TimeZone>().unwrap() }
}

/// The constant wall clock of a sandbox's history. A sandbox ignores it.
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

    /// Applies a step to the store and the model, and compares their results.
    async fn apply(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Create { who, marketing } => self.save(*who, *marketing, SaveMode::Create).await,
            Step::Upsert { who, marketing } => self.save(*who, *marketing, SaveMode::CreateOrUpdate).await,
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
                self.change(&UpdateAccount { cap: (*cap).into(), ..UpdateAccount::default() }).await
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
                MarketingEffect::Accepted => {
                    panic!("a submission entered the inbox, which this test does not use")
                }
            };
            prop_assert_eq!((seen, submitted.duplicate), (expected, time > 0));
        }
        let found = self.store().contact(self.account, ContactRef::Email(email), self.wall_clock()).await;
        self.ids.insert(who, found.expect("the contact that submitted").0.id);
        Ok(())
    }

    async fn status(&mut self, set_marketing: bool, who: &[usize]) -> Result<(), TestCaseError> {
        // A contact that was never created is named by an unused id.
        let unused = ContactId::new(Timestamp::MAX, 0);
        let ids: Vec<ContactId> =
            who.iter().map(|who| self.ids.get(who).copied().unwrap_or(unused)).collect();
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
        // A deleted contact that has left can still be erased until the sweep removes it.
        prop_assert!(done == expected || (done && erase), "deleted: {}, expected: {}", done, expected);
        if erase {
            // The erased contact has no id any more.
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

    /// Closes the ended periods and sweeps them. Reads must not change by it, so the model does nothing.
    async fn tick(&mut self) -> Result<(), TestCaseError> {
        let wall_clock = self.wall_clock();
        for _ in 0..2 {
            for shard in Store::due_shards() {
                for due in self.store().due(shard, wall_clock, None).await.expect("what is due").due {
                    match due {
                        Due::Period(account, _) => {
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
                            Some(Tasks::Bulk(_) | Tasks::Automations(_) | Tasks::Files(_)) => {
                                prop_assert!(false, "no bulk job, automation or file was created");
                            }
                            None => {}
                        },
                    }
                }
            }
        }
        Ok(())
    }

    /// Compares the results of all reads with the model.
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
            let contact = ContactRef::Email(email(&address(who)));
            let seen = match self.store().contact(self.account, contact, self.wall_clock()).await {
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

/// Asserts exact counts unless the usage exceeds the cap. A cap that is lowered below the usage removes no contact, so
/// only then may the usage exceed it.
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
