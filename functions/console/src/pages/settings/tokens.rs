//! Tokens and integrations. Only the page that answers the creation of a token shows its text.

use std::collections::{BTreeSet, HashMap};

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};
use domain::ids::{TokenId, UserId};
use domain::limits::BATCH_READ_MAX;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};
use store::{Token, TokenOwner, User};

use super::users::{EDITOR, UserPage, own_id};
use super::{Line, PATH, Places, SHOWN, line, pager, redirect, require_admin, subpage};
use crate::Console;
use crate::frame::Page;
use crate::pages::statements::day;
use crate::parts::{date_text, field_error, key, refused};
use crate::request::{Answer, Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, settings as words};
use crate::typed::Typed;

pub(super) const TOKENS: &str = "/console/settings/tokens";
const NEW: &str = "/console/settings/tokens/new";
const NEW_INTEGRATION: &str = "/console/settings/integrations/new";

/// The field of a new integration's name, and of its setting for new contacts.
const INTEGRATION: &str = "name";
const SETS: &str = "set_marketing";

/// The number of users among whom a new token's owner is chosen.
const CHOICES: usize = BATCH_READ_MAX;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route(TOKENS, post(create))
        .route(NEW, get(show_new))
        .route(NEW_INTEGRATION, get(show_new_integration))
        .route("/console/settings/tokens/{id}/revoke", get(show_revoke).post(revoke))
}

/// One page of the account's tokens, with the names of the users who own them.
pub(super) struct TokenPage {
    tokens: Vec<Token>,
    names: HashMap<UserId, String>,
    more: bool,
}

impl TokenPage {
    pub(super) async fn read(
        signed: &Signed,
        after: Option<TokenId>,
        users: &UserPage,
    ) -> Result<Self, Failure> {
        let (store, account) = (signed.store(), signed.account.id);
        let mut tokens = store.tokens(account, after, SHOWN + 1).await?.items;
        let more = tokens.len() > SHOWN;
        tokens.truncate(SHOWN);
        let named = |user: &User| (user.id, user.name.clone());
        let mut names: HashMap<UserId, String> = users.users.iter().map(named).collect();
        let owners = tokens.iter().filter_map(|token| match token.holder {
            TokenOwner::User(user) => Some(user),
            TokenOwner::Integration { .. } => None,
        });
        let others: BTreeSet<UserId> = owners.filter(|owner| !names.contains_key(owner)).collect();
        if !others.is_empty() {
            names.extend(store.users_of(account, &others).await?.iter().map(named));
        }
        Ok(Self { tokens, names, more })
    }

    /// Returns the section with the tokens.
    pub(super) fn section(&self, signed: &Signed, places: Places) -> Markup {
        html! {
            section class="mid" aria-labelledby="tokens" {
                h2 id="tokens" { (words::TOKENS) }
                p class="quiet" { (words::TOKENS_LEDE) }
                table class="stack" {
                    caption class="vh" { (words::TOKENS_CAPTION) }
                    thead { tr {
                        th scope="col" { (words::OWNER) }
                        th scope="col" { (words::CREATED) }
                        th scope="col" { (words::ACTIONS) }
                    } }
                    tbody { @for token in &self.tokens { (self.row(signed, token)) } }
                }
                (self.pages(places))
                div class="row gap" {
                    a class="button" href=(NEW) { (words::CREATE_A_TOKEN) } " "
                    a class="button" href=(NEW_INTEGRATION) { (words::ADD_AN_INTEGRATION) }
                }
            }
        }
    }

    fn row(&self, signed: &Signed, token: &Token) -> Markup {
        let (name, kind) = match &token.holder {
            TokenOwner::User(user) => {
                let name = self.names.get(user).map_or(words::A_DELETED_USER, String::as_str);
                (name, words::owner_user(own_id(signed) == Some(*user)).to_owned())
            }
            TokenOwner::Integration { name, set_marketing, modify_marketing_contacts, .. } => {
                (name.as_str(), words::owner_integration(*set_marketing, *modify_marketing_contacts))
            }
        };
        html! {
            tr {
                th scope="row" { (name) " " span class="sub" { (text::capitalized(&kind)) } }
                td data-label=(words::CREATED) { (day(signed, token.created_at)) }
                td data-label=(words::ACTIONS) {
                    a class="lose" href={ (TOKENS) "/" (token.id) "/revoke" } {
                        (words::REVOKE) span class="vh" { (words::of_owner(name)) }
                    }
                }
            }
        }
    }

