//! `/v1/users`: the users of an account, with their roles and permissions. Only admins manage them.

use api::contacts::email;
use api::describe::{Parameters, documented};
use api::fields::{Fields, FromFields, Reported};
use api::openapi::IdempotencyKey;
use api::paging::{Page, Paging};
use api::parse::{Parser, boolean, name, variant};
use api::path::PathId;
use api::{AdminCaller, Context, MutationRequest, Problem, Query, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::address::EmailAddress;
use domain::ids::UserId;
use domain::permission::Role;
use serde::Serialize;
use store::{NewUser, Responder, UpdateUser, User};
use utoipa::ToSchema;

use api::listing::{one_more, page};

/// A request to add a user.
pub(crate) struct NewUserBody(NewUser);

impl FromFields for NewUserBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.required("name", name().about("The user's name."));
        let email = fields.required("email", email().about("The user's email address."));
        let role = role().about("An admin manages users, tokens and the account; a member does not.");
        let role = fields.optional("role", role.default_value(Role::Member.as_str()));
        let editor = fields.optional(EDITOR, editor().default_value(true));
        Ok(Self(NewUser {
            name: name?,
            email: given(email?),
            role: role?.unwrap_or(Role::Member),
            modify_marketing_contacts: editor?.unwrap_or(true),
        }))
    }
}

documented! { NewUserBody as "NewUser": "A user to add." }

/// The name of the permission to change marketing states.
const EDITOR: &str = "modify_marketing_contacts";

/// Parses a user's permission to change marketing states.
fn editor() -> impl Parser<Output = bool> {
    boolean().about("True if the user may set contacts as marketing and queue them to leave.")
}

/// Parses a user's role.
fn role() -> impl Parser<Output = Role> {
    variant::<Role>().schema_of::<RoleSchema>()
}

/// A user's role.
#[derive(ToSchema)]
#[schema(as = Role, rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes Role in bodies and views")]
pub(crate) enum RoleSchema {
    Member,
    Admin,
}

/// A change of a user.
pub(crate) struct UpdateUserBody(UpdateUser);

impl FromFields for UpdateUserBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.optional("name", name().about("The user's name."));
        let email = fields.optional("email", email().about("The user's email address."));
        let role = fields.optional("role", role().about("The user's role."));
        let editor = fields.optional(EDITOR, editor());
        Ok(Self(UpdateUser {
            name: name?,
            email: email?.map(given),
            role: role?,
            modify_marketing_contacts: editor?,
        }))
    }
}

documented! { UpdateUserBody as "UpdateUser": "The data of a user to change. Data that is left out does not change." }

/// Returns the address as it was sent. Users are never looked up by address, so its normalized form is not stored.
fn given(email: EmailAddress) -> String {
    email.given().to_owned()
}

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserView {
    /// The user's id.
    id: String,
    /// The display name.
    name: String,
    /// The email address as it was sent. `null` for an account's first user until an admin sets it.
    email: Option<String>,
    /// The role: an admin manages users, tokens and the account, and a member does not.
    #[schema(value_type = RoleSchema)]
    role: &'static str,
    /// True if the user may set contacts as marketing and queue them to leave.
    modify_marketing_contacts: bool,
    /// The instant at which the user was added.
    #[schema(format = DateTime)]
    created_at: String,
}

impl UserView {
    fn new(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            name: user.name.clone(),
            email: (!user.email.is_empty()).then(|| user.email.clone()),
            role: user.role.as_str(),
            modify_marketing_contacts: user.modify_marketing_contacts,
            created_at: user.created_at.to_string(),
        }
    }
}

/// Adds a user.
///
/// Only admins may call this operation. The user cannot call the API until an admin creates a token for the user. An
/// account has at most 1,000 users. Beyond that, the request is refused with 409 `limit-reached`.
#[utoipa::path(
    post, path = "/v1/users", tag = "Users", params(IdempotencyKey), request_body = NewUserBody,
    responses(
        (status = 201, description = "The added user.", body = UserView),
        (status = 409, description = "limit-reached"),
    ),
)]
pub(crate) async fn create_user(
    State(context): State<Context>,
    AdminCaller(principal): AdminCaller,
    request: MutationRequest<NewUserBody>,
) -> Result<Response, Problem> {
    let render = |user: &User| respond::json(StatusCode::CREATED, &UserView::new(user));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let NewUserBody(new) = &request.body;
    let result = context.store.create_user(principal.account, new, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

/// Lists the users.
///
/// Only admins may call this operation. The users are in the order in which they were added.
#[utoipa::path(
    get, path = "/v1/users", tag = "Users", params(Parameters<Paging<UserId>>),
    responses((status = 200, description = "A page of users.", body = Page<UserView>)),
)]
pub(crate) async fn list_users(
    State(context): State<Context>,
    AdminCaller(principal): AdminCaller,
    Query(paging): Query<Paging<UserId>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let listing = context.store.users(principal.account, after, one_more(limit)).await?;
    respond::ok(&page(&listing, limit, |user| user.id, UserView::new))
}

