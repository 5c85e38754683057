//! The pages.

mod clock;
mod contact;
mod contacts;
mod forms;
pub(crate) mod jobs;
mod overview;
mod review;
mod segments;
mod settings;
mod statements;

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
    Router::new()
        .route("/console", get(overview::show))
        .route("/console/clock", post(clock::advance))
        .merge(contact::routes())
        .merge(contacts::routes())
        .merge(forms::routes())
        .merge(jobs::routes())
        .merge(review::routes())
        .merge(segments::routes())
        .merge(settings::routes())
        .merge(statements::routes())
}

/// Returns the page for a path that does not exist.
pub(crate) async fn unknown(signed: Signed) -> Response {
    let page = Page::new(Section::None, text::NOT_FOUND, html! { p { (text::NO_SUCH_PAGE) } });
    signed.finish(Ok(page.with_status(StatusCode::NOT_FOUND)))
}
