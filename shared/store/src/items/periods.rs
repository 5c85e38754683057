//! The period item, with the counts and the terms that decide changes of state, and the statements of closed periods.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::Timestamp;
use domain::calendar::{Calendar, Term, TimeZone};
use domain::ids::{AccountId, Bucket};
use domain::period::{Period, PeriodNumber, Statement};
use domain::tier::Tier;
use serde::{Deserialize, Serialize};

use super::{Entity, TotalsItem, as_millis, as_text, unreadable};
use crate::StoreError;
use crate::keys::due_shard_of;

/// An account's current period.
#[derive(Serialize, Deserialize)]
pub(crate) struct PeriodItem {
    number: u64,
    #[serde(with = "as_text")]
    starts_at: Timestamp,
    #[serde(with = "as_text")]
    ends_at: Timestamp,
    marketing: u64,
    leaving: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cap: Option<u64>,
    tier_included: u64,
    tier_block: u64,
    tier_limit: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier_limit_at_renewal: Option<u64>,
    #[serde(with = "as_text")]
    term: Term,
    #[serde(with = "as_text")]
    renewal_date: NaiveDate,
    #[serde(with = "as_text")]
    time_zone: TimeZone,
    marketing_contacts: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    forms_may_raise_tier: bool,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    test_clock: Option<Timestamp>,
    #[serde(with = "as_millis::option", default, skip_serializing_if = "Option::is_none")]
    indexed_from: Option<Timestamp>,
    revision: u64,
    #[serde(flatten)]
    totals: TotalsItem,
    #[serde(with = "as_millis::option", default, skip_serializing_if = "Option::is_none")]
    counted_at: Option<Timestamp>,
    /// The keys of the `due` index. A sandbox has none, because its periods end by its own clock, which only requests
    /// move.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_shard: Option<String>,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
}

impl Entity for PeriodItem {
    const TAG: &'static str = "period";
}

impl PeriodItem {
    /// Returns the item for an account's period.
    pub(crate) fn of(account: AccountId, period: &Period) -> Self {
        let due = period.test_clock.is_none();
        Self {
            number: period.number.number(),
            starts_at: period.starts_at,
            ends_at: period.ends_at,
            marketing: period.marketing,
            leaving: period.leaving,
            cap: period.cap,
            tier_included: period.tier.included,
            tier_block: period.tier.block,
            tier_limit: period.tier.limit,
            tier_limit_at_renewal: period.tier.limit_at_renewal,
            term: period.calendar.term,
            renewal_date: period.calendar.renewal_date,
            time_zone: period.calendar.time_zone,
            marketing_contacts: period.marketing_contacts,
            forms_may_raise_tier: period.forms_may_raise_tier,
            test_clock: period.test_clock,
            indexed_from: period.indexed_from,
            revision: period.revision,
            totals: TotalsItem(period.totals),
            counted_at: period.counted_at,
            due_shard: due.then(|| due_shard_of(account)),
            due_at: due.then_some(period.ends_at),
        }
    }

    /// Returns the period as it was written.
    ///
    /// # Errors
    ///
    /// A fault if the item contradicts itself.
    pub(crate) fn into_period(self) -> Result<Period, StoreError> {
        if self.leaving > self.marketing {
            return Err(unreadable::<Self>("count"));
        }
        Ok(Period {
            number: PeriodNumber::from_number(self.number).ok_or_else(|| unreadable::<Self>("number"))?,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            marketing: self.marketing,
            leaving: self.leaving,
            cap: self.cap,
            tier: Tier {
                included: self.tier_included,
                block: self.tier_block,
                limit: self.tier_limit,
                limit_at_renewal: self.tier_limit_at_renewal,
            },
            calendar: Calendar {
                term: self.term,
                renewal_date: self.renewal_date,
                time_zone: self.time_zone,
            },
            marketing_contacts: self.marketing_contacts,
            forms_may_raise_tier: self.forms_may_raise_tier,
            test_clock: self.test_clock,
            indexed_from: self.indexed_from,
            revision: self.revision,
            totals: self.totals.0,
            counted_at: self.counted_at,
        })
    }
}

/// The statement's attribute with the buckets that are not swept yet.
pub(crate) const UNSWEPT: &str = "unswept";

/// The statement's attribute with the instant of the latest sweep.
pub(crate) const SWEPT_AT: &str = "swept_at";

/// The statement of a closed period. Only the sweep's progress changes.
#[derive(Serialize, Deserialize)]
pub(crate) struct StatementItem {
    number: u64,
    #[serde(with = "as_text")]
    starts_at: Timestamp,
    #[serde(with = "as_text")]
    pub(crate) ends_at: Timestamp,
    marketing: u64,
    left: u64,
    tier_limit: u64,
    /// The buckets that are not swept yet.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "serde_dynamo::number_set")]
    unswept: BTreeSet<u8>,
    /// The instant at which the latest bucket was swept, by the wall clock.
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    swept_at: Option<Timestamp>,
    /// The keys of the `due` index, while a bucket is not swept.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_shard: Option<String>,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
}

