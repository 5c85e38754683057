//! The view of a definition in responses.

use domain::permission::Principal;
use domain::property_definition::{Choice, ValueType};
use serde::Serialize;

use crate::definitions::Definition;

/// The property of which a caller without permission may not set the value.
const STATUS: &str = "hs_marketable_status";

/// The properties whose value identifies a contact.
const UNIQUE: [&str; 2] = ["email", "hs_object_id"];

/// A definition, with the members that clients require.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PropertyView {
    name: String,
    label: String,
    #[serde(rename = "type")]
    value_type: &'static str,
    field_type: &'static str,
    description: String,
    group_name: String,
    options: Vec<OptionView>,
    display_order: i64,
    calculated: bool,
    external_options: bool,
    has_unique_value: bool,
    hidden: bool,
    hubspot_defined: bool,
    form_field: bool,
    data_sensitivity: &'static str,
    modification_metadata: Metadata,
    archived: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_at: Option<String>,
}

/// An option of an enumeration.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OptionView {
    label: String,
    value: String,
    description: String,
    display_order: i64,
    hidden: bool,
}

/// The parts of a property that the caller may change.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    archivable: bool,
    read_only_definition: bool,
    read_only_options: bool,
    read_only_value: bool,
}

impl PropertyView {
    /// Returns the view of a definition for a caller. Programs do not write back what is marked as read-only.
    pub(crate) fn new(definition: &Definition, principal: &Principal) -> Self {
        let times = definition.account;
        let is_own = times.is_some();
        Self {
            name: definition.name.clone(),
            label: definition.label.clone(),
            value_type: definition.value_type.as_str(),
            field_type: definition.field_type.as_str(),
            description: definition.description.clone(),
            group_name: definition.group.clone(),
            options: options(definition),
            display_order: definition.display_order,
            calculated: false,
            external_options: definition.has_external_options,
            has_unique_value: UNIQUE.contains(&definition.name.as_str()),
            hidden: definition.is_hidden,
            hubspot_defined: !is_own,
            form_field: definition.is_form_field,
            data_sensitivity: "non_sensitive",
            modification_metadata: Metadata {
                archivable: is_own,
                read_only_definition: !is_own,
                read_only_options: !is_own,
                read_only_value: is_value_read_only(definition, principal),
            },
            archived: times.is_some_and(|times| times.archived_at.is_some()),
            created_at: times.map(|times| times.created_at.to_string()),
            updated_at: times.map(|times| times.updated_at.to_string()),
            archived_at: times.and_then(|times| times.archived_at).map(|at| at.to_string()),
        }
    }
}

/// Returns true if the caller may not set the value.
pub(super) fn is_value_read_only(definition: &Definition, principal: &Principal) -> bool {
    definition.is_read_only || (definition.name == STATUS && !principal.modify_marketing_contacts)
}

/// Returns the options in their order. Flags have two.
pub(super) fn options(definition: &Definition) -> Vec<OptionView> {
    if definition.value_type == ValueType::Bool {
        let flag = |(display_order, (value, label)): (i64, (&str, &str))| OptionView {
            label: label.to_owned(),
            value: value.to_owned(),
            description: String::new(),
            display_order,
            hidden: false,
        };
        return (0..).zip([("true", "Yes"), ("false", "No")]).map(flag).collect();
    }
    let mut options: Vec<&Choice> = definition.options.iter().collect();
    // Negative places are behind all others.
    options.sort_by_key(|option| (option.display_order < 0, option.display_order));
    options.into_iter().map(OptionView::from).collect()
}

impl From<&Choice> for OptionView {
    fn from(Choice { value, label, description, display_order, is_hidden }: &Choice) -> Self {
        Self {
            label: label.clone(),
            value: value.clone(),
            description: description.clone(),
            display_order: *display_order,
            hidden: *is_hidden,
        }
    }
}
