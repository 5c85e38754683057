//! Forms, their counts and their deliveries.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::Timestamp;
use domain::address::EmailAddress;
use domain::form::{AnswerMode, Overwrite};
use domain::ids::{AccountId, ContactId, FormId, RejectionId};
use domain::property::PropertyName;
use domain::provider::Provider;
use serde::{Deserialize, Serialize};

use super::{Entity, as_millis, as_text, unreadable};
use crate::delivery::Versions;
use crate::{Person, StoreError};

/// A form's settings.
#[derive(Serialize, Deserialize)]
pub(crate) struct FormItem {
    #[serde(with = "as_text")]
    pub(crate) id: FormId,
    #[serde(with = "as_text")]
    pub(crate) account: AccountId,
    /// The account's portal number, which never changes.
    pub(crate) portal: u32,
    pub(crate) name: String,
    #[serde(with = "as_text")]
    pub(crate) provider: Provider,
    /// The secrets in plain text, because signatures are computed from them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) secrets: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) set_marketing: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_new_marketing_per_day: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) may_raise_tier: Option<bool>,
    #[serde(with = "as_text", default, skip_serializing_if = "is_default")]
    pub(crate) overwrite: Overwrite,
    #[serde(with = "as_text", default, skip_serializing_if = "is_default")]
    pub(crate) answer: AnswerMode,
    /// The fields that the form accepts. `None` accepts all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fields: Option<BTreeSet<String>>,
    /// The event types that the form accepts. `None` accepts all that do not report an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event_types: Option<BTreeSet<String>>,
    /// The target of each of the form's own fields. `None` for fields that are left out.
    pub(crate) field_map: BTreeMap<String, Option<String>>,
    pub(crate) allowed_origins: Vec<String>,
    /// The automations that submissions of the form enrol contacts in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "serde_dynamo::string_set")]
    pub(crate) used_by: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redirect_url: Option<String>,
    /// The appearance of the form, as the CRM API encodes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) appearance: Option<String>,
    #[serde(with = "as_text")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "as_text")]
    pub(crate) updated_at: Timestamp,
    pub(crate) version: u64,
}

impl Entity for FormItem {
    const TAG: &'static str = "form";
    const SCHEMA: u32 = 2;
}

/// A form's entry in the account's list of forms.
#[derive(Serialize, Deserialize)]
pub(crate) struct FormEntryItem {
    #[serde(with = "as_text")]
    pub(crate) id: FormId,
}

impl Entity for FormEntryItem {
    const TAG: &'static str = "form-entry";
}

/// An accepted delivery: its effect, or the submission that waits in the inbox.
#[derive(Serialize, Deserialize)]
pub(crate) struct DeliveryItem {
    pub(crate) contact: String,
    pub(crate) marketing: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(flatten)]
    pub(crate) versions: Versions,
    /// The contact, once the delivery is applied.
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) contact_id: Option<ContactId>,
    /// The instant at which its latest version was applied, by the wall clock.
    #[serde(with = "as_millis::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) applied_at: Option<Timestamp>,
    /// The expiry, in seconds since 1970. A waiting delivery has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
    /// The submission that waits in the inbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pending: Option<PendingItem>,
    /// The random identity of this waiting state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// The keys of the `due` index, while the delivery waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_shard: Option<String>,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_at: Option<Timestamp>,
}

impl Entity for DeliveryItem {
    const TAG: &'static str = "delivery";
}

/// A submission as it was accepted, with its form's settings at that time.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PendingItem {
    pub(crate) form_name: String,
    #[serde(with = "as_text")]
    pub(crate) provider: Provider,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) set_marketing: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_new_marketing_per_day: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) may_raise_tier: Option<bool>,
    #[serde(with = "as_text", default, skip_serializing_if = "is_default")]
    pub(crate) overwrite: Overwrite,
    /// True if it edits a delivery that was applied before, and so does not change the marketing state.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_edit: bool,
    /// The number of the submission's fields that were left out before it was accepted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) left_out: u64,
    /// The instant at which it was accepted, by the wall clock.
    #[serde(with = "as_text")]
    pub(crate) accepted_at: Timestamp,
    pub(crate) person: PersonItem,
}

/// The address and the submitted properties.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PersonItem {
    email: String,
    email_key: String,
    properties: BTreeMap<String, Option<String>>,
}

/// Returns true for the default value, which is not stored.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl PersonItem {
    pub(crate) fn of(email: &EmailAddress, properties: &[(PropertyName, Option<String>)]) -> Self {
        let properties = properties.iter().map(|(name, value)| (name.to_string(), value.clone()));
        Self {
            email: email.given().to_owned(),
            email_key: email.key().to_owned(),
            properties: properties.collect(),
        }
    }

    /// Returns the submitted address and properties.
    ///
    /// # Errors
    ///
    /// A fault if a property has an invalid name.
    pub(crate) fn into_person(self) -> Result<Person, StoreError> {
        let named = |(name, value): (String, Option<String>)| {
            let name = PropertyName::parse(&name).map_err(|_| unreadable::<DeliveryItem>("property"))?;
            Ok((name, value))
        };
        let properties = self.properties.into_iter().map(named).collect::<Result<_, StoreError>>()?;
        Ok(Person { email: EmailAddress::from_stored(self.email, self.email_key), properties })
    }
}

/// One shard of a form's counts. A retry decreases `rejected` in a random shard, so the number of a single shard may be
/// negative.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FormCountsItem {
    pub(crate) duplicates: u64,
    pub(crate) rejected: i64,
    pub(crate) set: u64,
    pub(crate) kept: u64,
    pub(crate) unchanged: u64,
    pub(crate) not_set: u64,
    pub(crate) not_set_by_cap: u64,
    pub(crate) not_set_by_tier: u64,
    pub(crate) not_set_by_budget: u64,
    pub(crate) ignored: u64,
    pub(crate) fields_left_out: u64,
}

impl Entity for FormCountsItem {
    const TAG: &'static str = "form-counts";
}

/// The number of contacts that a form has set marketing on its latest day.
#[derive(Serialize, Deserialize)]
pub(crate) struct FormDayItem {
    #[serde(with = "as_text")]
    pub(crate) day: NaiveDate,
    pub(crate) new_marketing: u64,
}

impl Entity for FormDayItem {
    const TAG: &'static str = "form-day";
}

/// A rejected submission.
#[derive(Serialize, Deserialize)]
pub(crate) struct RejectedItem {
    #[serde(with = "as_text")]
    pub(crate) id: RejectionId,
    /// The answers, as the parser of the provider's submissions encodes them.
    pub(crate) answers: String,
    pub(crate) reason: String,
    pub(crate) errors: Vec<FieldErrorItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) submission_id: Option<String>,
    #[serde(with = "as_text")]
    pub(crate) received_at: Timestamp,
    pub(crate) expires_at: i64,
}

impl Entity for RejectedItem {
    const TAG: &'static str = "rejected";
    const SCHEMA: u32 = 2;
}

/// A problem with a field.
#[derive(Serialize, Deserialize)]
pub(crate) struct FieldErrorItem {
    pub(crate) field: String,
    pub(crate) message: String,
}
