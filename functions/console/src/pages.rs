//! The pages.

mod clock;
pub(crate) mod jobs;
mod overview;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use maud::html;

use crate::frame::{Page, Section};
use crate::signed::Signed;
use crate::{Console, text};

/// Returns the routes of all pages.
pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/console", get(overview::show)).route("/console/clock", post(clock::advance))
}

/// Returns the page for a path that does not exist.
pub(crate) async fn unknown(signed: Signed) -> Response {
    let page = Page::new(Section::None, text::NOT_FOUND, html! { p { (text::NO_SUCH_PAGE) } });
    signed.finish(Ok(page.with_status(StatusCode::NOT_FOUND)))
}
