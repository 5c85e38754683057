//! The rules of the domain's `README.md` as a table of people, and nothing else.
//!
//! The random histories of one account and the simulation share it. It knows no item, version or transaction, only
//! what a user sees: people, what has become of them, and the update date.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::Timestamp;
use domain::calendar::Calendar;

use super::calendar::{day, next_update};

/// The state of a person who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    NonMarketing,
    Marketing,
    Leaving,
}

/// What came of something.
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

/// Whether somebody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    There(Kept),
    /// Deleted or erased, and billable until the update date.
    Deleted,
}

/// One entry of a person's history: since when, from what to what, through what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    pub at: Timestamp,
    pub from: Option<Kept>,
    pub to: Kept,
    pub through: &'static str,
}

/// Somebody, as the account keeps them. Their number stays theirs whatever becomes of their address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub address: Option<usize>,
    pub place: Place,
    /// The one thing that is known of them.
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

/// Whom a source sets marketing.
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

/// Through what a user changes things.
pub const BY_HAND: &str = "manual";
/// Through what a form does.
pub const BY_FORM: &str = "form";
/// Through what a form from elsewhere does.
pub const BY_EXTERNAL_FORM: &str = "external_form";
/// Through what people leave.
pub const UPDATE_DATE: &str = "update_date";

/// A form by the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormRules {
    pub id: String,
    /// Whether it sets people marketing; none where the account's default decides.
    pub sets: Option<bool>,
    pub max_per_day: Option<u64>,
    /// Whether it may raise the tier limit; none where the account's default decides.
    pub may_raise_tier: Option<bool>,
    pub through: &'static str,
    /// The latest day on which it set or kept anybody, and how many.
    pub day: Option<(NaiveDate, u64)>,
    /// What came of its submissions. Those that came again are not among it.
    pub counts: BTreeMap<&'static str, i64>,
}

impl FormRules {
    /// Whether its budget of the day is used up.
    fn is_used_up(&self, today: NaiveDate) -> bool {
        self.max_per_day.is_some_and(|max| self.today(today).1 >= max)
    }

    /// How many it has set or kept on its day, which never goes back.
    fn today(&self, today: NaiveDate) -> (NaiveDate, u64) {
        self.day.filter(|(day, _)| *day >= today).unwrap_or((today, 0))
    }
}

/// What came of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    pub who: usize,
    pub new: bool,
    pub effect: Effect,
    /// Why nobody was set though the form would.
    pub reason: Option<&'static str>,
}

/// How many contacts a contract covers, and in which steps that grows.
#[derive(Clone, Copy, Debug)]
pub struct Tier {
    block: u64,
    /// The limit with which the period began.
    pub limit: u64,
}

impl Tier {
    pub fn new(included: u64, block: u64) -> Self {
        Self { block, limit: included }
    }

    /// The tier of another contract. Its limit is not below the one at this usage.
    pub fn changed_to(&self, included: u64, block: u64, usage: u64) -> Self {
        let new = Self::new(included, block);
        Self { limit: new.limit_at(self.limit_at(usage)), ..new }
    }

    /// The limit at this usage: it grows by whole steps until it holds it.
    pub fn limit_at(&self, usage: u64) -> u64 {
        let mut limit = self.limit;
        while limit < usage {
            limit += self.block;
        }
        limit
    }
}

/// An account by the rules.
#[derive(Clone, Debug)]
pub struct Model {
    people: BTreeMap<usize, Person>,
    /// How many people there have been.
    made: usize,
    pub cap: Option<u64>,
    pub tier: Tier,
    /// Whether forms without a setting of their own may raise the tier limit.
    pub forms_may_raise_tier: bool,
    /// Whether it has marketing contacts at all.
    pub marketing_contacts: bool,
    pub number: u64,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// The closed periods: end, usage at the end, how many left.
    pub statements: Vec<(Timestamp, u64, u64)>,
    pub calendar: Calendar,
    /// The instant of whatever happens next.
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

