//! An account's period: its billed counts, its terms, and the closing of an ended period.

use crate::Timestamp;
use crate::calendar::Calendar;
use crate::limits::{CHANGES_INDEXED_AFTER, CLOSINGS_PER_STEP_MAX, USAGE_MAX};
use crate::source::BySource;
use crate::tier::Tier;

/// The number of a period: 1, 2, 3 and so on in each account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PeriodNumber(u64);

impl PeriodNumber {
    /// The first period of an account.
    pub const FIRST: Self = Self(1);

    /// Creates a period number. Returns `None` for 0.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    /// Returns the number, 1 or more.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }

    /// Returns the number of the next period.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// The error for a text that is not a period number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the number of a period: 1 or more")]
pub struct PeriodNumberError;

impl std::str::FromStr for PeriodNumber {
    type Err = PeriodNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().ok().and_then(Self::from_number).ok_or(PeriodNumberError)
    }
}

impl std::fmt::Display for PeriodNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The change of a period's two counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Delta {
    /// The change of the usage.
    pub marketing: i64,
    /// The change of the number of leaving contacts.
    pub leaving: i64,
}

impl Delta {
    /// Returns true if neither count changes.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// Returns the number of contacts that were kept, in a change by one command.
    #[must_use]
    pub fn kept(self) -> u64 {
        u64::try_from(-self.leaving).unwrap_or_default()
    }

    /// Returns the number of contacts that were queued to leave, in a change by one command.
    #[must_use]
    pub fn queued(self) -> u64 {
        u64::try_from(self.leaving).unwrap_or_default()
    }

    /// Returns the sum of two changes.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { marketing: self.marketing + other.marketing, leaving: self.leaving + other.leaving }
    }
}

/// Totals of an account since its creation. They are written with the counts that they explain, so the item of the
/// period is a complete picture after every change: of two pictures the one with the higher `counted` is the newer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// The number of writes that changed the counts.
    pub counted: u64,
    /// The contacts that were set, by the type of their source.
    pub by_source: BySource,
    /// The leaving contacts that were kept.
    pub kept: u64,
    /// The contacts that were queued to leave.
    pub queued: u64,
    /// The contacts that left at an update date.
    pub left: u64,
}

impl Totals {
    /// Returns the number of contacts that were set.
    #[must_use]
    pub fn set(&self) -> u64 {
        self.by_source.sum()
    }

    /// Returns the totals after one write of this change. All contacts of a write have the same command, so leaving
    /// contacts are either kept or queued.
    #[must_use]
    pub fn after(&self, delta: Delta, sets: &BySource) -> Self {
        Self {
            counted: self.counted.saturating_add(1),
            by_source: self.by_source.plus(sets),
            kept: self.kept.saturating_add(delta.kept()),
            queued: self.queued.saturating_add(delta.queued()),
            left: self.left,
        }
    }
}

/// An account's current period, with all data on which a change of state depends.
///
/// It is stored as one item and read at once. Each change of state is conditional on its `revision`, so a decision is
/// written only if the data behind it has not changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Period {
    /// The period's number.
    pub number: PeriodNumber,
    /// The first instant of the period.
    pub starts_at: Timestamp,
    /// The update date that ends the period. It belongs to the next one.
    pub ends_at: Timestamp,
    /// The usage: the number of contacts that are marketing or leaving.
    pub marketing: u64,
    /// The number of contacts that are leaving.
    pub leaving: u64,
    /// The ceiling on the usage that the account set for itself.
    pub cap: Option<u64>,
    /// The contract's tier.
    pub tier: Tier,
    /// The calendar of update dates.
    pub calendar: Calendar,
    /// True if the account has marketing contacts switched on.
    pub marketing_contacts: bool,
    /// True if forms without a setting of their own may raise the tier limit.
    pub forms_may_raise_tier: bool,
    /// The instant of a sandbox's own clock. `None` for other accounts.
    pub test_clock: Option<Timestamp>,
    /// The account's instant from which its index of changes is complete. `None` if the index is switched off.
    pub indexed_from: Option<Timestamp>,
    /// A number that increases with every change except those of the two counts.
    pub revision: u64,
    /// The totals since the account's creation.
    pub totals: Totals,
    /// The account's instant of the latest change of the counts. `None` if there was none.
    pub counted_at: Option<Timestamp>,
}

