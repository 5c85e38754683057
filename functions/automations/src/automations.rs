//! The handlers of `/v1/automations`. A change needs the permission `modify_marketing_contacts`, because an automation
//! acts under its own name and not under the permission of a user.

use api::describe::Parameters;
use api::listing::{one_more, page};
use api::openapi::IdempotencyKey;
use api::paging::{Page, Paging};
use api::path::PathId;
use api::{
    AccountCaller, Context, MarketingEditor, MutationRequest, NoBody, Problem, Query, ReadRequest, respond,
};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::AutomationId;
use store::{AutomationReport, BulkTask, Responder, StoredResponse};

use crate::Automations;
use crate::body::{NewAutomationBody, ResumeBody, TestBody, UpdateAutomationBody};
use crate::view::{AutomationView, ReportView, TestView};

/// Creates an automation.
///
/// A contact is enrolled when a change makes it match, at most once unless `re_enrol` is true. An edited filter, an
/// edited segment, the passing of time and an update date enrol no contact. An automation's own change never enrols the
/// contact in it again, and of several automations that undo each other, each has one turn for one change.
///
/// The contacts that match when the automation is enabled are not enrolled, unless the request confirms their number. A
/// bulk job then enrols them, within `max_per_day`. The brake does not count them.
///
/// An account has at most 100 automations.
#[utoipa::path(
    post, path = "/v1/automations", tag = "Automations", params(IdempotencyKey), request_body = NewAutomationBody,
    responses(
        (status = 201, description = "The created automation.", body = ReportView,
         headers(("Location" = String, description = "The automation's path."))),
        (status = 409, description = "count-changed, limit-reached"),
    ),
)]
pub(crate) async fn create_automation(
    State(automations): State<Automations>,
    MarketingEditor(principal): MarketingEditor,
    request: MutationRequest<NewAutomationBody>,
) -> Result<Response, Problem> {
    let (context, account) = (&automations.context, principal.account);
    let NewAutomationBody(new) = &request.body;
    let render = |report: &AutomationReport| {
        let location = Some(format!("/v1/automations/{}", report.automation.id));
        StoredResponse { location, ..respond::json(StatusCode::CREATED, &ReportView::new(report)) }
    };
    let responder = Responder::new(request.claim.as_ref(), &render);
    let (now, count_time) = (context.clock.now(), context.count_time());
    let result = context.store.create_automation(account, new, now, count_time, responder).await;
    if result.is_ok() && new.enrol_existing.is_some() {
        automations.queue.enqueue(BulkTask { account }).await;
    }
    request.conclude(context, result).await
}

/// Lists the automations.
///
/// The automations are in the order of their creation.
#[utoipa::path(
    get, path = "/v1/automations", tag = "Automations", params(Parameters<Paging<AutomationId>>),
    responses((status = 200, description = "A page of automations.", body = Page<AutomationView>)),
)]
pub(crate) async fn list_automations(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    Query(paging): Query<Paging<AutomationId>>,
) -> Result<Response, Problem> {
    let Paging { limit, after } = paging;
    let listing = context.store.automations(principal.account, after, one_more(limit)).await?;
    respond::ok(&page(&listing, limit, |automation| automation.id, AutomationView::new))
}

/// Returns an automation.
#[utoipa::path(
    get, path = "/v1/automations/{id}", tag = "Automations",
    params(("id" = String, Path, description = "The automation's id.")),
    responses((status = 200, description = "The automation.", body = AutomationView)),
)]
pub(crate) async fn get_automation(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<AutomationId>,
    Query(_): Query,
) -> Result<Response, Problem> {
    let automation = context.store.automation(principal.account, id).await?;
    let waiting = context.store.waiting_of(principal.account, id).await?;
    respond::ok(&AutomationView::new(&automation).with_waiting(waiting))
}

