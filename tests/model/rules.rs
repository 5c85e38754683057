//! `rules.md` as a table of people, and nothing else.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::calendar::Calendar;

use super::calendar::next_update;

/// The state of a person who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Person {
    There(Kept),
    /// Deleted, and billable until the update date.
    Deleted,
}

/// An account by the rules.
#[derive(Clone, Debug)]
pub struct Model {
    people: BTreeMap<usize, Person>,
    /// Billable units of erased people.
    nameless: u64,
    pub cap: Option<u64>,
    pub number: u64,
    pub ends_at: Timestamp,
    /// The closed periods: end, usage at the end, how many left.
    pub statements: Vec<(Timestamp, u64, u64)>,
    calendar: Calendar,
}

impl Model {
    pub fn new(calendar: &Calendar, now: Timestamp) -> Self {
        Self {
            people: BTreeMap::new(),
            nameless: 0,
            cap: None,
            number: 1,
            ends_at: next_update(calendar, now),
            statements: Vec::new(),
            calendar: *calendar,
        }
    }

    /// The usage, and how many of it are leaving.
    pub fn usage(&self) -> (u64, u64) {
        let count =
            |wanted: &[Person]| self.people.values().filter(|person| wanted.contains(person)).count() as u64;
        let leaving = count(&[Person::There(Kept::Leaving), Person::Deleted]) + self.nameless;
        (count(&[Person::There(Kept::Marketing)]) + leaving, leaving)
    }

    pub fn state(&self, who: usize) -> Option<Kept> {
        match self.people.get(&who)? {
            Person::There(state) => Some(*state),
            Person::Deleted => None,
        }
    }

    fn has_room(&self) -> bool {
        self.cap.is_none_or(|cap| self.usage().0 < cap)
    }

    /// The time is now `now`: update dates that have passed take effect, one by one.
    pub fn advance(&mut self, now: Timestamp) {
        while now >= self.ends_at {
            let (usage, leaving) = self.usage();
            self.statements.push((self.ends_at, usage, leaving));
            self.people.retain(|_, person| *person != Person::Deleted);
            for person in self.people.values_mut() {
                if *person == Person::There(Kept::Leaving) {
                    *person = Person::There(Kept::NonMarketing);
                }
            }
            self.nameless = 0;
            self.number += 1;
            self.ends_at = next_update(&self.calendar, self.ends_at);
        }
    }

    pub fn change_calendar(&mut self, calendar: &Calendar, now: Timestamp) {
        self.calendar = *calendar;
        self.ends_at = next_update(calendar, now);
    }

    fn set(&mut self, who: usize) -> Effect {
        let (state, effect) = match self.people.get(&who) {
            Some(Person::There(Kept::Marketing)) => return Effect::Unchanged,
            Some(Person::There(Kept::Leaving) | Person::Deleted) => (Kept::Marketing, Effect::Kept),
            Some(Person::There(Kept::NonMarketing)) | None if self.has_room() => {
                (Kept::Marketing, Effect::Set)
            }
            Some(Person::There(Kept::NonMarketing)) | None => (Kept::NonMarketing, Effect::Refused),
        };
        self.people.insert(who, Person::There(state));
        effect
    }

    /// Somebody comes through a source that does or does not set marketing.
    fn arrive(&mut self, who: usize, marketing: bool) -> Effect {
        if marketing {
            return self.set(who);
        }
        let state = match self.people.get(&who) {
            Some(Person::There(state)) => *state,
            Some(Person::Deleted) => Kept::Leaving,
            None => Kept::NonMarketing,
        };
        self.people.insert(who, Person::There(state));
        Effect::NotAsked
    }

    /// A user makes a contact; none if it is there and must not be.
    pub fn save(&mut self, who: usize, marketing: bool, may_exist: bool) -> Option<Effect> {
        let exists = matches!(self.people.get(&who), Some(Person::There(_)));
        (may_exist || !exists).then(|| self.arrive(who, marketing))
    }

    pub fn submit(&mut self, who: usize, set_marketing: bool) -> Effect {
        let before = self.people.get(&who).copied();
        match (self.arrive(who, set_marketing), before) {
            // What keeps its state is unchanged to a form; only a new non-marketing contact was not set.
            (Effect::NotAsked, Some(_)) => Effect::Unchanged,
            (effect, _) => effect,
        }
    }

    pub fn status(&mut self, set_marketing: bool, who: &[usize]) -> Vec<Effect> {
        let mut seen: BTreeMap<usize, Effect> = BTreeMap::new();
        who.iter()
            .map(|who| {
                if let Some(first) = seen.get(who) {
                    let done = !matches!(first, Effect::Refused | Effect::NotFound);
                    return if done { Effect::Unchanged } else { *first };
                }
                let effect = match (self.state(*who), set_marketing) {
                    (None, _) => Effect::NotFound,
                    (Some(_), true) => self.set(*who),
                    (Some(Kept::Marketing), false) => {
                        self.people.insert(*who, Person::There(Kept::Leaving));
                        Effect::Queued
                    }
                    (Some(_), false) => Effect::Unchanged,
                };
                seen.insert(*who, effect);
                effect
            })
            .collect()
    }

    /// Answers whether there was something to delete or erase.
    pub fn delete(&mut self, who: usize, erase: bool) -> bool {
        match (self.people.get(&who), erase) {
            (None, _) | (Some(Person::Deleted), false) => return false,
            (Some(Person::There(Kept::NonMarketing)), _) => {
                self.people.remove(&who);
            }
            (Some(_), true) => {
                self.people.remove(&who);
                self.nameless += 1;
            }
            (Some(Person::There(_)), false) => {
                self.people.insert(who, Person::Deleted);
            }
        }
        true
    }
}
