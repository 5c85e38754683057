//! The settings: the cap, the account and its defaults, its users, and its tokens and integrations.

mod account;
mod cap;
mod hubspot;
mod tokens;
mod users;

use axum::Router;
use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use domain::ids::{TokenId, UserId};
use maud::{Markup, html};

use crate::frame::{Page, Section};
use crate::parts::{Tone, note};
use crate::request::{Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, settings as words};
use crate::typed::Typed;
use crate::{Console, parts};

use tokens::TokenPage;
use users::UserPage;

/// The path of the settings.
const PATH: &str = "/console/settings";

/// The number of users, or of tokens, on a page.
const SHOWN: usize = 20;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route(PATH, get(show))
        .merge(account::routes())
        .merge(cap::routes())
        .merge(hubspot::routes())
        .merge(tokens::routes())
        .merge(users::routes())
}

/// The entries at which the lists of the page begin.
#[derive(Clone, Copy, Default)]
struct Places {
    users: Option<UserId>,
    tokens: Option<TokenId>,
}

impl Places {
    fn of(query: &Typed) -> Self {
        Self { users: query.get("users").parse().ok(), tokens: query.get("tokens").parse().ok() }
    }

    /// Returns the path of the page with the lists at these entries.
    fn path(&self, anchor: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(users) = self.users {
            query.append_pair("users", &users.to_string());
        }
        if let Some(tokens) = self.tokens {
            query.append_pair("tokens", &tokens.to_string());
        }
        match query.finish().as_str() {
            "" => format!("{PATH}#{anchor}"),
            query => format!("{PATH}?{query}#{anchor}"),
        }
    }
}

/// The cap that a person typed, with its refusal.
#[derive(Clone, Copy, Default)]
struct TypedCap<'a> {
    text: Option<&'a str>,
    refusal: Option<&'a Refusal>,
    /// True if a dialog over the page has the main action.
    has_dialog: bool,
}

async fn show(signed: Signed, RawQuery(query): RawQuery) -> Response {
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    let shown = page(&signed, &query, None, TypedCap::default()).await;
    signed.finish(shown)
}

/// Returns the page, with a refusal of an act on it.
async fn page(
    signed: &Signed,
    query: &Typed,
    refusal: Option<&Refusal>,
    typed: TypedCap<'_>,
) -> Result<Page, Failure> {
    let places = Places::of(query);
    let lists = if signed.principal.is_admin() {
        let users = UserPage::read(signed, places.users).await?;
        let tokens = TokenPage::read(signed, places.tokens, &users).await?;
        Some((users, tokens))
    } else {
        None
    };
    let done = done(signed, query, lists.as_ref().map(|(users, _)| users));
    let content = html! {
        @if let Some(refusal) = refusal { (parts::refused(refusal, &["cap"])) }
        @if refusal.is_none() { (done) }
        (cap::section(signed, typed))
        (account::facts(signed))
        (account::defaults(signed))
        (hubspot::section())
        @if let Some((users, tokens)) = &lists {
            (users.section(signed, places))
            (tokens.section(signed, places))
        } @else { (users::own(signed)) }
    };
    Ok(Page::new(Section::Settings, text::SETTINGS, content).with_status_of(refusal))
}

/// Returns the note about an act, with what is true now.
fn done(signed: &Signed, query: &Typed, users: Option<&UserPage>) -> Markup {
    let said = match signed.done.as_deref() {
        Some("cap") => cap::now(signed),
        Some("renamed") => words::RENAMED.to_owned(),
        Some("defaults") => account::defaults_now(signed),
        Some("index") => text::hubspot::index_now(signed.period().indexed_from.is_some()).to_owned(),
        Some("permission") => {
            let id = query.get("user").parse().ok();
            let user = id.and_then(|id| users?.users.iter().find(|user| user.id == id));
            user.map_or_else(
                || words::PERMISSION_CHANGED.to_owned(),
                |user| words::permission_now(&user.name, user.modify_marketing_contacts),
            )
        }
        Some("revoked") => words::REVOKED.to_owned(),
        _ => return html! {},
    };
    note(Tone::Plain, &html! { p { (said) } })
}

/// Returns the redirect to the page, with the code of the note about what was done.
fn redirect(code: &str) -> Response {
    Redirect::to(&format!("{PATH}?done={code}")).into_response()
}

/// Returns the refusal for a page that is for admins alone.
fn require_admin(signed: &Signed) -> Result<(), Failure> {
    if signed.principal.is_admin() { Ok(()) } else { Err(Failure::from(forbidden())) }
}

fn forbidden() -> api::Problem {
    api::Problem::new(api::problem::ProblemType::PermissionDenied, text::MAY_NOT_ADMINISTER)
}

/// Returns a page of the settings with the way back to them.
fn subpage(title: impl Into<String>, content: Markup) -> Page {
    let title = title.into();
    let head = html! {
        p class="trail" { a href=(PATH) { (text::SETTINGS) } }
        h1 { (title) }
    };
    Page::new(Section::Settings, title, content).with_head(head)
}

/// Returns a switch that the person may not use, with the id of its reason.
fn fixed_switch(is_on: bool, name: &str, shows_name: bool, reason: &str) -> Markup {
    html! {
        button class="switch" type="button" role="switch" aria-checked=(is_on) disabled aria-describedby=(reason) {
            span class=[(!shows_name).then_some("vh")] { (name) ": " }
            (if is_on { text::ON } else { text::OFF })
        }
    }
}

/// Returns the class of a form, which is apart from the note about a refusal.
fn form_class(refusal: Option<&Refusal>) -> &'static str {
    if refusal.is_some() { "narrow gap" } else { "narrow" }
}

/// Returns the links of one of the page's lists.
fn pager(label: &str, shown: &str, first: Option<&str>, next: Option<&str>) -> Markup {
    html! {
        nav class="pager" aria-label=(label) {
            span { (shown) }
            span class="row" {
                @if let Some(first) = first { a class="button" href=(first) { (text::FIRST_PAGE) } }
                @if let Some(next) = next { a class="button" href=(next) rel="next" { (text::NEXT_PAGE) } }
            }
        }
    }
}

/// A field of a form with one line of text.
#[derive(Clone, Copy)]
struct Line<'a> {
    name: &'a str,
    /// The name of the field in the API's errors.
    error: &'a str,
    label: &'a str,
    value: &'a str,
    kind: &'a str,
}

/// Returns a field with its message. Browsers do not check it, so that the API's messages are shown.
fn line(field: Line<'_>, refusal: Option<&Refusal>) -> Markup {
    let Line { name, error, label, value, kind } = field;
    let message = refusal.and_then(|refusal| refusal.error_of(error));
    let described = message.map(|_| format!("{name}-e"));
    html! {
        div class="field" {
            label for=(name) { (label) }
            (parts::field_error(refusal, error, name))
            input id=(name) name=(name) type=(kind) class="w-l" value=(value) autocomplete="off"
                aria-invalid=[message.map(|_| "true")] aria-describedby=[described]
                autofocus[message.is_some()];
        }
    }
}
