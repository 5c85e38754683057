//! An account's forms, and the submissions of a form that could not be taken.

mod forms;
mod rejected;
mod web_address;

use api::{Context, Routes, routes};

/// The routes and their description, declared once.
fn api() -> impl Routes<Context> {
    routes!(
        forms::create_form,
        forms::list_forms,
        forms::get_form,
        forms::update_form,
        forms::delete_form,
        rejected::list_rejected_submissions,
        rejected::retry_rejected_submission,
        rejected::delete_rejected_submission
    )
}

/// The router that `main` runs and the local stack merges. [`Context::public_url`] is the address that forms are given.
pub fn router(context: Context) -> axum::Router {
    api::router::routes(api(), context)
}

/// The OpenAPI document of these routes alone.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    api::openapi::describe(api())
}
