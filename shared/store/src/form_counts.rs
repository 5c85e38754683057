//! The counts of a form's submissions, and the number of contacts that it has set marketing today.
//!
//! Both are written in the transaction of the submission, so a lost response or a repeat never counts twice. A
//! duplicate changes nothing else. Its count is a write of its own, which may fail without failing the request.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Update};
use chrono::NaiveDate;
use domain::budget::DayCount;
use domain::decision::Refusal;
use domain::ids::FormId;
use domain::limits::BATCH_READ_MAX;
use domain::string_enum::string_enum;

use crate::conditions::{SET_TAG, tag};
use crate::error::call_error;
use crate::expressions::number;
use crate::items::{FormCountsItem, FormDayItem, decode};
use crate::keys::{FORM_COUNT_SHARDS, Key, PK, form_counts_pk};
use crate::store::{Query, Store};
use crate::{ContactEffect, MarketingEffect, StoreError, Submitted};

/// The counts of a form's submissions by their effect. A submission in the inbox is counted when it is settled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FormCounts {
    /// Repeated deliveries. If the write of the count failed, one is missing here and in [`Self::received`].
    pub duplicates: u64,
    /// Rejected submissions, except those that a retry has applied since or that were deleted.
    pub rejected: u64,
    /// Contacts that became marketing contacts.
    pub set: u64,
    /// Leaving contacts that stay marketing contacts.
    pub kept: u64,
    /// Contacts whose marketing state did not change.
    pub unchanged: u64,
    /// Contacts stored as non-marketing, because the form or the account sets no contacts marketing.
    pub not_set: u64,
    /// Contacts stored as non-marketing because of the account's cap.
    pub not_set_by_cap: u64,
    /// Contacts stored as non-marketing because of the tier limit, which the form may not raise.
    pub not_set_by_tier: u64,
    /// Contacts stored as non-marketing because of the form's budget.
    pub not_set_by_budget: u64,
    /// Webhooks that do not report a submission.
    pub ignored: u64,
    /// Submitted values that the form does not accept, or that exceed a contact's limits. They are not part of
    /// [`Self::received`], which counts submissions.
    pub fields_left_out: u64,
}

impl FormCounts {
    /// Returns the number of submissions. Each is part of exactly one of the other counts.
    #[must_use]
    pub fn received(&self) -> u64 {
        let not_set = self.not_set + self.not_set_by_cap + self.not_set_by_tier + self.not_set_by_budget;
        let applied = self.set + self.kept + self.unchanged + not_set;
        self.duplicates + self.rejected + self.ignored + applied
    }

    fn add(&mut self, part: &FormCountsItem) {
        self.duplicates += part.duplicates;
        self.set += part.set;
        self.kept += part.kept;
        self.unchanged += part.unchanged;
        self.not_set += part.not_set;
        self.not_set_by_cap += part.not_set_by_cap;
        self.not_set_by_tier += part.not_set_by_tier;
        self.not_set_by_budget += part.not_set_by_budget;
        self.ignored += part.ignored;
        self.fields_left_out += part.fields_left_out;
    }
}

string_enum! {
    /// The counts of a form, as they are stored.
    pub(crate) enum Counted {
        /// See [`FormCounts`].
        Duplicates = "duplicates",
        /// See [`FormCounts`].
        Rejected = "rejected",
        /// See [`FormCounts`].
        Set = "set",
        /// See [`FormCounts`].
        Kept = "kept",
        /// See [`FormCounts`].
        Unchanged = "unchanged",
        /// See [`FormCounts`].
        NotSet = "not_set",
        /// See [`FormCounts`].
        NotSetByCap = "not_set_by_cap",
        /// See [`FormCounts`].
        NotSetByTier = "not_set_by_tier",
        /// See [`FormCounts`].
        NotSetByBudget = "not_set_by_budget",
        /// See [`FormCounts`].
        Ignored = "ignored",
        /// See [`FormCounts`].
        FieldsLeftOut = "fields_left_out",
    }
}

