//! Random histories of contacts and automations, with a feed that is read twice, late, in shards, and killed.
//!
//! Commands are carried out one after the other, and the test judges by itself which contacts come to match. The feed and
//! the workers run at random moments between the commands, and are killed at random points. When everything has settled,
//! the whole table is compared with what must have happened. `SEEDS=200` runs more histories, and `SEED=7` runs one.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{NaiveDate, TimeDelta};
use domain::automation::AutomationState;
use domain::decision::Command;
use domain::ids::{AutomationId, ContactId};
use domain::source::SourceType;
use store::{AutomationTask, NewAutomation, StreamRecord, Waiting};
use testkit::SeededRng;

use super::automations::{Setting, property, romans};
use super::{assert_exact, delete, set};

const CITIES: [&str; 3] = ["Rome", "Delft", "Lima"];
const PEOPLE: usize = 8;
const SHARDS: usize = 3;
const COMMANDS: usize = 60;

/// A defect that is planted into a history, which the checks must catch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Defect {
    None,
    /// A record is never read.
    LostRecord,
    /// Acting on a contact and its enrolment are not one: the enrolment is lost.
    LostEnrolment,
    /// The run of the day is not counted with the contacts.
    UncountedRun,
    /// A record of the period is never read.
    LostPeriod,
}

/// A future that is dropped after a number of polls, as a process that is killed.
struct Killed<F>(Pin<Box<F>>, u64);

impl<F: Future> Future for Killed<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.1 == 0 {
            return Poll::Ready(None);
        }
        self.1 -= 1;
        self.0.as_mut().poll(context).map(Some)
    }
}

/// One automation with what the test expects of it.
struct Expected {
    id: AutomationId,
    city: &'static str,
    re_enrol: bool,
    max_per_day: Option<u64>,
    /// The number of times that each contact came to match by a command.
    came: BTreeMap<ContactId, u64>,
}

struct History {
    setting: Setting,
    rng: SeededRng,
    automations: Vec<Expected>,
    cities: BTreeMap<usize, (ContactId, Option<&'static str>)>,
    shards: Vec<Vec<StreamRecord>>,
    /// The number of records of each shard that were read once. Earlier ones may be read again.
    read: [usize; SHARDS],
    tasks: Vec<AutomationTask>,
    /// The usage at the end of each day, as far as it is over.
    usage: BTreeMap<NaiveDate, u64>,
    defect: Defect,
}

impl History {
    async fn start(seed: u64, defect: Defect) -> Self {
        let mut rng = SeededRng::new(seed);
        let setting = Setting::start().await;
        let mut automations = Vec::new();
        for (number, city) in CITIES.iter().enumerate() {
            let action = if number == 2 { Command::SetNonMarketingPending } else { Command::SetMarketing };
            let new = NewAutomation {
                name: (*city).to_owned(),
                trigger: domain::automation::Trigger::Filter(property("city", city)),
                re_enrol: rng.below(2) == 0,
                max_per_day: (rng.below(2) == 0).then(|| 1 + rng.below(3)),
                pause_above: (rng.below(3) == 0).then(|| 1 + rng.below(4)),
                action,
                ..romans()
            };
            let id = setting.create(&new).await.id;
            let (re_enrol, max_per_day) = (new.re_enrol, new.max_per_day);
            automations.push(Expected { id, city, re_enrol, max_per_day, came: BTreeMap::new() });
        }
        let mut history = Self {
            setting,
            rng,
            automations,
            cities: BTreeMap::new(),
            shards: vec![Vec::new(); SHARDS],
            read: [0; SHARDS],
            tasks: Vec::new(),
            usage: BTreeMap::new(),
            defect,
        };
        history.collect().await;
        history
    }

