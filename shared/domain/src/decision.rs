//! Decisions on changes of a contact's state. They are pure and total, and no other module decides such changes.

use crate::budget::Budget;
use crate::marketing::{EffectiveState, StoredState};
use crate::period::{Delta, Period};
use crate::source::{BySource, SourceType};
use crate::string_enum::string_enum;

string_enum! {
    /// A command to change a contact's state. Besides commands, only the update date changes it.
    pub enum Command {
        /// Sets the contact marketing at once.
        SetMarketing = "set-marketing",
        /// Queues the contact to become non-marketing at the next update date.
        SetNonMarketingPending = "set-non-marketing-pending",
    }
}

string_enum! {
    /// The effect of a command on one contact.
    pub enum Outcome {
        /// A non-marketing contact became a marketing contact.
        Set = "set",
        /// A leaving contact became a marketing contact again.
        Kept = "kept",
        /// A marketing contact was queued to leave.
        Queued = "queued",
        /// The contact already had the requested state.
        Unchanged = "unchanged",
    }
}

string_enum! {
    /// The reason for which a command was refused for one contact.
    pub enum Refusal {
        /// The usage has reached the account's cap.
        CapReached = "cap-reached",
        /// The account has marketing contacts switched off.
        MarketingContactsOff = "marketing-contacts-off",
        /// The usage has reached the tier limit, and the form may not raise it.
        TierLimit = "tier-limit",
        /// The form has used up its budget of the day.
        FormBudget = "form-budget",
    }
}

/// A decided change of one contact's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transition {
    /// The state before.
    pub from: EffectiveState,
    /// The state after.
    pub to: EffectiveState,
    /// The state after, in its stored form.
    pub stored_state: StoredState,
    /// The change of the period's counts.
    pub delta: Delta,
    /// The outcome that the response reports.
    pub outcome: Outcome,
}

/// A change of the period's counts, and the highest usage at which all decisions behind it are valid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CountChange {
    /// The change of the two counts.
    pub delta: Delta,
    /// The highest usage before the change at which the cap still allows all of it. The tier limit must also allow the
    /// part of forms that may not raise it. `None` if nothing bounds the change.
    pub usage_at_most: Option<u64>,
    /// The contacts that are set, by the type of their source.
    pub sets: BySource,
}

/// The limits of one form submission, in addition to those of the account.
#[derive(Debug)]
pub struct FormLimits<'b> {
    /// The form's remaining budget of the day, if it has one.
    pub budget: Option<&'b mut Budget>,
    /// True if the form may raise the tier limit.
    pub may_raise_tier: bool,
}

/// A sequence of decisions against one period. Each decision counts the earlier ones, so a request for many contacts
/// uses exactly the remaining capacity, in the order of the request.
#[derive(Clone, Debug)]
pub struct Ledger<'p> {
    period: &'p Period,
    delta: Delta,
    sets: BySource,
    /// The additional usage at which the tier limit would still have allowed every decision that it bounds.
    tier_slack: Option<u64>,
}

impl<'p> Ledger<'p> {
    /// Creates a ledger for a period as it was read.
    #[must_use]
    pub fn new(period: &'p Period) -> Self {
        Self::after(period, Delta::default())
    }

    /// Creates a ledger that continues after changes that were decided earlier but not written (a dry run).
    #[must_use]
    pub fn after(period: &'p Period, delta: Delta) -> Self {
        Self { period, delta, sets: BySource::default(), tier_slack: None }
    }

    /// Returns the sum of all decided changes.
    #[must_use]
    pub fn delta(&self) -> Delta {
        self.delta
    }

    /// Returns the change of the counts together with the condition under which it may be written.
    #[must_use]
    pub fn count_change(&self) -> CountChange {
        let adds = u64::try_from(self.delta.marketing).ok().filter(|adds| *adds > 0);
        let by_cap = adds.and_then(|adds| Some(self.period.cap?.saturating_sub(adds)));
        let by_tier = self.tier_slack.map(|slack| self.period.marketing.saturating_add(slack));
        CountChange {
            delta: self.delta,
            usage_at_most: by_cap.into_iter().chain(by_tier).min(),
            sets: self.sets,
        }
    }

