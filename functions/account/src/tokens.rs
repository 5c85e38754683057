//! `/v1/tokens`: the bearer tokens of users and integrations. Only admins manage them. Only the response that creates a
//! token contains its text.

use api::describe::{Parameters, documented};
use api::fields::{Either, Fields, FromFields, Reported};
use api::openapi::IdempotencyKey;
use api::paging::{Page, Paging};
use api::parse::{Parser, boolean, checked, name, nested, opaque_id};
use api::path::PathId;
use api::token::NewToken;
use api::{AdminCaller, Context, MutationRequest, NoBody, Problem, Query, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{TokenId, UserId};
use serde::Serialize;
use store::{NewTokenOwner, Responder, Token, TokenOwner};
use utoipa::ToSchema;

use api::listing::{one_more, page};

/// A request to create a token, with the token's owner.
pub(crate) struct NewTokenBody(NewTokenOwner);

impl FromFields for NewTokenBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let user = checked(opaque_id(), |id| user_id(&id)).about("The user's id.");
        let integration =
            nested::<NewIntegration>().about("The integration, which is created together with its token.");
        match fields.either(("user_id", user), ("integration", integration))? {
            Either::First(user) => Ok(Self(NewTokenOwner::User(user))),
            Either::Second(NewIntegration(owner)) => Ok(Self(owner)),
        }
    }
}

documented! { NewTokenBody as "NewToken": "A token to create, either for a user or for a new integration." }

/// Parses a user's id. An invalid id is rejected with the same message as an unknown one.
fn user_id(text: &str) -> Result<UserId, &'static str> {
    text.parse().map_err(|_| "expected the id of a user of this account")
}

/// An integration to create, as the owner of a new token.
struct NewIntegration(NewTokenOwner);

impl FromFields for NewIntegration {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.required("name", name().about("The integration's name."));
        let set_marketing = boolean().about("True if contacts that it creates are set as marketing.");
        let set_marketing = fields.optional("set_marketing", set_marketing.default_value(false));
        let editor = boolean().about("True if it may set contacts as marketing and queue them to leave.");
        let editor = fields.optional("modify_marketing_contacts", editor.default_value(false));
        Ok(Self(NewTokenOwner::Integration {
            name: name?,
            set_marketing: set_marketing?.unwrap_or(false),
            modify_marketing_contacts: editor?.unwrap_or(false),
        }))
    }
}

documented! { NewIntegration as "NewIntegration": "An integration to create." }

/// A created token with its text.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenMade)]
pub(crate) struct TokenMadeView {
    /// The token's id.
    id: String,
    /// The bearer token. It is not shown again.
    token: String,
}

/// A token without its text.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenView {
    /// The token's id.
    id: String,
    /// The id of the user that owns the token. Only present for a user's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_id: Option<String>,
    /// The integration that owns the token. Only present for an integration's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    integration: Option<IntegrationView>,
    /// The instant at which the token was created.
    #[schema(format = DateTime)]
    created_at: String,
}

/// An integration: a program that acts for the account with a token of its own.
#[derive(Serialize, ToSchema)]
#[schema(as = Integration)]
pub(crate) struct IntegrationView {
    /// The integration's id.
    id: String,
    /// The display name.
    name: String,
    /// True if contacts that it creates are set as marketing.
    set_marketing: bool,
    /// True if it may set contacts as marketing and queue them to leave.
    modify_marketing_contacts: bool,
}

impl TokenView {
    fn new(token: &Token) -> Self {
        let (user_id, integration) = match &token.holder {
            TokenOwner::User(user) => (Some(user.to_string()), None),
            TokenOwner::Integration { id, name, set_marketing, modify_marketing_contacts } => {
                let integration = IntegrationView {
                    id: id.to_string(),
                    name: name.clone(),
                    set_marketing: *set_marketing,
                    modify_marketing_contacts: *modify_marketing_contacts,
                };
                (None, Some(integration))
            }
        };
        Self { id: token.id.to_string(), user_id, integration, created_at: token.created_at.to_string() }
    }
}

/// Creates a token.
///
/// Only admins may call this operation. Only this response contains the token, because only its SHA-256 is stored. An
/// account has at most 1,000 tokens. Beyond that, the request is refused with 409 `limit-reached`.
#[utoipa::path(
    post, path = "/v1/tokens", tag = "Users", params(IdempotencyKey), request_body = NewTokenBody,
    responses(
        (status = 201, description = "The created token.", body = TokenMadeView),
        (status = 409, description = "limit-reached"),
    ),
)]
pub(crate) async fn create_token(
    State(context): State<Context>,
    AdminCaller(principal): AdminCaller,
    request: MutationRequest<NewTokenBody>,
) -> Result<Response, Problem> {
    let minted = NewToken::mint(request.bearer()?, context.store.rng());
    let render = |token: &Token| {
        let created = TokenMadeView { id: token.id.to_string(), token: minted.sealed() };
        respond::json(StatusCode::CREATED, &created)
    };
    let responder = Responder::new(request.claim.as_ref(), &render);
    let NewTokenBody(owner) = &request.body;
    let (account, sha256) = (principal.account, minted.sha256_hex());
    let result = context.store.create_token(account, owner, &sha256, context.clock.now(), responder).await;
    request.conclude_with_token(&context, result).await
}

