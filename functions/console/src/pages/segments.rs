//! Segments: the list, and one segment with its conditions or its members.

mod conditions;
mod members;
mod one;

use api::paging::{cursor, position};
use axum::Router;
use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use domain::ids::SegmentId;
use maud::{Markup, html};
use serde_json::{Value, json};
use store::Segment;

use crate::Console;
use crate::frame::{Page, Section};
use crate::parts::{Detail, Tone, field_error, key, note, number, pager, refused, time};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::{self, segments as words};
use crate::typed::Typed;

/// The number of segments, and of members, on a page.
const PAGE: usize = 50;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/console/segments", get(show).post(create))
        .route("/console/segments/{id}", get(one::show).post(one::rename))
        .route("/console/segments/{id}/count", post(one::count))
        .route("/console/segments/{id}/members", post(members::change))
        .route("/console/segments/{id}/delete", get(one::ask_delete).post(one::delete))
}

fn path(id: SegmentId) -> String {
    format!("/console/segments/{id}")
}

/// The part of a request that the page repeats: what was typed, and its refusal.
#[derive(Clone, Copy, Default)]
struct Asked<'a> {
    typed: Option<&'a Typed>,
    refusal: Option<&'a Refusal>,
}

impl<'a> Asked<'a> {
    /// Returns what was typed into a field.
    fn typed(&self, field: &str) -> Option<&'a str> {
        self.typed.filter(|typed| typed.has(field)).map(|typed| typed.get(field))
    }

    /// Returns true if the field was refused.
    fn is_wrong(&self, field: &str) -> bool {
        self.refusal.is_some_and(|refusal| refusal.error_of(field).is_some())
    }
}

/// Shows the segments.
async fn show(signed: Signed, RawQuery(query): RawQuery) -> Response {
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    signed.finish(page(&signed, &query, &Asked::default()).await)
}

/// Creates a static list, or saves a filter as a segment.
async fn create(signed: Signed, typed: Typed) -> Response {
    let created = match body(&typed) {
        Ok(body) => signed.call(Call::post("/v1/segments", body).once(&typed)).await,
        Err(refusal) => Err(refusal),
    };
    match created {
        Ok(answer) => {
            let id = answer.body.get("id").and_then(Value::as_str).unwrap_or_default();
            Redirect::to(&format!("/console/segments/{id}?done=created")).into_response()
        }
        Err(refusal) => {
            let asked = Asked { typed: Some(&typed), refusal: Some(&refusal) };
            signed.finish(page(&signed, &Typed::default(), &asked).await)
        }
    }
}

/// Returns the body of the request. A filter is JSON: the groups, or an object with them.
fn body(typed: &Typed) -> Result<Value, Refusal> {
    let name = typed.get("name");
    let Some(filter) = typed.filled("filter") else { return Ok(json!({"name": name, "contacts": []})) };
    let groups = match serde_json::from_str(filter) {
        Ok(Value::Object(mut members)) => members.remove("filterGroups"),
        Ok(groups) => Some(groups),
        Err(_) => None,
    };
    match groups {
        Some(groups) => Ok(json!({"name": name, "filterGroups": groups})),
        None => Err(Refusal::of_console("filter", words::NOT_A_FILTER)),
    }
}

async fn page(signed: &Signed, query: &Typed, asked: &Asked<'_>) -> Result<Page, Failure> {
    let after = query.filled("after");
    let read = signed.store().segments(signed.account.id, after.and_then(position), PAGE + 1).await?;
    let (is_more, mut segments) = (read.items.len() > PAGE, read.items);
    segments.truncate(PAGE);
    let next = segments
        .last()
        .filter(|_| is_more)
        .map(|last| format!("/console/segments?after={}", cursor(&last.id)));
    let shown = words::on_this_page(&text::counted(
        u64::try_from(segments.len()).unwrap_or_default(),
        &number(signed, u64::try_from(segments.len()).unwrap_or_default()),
        "segment",
    ));
    let content = html! {
        @if signed.done.as_deref() == Some("deleted") { (note(Tone::Plain, &html! { p { (words::DONE_DELETED) } })) }
        @if let Some(refusal) = asked.refusal { (refused(refusal, &["name"])) }
        p class={ "lede" @if signed.done.is_some() || asked.refusal.is_some() { " gap" } } { (words::LEDE) }
        @if segments.is_empty() { p { (words::NONE) } } @else {
            (table(signed, &segments))
            (pager(&shown, after.map(|_| "/console/segments"), next.as_deref()))
        }
        (form(signed, asked))
    };
    Ok(Page::new(Section::Segments, text::SEGMENTS, content).with_status_of(asked.refusal))
}

fn table(signed: &Signed, segments: &[Segment]) -> Markup {
    html! {
        table class="stack" {
            caption class="vh" { (words::CAPTION) }
            thead { tr {
                th scope="col" { (words::NAME) }
                th scope="col" { (words::KIND) }
                th scope="col" class="n" { (words::LAST_COUNT) }
                th scope="col" { (words::COUNTED_AT) }
                th scope="col" { (words::CREATED) }
            } }
            tbody {
                @for segment in segments {
                    tr {
                        th scope="row" { a href=(path(segment.id)) { (segment.name) } }
                        td data-label=(words::KIND) { (words::kind(segment.filter.is_some())) }
                        @match segment.counted {
                            Some((count, at)) => {
                                td class="n" data-label=(words::LAST_COUNT) { (number(signed, count)) }
                                td data-label=(words::COUNTED_AT) { (time(signed, at, Detail::Short)) }
                            }
                            None => {
                                td class="n" data-label=(words::LAST_COUNT) {}
                                td class="quiet" data-label=(words::COUNTED_AT) { (words::NOT_COUNTED) }
                            }
                        }
                        td data-label=(words::CREATED) { (time(signed, segment.created_at, Detail::Short)) }
                    }
                }
            }
        }
    }
}

/// Returns the form for a new list, or for the filter that the page of contacts has sent.
fn form(signed: &Signed, asked: &Asked<'_>) -> Markup {
    let filter = asked.typed("filter").filter(|filter| !filter.is_empty());
    let (title, hint, button) = match filter {
        Some(_) => (words::SAVE_FILTER, words::SAVE_FILTER_HINT, words::SAVE_SEGMENT),
        None => (words::NEW_LIST, words::NEW_LIST_HINT, words::CREATE_LIST),
    };
    html! {
        section aria-labelledby="new" {
            h2 id="new" { (title) }
            form class="narrow" method="post" action="/console/segments" {
                (key(signed))
                @if let Some(filter) = filter { input type="hidden" name="filter" value=(filter); }
                (name_field(asked, asked.typed("name").unwrap_or_default(), Some(hint)))
                button class="act" { (button) }
            }
        }
    }
}

/// Returns the field of a segment's name.
fn name_field(asked: &Asked<'_>, value: &str, hint: Option<&str>) -> Markup {
    let is_wrong = asked.is_wrong("name");
    let ids: Vec<&str> =
        [is_wrong.then_some("name-e"), hint.map(|_| "name-h")].into_iter().flatten().collect();
    html! {
        div class="field" {
            label for="name" { (words::NAME) }
            (field_error(asked.refusal, "name", "name"))
            input id="name" name="name" class="w-l" value=(value) autocomplete="off"
                aria-invalid=[is_wrong.then_some("true")]
                aria-describedby=[(!ids.is_empty()).then(|| ids.join(" "))] autofocus[is_wrong];
            @if let Some(hint) = hint { p class="hint quiet" id="name-h" { (hint) } }
        }
    }
}
