//! An authenticated request. The function checks the bearer token itself: API Gateway answers 403 to a token that an
//! authorizer refuses, and programs take that for a missing scope.

use api::Context;
use api::token::bearer;
use axum::extract::{FromRef, FromRequestParts};
use domain::Timestamp;
use domain::ids::AccountId;
use domain::permission::Principal;
use http::header::AUTHORIZATION;
use http::request::Parts;
use store::StoreError;

use crate::definitions::Definitions;
use crate::envelope::{Category, Failure};
use crate::input::PropertyErrors;

/// The user or integration of an account that a request's token names, with what the request needs of the account.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) context: Context,
    pub(crate) principal: Principal,
}

impl<S> FromRequestParts<S> for Session
where
    S: Send + Sync,
    Context: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(bearer).ok_or_else(unauthenticated)?;
        let context = Context::from_ref(state);
        let principal = context.store.authenticate(&token.sha256_hex()).await?;
        Ok(Self { context, principal: principal.ok_or_else(unauthenticated)? })
    }
}

impl Session {
    pub(crate) fn account(&self) -> AccountId {
        self.principal.account
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.context.clock.now()
    }

    /// Reads all definitions of the account's properties.
    pub(crate) async fn definitions(&self) -> Result<Definitions, Failure> {
        Definitions::load(&self.context, self.account()).await
    }

    /// Reads the definitions that these names need. Nothing is read if all of them are standard.
    pub(crate) async fn definitions_of<'n>(
        &self,
        names: impl Iterator<Item = &'n str> + Send,
    ) -> Result<Definitions, Failure> {
        Definitions::of(&self.context, self.account(), names).await
    }

    /// Returns the refusal of properties with errors. It contains the account's portal number.
    pub(crate) async fn refuse(&self, errors: &PropertyErrors) -> Failure {
        match self.portal().await {
            Ok(portal) => errors.refusal(portal),
            Err(error) => error.into(),
        }
    }

    /// Returns the account's portal number.
    pub(crate) async fn portal(&self) -> Result<u32, StoreError> {
        let account = self.context.store.account(self.account(), self.now()).await?;
        Ok(account.portal.number())
    }
}

/// Returns the refusal of a request without a valid token.
fn unauthenticated() -> Failure {
    let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find \
                   more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview";
    Failure::new(Category::InvalidAuthentication, message)
}
