//! One import, and the acts on it.

use api::Problem;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::ids::ImportId;
use http::header::CONTENT_TYPE;
use maud::html;
use serde_json::json;
use store::{Import, ImportState, Refused, StoreError};

use super::columns::map_changed;
use super::options::Choices;
use super::preview::{self, Asked};
use super::result;
use super::shown::path;
use crate::frame::{Dialog, Page};
use crate::parts::key;
use crate::request::{Call, Failure};
use crate::signed::Signed;
use crate::text::imports as words;
use crate::typed::Typed;

/// Parses an id in a path. A text that is no id belongs to no import.
fn parse(id: &str) -> Result<ImportId, Failure> {
    id.parse().map_err(|_| Failure::Problem(Problem::not_found("import")))
}

async fn read(signed: &Signed, id: &str) -> Result<Import, Failure> {
    Ok(signed.store().import(signed.account.id, parse(id)?).await?)
}

pub(super) async fn show(signed: Signed, Path(id): Path<String>) -> Response {
    let shown = match read(&signed, &id).await {
        Ok(import) => page(&signed, &import, Asked::default()).await,
        Err(failure) => Err(failure),
    };
    signed.finish(shown)
}

async fn page(signed: &Signed, import: &Import, asked: Asked<'_>) -> Result<Page, Failure> {
    if import.state == ImportState::Created {
        return preview::page(signed, import, asked).await;
    }
    let list = list_name(signed, import).await?;
    Ok(result::page(signed, import, list.as_deref()))
}

/// Returns the name of the list to which an import adds contacts. `None` if there is none any more.
async fn list_name(signed: &Signed, import: &Import) -> Result<Option<String>, Failure> {
    let Some(list) = import.terms.add_to_segment else { return Ok(None) };
    match signed.store().segment(signed.account.id, list).await {
        Ok(segment) => Ok(Some(segment.name)),
        Err(StoreError::Refused(Refused::NotFound(_))) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns the progress for the script of the page, in one read beside those of the session.
pub(super) async fn progress(signed: Signed, Path(id): Path<String>) -> Response {
    match read(&signed, &id).await {
        Ok(import) => {
            let state = if import.state.is_finished() { import.state.as_str() } else { "running" };
            let done = import.summary.total();
            let body = json!({"done": done, "state": state, "is_counting": !result::shows_rows(&import)});
            ([(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
        }
        Err(failure) => signed.finish(Err(failure)),
    }
}

/// Changes the options, and shows how the file is read with them.
pub(super) async fn change(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let import = match read(&signed, &id).await {
        Ok(import) => import,
        Err(failure) => return signed.finish(Err(failure)),
    };
    let shown = match changed(&signed, &import, &typed).await {
        Ok(()) => return Redirect::to(&format!("{}?done=applied", path(import.id))).into_response(),
        Err(Failure::Refusal(refusal)) if !refusal.is_fault() => {
            page(&signed, &import, Asked { typed: Some(&typed), refusal: Some(&refusal) }).await
        }
        Err(failure) => Err(failure),
    };
    signed.finish(shown)
}

async fn changed(signed: &Signed, import: &Import, typed: &Typed) -> Result<(), Failure> {
    let mapping = Choices::of_import(import)?.mapping;
    let mut choices = Choices { mapping, ..Choices::of_form(typed) };
    map_changed(typed, &mut choices.mapping);
    let body = json!({"options": choices.json()});
    signed.call(Call::patch(format!("/v1/imports/{}", import.id), body).once(typed)).await?;
    Ok(())
}

pub(super) async fn start(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    act(signed, &id, "start", &typed).await
}

pub(super) async fn cancel(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    act(signed, &id, "cancel", &typed).await
}

/// Carries out an act without a body, and shows the import.
async fn act(signed: Signed, id: &str, act: &str, typed: &Typed) -> Response {
    let id = match parse(id) {
        Ok(id) => id,
        Err(failure) => return signed.finish(Err(failure)),
    };
    match signed.call(Call::act(format!("/v1/imports/{id}/{act}")).once(typed)).await {
        Ok(_) => Redirect::to(&path(id)).into_response(),
        Err(refusal) => signed.finish(Err(refusal.into())),
    }
}

/// Asks before an import is cancelled. One that has applied all of its rows is shown without the question.
pub(super) async fn ask_cancel(signed: Signed, Path(id): Path<String>) -> Response {
    let import = match read(&signed, &id).await {
        Ok(import) if !result::may_cancel(&import) => return Redirect::to(&path(import.id)).into_response(),
        Ok(import) => import,
        Err(failure) => return signed.finish(Err(failure)),
    };
    let shown = page(&signed, &import, Asked::default()).await;
    let dialog = cancellation(&signed, &import);
    signed.finish(shown.map(|page| page.with_dialog(dialog)))
}

fn cancellation(signed: &Signed, import: &Import) -> Dialog {
    let is_created = import.state == ImportState::Created;
    let (title, hint, stay, button) = if is_created {
        (words::DISCARD_TITLE, words::DISCARD_HINT, words::CANCEL, words::DISCARD)
    } else {
        (words::CANCEL_TITLE, words::CANCEL_HINT, words::GO_ON, words::CANCEL_REST)
    };
    let content = html! {
        p class="sentence" { (hint) }
        div class="foot" {
            (key(signed))
            a class="button" href=(path(import.id)) data-close { (stay) }
            button class="lose" { (button) }
        }
    };
    let action = format!("{}/cancel", path(import.id));
    Dialog { title: title.to_owned(), action, is_focused: true, content }
}

/// Leads to the file with the results. The link to it is a secret, so no page contains it.
pub(super) async fn rows(signed: Signed, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    let id = match parse(&id) {
        Ok(id) => id,
        Err(failure) => return signed.finish(Err(failure)),
    };
    let is_failed = Typed::parse(query.unwrap_or_default().as_bytes()).get("only") == "failed";
    let only = if is_failed { "?only=failed" } else { "" };
    match signed.file(Call::get(format!("/v1/imports/{id}/rows.csv{only}"))).await {
        Ok(response) => response,
        Err(refusal) => signed.finish(Err(refusal.into())),
    }
}