/// The terms with which an account is created.
#[derive(Clone, PartialEq, Debug)]
pub struct Terms {
    /// The calendar of update dates.
    pub calendar: Calendar,
    /// The contract's tier.
    pub tier: Tier,
    /// The ceiling on the usage that the account sets for itself.
    pub cap: Option<u64>,
    /// True if the account has marketing contacts switched on.
    pub marketing_contacts: bool,
    /// The instant of a sandbox's own clock. `None` for other accounts.
    pub test_clock: Option<Timestamp>,
}

/// A closed period, with its numbers at its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// The period's number.
    pub number: PeriodNumber,
    /// The first instant of the period.
    pub starts_at: Timestamp,
    /// The update date that ended the period.
    pub ends_at: Timestamp,
    /// The usage at its end, leaving contacts included.
    pub marketing: u64,
    /// The number of contacts that became non-marketing at its end.
    pub left: u64,
    /// The tier limit at its end.
    pub tier_limit: u64,
}

/// Ended periods that are closed in order, and the period that follows them.
#[derive(Clone, PartialEq, Debug)]
pub struct Closing {
    /// The statements of the closed periods, oldest first. Never empty.
    pub statements: Vec<Statement>,
    /// The account's period afterwards. It may have ended as well.
    pub next: Period,
}

impl Period {
    /// Creates an account's first period, which begins at `now`, or at the instant of a sandbox's own clock.
    #[must_use]
    pub fn first(terms: Terms, now: Timestamp) -> Self {
        let Terms { calendar, tier, cap, marketing_contacts, test_clock } = terms;
        let starts_at = test_clock.unwrap_or(now);
        Self {
            number: PeriodNumber::FIRST,
            starts_at,
            ends_at: calendar.next_update(starts_at),
            marketing: 0,
            leaving: 0,
            cap,
            tier,
            calendar,
            marketing_contacts,
            forms_may_raise_tier: false,
            test_clock,
            indexed_from: None,
            revision: 1,
            totals: Totals::default(),
            counted_at: None,
        }
    }

    /// Returns the account's instant: a sandbox's own clock, or else the wall clock. It is never before the start of
    /// the period. A request may arrive just before an update date, or the clock may be slow. If the request is then
    /// decided in the new period, it belongs to that period's first instant.
    #[must_use]
    pub fn now(&self, wall_clock: Timestamp) -> Timestamp {
        self.test_clock.unwrap_or(wall_clock).max(self.starts_at)
    }

