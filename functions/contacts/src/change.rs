//! `PATCH` and `DELETE /v1/contacts/{id}`: updates and deletions of contacts.

use api::contacts::email;
use api::describe::{Parameters, documented};
use api::fields::{Fields, FromFields, Patch, Reported};
use api::openapi::{IdempotencyKey, IfMatch};
use api::parse::{Parser, boolean};
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

use crate::body::{PropertyChanges, bounced, properties, unsubscribed};

/// The changes to a contact's data.
pub(crate) struct Change {
    email: Patch<EmailAddress>,
    properties: PropertyChanges,
    unsubscribed: Option<bool>,
    bounced: Option<bool>,
}

impl FromFields for Change {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let email = fields.nullable("email", email().about("The email address. `null` removes it."));
        let properties = properties().about("Properties to set, by name. `null` removes a property.");
        let properties = fields.optional("properties", properties);
        let unsubscribed = fields.optional("unsubscribed", unsubscribed());
        let bounced = fields.optional("bounced", bounced());
        fields.misplaced(
            "marketing",
            "is changed with POST /v1/contacts/marketing and POST /v1/contacts/non-marketing-pending",
        )?;
        Ok(Self {
            email: email?,
            properties: properties?.unwrap_or_default(),
            unsubscribed: unsubscribed?,
            bounced: bounced?,
        })
    }
}

documented! { Change as "UpdateContact": "The changes to a contact's data. Absent fields stay unchanged." }

/// Updates a contact's data.
///
/// Absent fields stay unchanged. Other operations change the marketing state.
#[utoipa::path(
    patch, path = "/v1/contacts/{id}", tag = "Contacts",
    params(("id" = String, Path, description = "The contact's id."), IdempotencyKey, IfMatch),
    request_body = Change,
    responses(
        (status = 200, description = "The contact.", body = ContactView,
         headers(("ETag" = String, description = "The contact's version."))),
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
    let update = UpdateContact {
        account: principal.account,
        contact,
        email: email.clone(),
        properties,
        unsubscribed: *unsubscribed,
        bounced: *bounced,
        status: None,
        if_match: request.if_match,
        source: principal.source(),
        actor: principal.actor(),
    };
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.update_contact(&update, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

fn render((contact, period): &(Contact, Period)) -> StoredResponse {
    StoredResponse {
        etag: Some(etag(contact)),
        ..respond::json(StatusCode::OK, &ContactView::new(contact, period))
    }
}

/// The options of a deletion.
pub(crate) struct Deletion {
    erase: bool,
}

impl FromFields for Deletion {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let erase = boolean().default_value(false).about(
            "Removes all data of the contact at once. Otherwise a billable contact keeps its address until the update \
             date, so that a new contact with the address is not billed a second time.",
        );
        Ok(Self { erase: fields.optional("erase", erase)?.unwrap_or(false) })
    }
}

/// Deletes or erases a contact.
///
/// Reads no longer find the contact. A marketing contact stays billable until the update date, like a leaving contact.
/// Deleting a marketing contact that is not leaving queues it to leave, so this requires the permission
/// `modify_marketing_contacts`.
#[utoipa::path(
    delete, path = "/v1/contacts/{id}", tag = "Contacts",
    params(("id" = String, Path, description = "The contact's id."), Parameters<Deletion>, IdempotencyKey, IfMatch),
    responses((status = 204, description = "The contact is deleted.")),
)]
pub(crate) async fn delete_contact(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(contact): PathId<ContactId>,
    request: MutationRequest<NoBody, Deletion>,
) -> Result<Response, Problem> {
    let deletion = DeleteContact {
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
    let result = context.store.delete_contact(&deletion, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::body::tests::read;

    #[test]
    fn address_is_kept_removed_or_set() {
        assert_eq!(read::<Change>(&json!({})).ok().unwrap().email, Patch::Keep);
        assert_eq!(read::<Change>(&json!({"email": null})).ok().unwrap().email, Patch::Remove);
        let change: Change =
            read(&json!({"email": "Ada@example.org", "properties": {"a": null}})).ok().unwrap();
        assert!(matches!(change.email, Patch::Set(email) if email.given() == "Ada@example.org"));
        assert_eq!(change.properties.len(), 1);
    }

    #[test]
    fn marketing_state_is_rejected() {
        assert_eq!(
            read::<Change>(&json!({"marketing": true, "bounced": 1, "source": {}})).err().unwrap(),
            ["bounced", "marketing", "source"]
        );
    }
}
