//! `/v1/forms/{id}/rejected`: the rejected submissions of a form. Every user and integration of the account may manage
//! them, as its forms.

use api::describe::Parameters;
use api::openapi::IdempotencyKey;
use api::paging::{Page, PageBuilder, Paging};
use api::path::{PathId, PathIds};
use api::problem::FieldError;
use api::views::SubmittedView;
use api::{AccountCaller, Context, MutationRequest, NoBody, Problem, Query, respond};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{AccountId, FormId, Id as _, RejectionId};
use domain::limits::REJECTED_PAGE_MAX;
use form_mapping::answers::{Answers, FieldAnswer};
use form_mapping::person::{self, Person};
use serde::Serialize;
use store::{FieldProblem, Form, Mapped, Refused, Rejected, Responder, StoreError, Submitted};
use utoipa::ToSchema;

/// A rejected submission, which could not be applied.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectedSubmission)]
pub(crate) struct RejectedView {
    /// The rejected submission's id.
    id: String,
    /// The instant of its arrival, by the account's clock.
    #[schema(format = DateTime)]
    received_at: String,
    /// The provider's own id of the submission. Left out if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    submission_id: Option<String>,
    /// The reason for which it was rejected, such as `no-address`.
    reason: String,
    /// The errors in the submission, field by field.
    errors: Vec<FieldError>,
    /// The answers in the submission.
    answers: Vec<AnswerView>,
}

/// The answer in one field of a rejected submission.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectedAnswer)]
pub(crate) struct AnswerView {
    /// The field's names. A form's `field_map` may refer to the field by any of them.
    names: Vec<String>,
    /// The values: one text, or one for each selected choice.
    values: Vec<String>,
    /// True if the values are incomplete, because they were too long to be stored.
    is_cut: bool,
}

impl From<FieldAnswer> for AnswerView {
    fn from(answer: FieldAnswer) -> Self {
        Self { names: answer.names, values: answer.values, is_cut: answer.is_cut }
    }
}

impl RejectedView {
    fn new(rejected: Rejected) -> Result<Self, Problem> {
        let error = |FieldProblem { field, message }| FieldError { field, message };
        Ok(Self {
            id: rejected.id.to_string(),
            received_at: rejected.received_at.to_string(),
            submission_id: rejected.submission_id,
            reason: rejected.reason,
            errors: rejected.errors.into_iter().map(error).collect(),
            answers: answers(&rejected.answers)?.into_vec().into_iter().map(AnswerView::from).collect(),
        })
    }
}

/// Parses the stored answers.
fn answers(json: &str) -> Result<Answers, Problem> {
    serde_json::from_str(json).map_err(unreadable)
}

/// Returns the problem for unreadable answers. It omits serde's message, which can contain personal data.
fn unreadable(_: serde_json::Error) -> Problem {
    Problem::internal("the answers of a rejected submission can't be read")
}

/// Lists a form's rejected submissions.
///
/// They are in the order of their arrival. A rejected submission is stored for 90 days, unless it is deleted or a retry
/// applies it. A page has fewer results than `limit` if the answers are long.
#[utoipa::path(
    get, path = "/v1/forms/{id}/rejected", tag = "Forms",
    params(Parameters<Paging<RejectionId>>, ("id" = String, Path, description = "The form's id.")),
    responses((status = 200, description = "A page of rejected submissions.", body = Page<RejectedView>)),
)]
pub(crate) async fn list_rejected_submissions(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathId(id): PathId<FormId>,
    Query(paging): Query<Paging<RejectionId>>,
) -> Result<Response, Problem> {
    let page = page(&context, principal.account, id, paging).await?;
    if page.results.is_empty() {
        // An unknown form is an error. A deleted form may have left rejected submissions behind, which can still be
        // listed and deleted.
        context.store.form(principal.account, id).await?;
    }
    respond::ok(&page)
}

