//! Definitions of properties, and groups of properties.

use domain::Timestamp;
use domain::property_definition::{FieldType, ValueType};
use serde::{Deserialize, Serialize};

use super::{Entity, Versioned, as_millis, as_text};

/// The definition of a property. The sort key has the name.
#[derive(Serialize, Deserialize)]
pub(crate) struct DefinitionItem {
    pub(crate) name: String,
    pub(crate) label: String,
    #[serde(rename = "type", with = "as_text")]
    pub(crate) value_type: ValueType,
    #[serde(with = "as_text")]
    pub(crate) field_type: FieldType,
    pub(crate) group: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) options: Vec<ChoiceItem>,
    pub(crate) display_order: i64,
    pub(crate) hidden: bool,
    pub(crate) form_field: bool,
    #[serde(with = "as_millis")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "as_millis")]
    pub(crate) updated_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "as_millis::option")]
    pub(crate) archived_at: Option<Timestamp>,
    pub(crate) version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
}

/// An option of a property.
#[derive(Serialize, Deserialize)]
pub(crate) struct ChoiceItem {
    pub(crate) value: String,
    pub(crate) label: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    pub(crate) display_order: i64,
    pub(crate) hidden: bool,
}

impl Entity for DefinitionItem {
    const TAG: &'static str = "definition";
}

impl Versioned for DefinitionItem {
    fn version(&self) -> u64 {
        self.version
    }
}

/// A group of properties. The sort key has the name.
#[derive(Serialize, Deserialize)]
pub(crate) struct GroupItem {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) display_order: i64,
    pub(crate) version: u64,
}

impl Entity for GroupItem {
    const TAG: &'static str = "definition-group";
}

impl Versioned for GroupItem {
    fn version(&self) -> u64 {
        self.version
    }
}

/// The numbers of an account's definitions that are not archived, and of its groups.
#[derive(Serialize, Deserialize, Default)]
pub(crate) struct DefinitionCountsItem {
    #[serde(default)]
    pub(crate) properties: usize,
    #[serde(default)]
    pub(crate) groups: usize,
}

impl Entity for DefinitionCountsItem {
    const TAG: &'static str = "definition-counts";
}
