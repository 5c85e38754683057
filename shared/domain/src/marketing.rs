//! A contact's marketing state, as stored and as of an instant, and the history of its changes.

use std::collections::BTreeMap;

use crate::Timestamp;
use crate::period::{Period, PeriodNumber};
use crate::source::{Actor, Source};
use crate::string_enum::string_enum;

string_enum! {
    /// A contact's marketing state at an instant (the crate's `README.md`, States and commands).
    pub enum EffectiveState {
        /// Kept for free; marketing tools skip it.
        NonMarketing = "non_marketing",
        /// May be marketed to and is billable.
        Marketing = "marketing",
        /// Still a marketing contact, queued to leave at the next update date.
        Leaving = "leaving",
    }
}

impl EffectiveState {
    /// Whether it counts in the usage.
    #[must_use]
    pub fn is_billable(self) -> bool {
        self != Self::NonMarketing
    }
}

/// The state as it is kept. A leaving contact remembers the period in which it was queued, and no date: whether
/// it still counts follows from the account's period, so that a change of the calendar moves everybody at once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StoredState {
    /// Not a marketing contact.
    NonMarketing,
    /// A marketing contact.
    Marketing,
    /// Queued to leave.
    Leaving {
        /// The period in which it was queued; it has left once a later one is current.
        queued_in: PeriodNumber,
    },
}

impl StoredState {
    /// The state while the account is in period `current`.
    #[must_use]
    pub fn state_in(self, current: PeriodNumber) -> EffectiveState {
        match self {
            Self::NonMarketing => EffectiveState::NonMarketing,
            Self::Marketing => EffectiveState::Marketing,
            Self::Leaving { queued_in } if queued_in < current => EffectiveState::NonMarketing,
            Self::Leaving { .. } => EffectiveState::Leaving,
        }
    }

    /// The period whose end this contact left at, if it has left while the account is in period `current`.
    #[must_use]
    pub fn left_after(self, current: PeriodNumber) -> Option<PeriodNumber> {
        match self {
            Self::Leaving { queued_in } if queued_in < current => Some(queued_in),
            _ => None,
        }
    }
}

/// One change of state: when, from what to what, through what and by whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// When it took effect.
    pub at: Timestamp,
    /// The state before; none when the contact was created.
    pub from: Option<EffectiveState>,
    /// The state since.
    pub to: EffectiveState,
    /// Through what.
    pub source: Source,
    /// By whom.
    pub actor: Actor,
}

/// A contact's changes, oldest first. The latest stand with the contact; those before them stand in pages of
/// their own, so that a contact that is changed for years stays a small item and none of its changes is lost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// How many changes came before the recent ones.
    pub earlier: u64,
    /// The latest changes, oldest first.
    pub recent: Vec<Change>,
}

/// When the periods before the current one ended, for contacts that left at the end of one of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClosedPeriodEnds(pub BTreeMap<PeriodNumber, Timestamp>);

impl ClosedPeriodEnds {
    /// When period `number` ended, where `current` is the account's period.
    ///
    /// The period just before the current one ended when that one began, so only older ones are looked up.
    #[must_use]
    pub fn end_of(&self, number: PeriodNumber, current: &Period) -> Option<Timestamp> {
        if number.next() == current.number { Some(current.starts_at) } else { self.0.get(&number).copied() }
    }
}

/// A contact's marketing side: its stored state, since when and why, and how it got there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marketing {
    /// The state as it is kept.
    pub stored_state: StoredState,
    /// Since when.
    pub since: Timestamp,
    /// What set it.
    pub source: Source,
    /// How it got there.
    pub history: History,
}

impl Marketing {
    /// The marketing side of a new contact, with its first change.
    #[must_use]
    pub fn new(
        stored_state: StoredState,
        to: EffectiveState,
        now: Timestamp,
        source: Source,
        actor: Actor,
    ) -> Self {
        let first = Change { at: now, from: None, to, source: source.clone(), actor };
        Self { stored_state, since: now, source, history: History { earlier: 0, recent: vec![first] } }
    }

