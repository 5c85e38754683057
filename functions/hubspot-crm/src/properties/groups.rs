//! The groups of properties.

use axum::extract::Request;
use axum::response::Response;
use domain::limits::CRM_DEFINITION_BYTES_MAX;
use domain::property_definition::is_group_name;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use store::{PropertyGroup, Refused, StoreError};

use super::fields::{Members, is_known_group, wrong};
use crate::body::{json_of, no_content, respond};
use crate::definitions::standard::GROUPS;
use crate::envelope::{Category, Failure};
use crate::path::PathTexts;
use crate::query::Query;
use crate::session::Session;

/// A group of properties.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupView {
    name: String,
    label: String,
    display_order: i64,
    archived: bool,
}

impl From<PropertyGroup> for GroupView {
    fn from(PropertyGroup { name, label, display_order }: PropertyGroup) -> Self {
        Self { name, label, display_order, archived: false }
    }
}

/// The members of a group that a request has.
struct GroupFields {
    name: Option<String>,
    label: Option<String>,
    display_order: Option<i64>,
}

/// Returns the groups that every account has.
fn standard() -> impl Iterator<Item = PropertyGroup> {
    GROUPS.into_iter().map(|(name, label)| PropertyGroup {
        name: name.to_owned(),
        label: label.to_owned(),
        display_order: -1,
    })
}

pub(crate) async fn list(session: Session, query: Query) -> Result<Response, Failure> {
    if query.flag("archived") {
        // A deleted group is not kept.
        return respond(StatusCode::OK, &json!({"results": []}));
    }
    let own = session.context.store.property_groups(session.account()).await?;
    let results: Vec<GroupView> = standard().chain(own).map(GroupView::from).collect();
    respond(StatusCode::OK, &json!({"results": results}))
}

pub(crate) async fn create(session: Session, request: Request) -> Result<Response, Failure> {
    let input = json_of(request).await?;
    let GroupFields { name, label, display_order } = GroupFields::read(&input)?;
    let (Some(name), Some(label)) = (name, label) else {
        return Err(Failure::invalid("Some required fields were not set: [name, label]"));
    };
    if !is_group_name(&name) {
        return Err(wrong("name", "expected a name of a to z, 0 to 9, _ and -, beginning with a letter"));
    }
    let group = PropertyGroup { name, label, display_order: display_order.unwrap_or(-1) };
    let is_new = !is_known_group(&group.name, &[])
        && session.context.store.create_property_group(session.account(), &group, session.now()).await?;
    if !is_new {
        let message = format!("A property group named '{}' already exists.", group.name);
        return Err(Failure::new(Category::Conflict, message).about("name", [group.name]));
    }
    respond(StatusCode::CREATED, &GroupView::from(group))
}

impl GroupFields {
    fn read(input: &Value) -> Result<Self, Failure> {
        let empty = serde_json::Map::new();
        let members = Members(input.as_object().unwrap_or(&empty));
        let label = members.text("label")?;
        let is_usable = |label: &str| !label.trim().is_empty() && label.len() <= CRM_DEFINITION_BYTES_MAX;
        if label.as_deref().is_some_and(|label| !is_usable(label)) {
            return Err(wrong("label", "expected a text that is not empty and not too long"));
        }
        Ok(Self { name: members.text("name")?, label, display_order: members.number("displayOrder")? })
    }
}

pub(crate) async fn read(session: Session, path: PathTexts) -> Result<Response, Failure> {
    let name = path.get("name");
    let found = match standard().find(|group| group.name == name) {
        Some(standard) => Some(standard),
        None => session.context.store.property_group(session.account(), name).await?,
    };
    respond(StatusCode::OK, &GroupView::from(found.ok_or_else(|| unknown(name))?))
}

pub(crate) async fn update(session: Session, path: PathTexts, request: Request) -> Result<Response, Failure> {
    let GroupFields { label, display_order, .. } = GroupFields::read(&json_of(request).await?)?;
    let name = changeable(path.get("name"))?;
    let change = |group: &mut PropertyGroup| {
        if let Some(label) = &label {
            group.label.clone_from(label);
        }
        group.display_order = display_order.unwrap_or(group.display_order);
    };
    let store = &session.context.store;
    let updated = store.update_property_group(session.account(), name, session.now(), change).await;
    respond(StatusCode::OK, &GroupView::from(updated.map_err(|error| not_found(error, name))?))
}

pub(crate) async fn archive(session: Session, path: PathTexts) -> Result<Response, Failure> {
    let name = changeable(path.get("name"))?;
    let definitions = session.definitions().await?;
    if definitions.iter().any(|definition| definition.group == name) {
        let message =
            format!("The group of properties \"{name}\" has properties: archive or move them first");
        return Err(Failure::invalid(message).about("name", [name.to_owned()]));
    }
    let store = &session.context.store;
    let deleted = store.delete_property_group(session.account(), name, session.now()).await;
    deleted.map_err(|error| not_found(error, name))?;
    no_content()
}

/// Returns the name of a group that the account may change.
fn changeable(name: &str) -> Result<&str, Failure> {
    if is_known_group(name, &[]) {
        let message =
            format!("The group of properties \"{name}\" is defined for all accounts and can't be changed");
        return Err(Failure::invalid(message).about("name", [name.to_owned()]));
    }
    Ok(name)
}

fn not_found(error: StoreError, name: &str) -> Failure {
    match error {
        StoreError::Refused(Refused::NotFound(_)) => unknown(name),
        error => error.into(),
    }
}

fn unknown(name: &str) -> Failure {
    let message = format!("The group of properties \"{name}\" does not exist");
    Failure::new(Category::ObjectNotFound, message).about("name", [name.to_owned()])
}
