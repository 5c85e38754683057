//! The page of one job.

use domain::decision::Command;
use domain::limits::BULK_JOB_KEPT;
use maud::{Markup, html};
use store::{BulkJob, JobKind, JobState, SelectionKind};

use crate::frame::{Page, Section};
use crate::parts::{Detail, date_text, key, number, time};
use crate::signed::Signed;
use crate::text::{self, jobs as words};

/// Returns the page of a job, as it was read. `lists_refused` is true if the console can list the refused contacts.
pub(super) fn page(signed: &Signed, job: &BulkJob, lists_refused: bool) -> Page {
    let refused = lists_refused.then(|| refused_path(job));
    let name = title(signed, job);
    let head = html! {
        p class="trail" { a href="/console/jobs" { (text::JOBS) } " / " (words::state(job.state)) }
        h1 { (name) }
        (action(signed, job, refused.as_deref()))
    };
    let content = html! {
        @if job.state.is_finished() { (result_sentence(signed, job)) } @else { (progress(signed, job)) }
        div class="two" {
            @if job.kind == JobKind::Change { (result(signed, job, refused.as_deref())) } @else { (counted(signed, job)) }
            div { (about(signed, job)) (undo(signed, job)) }
        }
    };
    Page::new(Section::Jobs, name, content).with_head(head)
}

/// Returns the title of a job, such as `Set 812 contacts as marketing`.
pub(crate) fn title(signed: &Signed, job: &BulkJob) -> String {
    let changed = job.summary.changed() + job.summary.enrolled;
    let count = if job.state == JobState::Done { Some(changed) } else { job.matched.or(job.confirm_count) };
    let contacts = count.map(|count| text::counted(count, &number(signed, count), "contact"));
    match job.kind {
        JobKind::Change => words::change(job.command == Command::SetMarketing, contacts.as_deref()),
        JobKind::Preview => words::PREVIEW.to_owned(),
        JobKind::Review => words::REVIEW.to_owned(),
        JobKind::Enrol => words::enrol(contacts.as_deref()),
        JobKind::DeleteMembers => words::DELETE_MEMBERS.to_owned(),
    }
}

/// Returns a job's state with its sign.
pub(super) fn state(state: JobState) -> Markup {
    let class = match state {
        JobState::Waiting | JobState::Counting | JobState::Running => "state on",
        JobState::Done => "state yes",
        JobState::Cancelled | JobState::CountChanged => "state no",
        JobState::Failed => "state halt",
    };
    html! { span class=(class) { (words::state_word(state)) } }
}

/// Returns the page's action: to cancel the rest, or to look at the refused contacts.
fn action(signed: &Signed, job: &BulkJob, refused: Option<&str>) -> Markup {
    html! {
        @if !job.state.is_finished() && signed.may_edit() {
            form method="post" action={ "/console/jobs/" (job.id) "/cancel" } {
                (key(signed)) button class="lose" { (words::CANCEL_REST) }
            }
        } @else if let Some(refused) = refused {
            a class="button" href=(refused) { (words::show_refused(&number(signed, job.summary.refused()))) }
        }
    }
}

/// Returns true if the job has refused contacts, which are those of its selection that are still non-marketing. The
/// console can list them if a filter expresses the selection, which has to be read.
pub(super) fn may_list_refused(job: &BulkJob) -> bool {
    job.state.is_finished() && job.command == Command::SetMarketing && job.summary.refused() > 0
}

fn refused_path(job: &BulkJob) -> String {
    format!("/console/contacts?job={}&outcome=refused", job.id)
}

/// Returns the progress, which the script of the page keeps up to date.
fn progress(signed: &Signed, job: &BulkJob) -> Markup {
    let date = job.next_update_at.unwrap_or(signed.period().ends_at);
    let whole = job.matched.unwrap_or_default();
    html! {
        section aria-labelledby="progress" data-poll={ "/console/jobs/" (job.id) "/progress" }
            data-counting[job.matched.is_none()] {
            h2 id="progress" class="vh" { (words::PROGRESS) }
            p class="sentence" aria-live="polite" {
                @if job.matched.is_some() {
                    b { span data-done { (number(signed, job.done())) } (words::of_done(&number(signed, whole))) }
                } @else { b { (words::BEING_COUNTED) } }
            }
            @if job.matched.is_some() {
                progress class="gap" max=(whole) value=(job.done()) aria-labelledby="progress" {}
            } @else {
                progress class="gap" aria-labelledby="progress" {}
            }
            p class="quiet gap" {
                @if job.kind == JobKind::Change {
                    (words::cancelling(&date_text(signed, date), job.command == Command::SetMarketing))
                } @else { (words::CLOSE_PAGE) }
            }
        }
    }
}

