//! The caller's identity: the authorizer's context, its transport through API Gateway, and the extractors of handlers.
//!
//! The identity comes from the authorizer alone, never from a header, the path or the body. A handler without any of
//! these extractors is public. A handler with one of them responds 401 if no authorizer has set an identity.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::Response;
use domain::permission::{Principal, PrincipalKind, Role};
use http::request::Parts;
use lambda_http::request::RequestContext;
use serde_json::{Map, Value};

use crate::problem::{Problem, ProblemType};
use crate::public_url::GatewayUrl;

/// The party that a request acts for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Identity {
    /// The deployment's operator, who creates accounts and changes the terms of their contracts.
    Operator,
    /// A user or an integration of one account.
    Account(Principal),
}

impl Identity {
    /// Returns the scope in which an `Idempotency-Key` is unique: one for each account and one for the operator.
    #[must_use]
    pub fn scope(&self) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::Account(principal) => principal.account.to_string(),
        }
    }

    /// Returns a text that distinguishes the callers of one scope.
    #[must_use]
    pub fn caller(&self) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::Account(Principal { caller: PrincipalKind::User { id, .. }, .. }) => id.to_string(),
            Self::Account(Principal { caller: PrincipalKind::Integration { id, .. }, .. }) => id.to_string(),
        }
    }
}

/// Converts the identity to an authorizer's context: a flat object of strings and booleans, because API Gateway
/// forwards no other values.
#[must_use]
pub fn to_context(identity: &Identity) -> Map<String, Value> {
    let mut context = Map::new();
    let mut set = |name: &str, value: Value| context.insert(name.to_owned(), value);
    let Identity::Account(principal) = identity else {
        set("kind", "operator".into());
        return context;
    };
    set("account", principal.account.to_string().into());
    set("name", principal.name.clone().into());
    set("modify_marketing_contacts", principal.modify_marketing_contacts.into());
    match &principal.caller {
        PrincipalKind::User { id, role } => {
            set("kind", "user".into());
            set("user", id.to_string().into());
            set("role", role.as_str().into());
        }
        PrincipalKind::Integration { id, set_marketing } => {
            set("kind", "integration".into());
            set("integration", id.to_string().into());
            set("set_marketing", (*set_marketing).into());
        }
    }
    context
}

/// Parses the identity from a context of [`to_context`]. Returns `None` if any member is missing or malformed, so that
/// authorization fails closed.
#[must_use]
pub fn from_context(context: &Map<String, Value>) -> Option<Identity> {
    let text = |name: &str| context.get(name).and_then(Value::as_str);
    let caller = match text("kind")? {
        "operator" => return Some(Identity::Operator),
        "user" => {
            PrincipalKind::User { id: text("user")?.parse().ok()?, role: text("role")?.parse::<Role>().ok()? }
        }
        "integration" => PrincipalKind::Integration {
            id: text("integration")?.parse().ok()?,
            set_marketing: boolean(context.get("set_marketing")?)?,
        },
        _ => return None,
    };
    Some(Identity::Account(Principal {
        account: text("account")?.parse().ok()?,
        caller,
        name: text("name")?.to_owned(),
        modify_marketing_contacts: boolean(context.get("modify_marketing_contacts")?)?,
    }))
}

/// Parses a boolean or its text. API Gateway forwards booleans unchanged in payload 2.0 and as texts in other formats.
fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The gateway's id of the request, which problem documents and log lines contain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestId(pub String);

/// Reads the identity, the request's id and the API's address from the event's context. A layer for functions behind API Gateway.
pub async fn take_from_api_gateway(mut request: Request, next: Next) -> Response {
    let context = request.extensions_mut().remove::<RequestContext>();
    if let Some(RequestContext::ApiGatewayV2(context)) = context {
        let fields = context.authorizer.map(|authorizer| authorizer.fields).unwrap_or_default();
        if let Some(identity) = from_context(&fields.into_iter().collect()) {
            request.extensions_mut().insert(identity);
        }
        if let Some(id) = context.request_id {
            request.extensions_mut().insert(RequestId(id));
        }
        if let Some(domain) = context.domain_name {
            request.extensions_mut().insert(GatewayUrl(format!("https://{domain}")));
        }
    }
    next.run(request).await
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let identity = parts.extensions.get::<Self>().cloned();
        identity.ok_or_else(|| {
            Problem::new(ProblemType::Unauthenticated, "The request has no valid bearer token.")
        })
    }
}

/// Extracts the request's id. It is empty if the request has none.
impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self(String::new())))
    }
}

fn denied(detail: &str) -> Problem {
    Problem::new(ProblemType::PermissionDenied, detail)
}

/// A user or an integration of an account.
#[derive(Clone, Debug)]
pub struct AccountCaller(pub Principal);

impl<S: Sync> FromRequestParts<S> for AccountCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Identity::from_request_parts(parts, state).await? {
            Identity::Account(principal) => Ok(Self(principal)),
            Identity::Operator => {
                Err(denied("The operator's token manages accounts and does not act within one."))
            }
        }
    }
}

/// An admin of an account, who manages its users, tokens and settings.
#[derive(Clone, Debug)]
pub struct AdminCaller(pub Principal);

