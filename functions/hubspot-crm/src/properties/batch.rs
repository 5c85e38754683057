//! The operations on many definitions.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::response::Response;
use domain::Timestamp;
use domain::limits::CRM_BATCH_MAX;
use http::StatusCode;
use serde_json::Value;

use super::fields::{PropertyFields, group_names};
use super::view::PropertyView;
use super::{archived, define, input_names, undefined};
use crate::batch::{ErrorView, conclude, inputs};
use crate::body::{json_of, no_content};
use crate::definitions::Definition;
use crate::envelope::Failure;
use crate::session::Session;

pub(crate) async fn create(session: Session, request: Request) -> Result<Response, Failure> {
    let started = session.now();
    let input = json_of(request).await?;
    let fields = inputs(&input, CRM_BATCH_MAX)?;
    let fields = fields.iter().map(PropertyFields::read).collect::<Result<Vec<_>, _>>()?;
    let groups = group_names(&session, &fields.iter().collect::<Vec<_>>()).await?;
    // An invalid input refuses the whole request, before anything is written.
    let new = fields.iter().map(|fields| fields.new_definition(&groups)).collect::<Result<Vec<_>, _>>()?;
    let results = define(&session, &new).await?;
    let names = new.iter().map(|definition| definition.name.as_str());
    respond_many(&session, started, StatusCode::CREATED, names, results)
}

pub(crate) async fn read(session: Session, request: Request) -> Result<Response, Failure> {
    let started = session.now();
    let input = json_of(request).await?;
    let names = input_names(&input)?;
    let wants_archived = input.get("archived").and_then(Value::as_bool).unwrap_or_default();
    let found: BTreeMap<String, Definition> = if wants_archived {
        let own = session.context.store.definitions(session.account()).await?;
        let archived = own.into_iter().filter(|own| own.archived_at.is_some()).map(Definition::from);
        archived.map(|definition| (definition.name.clone(), definition)).collect()
    } else {
        let known = session.definitions_of(names.iter().map(String::as_str)).await?;
        let definitions = names.iter().filter_map(|name| known.get(name));
        definitions.map(|definition| (definition.name.clone(), definition.clone())).collect()
    };
    let result = |name: &String| found.get(name).cloned().ok_or_else(|| undefined(name));
    let results = names.iter().map(result).collect();
    respond_many(&session, started, StatusCode::OK, names.iter(), results)
}

pub(crate) async fn archive(session: Session, request: Request) -> Result<Response, Failure> {
    let input = json_of(request).await?;
    let names = input_names(&input)?;
    for name in &names {
        super::changeable(name)?;
    }
    for name in &names {
        match archived(&session, name).await {
            // A property that does not exist is archived already.
            Err(failure) if failure.status() == StatusCode::NOT_FOUND => {}
            result => result?,
        }
    }
    no_content()
}

/// Returns the response to a request of many: with the status 207 if some of them were refused.
fn respond_many(
    session: &Session,
    started: Timestamp,
    complete: StatusCode,
    names: impl Iterator<Item = impl AsRef<str>>,
    results: Vec<Result<Definition, Failure>>,
) -> Result<Response, Failure> {
    let (mut views, mut errors) = (Vec::new(), Vec::new());
    for (name, result) in names.zip(results) {
        match result {
            Ok(definition) => views.push(PropertyView::new(&definition, &session.principal)),
            Err(failure) => errors.push(ErrorView::new(failure, "name", name.as_ref())),
        }
    }
    conclude(session, started, complete, views, errors)
}
