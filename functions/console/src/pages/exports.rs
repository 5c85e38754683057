//! Exports: the list, and one export with its progress and its file.

use api::Problem;
use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use domain::ids::ExportId;
use domain::limits::ROWS_SHOWN;
use http::header::CONTENT_TYPE;
use maud::{Markup, html};
use serde_json::{Value, json};
use store::{Export, ExportState, SelectionKind};

use super::transfers::{EXPORTS, tabs};
use crate::Console;
use crate::frame::{Page, Section};
use crate::parts::{Detail, Tone, key, note, number, pager, size, time};
use crate::request::{Call, Failure};
use crate::signed::Signed;
use crate::text::{self, exports as words};
use crate::typed::Typed;

/// Returns the routes of exports. Their creation is a part of the list of contacts.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/console/exports", get(show_list))
        .route("/console/exports/{id}", get(show))
        .route("/console/exports/{id}/progress", get(progress))
        .route("/console/exports/{id}/file", get(file))
        .route("/console/exports/{id}/cancel", post(cancel))
}

fn path(id: ExportId) -> String {
    format!("{EXPORTS}/{id}")
}

/// Parses an id in a path. A text that is no id belongs to no export.
fn parse(id: &str) -> Result<ExportId, Failure> {
    id.parse().map_err(|_| Failure::Problem(Problem::not_found("export")))
}

async fn read(signed: &Signed, id: &str) -> Result<Export, Failure> {
    Ok(signed.store().export(signed.account.id, parse(id)?).await?)
}

/// Returns a state with its sign.
fn state(state: ExportState) -> Markup {
    let class = match state {
        ExportState::Reading | ExportState::Running => "state on",
        ExportState::Done => "state yes",
        ExportState::Cancelled => "state no",
        ExportState::Failed => "state halt",
    };
    html! { span class=(class) { (text::capitalized(words::state(state))) } }
}

/// Returns the description of an export's contacts.
pub(crate) fn name(export: &Export) -> String {
    match export.selection {
        Some(SelectionKind::Filter) => words::OF_FILTER.to_owned(),
        _ => export.name.clone(),
    }
}

/// Returns true if the export has a file that can be downloaded.
fn has_file(signed: &Signed, export: &Export) -> bool {
    export.state == ExportState::Done && export.kept_until > signed.wall_clock
}

async fn show_list(signed: Signed, RawQuery(query): RawQuery) -> Response {
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    let after = query.filled("after").and_then(|after| after.parse().ok());
    let shown = list(&signed, after).await;
    signed.finish(shown)
}

async fn list(signed: &Signed, after: Option<ExportId>) -> Result<Page, Failure> {
    let listing = signed.store().exports(signed.account.id, after, ROWS_SHOWN).await?;
    let next =
        listing.items.last().filter(|_| listing.more).map(|export| format!("{EXPORTS}?after={}", export.id));
    let content = html! {
        (tabs(EXPORTS))
        @if listing.items.is_empty() { p class="gap" { (words::NONE) } } @else {
            table class="stack gap" {
                caption class="vh" { (words::CAPTION) }
                thead { tr {
                    th scope="col" { (words::CONTACTS) }
                    th scope="col" { (words::STATE) }
                    th scope="col" { (words::FORMAT) }
                    th scope="col" class="n" { (words::ROWS) }
                    th scope="col" class="n" { (words::SIZE) }
                    th scope="col" { (words::CREATED) }
                    th scope="col" { (words::FILE) }
                } }
                tbody { @for export in &listing.items { (row(signed, export)) } }
            }
        }
        (pager("", after.map(|_| EXPORTS), next.as_deref()))
    };
    Ok(Page::new(Section::Files, text::FILES, content))
}

fn row(signed: &Signed, export: &Export) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(path(export.id)) { (name(export)) } }
            td data-label=(words::STATE) { (state(export.state)) }
            td data-label=(words::FORMAT) { (words::format(export.format)) }
            td data-label=(words::ROWS) class="n" { (number(signed, export.rows)) }
            td data-label=(words::SIZE) class="n" {
                (export.bytes.map(|bytes| size(signed, bytes)).unwrap_or_default())
            }
            td data-label=(words::CREATED) { (time(signed, export.created_at, Detail::Short)) }
            td data-label=(words::FILE) {
                @if has_file(signed, export) {
                    a href={ (path(export.id)) "/file" } {
                        (words::DOWNLOAD) span class="vh" { (words::of_file(&name(export))) }
                    }
                }
            }
        }
    }
}

async fn show(signed: Signed, Path(id): Path<String>) -> Response {
    let shown = read(&signed, &id).await.map(|export| page(&signed, &export));
    signed.finish(shown)
}

