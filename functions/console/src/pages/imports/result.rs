//! The page of an import that has started: its progress, or its result.

use domain::import::RowOutcome;
use maud::{Markup, html};
use store::{Import, ImportState};

use super::shown::{path, state};
use super::sums;
use crate::frame::{Page, Section};
use crate::pages::transfers::{IMPORTS, is_kept};
use crate::parts::{Detail, Tone, note, number, size, time};
use crate::signed::Signed;
use crate::text::{self, imports as words};

/// Returns the page of an import. `list` is the name of the list to which it adds contacts.
pub(super) fn page(signed: &Signed, import: &Import, list: Option<&str>) -> Page {
    let name = words::title(&import.name);
    let head = html! {
        p class="trail" { a href=(IMPORTS) { (text::FILES) } " / " (words::state(import.state)) }
        h1 { (name) }
        @if may_cancel(import) {
            a class="button lose" href={ (path(import.id)) "/cancel" } { (words::CANCEL_REST) }
        }
    };
    let is_finished = import.state.is_finished();
    let content = html! {
        @if is_finished { (sentence(signed, import)) } @else { (progress(signed, import)) }
        div class="two" {
            section aria-labelledby="result" {
                h2 id="result" { (if is_finished { words::RESULT } else { words::RESULT_SO_FAR }) }
                (sums::tables(signed, &import.summary, import.terms.set_marketing, words::RESULT_CAPTION))
            }
            div { (downloads(signed, import)) (about(signed, import, list)) }
        }
    };
    Page::new(Section::Files, name, content).with_head(head)
}

/// Returns the progress, which the script of the page keeps up to date.
fn progress(signed: &Signed, import: &Import) -> Markup {
    let done = import.summary.total();
    html! {
        section aria-labelledby="progress" data-poll={ (path(import.id)) "/progress" }
            data-counting[!shows_rows(import)] {
            h2 id="progress" class="vh" { (words::PROGRESS) }
            p class="sentence" aria-live="polite" {
                @match import.rows.filter(|_| shows_rows(import)) {
                    Some(rows) => {
                        b { span data-done { (number(signed, done)) } (words::of_done(&number(signed, rows))) }
                    }
                    None if import.state == ImportState::Finishing => { b { (words::BEING_FINISHED) } }
                    None => { b { (words::BEING_READ) } }
                }
            }
            @if let Some(rows) = import.rows.filter(|_| shows_rows(import)) {
                progress class="gap" max=(rows) value=(done) aria-labelledby="progress" {}
            } @else {
                progress class="gap" aria-labelledby="progress" {}
            }
            p class="quiet gap" {
                @if import.terms.dry_run { (words::IS_DRY_RUN) " " }
                (words::CLOSE_PAGE)
            }
        }
    }
}

fn sentence(signed: &Signed, import: &Import) -> Markup {
    let (period, summary) = (signed.period(), &import.summary);
    let failed = summary.rows(RowOutcome::Invalid) + summary.rows(RowOutcome::NotRun);
    let imported = summary.total().saturating_sub(failed + summary.rows(RowOutcome::Empty));
    let usage =
        [period.marketing, period.tier.limit_for(period.marketing)].map(|count| number(signed, count));
    html! {
        p class="sentence" role="status" {
            (state(import.state))
            @if let Some(at) = import.finished_at { ", " (time(signed, at, Detail::Time)) }
            ". "
            @if import.started_at.is_some() {
                b { (words::imported(&number(signed, imported), &number(signed, failed))) }
                @if import.terms.set_marketing { " " (words::usage_now(&usage)) }
            }
        }
        @if import.terms.dry_run { p class="gap" { b { (words::WAS_DRY_RUN) } } }
        @if let Some((slug, message)) = &import.problem {
            div class="gap" {
                (note(Tone::Fault, &html! {
                    p { b { (words::FAILED) } " "
                        (text::sentence(&words::file_problem(slug, message))) }
                }))
            }
        }
    }
}

/// Returns the links to the files with the results.
fn downloads(signed: &Signed, import: &Import) -> Markup {
    if !import.has_results {
        return html! {};
    }
    let rows = format!("{}/rows.csv", path(import.id));
    let is_kept = import.finished_at.is_none_or(|at| is_kept(signed, at));
    let has_failed =
        [RowOutcome::Invalid, RowOutcome::NotRun].iter().any(|outcome| import.summary.rows(*outcome) > 0)
            || !import.summary.refused.is_empty();
    html! {
        section aria-labelledby="files" {
            h2 id="files" { (words::DOWNLOADS) }
            @if is_kept {
                p class="quiet" { (words::DOWNLOAD_HINT) }
                div class="row" {
                    @if has_failed {
                        a class="button" href={ (rows) "?only=failed" } { (words::DOWNLOAD_FAILED) }
                    }
                    a class="button" href=(rows) { (words::DOWNLOAD_ALL) }
                }
            } @else { p class="quiet" { (words::FILES_DELETED) } }
        }
    }
}

fn about(signed: &Signed, import: &Import, list: Option<&str>) -> Markup {
    let terms = &import.terms;
    html! {
        section aria-labelledby="about" {
            h2 id="about" { (words::ABOUT) }
            dl class="facts" {
                div { dt { (words::CREATED) } dd { (time(signed, import.created_at, Detail::Zone)) } }
                @if let Some(at) = import.started_at {
                    div { dt { (words::STARTED) } dd { (time(signed, at, Detail::Zone)) } }
                }
                @if let Some(file) = &import.file {
                    div { dt { (words::SIZE) } dd { (size(signed, file.bytes)) } }
                }
                div { dt { (words::MODE) } dd { (words::mode(terms.mode)) } }
                div { dt { (words::AS_MARKETING) } dd { (words::yes_or_no(terms.set_marketing)) } }
                @if let Some((id, list)) = terms.add_to_segment.zip(list) {
                    div { dt { (words::LIST) } dd { a href={ "/console/segments/" (id) } { (list) } } }
                }
                div { dt { (words::AUTOMATIONS) } dd {
                    (if terms.automations { words::AUTOMATIONS_FOLLOW } else { words::AUTOMATIONS_OUT })
                } }
            }
        }
    }
}

/// Returns true if the progress is a number of rows. While the file is read and the results are written, it is unknown.
pub(super) fn shows_rows(import: &Import) -> bool {
    import.rows.is_some() && import.state == ImportState::Running
}

/// Returns true if a cancellation has an effect: rows of the import may still be applied.
pub(super) fn may_cancel(import: &Import) -> bool {
    !import.state.is_finished() && import.state != ImportState::Finishing
}
