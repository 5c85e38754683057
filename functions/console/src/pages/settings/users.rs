//! The users of the account: the list, and the pages of one user and of a new one.

use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use domain::ids::UserId;
use domain::permission::{PrincipalKind, Role};
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Map, Value, json};
use store::User;

use super::account::flag;
use super::{
    Line, PATH, Places, SHOWN, TypedCap, fixed_switch, line, page, pager, redirect, require_admin, subpage,
};
use crate::Console;
use crate::frame::Page;
use crate::parts::{Switch, Tone, field_error, key, note, refused, switch};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, settings as words};
use crate::typed::Typed;

const USERS: &str = "/console/settings/users";
const NEW: &str = "/console/settings/users/new";

/// The name of the permission to change marketing states in the API.
pub(super) const EDITOR: &str = "modify_marketing_contacts";

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route(USERS, post(add))
        .route(NEW, get(show_new))
        .route("/console/settings/users/{id}", get(show_user).post(save))
        .route("/console/settings/users/{id}/permission", post(switch_permission))
}

/// Returns the id of the person who is signed in.
pub(super) fn own_id(signed: &Signed) -> Option<UserId> {
    match signed.principal.caller {
        PrincipalKind::User { id, .. } => Some(id),
        PrincipalKind::Integration { .. } => None,
    }
}

/// One page of the account's users.
pub(super) struct UserPage {
    pub(super) users: Vec<User>,
    more: bool,
}

impl UserPage {
    pub(super) async fn read(signed: &Signed, after: Option<UserId>) -> Result<Self, Failure> {
        let mut users = signed.store().users(signed.account.id, after, SHOWN + 1).await?.items;
        let more = users.len() > SHOWN;
        users.truncate(SHOWN);
        Ok(Self { users, more })
    }

    /// Returns the section with the users.
    pub(super) fn section(&self, signed: &Signed, places: Places) -> Markup {
        html! {
            section class="mid" aria-labelledby="users" {
                h2 id="users" { (words::USERS) }
                p class="quiet" { (words::USERS_LEDE) }
                table class="stack" {
                    caption class="vh" { (words::USERS_CAPTION) }
                    thead { tr {
                        th scope="col" { (words::USER) }
                        th scope="col" { (words::ROLE) }
                        th scope="col" { (words::CAN_SET) }
                    } }
                    tbody { @for user in &self.users { (row(signed, user, places)) } }
                }
                (self.pages(places))
                div class="row gap" { a class="button" href=(NEW) { (words::ADD_A_USER) } }
            }
        }
    }

    fn pages(&self, places: Places) -> Markup {
        let last = self.users.last().filter(|_| self.more).map(|user| user.id);
        let next = last.map(|last| Places { users: Some(last), ..places }.path("users"));
        let first = places.users.map(|_| Places { users: None, ..places }.path("users"));
        if next.is_none() && first.is_none() {
            return html! {};
        }
        let shown = words::counted(&text::counted(
            u64::try_from(self.users.len()).unwrap_or_default(),
            &self.users.len().to_string(),
            "user",
        ));
        pager(words::PAGES_OF_USERS, &shown, first.as_deref(), next.as_deref())
    }
}

fn row(signed: &Signed, user: &User, places: Places) -> Markup {
    let is_self = own_id(signed) == Some(user.id);
    let remark = |remark: &str| html! { " " span class="quiet" { (remark) } };
    html! {
        tr {
            th scope="row" {
                a href={ (USERS) "/" (user.id) } { (user.name) } " "
                span class="sub" { (address(user)) }
            }
            td data-label=(words::ROLE) {
                (role_name(user.role)) @if is_self { (remark(words::THIS_IS_YOU)) }
            }
            td data-label=(words::CAN_SET) {
                @if is_self {
                    (on_or_off(user.modify_marketing_contacts)) (remark(words::ANOTHER_ADMIN))
                } @else { (permission_switch(signed, user, places, true)) }
            }
        }
    }
}

fn address(user: &User) -> &str {
    if user.email.is_empty() { words::NO_EMAIL } else { &user.email }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Admin => words::ADMIN,
        Role::Member => words::MEMBER,
    }
}

fn on_or_off(is_on: bool) -> &'static str {
    if is_on { text::ON } else { text::OFF }
}

fn permission_switch(signed: &Signed, user: &User, places: Places, in_table: bool) -> Markup {
    let query = places.path("");
    let query = query.trim_start_matches(PATH).trim_end_matches('#');
    let query = if in_table { query } else { "?from=user" };
    let name = if in_table { words::can_set(&user.name) } else { words::MAY_SET.to_owned() };
    let setting = Switch {
        field: EDITOR,
        name: &name,
        hides_name: in_table,
        is_on: user.modify_marketing_contacts,
        bills: false,
    };
    switch(signed, &format!("{USERS}/{}/permission{query}", user.id), &setting)
}

