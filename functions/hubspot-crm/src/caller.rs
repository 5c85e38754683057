//! The caller of a request. The function checks the bearer token itself: API Gateway answers 403 to a token that an
//! authorizer refuses, and programs take that for a missing scope.

use api::Context;
use api::token::bearer;
use axum::extract::{FromRef, FromRequestParts};
use domain::permission::Principal;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::envelope::{Category, Failure};

/// A user or an integration of an account.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Principal);

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Context: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(bearer).ok_or_else(unauthenticated)?;
        let principal = Context::from_ref(state).store.authenticate(&token.sha256_hex()).await?;
        principal.map(Self).ok_or_else(unauthenticated)
    }
}

/// Returns the refusal of a request without a valid token.
pub(crate) fn unauthenticated() -> Failure {
    let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find \
                   more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview";
    Failure::new(Category::InvalidAuthentication, message)
}