    fn pages(&self, places: Places) -> Markup {
        let last = self.tokens.last().filter(|_| self.more).map(|token| token.id);
        let next = last.map(|last| Places { tokens: Some(last), ..places }.path("tokens"));
        let first = places.tokens.map(|_| Places { tokens: None, ..places }.path("tokens"));
        if next.is_none() && first.is_none() {
            return html! {};
        }
        let count = u64::try_from(self.tokens.len()).unwrap_or_default();
        let shown = words::counted(&text::counted(count, &count.to_string(), "token"));
        pager(words::PAGES_OF_TOKENS, &shown, first.as_deref(), next.as_deref())
    }
}

async fn show_new(signed: Signed) -> Response {
    let shown = new_page(&signed, &Typed::default(), None).await;
    signed.finish(shown)
}

async fn new_page(signed: &Signed, typed: &Typed, refusal: Option<&Refusal>) -> Result<Page, Failure> {
    require_admin(signed)?;
    let mut users = signed.store().users(signed.account.id, None, CHOICES + 1).await?.items;
    let more = users.len() > CHOICES;
    users.truncate(CHOICES);
    let message = refusal.and_then(|refusal| refusal.error_of("user_id"));
    let described = if message.is_some() { "user_id-e user_id-h" } else { "user_id-h" };
    let content = html! {
        @if let Some(refusal) = refusal { (refused(refusal, &["user_id"])) }
        form class=(super::form_class(refusal)) method="post" action=(TOKENS) {
            (key(signed))
            div class="field" {
                label for="user_id" { (words::FOR_USER) }
                (field_error(refusal, "user_id", "user_id"))
                select id="user_id" name="user_id" class="w-l" aria-describedby=(described)
                    aria-invalid=[message.map(|_| "true")] {
                    @for user in &users {
                        @let id = user.id.to_string();
                        option value=(id) selected[typed.get("user_id") == id] {
                            (user.name) @if !user.email.is_empty() { ", " (user.email) }
                        }
                    }
                }
                p class="hint" id="user_id-h" { (words::FOR_USER_HINT) @if more { " " (words::MORE_USERS) } }
            }
            div class="row" {
                button class="act" { (words::CREATE_A_TOKEN) }
                a class="button" href=(PATH) { (words::CANCEL) }
            }
        }
    };
    Ok(subpage(words::CREATE_A_TOKEN, content).with_status_of(refusal))
}

async fn show_new_integration(signed: Signed) -> Response {
    let shown = require_admin(&signed).map(|()| integration_page(&signed, &Typed::default(), None));
    signed.finish(shown)
}

fn integration_page(signed: &Signed, typed: &Typed, refusal: Option<&Refusal>) -> Page {
    let name = Line {
        name: INTEGRATION,
        error: "integration.name",
        label: words::NAME,
        value: typed.get(INTEGRATION),
        kind: "text",
    };
    let check = |field: &str, label: &str| {
        html! {
            div class="field" {
                label class="check" {
                    input type="checkbox" name=(field) value="true" checked[typed.has(field)]; " " (label)
                }
            }
        }
    };
    let content = html! {
        @if let Some(refusal) = refusal { (refused(refusal, &["integration.name"])) }
        @else { p class="lede" { (words::INTEGRATION_LEDE) } }
        form class=(super::form_class(refusal)) method="post" action=(TOKENS) {
            (key(signed))
            input type="hidden" name="integration" value="true";
            (line(name, refusal))
            (check(SETS, words::SETS_MARKETING))
            (check(EDITOR, words::INTEGRATION_MAY_SET))
            p class="hint quiet" { (words::INTEGRATION_FIXED) }
            div class="row gap" {
                button class="act" { (words::ADD_AN_INTEGRATION) }
                a class="button" href=(PATH) { (words::CANCEL) }
            }
        }
    };
    subpage(words::ADD_AN_INTEGRATION, content).with_status_of(refusal)
}