/// Returns the section of a member, with the member's own role and permission.
pub(super) fn own(signed: &Signed) -> Markup {
    html! {
        section class="mid" aria-labelledby="users" {
            h2 id="users" { (words::USERS) }
            p class="quiet" id="users-why" { (words::ONLY_ADMINS_LIST) " " (text::MAY_NOT_ADMINISTER) }
            dl class="facts narrow" {
                div { dt { (words::USER) } dd { (signed.principal.name) " " span class="quiet" { (words::THIS_IS_YOU) } } }
                div { dt { (words::ROLE) } dd { (words::MEMBER) } }
                div {
                    dt { (words::CAN_SET) }
                    dd { (fixed_switch(signed.may_edit(), words::CAN_SET, false, "users-why")) }
                }
            }
        }
    }
}

async fn switch_permission(
    signed: Signed,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    typed: Typed,
) -> Response {
    let id = match user_id(&id) {
        Ok(id) => id,
        Err(failure) => return signed.finish(Err(failure)),
    };
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    let body = json!({EDITOR: flag(typed.get(EDITOR))});
    match signed.call(Call::patch(format!("/v1/users/{id}"), body).once(&typed)).await {
        Ok(_) if query.get("from") == "user" => saved(&id.to_string(), "saved"),
        Ok(_) => {
            let mut rest = form_urlencoded::Serializer::new(String::new());
            let places = query.fields().filter(|(name, _)| ["users", "tokens"].contains(name));
            let rest = rest.append_pair("user", &id.to_string()).extend_pairs(places).finish();
            redirect(&format!("permission&{rest}"))
        }
        Err(refusal) => {
            let shown = page(&signed, &query, Some(&refusal), TypedCap::default()).await;
            signed.finish(shown)
        }
    }
}

fn saved(id: &str, code: &str) -> Response {
    Redirect::to(&format!("{USERS}/{id}?done={code}")).into_response()
}

/// The fields of a user's form.
#[derive(Clone, Copy)]
struct Filled<'a> {
    name: &'a str,
    email: &'a str,
    role: &'a str,
}

impl<'a> Filled<'a> {
    fn typed(typed: &'a Typed) -> Self {
        Self { name: typed.get("name"), email: typed.get("email"), role: typed.get("role") }
    }

    fn of(user: &'a User) -> Self {
        Self { name: &user.name, email: &user.email, role: user.role.as_str() }
    }
}

/// Returns the fields with the name and the address.
fn lines(filled: Filled<'_>, refusal: Option<&Refusal>) -> Markup {
    let name = Line { name: "name", error: "name", label: words::NAME, value: filled.name, kind: "text" };
    let email =
        Line { name: "email", error: "email", label: words::EMAIL, value: filled.email, kind: "text" };
    html! { (line(name, refusal)) (line(email, refusal)) }
}

fn role_field(filled: Filled<'_>, refusal: Option<&Refusal>) -> Markup {
    let message = refusal.and_then(|refusal| refusal.error_of("role"));
    let described = if message.is_some() { "role-e role-h" } else { "role-h" };
    html! {
        div class="field" {
            label for="role" { (words::ROLE) }
            (field_error(refusal, "role", "role"))
            select id="role" name="role" class="w-m" aria-describedby=(described)
                aria-invalid=[message.map(|_| "true")] {
                @for role in [Role::Member, Role::Admin] {
                    option value=(role.as_str()) selected[filled.role == role.as_str()] { (role_name(role)) }
                }
            }
            p class="hint" id="role-h" { (words::ROLE_HINT) }
        }
    }
}

async fn show_new(signed: Signed) -> Response {
    let filled = Filled { name: "", email: "", role: Role::Member.as_str() };
    let shown = require_admin(&signed).map(|()| new_page(&signed, filled, true, None));
    signed.finish(shown)
}

async fn add(signed: Signed, typed: Typed) -> Response {
    let filled = Filled::typed(&typed);
    let may = typed.has(EDITOR);
    let body = json!({"name": filled.name, "email": filled.email, "role": filled.role, EDITOR: may});
    match signed.call(Call::post("/v1/users", body).once(&typed)).await {
        Ok(answer) => {
            let id = answer.body.get("id").and_then(Value::as_str).unwrap_or_default();
            saved(id, "added")
        }
        Err(refusal) if refusal.status() == StatusCode::FORBIDDEN => {
            signed.finish(Err(Failure::Refusal(refusal)))
        }
        Err(refusal) => signed.finish(Ok(new_page(&signed, filled, may, Some(&refusal)))),
    }
}

