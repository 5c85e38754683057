//! One segment.

use api::Problem;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::ids::{Id as _, SegmentId};
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};
use store::Segment;

use super::{Asked, conditions, members, name_field, path};
use crate::frame::{Page, Section};
use crate::parts::{self, Detail, Tone, key, note, number, time};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, contact, segments as words};
use crate::typed::Typed;

/// Parses the id in a path. A malformed id has the same page as an unknown one.
pub(super) fn parse(id: &str) -> Result<SegmentId, Failure> {
    id.parse().map_err(|_| Failure::Problem(Problem::not_found(SegmentId::NOUN)))
}

/// Shows a segment.
pub(super) async fn show(signed: Signed, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    let shown = match parse(&id) {
        Ok(segment) => {
            let note = done(&signed, &query);
            page(&signed, segment, &query, &Asked::default(), &note).await
        }
        Err(failure) => Err(failure),
    };
    signed.finish(shown)
}

/// Renames a segment.
pub(super) async fn rename(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let segment = match parse(&id) {
        Ok(segment) => segment,
        Err(failure) => return signed.finish(Err(failure)),
    };
    let call =
        Call::patch(format!("/v1/segments/{segment}"), json!({"name": typed.get("name")})).once(&typed);
    match signed.call(call).await {
        Ok(_) => Redirect::to(&format!("{}?done=renamed", path(segment))).into_response(),
        Err(refusal) => {
            let asked = Asked { typed: Some(&typed), refusal: Some(&refusal) };
            let note = if asked.is_wrong("name") {
                html! {}
            } else {
                parts::refused(&refusal, &[])
            };
            signed.finish(page(&signed, segment, &Typed::default(), &asked, &note).await)
        }
    }
}

/// Counts a segment now. A count that takes long goes on as a job.
pub(super) async fn count(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let segment = match parse(&id) {
        Ok(segment) => segment,
        Err(failure) => return signed.finish(Err(failure)),
    };
    let body = json!({"action": "set-marketing", "selection": {"segment_id": segment.to_string()}});
    match signed.call(Call::post("/v1/bulk/preview", body).once(&typed)).await {
        Ok(answer) if answer.status == StatusCode::ACCEPTED => {
            let job = answer.body.pointer("/job/id").and_then(Value::as_str).unwrap_or_default();
            Redirect::to(&format!("/console/jobs/{job}")).into_response()
        }
        Ok(_) => Redirect::to(&format!("{}?done=counted", path(segment))).into_response(),
        Err(refusal) => signed.finish(Err(Failure::Refusal(refusal))),
    }
}

/// Asks before a segment is deleted.
pub(super) async fn ask_delete(signed: Signed, Path(id): Path<String>) -> Response {
    let shown = match parse(&id) {
        Ok(segment) => deletion(&signed, segment, None).await,
        Err(failure) => Err(failure),
    };
    signed.finish(shown)
}

/// Deletes a segment, and shows the list.
pub(super) async fn delete(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let segment = match parse(&id) {
        Ok(segment) => segment,
        Err(failure) => return signed.finish(Err(failure)),
    };
    match signed.call(Call::delete(format!("/v1/segments/{segment}")).once(&typed)).await {
        Ok(_) => Redirect::to("/console/segments?done=deleted").into_response(),
        Err(refusal) => signed.finish(deletion(&signed, segment, Some(&refusal)).await),
    }
}

/// Returns the page of a segment. `note` is about the act that led to it.
pub(super) async fn page(
    signed: &Signed,
    id: SegmentId,
    query: &Typed,
    asked: &Asked<'_>,
    note: &Markup,
) -> Result<Page, Failure> {
    let segment = signed.store().segment(signed.account.id, id).await?;
    let inner = match &segment.filter {
        Some(filter) => conditions::show(signed, filter),
        None => members::show(signed, id, query, asked).await?,
    };
    let head = html! {
        p class="trail" { a href="/console/segments" { (text::SEGMENTS) } " /" }
        h1 { (segment.name) }
        a class="button act" href={ "/console/contacts?segment=" (id) } { (words::SHOW_CONTACTS) }
    };
    let content = html! {
        (note)
        (about(signed, &segment))
        (inner)
        (name(signed, &segment, asked))
        section aria-labelledby="danger" {
            h2 id="danger" { (words::DANGER) }
            div class="zone" {
                div {
                    p { b { (words::DELETE) } " " (words::DELETE_HINT) }
                    a class="button lose" href={ (path(id)) "/delete" } { (words::DELETE) }
                }
            }
        }
    };
    let page = Page::new(Section::Segments, segment.name.clone(), content).with_head(head);
    Ok(page.with_status_of(asked.refusal))
}