/// Creates a token for a user, or with a new integration, and shows it.
async fn create(signed: Signed, typed: Typed) -> Response {
    let is_integration = typed.has("integration");
    let body = if is_integration {
        json!({"integration": {
            "name": typed.get(INTEGRATION), SETS: typed.has(SETS), EDITOR: typed.has(EDITOR),
        }})
    } else {
        json!({"user_id": typed.get("user_id")})
    };
    let refusal = match signed.call(Call::post("/v1/tokens", body).once(&typed)).await {
        Ok(answer) => {
            let shown = created(&signed, &typed, &answer).await;
            return signed.finish(shown);
        }
        Err(refusal) => refusal,
    };
    let shown = if refusal.status() == StatusCode::FORBIDDEN {
        Err(Failure::Refusal(refusal))
    } else if is_integration {
        Ok(integration_page(&signed, &typed, Some(&refusal)))
    } else {
        new_page(&signed, &typed, Some(&refusal)).await
    };
    signed.finish(shown)
}

/// Returns the page with a new token. It is the answer to the post itself, so that no address has the token.
async fn created(signed: &Signed, typed: &Typed, answer: &Answer) -> Result<Page, Failure> {
    let token = answer.body.get("token").and_then(Value::as_str).unwrap_or_default();
    let owner = match typed.get("user_id").parse() {
        Ok(user) => signed.store().user(signed.account.id, user).await?.name,
        Err(_) => typed.get(INTEGRATION).to_owned(),
    };
    let content = html! {
        p class="lede" { (words::created_for(&owner)) }
        div class="field narrow" {
            label for="token" { (words::TOKEN_LABEL) }
            div class="copy w-full" {
                input id="token" readonly value=(token) autocomplete="off" spellcheck="false" aria-describedby="token-h";
                button type="button" data-copy="token" hidden { (words::COPY) }
            }
            p class="hint" id="token-h" { b { (words::NOT_AGAIN) } " " (words::KEEP_SECRET) }
        }
        div class="row gap" { a class="button act" href=(PATH) { (words::DONE) } }
    };
    Ok(subpage(words::TOKEN_TITLE, content))
}

async fn show_revoke(signed: Signed, Path(id): Path<String>) -> Response {
    let shown = match token_id(&id) {
        Ok(id) => revoke_page(&signed, id, None).await,
        Err(failure) => Err(failure),
    };
    signed.finish(shown)
}

/// Parses a token's id. A text that is no id has the same response as an unknown one.
fn token_id(text: &str) -> Result<TokenId, Failure> {
    Ok(text.parse().map_err(|_| api::Problem::not_found("token"))?)
}

async fn revoke(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let id = match token_id(&id) {
        Ok(id) => id,
        Err(failure) => return signed.finish(Err(failure)),
    };
    let call = Call::delete(format!("/v1/tokens/{id}")).once(&typed);
    let Err(refusal) = signed.call(call).await else {
        // If it was the token of this session, the session has ended, and the page leads to the sign-in.
        return redirect("revoked");
    };
    let shown = revoke_page(&signed, id, Some(&refusal)).await;
    signed.finish(shown)
}

/// Returns the page that asks before a token is revoked.
async fn revoke_page(signed: &Signed, id: TokenId, refusal: Option<&Refusal>) -> Result<Page, Failure> {
    require_admin(signed)?;
    let (store, account) = (signed.store(), signed.account.id);
    let token = store.token(account, id).await?;
    let (owner, consequence) = match token.holder {
        TokenOwner::User(user) => {
            let is_own = own_id(signed) == Some(user);
            (store.user(account, user).await?.name, is_own.then_some(words::REVOKE_OWN))
        }
        TokenOwner::Integration { name, .. } => (name, Some(words::REVOKE_INTEGRATION)),
    };
    let created = date_text(signed, token.created_at);
    let content = html! {
        @if let Some(refusal) = refusal { (refused(refusal, &[])) }
        p class={ "sentence" @if refusal.is_some() { " gap" } } {
            b { (words::created_on(&created)) } " " (words::REVOKE_MEANS)
            @if let Some(consequence) = consequence { " " (consequence) }
        }
        form class="row gap" method="post" action={ (TOKENS) "/" (id) "/revoke" } {
            (key(signed))
            button class="lose" { (words::REVOKE_THE_TOKEN) }
            a class="button" href={ (PATH) "#tokens" } { (words::KEEP_THE_TOKEN) }
        }
    };
    Ok(subpage(words::revoke_title(&owner), content).with_status_of(refusal))
}
