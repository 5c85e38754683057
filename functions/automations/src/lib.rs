//! The routes of automations, which enrol contacts as they change, and set them marketing or queue them to leave.

mod automations;
mod body;
mod runs;
mod view;

use api::{Context, Queue, Routes, WithQueue, openapi, routes};
use axum::Router;
use store::BulkTask;
use utoipa::openapi::OpenApi;

/// The state of the routes. The queue receives the accounts with jobs that enrol existing contacts. The automations'
/// own work follows from the change feed.
type Automations = WithQueue<BulkTask>;

/// Returns the routes with their OpenAPI descriptions.
fn api() -> impl Routes<Automations> {
    routes!(
        automations::create_automation,
        automations::list_automations,
        automations::get_automation,
        automations::update_automation,
        automations::delete_automation,
        automations::resume_automation,
        automations::test_automation,
        runs::list_automation_runs
    )
}

/// Returns the router that `main` runs and the local stack merges.
pub fn router(context: Context, queue: Queue<BulkTask>) -> Router {
    api::router::routes(api(), WithQueue { context, queue })
}

/// Returns the OpenAPI document of these routes alone.
#[must_use]
pub fn openapi() -> OpenApi {
    openapi::describe(api())
}
