//! The view of a contact as an object of the CRM.

use std::collections::BTreeMap;

use domain::contact::Contact;
use domain::period::Period;
use serde::Serialize;

use crate::definitions::Definitions;
use crate::field::{DEFAULT, Field};

/// A contact in a response.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ObjectView {
    id: String,
    properties: BTreeMap<String, Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) properties_with_history: Option<BTreeMap<String, Vec<VersionView>>>,
    created_at: String,
    updated_at: String,
    archived: bool,
    /// True if an upsert has created the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) new: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<Warning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object_write_trace_id: Option<String>,
}

/// A version of a property's value.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionView {
    pub(crate) value: String,
    pub(crate) timestamp: String,
    pub(crate) source_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_label: Option<String>,
}

/// A part of a request that had another effect than the caller may expect.
#[derive(Clone, Serialize)]
pub(crate) struct Warning {
    pub(crate) category: &'static str,
    pub(crate) message: String,
    pub(crate) context: BTreeMap<&'static str, Vec<String>>,
}

impl Warning {
    /// Creates a warning about a property.
    pub(crate) fn new(category: &'static str, message: impl Into<String>, property: &str) -> Self {
        let context = BTreeMap::from([("propertyName", vec![property.to_owned()])]);
        Self { category, message: message.into(), context }
    }
}

/// The properties that a response shows.
#[derive(Clone)]
pub(crate) struct Selection(Vec<(String, Field)>);

impl Selection {
    /// Returns the selection of these properties, or of the usual ones if a request names none. Properties that are not
    /// defined are left out.
    pub(crate) fn new(names: &[String], definitions: &Definitions) -> Self {
        let known = |name: &str| {
            let is_defined = definitions.get(name).is_some();
            Some((name.to_owned(), Field::named(name).filter(|_| is_defined)?))
        };
        if names.is_empty() {
            return Self(DEFAULT.iter().filter_map(|name| known(name)).collect());
        }
        let always = ["createdate", "hs_object_id", "lastmodifieddate"];
        let all = always.into_iter().chain(names.iter().map(String::as_str));
        Self(all.filter_map(known).collect())
    }
}

impl ObjectView {
    /// Returns the view of a contact in this period.
    pub(crate) fn new(contact: &Contact, period: &Period, selection: &Selection) -> Self {
        let values = selection.0.iter();
        Self {
            id: contact.id.to_string(),
            properties: values.map(|(name, field)| (name.clone(), field.value(contact, period))).collect(),
            properties_with_history: None,
            created_at: contact.created_at.to_string(),
            updated_at: contact.updated_at.to_string(),
            archived: false,
            new: None,
            warnings: Vec::new(),
            object_write_trace_id: None,
        }
    }
}
