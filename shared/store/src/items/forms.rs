//! Forms, and the deliveries that came through them.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::ids::{AccountId, FormId};
use domain::provider::Provider;
use serde::{Deserialize, Serialize};

use super::{Entity, as_text};

/// A form.
#[derive(Serialize, Deserialize)]
pub(crate) struct FormItem {
    #[serde(with = "as_text")]
    pub(crate) id: FormId,
    #[serde(with = "as_text")]
    pub(crate) account: AccountId,
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

/// A delivery that was accepted, and what came of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct DeliveryItem {
    pub(crate) contact: String,
    pub(crate) marketing: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) expires_at: i64,
}

impl Entity for DeliveryItem {
    const TAG: &'static str = "delivery";
}