    /// Returns the period with all decided changes applied.
    #[must_use]
    pub fn period_after(&self) -> Period {
        self.period.with(self.delta)
    }

    /// Decides `set-marketing` for a contact that a form submitted.
    ///
    /// The account's own refusals are checked first, so a contact beyond the account's cap uses up no budget. Keeping a
    /// leaving contact uses up the budget as well, because the contact then becomes billable in the next period.
    ///
    /// # Errors
    ///
    /// The refusals of [`Self::decide`], [`Refusal::TierLimit`] and [`Refusal::FormBudget`]. A refusal leaves the
    /// ledger unchanged.
    pub fn decide_for_form(
        &mut self,
        stored_state: StoredState,
        source: SourceType,
        limits: &mut FormLimits<'_>,
    ) -> Result<Transition, Refusal> {
        let mut after = self.clone();
        let transition = after.decide(stored_state, Command::SetMarketing, source)?;
        if transition.outcome == Outcome::Set && !limits.may_raise_tier {
            let slack = self.tier_capacity().checked_sub(1).ok_or(Refusal::TierLimit)?;
            after.tier_slack = Some(self.tier_slack.map_or(slack, |least| least.min(slack)));
        }
        if matches!(transition.outcome, Outcome::Set | Outcome::Kept)
            && let Some(budget) = limits.budget.as_deref_mut()
            && !budget.use_one()
        {
            return Err(Refusal::FormBudget);
        }
        *self = after;
        Ok(transition)
    }

    /// Returns the number of further contacts that the tier limit, as raised so far, covers.
    fn tier_capacity(&self) -> u64 {
        let period = self.period_after();
        period.tier.limit_for(period.marketing).saturating_sub(period.marketing)
    }

