//! The refusals of each operation, by status and slug.

use std::collections::BTreeMap;

use http::StatusCode;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterIn};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{AllOfBuilder, AnyOfBuilder, Components, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Content, Ref, RefOr};
use utoipa::{IntoParams as _, ToSchema};

use super::{IdempotencyKey, needs_token};
use crate::problem::{PROBLEM_JSON, ProblemDocument, ProblemType, type_of};

/// A response of API Gateway itself, before or instead of a function: if its authorizer rejects the request, if the
/// request is too large or above the rate, and if a function fails or exceeds its time.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes responses of API Gateway")]
pub struct GatewayMessage {
    /// The error in one or two words, such as `Unauthorized`.
    message: String,
}

/// The refusals of an operation with one status.
#[derive(Default)]
struct Refusals {
    slugs: Vec<ProblemType>,
    /// True if API Gateway also responds with this status.
    is_gateways: bool,
}

/// Replaces the declared refusals of an operation with all of its refusals.
pub(super) fn list(method: &HttpMethod, operation: &mut Operation, components: &mut Components) {
    let mut refusals: BTreeMap<u16, Refusals> = BTreeMap::new();
    for slug in derived(method, operation).into_iter().chain(declared(operation)) {
        let slugs = &mut refusals.entry(slug.status().as_u16()).or_default().slugs;
        if !slugs.contains(&slug) {
            slugs.push(slug);
        }
    }
    for status in gateways(operation) {
        refusals.entry(status.as_u16()).or_default().is_gateways = true;
    }
    let has_authorizer = needs_token(operation);
    let foreign = operation.responses.responses.remove("default");
    for (status, refusals) in refusals {
        let response = match &foreign {
            Some(RefOr::T(response)) => {
                let mut response = in_foreign_format(response.clone(), status, &refusals);
                if has_authorizer && status >= 500 {
                    // The local stack's authorizer fails with a problem document.
                    response.content.insert(PROBLEM_JSON.to_owned(), RefOr::T(problem(&refusals.slugs)));
                }
                RefOr::T(response)
            }
            _ => {
                let name = refusals.name(status);
                let response = refusals.response(status);
                components.responses.entry(name.clone()).or_insert(RefOr::T(response));
                RefOr::Ref(Ref::from_response_name(name))
            }
        };
        operation.responses.responses.insert(status.to_string(), response);
    }
}

/// Returns the refusals that follow from what an operation reads.
fn derived(method: &HttpMethod, operation: &Operation) -> Vec<ProblemType> {
    let has_token = needs_token(operation);
    let has_key = has_header(operation, &IdempotencyKey::into_params(|| None));
    let has_variable = parameters(operation).any(|parameter| parameter.parameter_in == ParameterIn::Path);
    // A request with a key is read to its end, because the body is part of its fingerprint.
    let reads_body = operation.request_body.is_some() || has_key;
    // A public operation that reads nothing of the request cannot fail.
    let can_fail = has_token || reads_body || has_variable;
    [
        (can_fail, ProblemType::InvalidRequest),
        (has_token, ProblemType::Unauthenticated),
        (has_token, ProblemType::PermissionDenied),
        // A PUT creates the resource if it does not exist.
        (has_variable && *method != HttpMethod::Put, ProblemType::NotFound),
        // Every change reads If-Match, and a tag that no version can have never matches.
        (has_key, ProblemType::VersionMismatch),
        (reads_body, ProblemType::PayloadTooLarge),
        (reads_body, ProblemType::UnsupportedMediaType),
        (has_key, ProblemType::IdempotencyKeyReused),
        (can_fail, ProblemType::Internal),
        (can_fail, ProblemType::Unavailable),
    ]
    .into_iter()
    .filter_map(|(applies, slug)| applies.then_some(slug))
    .collect()
}

/// Removes the declared refusals from the responses of an operation and returns them. A response whose description is
/// not a list of slugs is kept.
fn declared(operation: &mut Operation) -> Vec<ProblemType> {
    let mut found = Vec::new();
    operation.responses.responses.retain(|status, response| {
        let slugs = match response {
            RefOr::T(response) => slugs_of(&response.description),
            RefOr::Ref(_) => None,
        };
        let slugs = slugs.filter(|slugs| slugs.iter().all(|slug| slug.status().as_str() == status.as_str()));
        found.extend(slugs.iter().flatten());
        slugs.is_none()
    });
    found
}

