//! A contact's marketing state, stored and effective, and the history of its changes.

use std::collections::BTreeMap;

use crate::Timestamp;
use crate::period::{Period, PeriodNumber};
use crate::source::{Actor, Source, SourceType};
use crate::string_enum::string_enum;

string_enum! {
    /// A contact's marketing state at an instant (the crate's `README.md`, States and commands).
    pub enum EffectiveState {
        /// Stored for free. Marketing tools skip the contact.
        NonMarketing = "non_marketing",
        /// Billable. Marketing tools may reach the contact.
        Marketing = "marketing",
        /// Still a marketing contact and billable, but queued to become non-marketing at the next update date.
        Leaving = "leaving",
    }
}

impl EffectiveState {
    /// Returns true if the contact counts in the usage.
    #[must_use]
    pub fn is_billable(self) -> bool {
        self != Self::NonMarketing
    }
}

/// The contact's stored marketing state. A leaving contact stores the period in which it was queued, and no date. The
/// account's current period determines whether it still counts, so a changed calendar applies to all contacts at once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StoredState {
    /// Not a marketing contact.
    NonMarketing,
    /// A marketing contact.
    Marketing,
    /// A contact that is queued to become non-marketing.
    Leaving {
        /// The period in which the contact was queued. It is non-marketing as soon as a later period is current.
        queued_in: PeriodNumber,
    },
}

impl StoredState {
    /// Returns the effective state while the account is in period `current`.
    #[must_use]
    pub fn state_in(self, current: PeriodNumber) -> EffectiveState {
        match self {
            Self::NonMarketing => EffectiveState::NonMarketing,
            Self::Marketing => EffectiveState::Marketing,
            Self::Leaving { queued_in } if queued_in < current => EffectiveState::NonMarketing,
            Self::Leaving { .. } => EffectiveState::Leaving,
        }
    }

    /// Returns the period at whose end the contact became non-marketing. Returns `None` unless the contact was queued
    /// in a period before `current`.
    #[must_use]
    pub fn left_after(self, current: PeriodNumber) -> Option<PeriodNumber> {
        match self {
            Self::Leaving { queued_in } if queued_in < current => Some(queued_in),
            _ => None,
        }
    }
}

/// One change of a contact's state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The instant at which the change took effect.
    pub at: Timestamp,
    /// The state before, or `None` for the creation of the contact.
    pub from: Option<EffectiveState>,
    /// The state after.
    pub to: EffectiveState,
    /// The source of the change.
    pub source: Source,
    /// The actor that caused the change.
    pub actor: Actor,
}

/// A contact's changes, oldest first. The latest are stored with the contact, and earlier ones in separate pages. So a
/// contact that changes for years stays a small item, and no change is lost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// The number of changes before the recent ones.
    pub earlier: u64,
    /// The latest changes, oldest first.
    pub recent: Vec<Change>,
}

/// The ends of periods before the current one, for contacts that left at the end of one of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClosedPeriodEnds(pub BTreeMap<PeriodNumber, Timestamp>);

impl ClosedPeriodEnds {
    /// Returns the end of period `number`. `current` is the account's current period.
    ///
    /// The previous period ended when the current one began, so only older ones are looked up.
    #[must_use]
    pub fn end_of(&self, number: PeriodNumber, current: &Period) -> Option<Timestamp> {
        if number.next() == current.number { Some(current.starts_at) } else { self.0.get(&number).copied() }
    }
}

/// A contact's marketing data: its stored state, when and why it entered that state, and its history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marketing {
    /// The stored state.
    pub stored_state: StoredState,
    /// The instant at which the contact entered the state.
    pub since: Timestamp,
    /// The source of the state.
    pub source: Source,
    /// All changes up to the state.
    pub history: History,
}

impl Marketing {
    /// Creates the marketing data of a new contact, with its first change.
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

    /// Sets the stored state and records the change in the history.
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

