//! The shared parts of the OpenAPI 3.1 document, and the merge of all functions' descriptions into it.
//!
//! A function declares what is specific to its operations: paths, parameters, bodies, responses and its own refusals.
//! [`describe`] derives the rest in one place: the refusals that follow from what an operation reads, and the format of
//! ids.

mod ids;
mod refusals;

use utoipa::openapi::path::{HttpMethod, Operation, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Server};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::problem::{FieldError, ProblemDocument};
use crate::routes::Routes;

pub use self::refusals::GatewayMessage;

/// The tags that group operations, each with its description. Every route has one of them.
pub const TAGS: &[(&str, &str)] = &[
    ("Accounts", "All accounts and the terms of their contracts, for the operator."),
    ("Account", "The account, its usage, its statements and a sandbox's clock."),
    ("Users", "Users and bearer tokens."),
    ("Contacts", "Contacts and their search."),
    ("Marketing state", "Setting contacts as marketing, queueing them to leave, and explaining their state."),
    ("Segments", "Stored filters and static lists of contacts."),
    ("Automations", "Automations, which enrol contacts as they change, with a budget and a brake."),
    ("Many at once", "Previews and jobs for many contacts, and the review of marketing contacts."),
    ("Forms", "Forms and their submissions."),
    ("Imports and exports", "Files whose rows become contacts, and files with contacts."),
    ("Description", "This document."),
];

/// The header of every request that changes something.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes the header that MutationRequest reads")]
pub struct IdempotencyKey {
    /// A key that identifies the request. For 24 hours, the same request with the same key receives the first response
    /// again. Another request with the same key is refused.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$",
        nullable = false
    )]
    idempotency_key: Option<String>,
}

/// The header of a change to a contact.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes the header that MutationRequest reads")]
pub struct IfMatch {
    /// The `ETag` of the version to change, or `*` for any version. The response is 412 if the contact has another
    /// version, or if the request would create the contact.
    #[param(rename = "If-Match", pattern = r#"^(\*|(W/)?"[!#-~]*")$"#, nullable = false)]
    if_match: Option<String>,
}

/// Returns the description of routes, with everything that is derived from it.
///
/// An operation declares a refusal of its own as a response whose description is the slug of the problem, or several
/// slugs with commas: `(status = 409, description = "contact-exists")`. An operation with a `default` response sends
/// refusals in the format of another API, and reads requests as tolerantly as that API does.
#[must_use]
pub fn describe<S>(api: impl Routes<S>) -> OpenApi {
    let mut document = document().merge_from(api.describe());
    let mut components = document.components.take().unwrap_or_default();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            ids::describe_path(path, operation);
            refusals::list(&method, operation, &mut components);
        }
    }
    ids::describe_fields(&mut components);
    document.components = Some(components);
    document
}

/// Returns the schema of a text that is one of `words`.
#[must_use]
pub fn one_of(words: impl IntoIterator<Item = &'static str>, description: &str) -> Schema {
    let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
    schema.description(Some(description)).build().into()
}

/// Merges the documents of all functions into one.
#[must_use]
pub fn merged(documents: impl IntoIterator<Item = OpenApi>) -> OpenApi {
    documents.into_iter().fold(document(), OpenApi::merge_from)
}

/// Returns the document without any paths.
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
            "Marketing contacts as a service. A contact becomes marketing at once, leaves at the update date and is \
             counted exactly. Times are RFC 3339 in UTC with milliseconds. Ids are opaque. Unknown fields are errors.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let tags = TAGS
        .iter()
        .map(|(name, description)| TagBuilder::new().name(*name).description(Some(*description)).build());
    let mut here = Server::new("/");
    here.description = Some("The deployment that serves this document.".to_owned());
    let mut local = Server::new("http://127.0.0.1:8787");
    local.description = Some("The local stack.".to_owned());
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([here, local]))
        .components(Some(
            ComponentsBuilder::new()
                .security_scheme("bearer", scheme("The token of a user or an integration of one account."))
                .security_scheme("operator", scheme("The deployment's operator token."))
                .schema(ProblemDocument::name(), ProblemDocument::schema())
                .schema(FieldError::name(), FieldError::schema())
                .schema(GatewayMessage::name(), GatewayMessage::schema())
                .build(),
        ))
        .security(Some([SecurityRequirement::new("bearer", Vec::<String>::new())]))
        .tags(Some(tags))
        .build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Patch, &mut item.patch),
        (HttpMethod::Delete, &mut item.delete),
        (HttpMethod::Options, &mut item.options),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Returns true unless the operation is public.
fn needs_token(operation: &Operation) -> bool {
    operation.security.as_deref() != Some(&[SecurityRequirement::default()])
}

#[cfg(test)]
mod tests;
