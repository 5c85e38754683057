//! `/v1/forms/{id}/rejected`: the submissions that could not be taken. Everybody of an account manages them, as its
//! forms.

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

/// A submission that could not be taken.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectedSubmission)]
pub(crate) struct RejectedView {
    /// Its id.
    id: String,
    /// When it came, by the account's clock.
    #[schema(format = DateTime)]
    received_at: String,
    /// The provider's own id for it; left out if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    submission_id: Option<String>,
    /// Why it could not be taken, such as `no-address`.
    reason: String,
    /// Everything that was wrong with it.
    errors: Vec<FieldError>,
    /// What was answered.
    answers: Vec<AnswerView>,
}

/// What was answered in one field.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectedAnswer)]
pub(crate) struct AnswerView {
    /// The field's names. A form's `field_map` may speak of it by any of them.
    names: Vec<String>,
    /// What was answered: one text, or one for each choice that was made.
    values: Vec<String>,
    /// Whether the values were too long to be kept whole.
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

fn answers(json: &str) -> Result<Answers, Problem> {
    serde_json::from_str(json).map_err(unreadable)
}

/// Without what serde says of it, which repeats what stands there.
fn unreadable(_: serde_json::Error) -> Problem {
    Problem::internal("the answers of a rejected submission can't be read")
}

/// Lists the submissions of a form that could not be taken.
///
/// In the order in which they came. They are kept for 90 days, unless they are removed or a retry takes them. A page ends
/// earlier where the answers are long.
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
        // Some may have been left behind by a form that is gone: they can be seen and removed.
        context.store.form(principal.account, id).await?;
    }
    respond::ok(&page)
}

/// One page, read a few at a time: each may be long.
async fn page(
    context: &Context,
    account: AccountId,
    form: FormId,
    Paging { limit, after }: Paging<RejectionId>,
) -> Result<Page<RejectedView>, Problem> {
    let (mut next, mut last) = (after, None);
    let mut page = PageBuilder::default();
    loop {
        // With one more it is known whether the page is the last.
        let some = REJECTED_PAGE_MAX.min(limit + 1 - page.count());
        let listing = context.store.rejected(account, form, context.clock.now(), next, some).await?;
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

/// Sends a rejected submission again.
///
/// For when the form's `field_map` has been mended. What then happens is what would have happened had it come now; it is
/// no longer among the rejected. If it still can't be taken it stays, and `errors` says why.
#[utoipa::path(
    post, path = "/v1/forms/{id}/rejected/{rejection_id}/retry", tag = "Forms",
    params(
        IdempotencyKey,
        ("id" = String, Path, description = "The form's id."),
        ("rejection_id" = String, Path, description = "The rejected submission's id."),
    ),
    responses((status = 200, description = "What the submission did.", body = SubmittedView)),
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
        Ok(Ok(answer)) => request.conclude(&context, Ok(answer)).await,
        Err(error) => request.conclude(&context, Err(error)).await,
    }
}

/// Returns the form of the rejected submission. A form that is not found is answered as a submission that is not, as
/// for every other route of a rejected submission.
async fn find(context: &Context, account: AccountId, form: FormId) -> Result<Form, Problem> {
    match context.store.form(account, form).await {
        Err(StoreError::Refused(Refused::NotFound(_))) => Err(Problem::not_found(RejectionId::NOUN)),
        found => Ok(found?),
    }
}

/// Removes a rejected submission, for good and at once.
///
/// It stays counted, and its delivery stays a repeat when it comes again.
#[utoipa::path(
    delete, path = "/v1/forms/{id}/rejected/{rejection_id}", tag = "Forms",
    params(
        IdempotencyKey,
        ("id" = String, Path, description = "The form's id."),
        ("rejection_id" = String, Path, description = "The rejected submission's id."),
    ),
    responses((status = 204, description = "It is gone.")),
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

/// Maps a rejected submission by the form as it is now.
fn person_of(rejected: &Rejected, form: &Form) -> Result<Mapped, Problem> {
    match person::of_answers(answers(&rejected.answers)?.as_slice(), &form.into()) {
        Ok(Person { email, properties, left_out }) => {
            Ok(Mapped { person: store::Person { email, properties }, left_out })
        }
        Err(rejection) => Err(Problem::invalid(rejection.errors)),
    }
}
