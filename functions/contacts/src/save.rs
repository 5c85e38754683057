//! `POST /v1/contacts` and `PUT /v1/contacts/by-email/{email}`: creation and upsert of contacts.

use api::contacts::email;
use api::describe::documented;
use api::fields::{Fields, FromFields, Reported};
use api::openapi::{IdempotencyKey, IfMatch};
use api::parse::{Parser, boolean, nested};
use api::views::{ContactView, etag};
use api::{AccountCaller, Context, MutationRequest, Problem, respond};
use axum::extract::State;
use axum::response::Response;
use domain::address::EmailAddress;
use domain::permission::Principal;
use http::StatusCode;
use store::{Responder, SaveContact, SaveMode, Saved, StoredResponse};

use crate::body::{PathEmail, PropertyChanges, bounced, properties, unsubscribed};
use crate::intake::{self, MANUAL_ONLY, NamedSource};

/// The data of a contact that is created or updated.
pub(crate) struct Data {
    properties: PropertyChanges,
    unsubscribed: Option<bool>,
    bounced: Option<bool>,
    marketing: Option<bool>,
    source: Option<NamedSource>,
}

impl FromFields for Data {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let properties = properties()
            .about("Properties to set, by name (`[a-z][a-z0-9_]{0,99}`); `null` removes a stored property.");
        let properties = fields.optional("properties", properties);
        let unsubscribed = fields.optional("unsubscribed", unsubscribed());
        let bounced = fields.optional("bounced", bounced());
        let marketing = boolean().about(
            "`true` sets the contact as marketing and requires the permission `modify_marketing_contacts`. `false` \
             does not change its state. Only allowed with the source `manual`.",
        );
        let marketing = fields.optional("marketing", marketing);
        let source = nested::<NamedSource>().about(
            "The source of the contact. By default it is `manual` for a user's token and `integration` for an \
             integration's.",
        );
        let source = fields.optional("source", source);
        // `intake::decide` rejects this too. Here it is listed together with the other errors.
        if let (Ok(Some(_)), Ok(Some(source))) = (marketing, &source)
            && !source.is_manual()
        {
            return fields.reject("marketing", MANUAL_ONLY);
        }
        Ok(Self {
            properties: properties?.unwrap_or_default(),
            unsubscribed: unsubscribed?,
            bounced: bounced?,
            marketing: marketing?,
            source: source?,
        })
    }
}

documented! { Data as "ContactData": "The data of a contact." }

/// A contact to create.
pub(crate) struct NewContact {
    email: Option<EmailAddress>,
    data: Data,
}

impl FromFields for NewContact {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        // `null` means no address, as in responses.
        let email = fields.nullable("email", email().about("The email address, which is optional."));
        let data = Data::read(fields);
        Ok(Self { email: email?.initial(), data: data? })
    }
}

documented! { NewContact as "NewContact": "A contact to create." }

/// Creates a contact.
///
/// The contact's source determines the default marketing status. If the account's cap is reached, the contact is
/// created as a non-marketing contact, and `marketing.refused` in the response has the reason.
#[utoipa::path(
    post, path = "/v1/contacts", tag = "Contacts",
    params(IdempotencyKey), request_body = NewContact,
    responses(
        (status = 201, description = "The contact.", body = ContactView,
         headers(("ETag" = String, description = "The contact's version."),
                 ("Location" = String, description = "The contact's path."))),
        (status = 403, description = "marketing-contacts-off"),
        (status = 409, description = "contact-exists"),
    ),
)]
pub(crate) async fn create_contact(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    request: MutationRequest<NewContact>,
) -> Result<Response, Problem> {
    let NewContact { email, data } = &request.body;
    // The target of the request is the collection of contacts, which always exists. So `*` matches.
    let if_match = request.if_match.filter(|wanted| *wanted != store::IfMatch::Any);
    let save = save_contact(&principal, SaveMode::Create, email.as_ref(), data, if_match)?;
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.upsert_contact(&save, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

/// Creates or updates a contact by email address.
///
/// Properties are set or removed one by one. If the account's cap is reached, the marketing state does not change, and
/// `marketing.refused` in the response has the reason.
#[utoipa::path(
    put, path = "/v1/contacts/by-email/{email}", tag = "Contacts",
    params(("email" = String, Path, description = "The address, percent-encoded."), IdempotencyKey, IfMatch),
    request_body = Data,
    responses(
        (status = 200, description = "The updated contact.", body = ContactView,
         headers(("ETag" = String, description = "The contact's version."))),
        (status = 201, description = "The created contact.", body = ContactView,
         headers(("ETag" = String, description = "The contact's version."),
                 ("Location" = String, description = "The contact's path."))),
        (status = 403, description = "marketing-contacts-off"),
    ),
)]
pub(crate) async fn upsert_contact(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathEmail(email): PathEmail,
    request: MutationRequest<Data>,
) -> Result<Response, Problem> {
    let save =
        save_contact(&principal, SaveMode::CreateOrUpdate, Some(&email), &request.body, request.if_match)?;
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.upsert_contact(&save, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

fn save_contact<'a>(
    principal: &Principal,
    mode: SaveMode,
    email: Option<&'a EmailAddress>,
    data: &'a Data,
    if_match: Option<store::IfMatch>,
) -> Result<SaveContact<'a>, Problem> {
    let (source, intake) = intake::decide(principal, data.source.as_ref(), data.marketing)?;
    Ok(SaveContact {
        account: principal.account,
        mode,
        email,
        properties: &data.properties,
        unsubscribed: data.unsubscribed,
        bounced: data.bounced,
        intake,
        source,
        actor: principal.actor(),
        if_match,
    })
}

fn render(saved: &Saved) -> StoredResponse {
    let refused = saved.status.and_then(Result::err);
    let status = if saved.created { StatusCode::CREATED } else { StatusCode::OK };
    StoredResponse {
        etag: Some(etag(&saved.contact)),
        location: saved.created.then(|| format!("/v1/contacts/{}", saved.contact.id)),
        ..respond::json(status, &ContactView::after(&saved.contact, &saved.period, refused))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::body::tests::read;

    fn wrong(body: &serde_json::Value) -> Vec<String> {
        read::<NewContact>(body).err().unwrap()
    }

    #[test]
    fn all_fields_are_optional() {
        for body in [json!({}), json!({"email": null})] {
            let contact: NewContact = read(&body).unwrap();
            assert!(contact.email.is_none() && contact.data.properties.is_empty());
            assert_eq!((contact.data.marketing, contact.data.source), (None, None));
        }
    }

    #[test]
    fn all_errors_are_listed_at_once() {
        assert_eq!(
            wrong(&json!({
                "email": "ada", "properties": {"Name": "x"}, "unsubscribed": 1, "bounced": null, "marketing": "yes",
                "source": {"type": "form", "name": "x"}, "id": "con_1",
            })),
            ["email", "properties.Name", "unsubscribed", "bounced", "marketing", "source.type", "id"]
        );
        assert_eq!(
            wrong(&json!({"email": "ada", "marketing": true, "source": {"type": "meeting", "name": "x"}})),
            ["email", "marketing"]
        );
    }

    #[test]
    fn upsert_body_rejects_an_address() {
        assert_eq!(read::<Data>(&json!({"email": "ada@example.org"})).err().unwrap(), ["email"]);
    }
}