    /// Everybody who is kept, deleted ones among them, by number.
    pub fn people(&self) -> impl Iterator<Item = (usize, &Person)> {
        self.people.iter().map(|(who, person)| (*who, person))
    }

    pub fn person(&self, who: usize) -> Option<&Person> {
        self.people.get(&who)
    }

    /// The last entry of somebody's history.
    pub fn last_move(&mut self, who: usize) -> Option<&mut Moved> {
        self.people.get_mut(&who)?.history.last_mut()
    }

    /// Who has an address.
    pub fn holder(&self, address: usize) -> Option<usize> {
        self.people().find(|(_, person)| person.address == Some(address)).map(|(who, _)| who)
    }

    /// The usage, and how many of it are leaving.
    pub fn usage(&self) -> (u64, u64) {
        let count = |wanted: &[Place]| {
            self.people.values().filter(|person| wanted.contains(&person.place)).count() as u64
        };
        let leaving = count(&[Place::There(Kept::Leaving), Place::Deleted]);
        (count(&[Place::There(Kept::Marketing)]) + leaving, leaving)
    }

    /// The state of who has an address.
    pub fn state(&self, address: usize) -> Option<Kept> {
        self.state_of(self.holder(address)?)
    }

    /// The state of somebody who is there.
    pub fn state_of(&self, who: usize) -> Option<Kept> {
        match self.people.get(&who)?.place {
            Place::There(state) => Some(state),
            Place::Deleted => None,
        }
    }

    fn has_room(&self) -> bool {
        self.marketing_contacts && self.cap.is_none_or(|cap| self.usage().0 < cap)
    }

    /// The time is now `now`: update dates that have passed take effect, one by one.
    pub fn advance(&mut self, now: Timestamp) {
        self.now = now;
        while now >= self.ends_at {
            self.close();
        }
    }

    /// The update date takes effect.
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

    /// Somebody who is kept no more came back in time to leave at `at` with the others.
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

    /// Somebody who is kept is to be marketing.
    pub fn set(&mut self, who: usize, through: &'static str) -> Effect {
        match self.people[&who].place {
            Place::There(Kept::Marketing) => Effect::Unchanged,
            Place::There(Kept::Leaving) | Place::Deleted => {
                self.change_state(who, Kept::Leaving, Kept::Marketing, through);
                Effect::Kept
            }
            Place::There(Kept::NonMarketing) if self.has_room() => {
                self.change_state(who, Kept::NonMarketing, Kept::Marketing, through);
                Effect::Set
            }
            Place::There(Kept::NonMarketing) => Effect::Refused,
        }
    }

    /// Somebody who is there is to leave.
    pub fn queue(&mut self, who: usize, through: &'static str) -> Effect {
        match self.people[&who].place {
            Place::There(Kept::Marketing) => {
                self.change_state(who, Kept::Marketing, Kept::Leaving, through);
                Effect::Queued
            }
            Place::There(_) | Place::Deleted => Effect::Unchanged,
        }
    }

    /// A status command for one person, of whom nobody may know.
    pub fn command(&mut self, set_marketing: bool, who: Option<usize>, through: &'static str) -> Effect {
        match who.filter(|who| self.state_of(*who).is_some()) {
            None => Effect::NotFound,
            Some(who) if set_marketing => self.set(who, through),
            Some(who) => self.queue(who, through),
        }
    }