    /// Decides one command for a contact with this stored state. A contact that is set counts for the type of `source`.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] if the contact would become billable and may not.
    pub fn decide(
        &mut self,
        stored_state: StoredState,
        command: Command,
        source: SourceType,
    ) -> Result<Transition, Refusal> {
        let from = stored_state.state_in(self.period.number);
        let leaving = StoredState::Leaving { queued_in: self.period.number };
        let (stored_state, marketing, leaving, outcome) = match (from, command) {
            (EffectiveState::NonMarketing, Command::SetMarketing) if !self.period.marketing_contacts => {
                return Err(Refusal::MarketingContactsOff);
            }
            (EffectiveState::NonMarketing, Command::SetMarketing)
                if self.period_after().remaining_capacity() == 0 =>
            {
                return Err(Refusal::CapReached);
            }
            (EffectiveState::NonMarketing, Command::SetMarketing) => {
                (StoredState::Marketing, 1, 0, Outcome::Set)
            }
            (EffectiveState::Leaving, Command::SetMarketing) => {
                (StoredState::Marketing, 0, -1, Outcome::Kept)
            }
            (EffectiveState::Marketing, Command::SetNonMarketingPending) => (leaving, 0, 1, Outcome::Queued),
            (EffectiveState::Marketing, Command::SetMarketing)
            | (EffectiveState::NonMarketing | EffectiveState::Leaving, Command::SetNonMarketingPending) => {
                (stored_state, 0, 0, Outcome::Unchanged)
            }
        };
        let delta = Delta { marketing, leaving };
        self.delta = self.delta.plus(delta);
        self.sets.add(source, u64::from(outcome == Outcome::Set));
        Ok(Transition { from, to: stored_state.state_in(self.period.number), stored_state, delta, outcome })
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
    use crate::tier::Tier;

    const CURRENT: u64 = 7;
    const MANUAL: SourceType = SourceType::Manual;

    fn stored_state(state: EffectiveState) -> StoredState {
        match state {
            EffectiveState::NonMarketing => StoredState::NonMarketing,
            EffectiveState::Marketing => StoredState::Marketing,
            EffectiveState::Leaving => {
                StoredState::Leaving { queued_in: PeriodNumber::from_number(CURRENT).unwrap() }
            }
        }
    }

    fn in_period(marketing: u64, leaving: u64, cap: Option<u64>) -> Period {
        let number = PeriodNumber::from_number(CURRENT).unwrap();
        Period { number, marketing, leaving, cap, ..period() }
    }

    /// Checks the table in the crate's `README.md`, States and commands, row by row and column by column.
    #[test]
    fn every_state_and_command_has_the_documented_transition() {
        use Command::{SetMarketing, SetNonMarketingPending};
        let table = [
            (EffectiveState::NonMarketing, SetMarketing, EffectiveState::Marketing, (1, 0), Outcome::Set),
            (
                EffectiveState::NonMarketing,
                SetNonMarketingPending,
                EffectiveState::NonMarketing,
                (0, 0),
                Outcome::Unchanged,
            ),
            (EffectiveState::Marketing, SetMarketing, EffectiveState::Marketing, (0, 0), Outcome::Unchanged),
            (
                EffectiveState::Marketing,
                SetNonMarketingPending,
                EffectiveState::Leaving,
                (0, 1),
                Outcome::Queued,
            ),
            (EffectiveState::Leaving, SetMarketing, EffectiveState::Marketing, (0, -1), Outcome::Kept),
            (
                EffectiveState::Leaving,
                SetNonMarketingPending,
                EffectiveState::Leaving,
                (0, 0),
                Outcome::Unchanged,
            ),
        ];
        for (from, command, to, (marketing, leaving), outcome) in table {
            let period = in_period(5, 2, None);
            let mut ledger = Ledger::new(&period);
            let transition = ledger.decide(stored_state(from), command, MANUAL).unwrap();
            let expected = Transition {
                from,
                to,
                stored_state: stored_state(to),
                delta: Delta { marketing, leaving },
                outcome,
            };
            assert_eq!(transition, expected, "{from} {command}");
            assert_eq!(ledger.delta(), expected.delta);
            assert_eq!(ledger.delta().is_zero(), (marketing, leaving) == (0, 0));
        }
    }

    #[test]
    fn contact_queued_in_an_earlier_period_is_non_marketing() {
        let period = in_period(5, 0, None);
        let left = StoredState::Leaving { queued_in: PeriodNumber::from_number(CURRENT - 1).unwrap() };
        let set = Ledger::new(&period).decide(left, Command::SetMarketing, MANUAL).unwrap();
        assert_eq!(
            (set.from, set.to, set.outcome),
            (EffectiveState::NonMarketing, EffectiveState::Marketing, Outcome::Set)
        );
        let queued = Ledger::new(&period).decide(left, Command::SetNonMarketingPending, MANUAL).unwrap();
        assert_eq!((queued.to, queued.outcome), (EffectiveState::NonMarketing, Outcome::Unchanged));
    }

    #[test]
    fn full_cap_refuses_only_commands_that_raise_the_usage() {
        let period = in_period(5, 2, Some(5));
        for (state, command, refused) in [
            (EffectiveState::NonMarketing, Command::SetMarketing, true),
            (EffectiveState::Leaving, Command::SetMarketing, false),
            (EffectiveState::Marketing, Command::SetMarketing, false),
            (EffectiveState::Marketing, Command::SetNonMarketingPending, false),
        ] {
            let decided = Ledger::new(&period).decide(stored_state(state), command, MANUAL);
            assert_eq!(decided.err(), refused.then_some(Refusal::CapReached), "{state} {command}");
        }
    }

    #[test]
    fn contacts_that_are_set_count_for_their_source() {
        let period = in_period(5, 2, Some(7));
        let mut ledger = Ledger::new(&period);
        let mut may = FormLimits { budget: None, may_raise_tier: true };
        for source in [SourceType::Form, SourceType::ExternalForm] {
            ledger.decide_for_form(StoredState::NonMarketing, source, &mut may).unwrap();
            ledger.decide_for_form(stored_state(EffectiveState::Leaving), source, &mut may).unwrap();
            ledger.decide_for_form(StoredState::Marketing, source, &mut may).unwrap();
        }
        ledger.decide_for_form(StoredState::NonMarketing, SourceType::Form, &mut may).unwrap_err();
        let CountChange { delta, sets, .. } = ledger.count_change();
        assert_eq!(sets, [(SourceType::Form, 1), (SourceType::ExternalForm, 1)].into_iter().collect());
        assert_eq!((delta.kept(), delta.queued()), (2, 0));
    }

    #[test]
    fn account_without_marketing_contacts_refuses_new_ones() {
        let period = Period { marketing_contacts: false, ..in_period(0, 0, None) };
        let decided = Ledger::new(&period).decide(StoredState::NonMarketing, Command::SetMarketing, MANUAL);
        assert_eq!(decided.err(), Some(Refusal::MarketingContactsOff));
    }

    #[test]
    fn budget_is_exact_and_checked_after_the_cap() {
        let new = StoredState::NonMarketing;
        let period = in_period(5, 2, Some(8));
        let mut ledger = Ledger::new(&period);
        let day = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        let mut budget = Budget::new(5, DayCount { day, new_marketing: 3 });
        let mut decide = |ledger: &mut Ledger<'_>, stored_state| {
            let mut limits = FormLimits { budget: Some(&mut budget), may_raise_tier: true };
            let decided = ledger.decide_for_form(stored_state, MANUAL, &mut limits);
            decided.map(|transition| transition.outcome)
        };
        assert_eq!(decide(&mut ledger, stored_state(EffectiveState::Leaving)), Ok(Outcome::Kept));
        assert_eq!(decide(&mut ledger, stored_state(EffectiveState::Marketing)), Ok(Outcome::Unchanged));
        assert_eq!(decide(&mut ledger, new), Ok(Outcome::Set));
        assert_eq!(decide(&mut ledger, new), Err(Refusal::FormBudget));
        assert_eq!(decide(&mut ledger, stored_state(EffectiveState::Leaving)), Err(Refusal::FormBudget));
        assert_eq!(ledger.delta(), Delta { marketing: 1, leaving: -1 }, "a refusal changes nothing");
        let mut without = FormLimits { budget: None, may_raise_tier: true };
        for _ in 0..2 {
            assert_eq!(ledger.decide_for_form(new, MANUAL, &mut without).unwrap().outcome, Outcome::Set);
        }
        assert_eq!(decide(&mut ledger, new), Err(Refusal::CapReached), "the account's cap is checked first");
        assert_eq!(budget.used(), 2);
    }

