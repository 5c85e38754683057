//! The rules of the domain's `README.md`, applied to a table of people.
//!
//! The random histories of one account and the simulation share this model. It has no items, versions or transactions,
//! only what a user sees: people, their states, and the update date. A person is a contact or the billable unit that a
//! deleted contact leaves behind.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::Timestamp;
use domain::calendar::Calendar;

use super::calendar::{day, next_update};

/// The state of a person that is not deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    NonMarketing,
    Marketing,
    Leaving,
}

/// The effect of an operation on one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Set,
    Kept,
    Queued,
    Unchanged,
    Refused,
    NotAsked,
    NotFound,
}

/// The existence of a person: present in a state, or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    There(Kept),
    /// Deleted or erased, and billable until the update date.
    Deleted,
}

/// One entry of a person's history: the instant, the two states and the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    pub at: Timestamp,
    pub from: Option<Kept>,
    pub to: Kept,
    pub through: &'static str,
}

/// A person of the account. The person's number is constant, even if the address changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub address: Option<usize>,
    pub place: Place,
    /// The person's only property.
    pub note: Option<u64>,
    pub history: Vec<Moved>,
}

impl Person {
    fn leave(&mut self, at: Timestamp) {
        self.place = Place::There(Kept::NonMarketing);
        let (from, to) = (Some(Kept::Leaving), Kept::NonMarketing);
        self.history.push(Moved { at, from, to, through: UPDATE_DATE });
    }
}

/// The people that a source sets marketing: new ones, existing ones, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sets {
    pub new: bool,
    pub existing: bool,
}

impl Sets {
    pub const NOBODY: Self = Self { new: false, existing: false };
    pub const EVERYBODY: Self = Self { new: true, existing: true };
    pub const THE_NEW: Self = Self { new: true, existing: false };
}

/// The source of a user's changes.
pub const BY_HAND: &str = "manual";
/// The source of a native form's changes.
pub const BY_FORM: &str = "form";
/// The source of an external form's changes.
pub const BY_EXTERNAL_FORM: &str = "external_form";
/// The source of a bulk job's changes.
pub const BY_BULK_JOB: &str = "bulk_job";
/// The source of an import's changes.
pub const BY_IMPORT: &str = "import";
/// The source of the changes at an update date.
pub const UPDATE_DATE: &str = "update_date";

/// The model of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormRules {
    pub id: String,
    /// True if the form sets people marketing. `None` means the account's default.
    pub sets: Option<bool>,
    pub max_per_day: Option<u64>,
    /// True if the form may raise the tier limit. `None` means the account's default.
    pub may_raise_tier: Option<bool>,
    pub through: &'static str,
    /// The latest day on which the form set or kept a person, and the number of these people.
    pub day: Option<(NaiveDate, u64)>,
    /// The numbers of submissions by effect. Duplicates are not counted.
    pub counts: BTreeMap<&'static str, i64>,
}

impl FormRules {
    /// Returns true if the form's budget of the day is used up.
    fn is_used_up(&self, today: NaiveDate) -> bool {
        self.max_per_day.is_some_and(|max| self.today(today).1 >= max)
    }

    /// Returns the form's current day, which never moves back, and the number of people that it set or kept on it.
    fn today(&self, today: NaiveDate) -> (NaiveDate, u64) {
        self.day.filter(|(day, _)| *day >= today).unwrap_or((today, 0))
    }
}

/// The result of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    pub who: usize,
    pub new: bool,
    pub effect: Effect,
    /// The reason why the person was not set marketing, although the form would set it.
    pub reason: Option<&'static str>,
}

/// The number of contacts that a contract covers, and the steps in which it grows.
#[derive(Clone, Copy, Debug)]
pub struct Tier {
    block: u64,
    /// The limit at the beginning of the period.
    pub limit: u64,
}

impl Tier {
    pub fn new(included: u64, block: u64) -> Self {
        Self { block, limit: included }
    }

    /// Returns the tier of another contract. Its limit is at least the present limit at this usage.
    pub fn changed_to(&self, included: u64, block: u64, usage: u64) -> Self {
        let new = Self::new(included, block);
        Self { limit: new.limit_at(self.limit_at(usage)), ..new }
    }

    /// Returns the limit at this usage: it grows by whole steps until it covers the usage.
    pub fn limit_at(&self, usage: u64) -> u64 {
        let mut limit = self.limit;
        while limit < usage {
            limit += self.block;
        }
        limit
    }
}

