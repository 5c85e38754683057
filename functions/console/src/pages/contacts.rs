//! The list of contacts: finding, selecting, and acting on the selected ones.

mod confirm;
mod dialog;
mod filters;
mod found;
mod list;
mod table;
pub(crate) mod view;

use axum::Router;
use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use domain::address::EmailAddress;
use store::{ContactRef, Refused, StoreError};

use self::found::Ticks;
use self::view::{Row, View};
use crate::Console;
use crate::request::Failure;
use crate::signed::Signed;
use crate::typed::Typed;

/// Returns the routes of the list and of the dialogs over it.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/console/contacts", get(show))
        .route("/console/contacts/search", post(search))
        .route("/console/contacts/filter", post(filter))
        .route("/console/contacts/preview", post(confirm::preview))
        .route("/console/contacts/add-to-list", post(confirm::add_to_list))
        .route("/console/jobs", post(confirm::create_job))
}

async fn show(signed: Signed, RawQuery(query): RawQuery) -> Response {
    let typed = Typed::parse(query.unwrap_or_default().as_bytes());
    let shown = list::page(&signed, &View::parse(&typed), &Ticks::default()).await;
    signed.finish(shown)
}

/// Finds an exact address, or shows the contacts with the words. Words with an `@` are answered by the post itself, so
/// that no address stands in an address of the browser.
async fn search(signed: Signed, typed: Typed) -> Response {
    let view = View { words: typed.get("q").to_owned(), ..View::parse(&Typed::default()) };
    match find(&signed, &view.words).await {
        Ok(Some(path)) => Redirect::to(&path).into_response(),
        Ok(None) if view.is_shareable() => Redirect::to(&view.path(None)).into_response(),
        Ok(None) => {
            let shown = list::page(&signed, &view, &Ticks::default()).await;
            signed.finish(shown)
        }
        Err(failure) => signed.finish(Err(failure)),
    }
}

/// Returns the path of the contact with exactly this address.
async fn find(signed: &Signed, words: &str) -> Result<Option<String>, Failure> {
    let Ok(email) = EmailAddress::parse(words) else { return Ok(None) };
    let found = signed.store().contact(signed.account.id, ContactRef::Email(email), signed.wall_clock).await;
    match found {
        Ok((contact, _)) => Ok(Some(format!("/console/contacts/{}", contact.id))),
        Err(StoreError::Refused(Refused::NotFound(_))) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Changes the rows of the filter, or applies them.
async fn filter(signed: Signed, typed: Typed) -> Response {
    let mut view = View::parse(&typed);
    if let Some(place) = typed.filled("drop").and_then(|place| place.parse::<usize>().ok()) {
        if (1..=view.rows.len()).contains(&place) {
            view.rows.remove(place - 1);
        }
    } else if typed.has("add") {
        // An empty row stands in no address, so this page is answered by the post.
        view.rows.push(Row::default());
        let shown = list::page(&signed, &view, &Ticks::default()).await;
        return signed.finish(shown);
    } else if typed.has("save") {
        let shown = confirm::save_segment(&signed, &view).await;
        return signed.finish(shown);
    }
    if view.is_shareable() && view.filter(None).is_ok() {
        return Redirect::to(&view.path(view.after)).into_response();
    }
    let shown = list::page(&signed, &view, &Ticks::default()).await;
    signed.finish(shown)
}
