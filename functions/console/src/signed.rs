//! The person who is signed in, for handlers of pages.

use api::identity::RequestId;
use api::public_url::GatewayUrl;
use api::token::Secret;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::Timestamp;
use domain::period::Period;
use domain::permission::Principal;
use http::header::{ACCEPT, ACCEPT_LANGUAGE};
use http::request::Parts;
use http::{Method, StatusCode};
use store::{Account, Session, Store};

use crate::Console;
use crate::language::Language;
use crate::session::{sent_from, session_cookie, sign_in_path};
use crate::typed::Typed;

/// A request of a person who is signed in.
pub(crate) struct Signed {
    pub(crate) console: Console,
    /// The session's secret.
    pub(crate) secret: Secret,
    pub(crate) principal: Principal,
    /// The account with its current period.
    pub(crate) account: Account,
    /// The account's instant, which is that of its own clock for a sandbox.
    pub(crate) now: Timestamp,
    pub(crate) wall_clock: Timestamp,
    pub(crate) language: Language,
    pub(crate) request_id: String,
    /// The address through which API Gateway received the request. `None` in the local stack.
    pub(crate) gateway_url: Option<GatewayUrl>,
    /// The code of the note about what was done, after an act.
    pub(crate) done: Option<String>,
    /// The path of the address.
    pub(crate) path: String,
    /// The fields of the address.
    pub(crate) query: Typed,
}

impl Signed {
    /// Returns the store.
    pub(crate) fn store(&self) -> &Store {
        &self.console.context.store
    }

    /// Returns the account's current period.
    pub(crate) fn period(&self) -> &Period {
        &self.account.period
    }

    /// Returns a key for a form, under which its post acts once.
    pub(crate) fn key(&self) -> String {
        format!("{:032x}", self.store().rng().bits())
    }

    /// Returns true if the person may set, keep and queue contacts.
    pub(crate) fn may_edit(&self) -> bool {
        self.principal.modify_marketing_contacts
    }
}

impl FromRequestParts<Console> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let Some(secret) = session_cookie(&parts.headers, console.is_secure) else {
            return Err(to_sign_in(parts));
        };
        let wall_clock = console.context.clock.now();
        let session = console.context.store.session(&secret.sha256_hex(), wall_clock).await;
        let session = session.map_err(|error| crate::document::fault_outside(parts, error.into()))?;
        let Some(Session { principal, account }) = session else { return Err(to_sign_in(parts)) };
        let gateway_url = parts.extensions.get::<GatewayUrl>().cloned();
        let RequestId(request_id) =
            parts.extensions.get::<RequestId>().cloned().unwrap_or_else(|| RequestId(String::new()));
        let language = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let query = Typed::parse(parts.uri.query().unwrap_or_default().as_bytes());
        Ok(Self {
            console: console.clone(),
            secret,
            principal,
            now: account.period.now(wall_clock),
            account,
            wall_clock,
            language: Language::of(language.unwrap_or_default()),
            request_id,
            gateway_url,
            done: crate::done::code(&parts.headers, &parts.uri, console.is_secure),
            path: parts.uri.path().to_owned(),
            query,
        })
    }
}

/// Returns the way to the sign-in page, and from there back to a page that was asked for. A script gets 401 instead.
fn to_sign_in(parts: &Parts) -> Response {
    let accepts = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.starts_with("application/json") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if parts.method == Method::POST {
        // What was typed can't be kept for a person who is not known, so the page says so.
        return Redirect::to(&sign_in_path(sent_from(&parts.headers), Some("ended"))).into_response();
    }
    let wanted = parts.uri.path_and_query().map(http::uri::PathAndQuery::as_str);
    Redirect::to(&sign_in_path(wanted, None)).into_response()
}