    /// Takes over the new records of the stream, each into the shard of its partition, and notes the usage of the day.
    async fn collect(&mut self) {
        let now = self.setting.now();
        let usage = self.setting.table.store.usage(self.setting.account, now).await.unwrap();
        self.usage.insert(usage.calendar.time_zone.date(now), usage.marketing);
        for record in self.setting.table.records().await {
            let item = record.new.as_ref().or(record.old.as_ref()).expect("an image");
            let pk = item["pk"].as_s().expect("a key");
            let shard = pk.bytes().map(usize::from).sum::<usize>() % SHARDS;
            let is_contact = pk.starts_with("CONTACT#");
            let is_period = item["sk"].as_s().is_ok_and(|sk| sk == "PERIOD");
            let may_be_lost = match self.defect {
                Defect::LostRecord => is_contact,
                Defect::LostPeriod => is_period,
                Defect::None | Defect::LostEnrolment | Defect::UncountedRun => false,
            };
            if may_be_lost && self.rng.below(4) == 0 {
                continue;
            }
            self.shards[shard].push(record);
        }
    }

    /// Carries out a random command.
    async fn command(&mut self) {
        let person = usize::try_from(self.rng.below(PEOPLE as u64)).unwrap();
        match self.rng.below(10) {
            0..6 => self.move_to(person).await,
            6 => self.delete(person).await,
            7 => self.queue(person).await,
            8 => drop(self.setting.pass(TimeDelta::hours(i64::try_from(self.rng.below(20)).unwrap()))),
            _ => drop(self.setting.pass(TimeDelta::minutes(10))),
        }
        self.collect().await;
    }

    async fn move_to(&mut self, person: usize) {
        let city = CITIES[usize::try_from(self.rng.below(CITIES.len() as u64)).unwrap()];
        let id = self.setting.save(&format!("p{person}@example.org"), &[("city", city)]).await;
        let before = self.cities.insert(person, (id, Some(city))).and_then(|(_, city)| city);
        if before != Some(city) {
            for automation in self.automations.iter_mut().filter(|automation| automation.city == city) {
                *automation.came.entry(id).or_default() += 1;
            }
        }
    }

    async fn delete(&mut self, person: usize) {
        let Some((id, Some(_))) = self.cities.get(&person).copied() else { return };
        delete(&self.setting.table.store, self.setting.account, id, false, self.setting.now()).await.unwrap();
        self.cities.insert(person, (id, None));
    }

    async fn queue(&mut self, person: usize) {
        let Some((id, Some(_))) = self.cities.get(&person).copied() else { return };
        let store = &self.setting.table.store;
        let command = Command::SetNonMarketingPending;
        set(store, self.setting.account, command, &[id], self.setting.now()).await.unwrap();
    }

    /// Lets the feed read a batch, perhaps one that it has read before, and perhaps not to its end.
    async fn feed(&mut self, kill: bool) {
        let shard = usize::try_from(self.rng.below(SHARDS as u64)).unwrap();
        let back = usize::try_from(self.rng.below(4)).unwrap();
        let from = self.read[shard].saturating_sub(back);
        let batch: Vec<StreamRecord> = self.shards[shard].iter().skip(from).take(6).cloned().collect();
        let count = batch.len();
        let polls = if kill && self.rng.below(3) == 0 { self.rng.below(12) } else { u64::MAX };
        let now = self.setting.now();
        let followed = Killed(Box::pin(self.setting.table.store.follow(batch, now)), polls).await;
        if let Some(followed) = followed {
            assert!(followed.failed.is_empty(), "{:?}", followed.failed);
            self.tasks.extend(followed.tasks);
            self.read[shard] = self.read[shard].max(from + count);
        }
        self.collect().await;
    }

    /// Lets a worker work on a message, which may be delivered again, and perhaps not to its end.
    async fn work(&mut self, kill: bool) {
        if self.tasks.is_empty() {
            return;
        }
        let place = usize::try_from(self.rng.below(self.tasks.len() as u64)).unwrap();
        let task = self.tasks[place];
        let polls = if kill && self.rng.below(3) == 0 { self.rng.below(20) } else { u64::MAX };
        let clock = || self.setting.now();
        let worked = self.setting.table.store.work_on_automation(task, clock, || true);
        let worked = Killed(Box::pin(worked), polls).await;
        if worked.is_some() && self.rng.below(4) > 0 {
            self.tasks.swap_remove(place);
        }
        self.plant().await;
        self.collect().await;
    }

