//! The contract's tier: the number of marketing contacts that it covers (the crate's `README.md`, Tier and cap).

use thiserror::Error;

use crate::limits::USAGE_MAX;

/// The shares of the limit, in percent, that are reported when the usage reaches them.
pub const THRESHOLDS: [u8; 4] = [75, 90, 98, 100];

/// A limit that starts at `included` and grows in steps of `block`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tier {
    /// The number of marketing contacts that the contract covers from the start.
    pub included: u64,
    /// The number of contacts by which the limit grows in one step.
    pub block: u64,
    /// The limit at the start of the period. The limit in force depends on the usage: [`Tier::limit_for`].
    pub limit: u64,
    /// The lower limit that was requested for the renewal date.
    pub limit_at_renewal: Option<u64>,
}

/// The error for an invalid tier or an invalid requested limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TierError {
    /// The number of included contacts is too large.
    #[error("expected included to be at most {USAGE_MAX}")]
    Included,
    /// The step is 0 or too large.
    #[error("expected block to be between 1 and {USAGE_MAX}")]
    Block,
    /// The requested limit is not one of the tier's steps.
    #[error("expected a limit of {included} or more in steps of {block}")]
    NotAStep {
        /// The lowest limit of the tier.
        included: u64,
        /// The size of a step.
        block: u64,
    },
    /// The requested limit is above the limit in force, which only the usage raises.
    #[error("expected a limit of at most {limit}, the limit now")]
    AboveLimit {
        /// The limit in force.
        limit: u64,
    },
}

impl Tier {
    /// Creates the tier of a new contract, whose limit is the number of included contacts. It may be 0.
    ///
    /// # Errors
    /// [`TierError`] if `block` is zero, or a number is above [`USAGE_MAX`].
    pub fn new(included: u64, block: u64) -> Result<Self, TierError> {
        if included > USAGE_MAX {
            return Err(TierError::Included);
        }
        if !(1..=USAGE_MAX).contains(&block) {
            return Err(TierError::Block);
        }
        Ok(Self { included, block, limit: included, limit_at_renewal: None })
    }

    /// Returns the limit in force at this usage. The first contact above a limit raises it to the smallest step that
    /// covers the usage.
    #[must_use]
    pub fn limit_for(&self, usage: u64) -> u64 {
        self.limit.max(self.step_for(usage))
    }

    /// Returns the usage in percent of [`Tier::limit_for`], with one decimal. It is cut, not rounded: 75.0 means that
    /// the threshold is reached, and 100.0 means that the tier is full.
    #[must_use]
    pub fn percent(&self, usage: u64) -> f64 {
        let permille =
            (u128::from(usage) * 1000).checked_div(u128::from(self.limit_for(usage))).unwrap_or_default();
        // The limit in force covers the usage, so this is at most 1000.
        f64::from(u16::try_from(permille).unwrap_or(1000)) / 10.0
    }

    /// Returns the [`THRESHOLDS`] that the usage has reached, measured on the limit at the start of the period. The
    /// usage never decreases within a period, so a crossed threshold stays crossed until the period's end.
    #[must_use]
    pub fn thresholds_crossed(&self, usage: u64) -> Vec<u8> {
        let reached =
            |threshold: &u8| u128::from(usage) * 100 >= u128::from(self.limit) * u128::from(*threshold);
        THRESHOLDS.into_iter().filter(|threshold| usage > 0 && reached(threshold)).collect()
    }

    /// Returns true if the usage has raised the limit in this period.
    #[must_use]
    pub fn limit_raised(&self, usage: u64) -> bool {
        self.limit_for(usage) > self.limit
    }

