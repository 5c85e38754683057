//! `/v1/bulk/jobs`: jobs that change many contacts.

use api::describe::Parameters;
use api::listing::{one_more, page};
use api::openapi::IdempotencyKey;
use api::paging::{Page, Paging};
use api::path::PathId;
use api::{AccountCaller, Context, MarketingEditor, MutationRequest, NoBody, Problem, Query, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::JobId;
use store::{BulkJob, BulkTask, Responder, StoredResponse};

use crate::Bulk;
use crate::body::JobBody;
use crate::view::{JobAnswer, JobView};

/// Returns the response for a job that was accepted.
pub(crate) fn accepted(job: &BulkJob) -> StoredResponse {
    let location = Some(format!("/v1/bulk/jobs/{}", job.id));
    StoredResponse { location, ..respond::json(StatusCode::ACCEPTED, &JobAnswer::new(job)) }
}

/// Creates a job that changes many contacts.
///
/// The request repeats the number of contacts that match (`confirm_count`). If another number matches now, the response
/// is 409 `count-changed` with that number, and nothing changes. If counting takes longer than ten seconds, the job
/// counts first. It then ends in the state `count-changed` if the number differs.
///
/// The jobs of an account are carried out one after the other. A job acts on contacts that match when it reads them, and
/// not on contacts that are created after the request. Contacts beyond the cap are refused and counted by reason.
#[utoipa::path(
    post, path = "/v1/bulk/jobs", tag = "Many at once", params(IdempotencyKey), request_body = JobBody,
    responses(
        (status = 202, description = "The job.", body = JobAnswer,
         headers(("Location" = String, description = "The job's path."))),
        (status = 403, description = "marketing-contacts-off"),
        (status = 409, description = "count-changed, limit-reached"),
    ),
)]
pub(crate) async fn create_bulk_job(
    State(bulk): State<Bulk>,
    MarketingEditor(principal): MarketingEditor,
    request: MutationRequest<JobBody>,
) -> Result<Response, Problem> {
    let (context, change) = (&bulk.context, request.body.request(&principal));
    let responder = Responder::new(request.claim.as_ref(), &accepted);
    let (now, count_time) = (context.clock.now(), context.count_time());
    let result = context.store.create_bulk_job(&change, now, count_time, responder).await;
    if result.is_ok() {
        bulk.queue.enqueue(BulkTask { account: change.account }).await;
    }
    request.conclude(context, result).await
}

/// Lists the jobs.
///
/// The newest job is first. Finished jobs are kept for 400 days.
#[utoipa::path(
    get, path = "/v1/bulk/jobs", tag = "Many at once", params(Parameters<Paging<JobId>>),
    responses((status = 200, description = "A page of jobs.", body = Page<JobView>)),
)]
pub(crate) async fn list_bulk_jobs(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(paging): Query<Paging<JobId>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let listing = context.store.bulk_jobs(principal.account, after, one_more(limit)).await?;
    respond::ok(&page(&listing, limit, |job| job.id, JobView::new))
}

/// Returns a job with its progress.
///
/// The request costs one read, so a client can repeat it every second.
#[utoipa::path(
    get, path = "/v1/bulk/jobs/{id}", tag = "Many at once",
    params(("id" = String, Path, description = "The job's id.")),
    responses((status = 200, description = "The job.", body = JobView)),
)]
pub(crate) async fn get_bulk_job(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<JobId>,
    Query(_): Query,
) -> Result<Response, Problem> {
    respond::ok(&JobView::new(&context.store.bulk_job(principal.account, id).await?))
}

/// Cancels a job.
///
/// The job stops within one transaction. Contacts that it has changed stay changed, and the response shows how many. A
/// finished job is returned unchanged.
#[utoipa::path(
    post, path = "/v1/bulk/jobs/{id}/cancel", tag = "Many at once",
    params(IdempotencyKey, ("id" = String, Path, description = "The job's id.")),
    responses((status = 200, description = "The job.", body = JobView)),
)]
pub(crate) async fn cancel_bulk_job(
    State(context): State<Context>,
    MarketingEditor(principal): MarketingEditor,
    PathId(id): PathId<JobId>,
    request: MutationRequest<NoBody>,
) -> Result<Response, Problem> {
    let render = |job: &BulkJob| respond::json(StatusCode::OK, &JobView::new(job));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.cancel_bulk_job(principal.account, id, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}
