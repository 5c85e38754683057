//! Automations: which changes enrol a contact, and how many contacts an automation may act on in a day and in an hour.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::Timestamp;
use crate::contact::Contact;
use crate::decision::{Outcome, Refusal};
use crate::filter::Filter;
use crate::ids::{FormId, SegmentId};
use crate::string_enum::string_enum;

/// The time for which the brake counts enrolled contacts.
const BRAKE_WINDOW: TimeDelta = TimeDelta::minutes(60);

/// The trigger of an automation.
#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// A change after which a contact matches the filter, and did not before.
    Filter(Filter),
    /// A submission of one of these forms.
    Forms(BTreeSet<FormId>),
    /// A change after which a contact belongs to the segment, and did not before.
    Segment(SegmentId),
}

string_enum! {
    /// The state of an automation.
    pub enum AutomationState {
        /// It enrols contacts and acts on them.
        Enabled = "enabled",
        /// It does nothing.
        Disabled = "disabled",
        /// Its brake has stopped it. It enrols contacts and keeps them waiting.
        Paused = "paused",
    }
}

string_enum! {
    /// The outcome for a contact that an automation did not act on.
    pub enum Passed {
        /// The contact was deleted while it waited.
        Gone = "gone",
        /// The contact did not match any more when its turn came.
        NoLongerMatches = "no-longer-matches",
    }
}

/// The outcome of a contact's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnOutcome {
    /// The command was applied, or the contact had the desired state already.
    Done(Outcome),
    /// The command was refused.
    Refused(Refusal),
    /// The automation did not act.
    Passed(Passed),
}

impl TurnOutcome {
    /// Returns true if the outcome draws on the budget of the day: the contact becomes billable, stays billable, or is
    /// queued to leave.
    #[must_use]
    pub fn draws(self) -> bool {
        matches!(self, Self::Done(Outcome::Set | Outcome::Kept | Outcome::Queued))
    }

    /// Returns true if the brake counts the contact. A contact that left while it waited, and one of an account without
    /// marketing contacts, cost nothing.
    #[must_use]
    pub fn is_enrolled(self) -> bool {
        !matches!(self, Self::Passed(_) | Self::Refused(Refusal::MarketingContactsOff))
    }

    /// Returns the text of the outcome.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done(outcome) => outcome.as_str(),
            Self::Refused(refusal) => refusal.as_str(),
            Self::Passed(passed) => passed.as_str(),
        }
    }
}

/// The numbers of an automation's run on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Contacts that became marketing contacts.
    pub set: u64,
    /// Leaving contacts that stay.
    pub kept: u64,
    /// Contacts that were queued to leave.
    pub queued: u64,
    /// Contacts that had the desired state already.
    pub unchanged: u64,
    /// Contacts that were deleted while they waited.
    pub gone: u64,
    /// Contacts that did not match any more when their turn came.
    pub no_longer_matches: u64,
    /// Refused contacts, by reason.
    pub refused_by: BTreeMap<Refusal, u64>,
}

impl RunCounts {
    /// Counts one outcome.
    pub fn add(&mut self, outcome: TurnOutcome) {
        let count = match outcome {
            TurnOutcome::Done(Outcome::Set) => &mut self.set,
            TurnOutcome::Done(Outcome::Kept) => &mut self.kept,
            TurnOutcome::Done(Outcome::Queued) => &mut self.queued,
            TurnOutcome::Done(Outcome::Unchanged) => &mut self.unchanged,
            TurnOutcome::Refused(refusal) => self.refused_by.entry(refusal).or_default(),
            TurnOutcome::Passed(Passed::Gone) => &mut self.gone,
            TurnOutcome::Passed(Passed::NoLongerMatches) => &mut self.no_longer_matches,
        };
        *count += 1;
    }

    /// Returns the number of refused contacts.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused_by.values().sum()
    }

    /// Returns the number of contacts whose turn came.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.drawn() + self.unchanged + self.refused() + self.gone + self.no_longer_matches
    }

    /// Returns the part of the day's budget that is used up.
    #[must_use]
    pub fn drawn(&self) -> u64 {
        self.set + self.kept + self.queued
    }
}

/// Contacts by the minute in which they were enrolled, for the last hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecentTurns(BTreeMap<i64, u64>);

impl RecentTurns {
    /// Creates the counts from stored ones: minutes since 1970, each with its number.
    #[must_use]
    pub fn new(minutes: BTreeMap<i64, u64>) -> Self {
        Self(minutes)
    }

