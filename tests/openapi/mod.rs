//! The OpenAPI document against everything that it speaks of: the functions, the template, what is read, and what is
//! answered.

mod answers;
mod document;
pub(crate) mod operations;
mod parameters;
mod schema;

use utoipa::openapi::OpenApi;

/// Each HTTP function, by its folder, with the description of its routes.
fn functions() -> [(&'static str, OpenApi); 6] {
    [
        ("account", account::openapi()),
        ("contacts", contacts::openapi()),
        ("form-submission", form_submission::openapi()),
        ("forms", forms::openapi()),
        ("set-marketing", set_marketing::openapi()),
        ("set-non-marketing-pending", set_non_marketing_pending::openapi()),
    ]
}

/// The document of all functions.
fn merged() -> OpenApi {
    api::openapi::merged(functions().map(|(_, document)| document))
}