impl Counted {
    /// Returns the count to which a submission with this effect belongs.
    pub(crate) fn of(submitted: &Submitted) -> Self {
        if submitted.contact == ContactEffect::Rejected {
            return Self::Rejected;
        }
        match submitted.marketing {
            MarketingEffect::Set => Self::Set,
            MarketingEffect::Kept => Self::Kept,
            MarketingEffect::Unchanged | MarketingEffect::Accepted => Self::Unchanged,
            MarketingEffect::NotSet => match submitted.reason.as_deref().map(str::parse) {
                Some(Ok(Refusal::CapReached)) => Self::NotSetByCap,
                Some(Ok(Refusal::TierLimit)) => Self::NotSetByTier,
                Some(Ok(Refusal::FormBudget)) => Self::NotSetByBudget,
                _ => Self::NotSet,
            },
        }
    }
}

/// The increments of a form's counts.
#[derive(Clone, Default)]
pub(crate) struct Tally(BTreeMap<Counted, i64>);

impl Tally {
    pub(crate) fn add(&mut self, counted: Counted, by: i64) {
        *self.0.entry(counted).or_default() += by;
    }

    /// Counts values that were left out, if there are any.
    pub(crate) fn add_left_out(&mut self, fields: u64) {
        if fields > 0 {
            self.add(Counted::FieldsLeftOut, i64::try_from(fields).unwrap_or(i64::MAX));
        }
    }

    pub(crate) fn of(counted: Counted) -> Self {
        Self(BTreeMap::from([(counted, 1)]))
    }
}

/// The change of a form's day by one transaction.
pub(crate) struct DayChange {
    /// The stored day, if there is one.
    pub(crate) stored: Option<DayCount>,
    /// The day on which the contacts are set marketing.
    pub(crate) day: NaiveDate,
    /// The number of contacts that are set marketing.
    pub(crate) set: u64,
    /// The highest earlier count of the day with which all of them are within the budget.
    pub(crate) most_before: u64,
}

impl Store {
    /// Builds the update of one random shard of a form's counts.
    pub(crate) fn count_form(&self, form: FormId, tally: &Tally) -> Result<Update, StoreError> {
        let shard = self.rng().up_to(u64::from(FORM_COUNT_SHARDS - 1));
        let key = Key::form_counts(form, u8::try_from(shard).unwrap_or_default());
        let mut expression = tag::<FormCountsItem>();
        let mut adds = Vec::new();
        for (counted, by) in &tally.0 {
            let name = counted.as_str();
            expression = expression.name(name).value(name, number(by));
            adds.push(format!("#{name} :{name}"));
        }
        let update = format!("{SET_TAG} ADD {}", adds.join(", "));
        Ok(Update::builder()
            .table_name(&*self.table)
            .set_key(Some(key.into_item()))
            .update_expression(update)
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .build()?)
    }

    /// Builds the update of a form's day. Its condition is that the day is unchanged and that the count is within the
    /// budget.
    pub(crate) fn count_form_day(&self, form: FormId, change: &DayChange) -> Result<Update, StoreError> {
        let text = |day: NaiveDate| AttributeValue::S(day.to_string());
        let expression = tag::<FormDayItem>()
            .name("day")
            .name("new_marketing")
            .value("day", text(change.day))
            .value("set", number(change.set));
        let begin = format!("{SET_TAG}, #day = :day, #new_marketing = :set");
        let key = Key::form_day(form);
        match change.stored {
            None => self.update_if(key, &begin, "attribute_not_exists(#pk)", &expression.name(PK)),
            Some(stored) if stored.day == change.day => {
                let update = format!("{SET_TAG} ADD #new_marketing :set");
                let condition = "#day = :day AND #new_marketing <= :most";
                self.update_if(key, &update, condition, &expression.value("most", number(change.most_before)))
            }
            Some(stored) => {
                let expression = expression.value("before", text(stored.day));
                self.update_if(key, &begin, "#day = :before", &expression)
            }
        }
    }

