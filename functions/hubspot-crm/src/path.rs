//! The paths of requests. `HubSpot` has several for one operation, and clients write them in several ways.
//!
//! The versions by date and the version `v3` have the same bodies, so all of them lead to the routes of `v3`. The names
//! `contact`, `contacts` and `0-1` name the same type of object.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{FromRequestParts, Path, Request};
use axum::response::Response;
use http::Uri;
use http::request::Parts;
use http::uri::PathAndQuery;
use tower::Service;

use crate::envelope::Failure;

/// The first segments of all paths.
pub(crate) const ROOTS: [&str; 7] =
    ["account-info", "companies", "crm", "crm-object-schemas", "marketing", "oauth", "properties"];

/// The interfaces whose paths begin with `/crm/` and have a version by date.
const DATED: [&str; 8] =
    ["associations", "imports", "lists", "objects", "owners", "pipelines", "properties", "schemas"];

/// The router of the canonical paths, which receives requests of all spellings.
#[derive(Clone)]
pub(crate) struct Canonical(pub(crate) Router);

impl Service<Request> for Canonical {
    type Response = Response;
    type Error = Infallible;
    type Future = <Router as Service<Request>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.0, context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        if let Some(uri) = canonical_uri(request.uri()) {
            *request.uri_mut() = uri;
        }
        self.0.call(request)
    }
}

/// Returns the URI with the canonical path, or `None` if that is not a valid URI.
fn canonical_uri(uri: &Uri) -> Option<Uri> {
    let path = canonical(uri.path());
    let text = uri.query().map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

/// Returns the canonical spelling of a path: without empty segments, in version `v3`, with the type `contacts`.
pub(crate) fn canonical(path: &str) -> String {
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    // Schemas have two names.
    if let ["crm-object-schemas", _, "schemas", ..] = segments.as_slice() {
        segments.splice(..3, ["crm", "v3", "schemas"]);
    }
    match segments.as_mut_slice() {
        ["crm", interface, version, ..] if DATED.contains(interface) && is_dated(version) => {
            (*version, *interface) = (*interface, "v3");
        }
        ["account-info" | "marketing", version, ..] if is_dated(version) => *version = "v3",
        _ => {}
    }
    if let ["crm", "v3" | "v4", "objects" | "properties" | "schemas" | "associations", object, ..] =
        segments.as_mut_slice()
        && matches!(*object, "contact" | "0-1")
    {
        *object = "contacts";
    }
    format!("/{}", segments.join("/"))
}

/// Returns true for a version by date, such as `2026-03` or `2026-09-beta`.
fn is_dated(version: &str) -> bool {
    let date = version.strip_suffix("-beta").unwrap_or(version);
    date.len() == 7
        && date
            .bytes()
            .enumerate()
            .all(|(at, byte)| (at == 4) == (byte == b'-') && (at == 4 || byte.is_ascii_digit()))
}

/// The parameter `id` of a route, percent-decoded.
pub(crate) struct PathId(pub(crate) String);

/// The parameters of a route by name, percent-decoded.
pub(crate) struct PathTexts(BTreeMap<String, String>);

impl PathTexts {
    /// Returns a parameter. It is empty if the route has no such parameter.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathTexts {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        // The router around the routes has a parameter of its own, so there is always more than one.
        let path = Path::<BTreeMap<String, String>>::from_request_parts(parts, state).await;
        path.map(|Path(texts)| Self(texts)).map_err(|_| Failure::invalid("The path is not valid UTF-8"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        Ok(Self(PathTexts::from_request_parts(parts, state).await?.get("id").to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_leads_to_one_path() {
        for (given, expected) in [
            ("/crm/v3/objects/contacts", "/crm/v3/objects/contacts"),
            ("/crm/v3/objects/contacts/", "/crm/v3/objects/contacts"),
            ("//crm//v3/objects/contact/7", "/crm/v3/objects/contacts/7"),
            ("/crm/v3/objects/0-1/batch/read", "/crm/v3/objects/contacts/batch/read"),
            ("/crm/objects/2025-09/contacts/search", "/crm/v3/objects/contacts/search"),
            ("/crm/objects/2026-09-beta/0-1", "/crm/v3/objects/contacts"),
            ("/crm/properties/2026-03/contact/hs_lead_status", "/crm/v3/properties/contacts/hs_lead_status"),
            ("/crm/lists/2026-03", "/crm/v3/lists"),
            ("/crm/owners/2026-03/", "/crm/v3/owners"),
            ("/account-info/2026-03/details", "/account-info/v3/details"),
            ("/crm-object-schemas/v3/schemas/", "/crm/v3/schemas"),
            ("/crm-object-schemas/2026-03/schemas/contact", "/crm/v3/schemas/contacts"),
            ("/properties/v2/contact/properties", "/properties/v2/contact/properties"),
            (
                "/crm/v4/associations/contact/companies/batch/read",
                "/crm/v4/associations/contacts/companies/batch/read",
            ),
            ("/crm/v3/objects/deals", "/crm/v3/objects/deals"),
            ("/crm/objects/v3/contacts", "/crm/objects/v3/contacts"),
            ("/", "/"),
        ] {
            assert_eq!(canonical(given), expected, "{given}");
        }
    }

    #[test]
    fn version_is_a_year_and_a_month() {
        for version in ["2025-09", "2026-09-beta"] {
            assert!(is_dated(version), "{version}");
        }
        for version in ["v3", "2025", "2025-9", "2025-099", "202509-", "abcd-ef", "", "-beta"] {
            assert!(!is_dated(version), "{version}");
        }
    }

    #[test]
    fn query_is_kept() {
        let uri = Uri::from_static("//crm/v3/objects/contacts/?limit=5&after=0");
        assert_eq!(canonical_uri(&uri).unwrap(), "/crm/v3/objects/contacts?limit=5&after=0");
    }
}
