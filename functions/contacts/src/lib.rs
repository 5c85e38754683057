//! Contacts: making and changing them, finding them, and saying why they are what they are.

mod body;
mod change;
mod eligibility;
mod explain;
mod find;
mod intake;
mod save;
mod search;

use api::{Context, openapi};
use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes and their description, declared once.
fn api() -> OpenApiRouter<Context> {
    openapi::router()
        .routes(routes!(save::create, find::list))
        .routes(routes!(save::save_by_email, find::by_email))
        .routes(routes!(find::by_id, change::change, change::delete))
        .routes(routes!(explain::explain))
        .routes(routes!(search::search))
        .routes(routes!(eligibility::check))
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