/// Updates a user.
///
/// Only admins may call this operation. Data that is left out does not change. An account keeps at least one admin with
/// a token. A change that would remove the last one is refused with 409 `last-admin`.
#[utoipa::path(
    patch, path = "/v1/users/{id}", tag = "Users",
    params(IdempotencyKey, ("id" = String, Path, description = "The user's id.")),
    request_body = UpdateUserBody,
    responses(
        (status = 200, description = "The changed user.", body = UserView),
        (status = 409, description = "last-admin"),
    ),
)]
pub(crate) async fn update_user(
    State(context): State<Context>,
    AdminCaller(principal): AdminCaller,
    PathId(id): PathId<UserId>,
    request: MutationRequest<UpdateUserBody>,
) -> Result<Response, Problem> {
    let render = |user: &User| respond::json(StatusCode::OK, &UserView::new(user));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let UpdateUserBody(change) = &request.body;
    let result =
        context.store.update_user(principal.account, id, change, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use serde_json::json;

    use super::*;
    use api::reading::{read, wrong};

    #[test]
    fn user_without_a_role_is_a_member_with_permission() {
        let NewUserBody(least) = read(&json!({"name": "Ada", "email": "Ada@Example.org"})).unwrap();
        assert_eq!((least.name.as_str(), least.email.as_str()), ("Ada", "Ada@Example.org"));
        assert_eq!((least.role, least.modify_marketing_contacts), (Role::Member, true));
        let body = json!({"name": "Ada", "email": "a@b.example", "role": "admin", "modify_marketing_contacts": false});
        let NewUserBody(full) = read(&body).unwrap();
        assert_eq!((full.role, full.modify_marketing_contacts), (Role::Admin, false));
    }

    #[test]
    fn change_has_sent_data_and_leaves_the_rest() {
        let UpdateUserBody(empty) = read(&json!({})).unwrap();
        assert!(empty.name.is_none() && empty.email.is_none() && empty.role.is_none());
        assert!(empty.modify_marketing_contacts.is_none());
        let body = json!({"name": "Eve", "email": "e@f.example", "role": "member", "modify_marketing_contacts": false});
        let UpdateUserBody(full) = read(&body).unwrap();
        assert_eq!((full.name.as_deref(), full.email.as_deref()), (Some("Eve"), Some("e@f.example")));
        assert_eq!((full.role, full.modify_marketing_contacts), (Some(Role::Member), Some(false)));
    }

    #[test]
    fn user_with_several_errors_lists_all() {
        assert_eq!(wrong::<NewUserBody>(&json!({})), ["name", "email"]);
        let body = json!({"name": "", "email": "no address", "role": "owner", "modify_marketing_contacts": 1, "id": 1});
        let expected = ["name", "email", "role", "modify_marketing_contacts", "id"];
        assert_eq!(wrong::<NewUserBody>(&body), expected);
        assert_eq!(wrong::<UpdateUserBody>(&body), expected);
        assert_eq!(wrong::<UpdateUserBody>(&json!({"email": null})), ["email"]);
    }

    #[test]
    fn view_of_user_without_address_has_null_email() {
        let user = User {
            id: UserId::new(Timestamp::MIN, 1),
            name: "Admin".into(),
            email: String::new(),
            role: Role::Admin,
            modify_marketing_contacts: true,
            created_at: Timestamp::MIN,
        };
        assert_eq!(
            serde_json::to_value(UserView::new(&user)).unwrap(),
            json!({
                "id": user.id.to_string(), "name": "Admin", "email": null, "role": "admin",
                "modify_marketing_contacts": true, "created_at": "1970-01-01T00:00:00.000Z",
            })
        );
        let view = UserView::new(&User { email: "Ada@Example.org".into(), ..user });
        assert_eq!(view.email.as_deref(), Some("Ada@Example.org"));
    }
}
