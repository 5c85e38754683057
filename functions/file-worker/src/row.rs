//! A contact as a row of a file: cells of CSV, or one JSON object.

use std::collections::BTreeMap;

use contact_files::header_of;
use domain::marketing::Marketing;
use domain::property::PropertyName;
use serde::Serialize;
use store::ExportedContact;

/// The columns before those of the properties. Imports know all of them, and set none but the first three. A dot is in no
/// property's name, so no property has the name of another column.
const CONTACT_COLUMNS: [&str; 13] = [
    "email",
    "unsubscribed",
    "bounced",
    "id",
    "created_at",
    "updated_at",
    "marketing.state",
    "marketing.billable",
    "marketing.since",
    "marketing.leaves_at",
    "marketing.source.type",
    "marketing.source.name",
    "marketing.source.id",
];

/// The columns of the contacts that a statement counts.
const STATEMENT_COLUMNS: [&str; 8] = [
    "id",
    "email",
    "marketing.state",
    "marketing.since",
    "marketing.because",
    "marketing.source.type",
    "marketing.source.name",
    "marketing.source.id",
];

/// The layout of an exported file.
pub(crate) enum Rows {
    /// CSV of contacts, with columns for these properties.
    Contacts(Vec<PropertyName>),
    /// CSV of the contacts that a statement counts.
    Statement,
    /// Lines of JSON.
    Json,
}

impl Rows {
    /// Returns the header. `None` for lines of JSON.
    pub(crate) fn header(&self) -> Option<Vec<String>> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        match self {
            Self::Contacts(properties) => {
                Some(owned(&CONTACT_COLUMNS).into_iter().chain(properties.iter().map(header_of)).collect())
            }
            Self::Statement => Some(owned(&STATEMENT_COLUMNS)),
            Self::Json => None,
        }
    }

    /// Returns the cells of a contact. They are empty for lines of JSON.
    pub(crate) fn cells(&self, exported: &ExportedContact) -> Vec<String> {
        let ExportedContact { contact, because, leaves_at } = exported;
        let Marketing { since, source, .. } = &contact.marketing;
        let email = contact.email.as_ref().map(|email| email.given().to_owned()).unwrap_or_default();
        let state = contact.state();
        let source = [source.kind.to_string(), source.name.clone(), source.id.clone().unwrap_or_default()];
        match self {
            Self::Contacts(properties) => {
                let values = properties.iter().map(|name| contact.properties.get(name.as_str()));
                let values = values.map(|value| value.unwrap_or_default().to_owned());
                let cells = [
                    email,
                    contact.unsubscribed.to_string(),
                    contact.bounced.to_string(),
                    contact.id.to_string(),
                    contact.created_at.to_string(),
                    contact.updated_at.to_string(),
                    state.to_string(),
                    state.is_billable().to_string(),
                    since.to_string(),
                    leaves_at.map(|at| at.to_string()).unwrap_or_default(),
                ];
                cells.into_iter().chain(source).chain(values).collect()
            }
            Self::Statement => {
                let cells =
                    [contact.id.to_string(), email, state.to_string(), since.to_string(), because.clone()];
                cells.into_iter().chain(source).collect()
            }
            Self::Json => Vec::new(),
        }
    }
}

/// A contact as a line of JSON. The members are those of the API's contacts, and whether the contact is billable.
#[derive(Serialize)]
pub(crate) struct JsonRow<'c> {
    id: String,
    email: Option<&'c str>,
    properties: BTreeMap<&'c str, &'c str>,
    unsubscribed: bool,
    bounced: bool,
    marketing: JsonMarketing<'c>,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
struct JsonMarketing<'c> {
    state: &'static str,
    billable: bool,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaves_at: Option<String>,
    source: JsonSource<'c>,
    because: &'c str,
}

#[derive(Serialize)]
struct JsonSource<'c> {
    r#type: &'static str,
    name: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'c str>,
}

impl<'c> JsonRow<'c> {
    /// Returns the row of a contact, with these properties only if there is a list.
    pub(crate) fn new(exported: &'c ExportedContact, properties: Option<&[PropertyName]>) -> Self {
        let ExportedContact { contact, because, leaves_at } = exported;
        let Marketing { since, source, .. } = &contact.marketing;
        let is_wanted = |name: &PropertyName| properties.is_none_or(|wanted| wanted.contains(name));
        let values = contact.properties.iter().filter(|(name, _)| is_wanted(name));
        let state = contact.state();
        Self {
            id: contact.id.to_string(),
            email: contact.email.as_ref().map(domain::address::EmailAddress::given),
            properties: values.map(|(name, value)| (name.as_str(), value)).collect(),
            unsubscribed: contact.unsubscribed,
            bounced: contact.bounced,
            marketing: JsonMarketing {
                state: state.as_str(),
                billable: state.is_billable(),
                since: since.to_string(),
                leaves_at: leaves_at.map(|at| at.to_string()),
                source: JsonSource {
                    r#type: source.kind.as_str(),
                    name: &source.name,
                    id: source.id.as_deref(),
                },
                because,
            },
            created_at: contact.created_at.to_string(),
            updated_at: contact.updated_at.to_string(),
        }
    }
}