    /// Returns the tier with another requested limit for the renewal date, or with none.
    ///
    /// # Errors
    /// [`TierError`] if the requested limit is not one of the tier's steps, or is above the limit in force at this
    /// usage.
    pub fn with_limit_at_renewal(&self, requested: Option<u64>, usage: u64) -> Result<Self, TierError> {
        if let Some(requested) = requested {
            let Self { included, block, .. } = *self;
            let limit = self.limit_for(usage);
            if requested < included || self.step_for(requested) != requested {
                return Err(TierError::NotAStep { included, block });
            }
            if requested > limit {
                return Err(TierError::AboveLimit { limit });
            }
        }
        Ok(Self { limit_at_renewal: requested, ..*self })
    }

    /// Returns the tier after the contract has changed to `new`, the tier of a new contract. The limit becomes the
    /// smallest step of the new tier that is not below the limit in force at this usage, because a limit decreases at
    /// the renewal date only.
    ///
    /// # Errors
    /// [`TierError::NotAStep`] if the requested limit for the renewal date is not one of the new steps.
    pub fn changed_to(&self, new: &Self, usage: u64) -> Result<Self, TierError> {
        let new = Self { limit: new.step_for(self.limit_for(usage)), ..*new };
        new.with_limit_at_renewal(self.limit_at_renewal, usage)
    }

    /// Returns the tier of the next period, after an update date at which the usage decreased from `usage_before` to
    /// `usage_after`.
    ///
    /// The limit in force is kept. At a renewal, a requested lower limit applies, but never below the usage. The
    /// request is then complete and is removed.
    #[must_use]
    pub fn after_closing(&self, usage_before: u64, usage_after: u64, renewal: bool) -> Self {
        match self.limit_at_renewal {
            Some(requested) if renewal => {
                Self { limit: requested.max(self.step_for(usage_after)), limit_at_renewal: None, ..*self }
            }
            _ => Self { limit: self.limit_for(usage_before), ..*self },
        }
    }

