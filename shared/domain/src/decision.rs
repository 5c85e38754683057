//! Deciding a change of state: pure, total, and the only place that does.

use crate::marketing::{Standing, State};
use crate::period::Period;
use crate::text::words;

words! {
    /// What is asked of a contact's state. There is no other way to change it but the update date.
    pub enum Command {
        /// Make it a marketing contact, at once.
        SetMarketing = "set-marketing",
        /// Queue it to become non-marketing at the next update date.
        SetNonMarketingPending = "set-non-marketing-pending",
    }
}

words! {
    /// What came of a command.
    pub enum Outcome {
        /// Non-marketing became marketing.
        Set = "set",
        /// A leaving contact stays a marketing contact.
        Kept = "kept",
        /// A marketing contact was queued to leave.
        Queued = "queued",
        /// It already was as asked.
        Unchanged = "unchanged",
    }
}

words! {
    /// Why a command was refused for one contact.
    pub enum Refusal {
        /// The account's cap leaves no room.
        CapReached = "cap-reached",
        /// The account has marketing contacts switched off.
        MarketingContactsOff = "marketing-contacts-off",
    }
}

/// How a change moves the period's two counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Delta {
    /// Of the usage.
    pub marketing: i64,
    /// Of the leaving contacts in it.
    pub leaving: i64,
}

impl Delta {
    /// Whether neither count moves.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }

    fn plus(self, other: Self) -> Self {
        Self { marketing: self.marketing + other.marketing, leaving: self.leaving + other.leaving }
    }
}

/// A decided change of one contact's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// The state after, as it is kept.
    pub standing: Standing,
    /// How the period's counts move.
    pub delta: Delta,
    /// What to say of it.
    pub outcome: Outcome,
}

/// Decides commands one after another against one period, so that a request for many contacts gets exactly the
/// room that is left, in the order given.
#[derive(Clone, Debug)]
pub struct Ledger<'p> {
    period: &'p Period,
    delta: Delta,
}

impl<'p> Ledger<'p> {
    /// A ledger over a period as it was read.
    #[must_use]
    pub fn new(period: &'p Period) -> Self {
        Self { period, delta: Delta::default() }
    }

    /// A ledger that goes on after changes that were decided before but not made (a dry run).
    #[must_use]
    pub fn after(period: &'p Period, delta: Delta) -> Self {
        Self { period, delta }
    }

    /// The sum of what was decided.
    #[must_use]
    pub fn delta(&self) -> Delta {
        self.delta
    }

    /// The period as it will be once what was decided is made.
    #[must_use]
    pub fn period_after(&self) -> Period {
        self.period.with(self.delta)
    }

    /// Decides one command for a contact with this standing.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when the contact would have to become billable and may not.
    pub fn decide(&mut self, standing: Standing, command: Command) -> Result<Transition, Refusal> {
        let from = standing.state_in(self.period.number);
        let leaving = Standing::Leaving { queued_in: self.period.number };
        let (standing, marketing, leaving, outcome) = match (from, command) {
            (State::NonMarketing, Command::SetMarketing) if !self.period.marketing_contacts => {
                return Err(Refusal::MarketingContactsOff);
            }
            (State::NonMarketing, Command::SetMarketing) if self.period_after().room() == 0 => {
                return Err(Refusal::CapReached);
            }
            (State::NonMarketing, Command::SetMarketing) => (Standing::Marketing, 1, 0, Outcome::Set),
            (State::Leaving, Command::SetMarketing) => (Standing::Marketing, 0, -1, Outcome::Kept),
            (State::Marketing, Command::SetNonMarketingPending) => (leaving, 0, 1, Outcome::Queued),
            (State::Marketing, Command::SetMarketing)
            | (State::NonMarketing | State::Leaving, Command::SetNonMarketingPending) => {
                (standing, 0, 0, Outcome::Unchanged)
            }
        };
        let delta = Delta { marketing, leaving };
        self.delta = self.delta.plus(delta);
        Ok(Transition { from, to: standing.state_in(self.period.number), standing, delta, outcome })
    }
}
