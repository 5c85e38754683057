//! Deciding a change of state: pure, total, and the only place that does.

use crate::budget::Budget;
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
        /// The form has set as many people marketing today as it may.
        FormBudget = "form-budget",
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

    /// Decides one command for a contact with this standing, which comes through a form with this budget, if it has one.
    ///
    /// The account's own refusals come first: a person whom the account has no room for uses up no budget.
    ///
    /// # Errors
    ///
    /// As [`Self::decide`], and [`Refusal::FormBudget`].
    pub fn decide_within(
        &mut self,
        standing: Standing,
        command: Command,
        budget: Option<&mut Budget>,
    ) -> Result<Transition, Refusal> {
        let before = self.delta;
        let transition = self.decide(standing, command)?;
        if transition.outcome == Outcome::Set
            && let Some(budget) = budget
            && !budget.take_one()
        {
            self.delta = before;
            return Err(Refusal::FormBudget);
        }
        Ok(transition)
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

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::*;
    use crate::budget::DayCount;
    use crate::period::PeriodNumber;
    use crate::period::tests::period;

    const CURRENT: u64 = 7;

    fn standing(state: State) -> Standing {
        match state {
            State::NonMarketing => Standing::NonMarketing,
            State::Marketing => Standing::Marketing,
            State::Leaving => Standing::Leaving { queued_in: PeriodNumber::from_number(CURRENT).unwrap() },
        }
    }

    fn in_period(marketing: u64, leaving: u64, cap: Option<u64>) -> Period {
        let number = PeriodNumber::from_number(CURRENT).unwrap();
        Period { number, marketing, leaving, cap, ..period() }
    }

    /// The table of `rules.md`, row by row and column by column.
    #[test]
    fn every_state_and_command_moves_as_the_rules_say() {
        use Command::{SetMarketing, SetNonMarketingPending};
        let table = [
            (State::NonMarketing, SetMarketing, State::Marketing, (1, 0), Outcome::Set),
            (State::NonMarketing, SetNonMarketingPending, State::NonMarketing, (0, 0), Outcome::Unchanged),
            (State::Marketing, SetMarketing, State::Marketing, (0, 0), Outcome::Unchanged),
            (State::Marketing, SetNonMarketingPending, State::Leaving, (0, 1), Outcome::Queued),
            (State::Leaving, SetMarketing, State::Marketing, (0, -1), Outcome::Kept),
            (State::Leaving, SetNonMarketingPending, State::Leaving, (0, 0), Outcome::Unchanged),
        ];
        for (from, command, to, (marketing, leaving), outcome) in table {
            let period = in_period(5, 2, None);
            let mut ledger = Ledger::new(&period);
            let transition = ledger.decide(standing(from), command).unwrap();
            let expected =
                Transition { from, to, standing: standing(to), delta: Delta { marketing, leaving }, outcome };
            assert_eq!(transition, expected, "{from} {command}");
            assert_eq!(ledger.delta(), expected.delta);
            assert_eq!(ledger.delta().is_zero(), (marketing, leaving) == (0, 0));
        }
    }

    #[test]
    fn a_contact_queued_in_an_earlier_period_is_decided_on_as_non_marketing() {
        let period = in_period(5, 0, None);
        let left = Standing::Leaving { queued_in: PeriodNumber::from_number(CURRENT - 1).unwrap() };
        let set = Ledger::new(&period).decide(left, Command::SetMarketing).unwrap();
        assert_eq!((set.from, set.to, set.outcome), (State::NonMarketing, State::Marketing, Outcome::Set));
        let queued = Ledger::new(&period).decide(left, Command::SetNonMarketingPending).unwrap();
        assert_eq!((queued.to, queued.outcome), (State::NonMarketing, Outcome::Unchanged));
    }

    #[test]
    fn a_full_cap_refuses_only_what_would_add_to_the_usage() {
        let period = in_period(5, 2, Some(5));
        for (state, command, refused) in [
            (State::NonMarketing, Command::SetMarketing, true),
            (State::Leaving, Command::SetMarketing, false),
            (State::Marketing, Command::SetMarketing, false),
            (State::Marketing, Command::SetNonMarketingPending, false),
        ] {
            let decided = Ledger::new(&period).decide(standing(state), command);
            assert_eq!(decided.err(), refused.then_some(Refusal::CapReached), "{state} {command}");
        }
    }

    #[test]
    fn an_account_without_marketing_contacts_refuses_new_ones() {
        let period = Period { marketing_contacts: false, ..in_period(0, 0, None) };
        let decided = Ledger::new(&period).decide(Standing::NonMarketing, Command::SetMarketing);
        assert_eq!(decided.err(), Some(Refusal::MarketingContactsOff));
    }

    #[test]
    fn a_budget_lets_so_many_be_set_and_no_more_and_the_cap_comes_first() {
        let new = Standing::NonMarketing;
        let period = in_period(5, 2, Some(8));
        let mut ledger = Ledger::new(&period);
        let day = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        let mut budget = Budget::new(5, DayCount { day, new_marketing: 3 });
        let mut decide = |ledger: &mut Ledger<'_>, standing| {
            let decided = ledger.decide_within(standing, Command::SetMarketing, Some(&mut budget));
            decided.map(|transition| transition.outcome)
        };
        assert_eq!(decide(&mut ledger, standing(State::Leaving)), Ok(Outcome::Kept));
        assert_eq!(decide(&mut ledger, standing(State::Marketing)), Ok(Outcome::Unchanged));
        assert_eq!(decide(&mut ledger, new), Ok(Outcome::Set));
        assert_eq!(decide(&mut ledger, new), Ok(Outcome::Set));
        assert_eq!(decide(&mut ledger, new), Err(Refusal::FormBudget));
        assert_eq!(ledger.delta(), Delta { marketing: 2, leaving: -1 }, "a refusal moves nothing");
        assert_eq!(ledger.decide_within(new, Command::SetMarketing, None).unwrap().outcome, Outcome::Set);
        assert_eq!(decide(&mut ledger, new), Err(Refusal::CapReached), "the account's cap comes first");
        assert_eq!(budget.taken(), 2);
    }

    fn any_state() -> impl Strategy<Value = State> {
        prop::sample::select(State::ALL)
    }

    fn any_command() -> impl Strategy<Value = Command> {
        prop::sample::select(Command::ALL)
    }

    proptest! {
        #[test]
        fn a_ledger_gives_exactly_the_room_there_is_and_never_lowers_the_usage(
            usage in 0..20_u64,
            cap in prop::option::of(0..30_u64),
            requests in prop::collection::vec((any_state(), any_command()), 0..40),
        ) {
            // As many are leaving as could be asked to stay, and as many are not as could be queued.
            let period = in_period(usage + 80, 40, cap.map(|cap| cap + 80));
            let mut ledger = Ledger::new(&period);
            let mut usage = period.marketing;
            for (state, command) in requests {
                let room = period.cap.is_none_or(|cap| usage < cap);
                let decided = ledger.decide(standing(state), command);
                let adds = state == State::NonMarketing && command == Command::SetMarketing;
                prop_assert_eq!(decided.is_err(), adds && !room);
                usage += u64::from(adds && room);
                let after = ledger.period_after();
                prop_assert_eq!(after.marketing, usage);
                prop_assert!(after.leaving <= after.marketing);
            }
        }

        #[test]
        fn deciding_twice_is_deciding_once(state in any_state(), command in any_command()) {
            let period = in_period(50, 25, None);
            let mut ledger = Ledger::new(&period);
            let first = ledger.decide(standing(state), command).unwrap();
            let again = ledger.decide(first.standing, command).unwrap();
            prop_assert_eq!((again.outcome, again.standing, again.delta), (Outcome::Unchanged, first.standing, Delta::default()));
        }
    }
}
