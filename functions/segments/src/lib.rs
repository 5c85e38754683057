//! The routes of segments: stored filters, and static lists of contacts.

mod body;
mod segments;
mod view;

use api::{Context, Queue, Routes, WithQueue, openapi, routes};
use axum::Router;
use store::BulkTask;
use utoipa::openapi::OpenApi;

/// The state of the routes. The queue receives the accounts of deleted lists, whose members a job removes.
type Segments = WithQueue<BulkTask>;

/// Returns the routes with their OpenAPI descriptions.
fn api() -> impl Routes<Segments> {
    routes!(
        segments::create_segment,
        segments::list_segments,
        segments::get_segment,
        segments::update_segment,
        segments::delete_segment,
        segments::change_segment_members,
        segments::list_segment_contacts
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