    /// Returns a period with a tier of 5 in steps of 10.
    fn with_tier(marketing: u64, cap: Option<u64>) -> Period {
        Period { tier: Tier::new(5, 10).unwrap(), ..in_period(marketing, 0, cap) }
    }

    fn submit(ledger: &mut Ledger<'_>, may_raise_tier: bool) -> Result<Outcome, Refusal> {
        let mut limits = FormLimits { budget: None, may_raise_tier };
        ledger
            .decide_for_form(StoredState::NonMarketing, MANUAL, &mut limits)
            .map(|transition| transition.outcome)
    }

    #[test]
    fn form_that_may_not_raise_the_tier_stops_at_its_limit() {
        let period = with_tier(4, None);
        let mut ledger = Ledger::new(&period);
        assert_eq!(submit(&mut ledger, false), Ok(Outcome::Set));
        assert_eq!(submit(&mut ledger, false), Err(Refusal::TierLimit));
        assert_eq!(ledger.delta(), Delta { marketing: 1, leaving: 0 }, "a refusal changes nothing");
        assert_eq!(ledger.count_change().usage_at_most, Some(4));
        assert_eq!(submit(&mut ledger, true), Ok(Outcome::Set), "this form may raise the limit");
        assert_eq!(submit(&mut ledger, false), Ok(Outcome::Set), "the raised limit has capacity");
        assert_eq!(ledger.count_change().usage_at_most, Some(4), "the narrowest decision counts");
    }

