//! `POST /v1/bulk/preview` and `POST /v1/review`: the consequence of a command before it is carried out.

use api::openapi::IdempotencyKey;
use api::{AccountCaller, MutationRequest, Problem, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::bulk::{Forecast, Tally};
use domain::filter::Filter;
use store::{BulkRequest, BulkTask, IdempotencyClaim, Preview, Responder, StoreError, StoredResponse};

use crate::Bulk;
use crate::body::{PreviewBody, ReviewBody};
use crate::jobs::accepted;
use crate::view::{JobAnswer, PreviewView, ReviewView};

/// Returns the consequence of a command.
///
/// The response has the number of contacts that match, their outcomes, the usage before and after, and the tier limit.
/// Nothing changes. If the count takes longer than ten seconds, it continues as a job, and the response is 202 with the
/// job, which ends with the same numbers.
#[utoipa::path(
    post, path = "/v1/bulk/preview", tag = "Many at once", params(IdempotencyKey), request_body = PreviewBody,
    responses(
        (status = 200, description = "The consequence.", body = PreviewView),
        (status = 202, description = "The job that continues the count.", body = JobAnswer,
         headers(("Location" = String, description = "The job's path."))),
        (status = 403, description = "marketing-contacts-off"),
        (status = 409, description = "limit-reached"),
    ),
)]
pub(crate) async fn preview_bulk_change(
    State(bulk): State<Bulk>,
    AccountCaller(principal): AccountCaller,
    request: MutationRequest<PreviewBody>,
) -> Result<Response, Problem> {
    let change = request.body.request(&principal);
    let view = |forecast: &Forecast, _: &Tally, filter: Option<&Filter>| {
        respond::json(StatusCode::OK, &PreviewView::new(change.command, forecast, filter))
    };
    let result = count(&bulk, &change, request.claim.as_ref(), &view).await;
    request.conclude(&bulk.context, result).await
}

/// Returns the numbers of a review of marketing contacts.
///
/// The review proposes unengaged contacts, and contacts of a selection. It considers only marketing contacts that are
/// not leaving, and it only queues. To carry it out, send the same review and its `confirm_count` to
/// `POST /v1/bulk/jobs`. If the count takes longer than ten seconds, it continues as a job.
#[utoipa::path(
    post, path = "/v1/review", tag = "Many at once", params(IdempotencyKey), request_body = ReviewBody,
    responses(
        (status = 200, description = "The numbers.", body = ReviewView),
        (status = 202, description = "The job that continues the count.", body = JobAnswer,
         headers(("Location" = String, description = "The job's path."))),
        (status = 403, description = "marketing-contacts-off"),
        (status = 409, description = "limit-reached"),
    ),
)]
pub(crate) async fn review_marketing_contacts(
    State(bulk): State<Bulk>,
    AccountCaller(principal): AccountCaller,
    request: MutationRequest<ReviewBody>,
) -> Result<Response, Problem> {
    let change = request.body.request(&principal);
    let view = |forecast: &Forecast, tally: &Tally, _: Option<&Filter>| {
        respond::json(StatusCode::OK, &ReviewView::new(forecast, tally))
    };
    let result = count(&bulk, &change, request.claim.as_ref(), &view).await;
    request.conclude(&bulk.context, result).await
}

/// The rendering of a complete count.
type View<'v> = &'v (dyn Fn(&Forecast, &Tally, Option<&Filter>) -> StoredResponse + Send + Sync);

/// Counts the contacts of a request, and sends the account to the queue if the count continues as a job.
async fn count(
    bulk: &Bulk,
    change: &BulkRequest,
    claim: Option<&IdempotencyClaim>,
    view: View<'_>,
) -> Result<StoredResponse, StoreError> {
    let render = |preview: &Preview| match preview {
        Preview::Complete { forecast, tally, filter } => view(forecast, tally, filter.as_ref()),
        Preview::Continues(job) => accepted(job),
    };
    let context = &bulk.context;
    let responder = Responder::new(claim, &render);
    let response =
        context.store.preview(change, context.clock.now(), context.count_time(), responder).await?;
    if response.status == StatusCode::ACCEPTED.as_u16() {
        bulk.queue.enqueue(BulkTask { account: change.account }).await;
    }
    Ok(response)
}
