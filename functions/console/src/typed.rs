//! The fields of a posted form, as a person typed them.

use std::fmt;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::StatusCode;

/// The fields of a posted form, in their order. A field may occur several times.
#[derive(Clone, Default)]
pub(crate) struct Typed(Vec<(String, String)>);

impl Typed {
    /// Parses `application/x-www-form-urlencoded` text, or a query.
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// Creates the fields of a form that was parsed.
    pub(crate) fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// Returns the first value of a field without the spaces around it. An absent field is empty.
    pub(crate) fn get<'t>(&'t self, name: &str) -> &'t str {
        let first = self.fields().find(|(field, _)| *field == name);
        first.map_or("", |(_, value)| value.trim())
    }

    /// Returns the first value of a field, unless it is empty.
    pub(crate) fn filled<'t>(&'t self, name: &str) -> Option<&'t str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Returns all values of a field.
    pub(crate) fn all<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Returns all fields in their order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns true if the form has the field, as for the button that was pressed.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields().any(|(field, _)| field == name)
    }
}

impl fmt::Debug for Typed {
    /// Omits the fields, because people type addresses and tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed")
    }
}

impl<S: Send + Sync> FromRequest<S> for Typed {
    type Rejection = StatusCode;

    async fn from_request(request: Request, state: &S) -> Result<Self, StatusCode> {
        let bytes = Bytes::from_request(request, state).await.map_err(|error| error.status())?;
        Ok(Self::parse(&bytes))
    }
}
