//! The pages.

mod automations;
mod clock;
mod contact;
mod contacts;
pub(crate) mod exports;
mod forms;
mod imports;
pub(crate) mod jobs;
mod overview;
mod review;
mod segments;
mod settings;
mod statements;
mod transfers;
mod usage;

use axum::Router;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use http::{Method, StatusCode};
use maud::html;

use crate::frame::{Page, Section};
use crate::signed::Signed;
use crate::{Console, HOME, text};

/// Returns the routes of all pages.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/console", get(overview::show))
        .route("/console/clock", post(clock::advance))
        .route("/console/usage", get(usage::show))
        .merge(automations::routes())
        .merge(contact::routes())
        .merge(contacts::routes())
        .merge(exports::routes())
        .merge(forms::routes())
        .merge(imports::routes())
        .merge(jobs::routes())
        .merge(review::routes())
        .merge(segments::routes())
        .merge(settings::routes())
        .merge(statements::routes())
}

/// Leads from the path of an act, which only takes forms, to the page above it. A browser asks for such a path if a
/// person reloads the address of a page that has answered a form.
pub(crate) async fn lead_back(request: Request, next: Next) -> Response {
    let above = request.uri().path().rsplit_once('/').map_or(HOME, |(above, _)| above);
    let above = if above.starts_with(HOME) { above.to_owned() } else { HOME.to_owned() };
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    let response = next.run(request).await;
    if is_read && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        return Redirect::to(&above).into_response();
    }
    response
}

/// Returns the page for a path that does not exist.
pub(crate) async fn unknown(signed: Signed) -> Response {
    let page = Page::new(
        Section::None,
        text::NOT_FOUND,
        html! { p { (text::NO_SUCH_PAGE) " " a href=(HOME) { (text::OVERVIEW) } } },
    );
    signed.finish(Ok(page.with_status(StatusCode::NOT_FOUND)))
}
