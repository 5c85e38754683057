//! Submissions of forms: public routes that pages post to. A submission becomes a contact, or updates one, with the
//! marketing status that the form gives.

mod answer;
mod answers;
mod cors;
mod hubspot;
mod person;
mod providers;
mod sent;
mod submit;

use api::{Context, openapi};
use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes and their description, declared once.
fn api() -> OpenApiRouter<Context> {
    openapi::router()
        .routes(routes!(submit::submit_form, submit::preflight_form))
        .routes(routes!(hubspot::submit_as_hubspot, hubspot::preflight_as_hubspot))
        .routes(routes!(hubspot::submit_as_hubspot_securely))
}

/// The router that `main` runs and the local stack merges.
pub fn router(context: Context) -> Router {
    api::router::routes(api(), context)
}

/// The OpenAPI document of these routes alone.
#[must_use]
pub fn openapi() -> OpenApi {
    openapi::describe(api())
}
