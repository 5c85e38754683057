//! The list of definitions in its older shape, which some connectors read.

use axum::response::Response;
use domain::permission::Principal;
use http::StatusCode;
use serde::Serialize;

use super::view::{OptionView, is_value_read_only, options};
use crate::body::respond;
use crate::definitions::Definition;
use crate::envelope::Failure;
use crate::session::Session;

/// A definition in the older shape.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LegacyView {
    name: String,
    label: String,
    description: String,
    group_name: String,
    #[serde(rename = "type")]
    value_type: &'static str,
    field_type: &'static str,
    form_field: bool,
    display_order: i64,
    read_only_value: bool,
    read_only_definition: bool,
    hidden: bool,
    mutable_definition_not_deletable: bool,
    calculated: bool,
    external_options: bool,
    hubspot_defined: bool,
    deleted: bool,
    options: Vec<OptionView>,
}

impl LegacyView {
    fn new(definition: &Definition, principal: &Principal) -> Self {
        let is_standard = definition.account.is_none();
        Self {
            name: definition.name.clone(),
            label: definition.label.clone(),
            description: definition.description.clone(),
            group_name: definition.group.clone(),
            value_type: definition.value_type.as_str(),
            field_type: definition.field_type.as_str(),
            form_field: definition.is_form_field,
            display_order: definition.display_order,
            read_only_value: is_value_read_only(definition, principal),
            read_only_definition: is_standard,
            hidden: definition.is_hidden,
            mutable_definition_not_deletable: is_standard,
            calculated: false,
            external_options: definition.has_external_options,
            hubspot_defined: is_standard,
            deleted: false,
            options: options(definition),
        }
    }
}

/// Returns all definitions as an array without a frame.
pub(crate) async fn list(session: Session) -> Result<Response, Failure> {
    let definitions = session.definitions().await?;
    let views = definitions.iter().map(|definition| LegacyView::new(definition, &session.principal));
    respond(StatusCode::OK, &views.collect::<Vec<_>>())
}
