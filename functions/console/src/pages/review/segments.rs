//! The step with filters and lists.

use domain::ids::SegmentId;
use http::StatusCode;
use maud::{Markup, html};
use store::Segment;

use super::choice::{Choice, Misfit};
use super::{Shown, Step, Stepped, buttons, step_page};
use crate::parts::{Detail, number, time};
use crate::signed::Signed;
use crate::text::review as words;

/// The number of segments on a page.
const SHOWN: usize = 50;

/// Returns the step's page with the segments after one of them, and the reason for which a choice was refused.
pub(super) async fn page(signed: &Signed, choice: &Choice, after: &str, misfit: Option<Misfit>) -> Stepped {
    let after: Option<SegmentId> = after.parse().ok();
    let mut segments = signed.store().segments(signed.account.id, after, SHOWN + 1).await?.items;
    let next = if segments.len() > SHOWN { segments.get(SHOWN - 1).map(|segment| segment.id) } else { None };
    segments.truncate(SHOWN);
    let is_empty = segments.is_empty() && after.is_none();
    let content = html! {
        p class="sentence" { (words::SEGMENTS_SENTENCE) }
        @if is_empty {
            p class="gap" { (words::NO_SEGMENTS) " " a href="/console/segments" { (words::CREATE_A_SEGMENT) } }
        } @else { (chooser(signed, choice, &segments, misfit)) }
        (choice.hidden_segments(&segments))
        (pages(after.is_some(), next))
        (buttons(
            Some(Step::Unengaged),
            Some("skip-segments"),
            &html! { button class="act" name="step" value="4" { (words::CONTINUE) } },
        ))
    };
    let page = step_page(signed, &Shown { step: Step::Segments, choice, counted: None, next: "4", content });
    Ok(if misfit.is_some() { page.with_status(StatusCode::UNPROCESSABLE_ENTITY) } else { page })
}

fn chooser(signed: &Signed, choice: &Choice, segments: &[Segment], misfit: Option<Misfit>) -> Markup {
    let elsewhere = u64::try_from(choice.elsewhere(segments).count()).unwrap_or_default();
    let described = if misfit.is_some() { "segments-e segments-h" } else { "segments-h" };
    html! {
        fieldset class="gap mid" aria-describedby=(described) {
            legend class="vh" { (words::SEGMENTS_LEGEND) }
            p class="hint" id="segments-h" { (words::SEGMENTS_HINT) }
            @if let Some(misfit) = misfit { p class="error" id="segments-e" role="alert" { (misfit.sentence(signed)) } }
            @if elsewhere > 0 {
                p class="hint" {
                    (words::chosen_elsewhere(&words::segments(elsewhere, &number(signed, elsewhere))))
                }
            }
            table class="stack gap" {
                caption class="vh" { (words::SEGMENTS_CAPTION) }
                thead { tr {
                    td class="tick" { span class="vh" { (words::TICK) } }
                    th scope="col" { (words::SEGMENT) }
                    th scope="col" { (words::KIND) }
                    th scope="col" class="n" { (words::LAST_COUNT) }
                    th scope="col" { (words::COUNTED_AT) }
                } }
                tbody { @for segment in segments { (row(signed, choice, segment)) } }
            }
        }
    }
}

fn row(signed: &Signed, choice: &Choice, segment: &Segment) -> Markup {
    let id = segment.id.to_string();
    let kind = if segment.filter.is_some() { words::FILTER } else { words::LIST };
    html! {
        tr {
            td class="tick" {
                input type="checkbox" name="segment" value=(id) aria-labelledby=(id)
                    checked[choice.segments.contains(&segment.id)];
            }
            th scope="row" id=(id) { (segment.name) }
            td data-label=(words::KIND) { (kind) }
            td class="n" data-label=(words::LAST_COUNT) {
                @if let Some((contacts, _)) = segment.counted { (number(signed, contacts)) }
            }
            td data-label=(words::COUNTED_AT) {
                @if let Some((_, at)) = segment.counted { (time(signed, at, Detail::Short)) }
                @else { span class="quiet" { (words::NOT_COUNTED) } }
            }
        }
    }
}

/// Returns the buttons that lead to other pages of the list and take the choice along.
fn pages(is_later: bool, next: Option<SegmentId>) -> Markup {
    if !is_later && next.is_none() {
        return html! {};
    }
    html! {
        div class="row gap" role="group" aria-label=(words::PAGES) {
            @if is_later { button name="after" value="" { (words::FIRST_PAGE) } " " }
            @if let Some(next) = next { button name="after" value=(next) { (words::MORE) } }
        }
    }
}