/// Returns the note about the act that led to the page.
fn done(signed: &Signed, query: &Typed) -> Markup {
    let count = query.get("n").parse().unwrap_or_default();
    let contacts = text::counted(count, &number(signed, count), "contact");
    let said = match signed.done.as_deref() {
        Some("created") => words::DONE_CREATED.to_owned(),
        Some("renamed") => words::DONE_RENAMED.to_owned(),
        Some("counted") => words::DONE_COUNTED.to_owned(),
        Some("added") => words::done_added(count, &contacts),
        Some("removed") => words::done_removed(count, &contacts),
        _ => return html! {},
    };
    note(Tone::Plain, &html! { p { (said) } })
}

/// Returns the facts of a segment, with the button that counts it.
fn about(signed: &Signed, segment: &Segment) -> Markup {
    let may_count = signed.period().marketing_contacts;
    html! {
        section aria-labelledby="about" {
            h2 id="about" { (words::ABOUT) }
            dl class="facts narrow" {
                div { dt { (words::KIND) } dd { (words::kind(segment.filter.is_some())) } }
                div {
                    dt { (words::LAST_COUNT) }
                    dd class="row" {
                        @match segment.counted {
                            Some((count, at)) => {
                                span { b { (number(signed, count)) } ", " (time(signed, at, Detail::Time)) }
                            }
                            None => { span class="quiet" { (words::NOT_COUNTED) } }
                        }
                        form class="end" method="post" action={ (path(segment.id)) "/count" } {
                            (key(signed))
                            button disabled[!may_count] aria-describedby=[(!may_count).then_some("off")] {
                                (words::COUNT_NOW)
                            }
                        }
                    }
                }
                div { dt { (words::CREATED) } dd { (time(signed, segment.created_at, Detail::Time)) } }
                div { dt { (words::CHANGED) } dd { (time(signed, segment.updated_at, Detail::Time)) } }
            }
            @if !may_count { p class="quiet" id="off" { (contact::MARKETING_OFF) } }
        }
    }
}

/// Returns the form that renames a segment.
fn name(signed: &Signed, segment: &Segment, asked: &Asked<'_>) -> Markup {
    html! {
        section aria-labelledby="rename" {
            h2 id="rename" { (words::RENAME) }
            form class="narrow" method="post" action=(path(segment.id)) {
                (key(signed))
                (name_field(asked, asked.typed("name").unwrap_or(&segment.name), None))
                button { (words::RENAME_BUTTON) }
            }
        }
    }
}

/// Returns the page that asks before a segment is deleted.
async fn deletion(signed: &Signed, id: SegmentId, refusal: Option<&Refusal>) -> Result<Page, Failure> {
    let segment = signed.store().segment(signed.account.id, id).await?;
    let title = words::delete_title(&segment.name);
    let head = html! {
        p class="trail" {
            a href="/console/segments" { (text::SEGMENTS) } " / " a href=(path(id)) { (segment.name) } " /"
        }
        h1 { (title) }
    };
    let content = html! {
        @if let Some(refusal) = refusal { (parts::refused(refusal, &[])) }
        p class="sentence gap" { (words::DELETE_HINT) }
        form class="row gap" method="post" action={ (path(id)) "/delete" } {
            (key(signed))
            button class="lose" { (words::DELETE) }
            a class="button" href=(path(id)) { (words::CANCEL) }
        }
    };
    Ok(Page::new(Section::Segments, title, content).with_head(head).with_status_of(refusal))
}
