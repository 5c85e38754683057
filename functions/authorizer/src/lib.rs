//! The authorizer: resolves the bearer token of a request to an identity for API Gateway. The token is looked up by its
//! SHA-256, because only the digest is stored.

use std::hint::black_box;

use api::identity::{Identity, to_context};
use api::token::bearer;
use aws_lambda_events::apigw::{
    ApiGatewayV2CustomAuthorizerSimpleResponse, ApiGatewayV2CustomAuthorizerV2Request,
};
use serde_json::{Map, Value};
use store::{Store, StoreError};

/// Resolves an `Authorization` header to an identity. Returns `None` if the token is missing or unknown.
/// `operator_sha256` contains the digest of the operator's token, and that of the next one while it is replaced.
///
/// # Errors
///
/// [`StoreError`] if the table cannot be read.
pub async fn authorize(
    store: &Store,
    operator_sha256: &[String],
    authorization: Option<&str>,
) -> Result<Option<Identity>, StoreError> {
    let Some(token) = authorization.and_then(bearer) else { return Ok(None) };
    let digest = token.sha256_hex();
    // Every digest is compared, so that the time does not depend on which one it is.
    if operator_sha256.iter().fold(false, |found, operator| same(operator, &digest) | found) {
        return Ok(Some(Identity::Operator));
    }
    Ok(store.authenticate(&digest).await?.map(Identity::Account))
}

/// Handles an event of API Gateway (payload 2.0, simple responses).
///
/// # Errors
///
/// [`StoreError`] if the table cannot be read. API Gateway then answers 500, and calls the authorizer again for the
/// next request.
pub async fn handle(
    store: &Store,
    operator_sha256: &[String],
    request: &ApiGatewayV2CustomAuthorizerV2Request,
) -> Result<ApiGatewayV2CustomAuthorizerSimpleResponse<Map<String, Value>>, StoreError> {
    let authorization = request.headers.get("authorization").and_then(|value| value.to_str().ok());
    let identity = authorize(store, operator_sha256, authorization).await?;
    let mut response = ApiGatewayV2CustomAuthorizerSimpleResponse::default();
    response.is_authorized = identity.is_some();
    response.context = identity.as_ref().map(to_context).unwrap_or_default();
    Ok(response)
}

/// Compares two digests in a time that does not depend on the position of the first difference.
fn same(one: &str, other: &str) -> bool {
    let difference = one.bytes().zip(other.bytes()).fold(0, |found, (a, b)| black_box(found | (a ^ b)));
    one.len() == other.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_the_same_only_if_every_digit_is() {
        let digest = api::token::sha256_hex(b"tmk_operator");
        assert!(same(&digest, &digest.clone()));
        for at in [0, 31, 63] {
            let mut other = digest.clone().into_bytes();
            other[at] ^= 1;
            assert!(!same(&digest, &String::from_utf8(other).unwrap()), "digit {at}");
        }
        assert!(!same(&digest, &digest[..63]) && !same(&digest, "") && same("", ""));
    }
}