fn result_sentence(signed: &Signed, job: &BulkJob) -> Markup {
    let period = signed.period();
    // The clock of a sandbox stands still while a job runs.
    let took = job.started_at.zip(job.finished_at).filter(|_| period.test_clock.is_none());
    let seconds = took.map(|(begun, ended)| (ended.to_utc() - begun.to_utc()).num_seconds().max(0));
    let [changed, refused] =
        [job.summary.changed(), job.summary.refused()].map(|count| number(signed, count));
    let usage =
        [period.marketing, period.tier.limit_for(period.marketing)].map(|count| number(signed, count));
    html! {
        p class="sentence" role="status" {
            (state(job.state))
            @if let Some(seconds) = seconds { (words::took(seconds)) }
            @if let Some(at) = job.finished_at { ", " (time(signed, at, Detail::Time)) }
            ". "
            @if job.kind == JobKind::Change {
                b { (words::changed_and_refused(&changed, &refused, job.command == Command::SetMarketing)) }
                " " (words::usage_now(&usage))
            }
        }
        @if job.state == JobState::CountChanged { p class="gap" { (words::COUNT_CHANGED) } }
        @if job.state == JobState::Failed { p class="gap" { (words::FAILED) } }
    }
}

/// Returns the outcomes so far, beside what was expected.
fn result(signed: &Signed, job: &BulkJob, refused: Option<&str>) -> Markup {
    let summary = &job.summary;
    let sets = job.command == Command::SetMarketing;
    let new = if sets { summary.set } else { summary.queued };
    let changed = format!("/console/contacts?job={}&outcome=changed", job.id);
    let row = |name: &str, count: u64, link: Option<&str>| {
        html! {
            tr {
                th scope="row" { (name) }
                td class="n" {
                    @if let Some(link) = link.filter(|_| count > 0) {
                        a href=(link) { (number(signed, count)) span class="vh" { (words::of_outcome(name)) } }
                    } @else { (number(signed, count)) }
                }
            }
        }
    };
    html! {
        section aria-labelledby="result" {
            h2 id="result" { (if job.state.is_finished() { words::RESULT } else { words::RESULT_SO_FAR }) }
            table {
                caption class="vh" { (words::OUTCOMES) }
                thead { tr { th scope="col" { (words::OUTCOME) } th scope="col" class="n" { (words::CONTACTS) } } }
                tbody {
                    (row(if sets { words::SET } else { words::QUEUED }, new, Some(&changed)))
                    @if sets { (row(words::KEPT, summary.kept, None)) }
                    (row(words::UNCHANGED, summary.unchanged, None))
                    @for (reason, count) in &summary.refused {
                        (row(&words::refused_because(*reason), *count, refused))
                    }
                    @if summary.refused.is_empty() { (row(words::REFUSED, 0, None)) }
                }
                tfoot { tr {
                    th scope="row" { (words::MATCHED) }
                    td class="n" { (job.matched.map(|count| number(signed, count)).unwrap_or_default()) }
                } }
            }
        }
    }
}

/// Returns the result of a job that only counts.
fn counted(signed: &Signed, job: &BulkJob) -> Markup {
    html! {
        section aria-labelledby="result" {
            h2 id="result" { (words::RESULT) }
            @if let Some(matched) = job.matched {
                p { (words::matched(&text::counted(matched, &number(signed, matched), "contact"))) }
            } @else { p class="quiet" { (words::BEING_COUNTED) } }
        }
    }
}

fn about(signed: &Signed, job: &BulkJob) -> Markup {
    let kept = BULK_JOB_KEPT.num_days();
    html! {
        section aria-labelledby="about" {
            h2 id="about" { (words::ABOUT) }
            dl class="facts" {
                div { dt { (words::REQUESTED) } dd { (time(signed, job.created_at, Detail::Zone)) } }
                @if let Some(at) = job.started_at { div { dt { (words::STARTED) } dd { (time(signed, at, Detail::Zone)) } } }
                div { dt { (words::CONTACTS) } dd {
                    @match (job.selection, &job.selected) {
                        (SelectionKind::Segment, Some(id)) => {
                            a href={ "/console/contacts?segment=" (id) } { (job.name) }
                        }
                        (SelectionKind::Job, Some(id)) => { a href={ "/console/jobs/" (id) } { (job.name) } }
                        _ => { (job.name) }
                    }
                } }
            }
            p class="quiet gap" { (words::kept_for(kept)) }
        }
    }
}

/// Returns the way to take back what a job has set. A contact that was set can only be queued.
fn undo(signed: &Signed, job: &BulkJob) -> Markup {
    let is_undoable =
        job.state.is_finished() && job.command == Command::SetMarketing && job.summary.changed() > 0;
    if job.kind != JobKind::Change || !is_undoable || !signed.may_edit() {
        return html! {};
    }
    let changed = text::counted(job.summary.changed(), &number(signed, job.summary.changed()), "contact");
    html! {
        section aria-labelledby="undo" {
            h2 id="undo" { (words::UNDO) }
            p { (words::undo_sentence(&changed, job.summary.changed() == 1)) (time(signed, signed.period().ends_at, Detail::Zone)) (words::UNDO_END) }
            form class="gap" method="post" action="/console/contacts/preview" {
                input type="hidden" name="queue_back" value=(job.id);
                input type="hidden" name="action" value="set-non-marketing-pending";
                button class="queue" { (words::queue_back(&changed)) }
            }
        }
    }
}