    /// Records a move to `stored_state`.
    pub fn change(
        &mut self,
        stored_state: StoredState,
        from: EffectiveState,
        to: EffectiveState,
        at: Timestamp,
        source: Source,
        actor: Actor,
    ) {
        self.history.recent.push(Change { at, from: Some(from), to, source: source.clone(), actor });
        self.stored_state = stored_state;
        self.since = at;
        self.source = source;
    }

    /// If the contact has left while the account is in `current`, makes that explicit: non-marketing since the
    /// end of the period in which it was queued. Answers whether anything changed.
    ///
    /// Reads and the sweep share this, so what a reader sees before the sweep is what the sweep then writes.
    pub fn settle(&mut self, current: &Period, past: &ClosedPeriodEnds) -> bool {
        let Some(queued_in) = self.stored_state.left_after(current.number) else { return false };
        // Callers load the ends they need; the start of the current period is the latest it can have been.
        let at = past.end_of(queued_in, current).unwrap_or(current.starts_at);
        self.change(
            StoredState::NonMarketing,
            EffectiveState::Leaving,
            EffectiveState::NonMarketing,
            at,
            Source::update_date(),
            Actor::System,
        );
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::period::tests::period;
    use crate::source::SourceType;

    fn number(number: u64) -> PeriodNumber {
        PeriodNumber::from_number(number).unwrap()
    }

    fn leaving(queued_in: u64) -> Marketing {
        let source = Source { kind: SourceType::Manual, name: "Ada".to_owned(), id: None };
        let stored_state = StoredState::Leaving { queued_in: number(queued_in) };
        Marketing::new(stored_state, EffectiveState::Leaving, Timestamp::MIN, source, Actor::System)
    }

    #[test]
    fn a_leaving_contact_counts_in_its_own_period_and_in_no_later_one() {
        let stored_state = StoredState::Leaving { queued_in: number(7) };
        assert_eq!(stored_state.state_in(number(7)), EffectiveState::Leaving);
        assert_eq!(stored_state.state_in(number(8)), EffectiveState::NonMarketing);
        assert_eq!(stored_state.state_in(number(70)), EffectiveState::NonMarketing);
        for stored_state in [StoredState::Marketing, StoredState::NonMarketing] {
            assert_eq!(stored_state.state_in(number(1)), stored_state.state_in(number(1_000)));
        }
        assert_eq!(
            [EffectiveState::NonMarketing, EffectiveState::Marketing, EffectiveState::Leaving]
                .map(EffectiveState::is_billable),
            [false, true, true]
        );
    }

    #[test]
    fn settling_says_when_the_contact_left_and_is_done_once() {
        let current = Period { number: number(3), ..period() };
        let mut contact = leaving(2);
        assert!(contact.settle(&current, &ClosedPeriodEnds::default()));
        assert_eq!((contact.stored_state, contact.since), (StoredState::NonMarketing, current.starts_at));
        let last = contact.history.recent.last().unwrap();
        assert_eq!(
            (last.from, last.to, last.actor),
            (Some(EffectiveState::Leaving), EffectiveState::NonMarketing, Actor::System)
        );
        assert_eq!(last.source.kind, SourceType::UpdateDate);
        let settled = contact.clone();
        assert!(!contact.settle(&current, &ClosedPeriodEnds::default()));
        assert_eq!(contact, settled);
    }

    #[test]
    fn one_who_left_long_ago_left_at_the_end_of_that_period() {
        let current = Period { number: number(9), ..period() };
        let end = Timestamp::from_millis(1_000);
        let mut contact = leaving(2);
        contact.settle(&current, &ClosedPeriodEnds(BTreeMap::from([(number(2), end)])));
        assert_eq!(contact.since, end);
    }

    #[test]
    fn who_has_not_left_is_not_settled() {
        let current = Period { number: number(2), ..period() };
        let mut contact = leaving(2);
        assert!(!contact.settle(&current, &ClosedPeriodEnds::default()));
        assert_eq!(contact, leaving(2));
    }
}
