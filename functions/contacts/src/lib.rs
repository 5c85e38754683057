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
        .routes(routes!(save::create_contact, find::list_contacts))
        .routes(routes!(save::save_contact, find::contact_by_email))
        .routes(routes!(find::contact, change::change_contact, change::delete_contact))
        .routes(routes!(explain::explain_marketing))
        .routes(routes!(search::search_contacts))
        .routes(routes!(eligibility::check_eligibility))
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
