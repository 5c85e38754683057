//! The OpenAPI document against the functions, the template, the parameters that are read, and the responses.

mod answers;
mod document;
pub(crate) mod operations;
mod parameters;
mod schema;

use utoipa::openapi::OpenApi;

/// Returns the HTTP functions by their folders, with the descriptions of their routes.
fn functions() -> [(&'static str, OpenApi); 10] {
    [
        ("account", account::openapi()),
        ("bulk-jobs", bulk_jobs::openapi()),
        ("contacts", contacts::openapi()),
        ("files", files::openapi()),
        ("form-submission", form_submission::openapi()),
        ("forms", forms::openapi()),
        ("segments", segments::openapi()),
        ("automations", automations::openapi()),
        ("set-marketing", set_marketing::openapi()),
        ("set-non-marketing-pending", set_non_marketing_pending::openapi()),
    ]
}

/// Returns the document of all functions.
fn merged() -> OpenApi {
    api::openapi::merged(functions().map(|(_, document)| document))
}
