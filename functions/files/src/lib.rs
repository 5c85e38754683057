//! The routes of files: imports, exports, and the statements as CSV.

mod attached;
mod body;
mod download;
mod export_view;
mod exports;
mod import_view;
mod imports;
mod preview;
mod statements;

pub use imports::file_problem;

use api::{Context, Queue, Routes, openapi, routes};
use axum::Router;
use axum::extract::FromRef;
use file_store::Files;
use store::FileTask;
use utoipa::openapi::OpenApi;

/// The state of the routes: the context, the files, and the queue of imports and exports.
#[derive(Clone)]
pub struct Parts {
    /// The context of the handlers.
    pub context: Context,
    /// The files of imports and exports.
    pub files: Files,
    /// The queue that receives each import and export that starts.
    pub queue: Queue<FileTask>,
}

impl FromRef<Parts> for Context {
    fn from_ref(parts: &Parts) -> Self {
        parts.context.clone()
    }
}

impl FromRef<Parts> for api::Clock {
    fn from_ref(parts: &Parts) -> Self {
        parts.context.clock.clone()
    }
}

/// Returns the routes with their OpenAPI descriptions.
fn api() -> impl Routes<Parts> {
    routes!(
        imports::create_import,
        imports::list_imports,
        imports::get_import,
        imports::update_import,
        imports::start_import,
        imports::cancel_import,
        preview::preview_import,
        download::download_import_rows,
        exports::create_export,
        exports::list_exports,
        exports::get_export,
        exports::cancel_export,
        statements::download_statements,
        statements::download_statement_contacts
    )
}

/// Returns the router that `main` runs and the local stack merges.
pub fn router(parts: Parts) -> Router {
    api::router::routes(api(), parts)
}

/// Returns the OpenAPI document of these routes alone.
#[must_use]
pub fn openapi() -> OpenApi {
    openapi::describe(api())
}
