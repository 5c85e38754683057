//! `POST /v1/hooks/{form_id}`: the webhooks of form providers.
//!
//! A webhook is verified before any part of it is parsed. A verified webhook is never refused for the answers in it,
//! because the provider cannot correct them, and several providers disable a webhook after an error. An unusable
//! submission is stored as rejected instead.

use api::path::PathId;
use api::problem::FieldError;
use api::token::sha256_hex;
use api::{Context, Problem, ProblemType, body, respond};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use domain::Timestamp;
use domain::form::reports_an_end;
use domain::ids::{FormId, Id as _};
use domain::limits::{DELIVERY_KEPT, SUBMISSION_ID_CHARS_MAX};
use http::StatusCode;
use metrics::Metric;
use store::{FieldProblem, Form, Submitted};

use crate::intake::Intake;
use crate::providers::{self, Event, SECRET_HEADER, SECRET_PARAMETER, Unverified, verify};
use crate::sent::SUBMITTED_AT;
use api::views::SubmittedView;
use form_mapping::answers::Answers;
use form_mapping::person::{self, Reason, Rejection};

/// Receives a webhook of a form provider.
///
/// Public. The webhook is verified by its signature. If the provider does not sign, it is verified by the form's secret
/// in the header `x-tidemark-secret` or in the query. A delivery that is repeated within 7 days changes nothing. An
/// unusable submission, such as one without an email address, is stored among the form's rejected submissions. So is a
/// submission that was created more than 7 days ago.
#[utoipa::path(
    post, path = "/v1/hooks/{form_id}", tag = "Forms", security(()),
    params(
        ("form_id" = String, Path, description = "The form's id."),
        ("secret" = Option<String>, Query, description = "The form's secret, for a provider that does not sign."),
        ("x-tidemark-secret" = Option<String>, Header, description = "The same secret. It overrides the query."),
    ),
    request_body(
        description = "The webhook's body in the provider's own format.",
        content((Object = "application/json"), (Object = "application/x-www-form-urlencoded"), (Object = "multipart/form-data")),
    ),
    responses(
        (status = 200, description = "The effect of the submission.", body = SubmittedView),
        (status = 204, description = "The webhook is about another event than a submission, and changes nothing."),
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
    let is_accepted = accepts(&form, delivery.event_type.as_deref());
    let Event::Submission(answers) = delivery.event else { return ignore(&context, &form).await };
    if !is_accepted {
        return ignore(&context, &form).await;
    }
    let answers = if answers.is_empty() { Answers::of_body(&bytes) } else { answers };
    let id = delivery.id.map(bounded_id);
    let is_stale = is_stale(delivery.made_at, context.clock.now());
    let submitted = submit_or_reject(&intake, &context, &form, id.as_deref(), answers, is_stale).await?;
    respond::ok(&SubmittedView::new(&submitted))
}

/// Counts a webhook about another event than a submission, and returns the response to it.
async fn ignore(context: &Context, form: &Form) -> Result<Response, Problem> {
    context.store.count_ignored(form.id).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Returns the form of another provider. A native form is not found, because it accepts no webhooks.
async fn find(intake: &Intake, id: Result<PathId<FormId>, Problem>) -> Result<Form, Problem> {
    let PathId(id) = id?;
    let form = intake.form(id).await?;
    if form.provider.is_native() { Err(Problem::not_found(FormId::NOUN)) } else { Ok(form) }
}

/// Returns the problem for a webhook that failed verification. It states the reason, because the account's users see
/// the response in the provider's delivery log.
fn unverified(form: &Form, why: Unverified) -> Problem {
    tracing::info!(form = %form.id, provider = form.provider.as_str(), why = why.as_str(), "a hook was not believed");
    let detail = match why {
        Unverified::NoSecret => "The form has no secret yet; give it the provider's.".to_owned(),
        Unverified::Missing => format!(
            "The provider's signature is missing, or the secret in the header {SECRET_HEADER} or in the query as \
             {SECRET_PARAMETER}."
        ),
        Unverified::Wrong => "The signature or the secret matches none of the form's secrets.".to_owned(),
        Unverified::Stale => "It was signed too long ago, or the clocks differ.".to_owned(),
    };
    Problem::new(ProblemType::Unverified, detail)
}

/// Returns the id as it is stored. An id of more than 255 characters is replaced by its digest.
fn bounded_id(id: String) -> String {
    if id.chars().count() <= SUBMISSION_ID_CHARS_MAX { id } else { sha256_hex(id.as_bytes()) }
}

/// Applies the submission, or stores it as rejected.
async fn submit_or_reject(
    intake: &Intake,
    context: &Context,
    form: &Form,
    id: Option<&str>,
    answers: Answers,
    is_stale: bool,
) -> Result<Submitted, Problem> {
    let rejection = match person::from_answers(answers.as_slice(), &form.into()) {
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
    let rejected = context.store.reject(&rejection, context.clock.now()).await?;
    if !rejected.duplicate {
        Metric::RejectedSubmissions.record_for(rejection.reason, 1);
    }
    Ok(rejected)
}

/// Returns true if the submission was created more than 7 days ago. A repeat of such a delivery is not recognized,
/// because delivery ids are stored for 7 days.
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

/// Returns true if the form accepts webhooks of this event type. A form without `event_types` accepts all types except
/// those that end something, such as `contact.deleted`. A webhook without a type is always accepted.
fn accepts(form: &Form, event_type: Option<&str>) -> bool {
    event_type.is_none_or(|event_type| match &form.event_types {
        Some(accepted) => accepted.contains(event_type),
        None => !reports_an_end(event_type),
    })
}
