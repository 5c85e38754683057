//! `POST /v1/hooks/{form_id}`: the webhooks of those who provide forms.
//!
//! A hook is verified before anything of it is read. What then follows is never refused for what the person said: a
//! provider could do nothing about it, and several stop for good when they are refused. It is kept among the rejected.

use api::path::PathId;
use api::problem::FieldError;
use api::token::sha256_hex;
use api::{Context, Problem, ProblemType, body, respond};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use domain::Timestamp;
use domain::form::tells_of_an_end;
use domain::ids::{FormId, Id as _};
use domain::limits::{DELIVERY_KEPT, SUBMISSION_ID_CHARS_MAX};
use http::StatusCode;
use store::{FieldProblem, Form, Submitted};

use crate::intake::Intake;
use crate::providers::{self, Event, SECRET_HEADER, SECRET_PARAMETER, Unverified, verify};
use crate::sent::SUBMITTED_AT;
use api::views::SubmittedView;
use form_mapping::answers::Answers;
use form_mapping::person::{self, Reason, Rejection};

/// Takes a webhook of a form's provider.
///
/// Public: it is believed for its signature, or for the secret that comes with it in the header `x-tidemark-secret` or
/// in the address where the provider signs nothing. A delivery that is repeated within 7 days changes nothing. One that
/// is no person's, such as one without an address, is kept among the form's rejected submissions. So is one that says
/// that it was made more than 7 days ago.
#[utoipa::path(
    post, path = "/v1/hooks/{form_id}", tag = "Forms", security(()),
    params(
        ("form_id" = String, Path, description = "The form's id."),
        ("secret" = Option<String>, Query, description = "The form's secret, for a provider that signs nothing."),
        ("x-tidemark-secret" = Option<String>, Header, description = "The same, and it counts if there are both."),
    ),
    request_body(
        description = "What the provider sends, as it sends it.",
        content((Object = "application/json"), (Object = "application/x-www-form-urlencoded"), (Object = "multipart/form-data")),
    ),
    responses(
        (status = 200, description = "What the submission did.", body = SubmittedView),
        (status = 204, description = "It tells of something else than a submission, from which nothing follows."),
        (status = 401, description = "unverified"),
    ),
)]
pub(crate) async fn receive_webhook(
    State(intake): State<Intake>,
    State(context): State<Context>,
    id: Result<PathId<FormId>, Problem>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(&parts.headers, body).await?;
    let form = find(&intake, id).await?;
    let query = parts.uri.query().unwrap_or_default();
    let verified = verify(form.provider, &parts.headers, query, &bytes, &form.secrets, context.clock.now());
    verified.map_err(|why| unverified(&form, why))?;
    let delivery = providers::read(form.provider, &parts.headers, &bytes)?;
    let is_taken = takes(&form, delivery.event_type.as_deref());
    let Event::Submission(answers) = delivery.event else { return ignore(&context, &form).await };
    if !is_taken {
        return ignore(&context, &form).await;
    }
    let answers = if answers.is_empty() { Answers::of_body(&bytes) } else { answers };
    let id = delivery.id.map(short);
    let is_stale = is_stale(delivery.made_at, context.clock.now());
    let submitted = settle(&intake, &context, &form, id.as_deref(), answers, is_stale).await?;
    respond::ok(&SubmittedView::new(&submitted))
}

/// Answers a webhook that tells of something else than a submission, and counts it.
async fn ignore(context: &Context, form: &Form) -> Result<Response, Problem> {
    context.store.count_ignored(form.id).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A form that posts here itself takes no hooks.
async fn find(intake: &Intake, id: Result<PathId<FormId>, Problem>) -> Result<Form, Problem> {
    let PathId(id) = id?;
    let form = intake.form(id).await?;
    if form.provider.is_native() { Err(Problem::not_found(FormId::NOUN)) } else { Ok(form) }
}

/// The account's people look for the reason in the provider's log of deliveries, which shows answers.
fn unverified(form: &Form, why: Unverified) -> Problem {
    tracing::info!(form = %form.id, provider = form.provider.as_str(), why = why.as_str(), "a hook was not believed");
    let detail = match why {
        Unverified::NoSecret => "The form has no secret yet; give it the provider's.".to_owned(),
        Unverified::Missing => format!(
            "The provider's signature is missing, or the secret in {SECRET_HEADER} or as {SECRET_PARAMETER} in the address."
        ),
        Unverified::Wrong => "The signature or the secret is not one of the form's.".to_owned(),
        Unverified::Stale => "It was signed too long ago, or the clocks differ.".to_owned(),
    };
    Problem::new(ProblemType::Unverified, detail)
}

/// An id as it is kept with a rejected submission. One that is longer than any provider's is known by its digest.
fn short(id: String) -> String {
    if id.chars().count() <= SUBMISSION_ID_CHARS_MAX { id } else { sha256_hex(id.as_bytes()) }
}

/// Applies the submission, or keeps it among the rejected.
async fn settle(
    intake: &Intake,
    context: &Context,
    form: &Form,
    id: Option<&str>,
    answers: Answers,
    is_stale: bool,
) -> Result<Submitted, Problem> {
    let rejection = match person::of_answers(answers.as_slice(), &form.into()) {
        Ok(_) if is_stale => stale(),
        Ok(person) => return intake.take(form, id, &person).await,
        Err(rejection) => rejection,
    };
    let errors: Vec<FieldProblem> = rejection
        .errors
        .into_iter()
        .map(|error| FieldProblem { field: error.field, message: error.message })
        .collect();
    let answers = serde_json::to_string(&answers.to_keep()).map_err(Problem::internal)?;
    let rejection = store::Rejection {
        form,
        submission_id: id,
        answers: &answers,
        reason: rejection.reason.as_str(),
        errors: &errors,
    };
    Ok(context.store.reject(&rejection, context.clock.now()).await?)
}

/// Returns true for a delivery that was made so long ago that a repeat of it would no longer be known as one. It may be a
/// recording that is played back.
fn is_stale(made_at: Option<Timestamp>, now: Timestamp) -> bool {
    made_at.is_some_and(|made_at| made_at.plus(DELIVERY_KEPT) < now)
}

fn stale() -> Rejection {
    let message = format!(
        "the person sent the form more than {} days ago; retry the submission if it is not known yet",
        DELIVERY_KEPT.num_days()
    );
    Rejection { reason: Reason::Stale, errors: vec![FieldError { field: SUBMITTED_AT.to_owned(), message }] }
}

/// Returns true if the form takes webhooks of this event type. Unless the form says which it takes, it takes all but
/// those that tell of an end. A webhook without a type is always taken.
fn takes(form: &Form, event_type: Option<&str>) -> bool {
    event_type.is_none_or(|event_type| match &form.event_types {
        Some(taken) => taken.contains(event_type),
        None => !tells_of_an_end(event_type),
    })
}