    /// Returns the smallest limit of the tier that covers the usage.
    fn step_for(&self, usage: u64) -> u64 {
        // A stored tier is not checked again, so a block of 0 must not divide by zero.
        let block = self.block.max(1);
        let steps = usage.saturating_sub(self.included).div_ceil(block);
        self.included.saturating_add(steps.saturating_mul(block))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tier(included: u64, block: u64) -> Tier {
        Tier::new(included, block).unwrap()
    }

    #[test]
    fn limit_grows_with_the_first_contact_above_it() {
        let table = [
            // included, block, usage, limit
            (1000, 1000, 0, 1000),
            (1000, 1000, 1000, 1000),
            (1000, 1000, 1001, 2000),
            (1000, 1000, 2000, 2000),
            (1000, 1000, 2001, 3000),
            (1000, 250, 1600, 1750),
            (0, 500, 0, 0),
            (0, 500, 1, 500),
            (1000, 1000, u64::MAX, u64::MAX),
        ];
        for (included, block, usage, limit) in table {
            assert_eq!(tier(included, block).limit_for(usage), limit, "{included} {block} {usage}");
        }
    }

    #[test]
    fn limit_never_decreases_by_itself() {
        let grown = tier(1000, 1000).after_closing(2500, 100, false);
        assert_eq!(grown.limit, 3000);
        assert_eq!(grown.limit_for(100), 3000);
        assert_eq!(grown.after_closing(100, 100, true).limit, 3000);
    }

    #[test]
    fn percent_is_cut_to_one_decimal() {
        let table = [
            (1000, 812, 81.2),
            (1000, 0, 0.0),
            (1000, 1000, 100.0),
            (1000, 1001, 50.0),
            (3000, 2999, 99.9),
            (3000, 1, 0.0),
            (0, 0, 0.0),
        ];
        for (included, usage, percent) in table {
            let found = tier(included, 1000).percent(usage);
            assert!((found - percent).abs() < 1e-9, "{included} {usage}: {found}");
        }
    }

    #[test]
    fn thresholds_are_measured_on_the_limit_at_the_period_start() {
        let table: [(u64, u64, &[u8]); 9] = [
            (1000, 749, &[]),
            (1000, 750, &[75]),
            (1000, 900, &[75, 90]),
            (1000, 980, &[75, 90, 98]),
            (1000, 999, &[75, 90, 98]),
            (1000, 1000, &[75, 90, 98, 100]),
            (1000, 1500, &[75, 90, 98, 100]),
            (0, 0, &[]),
            (0, 1, &[75, 90, 98, 100]),
        ];
        for (included, usage, crossed) in table {
            assert_eq!(tier(included, 1000).thresholds_crossed(usage), crossed, "{included} {usage}");
        }
        assert!(!tier(1000, 1000).limit_raised(1000));
        assert!(tier(1000, 1000).limit_raised(1001));
        assert!(tier(1000, 1000).thresholds_crossed(u64::MAX).contains(&100));
    }

    #[test]
    fn invalid_tier_is_rejected() {
        assert_eq!(Tier::new(1000, 0), Err(TierError::Block));
        assert_eq!(Tier::new(1000, USAGE_MAX + 1), Err(TierError::Block));
        assert_eq!(Tier::new(USAGE_MAX + 1, 1), Err(TierError::Included));
        assert!(Tier::new(USAGE_MAX, USAGE_MAX).is_ok());
    }

    #[test]
    fn requested_limit_is_a_step_and_not_above_the_limit() {
        let grown = tier(1000, 500).after_closing(2400, 700, false);
        assert_eq!(grown.limit, 2500);
        for asked in [1000, 1500, 2000, 2500] {
            assert_eq!(grown.with_limit_at_renewal(Some(asked), 700).unwrap().limit_at_renewal, Some(asked));
        }
        for asked in [0, 500, 999, 1001, 1750] {
            let error = grown.with_limit_at_renewal(Some(asked), 700).unwrap_err();
            assert_eq!(error.to_string(), "expected a limit of 1000 or more in steps of 500");
        }
        let error = grown.with_limit_at_renewal(Some(3000), 700).unwrap_err();
        assert_eq!(error.to_string(), "expected a limit of at most 2500, the limit now");
        assert!(grown.with_limit_at_renewal(Some(3000), 2501).is_ok());
        let asked = grown.with_limit_at_renewal(Some(1000), 700).unwrap();
        assert_eq!(asked.with_limit_at_renewal(None, 700), Ok(grown));
    }

    #[test]
    fn requested_limit_applies_at_the_renewal_above_the_usage() {
        let asked =
            tier(1000, 1000).after_closing(4500, 100, false).with_limit_at_renewal(Some(2000), 100).unwrap();
        assert_eq!(asked.after_closing(100, 100, false), asked);
        let granted = Tier { limit: 2000, limit_at_renewal: None, ..asked };
        assert_eq!(asked.after_closing(4000, 1500, true), granted);
        assert_eq!(asked.after_closing(4000, 3500, true), Tier { limit: 4000, ..granted });
        // Between the request and the renewal, the usage may have raised the limit further.
        assert_eq!(asked.after_closing(7000, 100, false).limit, 7000);
    }

    #[test]
    fn changed_tier_keeps_the_limit_in_force() {
        let table = [
            // old included and block, usage, new included and block, new limit
            ((1000, 1000), 0, (5000, 1000), 5000),
            ((1000, 1000), 0, (500, 500), 1000),
            ((1000, 1000), 0, (600, 500), 1100),
            ((1000, 1000), 1001, (1000, 10), 2000),
            ((1000, 1000), 1001, (0, 1), 2000),
            ((0, 1), 0, (0, 1), 0),
        ];
        for ((included, block), usage, (new_included, new_block), limit) in table {
            let new = tier(new_included, new_block);
            let changed = tier(included, block).changed_to(&new, usage).unwrap();
            assert_eq!(changed, Tier { limit, ..new });
        }
    }

    #[test]
    fn changed_tier_fits_the_limit_requested_for_the_renewal() {
        let grown = tier(1000, 500).after_closing(2400, 700, false);
        let asked = grown.with_limit_at_renewal(Some(1500), 700).unwrap();
        assert_eq!(asked.changed_to(&tier(500, 250), 700).unwrap().limit_at_renewal, Some(1500));
        let refused = asked.changed_to(&tier(400, 200), 700).unwrap_err();
        assert_eq!(refused, TierError::NotAStep { included: 400, block: 200 });
        assert_eq!(grown.changed_to(&tier(400, 200), 700).unwrap().limit, 2600);
    }

    fn any_tier() -> impl Strategy<Value = Tier> {
        (0..=USAGE_MAX, 1..=USAGE_MAX).prop_map(|(included, block)| tier(included, block))
    }

    fn is_step(tier: &Tier, limit: u64) -> bool {
        limit >= tier.included && (limit - tier.included).is_multiple_of(tier.block)
    }

    proptest! {
        #[test]
        fn limit_is_the_smallest_step_that_covers_the_usage(tier in any_tier(), usage in 0..=USAGE_MAX) {
            let limit = tier.limit_for(usage);
            prop_assert!(limit >= usage);
            prop_assert!(is_step(&tier, limit));
            prop_assert!(limit == tier.included || limit - tier.block < usage);
        }

        #[test]
        fn limit_and_thresholds_grow_with_the_usage(tier in any_tier(), one in 0..=USAGE_MAX, other in 0..=USAGE_MAX) {
            let (less, more) = (one.min(other), one.max(other));
            prop_assert!(tier.limit_for(less) <= tier.limit_for(more));
            prop_assert!(tier.limit_raised(more) || !tier.limit_raised(less));
            let crossed = tier.thresholds_crossed(more);
            prop_assert!(tier.thresholds_crossed(less).iter().all(|threshold| crossed.contains(threshold)));
        }

        #[test]
        fn limit_decreases_at_a_renewal_only(
            tier in any_tier(), peak in 0..=USAGE_MAX, before in 0..=USAGE_MAX, leaving in 0..=USAGE_MAX,
            step in 0..100_u64, renewal: bool,
        ) {
            let grown = tier.after_closing(peak, 0, false);
            let request = tier.included.saturating_add(step.saturating_mul(tier.block));
            let asked = grown.with_limit_at_renewal(Some(request), before).unwrap_or(grown);
            let after = before.saturating_sub(leaving);
            let next = asked.after_closing(before, after, renewal);
            prop_assert!(next.limit >= after);
            prop_assert!(is_step(&tier, next.limit));
            prop_assert!(next.limit <= asked.limit_for(before));
            if renewal {
                prop_assert_eq!(next.limit_at_renewal, None);
            } else {
                prop_assert!(next.limit >= asked.limit);
                prop_assert_eq!(next.limit_at_renewal, asked.limit_at_renewal);
            }
        }

        #[test]
        fn changed_tier_never_has_a_lower_limit(
            old in any_tier(), new in any_tier(), before in 0..=USAGE_MAX, usage in 0..=USAGE_MAX,
        ) {
            let grown = old.after_closing(before, 0, false);
            let in_force = grown.limit_for(usage);
            let changed = grown.changed_to(&new, usage).unwrap();
            prop_assert!(changed.limit >= in_force);
            prop_assert!(is_step(&new, changed.limit));
            prop_assert!(changed.limit == new.included || changed.limit - new.block < in_force);
        }

        #[test]
        fn no_number_causes_a_panic(included: u64, block: u64, limit: u64, asked: Option<u64>, usage: u64) {
            let tier = Tier { included, block, limit, limit_at_renewal: asked };
            prop_assert!(tier.limit_for(usage) >= usage);
            prop_assert!((0.0..=100.0).contains(&tier.percent(usage)));
            let _ = tier.thresholds_crossed(usage);
            let _ = tier.with_limit_at_renewal(asked, usage);
            let _ = tier.changed_to(&tier, usage);
            prop_assert!(tier.after_closing(usage, usage / 2, true).limit >= usage / 2);
        }
    }
}
