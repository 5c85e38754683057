//! What the descriptions of all functions share, and how they become one OpenAPI 3.1 document.

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr};
use utoipa::{IntoParams, PartialSchema as _, ToSchema as _};

use crate::problem::{FieldError, PROBLEM_JSON, ProblemDocument};
use crate::routes::Routes;

/// The tags under which operations are grouped; a route names one of them.
pub const TAGS: &[(&str, &str)] = &[
    ("Accounts", "All accounts and the terms of their contracts, by the operator."),
    ("Account", "The account, its usage, its statements and a sandbox's clock."),
    ("Users", "Users and bearer tokens."),
    ("Contacts", "Contacts and their search."),
    (
        "Marketing state",
        "Setting contacts as marketing, queueing them to leave, and why they are what they are.",
    ),
    ("Forms", "Forms and what people send with them."),
    ("Description", "This document."),
];

/// The header of every request that changes something.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes the header that Request reads")]
pub struct IdempotencyKey {
    /// Names the request. The same key and request get the first answer again for 24 hours; the same key with another
    /// request is refused.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, nullable = false)]
    idempotency_key: Option<String>,
}

/// The header of a change to a contact.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes the header that Request reads")]
pub struct IfMatch {
    /// The `ETag` that the change is meant for, or `*` for any: 412 if the contact has another by now, or if one would be
    /// made.
    #[param(rename = "If-Match", nullable = false)]
    if_match: Option<String>,
}

/// The description of routes, with what all operations have in common.
#[must_use]
pub fn describe<S>(api: impl Routes<S>) -> OpenApi {
    let mut document = document().merge_from(api.describe());
    for item in document.paths.paths.values_mut() {
        operations(item).for_each(with_problems);
    }
    document
}

/// The schema of a text that is one of these words.
#[must_use]
pub fn one_of(words: impl IntoIterator<Item = &'static str>, description: &str) -> Schema {
    let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
    schema.description(Some(description)).build().into()
}

/// One document out of those of all functions.
#[must_use]
pub fn merged(documents: impl IntoIterator<Item = OpenApi>) -> OpenApi {
    documents.into_iter().fold(document(), OpenApi::merge_from)
}

/// The document without any paths.
fn document() -> OpenApi {
    let scheme = |description: &str| {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description = Some(description.to_owned());
        SecurityScheme::Http(scheme)
    };
    let info = InfoBuilder::new()
        .title("Tidemark")
        .version("1")
        .description(Some(
            "Marketing contacts: set at once, left at the update date, counted exactly. Times are RFC 3339 in UTC with \
             milliseconds, ids are opaque, and unknown fields are an error.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let tags = TAGS
        .iter()
        .map(|(name, description)| TagBuilder::new().name(*name).description(Some(*description)).build());
    OpenApiBuilder::new()
        .info(info)
        .components(Some(
            ComponentsBuilder::new()
                .security_scheme("bearer", scheme("The token of a user or an integration of one account."))
                .security_scheme("operator", scheme("The deployment's operator token."))
                .schema(ProblemDocument::name(), ProblemDocument::schema())
                .schema(FieldError::name(), FieldError::schema())
                .build(),
        ))
        .security(Some([SecurityRequirement::new("bearer", Vec::<String>::new())]))
        .tags(Some(tags))
        .build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete, &mut item.options]
        .into_iter()
        .filter_map(Option::as_mut)
}

/// Every operation may answer with a problem document instead.
fn with_problems(operation: &mut Operation) {
    let schema = RefOr::Ref(Ref::from_schema_name(ProblemDocument::name()));
    let response = ResponseBuilder::new()
        .description("A problem document (RFC 9457). Its `type` tells problems apart.")
        .content(PROBLEM_JSON, ContentBuilder::new().schema(Some(schema)).build())
        .build();
    operation.responses.responses.entry("default".to_owned()).or_insert(RefOr::T(response));
}