    /// Somebody comes through a source: who it is, what came of it, and whether they are new.
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
            // Deleted and back again: they take their place, and nothing else of what they were.
            Some(who) => {
                let person = self.people.get_mut(&who).unwrap();
                person.place = Place::There(Kept::Leaving);
                person.note = None;
                let effect = if sets.new { self.set(who, through) } else { Effect::NotAsked };
                (who, effect, true)
            }
            None => {
                let (to, effect) = match (sets.new, self.has_room()) {
                    (true, true) => (Kept::Marketing, Effect::Set),
                    (true, false) => (Kept::NonMarketing, Effect::Refused),
                    (false, _) => (Kept::NonMarketing, Effect::NotAsked),
                };
                (self.make(address, to, through), effect, true)
            }
        }
    }

    /// Why somebody who is not marketing yet would not be set by a form, if they would not.
    pub fn refuses(&self, form: &FormRules) -> Option<&'static str> {
        if !self.marketing_contacts {
            return Some("marketing-contacts-off");
        }
        if !self.has_room() {
            return Some("cap-reached");
        }
        let usage = self.usage().0;
        if !form.may_raise_tier.unwrap_or(self.forms_may_raise_tier) && self.tier.limit_at(usage) == usage {
            return Some("tier-limit");
        }
        form.is_used_up(day(&self.calendar, self.now)).then_some("form-budget")
    }

    /// Somebody submits a form, which sets people marketing or does not.
    pub fn submit_form(&mut self, form: &mut FormRules, address: usize, sets: bool) -> Submitted {
        let today = day(&self.calendar, self.now);
        let sets = if sets { Sets::EVERYBODY } else { Sets::NOBODY };
        let mut tried = self.clone();
        let (who, effect, new) = tried.arrive(Some(address), sets, form.through);
        let refuses = match effect {
            Effect::Set | Effect::Refused => self.refuses(form),
            // Whoever is kept makes no one more, but is one more next month.
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

    /// A delivery that was applied before comes with other answers: who it is, and whether they are new.
    pub fn edit(&mut self, form: &FormRules, address: usize) -> Submitted {
        let (who, effect, new) = self.arrive(Some(address), Sets::NOBODY, form.through);
        Submitted { who, new, effect, reason: None }
    }

    fn make(&mut self, address: Option<usize>, to: Kept, through: &'static str) -> usize {
        let history = vec![Moved { at: self.now, from: None, to, through }];
        let who = self.made;
        self.made += 1;
        self.people.insert(who, Person { address, place: Place::There(to), note: None, history });
        who
    }

    /// The number that the next new person gets.
    pub fn next(&self) -> usize {
        self.made
    }

    /// Something becomes known of somebody who is there.
    pub fn note(&mut self, who: usize, note: u64) {
        self.people.get_mut(&who).unwrap().note = Some(note);
    }

    /// Somebody who is there gets another address, or none. Answers whether it is to be had: a deleted person's is.
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

    /// Answers whether there was something to delete or erase.
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
            // Erased before; it can be said again.
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

    /// The switch for marketing contacts is turned. Answers whether it can be: not off while there are some.
    pub fn switch(&mut self, on: bool) -> bool {
        let possible = on || self.usage().0 == 0;
        if possible {
            self.marketing_contacts = on;
        }
        possible
    }
}

/// The same by addresses, for histories in which nobody changes theirs.
impl Model {
    /// A user makes a contact; none if it is there and must not be.
    pub fn save(&mut self, address: usize, marketing: bool, may_exist: bool) -> Option<Effect> {
        let sets = Sets { new: marketing, existing: marketing };
        let exists = self.state(address).is_some();
        (may_exist || !exists).then(|| self.arrive(Some(address), sets, BY_HAND).1)
    }

    pub fn submit(&mut self, address: usize, set_marketing: bool) -> Effect {
        let known = self.holder(address).is_some();
        let sets = Sets { new: set_marketing, existing: set_marketing };
        match self.arrive(Some(address), sets, BY_FORM).1 {
            // What keeps its state is unchanged to a form; only a new non-marketing contact was not set.
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

    /// Answers whether there was something to delete or erase.
    pub fn delete(&mut self, address: usize, erase: bool) -> bool {
        self.holder(address).is_some_and(|who| self.remove(who, erase, BY_HAND))
    }
}