impl Entity for StatementItem {
    const TAG: &'static str = "statement";
}

impl StatementItem {
    /// Returns the item for a period that is closed at `wall_clock`. Its sweep is due at once.
    pub(crate) fn of(account: AccountId, statement: &Statement, wall_clock: Timestamp) -> Self {
        let unswept: BTreeSet<u8> =
            if statement.left > 0 { Bucket::all().map(Bucket::number).collect() } else { BTreeSet::new() };
        let due = !unswept.is_empty();
        Self {
            number: statement.number.number(),
            starts_at: statement.starts_at,
            ends_at: statement.ends_at,
            marketing: statement.marketing,
            left: statement.left,
            tier_limit: statement.tier_limit,
            unswept,
            swept_at: None,
            due_shard: due.then(|| due_shard_of(account)),
            due_at: due.then_some(wall_clock),
        }
    }

    /// Returns the number of the period.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Returns the statement as it was written. `None` if the item contradicts itself.
    pub(crate) fn statement(&self) -> Option<Statement> {
        Some(Statement {
            number: PeriodNumber::from_number(self.number)?,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            marketing: self.marketing,
            left: self.left,
            tier_limit: self.tier_limit,
        })
    }

    /// Returns the buckets that are not swept yet.
    pub(crate) fn unswept(&self) -> impl Iterator<Item = Bucket> + '_ {
        self.unswept.iter().copied().filter_map(Bucket::from_number)
    }

    /// Returns true unless the sweep of all buckets has ended before `instant`.
    pub(crate) fn is_swept_after(&self, instant: Timestamp) -> bool {
        !self.unswept.is_empty() || self.swept_at.is_some_and(|swept_at| swept_at > instant)
    }

    /// Returns the statement as it was written.
    ///
    /// # Errors
    ///
    /// A fault if the item contradicts itself.
    pub(crate) fn into_statement(self) -> Result<Statement, StoreError> {
        self.statement().ok_or_else(|| unreadable::<Self>("number"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_sdk_dynamodb::types::AttributeValue;
    use domain::period::{Terms, Totals};
    use domain::source::SourceType;

    use super::*;
    use crate::items::{decode, encode};
    use crate::keys::{Item, Key};

    /// A number of 13 digits, the most that [`domain::limits::USAGE_MAX`] has.
    const LARGEST: u64 = 9_999_999_999_999;

    fn largest() -> Period {
        let now: Timestamp = "2026-11-10T12:00:00.000Z".parse().unwrap();
        let calendar = Calendar {
            term: Term::Monthly,
            renewal_date: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
            time_zone: "America/Argentina/ComodRivadavia".parse().unwrap(),
        };
        let tier =
            Tier { included: LARGEST, block: LARGEST, limit: LARGEST, limit_at_renewal: Some(LARGEST) };
        let terms = Terms { calendar, tier, cap: Some(LARGEST), marketing_contacts: true, test_clock: None };
        Period {
            marketing: LARGEST,
            leaving: LARGEST,
            forms_may_raise_tier: true,
            indexed_from: Some(Timestamp::MAX),
            revision: LARGEST,
            totals: Totals {
                counted: LARGEST,
                by_source: SourceType::ALL.iter().map(|kind| (*kind, LARGEST)).collect(),
                kept: LARGEST,
                queued: LARGEST,
                left: LARGEST,
            },
            counted_at: Some(now),
            ..Period::first(terms, now)
        }
    }

    /// Returns the size of an item as DynamoDB counts it for capacity units. A number has a byte for each two digits
    /// and one more.
    fn bytes(item: &Item) -> usize {
        let size = |value: &AttributeValue| match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
            AttributeValue::Bool(_) => 1,
            other => panic!("unexpected attribute {other:?}"),
        };
        item.iter().map(|(name, value)| name.len() + size(value)).sum()
    }

    /// A larger item would double the cost of every change of a state.
    #[test]
    fn largest_period_is_below_one_write_unit() {
        let account = AccountId::new(Timestamp::MAX, u128::MAX);
        let ordinary = largest();
        let sandbox = Period { test_clock: Some(Timestamp::MAX), ..largest() };
        for period in [ordinary, sandbox] {
            let item = encode(Key::period(account), &PeriodItem::of(account, &period)).unwrap();
            assert!(bytes(&item) < 1_024, "{} bytes", bytes(&item));
            assert_eq!(decode::<PeriodItem>(item).unwrap().into_period().unwrap(), period);
        }
    }

    #[test]
    fn item_without_totals_is_read_as_zero() {
        let account = AccountId::new(Timestamp::MIN, 1);
        let period = Period { totals: Totals::default(), counted_at: None, ..largest() };
        let item = encode(Key::period(account), &PeriodItem::of(account, &period)).unwrap();
        let names: BTreeMap<_, _> = item.iter().filter(|(name, _)| name.starts_with("set_")).collect();
        assert!(names.is_empty() && !item.contains_key("counted") && !item.contains_key("counted_at"));
        assert_eq!(decode::<PeriodItem>(item).unwrap().into_period().unwrap(), period);
    }
}
