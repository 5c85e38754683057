//! The routes of contacts: changes, reads, searches, explanations and eligibility checks.

mod body;
mod change;
mod eligibility;
mod explain;
mod find;
mod intake;
mod order;
mod properties;
mod save;
mod search;

use api::{Context, Routes, openapi, routes};
use axum::Router;
use utoipa::openapi::OpenApi;

/// The routes and their description, declared once.
fn api() -> impl Routes<Context> {
    routes!(
        save::create_contact,
        find::list_contacts,
        save::upsert_contact,
        find::get_contact_by_email,
        find::get_contact,
        change::update_contact,
        change::delete_contact,
        explain::explain_marketing,
        properties::list_property_changes,
        properties::undo_property_change,
        search::search_contacts,
        eligibility::check_eligibility
    )
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