/// Reads a page in parts of at most [`REJECTED_PAGE_MAX`], because each rejected submission may be long.
async fn page(
    context: &Context,
    account: AccountId,
    form: FormId,
    Paging { limit, after }: Paging<RejectionId>,
) -> Result<Page<RejectedView>, Problem> {
    let (mut next, mut last) = (after, None);
    let mut page = PageBuilder::default();
    loop {
        // One more than the page needs shows if another page follows.
        let count = REJECTED_PAGE_MAX.min(limit + 1 - page.count());
        let listing = context.store.rejected(account, form, context.clock.now(), next, count).await?;
        for rejected in listing.items {
            let id = rejected.id;
            if page.count() == limit || !page.push(RejectedView::new(rejected)?) {
                return Ok(page.finish(last.as_ref()));
            }
            last = Some(id);
        }
        next = listing.next;
        if next.is_none() {
            return Ok(page.finish(None::<&RejectionId>));
        }
    }
}

/// Retries a rejected submission.
///
/// The form's present `field_map` applies, so correct it first. The submission has the effect of a new submission, and
/// is deleted from the rejected submissions. If it is still invalid, it stays, and the response lists the `errors`.
#[utoipa::path(
    post, path = "/v1/forms/{id}/rejected/{rejection_id}/retry", tag = "Forms",
    params(
        IdempotencyKey,
        ("id" = String, Path, description = "The form's id."),
        ("rejection_id" = String, Path, description = "The rejected submission's id."),
    ),
    responses((status = 200, description = "The effect of the submission.", body = SubmittedView)),
)]
pub(crate) async fn retry_rejected_submission(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathIds(form, rejection): PathIds<FormId, RejectionId>,
    request: MutationRequest<NoBody>,
) -> Result<Response, Problem> {
    let form = find(&context, principal.account, form).await?;
    let map = |rejected: &Rejected| person_of(rejected, &form);
    let render = |submitted: &Submitted| respond::json(StatusCode::OK, &SubmittedView::new(submitted));
    let responder = Responder::new(request.claim.as_ref(), &render);
    let now = context.clock.now();
    match context.store.retry_rejected_submission(&form, rejection, map, now, responder).await {
        Ok(Err(problem)) => Err(problem),
        Ok(Ok(response)) => request.conclude(&context, Ok(response)).await,
        Err(error) => request.conclude(&context, Err(error)).await,
    }
}

/// Returns the form of the rejected submission. An unknown form has the response of an unknown submission, as on every
/// other route of a rejected submission.
async fn find(context: &Context, account: AccountId, form: FormId) -> Result<Form, Problem> {
    match context.store.form(account, form).await {
        Err(StoreError::Refused(Refused::NotFound(_))) => Err(Problem::not_found(RejectionId::NOUN)),
        found => Ok(found?),
    }
}

/// Deletes a rejected submission.
///
/// It is deleted at once, cannot be restored and counts no more. A repeated delivery of it changes nothing.
#[utoipa::path(
    delete, path = "/v1/forms/{id}/rejected/{rejection_id}", tag = "Forms",
    params(
        IdempotencyKey,
        ("id" = String, Path, description = "The form's id."),
        ("rejection_id" = String, Path, description = "The rejected submission's id."),
    ),
    responses((status = 204, description = "The rejected submission is deleted.")),
)]
pub(crate) async fn delete_rejected_submission(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    PathIds(form, rejection): PathIds<FormId, RejectionId>,
    request: MutationRequest<NoBody>,
) -> Result<Response, Problem> {
    let render = |(): &()| respond::no_content();
    let responder = Responder::new(request.claim.as_ref(), &render);
    let now = context.clock.now();
    let result =
        context.store.delete_rejected_submission(principal.account, form, rejection, now, responder).await;
    request.conclude(&context, result).await
}

/// Maps a rejected submission to a contact by the form's present settings.
fn person_of(rejected: &Rejected, form: &Form) -> Result<Mapped, Problem> {
    match person::from_answers(answers(&rejected.answers)?.as_slice(), &form.into()) {
        Ok(Person { email, properties, left_out }) => {
            Ok(Mapped { person: store::Person { email, properties }, left_out })
        }
        Err(rejection) => Err(Problem::invalid(rejection.errors)),
    }
}