fn slugs_of(description: &str) -> Option<Vec<ProblemType>> {
    let slug = |text: &str| ProblemType::ALL.iter().copied().find(|slug| slug.as_str() == text);
    description.split(", ").map(slug).collect()
}

/// Returns the statuses of the responses that API Gateway sends itself.
fn gateways(operation: &Operation) -> impl Iterator<Item = StatusCode> {
    let of_the_authorizer =
        needs_token(operation).then_some([StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN]);
    let of_all = [
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    of_the_authorizer.into_iter().flatten().chain(of_all)
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

fn has_header(operation: &Operation, header: &[Parameter]) -> bool {
    parameters(operation).any(|parameter| header.iter().any(|header| header.name == parameter.name))
}

impl Refusals {
    /// Returns the name of the response among the shared responses of the document.
    fn name(&self, status: u16) -> String {
        let slugs = self.slugs.iter().map(|slug| slug.as_str());
        let gateway = self.is_gateways.then_some("gateway");
        std::iter::once(&*status.to_string()).chain(slugs).chain(gateway).collect::<Vec<_>>().join(".")
    }

    /// Returns the titles of the problems, or the reason phrase of a status that only API Gateway sends.
    fn description(&self, status: u16) -> String {
        let titles: Vec<String> =
            self.slugs.iter().map(|slug| format!("`{}`: {}.", slug.as_str(), slug.title())).collect();
        if titles.is_empty() {
            let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
            return format!("{} (sent by API Gateway).", reason.unwrap_or("Refused"));
        }
        titles.join(" ")
    }

    fn response(&self, status: u16) -> Response {
        let mut response = ResponseBuilder::new().description(self.description(status));
        if !self.slugs.is_empty() {
            response = response.content(PROBLEM_JSON, problem(&self.slugs));
        }
        if self.is_gateways {
            response = response.content("application/json", content(gateway_message()));
        }
        let mut response = response.build();
        response.headers = headers(status);
        response
    }
}

/// Returns the content of a response with a problem document of one of these types.
fn problem(slugs: &[ProblemType]) -> Content {
    let types = slugs.iter().map(|slug| type_of(*slug));
    let kind = ObjectBuilder::new()
        .property("type", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(types)));
    let problem = RefOr::Ref(Ref::from_schema_name(ProblemDocument::name()));
    content(AllOfBuilder::new().item(problem).item(kind))
}

fn gateway_message() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(GatewayMessage::name()))
}

fn content(schema: impl Into<RefOr<Schema>>) -> Content {
    ContentBuilder::new().schema(Some(schema.into())).build()
}

/// Returns the response for one status in the format of another API. `response` is the declared default response.
fn in_foreign_format(mut response: Response, status: u16, refusals: &Refusals) -> Response {
    if refusals.slugs.is_empty() {
        return refusals.response(status);
    }
    response.description = format!("{} {}", refusals.description(status), response.description);
    response.headers = headers(status);
    let contents = response.content.values_mut().filter_map(|content| match content {
        RefOr::T(content) if refusals.is_gateways => Some(content),
        _ => None,
    });
    for content in contents {
        let foreign = content.schema.take();
        let either =
            foreign.into_iter().chain([gateway_message()]).fold(AnyOfBuilder::new(), AnyOfBuilder::item);
        content.schema = Some(either.into());
    }
    response
}

/// Returns the headers of a response with this status.
fn headers(status: u16) -> BTreeMap<String, RefOr<Header>> {
    let header = |kind: Type, description: &str| {
        let schema = ObjectBuilder::new().schema_type(kind).build();
        RefOr::T(HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build())
    };
    let found = match status {
        401 => Some(("WWW-Authenticate", header(Type::String, "The authentication scheme to use."))),
        503 => Some(("Retry-After", header(Type::Integer, "The number of seconds to wait before a retry."))),
        _ => None,
    };
    found.into_iter().map(|(name, header)| (name.to_owned(), header)).collect()
}