    /// Counts a repeated delivery. If the write fails, the delivery is missing only in the counts.
    pub(crate) async fn count_duplicate(&self, form: FormId) {
        self.count_alone(form, Counted::Duplicates).await;
    }

    /// Counts a webhook that does not report a submission. If the write fails, the webhook is missing only in the
    /// counts.
    pub async fn count_ignored(&self, form: FormId) {
        self.count_alone(form, Counted::Ignored).await;
    }

    async fn count_alone(&self, form: FormId, counted: Counted) {
        let written = match self.count_form(form, &Tally::of(counted)) {
            Ok(update) => self
                .client
                .update_item()
                .table_name(update.table_name())
                .set_key(Some(update.key().clone()))
                .update_expression(update.update_expression())
                .set_expression_attribute_names(update.expression_attribute_names().cloned())
                .set_expression_attribute_values(update.expression_attribute_values().cloned())
                .send()
                .await
                .map(drop)
                .map_err(|error| call_error("counting a delivery", error)),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!(%form, counted = counted.as_str(), %error, "a delivery was not counted");
        }
    }

    /// Returns a form's counts, the sum of their shards. One consistent query.
    pub(crate) async fn form_counts(&self, form: FormId) -> Result<FormCounts, StoreError> {
        let (pk, limit) = (form_counts_pk(form), BATCH_READ_MAX);
        let page = self.query(&Query { pk, prefix: "", after: None, limit, newest_first: false }).await?;
        let mut counts = FormCounts::default();
        let mut rejected = 0;
        for item in page.items {
            let part: FormCountsItem = decode(item)?;
            counts.add(&part);
            rejected += part.rejected;
        }
        // Each retry and each deletion is counted after its rejection, so the sum is never negative.
        counts.rejected = u64::try_from(rejected).unwrap_or_default();
        Ok(counts)
    }
}

impl FormDayItem {
    pub(crate) fn count(&self) -> DayCount {
        DayCount { day: self.day, new_marketing: self.new_marketing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_submission_is_one_of_the_counts() {
        let submitted = |contact, marketing, reason: Option<&str>| Submitted {
            contact,
            marketing,
            reason: reason.map(str::to_owned),
            duplicate: false,
        };
        let updated = ContactEffect::Updated;
        for (submitted, counted) in [
            (submitted(updated, MarketingEffect::Set, None), Counted::Set),
            (submitted(updated, MarketingEffect::Kept, None), Counted::Kept),
            (submitted(updated, MarketingEffect::Unchanged, None), Counted::Unchanged),
            (submitted(updated, MarketingEffect::NotSet, None), Counted::NotSet),
            (submitted(updated, MarketingEffect::NotSet, Some("marketing-contacts-off")), Counted::NotSet),
            (submitted(updated, MarketingEffect::NotSet, Some("cap-reached")), Counted::NotSetByCap),
            (submitted(updated, MarketingEffect::NotSet, Some("tier-limit")), Counted::NotSetByTier),
            (submitted(updated, MarketingEffect::NotSet, Some("form-budget")), Counted::NotSetByBudget),
            (
                submitted(ContactEffect::Rejected, MarketingEffect::NotSet, Some("no-address")),
                Counted::Rejected,
            ),
        ] {
            assert_eq!(Counted::of(&submitted), counted, "{submitted:?}");
        }
    }

    #[test]
    fn received_is_the_sum_of_all_submissions() {
        let counts = FormCounts {
            duplicates: 1,
            rejected: 2,
            set: 4,
            kept: 8,
            unchanged: 16,
            not_set: 32,
            not_set_by_cap: 64,
            not_set_by_tier: 128,
            not_set_by_budget: 256,
            ignored: 512,
            fields_left_out: 1024,
        };
        assert_eq!(counts.received(), 1023);
    }
}
