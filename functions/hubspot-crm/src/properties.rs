//! The definitions of properties and their groups.
//!
//! Standard definitions can't be changed here, because all accounts share them. Those of the account are items of the
//! store.

mod batch;
mod fields;
pub(crate) mod groups;
mod legacy;
pub(crate) mod schemas;
mod view;

use axum::extract::Request;
use axum::response::Response;
use domain::limits::{CRM_BATCH_MAX, CRM_PROPERTIES_MAX};
use domain::property::PropertyName;
use domain::property_definition::{PropertyDefinition, is_standard};
use http::StatusCode;
use serde_json::{Value, json};
use store::{Defining, Refused, StoreError};

use crate::batch::inputs;
use crate::body::{json_of, no_content, respond};
use crate::definitions::{Definition, Definitions, own};
use crate::envelope::{Category, Failure};
use crate::path::PathTexts;
use crate::query::Query;
use crate::session::Session;
use fields::{PropertyFields, group_names, is_known_group};
use view::PropertyView;

pub(crate) use batch::{archive as batch_archive, create as batch_create, read as batch_read};
pub(crate) use legacy::list as legacy_list;

/// The list of all definitions, or with `archived` of the archived ones.
pub(crate) async fn list(session: Session, query: Query) -> Result<Response, Failure> {
    let names = query.list("properties");
    let is_asked = |name: &str| names.is_empty() || names.iter().any(|asked| asked == name);
    let view = |definition: &Definition| PropertyView::new(definition, &session.principal);
    let results: Vec<PropertyView> = if query.flag("archived") {
        let own = session.context.store.definitions(session.account()).await?;
        let archived = own.into_iter().filter(|defined| defined.archived_at.is_some()).map(Definition::from);
        archived.filter(|definition| is_asked(&definition.name)).map(|archived| view(&archived)).collect()
    } else {
        let definitions = session.definitions().await?;
        definitions.iter().filter(|definition| is_asked(&definition.name)).map(view).collect()
    };
    respond(StatusCode::OK, &json!({"results": results}))
}

pub(crate) async fn create(session: Session, request: Request) -> Result<Response, Failure> {
    let fields = PropertyFields::read(&json_of(request).await?)?;
    let groups = group_names(&session, &[&fields]).await?;
    let new = fields.new_definition(&groups)?;
    let defined = match define(&session, std::slice::from_ref(&new)).await?.pop() {
        Some(Ok(defined)) => defined,
        Some(Err(failure)) => return Err(failure),
        None => return Err(Failure::from(api::Problem::internal("a definition without a result"))),
    };
    respond(StatusCode::CREATED, &PropertyView::new(&defined, &session.principal))
}

/// Defines properties, and returns the definition or the refusal of each.
async fn define(
    session: &Session,
    new: &[PropertyDefinition],
) -> Result<Vec<Result<Definition, Failure>>, Failure> {
    let own: Vec<PropertyDefinition> =
        new.iter().filter(|definition| !is_standard(definition.name.as_str())).cloned().collect();
    let results = session.context.store.define_properties(session.account(), &own, session.now()).await?;
    let mut results = results.into_iter();
    let result = |definition: &PropertyDefinition| {
        if is_standard(definition.name.as_str()) {
            return Err(exists(definition.name.as_str()));
        }
        match results.next() {
            Some(Defining::Created(defined)) => Ok(Definition::from(defined)),
            Some(Defining::LimitReached) => Err(too_many()),
            Some(Defining::Exists) | None => Err(exists(definition.name.as_str())),
        }
    };
    Ok(new.iter().map(result).collect())
}

pub(crate) async fn read(session: Session, path: PathTexts, query: Query) -> Result<Response, Failure> {
    let name = path.get("name");
    let definition = find(&session, name, query.flag("archived")).await?;
    respond(StatusCode::OK, &PropertyView::new(&definition, &session.principal))
}

