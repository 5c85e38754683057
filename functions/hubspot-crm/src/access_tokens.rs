//! The account and the owner of a bearer token. The caller shows the token itself, in the path or in the body, so it needs
//! no other.
//!
//! The token is compared by its digest, and never logged: log lines have the route and not the path.

use api::Context;
use api::public_url::PublicUrl;
use api::token::{Secret, bearer};
use axum::extract::{Request, State};
use axum::response::Response;
use domain::ids::NumberedId as _;
use domain::permission::{Principal, PrincipalKind};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::account_info::host;
use crate::body::{json_of, respond};
use crate::envelope::{Category, Failure};
use crate::path::PathTexts;

/// The scopes of every token. The permission to change marketing states has no scope of `HubSpot`'s.
const SCOPES: [&str; 10] = [
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.lists.read",
    "crm.lists.write",
    "crm.objects.owners.read",
    "crm.import",
    "forms",
];

/// The number of seconds for which a token is valid at least. Tokens do not expire, and clients require a number that fits
/// in 32 bits.
const EXPIRES_IN: u32 = (1 << 31) - 1;

#[derive(Serialize)]
struct TokenView {
    token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    hub_domain: String,
    scopes: [&'static str; 10],
    hub_id: u32,
    app_id: u64,
    expires_in: u32,
    user_id: u64,
    token_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PrivateAppView {
    user_id: u64,
    hub_id: u32,
    app_id: u64,
    scopes: [&'static str; 10],
}

/// Returns the number of the user or the integration that a token belongs to.
fn number(principal: &Principal) -> u64 {
    match principal.caller {
        PrincipalKind::User { id, .. } => id.number(),
        PrincipalKind::Integration { id, .. } => id.number(),
    }
}

/// Returns the token with this text, and its owner.
async fn known(context: &Context, text: &str) -> Result<(Secret, Principal), Failure> {
    let unknown = || Failure::new(Category::ObjectNotFound, "The access token does not exist.");
    let token = bearer(&format!("Bearer {text}")).ok_or_else(unknown)?;
    let principal = context.store.authenticate(&token.sha256_hex()).await?;
    Ok((token, principal.ok_or_else(unknown)?))
}

async fn hub(context: &Context, principal: &Principal) -> Result<u32, Failure> {
    let account = context.store.account(principal.account, context.clock.now()).await?;
    Ok(account.portal.number())
}

pub(crate) async fn read(
    State(context): State<Context>,
    texts: PathTexts,
    PublicUrl(base): PublicUrl,
) -> Result<Response, Failure> {
    let (token, principal) = known(&context, texts.get("token")).await?;
    let hub_id = hub(&context, &principal).await?;
    let user = match principal.caller {
        PrincipalKind::User { id, .. } => Some(context.store.user(principal.account, id).await?.email),
        PrincipalKind::Integration { .. } => None,
    };
    let view = TokenView {
        token: token.expose().to_owned(),
        user: user.filter(|email| !email.is_empty()),
        hub_domain: host(&base).to_owned(),
        scopes: SCOPES,
        hub_id,
        app_id: number(&principal),
        expires_in: EXPIRES_IN,
        user_id: number(&principal),
        token_type: "access",
    };
    respond(StatusCode::OK, &view)
}

pub(crate) async fn read_private_app(
    State(context): State<Context>,
    request: Request,
) -> Result<Response, Failure> {
    let input = json_of(request).await?;
    let text = input.get("tokenKey").and_then(Value::as_str);
    let text = text.ok_or_else(|| Failure::invalid("tokenKey: is required, as a text"))?;
    let (_, principal) = known(&context, text).await?;
    let hub_id = hub(&context, &principal).await?;
    let (user_id, app_id) = (number(&principal), number(&principal));
    respond(StatusCode::OK, &PrivateAppView { user_id, hub_id, app_id, scopes: SCOPES })
}

pub(crate) async fn refuse_grant() -> Failure {
    Failure::invalid(
        "This server issues no OAuth tokens. Create a token of an integration, and use it as the access token of a private \
         app.",
    )
}