    /// Returns the stored counts.
    #[must_use]
    pub fn minutes(&self) -> &BTreeMap<i64, u64> {
        &self.0
    }

    /// Counts a contact that was enrolled at `at`, and forgets the minutes before the window that ends at `now`.
    pub fn add(&mut self, at: Timestamp, now: Timestamp) {
        *self.0.entry(minute(at)).or_default() += 1;
        self.0.retain(|minute, _| *minute >= first_minute(now));
    }

    /// Returns the number of contacts that were enrolled in the window that ends at `now`. A minute counts as a whole.
    #[must_use]
    pub fn count(&self, now: Timestamp) -> u64 {
        self.0.range(first_minute(now)..).map(|(_, number)| number).sum()
    }
}

fn minute(at: Timestamp) -> i64 {
    at.millis().div_euclid(60_000)
}

fn first_minute(now: Timestamp) -> i64 {
    minute(brake_from(now))
}

/// Returns the beginning of the time that the brake counts.
#[must_use]
pub fn brake_from(now: Timestamp) -> Timestamp {
    now.plus(-BRAKE_WINDOW)
}

/// The number of contacts that may still have their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The rest of the day's budget. `None` without a budget.
    pub budget: Option<u64>,
    /// The number of contacts until the brake stops the automation. `None` without a brake.
    pub brake: Option<u64>,
}

/// The reason for which no further contact has its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The day's budget is used up.
    Budget,
    /// More contacts were enrolled within an hour than the automation allows.
    Brake,
}

impl Allowance {
    /// Creates the allowance of an automation at `now`.
    #[must_use]
    pub fn new(
        max_per_day: Option<u64>,
        drawn: u64,
        pause_above: Option<u64>,
        recent: &RecentTurns,
        now: Timestamp,
    ) -> Self {
        Self {
            budget: max_per_day.map(|max| max.saturating_sub(drawn)),
            brake: pause_above.map(|most| most.saturating_sub(recent.count(now))),
        }
    }

    /// Uses what a contact's turn with this outcome needs. `is_asked_for` is true for a contact that existed when its
    /// enrolment was confirmed: the brake is for contacts that no person asked for.
    ///
    /// # Errors
    ///
    /// The reason for which the contact keeps waiting. The allowance is then unchanged.
    pub fn take(&mut self, outcome: TurnOutcome, is_asked_for: bool) -> Result<(), Stop> {
        let brake = match self.brake {
            Some(rest) if outcome.is_enrolled() && !is_asked_for => {
                Some(rest.checked_sub(1).ok_or(Stop::Brake)?)
            }
            other => other,
        };
        let budget = match self.budget {
            Some(rest) if outcome.draws() => Some(rest.checked_sub(1).ok_or(Stop::Budget)?),
            other => other,
        };
        *self = Self { budget, brake };
        Ok(())
    }
}