/// The model of an account.
#[derive(Clone, Debug)]
pub struct Model {
    people: BTreeMap<usize, Person>,
    /// The number of people that were ever created.
    made: usize,
    pub cap: Option<u64>,
    pub tier: Tier,
    /// True if forms without an own setting may raise the tier limit.
    pub forms_may_raise_tier: bool,
    /// True if the account may have marketing contacts.
    pub marketing_contacts: bool,
    pub number: u64,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// The closed periods: the end, the usage at the end, and the number of people that left.
    pub statements: Vec<(Timestamp, u64, u64)>,
    pub calendar: Calendar,
    /// The instant of the next operation.
    pub now: Timestamp,
}

impl Model {
    pub fn new(calendar: &Calendar, now: Timestamp) -> Self {
        Self {
            people: BTreeMap::new(),
            made: 0,
            cap: None,
            tier: Tier::new(1_000, 1_000),
            forms_may_raise_tier: false,
            marketing_contacts: true,
            number: 1,
            starts_at: now,
            ends_at: next_update(calendar, now),
            statements: Vec::new(),
            calendar: *calendar,
            now,
        }
    }

    /// Returns all people with their numbers, including deleted ones.
    pub fn people(&self) -> impl Iterator<Item = (usize, &Person)> {
        self.people.iter().map(|(who, person)| (*who, person))
    }

    pub fn person(&self, who: usize) -> Option<&Person> {
        self.people.get(&who)
    }

    /// Returns the last entry of a person's history.
    pub fn last_move(&mut self, who: usize) -> Option<&mut Moved> {
        self.people.get_mut(&who)?.history.last_mut()
    }

    /// Returns the number of the person with this address.
    pub fn holder(&self, address: usize) -> Option<usize> {
        self.people().find(|(_, person)| person.address == Some(address)).map(|(who, _)| who)
    }

    /// Returns the usage, and the number of leaving people in it.
    pub fn usage(&self) -> (u64, u64) {
        let count = |wanted: &[Place]| {
            self.people.values().filter(|person| wanted.contains(&person.place)).count() as u64
        };
        let leaving = count(&[Place::There(Kept::Leaving), Place::Deleted]);
        (count(&[Place::There(Kept::Marketing)]) + leaving, leaving)
    }

    /// Returns the state of the person with this address, or `None` if there is none or it is deleted.
    pub fn state(&self, address: usize) -> Option<Kept> {
        self.state_of(self.holder(address)?)
    }

    /// Returns a person's state, or `None` if the person is deleted or unknown.
    pub fn state_of(&self, who: usize) -> Option<Kept> {
        match self.people.get(&who)?.place {
            Place::There(state) => Some(state),
            Place::Deleted => None,
        }
    }

    /// Returns true if one more person may be set marketing.
    fn has_capacity(&self) -> bool {
        self.marketing_contacts && self.cap.is_none_or(|cap| self.usage().0 < cap)
    }

    /// Moves the time to `now`. Update dates that have passed take effect, one by one.
    pub fn advance(&mut self, now: Timestamp) {
        self.now = now;
        while now >= self.ends_at {
            self.close();
        }
    }

    /// Applies the update date: closes the period and begins the next one.
    pub fn close(&mut self) {
        let (usage, leaving) = self.usage();
        self.statements.push((self.ends_at, usage, leaving));
        self.tier.limit = self.tier.limit_at(usage);
        self.people.retain(|_, person| person.place != Place::Deleted);
        for person in self.people.values_mut() {
            if person.place == Place::There(Kept::Leaving) {
                person.leave(self.ends_at);
            }
        }
        self.number += 1;
        self.starts_at = self.ends_at;
        self.ends_at = next_update(&self.calendar, self.ends_at);
    }

    /// Restores a person that the update date removed, because it was recreated in time to leave at `at`.
    pub fn left_with_the_others(&mut self, who: usize, mut person: Person, at: Timestamp) {
        person.leave(at);
        self.people.insert(who, person);
    }

    pub fn change_calendar(&mut self, calendar: &Calendar, now: Timestamp) {
        self.now = now;
        self.calendar = *calendar;
        self.ends_at = next_update(calendar, now);
    }

    fn change_state(&mut self, who: usize, from: Kept, to: Kept, through: &'static str) {
        let at = self.now;
        let person = self.people.get_mut(&who).unwrap();
        person.place = Place::There(to);
        person.history.push(Moved { at, from: Some(from), to, through });
    }