impl<S: Sync> FromRequestParts<S> for AdminCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let AccountCaller(principal) = AccountCaller::from_request_parts(parts, state).await?;
        if principal.is_admin() { Ok(Self(principal)) } else { Err(denied("Only an admin may do this.")) }
    }
}

/// A caller with the permission to set contacts as marketing and to queue them to leave.
#[derive(Clone, Debug)]
pub struct MarketingEditor(pub Principal);

impl<S: Sync> FromRequestParts<S> for MarketingEditor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let AccountCaller(principal) = AccountCaller::from_request_parts(parts, state).await?;
        require_modify_marketing_contacts(&principal)?;
        Ok(Self(principal))
    }
}

/// Checks the permission `modify_marketing_contacts`, for routes that require it only for some bodies.
///
/// # Errors
///
/// `permission-denied` without the permission.
pub fn require_modify_marketing_contacts(principal: &Principal) -> Result<(), Problem> {
    if principal.modify_marketing_contacts {
        Ok(())
    } else {
        Err(denied("This requires the permission modify_marketing_contacts."))
    }
}

/// The deployment's operator.
#[derive(Clone, Copy, Debug)]
pub struct Operator;

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Identity::from_request_parts(parts, state).await? {
            Identity::Operator => Ok(Self),
            Identity::Account(_) => Err(denied("Only the operator may do this.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::ids::{AccountId, IntegrationId, UserId};
    use serde_json::json;

    use super::*;

    fn principal(caller: PrincipalKind, modify_marketing_contacts: bool) -> Principal {
        Principal {
            account: AccountId::new(Timestamp::MIN, 1),
            caller,
            name: "Ada Ü.".into(),
            modify_marketing_contacts,
        }
    }

    fn user(role: Role) -> Identity {
        Identity::Account(principal(PrincipalKind::User { id: UserId::new(Timestamp::MIN, 2), role }, true))
    }

    fn every_identity() -> Vec<Identity> {
        let id = IntegrationId::new(Timestamp::MIN, 3);
        vec![
            Identity::Operator,
            user(Role::Member),
            user(Role::Admin),
            Identity::Account(principal(PrincipalKind::Integration { id, set_marketing: true }, false)),
            Identity::Account(principal(PrincipalKind::Integration { id, set_marketing: false }, true)),
        ]
    }

    #[test]
    fn identity_survives_the_context_of_api_gateway() {
        for identity in every_identity() {
            let context = to_context(&identity);
            assert!(context.values().all(|value| value.is_string() || value.is_boolean()));
            assert_eq!(from_context(&context), Some(identity.clone()));

            let as_text = context.into_iter().map(|(name, value)| match value {
                Value::Bool(value) => (name, json!(value.to_string())),
                value => (name, value),
            });
            assert_eq!(from_context(&as_text.collect()), Some(identity));
        }
    }

    #[test]
    fn incomplete_or_malformed_context_has_no_identity() {
        for identity in every_identity() {
            let context = to_context(&identity);
            for name in context.keys() {
                let mut lacking = context.clone();
                lacking.remove(name);
                assert_eq!(from_context(&lacking), None, "without {name}");
                let mut spoilt = context.clone();
                spoilt.insert(name.clone(), json!(7));
                assert_eq!(from_context(&spoilt), None, "with a number for {name}");
            }
        }
        assert_eq!(from_context(&Map::new()), None);
    }

    async fn statuses(identity: Option<Identity>) -> [u16; 4] {
        let mut parts = http::Request::new(()).into_parts().0;
        if let Some(identity) = identity {
            parts.extensions.insert(identity);
        }
        let status = |slug: ProblemType| slug.status().as_u16();
        [
            AccountCaller::from_request_parts(&mut parts, &())
                .await
                .map_or_else(|p| status(p.problem_type()), |_| 200),
            MarketingEditor::from_request_parts(&mut parts, &())
                .await
                .map_or_else(|p| status(p.problem_type()), |_| 200),
            AdminCaller::from_request_parts(&mut parts, &())
                .await
                .map_or_else(|p| status(p.problem_type()), |_| 200),
            Operator::from_request_parts(&mut parts, &())
                .await
                .map_or_else(|p| status(p.problem_type()), |_| 200),
        ]
    }

    #[tokio::test]
    async fn extractors_accept_only_permitted_callers() {
        assert_eq!(statuses(None).await, [401, 401, 401, 401]);
        assert_eq!(statuses(Some(Identity::Operator)).await, [403, 403, 403, 200]);
        assert_eq!(statuses(Some(user(Role::Member))).await, [200, 200, 403, 403]);
        assert_eq!(statuses(Some(user(Role::Admin))).await, [200, 200, 200, 403]);
        let caller = PrincipalKind::User { id: UserId::new(Timestamp::MIN, 2), role: Role::Admin };
        assert_eq!(statuses(Some(Identity::Account(principal(caller, false)))).await, [200, 403, 200, 403]);
        let caller =
            PrincipalKind::Integration { id: IntegrationId::new(Timestamp::MIN, 3), set_marketing: true };
        assert_eq!(statuses(Some(Identity::Account(principal(caller, true)))).await, [200, 200, 403, 403]);
    }
}