    /// Returns the marketing data as it was at an instant of the period `number`. `None` if the contact did not exist, or if
    /// its history does not reach back so far.
    ///
    /// `earlier` are the changes before the recent ones, oldest first. An erased contact has no changes, and only its
    /// latest state is known.
    #[must_use]
    pub fn as_of(&self, at: Timestamp, earlier: &[Change], number: PeriodNumber) -> Option<Self> {
        if self.history.recent.is_empty() && earlier.is_empty() {
            return (self.since <= at).then(|| self.clone());
        }
        let changes = earlier.iter().chain(&self.history.recent);
        let until: Vec<Change> = changes.take_while(|change| change.at <= at).cloned().collect();
        let last = until.last()?;
        let stored_state = match last.to {
            EffectiveState::NonMarketing => StoredState::NonMarketing,
            EffectiveState::Marketing => StoredState::Marketing,
            EffectiveState::Leaving => StoredState::Leaving { queued_in: number },
        };
        let (since, source) = (last.at, last.source.clone());
        Some(Self { stored_state, since, source, history: History { earlier: 0, recent: until } })
    }

    /// Returns true if the last command on the state was that of this bulk job. `job` is the text of its id.
    ///
    /// An update date since then does not matter, because it only completes the command.
    #[must_use]
    pub fn last_changed_by(&self, job: &str) -> bool {
        let mut changes = self.history.recent.iter().rev();
        let last = changes.find(|change| change.source.kind != SourceType::UpdateDate);
        last.is_some_and(|last| {
            last.source.kind == SourceType::BulkJob && last.source.id.as_deref() == Some(job)
        })
    }

    /// Settles a contact that was queued in an earlier period than `current`. It becomes non-marketing as of the end of
    /// the period in which it was queued. Returns true if anything changed.
    ///
    /// Reads and the sweep share this function, so the sweep writes exactly the state that reads show before.
    pub fn settle(&mut self, current: &Period, past: &ClosedPeriodEnds) -> bool {
        let Some(queued_in) = self.stored_state.left_after(current.number) else { return false };
        // Callers load the ends that they need. Otherwise the latest possible end is used: the start of this period.
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

    fn number(number: u64) -> PeriodNumber {
        PeriodNumber::from_number(number).unwrap()
    }

    fn leaving(queued_in: u64) -> Marketing {
        let source = Source { kind: SourceType::Manual, name: "Ada".to_owned(), id: None };
        let stored_state = StoredState::Leaving { queued_in: number(queued_in) };
        Marketing::new(stored_state, EffectiveState::Leaving, Timestamp::MIN, source, Actor::System)
    }

    #[test]
    fn earlier_state_follows_from_the_history() {
        let now = Timestamp::from_millis;
        let source = Source { kind: SourceType::Manual, name: "Ada".to_owned(), id: None };
        let (marketing, state) = (StoredState::Marketing, EffectiveState::Marketing);
        let mut contact = Marketing::new(marketing, state, now(10), source.clone(), Actor::System);
        let leaving = StoredState::Leaving { queued_in: number(1) };
        contact.change(leaving, state, EffectiveState::Leaving, now(20), source, Actor::System);
        let state_at = |at| contact.as_of(now(at), &[], number(1)).map(|was| (was.stored_state, was.since));
        assert_eq!(state_at(9), None);
        assert_eq!(state_at(10), Some((StoredState::Marketing, now(10))));
        assert_eq!(state_at(19), Some((StoredState::Marketing, now(10))));
        assert_eq!(state_at(20), Some((leaving, now(20))));
        let mut paged = contact.clone();
        let earlier: Vec<Change> = paged.history.recent.drain(..1).collect();
        assert_eq!(paged.as_of(now(19), &earlier, number(1)).map(|was| was.since), Some(now(10)));
        assert_eq!(paged.as_of(now(19), &[], number(1)), None, "the earlier changes are needed");
        contact.history.recent.clear();
        assert_eq!(contact.as_of(now(20), &[], number(1)), Some(contact.clone()), "an erased contact");
        assert_eq!(contact.as_of(now(19), &[], number(1)), None);
    }

    #[test]
    fn leaving_contact_counts_only_in_the_period_it_was_queued_in() {
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
    fn settling_records_when_the_contact_left_and_is_idempotent() {
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
    fn contact_of_an_older_period_left_at_the_end_of_that_period() {
        let current = Period { number: number(9), ..period() };
        let end = Timestamp::from_millis(1_000);
        let mut contact = leaving(2);
        contact.settle(&current, &ClosedPeriodEnds(BTreeMap::from([(number(2), end)])));
        assert_eq!(contact.since, end);
    }

    #[test]
    fn contact_that_has_not_left_is_not_settled() {
        let current = Period { number: number(2), ..period() };
        let mut contact = leaving(2);
        assert!(!contact.settle(&current, &ClosedPeriodEnds::default()));
        assert_eq!(contact, leaving(2));
    }
}