/// Updates an automation.
///
/// Disabling it drops the contacts that wait, and the response shows how many. Enabling it catches nothing up. An edited
/// trigger enrols no contact, and contacts that wait are judged by it when their turn comes. A raised `max_per_day` counts
/// at once.
#[utoipa::path(
    patch, path = "/v1/automations/{id}", tag = "Automations",
    params(IdempotencyKey, ("id" = String, Path, description = "The automation's id.")),
    request_body = UpdateAutomationBody,
    responses(
        (status = 200, description = "The changed automation.", body = ReportView),
        (status = 409, description = "count-changed, limit-reached"),
    ),
)]
pub(crate) async fn update_automation(
    State(automations): State<Automations>,
    MarketingEditor(principal): MarketingEditor,
    PathId(id): PathId<AutomationId>,
    request: MutationRequest<UpdateAutomationBody>,
) -> Result<Response, Problem> {
    let (context, account) = (&automations.context, principal.account);
    let UpdateAutomationBody(change) = &request.body;
    let render = |report: &AutomationReport| respond::json(StatusCode::OK, &ReportView::new(report));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let (now, count_time) = (context.clock.now(), context.count_time());
    let result = context.store.update_automation(account, id, change, now, count_time, responder).await;
    if result.is_ok() && change.enrol_existing.is_some() {
        automations.queue.enqueue(BulkTask { account }).await;
    }
    request.conclude(context, result).await
}

/// Deletes an automation.
///
/// Contacts that it has changed stay changed, and their histories still name it. Contacts that wait are dropped.
#[utoipa::path(
    delete, path = "/v1/automations/{id}", tag = "Automations",
    params(IdempotencyKey, ("id" = String, Path, description = "The automation's id.")),
    responses((status = 204, description = "The automation is deleted.")),
)]
pub(crate) async fn delete_automation(
    State(context): State<Context>,
    MarketingEditor(principal): MarketingEditor,
    PathId(id): PathId<AutomationId>,
    request: MutationRequest<NoBody>,
) -> Result<Response, Problem> {
    let render = |(): &()| respond::no_content();
    let responder = Responder::new(request.claim.as_ref(), &render);
    let result = context.store.delete_automation(principal.account, id, context.clock.now(), responder).await;
    request.conclude(&context, result).await
}

/// Resumes a paused automation.
///
/// The contacts that wait have their turn, within `max_per_day`, or are dropped. The brake counts anew.
#[utoipa::path(
    post, path = "/v1/automations/{id}/resume", tag = "Automations",
    params(IdempotencyKey, ("id" = String, Path, description = "The automation's id.")),
    request_body = ResumeBody,
    responses(
        (status = 200, description = "The resumed automation.", body = ReportView),
        (status = 409, description = "not-paused"),
    ),
)]
pub(crate) async fn resume_automation(
    State(context): State<Context>,
    MarketingEditor(principal): MarketingEditor,
    PathId(id): PathId<AutomationId>,
    request: MutationRequest<ResumeBody>,
) -> Result<Response, Problem> {
    let render = |report: &AutomationReport| respond::json(StatusCode::OK, &ReportView::new(report));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let (waiting, now) = (request.body.waiting, context.clock.now());
    let result = context.store.resume_automation(principal.account, id, waiting, now, responder).await;
    request.conclude(&context, result).await
}

/// Tests an automation.
///
/// Returns, for up to 100 contacts, whether each would be enrolled and the outcome that its turn would have now, and for
/// all contacts the number of those that match now. Nothing is changed.
#[utoipa::path(
    post, path = "/v1/automations/{id}/test", tag = "Automations",
    params(("id" = String, Path, description = "The automation's id.")),
    request_body = TestBody,
    responses((status = 200, description = "The result.", body = TestView)),
)]
pub(crate) async fn test_automation(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<AutomationId>,
    request: ReadRequest<TestBody>,
) -> Result<Response, Problem> {
    let (now, count_time) = (context.clock.now(), context.count_time());
    let trial =
        context.store.try_automation(principal.account, id, &request.body.contacts, now, count_time).await?;
    respond::ok(&TestView::new(&trial))
}
