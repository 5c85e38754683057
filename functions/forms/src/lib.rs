//! The routes of an account's forms and of their rejected submissions.

mod forms;
mod rejected;

use api::{Context, Routes, routes};

/// Returns the routes with their OpenAPI descriptions.
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

/// Returns the router that `main` runs and the local stack merges. [`Context::public_url`] is the base of the forms'
/// `submit_url` and `webhook_url`.
pub fn router(context: Context) -> axum::Router {
    api::router::routes(api(), context)
}

/// Returns the OpenAPI document of these routes alone.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    api::openapi::describe(api())
}
