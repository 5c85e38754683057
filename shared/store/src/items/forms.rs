//! Forms, and the deliveries that came through them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::Timestamp;
use domain::address::EmailAddress;
use domain::form::{AnswerMode, Overwrite};
use domain::ids::{AccountId, FormId, RejectionId};
use domain::property::PropertyName;
use domain::provider::Provider;
use serde::{Deserialize, Serialize};

use super::{Entity, as_text, unreadable};
use crate::delivery::Versions;
use crate::{Person, StoreError};

/// A form.
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
    /// In plain text, because signatures are made of them.
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
    /// The fields that the form takes; all if there is no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fields: Option<BTreeSet<String>>,
    /// The event types that the form takes; all that tell of no end if there is no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event_types: Option<BTreeSet<String>>,
    /// Without a name for fields that are left out.
    pub(crate) field_map: BTreeMap<String, Option<String>>,
    pub(crate) allowed_origins: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redirect_url: Option<String>,
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

/// That an account has a form.
#[derive(Serialize, Deserialize)]
pub(crate) struct FormEntryItem {
    #[serde(with = "as_text")]
    pub(crate) id: FormId,
}

impl Entity for FormEntryItem {
    const TAG: &'static str = "form-entry";
}

/// A delivery that was accepted: what came of it, or what is to be settled yet.
#[derive(Serialize, Deserialize)]
pub(crate) struct DeliveryItem {
    pub(crate) contact: String,
    pub(crate) marketing: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(flatten)]
    pub(crate) versions: Versions,
    /// Not while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
    /// The submission that waits in the inbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pending: Option<PendingItem>,
    /// Tells this waiting from any other under the same key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// The `due` index's keys, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_shard: Option<String>,
    #[serde(with = "as_text::option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_at: Option<Timestamp>,
}

impl Entity for DeliveryItem {
    const TAG: &'static str = "delivery";
}

/// A submission as it was accepted, together with its form as that was then.
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
    /// Whether it edits a delivery that was applied before, and so leaves the marketing state alone.
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

/// Who submits, and what they say of themselves.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PersonItem {
    email: String,
    email_key: String,
    properties: BTreeMap<String, Option<String>>,
}

/// Returns true for a value that is the same without being stored.
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

    /// The person as it was written.
    ///
    /// # Errors
    ///
    /// A fault if a property has a name that properties can't have.
    pub(crate) fn into_person(self) -> Result<Person, StoreError> {
        let named = |(name, value): (String, Option<String>)| {
            let name = PropertyName::parse(&name).map_err(|_| unreadable::<DeliveryItem>("property"))?;
            Ok((name, value))
        };
        let properties = self.properties.into_iter().map(named).collect::<Result<_, StoreError>>()?;
        Ok(Person { email: EmailAddress::from_stored(self.email, self.email_key), properties })
    }
}

/// A part of what came of a form's submissions. A retried one is taken from the rejected in whichever part it falls to,
/// so a single part may have less than none of these.
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

/// How many people a form has set marketing on its latest day.
#[derive(Serialize, Deserialize)]
pub(crate) struct FormDayItem {
    #[serde(with = "as_text")]
    pub(crate) day: NaiveDate,
    pub(crate) new_marketing: u64,
}

impl Entity for FormDayItem {
    const TAG: &'static str = "form-day";
}

/// A submission that could not be taken.
#[derive(Serialize, Deserialize)]
pub(crate) struct RejectedItem {
    #[serde(with = "as_text")]
    pub(crate) id: RejectionId,
    /// The answers, as the reader of the provider's submissions encodes them.
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

/// What is wrong with a field.
#[derive(Serialize, Deserialize)]
pub(crate) struct FieldErrorItem {
    pub(crate) field: String,
    pub(crate) message: String,
}