/// Returns true if a contact came to match with a change: it matches afterwards and did not before. Both images are
/// judged by the same filter, so that an edited filter enrols no contact.
#[must_use]
pub fn came_to_match(filter: &Filter, before: Option<&Contact>, after: Option<&Contact>) -> bool {
    let matches = |contact: &Contact| contact.is_visible() && filter.matches(contact);
    after.is_some_and(matches) && !before.is_some_and(matches)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::contact::tests::contact;
    use crate::filter::Condition;
    use crate::marketing::{EffectiveState, StoredState};

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + minutes * 60_000)
    }

    const SET: TurnOutcome = TurnOutcome::Done(Outcome::Set);

    #[test]
    fn brake_counts_the_last_sixty_minutes() {
        let mut recent = RecentTurns::default();
        for minute in 0..600 {
            for _ in 0..40 {
                recent.add(at(minute), at(minute));
            }
        }
        assert_eq!(recent.count(at(599)), 61 * 40, "the minute at the edge counts as a whole");
        assert_eq!(recent.count(at(660)), 0);
        assert!(recent.minutes().len() <= 61);
    }

    #[test]
    fn only_contacts_that_cost_something_draw_on_the_budget() {
        let mut allowance = Allowance { budget: Some(1), brake: None };
        for outcome in [
            TurnOutcome::Done(Outcome::Unchanged),
            TurnOutcome::Refused(Refusal::CapReached),
            TurnOutcome::Passed(Passed::Gone),
        ] {
            assert_eq!(allowance.take(outcome, false), Ok(()));
        }
        assert_eq!(allowance.take(SET, false), Ok(()));
        assert_eq!(allowance.take(SET, false), Err(Stop::Budget));
        assert_eq!(allowance.take(TurnOutcome::Done(Outcome::Unchanged), false), Ok(()));
    }

    #[test]
    fn brake_is_not_touched_by_contacts_that_a_person_asked_for() {
        let mut allowance = Allowance { budget: None, brake: Some(1) };
        for _ in 0..3 {
            assert_eq!(allowance.take(SET, true), Ok(()));
        }
        let off = TurnOutcome::Refused(Refusal::MarketingContactsOff);
        assert_eq!(allowance.take(off, false), Ok(()));
        assert_eq!(allowance.take(SET, false), Ok(()));
        assert_eq!(allowance.take(SET, false), Err(Stop::Brake));
        assert_eq!(allowance, Allowance { budget: None, brake: Some(0) }, "a stop uses nothing");
    }

    #[test]
    fn budget_that_was_lowered_below_its_use_is_used_up() {
        let recent = RecentTurns::default();
        let allowance = Allowance::new(Some(3), 5, Some(7), &recent, at(0));
        assert_eq!(allowance, Allowance { budget: Some(0), brake: Some(7) });
    }

    #[test]
    fn contact_enrols_when_it_comes_to_match() {
        let rome = |city: Option<&str>| {
            let mut person = contact(StoredState::NonMarketing, EffectiveState::NonMarketing);
            let changes = city.map(|city| ("city".parse().unwrap(), Some(city.to_owned())));
            person.properties.merge(changes.into_iter()).unwrap();
            person
        };
        let condition = Condition::new("city", "EQ", Some("Rome"), None, None).unwrap();
        let filter = Filter::new(vec![vec![condition]]).unwrap();
        let (in_rome, elsewhere) = (rome(Some("Rome")), rome(Some("Milan")));
        let mut deleted = rome(Some("Rome"));
        deleted.deleted_at = Some(at(0));
        for (before, after, enrols) in [
            (None, Some(&in_rome), true),
            (Some(&elsewhere), Some(&in_rome), true),
            (Some(&deleted), Some(&in_rome), true),
            (Some(&in_rome), Some(&rome(Some("rome"))), false),
            (Some(&in_rome), Some(&elsewhere), false),
            (Some(&elsewhere), Some(&deleted), false),
            (Some(&in_rome), None, false),
            (None, None, false),
        ] {
            assert_eq!(came_to_match(&filter, before, after), enrols);
        }
    }

    #[test]
    fn run_counts_every_turn_once() {
        let mut counts = RunCounts::default();
        let outcomes = Outcome::ALL.iter().copied().map(TurnOutcome::Done);
        let outcomes = outcomes.chain(Refusal::ALL.iter().copied().map(TurnOutcome::Refused));
        let outcomes: Vec<_> = outcomes.chain(Passed::ALL.iter().copied().map(TurnOutcome::Passed)).collect();
        for outcome in &outcomes {
            counts.add(*outcome);
        }
        assert_eq!(counts.turns(), outcomes.len() as u64);
        assert_eq!((counts.drawn(), counts.refused()), (3, Refusal::ALL.len() as u64));
    }

    proptest! {
        #[test]
        fn no_more_contacts_have_their_turn_than_allowed(
            budget in prop::option::of(0..20_u64),
            brake in prop::option::of(0..20_u64),
            turns in prop::collection::vec((0..4_usize, any::<bool>()), 0..60),
        ) {
            let mut allowance = Allowance { budget, brake };
            let (mut drawn, mut counted) = (0, 0);
            for (outcome, is_asked_for) in turns {
                let outcome = [
                    SET,
                    TurnOutcome::Done(Outcome::Unchanged),
                    TurnOutcome::Refused(Refusal::CapReached),
                    TurnOutcome::Passed(Passed::Gone),
                ][outcome];
                if allowance.take(outcome, is_asked_for).is_ok() {
                    drawn += u64::from(outcome.draws());
                    counted += u64::from(outcome.is_enrolled() && !is_asked_for);
                }
            }
            prop_assert!(budget.is_none_or(|most| drawn <= most));
            prop_assert!(brake.is_none_or(|most| counted <= most));
        }
    }
}