fn page(signed: &Signed, export: &Export) -> Page {
    let title = words::title(&name(export));
    let head = html! {
        p class="trail" { a href=(EXPORTS) { (text::FILES) } " / " (words::state(export.state)) }
        h1 { (title) }
        @if has_file(signed, export) {
            a class="button act" href={ (path(export.id)) "/file" } { (words::DOWNLOAD) }
        } @else if !export.state.is_finished() {
            form method="post" action={ (path(export.id)) "/cancel" } {
                (key(signed)) button class="lose" { (words::CANCEL) }
            }
        }
    };
    let content = html! {
        @if export.state.is_finished() { (sentence(signed, export)) } @else { (running(signed, export)) }
        (about(signed, export))
    };
    Page::new(Section::Files, title, content).with_head(head)
}

/// Returns the progress, which the script of the page keeps up to date.
fn running(signed: &Signed, export: &Export) -> Markup {
    let whole = export.matched.or(export.counted);
    html! {
        section aria-labelledby="progress" data-poll={ (path(export.id)) "/progress" }
            data-counting[whole.is_none()] {
            h2 id="progress" class="vh" { (words::PROGRESS) }
            p class="sentence" aria-live="polite" {
                @match whole {
                    Some(whole) => {
                        b { span data-done { (number(signed, export.rows)) } (words::of_done(&number(signed, whole))) }
                    }
                    None if export.state == ExportState::Reading => { b { (words::BEING_READ) } }
                    None => { b { (words::written(&text::counted(export.rows, &number(signed, export.rows), "contact"))) } }
                }
            }
            @if let Some(whole) = whole {
                progress class="gap" max=(whole) value=(export.rows) aria-labelledby="progress" {}
            } @else {
                progress class="gap" aria-labelledby="progress" {}
            }
            p class="quiet gap" { (words::CLOSE_PAGE) }
        }
    }
}

fn sentence(signed: &Signed, export: &Export) -> Markup {
    let contacts = |count| text::counted(count, &number(signed, count), "contact");
    html! {
        p class="sentence" role="status" {
            (state(export.state))
            @if let Some(at) = export.finished_at { ", " (time(signed, at, Detail::Time)) }
            ". "
            @match export.state {
                ExportState::Done => {
                    b { (words::written(&contacts(export.rows))) "." }
                    @if let Some(missing) = export.without_row().filter(|missing| *missing > 0) {
                        " " (words::without_row(&contacts(missing), missing == 1))
                    }
                }
                ExportState::Failed => {}
                _ => { (words::CANCELLED) }
            }
        }
        @if export.state == ExportState::Done && !has_file(signed, export) {
            p class="gap" { (words::DELETED) }
        }
        @if export.state == ExportState::Failed {
            div class="gap" {
                (note(Tone::Fault, &html! {
                    p { b { (words::FAILED) } @if let Some((_, message)) = &export.problem { " " (text::sentence(message)) } }
                }))
            }
        }
    }
}

fn about(signed: &Signed, export: &Export) -> Markup {
    html! {
        section aria-labelledby="about" {
            h2 id="about" { (words::ABOUT) }
            dl class="facts narrow" {
                div { dt { (words::CONTACTS) } dd { (name(export)) } }
                div { dt { (words::FORMAT) } dd { (words::format(export.format)) } }
                @if let Some(bytes) = export.bytes { div { dt { (words::SIZE) } dd { (size(signed, bytes)) } } }
                div { dt { (words::AS_OF) } dd { (time(signed, export.as_of, Detail::Zone)) } }
                div { dt { (words::CREATED) } dd { (time(signed, export.created_at, Detail::Zone)) } }
            }
            p class="quiet gap" { (words::KEPT_FOR) }
        }
    }
}

/// Returns the progress for the script of the page, in one read beside those of the session.
async fn progress(signed: Signed, Path(id): Path<String>) -> Response {
    match read(&signed, &id).await {
        Ok(export) => {
            let state = if export.state.is_finished() { export.state.as_str() } else { "running" };
            let is_counting = export.matched.or(export.counted).is_none();
            let body = json!({"done": export.rows, "state": state, "is_counting": is_counting});
            ([(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
        }
        Err(failure) => signed.finish(Err(failure)),
    }
}

/// Leads to the file, or to the page of an export that has none. The link to the file is a secret, so no page contains it.
async fn file(signed: Signed, Path(id): Path<String>) -> Response {
    let id = match parse(&id) {
        Ok(id) => id,
        Err(failure) => return signed.finish(Err(failure)),
    };
    match signed.call(Call::get(format!("/v1/exports/{id}"))).await {
        Ok(answer) => {
            let link = answer.body.get("download_url").and_then(Value::as_str);
            Redirect::to(link.unwrap_or(&path(id))).into_response()
        }
        Err(refusal) => signed.finish(Err(refusal.into())),
    }
}

async fn cancel(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let id = match parse(&id) {
        Ok(id) => id,
        Err(failure) => return signed.finish(Err(failure)),
    };
    match signed.call(Call::act(format!("/v1/exports/{id}/cancel")).once(&typed)).await {
        Ok(_) => Redirect::to(&path(id)).into_response(),
        Err(refusal) => signed.finish(Err(refusal.into())),
    }
}
