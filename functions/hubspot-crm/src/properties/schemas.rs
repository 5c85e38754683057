//! The schemas of types of objects.

use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use super::view::PropertyView;
use crate::body::respond;
use crate::envelope::Failure;
use crate::session::Session;

/// Returns the list of custom types, of which there are none. Connectors ask for it at every start.
pub(crate) async fn list(_: Session) -> Result<Response, Failure> {
    respond(StatusCode::OK, &json!({"results": []}))
}

/// Returns the schema of contacts.
pub(crate) async fn contacts(session: Session) -> Result<Response, Failure> {
    let definitions = session.definitions().await?;
    let properties: Vec<PropertyView> =
        definitions.iter().map(|definition| PropertyView::new(definition, &session.principal)).collect();
    respond(
        StatusCode::OK,
        &json!({
            "id": "0-1",
            "objectTypeId": "0-1",
            "name": "contact",
            "fullyQualifiedName": "CONTACT",
            "labels": {"singular": "Contact", "plural": "Contacts"},
            "primaryDisplayProperty": "email",
            "secondaryDisplayProperties": ["firstname", "lastname"],
            "requiredProperties": [],
            "searchableProperties": ["email", "firstname", "lastname", "phone", "company"],
            "properties": properties,
            "associations": [],
            "archived": false,
        }),
    )
}
