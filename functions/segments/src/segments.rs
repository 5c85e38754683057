//! The handlers of `/v1/segments`. Every user and integration of the account may manage its segments, because a segment
//! changes no contact.

use api::describe::Parameters;
use api::listing::{contact_page, one_more, page};
use api::openapi::IdempotencyKey;
use api::paging::{Page, Paging};
use api::path::PathId;
use api::views::ContactView;
use api::{AccountCaller, Context, MutationRequest, NoBody, Problem, Query, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{ContactId, SegmentId};
use store::{BulkTask, MembersReport, Responder, Segment, StoredResponse};

use crate::Segments;
use crate::body::{MembersBody, NewSegmentBody, UpdateSegmentBody};
use crate::view::{CreatedView, MembersView, SegmentView};

/// Creates a segment.
///
/// A segment is a stored filter or a static list. A static list has at most 1,000,000 members, of which a request adds at
/// most 1,000. An account has at most 1,000 segments.
#[utoipa::path(
    post, path = "/v1/segments", tag = "Segments", params(IdempotencyKey), request_body = NewSegmentBody,
    responses(
        (status = 201, description = "The created segment.", body = CreatedView,
         headers(("Location" = String, description = "The segment's path."))),
        (status = 409, description = "limit-reached"),
    ),
)]
pub(crate) async fn create_segment(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    request: MutationRequest<NewSegmentBody>,
) -> Result<Response, Problem> {
    let NewSegmentBody { segment: new, contacts } = &request.body;
    let render = |(segment, report): &(Segment, MembersReport)| {
        let location = Some(format!("/v1/segments/{}", segment.id));
        let view = CreatedView::new(segment, report, contacts);
        StoredResponse { location, ..respond::json(StatusCode::CREATED, &view) }
    };
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.create_segment(principal.account, new, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

/// Lists the segments.
///
/// The segments are in the order of their creation.
#[utoipa::path(
    get, path = "/v1/segments", tag = "Segments", params(Parameters<Paging<SegmentId>>),
    responses((status = 200, description = "A page of segments.", body = Page<SegmentView>)),
)]
pub(crate) async fn list_segments(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(paging): Query<Paging<SegmentId>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let listing = context.store.segments(principal.account, after, one_more(limit)).await?;
    respond::ok(&page(&listing, limit, |segment| segment.id, SegmentView::new))
}

/// Returns a segment.
#[utoipa::path(
    get, path = "/v1/segments/{id}", tag = "Segments",
    params(("id" = String, Path, description = "The segment's id.")),
    responses((status = 200, description = "The segment.", body = SegmentView)),
)]
pub(crate) async fn get_segment(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<SegmentId>,
    Query(_): Query,
) -> Result<Response, Problem> {
    respond::ok(&SegmentView::new(&context.store.segment(principal.account, id).await?))
}

/// Updates a segment.
///
/// A static list has no filter. Jobs that were created before keep the filter with which they were confirmed.
#[utoipa::path(
    patch, path = "/v1/segments/{id}", tag = "Segments",
    params(IdempotencyKey, ("id" = String, Path, description = "The segment's id.")),
    request_body = UpdateSegmentBody,
    responses((status = 200, description = "The changed segment.", body = SegmentView)),
)]
pub(crate) async fn update_segment(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<SegmentId>,
    request: MutationRequest<UpdateSegmentBody>,
) -> Result<Response, Problem> {
    let UpdateSegmentBody(change) = &request.body;
    let render = |segment: &Segment| respond::json(StatusCode::OK, &SegmentView::new(segment));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result =
        context.store.update_segment(principal.account, id, change, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

/// Deletes a segment.
///
/// Its contacts stay. Jobs that were created before still use the filter or the members with which they were confirmed.
#[utoipa::path(
    delete, path = "/v1/segments/{id}", tag = "Segments",
    params(IdempotencyKey, ("id" = String, Path, description = "The segment's id.")),
    responses(
        (status = 204, description = "The segment is deleted."),
        (status = 409, description = "in-use"),
    ),
)]
pub(crate) async fn delete_segment(
    State(segments): State<Segments>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<SegmentId>,
    request: MutationRequest<NoBody>,
) -> Result<Response, Problem> {
    let (context, account) = (&segments.context, principal.account);
    let render = |(): &()| respond::no_content();
    let responder = Responder::new(request.claim.as_ref(), &render);
    let now = context.clock.now();
    let result = context.store.delete_segment(account, id, principal.actor(), now, responder).await;
    if let Ok((_, true)) = &result {
        segments.queue.enqueue(BulkTask { account }).await;
    }
    request.conclude(context, result.map(|(response, _)| response)).await
}

/// Changes the members of a static list.
///
/// Contacts are added and removed by id or address, at most 1,000 of each. Contacts that do not exist are named in the
/// response, and the others are added or removed. A contact in both lists is removed.
#[utoipa::path(
    post, path = "/v1/segments/{id}/members", tag = "Segments",
    params(IdempotencyKey, ("id" = String, Path, description = "The segment's id.")),
    request_body = MembersBody,
    responses(
        (status = 200, description = "The result.", body = MembersView),
        (status = 409, description = "limit-reached"),
    ),
)]
pub(crate) async fn change_segment_members(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<SegmentId>,
    request: MutationRequest<MembersBody>,
) -> Result<Response, Problem> {
    let MembersBody { add, remove } = &request.body;
    let render =
        |report: &MembersReport| respond::json(StatusCode::OK, &MembersView::new(report, add, remove));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let (change, now) = (request.body.change(), context.clock.now());
    let result = context.store.change_members(principal.account, id, &change, now, responder).await;
    request.conclude(&context, result).await
}

/// Lists the contacts of a segment.
///
/// The contacts are in the order of their creation, with their current state. A page of a filter may have fewer results
/// than `limit`, or none, and still have a next page.
#[utoipa::path(
    get, path = "/v1/segments/{id}/contacts", tag = "Segments",
    params(("id" = String, Path, description = "The segment's id."), Parameters<Paging<ContactId>>),
    responses((status = 200, description = "A page of contacts.", body = Page<ContactView>)),
)]
pub(crate) async fn list_segment_contacts(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<SegmentId>,
    Query(paging): Query<Paging<ContactId>>,
) -> Result<Response, Problem> {
    let (Paging { limit, after }, now) = (paging, context.clock.now());
    let found = context.store.segment_contacts(principal.account, id, after, limit, now).await?;
    respond::ok(&contact_page(&found))
}
