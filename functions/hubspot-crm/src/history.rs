//! The versions of a contact's properties.

use std::collections::BTreeMap;

use domain::contact::Contact;
use domain::limits::CRM_HISTORY_MAX;
use domain::marketing::EffectiveState;
use domain::source::SourceType;
use store::ContactRef;

use crate::definitions::Definitions;
use crate::envelope::Failure;
use crate::field::{BOUNCE_REASON, Field};
use crate::object::VersionView;
use crate::session::Session;

/// Returns the versions of properties, newest first.
pub(crate) async fn with_history(
    session: &Session,
    contact: &Contact,
    names: &[String],
    definitions: &Definitions,
) -> Result<BTreeMap<String, Vec<VersionView>>, Failure> {
    let fields: Vec<(&String, Field)> = names
        .iter()
        .filter(|name| definitions.get(name).is_some())
        .filter_map(|name| Some((name, Field::named(name)?)))
        .collect();
    let mut versions: BTreeMap<String, Vec<VersionView>> =
        fields.iter().map(|(name, _)| ((*name).clone(), Vec::new())).collect();
    let (store, account, now) = (&session.context.store, session.account(), session.now());
    let of_state = fields.iter().filter(|(_, field)| is_of_state(field));
    if of_state.clone().next().is_some() {
        let explained =
            store.explain_latest(account, ContactRef::Id(contact.id), now, CRM_HISTORY_MAX).await?;
        for change in &explained.history {
            for (name, field) in of_state.clone() {
                let Some(value) = state_value(field, change.to, &change.source) else { continue };
                let version = VersionView::new(value, change.at, &change.source);
                versions.entry((*name).clone()).or_default().push(version);
            }
        }
        versions.values_mut().for_each(drop_repeats);
    }
    let listing = store.property_history(account, contact.id, None, CRM_HISTORY_MAX, now).await?;
    for change in listing.items {
        for (name, field) in &fields {
            if stored_name(field) != Some(change.property.as_str()) {
                continue;
            }
            let value = change.to.clone().map(|value| shown(field, value)).unwrap_or_default();
            let version = match &change.cause {
                Some(cause) => VersionView::new(value, change.at, &cause.source),
                None => VersionView::without_source(value, change.at),
            };
            versions.entry((*name).clone()).or_default().push(version);
        }
    }
    Ok(versions)
}

fn is_of_state(field: &Field) -> bool {
    matches!(field, Field::Status | Field::UntilRenewal | Field::ReasonType | Field::ReasonId)
}

fn state_value(field: &Field, state: EffectiveState, source: &domain::source::Source) -> Option<String> {
    match field {
        Field::Status => Some(state.is_billable().to_string()),
        Field::UntilRenewal => Some((state == EffectiveState::Leaving).to_string()),
        Field::ReasonType => Some(source.kind.as_str().to_uppercase()),
        Field::ReasonId => Some(source.name.clone()),
        _ => None,
    }
}

/// Returns the name of a property in the history of properties.
fn stored_name(field: &Field) -> Option<&str> {
    match field {
        Field::Email => Some("email"),
        Field::Unsubscribed => Some("unsubscribed"),
        Field::Bounced => Some("bounced"),
        Field::Stored(name) => Some(name.as_str()),
        _ => None,
    }
}

fn shown(field: &Field, value: String) -> String {
    match field {
        Field::Bounced => {
            if value == "true" {
                BOUNCE_REASON.to_owned()
            } else {
                String::new()
            }
        }
        Field::Unsubscribed if value != "true" => String::new(),
        _ => value,
    }
}

/// Removes each version with the same value as the one before it. Versions are newest first, so the earlier one stays.
fn drop_repeats(versions: &mut Vec<VersionView>) {
    versions.reverse();
    versions.dedup_by(|later, earlier| later.value == earlier.value);
    versions.reverse();
}

impl VersionView {
    fn new(value: String, at: domain::Timestamp, source: &domain::source::Source) -> Self {
        Self {
            source_type: source_type(source.kind).to_owned(),
            source_id: source.id.clone(),
            source_label: Some(source.name.clone()),
            ..Self::without_source(value, at)
        }
    }

    fn without_source(value: String, at: domain::Timestamp) -> Self {
        let source_type = "API".to_owned();
        Self { value, timestamp: at.to_string(), source_type, source_id: None, source_label: None }
    }
}

/// Returns the type of a source in `HubSpot`'s words.
fn source_type(kind: SourceType) -> &'static str {
    match kind {
        SourceType::Form | SourceType::ExternalForm => "FORM",
        SourceType::Chatflow => "CONVERSATIONS",
        SourceType::Import => "IMPORT",
        SourceType::Integration => "INTEGRATION",
        SourceType::Manual => "CRM_UI",
        SourceType::Meeting => "MEETINGS",
        SourceType::LoggedEmail => "EMAIL_INTEGRATION",
        SourceType::TeamInbox => "CONVERSATIONS",
        SourceType::Document => "SALES",
        SourceType::EmailExtension => "EXTENSION",
        SourceType::MobileApp => "MOBILE_IOS",
        SourceType::BulkJob => "BATCH_UPDATE",
        SourceType::Automation => "AUTOMATION_PLATFORM",
        SourceType::UpdateDate => "CONTACTS",
    }
}