/// Returns the definition of a name, active or archived.
async fn find(session: &Session, name: &str, archived: bool) -> Result<Definition, Failure> {
    if let Some(standard) = Definitions::default().get(name).filter(|_| !archived) {
        return Ok(standard.clone());
    }
    let found = match PropertyName::parse(name) {
        Ok(name) if !is_standard(name.as_str()) => own(&session.context, session.account(), &name).await?,
        _ => None,
    };
    let is_archived = |own: &Definition| own.account.is_some_and(|times| times.archived_at.is_some());
    found.filter(|own| is_archived(own) == archived).ok_or_else(|| undefined(name))
}

pub(crate) async fn update(session: Session, path: PathTexts, request: Request) -> Result<Response, Failure> {
    let fields = PropertyFields::read(&json_of(request).await?)?;
    let name = changeable(path.get("name"))?;
    let groups = group_names(&session, &[&fields]).await?;
    let store = &session.context.store;
    let change = |definition: &mut PropertyDefinition| fields.change(definition, &groups);
    let updated = store.update_definition(session.account(), &name, session.now(), change).await;
    let updated = updated.map_err(|failure: Failure| named(failure, &name))?;
    respond(StatusCode::OK, &PropertyView::new(&Definition::from(updated), &session.principal))
}

pub(crate) async fn archive(session: Session, path: PathTexts) -> Result<Response, Failure> {
    archived(&session, path.get("name")).await?;
    no_content()
}

/// Archives a property. An archived one stays archived.
async fn archived(session: &Session, name: &str) -> Result<(), Failure> {
    let name = changeable(name)?;
    let store = &session.context.store;
    match store.archive_definition(session.account(), &name, session.now()).await {
        Err(StoreError::Refused(Refused::NotFound(_))) => Err(undefined(name.as_str())),
        result => Ok(result?),
    }
}

/// Returns the name of a property that the account may change.
fn changeable(name: &str) -> Result<PropertyName, Failure> {
    if is_standard(name) {
        let message =
            format!("Property \"{name}\" is defined for all accounts and can't be changed or archived");
        return Err(Failure::invalid(message).about("name", [name.to_owned()]));
    }
    PropertyName::parse(name).map_err(|_| undefined(name))
}

/// Returns the refusal of a name without a definition.
fn undefined(name: &str) -> Failure {
    let message = format!("Property \"{name}\" does not exist");
    Failure::new(Category::ObjectNotFound, message).about("name", [name.to_owned()])
}

/// Names the property in the refusal of one that does not exist.
fn named(failure: Failure, name: &PropertyName) -> Failure {
    if failure.category == Category::ObjectNotFound { undefined(name.as_str()) } else { failure }
}

fn exists(name: &str) -> Failure {
    let message = format!("A property named '{name}' already exists.");
    Failure::new(Category::Conflict, message).about("name", [name.to_owned()])
}

fn too_many() -> Failure {
    let max = CRM_PROPERTIES_MAX;
    StoreError::from(Refused::LimitReached { what: "properties of its own", max }).into()
}

/// Returns the value of a list of inputs, each with its name.
fn input_names(input: &Value) -> Result<Vec<String>, Failure> {
    let inputs = inputs(input, CRM_BATCH_MAX)?;
    let name = |input: &Value| {
        let name = input.get("name").and_then(Value::as_str);
        name.map(str::to_owned).ok_or_else(|| Failure::invalid("inputs: expected a name in each"))
    };
    inputs.iter().map(name).collect()
}

/// Returns the refusal of a group that the account does not have.
fn unknown_group(group: &str) -> Failure {
    let message = format!("groupName: the group of properties \"{group}\" does not exist");
    Failure::invalid(message).about("groupName", [group.to_owned()])
}

/// Checks that the account has a group.
fn check_group(group: &str, groups: &[String]) -> Result<(), Failure> {
    if is_known_group(group, groups) { Ok(()) } else { Err(unknown_group(group)) }
}
