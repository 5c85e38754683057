//! The list of contacts: finding, selecting, and acting on the selected ones.

mod confirm;
mod dialog;
mod export;
mod filters;
mod found;
mod list;
mod selected;
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

/// The path of the list.
const LIST: &str = "/console/contacts";

/// Returns the routes of the list and of the dialogs over it.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/console/contacts", get(show))
        .route("/console/contacts/search", post(search))
        .route("/console/contacts/filter", get(show_filter).post(filter))
        .route("/console/contacts/preview", get(confirm::show_preview).post(confirm::preview))
        .route("/console/contacts/add-to-list", post(confirm::add_to_list))
        .route("/console/exports", post(export::create))
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

/// Leads to the page with what a button of the filter asks for, or answers at once if the view may not stand in an
/// address.
async fn asked_in_filter(signed: &Signed, view: &View, button: &str) -> Response {
    if view.is_shareable() {
        let query = View { after: None, ..view.clone() }.path(None);
        let query = query.strip_prefix(LIST).unwrap_or_default().trim_start_matches('?');
        return Redirect::to(&format!("{LIST}/filter?{button}=1&{query}")).into_response();
    }
    answer_in_filter(signed, view.clone(), button).await
}

/// Shows the filter with another row, or the dialog that saves it.
async fn answer_in_filter(signed: &Signed, mut view: View, button: &str) -> Response {
    if button == "save" {
        return signed.finish(confirm::save_segment(signed, &view).await);
    }
    view.rows.push(Row::default());
    signed.finish(list::page(signed, &view, &Ticks::default()).await)
}

/// Shows what a button of the filter has asked for, or else the contacts of the view.
async fn show_filter(signed: Signed, RawQuery(query): RawQuery) -> Response {
    let typed = Typed::parse(query.unwrap_or_default().as_bytes());
    let view = View::parse(&typed);
    match ["add", "save"].into_iter().find(|button| typed.has(button)) {
        Some(button) => answer_in_filter(&signed, view, button).await,
        None => Redirect::to(&view.path(view.after)).into_response(),
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
        return asked_in_filter(&signed, &view, "add").await;
    } else if typed.has("save") {
        return asked_in_filter(&signed, &view, "save").await;
    }
    if view.is_shareable() {
        return Redirect::to(&view.path(view.after)).into_response();
    }
    let shown = list::page(&signed, &view, &Ticks::default()).await;
    signed.finish(shown)
}
