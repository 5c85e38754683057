//! The console: pages for people, rendered on the server.
//!
//! A page reads through the store. A form on a page posts to the console, which carries the request out through the
//! API's own routes, in this process and with the identity of the person who is signed in. So the console can do what
//! the API can do and nothing else, with the same checks, the same permissions and the same texts of errors.
//!
//! - [`signed`] opens the session of a request, and [`sign_in`] begins and ends sessions.
//! - [`done`] tells of an act on the page to which it leads.
//! - [`request`] has the calls of the API, [`typed`] the fields that a person typed, [`posted`] a posted file.
//! - [`document`] has the head of every page, [`frame`] the parts around its content, [`pages`] the pages, and [`parts`]
//!   what pages have in common.
//! - [`language`] writes numbers and dates, [`text`] has all English texts.

mod assets;
mod chart;
mod document;
mod done;
mod frame;
mod language;
mod pages;
mod parts;
mod posted;
mod request;
mod security;
mod session;
mod sign_in;
mod signed;
mod text;
mod typed;

use std::sync::{Arc, LazyLock};

use api::{Context, Queue};
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Redirect;
use axum::routing::get;
use domain::limits::BODY_BYTES_MAX;
use file_store::Files;
use store::{BulkTask, FileTask};

/// The path under which all pages are.
pub const HOME: &str = "/console";

/// The parts that the console needs.
#[derive(Clone)]
pub struct Parts {
    /// The context of all handlers.
    pub context: Context,
    /// The queue of accounts with unfinished bulk jobs.
    pub bulk: Queue<BulkTask>,
    /// The files of imports and exports.
    pub files: Files,
    /// The queue of imports and exports that start.
    pub file_queue: Queue<FileTask>,
    /// True if browsers reach the console by HTTPS alone. Cookies are then kept from any other connection.
    pub is_secure: bool,
}

/// The state of the console's routes.
#[derive(Clone)]
struct Console {
    context: Context,
    files: Files,
    /// The API's routes, which carry out what people ask for. The first request that needs them builds them, because
    /// most starts only show a page.
    api: Arc<LazyLock<Router, Box<dyn FnOnce() -> Router + Send>>>,
    is_secure: bool,
}

impl FromRef<Console> for Context {
    fn from_ref(console: &Console) -> Self {
        console.context.clone()
    }
}

/// Returns the API's routes that people use by clicking.
fn api(parts: Parts) -> Router {
    let Parts { context, bulk, files, file_queue, .. } = parts;
    let files = files::Parts { context: context.clone(), files, queue: file_queue };
    account::router(context.clone())
        .merge(automations::router(context.clone(), bulk.clone()))
        .merge(bulk_jobs::router(context.clone(), bulk.clone()))
        .merge(contacts::router(context.clone()))
        .merge(files::router(files))
        .merge(forms::router(context.clone()))
        .merge(segments::router(context.clone(), bulk))
        .merge(set_marketing::router(context.clone()))
        .merge(set_non_marketing_pending::router(context))
}

/// Returns the router that `main` runs and the local stack merges.
pub fn router(parts: Parts) -> Router {
    let Parts { context, files, is_secure, .. } = parts.clone();
    let build: Box<dyn FnOnce() -> Router + Send> = Box::new(move || api(parts));
    let api = Arc::new(LazyLock::new(build));
    let routes = sign_in::routes()
        .merge(pages::routes())
        .route("/console/", get(async || Redirect::to(HOME)))
        .route("/console/{*path}", get(pages::unknown))
        .merge(assets::routes())
        .layer(from_fn(pages::lead_back))
        .layer(from_fn_with_state(is_secure, done::remember))
        .layer(from_fn(security::require_same_origin))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Console { context, files, api, is_secure });
    api::router::finished(routes.layer(from_fn(security::add_headers)))
}