    /// Sets a person marketing if the rules allow it.
    pub fn set(&mut self, who: usize, through: &'static str) -> Effect {
        match self.people[&who].place {
            Place::There(Kept::Marketing) => Effect::Unchanged,
            Place::There(Kept::Leaving) | Place::Deleted => {
                self.change_state(who, Kept::Leaving, Kept::Marketing, through);
                Effect::Kept
            }
            Place::There(Kept::NonMarketing) if self.has_capacity() => {
                self.change_state(who, Kept::NonMarketing, Kept::Marketing, through);
                Effect::Set
            }
            Place::There(Kept::NonMarketing) => Effect::Refused,
        }
    }

    /// Queues a person to leave at the update date.
    pub fn queue(&mut self, who: usize, through: &'static str) -> Effect {
        match self.people[&who].place {
            Place::There(Kept::Marketing) => {
                self.change_state(who, Kept::Marketing, Kept::Leaving, through);
                Effect::Queued
            }
            Place::There(_) | Place::Deleted => Effect::Unchanged,
        }
    }

    /// Applies a status command to one person. `who` is `None` for an unknown contact.
    pub fn command(&mut self, set_marketing: bool, who: Option<usize>, through: &'static str) -> Effect {
        match who.filter(|who| self.state_of(*who).is_some()) {
            None => Effect::NotFound,
            Some(who) if set_marketing => self.set(who, through),
            Some(who) => self.queue(who, through),
        }
    }

    /// Applies an arrival through a source. Returns the person, the effect, and true if the person is new.
    pub fn arrive(
        &mut self,
        address: Option<usize>,
        sets: Sets,
        through: &'static str,
    ) -> (usize, Effect, bool) {
        match address.and_then(|address| self.holder(address)) {
            Some(who) if self.state_of(who).is_some() => {
                let effect = if sets.existing { self.set(who, through) } else { Effect::NotAsked };
                (who, effect, false)
            }
            // The person was deleted: it reuses the billable unit and keeps no data.
            Some(who) => {
                let person = self.people.get_mut(&who).unwrap();
                person.place = Place::There(Kept::Leaving);
                person.note = None;
                let effect = if sets.new { self.set(who, through) } else { Effect::NotAsked };
                (who, effect, true)
            }
            None => {
                let (to, effect) = match (sets.new, self.has_capacity()) {
                    (true, true) => (Kept::Marketing, Effect::Set),
                    (true, false) => (Kept::NonMarketing, Effect::Refused),
                    (false, _) => (Kept::NonMarketing, Effect::NotAsked),
                };
                (self.create(address, to, through), effect, true)
            }
        }
    }