fn new_page(signed: &Signed, filled: Filled<'_>, may: bool, refusal: Option<&Refusal>) -> Page {
    let content = html! {
        @if let Some(refusal) = refusal { (refused(refusal, &["name", "email", "role"])) }
        form class=(super::form_class(refusal)) method="post" action=(USERS) {
            (key(signed))
            (lines(filled, refusal))
            (role_field(filled, refusal))
            div class="field" {
                label class="check" { input type="checkbox" name=(EDITOR) value="true" checked[may]; " " (words::MAY_SET) }
            }
            div class="row" {
                button class="act" { (words::ADD_A_USER) }
                a class="button" href=(PATH) { (words::CANCEL) }
            }
        }
    };
    subpage(words::ADD_A_USER, content).with_status_of(refusal)
}

/// Parses a user's id. A text that is no id has the same response as an unknown one.
fn user_id(text: &str) -> Result<UserId, Failure> {
    Ok(text.parse().map_err(|_| api::Problem::not_found("user"))?)
}

/// Reads a user whose id is in a path.
async fn read(signed: &Signed, id: &str) -> Result<User, Failure> {
    require_admin(signed)?;
    Ok(signed.store().user(signed.account.id, user_id(id)?).await?)
}

async fn show_user(signed: Signed, Path(id): Path<String>) -> Response {
    let user = read(&signed, &id).await;
    let shown = user.map(|user| user_page(&signed, &user, Filled::of(&user), None));
    signed.finish(shown)
}

async fn save(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let user = match read(&signed, &id).await {
        Ok(user) => user,
        Err(failure) => return signed.finish(Err(failure)),
    };
    // Fields that are as they were are left out. So the first admin needs no address, which is empty at first.
    let Filled { name, email, role } = Filled::of(&user);
    let fields = [("name", name), ("email", email), ("role", role)];
    let fields = fields.into_iter().filter(|(field, value)| typed.has(field) && typed.get(field) != *value);
    let body: Map<String, Value> =
        fields.map(|(field, _)| (field.to_owned(), json!(typed.get(field)))).collect();
    match signed.call(Call::patch(format!("/v1/users/{}", user.id), json!(body)).once(&typed)).await {
        Ok(_) => saved(&id, "saved"),
        Err(refusal) => signed.finish(Ok(user_page(&signed, &user, Filled::typed(&typed), Some(&refusal)))),
    }
}

fn user_page(signed: &Signed, user: &User, filled: Filled<'_>, refusal: Option<&Refusal>) -> Page {
    let is_self = own_id(signed) == Some(user.id);
    let done = match signed.done.as_deref() {
        Some("added") => Some(words::ADDED),
        Some("saved") => Some(words::USER_SAVED),
        _ => None,
    };
    let content = html! {
        @if let Some(refusal) = refusal { (refused(refusal, &["name", "email", "role"])) }
        @else if let Some(done) = done { (note(Tone::Plain, &html! { p { (done) } })) }
        form class={ "narrow" @if done.is_some() || refusal.is_some() { " gap" } } method="post"
            action={ (USERS) "/" (user.id) } {
            (key(signed))
            (lines(filled, refusal))
            @if is_self {
                div class="field" {
                    span { b { (words::ROLE) ": " } (role_name(user.role)) }
                    p class="hint" { (words::OWN_ROLE) }
                }
            } @else { (role_field(filled, refusal)) }
            div class="row" { button class="act" { (words::SAVE) } }
        }
        (permission(signed, user, is_self))
        (token(signed, user))
    };
    subpage(&user.name, content).with_status_of(refusal)
}

fn permission(signed: &Signed, user: &User, is_self: bool) -> Markup {
    html! {
        section aria-labelledby="permission" {
            h2 id="permission" { (words::PERMISSION) }
            @if is_self {
                (fixed_switch(user.modify_marketing_contacts, words::MAY_SET, true, "permission-why"))
                p class="hint quiet" id="permission-why" { (words::OWN_PERMISSION) }
            } @else {
                (permission_switch(signed, user, Places::default(), false))
                p class="hint quiet" { (words::USERS_LEDE) }
            }
        }
    }
}

/// Returns the form that creates a token for the user.
fn token(signed: &Signed, user: &User) -> Markup {
    html! {
        section aria-labelledby="token" {
            h2 id="token" { (words::TOKENS_OF_USER) }
            p class="quiet" { (words::TOKEN_OF_USER_HINT) }
            form method="post" action=(super::tokens::TOKENS) {
                (key(signed))
                input type="hidden" name="user_id" value=(user.id);
                button { (words::CREATE_A_TOKEN) }
            }
        }
    }
}
