//! Path parameters.

use axum::extract::{FromRequestParts, Path};
use domain::ids::Id;
use http::request::Parts;

use crate::problem::Problem;

/// The route's only path parameter, percent-decoded.
pub struct PathText(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            // The decoded text is not UTF-8.
            Err(_) => Err(Problem::invalid_field("path", "expected percent-encoded UTF-8")),
        }
    }
}

/// The route's two path parameters, percent-decoded.
pub struct PathTexts(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathTexts {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((first, second))) => Ok(Self(first, second)),
            // A decoded text is not UTF-8.
            Err(_) => Err(Problem::invalid_field("path", "expected percent-encoded UTF-8")),
        }
    }
}

/// The route's only path parameter as an id. A malformed id has exactly the same response as an unknown one.
pub struct PathId<T>(pub T);

impl<S: Send + Sync, T: Id> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let PathText(text) = PathText::from_request_parts(parts, state).await?;
        text.parse().map(Self).map_err(|_| Problem::not_found(T::NOUN))
    }
}

/// The route's two path parameters as ids. The second identifies the requested resource, so a path with a malformed id
/// has exactly the same response as a path with an unknown second id.
pub struct PathIds<A, B>(pub A, pub B);

impl<S: Send + Sync, A: Id, B: Id> FromRequestParts<S> for PathIds<A, B> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let PathTexts(first, second) = PathTexts::from_request_parts(parts, state).await?;
        match (first.parse(), second.parse()) {
            (Ok(first), Ok(second)) => Ok(Self(first, second)),
            _ => Err(Problem::not_found(B::NOUN)),
        }
    }
}