    /// Returns the reason why the form would not set one more person marketing, or `None` if it would.
    pub fn refuses(&self, form: &FormRules) -> Option<&'static str> {
        if !self.marketing_contacts {
            return Some("marketing-contacts-off");
        }
        if !self.has_capacity() {
            return Some("cap-reached");
        }
        let usage = self.usage().0;
        if !form.may_raise_tier.unwrap_or(self.forms_may_raise_tier) && self.tier.limit_at(usage) == usage {
            return Some("tier-limit");
        }
        form.is_used_up(day(&self.calendar, self.now)).then_some("form-budget")
    }

    /// Applies a submission of a form. `sets` is true if the form sets people marketing.
    pub fn submit_form(&mut self, form: &mut FormRules, address: usize, sets: bool) -> Submitted {
        let today = day(&self.calendar, self.now);
        let sets = if sets { Sets::EVERYBODY } else { Sets::NOBODY };
        let mut tried = self.clone();
        let (who, effect, new) = tried.arrive(Some(address), sets, form.through);
        let refuses = match effect {
            Effect::Set | Effect::Refused => self.refuses(form),
            // A kept person does not raise this period's usage, but the next period's.
            Effect::Kept => form.is_used_up(today).then_some("form-budget"),
            _ => None,
        };
        if refuses.is_some() {
            let (who, _, new) = self.arrive(Some(address), Sets::NOBODY, form.through);
            return Submitted { who, new, effect: Effect::Refused, reason: refuses };
        }
        if matches!(effect, Effect::Set | Effect::Kept) && form.max_per_day.is_some() {
            let (latest, used) = form.today(today);
            form.day = Some((latest, used + 1));
        }
        *self = tried;
        Submitted { who, new, effect, reason: None }
    }

    /// Applies an edit, which is another version of an applied delivery. It changes no marketing state.
    pub fn edit(&mut self, form: &FormRules, address: usize) -> Submitted {
        let (who, effect, new) = self.arrive(Some(address), Sets::NOBODY, form.through);
        Submitted { who, new, effect, reason: None }
    }

    fn create(&mut self, address: Option<usize>, to: Kept, through: &'static str) -> usize {
        let history = vec![Moved { at: self.now, from: None, to, through }];
        let who = self.made;
        self.made += 1;
        self.people.insert(who, Person { address, place: Place::There(to), note: None, history });
        who
    }

    /// Returns the number of the next new person.
    pub fn next(&self) -> usize {
        self.made
    }

    /// Sets a person's note.
    pub fn note(&mut self, who: usize, note: u64) {
        self.people.get_mut(&who).unwrap().note = Some(note);
    }

    /// Changes or removes a person's address. Returns false if another person that is not deleted has the address.
    pub fn readdress(&mut self, who: usize, address: Option<usize>) -> bool {
        let holder = address.and_then(|address| self.holder(address)).filter(|holder| *holder != who);
        if holder.is_some_and(|holder| self.state_of(holder).is_some()) {
            return false;
        }
        if let Some(holder) = holder {
            self.people.get_mut(&holder).unwrap().address = None;
        }
        self.people.get_mut(&who).unwrap().address = address;
        true
    }

    /// Deletes or erases a person. Returns false if there was nothing to delete or erase.
    pub fn remove(&mut self, who: usize, erase: bool, through: &'static str) -> bool {
        let Some(place) = self.people.get(&who).map(|person| person.place) else { return false };
        match (place, erase) {
            (Place::Deleted, false) => return false,
            (Place::There(Kept::NonMarketing), _) => {
                self.people.remove(&who);
                return true;
            }
            (Place::There(_) | Place::Deleted, _) => {}
        }
        self.queue(who, through);
        let person = self.people.get_mut(&who).unwrap();
        if place == Place::Deleted && person.address.is_none() && person.history.is_empty() {
            // The person is already erased. The repeat succeeds.
            return true;
        }
        person.place = Place::Deleted;
        person.note = None;
        if erase {
            person.address = None;
            person.history.clear();
        }
        true
    }

    /// Switches marketing contacts on or off. Returns false if the account has some, which prevents switching off.
    pub fn switch(&mut self, on: bool) -> bool {
        let possible = on || self.usage().0 == 0;
        if possible {
            self.marketing_contacts = on;
        }
        possible
    }
}

/// Operations by address, for histories without changes of addresses.
impl Model {
    /// Applies a user's save of a contact. Returns `None` if the contact exists and `may_exist` is false.
    pub fn save(&mut self, address: usize, marketing: bool, may_exist: bool) -> Option<Effect> {
        let sets = Sets { new: marketing, existing: marketing };
        let exists = self.state(address).is_some();
        (may_exist || !exists).then(|| self.arrive(Some(address), sets, BY_HAND).1)
    }

    pub fn submit(&mut self, address: usize, set_marketing: bool) -> Effect {
        let known = self.holder(address).is_some();
        let sets = Sets { new: set_marketing, existing: set_marketing };
        match self.arrive(Some(address), sets, BY_FORM).1 {
            // A form reports a known person that keeps its state as unchanged. Only a new person is "not set".
            Effect::NotAsked if known => Effect::Unchanged,
            effect => effect,
        }
    }

    pub fn status(&mut self, set_marketing: bool, addresses: &[usize]) -> Vec<Effect> {
        let mut seen: BTreeMap<usize, Effect> = BTreeMap::new();
        let mut effect = |address: &usize| {
            if let Some(first) = seen.get(address) {
                let done = !matches!(first, Effect::Refused | Effect::NotFound);
                return if done { Effect::Unchanged } else { *first };
            }
            let effect = self.command(set_marketing, self.holder(*address), BY_HAND);
            seen.insert(*address, effect);
            effect
        };
        addresses.iter().map(&mut effect).collect()
    }

    /// Deletes or erases a person. Returns false if there was nothing to delete or erase.
    pub fn delete(&mut self, address: usize, erase: bool) -> bool {
        self.holder(address).is_some_and(|who| self.remove(who, erase, BY_HAND))
    }
}
