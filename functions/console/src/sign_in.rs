//! The beginning and the end of a session.

use api::Problem;
use api::token::Secret;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use domain::limits::{SESSION_TIME, TOKEN_CHARS_MAX};
use http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use http::{StatusCode, Uri};
use maud::{Markup, html};
use store::SignIn;

use crate::document::{door, html_response};
use crate::session::{SIGN_IN, cookie_header, cookie_name, is_page, session_cookie, sign_in_path};
use crate::typed::Typed;
use crate::{Console, HOME, done, text};

/// Returns the routes of this module, which need no session.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route(SIGN_IN, get(show).post(sign_in))
        .route("/console/sign-in/{code}", get(sign_in_with_code).head(look_at_code))
        .route("/console/sign-out", post(sign_out))
}

async fn show(State(console): State<Console>, headers: HeaderMap, uri: Uri) -> Response {
    let query = Typed::parse(uri.query().unwrap_or_default().as_bytes());
    let note = match done::code(&headers, &uri, console.is_secure).as_deref() {
        Some("out") => Some(text::SIGNED_OUT),
        Some("ended") => Some(text::SESSION_ENDED),
        _ => None,
    };
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

async fn sign_in(
    State(console): State<Console>,
    headers: HeaderMap,
    typed: Typed,
) -> Result<Response, Problem> {
    let token = Secret::new(typed.get("token"));
    let secret = Secret::random(console.context.store.rng());
    let now = console.context.clock.now();
    let store = &console.context.store;
    let begun = store.begin_session(&secret.sha256_hex(), &token.sha256_hex(), now).await?;
    let error = match begun {
        SignIn::Begun(_) => {
            let to = typed.filled("to").filter(|to| is_page(to)).unwrap_or(HOME);
            return begin(&console, &headers, &secret, to).await;
        }
        SignIn::Integration => text::TOKEN_OF_INTEGRATION,
        SignIn::Unknown => text::TOKEN_UNKNOWN,
    };
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &typed, None, Some(error)))
}

/// Answers a program that looks at a link before a person opens it. The link stays unused.
async fn look_at_code() -> StatusCode {
    StatusCode::OK
}

async fn sign_in_with_code(
    State(console): State<Console>,
    headers: HeaderMap,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    let secret = Secret::random(console.context.store.rng());
    let code = Secret::new(code).sha256_hex();
    let (store, now) = (&console.context.store, console.context.clock.now());
    match store.begin_session_with_code(&secret.sha256_hex(), &code, now).await? {
        SignIn::Begun(_) => begin(&console, &headers, &secret, HOME).await,
        SignIn::Integration | SignIn::Unknown => {
            Ok(page(StatusCode::NOT_FOUND, &Typed::default(), Some(text::CODE_USED), None))
        }
    }
}

async fn sign_out(State(console): State<Console>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(secret) = session_cookie(&headers, console.is_secure) {
        console.context.store.end_session(&secret.sha256_hex()).await?;
    }
    let mut response = Redirect::to(&sign_in_path(None, Some("out"))).into_response();
    set_cookie(&mut response, &console, "", 0);
    Ok(response)
}

/// Returns the redirect that takes the new session's cookie along. The browser's old session ends.
async fn begin(
    console: &Console,
    headers: &HeaderMap,
    secret: &Secret,
    to: &str,
) -> Result<Response, Problem> {
    if let Some(old) = session_cookie(headers, console.is_secure) {
        console.context.store.end_session(&old.sha256_hex()).await?;
    }
    let mut response = Redirect::to(to).into_response();
    set_cookie(&mut response, console, secret.expose(), SESSION_TIME.num_seconds());
    Ok(response)
}

fn set_cookie(response: &mut Response, console: &Console, value: &str, seconds: i64) {
    let cookie = cookie_header(cookie_name(console.is_secure), value, seconds, console.is_secure);
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
}
