//! The address at which callers reach the API.

use std::convert::Infallible;

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;

use crate::context::Context;

/// The address through which API Gateway received the request, without a slash at its end. API Gateway writes it into
/// the event, and accepts a request only for a domain of its own. So it is not the caller's to choose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GatewayUrl(pub String);

/// The base of the addresses in responses, without a slash at its end: the configured one, or else the one through which
/// the request came. Empty if neither is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicUrl(pub String);

impl<S> FromRequestParts<S> for PublicUrl
where
    S: Sync,
    Context: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let configured = Context::from_ref(state).public_url.map(|url| url.to_string());
        let gateway = || parts.extensions.get().map(|GatewayUrl(url)| url.clone());
        Ok(Self(configured.or_else(gateway).unwrap_or_default()))
    }
}
