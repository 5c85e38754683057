//! `HubSpot`'s form endpoint, so that site code that was written for it only changes the host. `portalId` is the
//! account's portal number or its id. `formGuid` is the form's guid or its id.
//!
//! Only native forms are found here. A form of another provider accepts only the verified webhooks of that provider.

mod answer;
mod path;
mod request;

use api::fields::Errors;
use api::identity::RequestId;
use api::path::PathTexts;
use api::{AccountCaller, Problem, ProblemType, body, respond};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use domain::ids::{FormId, Id as _, PortalId};
use domain::limits::{BODY_BYTES_MAX, PUBLIC_BODY_BYTES_MAX};
use form_mapping::person::{self, Person, Reason};
use http::{HeaderMap, StatusCode};
use store::Form;

use self::answer::{Error, ErrorType, ErrorView, Refusal, SubmittedView};
use self::path::Portal;
use self::request::Submission;
use crate::cors::Cors;
use crate::intake::Intake;
use crate::sent::Sent;

/// The texts in a path that identify an account and a form.
type FormPath = Result<PathTexts, Problem>;

/// Submits a form in the format of `HubSpot`.
///
/// This operation is public. Pages post to it with a script that was written for `HubSpot`'s forms. A submission has
/// the same effect as with `POST /v1/forms/{form_id}/submissions`.
#[utoipa::path(
    post, path = "/submissions/v3/integration/submit/{portal_id}/{form_guid}", tag = "Forms", security(()),
    params(
        ("portal_id" = String, Path, description = "The account's portal number, or its id."),
        ("form_guid" = String, Path, description = "The form's guid, or its id."),
    ),
    request_body = Submission,
    responses(
        (status = 200, description = "The submission was accepted.", body = SubmittedView),
        (status = 403, description = "permission-denied"),
        (status = "default", description = "The error has HubSpot's format.", body = ErrorView),
    ),
)]
pub(crate) async fn submit_hubspot_form(
    State(intake): State<Intake>,
    path: FormPath,
    id: RequestId,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let form = find(&intake, path).await;
    let cors = Cors::of(form.as_ref().ok(), &parts.headers);
    let result = match form.and_then(|form| cors.check().map(|()| form)) {
        Ok(form) => submit(&intake, &form, &parts.headers, body, PUBLIC_BODY_BYTES_MAX).await,
        Err(problem) => Err(problem.into()),
    };
    let mut response = result.unwrap_or_else(|refusal| refusal.respond(id));
    cors.allow_reading(response.headers_mut());
    response
}

/// Answers a CORS preflight for a form in the format of `HubSpot`.
///
/// The response allows pages to submit the form according to the form's `allowed_origins`.
#[utoipa::path(
    options, path = "/submissions/v3/integration/submit/{portal_id}/{form_guid}", tag = "Forms", security(()),
    params(
        ("portal_id" = String, Path, description = "The account's portal number, or its id."),
        ("form_guid" = String, Path, description = "The form's guid, or its id."),
    ),
    responses(
        (status = 204, description = "The allowed origin, method and headers, as CORS headers."),
        (status = "default", description = "The error has HubSpot's format.", body = ErrorView),
    ),
)]
pub(crate) async fn preflight_hubspot_form(
    State(intake): State<Intake>,
    path: FormPath,
    id: RequestId,
    headers: HeaderMap,
) -> Response {
    let form = find(&intake, path).await;
    let cors = Cors::of(form.as_ref().ok(), &headers);
    let mut response = match form {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => Refusal::from(problem).respond(id),
    };
    cors.allow_reading(response.headers_mut());
    cors.allow_posting(&headers, response.headers_mut());
    response
}

/// Submits a form in the format of `HubSpot`, with a bearer token.
///
/// This operation is for servers. Any user or integration of the account may call it. Pages cannot call it, because it
/// does not support CORS.
#[utoipa::path(
    post, path = "/submissions/v3/integration/secure/submit/{portal_id}/{form_guid}", tag = "Forms",
    params(
        ("portal_id" = String, Path, description = "The account's portal number, or its id."),
        ("form_guid" = String, Path, description = "The form's guid, or its id."),
    ),
    request_body = Submission,
    responses(
        (status = 200, description = "The submission was accepted.", body = SubmittedView),
        (status = "default", description = "The error has HubSpot's format.", body = ErrorView),
    ),
)]
pub(crate) async fn submit_hubspot_form_authenticated(
    State(intake): State<Intake>,
    account: Result<AccountCaller, Problem>,
    path: FormPath,
    id: RequestId,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let result = match find_own(&intake, account, path).await {
        Ok(form) => submit(&intake, &form, &parts.headers, body, BODY_BYTES_MAX).await,
        Err(problem) => Err(problem.into()),
    };
    result.unwrap_or_else(|refusal| refusal.respond(id))
}

/// Returns the form, for a caller with a token of its account.
async fn find_own(
    intake: &Intake,
    account: Result<AccountCaller, Problem>,
    path: FormPath,
) -> Result<Form, Problem> {
    let AccountCaller(principal) = account?;
    let path = path?;
    // This check precedes the read of the form, so that existing and unknown forms of another account have the same
    // response. A portal number is compared with the form's own.
    if path.0 != principal.account.to_string() && path.0.parse::<PortalId>().is_err() {
        return Err(Problem::new(ProblemType::PermissionDenied, "The token does not belong to this portal."));
    }
    let form = find(intake, Ok(path)).await?;
    if form.account == principal.account { Ok(form) } else { Err(Problem::not_found(FormId::NOUN)) }
}

/// Returns the native form in the path. Every other path has the response of an unknown form.
async fn find(intake: &Intake, path: FormPath) -> Result<Form, Problem> {
    let PathTexts(portal, form) = path?;
    let not_found = |_| Problem::not_found(FormId::NOUN);
    let portal: Portal = portal.parse().map_err(not_found)?;
    let form = intake.native_form(path::form(&form).map_err(not_found)?).await?;
    if portal.has(&form) { Ok(form) } else { Err(Problem::not_found(FormId::NOUN)) }
}

async fn submit(
    intake: &Intake,
    form: &Form,
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<Response, Refusal> {
    let bytes = body::read_up_to(bytes_max, headers, body).await?;
    body::require_json(headers)?;
    let sent = request::read(&bytes)?;
    let person = check(&sent, form)?;
    intake.take(form, None, &person).await?;
    Ok(respond::ok(&SubmittedView::new(form))?)
}

/// Returns the person in a submission, or all errors in it.
fn check(sent: &Sent, form: &Form) -> Result<Person, Refusal> {
    let mut errors = Errors::default();
    person::read(&sent.answers(), &form.into(), &mut errors).map_err(|reasons| {
        let Err(problem) = errors.check() else {
            return Problem::internal("a parser rejected a request without an error").into();
        };
        let errors = problem.errors().iter().zip(reasons);
        Refusal::Invalid(
            errors.map(|(error, reason)| Error::new(&error.field, &error.message, reason.into())).collect(),
        )
    })
}

impl From<Reason> for ErrorType {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::NoAddress => Self::RequiredField,
            Reason::InvalidAddress | Reason::SeveralAddresses => Self::InvalidEmail,
            Reason::UnknownFieldType => Self::FieldNotInForm,
            Reason::InvalidValue | Reason::Stale => Self::InputTooLarge,
        }
    }
}