/// Lists the tokens.
///
/// Only admins may call this operation. The tokens are in the order of their creation, without their texts.
#[utoipa::path(
    get, path = "/v1/tokens", tag = "Users", params(Parameters<Paging<TokenId>>),
    responses((status = 200, description = "A page of tokens.", body = Page<TokenView>)),
)]
pub(crate) async fn list_tokens(
    State(context): State<Context>,
    AdminCaller(principal): AdminCaller,
    Query(paging): Query<Paging<TokenId>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let listing = context.store.tokens(principal.account, after, one_more(limit)).await?;
    respond::ok(&page(&listing, limit, |token| token.id, TokenView::new))
}

/// Deletes a token.
///
/// Only admins may call this operation. The token stops working at once. A deployment may cache the permissions of a
/// token for some seconds, and accepts the token for that time. Deleting the last token of the last admin is refused
/// with 409 `last-admin`.
#[utoipa::path(
    delete, path = "/v1/tokens/{id}", tag = "Users",
    params(IdempotencyKey, ("id" = String, Path, description = "The token's id.")),
    responses((status = 204, description = "The token is deleted."), (status = 409, description = "last-admin")),
)]
pub(crate) async fn delete_token(
    State(context): State<Context>,
    AdminCaller(principal): AdminCaller,
    PathId(id): PathId<TokenId>,
    request: MutationRequest<NoBody>,
) -> Result<Response, Problem> {
    let render = |(): &()| respond::no_content();
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.delete_token(principal.account, id, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::ids::IntegrationId;
    use serde_json::{Value, json};

    use super::*;
    use api::reading::{read, wrong};

    fn owner(body: &Value) -> NewTokenOwner {
        let NewTokenBody(owner) = read(body).unwrap();
        owner
    }

    #[test]
    fn token_owner_is_a_user_or_an_integration() {
        let id = UserId::new(Timestamp::MIN, 1);
        assert!(
            matches!(owner(&json!({"user_id": id.to_string()})), NewTokenOwner::User(found) if found == id)
        );
        let NewTokenOwner::Integration { name, set_marketing, modify_marketing_contacts } =
            owner(&json!({"integration": {"name": "CRM"}}))
        else {
            panic!("expected an integration")
        };
        assert_eq!((name.as_str(), set_marketing, modify_marketing_contacts), ("CRM", false, false));
        let body =
            json!({"integration": {"name": "CRM", "set_marketing": true, "modify_marketing_contacts": true}});
        let on = owner(&body);
        assert!(matches!(
            on,
            NewTokenOwner::Integration { set_marketing: true, modify_marketing_contacts: true, .. }
        ));
    }

    #[test]
    fn token_without_exactly_one_owner_is_rejected() {
        let id = UserId::new(Timestamp::MIN, 1).to_string();
        let table = [
            (json!({}), vec![""]),
            (json!({"user_id": id, "integration": {"name": "CRM"}}), vec![""]),
            (json!({"user_id": "usr_1"}), vec!["user_id"]),
            (json!({"user_id": null}), vec!["user_id"]),
            (json!({"integration": {}}), vec!["integration.name"]),
            (
                json!({"integration": {"name": 1, "set_marketing": "no", "id": "int_1"}, "name": "x"}),
                vec!["integration.name", "integration.set_marketing", "integration.id", "name"],
            ),
        ];
        for (body, expected) in table {
            assert_eq!(wrong::<NewTokenBody>(&body), expected, "{body}");
        }
    }

    #[test]
    fn token_view_has_its_owner() {
        let user = UserId::new(Timestamp::MIN, 1);
        let id = TokenId::new(Timestamp::MIN, 2);
        let of = |holder| {
            serde_json::to_value(TokenView::new(&Token { id, holder, created_at: Timestamp::MIN })).unwrap()
        };
        assert_eq!(
            of(TokenOwner::User(user)),
            json!({"id": id.to_string(), "user_id": user.to_string(), "created_at": "1970-01-01T00:00:00.000Z"})
        );
        let integration = IntegrationId::new(Timestamp::MIN, 3);
        let holder = TokenOwner::Integration {
            id: integration,
            name: "CRM".into(),
            set_marketing: true,
            modify_marketing_contacts: false,
        };
        assert_eq!(
            of(holder),
            json!({
                "id": id.to_string(),
                "integration": {"id": integration.to_string(), "name": "CRM", "set_marketing": true,
                                "modify_marketing_contacts": false},
                "created_at": "1970-01-01T00:00:00.000Z",
            })
        );
    }
}