    /// Does what a program with the defect would do.
    async fn plant(&mut self) {
        let prefix = match self.defect {
            Defect::LostEnrolment => "ENROLMENT#",
            Defect::UncountedRun => "RUN#",
            Defect::None | Defect::LostRecord | Defect::LostPeriod => return,
        };
        for item in self.items(prefix).await {
            let key = ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone()));
            let delete = self.setting.table.client.delete_item().table_name(testkit::TABLE);
            delete.set_key(Some(key.into_iter().collect())).send().await.unwrap();
        }
    }

    async fn items(&self, prefix: &str) -> Vec<std::collections::HashMap<String, AttributeValue>> {
        let scan = self.setting.table.client.scan().table_name(testkit::TABLE).send().await.unwrap();
        let is_wanted = |item: &std::collections::HashMap<String, AttributeValue>| {
            item["pk"].as_s().is_ok_and(|pk| pk.starts_with(prefix))
        };
        scan.items().iter().filter(|item| is_wanted(item)).cloned().collect()
    }

    /// Lets everything settle: all records are read, paused automations go on, and days pass until no contact waits.
    async fn settle(&mut self) {
        for _day in 0..60 {
            for _ in 0..400 {
                let is_read = (0..SHARDS).all(|shard| self.read[shard] >= self.shards[shard].len());
                if is_read && self.tasks.is_empty() {
                    break;
                }
                self.feed(false).await;
                self.work(false).await;
            }
            let mut waits = false;
            let automations: Vec<AutomationId> = self.automations.iter().map(|one| one.id).collect();
            for id in automations {
                let store = &self.setting.table.store;
                let found = store.automation(self.setting.account, id).await.unwrap();
                if found.state == AutomationState::Paused {
                    self.setting.resume(id, Waiting::Keep).await.unwrap();
                    waits = true;
                }
                waits |= store.waiting_of(self.setting.account, id).await.unwrap() > 0;
                self.tasks.push(found.task());
            }
            self.collect().await;
            if !waits && self.shards.iter().zip(self.read).all(|(shard, read)| read >= shard.len()) {
                return;
            }
            self.setting.pass(TimeDelta::days(1));
        }
        panic!("the history did not settle");
    }

    /// Returns the violations of the settled table.
    async fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (person, (id, city)) in &self.cities {
            let Some(city) = city else { continue };
            let contact = self.setting.contact(*id).await;
            for automation in &self.automations {
                let name = Some(automation.id.to_string());
                let changes = contact.marketing.history.recent.iter();
                let acts = changes
                    .filter(|change| change.source.kind == SourceType::Automation && change.source.id == name)
                    .count() as u64;
                let came = automation.came.get(id).copied().unwrap_or_default();
                let most = if automation.re_enrol { came } else { came.min(1) };
                // A deleted contact keeps its history when it returns, so this bound is for contacts that stayed.
                let stayed =
                    contact.marketing.history.recent.first().is_some_and(|first| first.from.is_none());
                if stayed && acts > most && !self.was_deleted(*id) {
                    found.push(format!(
                        "{} acted {acts} times on {person}, which came {came} times",
                        automation.city
                    ));
                }
                if automation.city == *city && !self.has_turn(automation, *id).await {
                    found.push(format!("{} did not act on {person}", automation.city));
                }
            }
        }
        found.extend(self.over_budget().await);
        found.extend(self.wrong_timeline().await);
        found
    }

    /// Returns the days of the timeline that do not follow from the day before, and a last day that is not the usage.
    async fn wrong_timeline(&self) -> Vec<String> {
        let (store, now) = (&self.setting.table.store, self.setting.now());
        // The history takes less than the days that a timeline shows at once.
        let from = Some(super::START[..10].parse().unwrap());
        let days = store.timeline(self.setting.account, from, None, now).await.unwrap();
        let usage = store.usage(self.setting.account, now).await.unwrap().marketing;
        let (mut found, mut before) = (Vec::new(), 0);
        for day in &days {
            let expected = before + day.by_source.iter().map(|(_, number)| number).sum::<u64>() - day.left;
            let noted = self.usage.get(&day.date).copied().unwrap_or(expected);
            if day.marketing != expected || day.marketing != noted {
                found.push(format!("{}: {}, {expected} by sums, {noted} seen", day.date, day.marketing));
            }
            before = day.marketing;
        }
        if before != usage {
            found.push(format!("the timeline ends with {before} and not {usage}"));
        }
        found
    }

    fn was_deleted(&self, id: ContactId) -> bool {
        self.shards.iter().flatten().any(|record| {
            let item = record.new.as_ref();
            item.is_some_and(|item| {
                item["sk"].as_s().is_ok_and(|sk| *sk == id.sortable()) && item.contains_key("deleted_at")
            })
        })
    }

    /// Returns true if the contact's enrolment says that it had its turn.
    async fn has_turn(&self, automation: &Expected, id: ContactId) -> bool {
        self.items("ENROLMENT#").await.iter().any(|item| {
            item["pk"].as_s().is_ok_and(|pk| pk.ends_with(&automation.id.to_string()))
                && item["sk"].as_s().is_ok_and(|sk| *sk == id.sortable())
                && item["acted"].as_bool().is_ok_and(|acted| *acted)
        })
    }

    /// Returns the days on which an automation changed more contacts than its budget, by the contacts' histories.
    async fn over_budget(&self) -> Vec<String> {
        let mut days: BTreeMap<(usize, String), u64> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (id, city) in self.cities.values() {
            if city.is_none() || !seen.insert(*id) {
                continue;
            }
            for change in &self.setting.contact(*id).await.marketing.history.recent {
                let by = self.automations.iter().position(|one| Some(one.id.to_string()) == change.source.id);
                if let Some(by) = by {
                    *days.entry((by, change.at.to_string()[..10].to_owned())).or_default() += 1;
                }
            }
        }
        let exceeds = |((by, day), count): (&(usize, String), &u64)| {
            let max = self.automations[*by].max_per_day?;
            (*count > max)
                .then(|| format!("{} changed {count} on {day}, at most {max}", self.automations[*by].city))
        };
        days.iter().filter_map(exceeds).collect()
    }
}

