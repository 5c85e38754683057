//! The routes of changes to many contacts: previews, jobs and the review of marketing contacts.

mod body;
mod jobs;
mod preview;
mod view;

use api::{Context, Queue, Routes, WithQueue, openapi, routes};
use axum::Router;
use store::BulkTask;
use utoipa::openapi::OpenApi;

/// The state of the routes. The queue receives the accounts with unfinished jobs.
type Bulk = WithQueue<BulkTask>;

/// Returns the routes with their OpenAPI descriptions.
fn api() -> impl Routes<Bulk> {
    routes!(
        preview::preview_bulk_change,
        preview::review_marketing_contacts,
        jobs::create_bulk_job,
        jobs::list_bulk_jobs,
        jobs::get_bulk_job,
        jobs::cancel_bulk_job
    )
}

/// Returns the router that `main` runs and the local stack merges. `queue` receives the account of every new job.
pub fn router(context: Context, queue: Queue<BulkTask>) -> Router {
    api::router::routes(api(), WithQueue { context, queue })
}

/// Returns the OpenAPI document of these routes alone.
#[must_use]
pub fn openapi() -> OpenApi {
    openapi::describe(api())
}
