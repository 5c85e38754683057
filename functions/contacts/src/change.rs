//! Changing a contact's data, and deleting contacts.

use std::collections::BTreeMap;

use api::contacts::email;
use api::fields::{Fields, FromFields, Patch};
use api::openapi::{IdempotencyKey, IfMatch, PropertyNameSchema, PropertyValueSchema};
use api::parse::boolean;
use api::path::PathId;
use api::views::{ContactView, etag};
use api::{AccountCaller, Context, MutationRequest, NoBody, Problem, respond};
use axum::extract::State;
use axum::response::Response;
use domain::address::EmailAddress;
use domain::contact::Contact;
use domain::ids::ContactId;
use domain::period::Period;
use http::StatusCode;
use store::{DeleteContact, Responder, StoredResponse, UpdateContact};
use utoipa::{IntoParams, ToSchema};

use crate::body::{PropertyChanges, properties};

/// A change of a contact's data.
pub(crate) struct Change {
    email: Patch<EmailAddress>,
    properties: PropertyChanges,
    unsubscribed: Option<bool>,
    bounced: Option<bool>,
}

impl FromFields for Change {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let email = fields.nullable("email", email());
        let properties = fields.optional("properties", properties);
        let unsubscribed = fields.optional("unsubscribed", boolean());
        let bounced = fields.optional("bounced", boolean());
        // Not a field of this request, but whoever sends it deserves to hear where it belongs.
        fields.optional("marketing", |_, place| {
            place.refuse::<()>(
                "is changed with POST /v1/contacts/marketing and POST /v1/contacts/non-marketing-pending",
            )
        })?;
        Some(Self {
            email: email?,
            properties: properties?.unwrap_or_default(),
            unsubscribed: unsubscribed?,
            bounced: bounced?,
        })
    }
}

/// A change of a contact's data. What is left out stays.
#[derive(ToSchema)]
#[schema(as = UpdateContact)]
#[expect(dead_code, reason = "it describes the body that Change reads")]
struct ChangeSchema {
    /// The address; `null` takes it away.
    #[schema(format = Email, max_length = 254)]
    email: Option<String>,
    /// Properties to set, by name; `null` removes one.
    #[schema(required = false)]
    properties: BTreeMap<PropertyNameSchema, PropertyValueSchema>,
    /// The address is unsubscribed from marketing.
    #[schema(nullable = false)]
    unsubscribed: Option<bool>,
    /// The address has bounced.
    #[schema(nullable = false)]
    bounced: Option<bool>,
}

/// Changes a contact's data.
///
/// What is left out stays. Its marketing state is not among its data.
#[utoipa::path(
    patch, path = "/v1/contacts/{id}", tag = "Contacts",
    params(("id" = String, Path, description = "The contact's id."), IdempotencyKey, IfMatch),
    request_body = ChangeSchema,
    responses(
        (status = 200, description = "The contact.", body = ContactView,
         headers(("ETag" = String, description = "Its version."))),
        (status = 409, description = "contact-exists"),
    ),
)]
pub(crate) async fn update_contact(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(contact): PathId<ContactId>,
    request: MutationRequest<Change>,
) -> Result<Response, Problem> {
    let Change { email, properties, unsubscribed, bounced } = &request.body;
    let asked = UpdateContact {
        account: principal.account,
        contact,
        email: email.clone().into_change(),
        properties,
        unsubscribed: *unsubscribed,
        bounced: *bounced,
        if_match: request.if_match,
    };
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.update_contact(&asked, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

fn render((contact, period): &(Contact, Period)) -> StoredResponse {
    StoredResponse {
        etag: Some(etag(contact)),
        ..respond::json(StatusCode::OK, &ContactView::new(contact, period))
    }
}

/// How a contact is deleted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Deletion {
    /// Removes everything about the person for good. Without it the address is kept until the update date if the
    /// contact is billable, so that it can take its place again.
    #[param(default = false, required = false)]
    erase: bool,
}

impl FromFields for Deletion {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self { erase: fields.optional("erase", boolean())?.unwrap_or(false) })
    }
}

/// Deletes a contact, or erases it.
///
/// Its data is gone from reads at once. A marketing contact stays billable until the update date, as one that is
/// leaving does. Deleting one that is not leaving yet queues it to leave, so it needs the permission
/// `modify_marketing_contacts`.
#[utoipa::path(
    delete, path = "/v1/contacts/{id}", tag = "Contacts",
    params(("id" = String, Path, description = "The contact's id."), Deletion, IdempotencyKey, IfMatch),
    responses((status = 204, description = "It is gone.")),
)]
pub(crate) async fn delete_contact(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(contact): PathId<ContactId>,
    request: MutationRequest<NoBody, Deletion>,
) -> Result<Response, Problem> {
    let asked = DeleteContact {
        account: principal.account,
        contact,
        erase: request.query.erase,
        if_match: request.if_match,
        source: principal.source(),
        actor: principal.actor(),
        modify_marketing_contacts: principal.modify_marketing_contacts,
    };
    let render = |(): &()| respond::no_content();
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.delete_contact(&asked, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::body::tests::read;

    #[test]
    fn an_address_is_left_taken_away_or_set() {
        assert_eq!(read::<Change>(&json!({})).ok().unwrap().email, Patch::Absent);
        assert_eq!(read::<Change>(&json!({"email": null})).ok().unwrap().email, Patch::Null);
        let change: Change =
            read(&json!({"email": "Ada@example.org", "properties": {"a": null}})).ok().unwrap();
        assert!(matches!(change.email, Patch::Value(email) if email.given() == "Ada@example.org"));
        assert_eq!(change.properties.len(), 1);
    }

    #[test]
    fn the_marketing_state_is_changed_elsewhere() {
        assert_eq!(
            read::<Change>(&json!({"marketing": true, "bounced": 1, "source": {}})).err().unwrap(),
            ["bounced", "marketing", "source"]
        );
    }
}