    #[test]
    fn tier_limit_is_checked_after_the_cap_before_the_budget() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        let mut budget = Budget::new(1, DayCount { day, new_marketing: 0 });
        for (cap, refusal) in [(Some(5), Refusal::CapReached), (None, Refusal::TierLimit)] {
            let period = with_tier(5, cap);
            let mut limits = FormLimits { budget: Some(&mut budget), may_raise_tier: false };
            let decided =
                Ledger::new(&period).decide_for_form(StoredState::NonMarketing, MANUAL, &mut limits);
            assert_eq!(decided.err(), Some(refusal));
        }
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn tier_limit_does_not_bind_a_leaving_contact() {
        let period = Period { leaving: 1, ..with_tier(5, None) };
        let mut ledger = Ledger::new(&period);
        let mut limits = FormLimits { budget: None, may_raise_tier: false };
        let kept =
            ledger.decide_for_form(stored_state(EffectiveState::Leaving), MANUAL, &mut limits).unwrap();
        assert_eq!((kept.outcome, ledger.count_change().usage_at_most), (Outcome::Kept, None));
    }

    #[test]
    fn count_change_is_bounded_by_the_cap_only_if_it_adds() {
        let period = in_period(5, 2, Some(8));
        let mut ledger = Ledger::new(&period);
        assert_eq!(ledger.count_change().usage_at_most, None);
        ledger.decide(StoredState::NonMarketing, Command::SetMarketing, MANUAL).unwrap();
        assert_eq!(ledger.count_change().usage_at_most, Some(7));
    }

    fn any_state() -> impl Strategy<Value = EffectiveState> {
        prop::sample::select(EffectiveState::ALL)
    }

    fn any_command() -> impl Strategy<Value = Command> {
        prop::sample::select(Command::ALL)
    }

    proptest! {
        /// Checks that all decisions are the same at the bound and that they differ one above it.
        #[test]
        fn form_decisions_are_valid_exactly_up_to_the_bound(
            usage in 0..40_u64,
            cap in prop::option::of(0..60_u64),
            submissions in prop::collection::vec(any::<bool>(), 1..30),
        ) {
            let period = with_tier(usage, cap);
            let replay = |usage| {
                let period = with_tier(usage, cap);
                let mut ledger = Ledger::new(&period);
                let decided: Vec<_> = submissions.iter().map(|may| submit(&mut ledger, *may)).collect();
                (decided, ledger.count_change())
            };
            let (decided, change) = replay(period.marketing);
            if let Some(most) = change.usage_at_most {
                prop_assert!(most >= usage);
                prop_assert_ne!(&replay(most + 1).0, &decided);
                if decided.iter().all(Result::is_ok) {
                    prop_assert_eq!(&replay(most).0, &decided);
                }
            }
        }

        #[test]
        fn ledger_fills_the_cap_exactly_and_never_lowers_the_usage(
            usage in 0..20_u64,
            cap in prop::option::of(0..30_u64),
            requests in prop::collection::vec((any_state(), any_command()), 0..40),
        ) {
            // The period has enough leaving contacts to keep, and enough other marketing contacts to queue.
            let period = in_period(usage + 80, 40, cap.map(|cap| cap + 80));
            let mut ledger = Ledger::new(&period);
            let mut usage = period.marketing;
            for (state, command) in requests {
                let has_capacity = period.cap.is_none_or(|cap| usage < cap);
                let decided = ledger.decide(stored_state(state), command, MANUAL);
                let adds = state == EffectiveState::NonMarketing && command == Command::SetMarketing;
                prop_assert_eq!(decided.is_err(), adds && !has_capacity);
                usage += u64::from(adds && has_capacity);
                let after = ledger.period_after();
                prop_assert_eq!(after.marketing, usage);
                prop_assert!(after.leaving <= after.marketing);
            }
        }

        #[test]
        fn repeated_command_is_unchanged(state in any_state(), command in any_command()) {
            let period = in_period(50, 25, None);
            let mut ledger = Ledger::new(&period);
            let first = ledger.decide(stored_state(state), command, MANUAL).unwrap();
            let again = ledger.decide(first.stored_state, command, MANUAL).unwrap();
            prop_assert_eq!((again.outcome, again.stored_state, again.delta), (Outcome::Unchanged, first.stored_state, Delta::default()));
        }
    }
}