    /// Returns true if the period has ended, which it has at the update date itself.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        now >= self.ends_at
    }

    /// Returns the usage right after the next update date, if nothing else changes.
    #[must_use]
    pub fn after_next_update(&self) -> u64 {
        self.marketing.saturating_sub(self.leaving)
    }

    /// Returns the remaining capacity under the cap: the number of contacts that may still become marketing.
    #[must_use]
    pub fn remaining_capacity(&self) -> u64 {
        self.cap.unwrap_or(USAGE_MAX).saturating_sub(self.marketing)
    }

    /// Returns the period with its counts changed by `delta`.
    #[must_use]
    pub fn with(&self, delta: Delta) -> Self {
        Self {
            marketing: self.marketing.saturating_add_signed(delta.marketing),
            leaving: self.leaving.saturating_add_signed(delta.leaving),
            ..self.clone()
        }
    }

    /// Returns the period after a write of this change at `now`. Nothing is written if no count changes.
    #[must_use]
    pub fn counted(&self, delta: Delta, sets: &BySource, now: Timestamp) -> Self {
        if delta.is_zero() {
            return self.clone();
        }
        Self { totals: self.totals.after(delta, sets), counted_at: Some(now), ..self.with(delta) }
    }

    /// Closes the periods that have ended by `now`, one by one, at most [`CLOSINGS_PER_STEP_MAX`] in a step. Returns
    /// `None` if the period has not ended.
    #[must_use]
    pub fn closing(&self, now: Timestamp) -> Option<Closing> {
        let mut next = self.clone();
        let mut statements = Vec::new();
        while next.has_ended(now) && statements.len() < CLOSINGS_PER_STEP_MAX {
            let (statement, following) = next.closed();
            statements.push(statement);
            next = following;
        }
        (!statements.is_empty()).then_some(Closing { statements, next })
    }

    /// Returns this period's statement and the next period. The usage decreases by exactly the leaving contacts.
    fn closed(&self) -> (Statement, Self) {
        let remaining = self.after_next_update();
        let statement = Statement {
            number: self.number,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            marketing: self.marketing,
            left: self.leaving,
            tier_limit: self.tier.limit_for(self.marketing),
        };
        let leavers = self.leaving > 0;
        let next = Self {
            number: self.number.next(),
            starts_at: self.ends_at,
            ends_at: self.calendar.next_update(self.ends_at),
            marketing: remaining,
            leaving: 0,
            tier: self.tier.after_closing(self.marketing, remaining, self.calendar.is_renewal(self.ends_at)),
            revision: self.revision.saturating_add(1),
            totals: Totals {
                counted: self.totals.counted.saturating_add(u64::from(leavers)),
                left: self.totals.left.saturating_add(self.leaving),
                ..self.totals
            },
            counted_at: if leavers { Some(self.ends_at) } else { self.counted_at },
            ..self.clone()
        };
        (statement, next)
    }

    /// Returns the period with the index of changes switched on or off at `now`. An index that is on already stays
    /// complete from the same instant.
    ///
    /// Requests that have read the period before still write without the index. Their changes are earlier than
    /// [`CHANGES_INDEXED_AFTER`] from now on.
    #[must_use]
    pub fn with_index(&self, on: bool, now: Timestamp) -> Self {
        let begins = || self.indexed_from.unwrap_or_else(|| now.plus(CHANGES_INDEXED_AFTER));
        Self { indexed_from: on.then(begins), ..self.clone() }
    }

    /// Returns the period with another calendar, which moves its end to the first update date after `now`.
    #[must_use]
    pub fn with_calendar(&self, calendar: Calendar, now: Timestamp) -> Self {
        Self { ends_at: calendar.next_update(now), calendar, ..self.clone() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::{Term, TimeZone};

    /// Returns the first period of an ordinary account, in November 2026.
    pub(crate) fn period() -> Period {
        Period::first(terms(None), at("2026-11-10T12:00:00.000Z"))
    }

    fn terms(test_clock: Option<Timestamp>) -> Terms {
        let renewal_date = NaiveDate::from_ymd_opt(2026, 1, 15).unwrap();
        Terms {
            calendar: Calendar { term: Term::Annual, renewal_date, time_zone: TimeZone::default() },
            tier: Tier::new(100, 50).unwrap(),
            cap: None,
            marketing_contacts: true,
            test_clock,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn first_period_begins_now_and_ends_at_the_next_update_date() {
        let first = period();
        assert_eq!(
            (first.starts_at, first.ends_at),
            (at("2026-11-10T12:00:00Z"), at("2026-12-01T00:00:00Z"))
        );
        assert_eq!((first.number, first.marketing, first.leaving), (PeriodNumber::FIRST, 0, 0));
        let sandbox = Period::first(terms(Some(at("2030-01-20T00:00:00Z"))), at("2026-11-10T12:00:00Z"));
        assert_eq!(
            (sandbox.starts_at, sandbox.ends_at),
            (at("2030-01-20T00:00:00Z"), at("2030-02-01T00:00:00Z"))
        );
    }

    #[test]
    fn periods_are_numbered_from_1() {
        assert_eq!(PeriodNumber::from_number(0), None);
        assert_eq!(PeriodNumber::from_number(1), Some(PeriodNumber::FIRST));
        assert_eq!(PeriodNumber::FIRST.next(), PeriodNumber(2));
    }

    #[test]
    fn delta_changes_both_counts() {
        let before = Period { marketing: 9, leaving: 3, ..period() };
        let after = before.with(Delta { marketing: 2, leaving: -1 });
        assert_eq!(after, Period { marketing: 11, leaving: 2, ..before });
    }

    #[test]
    fn totals_explain_the_counts_after_each_write_and_closing() {
        use crate::source::SourceType::{Form, Manual};
        let now = at("2026-11-11T12:00:00Z");
        let sets = [(Form, 3), (Manual, 1)].into_iter().collect();
        let set = period().counted(Delta { marketing: 4, leaving: 0 }, &sets, now);
        let queued = set.counted(Delta { marketing: 0, leaving: 3 }, &BySource::default(), now);
        let kept = queued.counted(Delta { marketing: 0, leaving: -1 }, &BySource::default(), now);
        assert_eq!(
            kept.counted(Delta::default(), &BySource::default(), kept.ends_at),
            kept,
            "nothing is written"
        );
        let next = kept.closing(at("2026-12-01T00:00:00Z")).unwrap().next;
        let totals = Totals { counted: 4, by_source: sets, kept: 1, queued: 3, left: 2 };
        assert_eq!((next.totals, next.counted_at), (totals, Some(kept.ends_at)));
        assert_eq!((next.totals.set(), next.marketing), (4, 2));
        let later = next.closing(at("2027-01-01T00:00:00Z")).unwrap().next;
        assert_eq!((later.totals, later.counted_at), (totals, next.counted_at), "no contact left");
    }

    #[test]
    fn instant_is_never_before_the_start_of_the_period() {
        let period = period();
        let later = at("2026-11-10T12:00:00.001Z");
        assert_eq!(period.now(later), later);
        assert_eq!(period.now(at("2026-11-10T11:59:59.999Z")), period.starts_at);
        let sandbox = Period { test_clock: Some(later), ..period };
        assert_eq!(sandbox.now(at("2030-01-01T00:00:00Z")), later);
    }

    #[test]
    fn period_is_half_open() {
        let period = period();
        assert!(!period.has_ended(at("2026-11-30T23:59:59.999Z")));
        assert!(period.has_ended(at("2026-12-01T00:00:00.000Z")));
        assert_eq!(period.closing(at("2026-11-30T23:59:59.999Z")), None);
    }

    #[test]
    fn closing_removes_leaving_contacts_and_returns_a_statement() {
        let ended = Period { marketing: 130, leaving: 40, ..period() };
        let Closing { statements, next } = ended.closing(at("2026-12-01T00:00:00Z")).unwrap();
        let [statement] = statements.as_slice() else { panic!("one period has ended") };
        assert_eq!((statement.marketing, statement.left, statement.tier_limit), (130, 40, 150));
        assert_eq!((next.marketing, next.leaving, next.number.number()), (90, 0, 2));
        assert_eq!((next.starts_at, next.ends_at), (ended.ends_at, at("2027-01-01T00:00:00Z")));
        assert!(next.revision > ended.revision, "decisions on the ended period are no longer valid");
        assert_eq!(next.tier.limit, 150, "the limit does not decrease by itself");
    }

    #[test]
    fn requested_lower_limit_applies_at_the_renewal_only() {
        let tier = Tier { limit: 300, limit_at_renewal: Some(150), ..period().tier };
        let mut next = Period { tier, marketing: 120, leaving: 0, ..period() };
        for (ends_at, limit) in
            [("2026-12-01T00:00:00Z", 300), ("2027-01-01T00:00:00Z", 300), ("2027-01-15T00:00:00Z", 150)]
        {
            assert_eq!(next.ends_at, at(ends_at));
            next = next.closing(at(ends_at)).unwrap().next;
            assert_eq!(next.tier.limit, limit, "after {ends_at}");
        }
        assert_eq!(next.tier.limit_at_renewal, None);
    }

    #[test]
    fn changed_calendar_moves_the_end_and_nothing_else() {
        let before = Period { marketing: 9, leaving: 3, ..period() };
        let calendar = Calendar { term: Term::Monthly, ..before.calendar };
        let after = before.with_calendar(calendar, at("2026-11-12T00:00:00Z"));
        assert_eq!(after.ends_at, at("2026-11-15T00:00:00Z"));
        assert_eq!(after, Period { ends_at: after.ends_at, calendar, ..before });
    }

    #[test]
    fn index_of_changes_is_complete_after_the_requests_in_flight() {
        let (now, later) = (at("2026-11-12T00:00:00Z"), at("2026-11-13T00:00:00Z"));
        let on = period().with_index(true, now);
        assert_eq!(on, Period { indexed_from: Some(now.plus(CHANGES_INDEXED_AFTER)), ..period() });
        assert_eq!(on.with_index(true, later), on, "it is complete already");
        assert_eq!(on.closing(at("2026-12-01T00:00:00Z")).unwrap().next.indexed_from, on.indexed_from);
        assert_eq!(on.with_index(false, later), period());
    }

    proptest! {
        #[test]
        fn missed_periods_close_in_order_without_gap_or_overlap(days in 0..3_000_i64, leaving in 0..50_u64) {
            let mut current = Period { marketing: 50, leaving, ..period() };
            let now = Timestamp::from_millis(current.starts_at.millis() + days * 86_400_000);
            let mut statements = Vec::new();
            while let Some(closing) = current.closing(now) {
                prop_assert!(closing.statements.len() <= CLOSINGS_PER_STEP_MAX);
                statements.extend(closing.statements);
                current = closing.next;
            }
            prop_assert!(current.starts_at <= now && now < current.ends_at);
            prop_assert_eq!(statements.len() as u64 + 1, current.number.number());
            for (index, statement) in statements.iter().enumerate() {
                let (marketing, left) = if index == 0 { (50, leaving) } else { (50 - leaving, 0) };
                prop_assert_eq!((statement.marketing, statement.left), (marketing, left));
                let next = statements.get(index + 1).map_or(current.starts_at, |next| next.starts_at);
                prop_assert_eq!(statement.ends_at, next);
            }
        }
    }
}
