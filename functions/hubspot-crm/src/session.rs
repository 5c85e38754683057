//! A request's caller, with the parts of the account that the request needs.

use api::Context;
use axum::extract::{FromRef, FromRequestParts};
use domain::Timestamp;
use domain::ids::AccountId;
use domain::permission::Principal;
use http::request::Parts;
use store::StoreError;

use crate::caller::Caller;
use crate::definitions::Definitions;
use crate::envelope::Failure;
use crate::input::PropertyErrors;

/// An authenticated request.
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
        let Caller(principal) = Caller::from_request_parts(parts, state).await?;
        Ok(Self { context: Context::from_ref(state), principal })
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
