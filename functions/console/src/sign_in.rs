//! The beginning and the end of a session.

use api::Problem;
use api::token::Secret;
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use domain::limits::{SESSION_TIME, TOKEN_CHARS_MAX};
use http::StatusCode;
use http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use maud::{Markup, html};
use store::SignIn;

use crate::document::{door, html_response};
use crate::session::{SIGN_IN, cookie_name, is_page, session_cookie};
use crate::typed::Typed;
use crate::{Console, HOME, text};

/// Returns the routes of this module, which need no session.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route(SIGN_IN, get(show).post(sign_in))
        .route("/console/sign-in/{code}", get(sign_in_with_code))
        .route("/console/sign-out", post(sign_out))
}

async fn show(RawQuery(query): RawQuery) -> Response {
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    let note = query.has("out").then_some(text::SIGNED_OUT);
    page(StatusCode::OK, &query, note, None)
}

fn page(status: StatusCode, typed: &Typed, note: Option<&str>, error: Option<&str>) -> Response {
    let to = typed.filled("to").filter(|to| is_page(to));
    html_response(status, door(text::SIGN_IN, &form(to, note, error)))
}

fn form(to: Option<&str>, note: Option<&str>, error: Option<&str>) -> Markup {
    let described = if error.is_some() { "token-e token-h" } else { "token-h" };
    html! {
        h1 { (text::SIGN_IN) }
        @if let Some(note) = note { p class="quiet" role="status" { (note) } }
        form method="post" action=(SIGN_IN) {
            @if let Some(to) = to { input type="hidden" name="to" value=(to); }
            div class="field" {
                label for="token" { (text::TOKEN) }
                @if let Some(error) = error { p class="error" id="token-e" { (error) } }
                input id="token" name="token" type="password" class="w-full mono" autocomplete="current-password"
                    spellcheck="false" required maxlength=(TOKEN_CHARS_MAX) aria-describedby=(described)
                    aria-invalid=[error.map(|_| "true")] autofocus[error.is_some()];
                p class="hint" id="token-h" { (text::TOKEN_HINT) }
            }
            button class="act w-full" { (text::SIGN_IN) }
        }
        p class="quiet gap" { (text::NO_TOKEN) }
    }
}

async fn sign_in(State(console): State<Console>, typed: Typed) -> Result<Response, Problem> {
    let token = Secret::new(typed.get("token"));
    let secret = Secret::random(console.context.store.rng());
    let now = console.context.clock.now();
    let store = &console.context.store;
    let begun = store.begin_session(&secret.sha256_hex(), &token.sha256_hex(), now).await?;
    let error = match begun {
        SignIn::Begun(_) => {
            let to = typed.filled("to").filter(|to| is_page(to)).unwrap_or(HOME);
            return Ok(begin(&console, &secret, to));
        }
        SignIn::Integration => text::TOKEN_OF_INTEGRATION,
        SignIn::Unknown => text::TOKEN_UNKNOWN,
    };
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &typed, None, Some(error)))
}

async fn sign_in_with_code(
    State(console): State<Console>,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    let secret = Secret::random(console.context.store.rng());
    let code = Secret::new(code).sha256_hex();
    let (store, now) = (&console.context.store, console.context.clock.now());
    match store.begin_session_with_code(&secret.sha256_hex(), &code, now).await? {
        SignIn::Begun(_) => Ok(begin(&console, &secret, HOME)),
        SignIn::Integration | SignIn::Unknown => {
            Ok(page(StatusCode::NOT_FOUND, &Typed::default(), Some(text::CODE_USED), None))
        }
    }
}

async fn sign_out(State(console): State<Console>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(secret) = session_cookie(&headers, console.is_secure) {
        console.context.store.end_session(&secret.sha256_hex()).await?;
    }
    let mut response = Redirect::to("/console/sign-in?out").into_response();
    set_cookie(&mut response, &console, "", 0);
    Ok(response)
}

/// Returns the redirect that takes the session's cookie along.
fn begin(console: &Console, secret: &Secret, to: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    set_cookie(&mut response, console, secret.expose(), SESSION_TIME.num_seconds());
    response
}

fn set_cookie(response: &mut Response, console: &Console, value: &str, seconds: i64) {
    let name = cookie_name(console.is_secure);
    let secure = if console.is_secure { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
}
