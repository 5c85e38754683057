//! Bulk changes: the outcomes of many commands, counts of selected contacts, and the forecast of a command.

use std::collections::BTreeMap;

use crate::Timestamp;
use crate::contact::Contact;
use crate::decision::{Command, Ledger, Outcome, Refusal, Transition};
use crate::marketing::{EffectiveState, StoredState};
use crate::period::Period;
use crate::source::SourceType;

/// The numbers of contacts with each outcome of a command.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Contacts that became marketing contacts.
    pub set: u64,
    /// Contacts that were leaving and stay.
    pub kept: u64,
    /// Contacts that were queued to leave.
    pub queued: u64,
    /// Contacts that already had the requested state.
    pub unchanged: u64,
    /// Contacts that were enrolled in an automation, and wait for their turn.
    pub enrolled: u64,
    /// Contacts whose change was refused, by reason.
    pub refused: BTreeMap<Refusal, u64>,
}

impl Summary {
    /// Counts one decision.
    pub fn add(&mut self, decision: &Result<Transition, Refusal>) {
        self.add_many(decision, 1);
    }

    fn add_many(&mut self, decision: &Result<Transition, Refusal>, contacts: u64) {
        let count = match decision {
            Ok(transition) => match transition.outcome {
                Outcome::Set => &mut self.set,
                Outcome::Kept => &mut self.kept,
                Outcome::Queued => &mut self.queued,
                Outcome::Unchanged => &mut self.unchanged,
            },
            Err(refusal) => self.refused.entry(*refusal).or_default(),
        };
        *count += contacts;
    }

    /// Adds the numbers of another summary.
    pub fn merge(&mut self, other: &Self) {
        self.set += other.set;
        self.kept += other.kept;
        self.queued += other.queued;
        self.unchanged += other.unchanged;
        for (refusal, contacts) in &other.refused {
            *self.refused.entry(*refusal).or_default() += contacts;
        }
    }

    /// Returns the number of contacts that changed.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.set + self.kept + self.queued
    }

    /// Returns the number of contacts that were refused, for any reason.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Returns the number of all contacts in the summary.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.changed() + self.unchanged + self.enrolled + self.refused()
    }
}

/// The numbers of contacts in each state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StateCounts {
    /// Non-marketing contacts.
    pub non_marketing: u64,
    /// Marketing contacts that are not leaving.
    pub marketing: u64,
    /// Leaving contacts.
    pub leaving: u64,
}

impl StateCounts {
    /// Counts one contact in this state.
    pub fn add(&mut self, state: EffectiveState) {
        *self.of(state) += 1;
    }

    /// Returns the number of contacts in all states.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.non_marketing + self.marketing + self.leaving
    }

    fn of(&mut self, state: EffectiveState) -> &mut u64 {
        match state {
            EffectiveState::NonMarketing => &mut self.non_marketing,
            EffectiveState::Marketing => &mut self.marketing,
            EffectiveState::Leaving => &mut self.leaving,
        }
    }
}

/// The counts of a pass over contacts. All contacts are settled against the same period.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// The number of contacts that were read.
    pub examined: u64,
    /// The selected contacts.
    pub matched: StateCounts,
    /// The selected non-marketing contacts that marketing e-mail would not reach: they are unsubscribed or bounced, or
    /// have no address. Only as many non-marketing contacts are considered as the cap has capacity for.
    pub unengaged: u64,
    /// The contacts that exist, selected or not.
    pub existing: StateCounts,
    /// The existing marketing contacts, not leaving, that are unsubscribed.
    pub unsubscribed: u64,
    /// The existing marketing contacts, not leaving, that have bounced.
    pub bounced: u64,
}

impl Tally {
    /// Counts a contact that exists. `selected` is true if it is selected, and `capacity` is the period's remaining
    /// capacity before the pass.
    pub fn add(&mut self, contact: &Contact, selected: bool, capacity: u64) {
        let state = contact.state();
        self.existing.add(state);
        if state == EffectiveState::Marketing {
            self.unsubscribed += u64::from(contact.unsubscribed);
            self.bounced += u64::from(contact.bounced);
        }
        if selected {
            let would_be_set = state == EffectiveState::NonMarketing && self.matched.non_marketing < capacity;
            let unengaged = contact.unsubscribed || contact.bounced || contact.email.is_none();
            self.unengaged += u64::from(would_be_set && unengaged);
            self.matched.add(state);
        }
    }
}

/// The consequence of a command for selected contacts, if nothing else changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forecast {
    /// The number of selected contacts.
    pub matched: u64,
    /// The outcomes.
    pub would: Summary,
    /// For [`Command::SetMarketing`]: how many of the contacts that would be set marketing e-mail would not reach.
    pub unengaged: Option<u64>,
    /// The usage before the command.
    pub usage_before: u64,
    /// The usage after the command.
    pub usage_after: u64,
    /// The usage right after the next update date.
    pub after_next_update: u64,
    /// The next update date.
    pub next_update_at: Timestamp,
    /// The tier limit before the command.
    pub tier_limit_before: u64,
    /// The tier limit after the command.
    pub tier_limit_after: u64,
}

impl Forecast {
    /// Decides `command` for all counted contacts, by the same decisions as the command itself.
    ///
    /// The outcome depends on the states alone and not on their order, because only contacts of one state can be
    /// refused.
    #[must_use]
    pub fn new(tally: &Tally, command: Command, period: &Period) -> Self {
        let mut ledger = Ledger::new(period);
        let mut would = Summary::default();
        let leaving = StoredState::Leaving { queued_in: period.number };
        for (stored_state, contacts) in [
            (StoredState::NonMarketing, tally.matched.non_marketing),
            (StoredState::Marketing, tally.matched.marketing),
            (leaving, tally.matched.leaving),
        ] {
            for _ in 0..contacts {
                would.add(&ledger.decide(stored_state, command, SourceType::BulkJob));
            }
        }
        let after = ledger.period_after();
        Self {
            matched: tally.matched.total(),
            would,
            unengaged: (command == Command::SetMarketing).then_some(tally.unengaged),
            usage_before: period.marketing,
            usage_after: after.marketing,
            after_next_update: after.after_next_update(),
            next_update_at: period.ends_at,
            tier_limit_before: period.tier.limit_for(period.marketing),
            tier_limit_after: after.tier.limit_for(after.marketing),
        }
    }
}