/// Runs one history and returns its violations.
async fn run(seed: u64, defect: Defect) -> Vec<String> {
    let mut history = History::start(seed, defect).await;
    for _ in 0..COMMANDS {
        history.command().await;
        for _ in 0..history.rng.below(3) {
            history.feed(true).await;
            history.work(true).await;
        }
    }
    history.settle().await;
    let violations = history.violations().await;
    if defect == Defect::None {
        assert_exact(&history.setting.table, history.setting.account, history.setting.now()).await;
    }
    violations
}

#[expect(clippy::disallowed_methods, reason = "the variables let a developer select histories")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test]
async fn every_contact_has_its_turns_and_no_budget_is_passed() {
    let (from, count) = number("SEED").map_or((0, number("SEEDS").unwrap_or(8)), |seed| (seed, 1));
    for seed in from..from + count {
        let violations = run(seed, Defect::None).await;
        assert!(violations.is_empty(), "SEED={seed}: {violations:#?}");
    }
}

#[tokio::test]
async fn planted_defects_are_caught() {
    for defect in [Defect::LostRecord, Defect::LostEnrolment, Defect::UncountedRun, Defect::LostPeriod] {
        let mut caught = None;
        for seed in 0..20 {
            if !run(seed, defect).await.is_empty() {
                caught = Some(seed);
                break;
            }
        }
        assert!(caught.is_some(), "{defect:?} was not caught");
    }
}
