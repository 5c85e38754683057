//! Bulk jobs: the list, and one job with its progress and its result.

mod one;

pub(crate) use self::one::title;

use api::Problem;
use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use domain::ids::JobId;
use domain::limits::ROWS_SHOWN;
use http::header::CONTENT_TYPE;
use maud::{Markup, html};
use serde_json::json;
use store::{BulkJob, JobState};

use crate::Console;
use crate::frame::{Page, Section};
use crate::parts::{Detail, number, pager, time};
use crate::request::{Call, Failure};
use crate::signed::Signed;
use crate::text::{self, jobs as words};
use crate::typed::Typed;

/// Returns the routes of bulk jobs. Their creation is a part of the list of contacts.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/console/jobs", get(show_list))
        .route("/console/jobs/{id}", get(show))
        .route("/console/jobs/{id}/progress", get(progress))
        .route("/console/jobs/{id}/cancel", post(cancel))
}

/// Parses an id in a path. A text that is no id belongs to no job.
fn parse(id: &str) -> Result<JobId, Failure> {
    id.parse().map_err(|_| Failure::Problem(Problem::not_found("job")))
}

async fn show(signed: Signed, Path(id): Path<String>) -> Response {
    let shown = match parse(&id) {
        Ok(id) => page(&signed, id).await,
        Err(failure) => Err(failure),
    };
    signed.finish(shown)
}

/// Returns the page of a job.
pub(crate) async fn page(signed: &Signed, id: JobId) -> Result<Page, Failure> {
    let job = signed.store().bulk_job(signed.account.id, id).await?;
    let may_list =
        one::may_list_refused(&job) && signed.store().bulk_job_filter(signed.account.id, id).await?.is_some();
    Ok(one::page(signed, &job, may_list))
}

/// Returns the progress for the script of the page, in one read beside those of the session.
async fn progress(signed: Signed, Path(id): Path<String>) -> Response {
    let job = match parse(&id) {
        Ok(id) => signed.store().bulk_job(signed.account.id, id).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    match job {
        Ok(job) => {
            let is_running = !job.state.is_finished();
            let state = if is_running { "running" } else { job.state.as_str() };
            let done = if job.state == JobState::Counting { 0 } else { job.done() };
            let body = json!({"done": done, "progress": job.progress, "state": state, "is_counting": job.matched.is_none()});
            ([(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
        }
        Err(failure) => signed.finish(Err(failure)),
    }
}

async fn cancel(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let id = match parse(&id) {
        Ok(id) => id,
        Err(failure) => return signed.finish(Err(failure)),
    };
    match signed.call(Call::act(format!("/v1/bulk/jobs/{id}/cancel")).once(&typed)).await {
        Ok(_) => Redirect::to(&format!("/console/jobs/{id}")).into_response(),
        Err(refusal) => signed.finish(Err(refusal.into())),
    }
}

async fn show_list(signed: Signed, RawQuery(query): RawQuery) -> Response {
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    let after = query.filled("after").and_then(|after| after.parse().ok());
    let shown = list(&signed, after).await;
    signed.finish(shown)
}

async fn list(signed: &Signed, after: Option<JobId>) -> Result<Page, Failure> {
    let listing = signed.store().bulk_jobs(signed.account.id, after, ROWS_SHOWN).await?;
    let next =
        listing.items.last().filter(|_| listing.more).map(|job| format!("/console/jobs?after={}", job.id));
    let content = html! {
        @if listing.items.is_empty() { p { (words::NONE) } } @else {
            table class="stack" {
                caption class="vh" { (words::CAPTION) }
                thead { tr {
                    th scope="col" { (words::JOB) } th scope="col" { (words::STATE) }
                    th scope="col" { (words::CONTACTS) }
                    th scope="col" class="n" { (words::CHANGED) } th scope="col" class="n" { (words::REFUSED) }
                    th scope="col" { (words::CREATED) }
                } }
                tbody { @for job in &listing.items { (row(signed, job)) } }
            }
        }
        (pager("", after.map(|_| "/console/jobs"), next.as_deref()))
    };
    Ok(Page::new(Section::Jobs, text::JOBS, content))
}

fn row(signed: &Signed, job: &BulkJob) -> Markup {
    html! {
        tr {
            th scope="row" { a href={ "/console/jobs/" (job.id) } { (title(signed, job)) } }
            td data-label=(words::STATE) { (one::state(job.state)) }
            td data-label=(words::CONTACTS) { (job.name) }
            td data-label=(words::CHANGED) class="n" { (number(signed, job.summary.changed())) }
            td data-label=(words::REFUSED) class="n" { (number(signed, job.summary.refused())) }
            td data-label=(words::CREATED) { (time(signed, job.created_at, Detail::Short)) }
        }
    }
}
