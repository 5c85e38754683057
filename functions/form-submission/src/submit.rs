//! `POST` and `OPTIONS /v1/forms/{form_id}/submissions`: submissions of native forms by their pages.

use std::collections::BTreeMap;

use api::fields::Errors;
use api::path::PathId;
use api::{Problem, body};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use domain::ids::FormId;
use domain::limits::PUBLIC_BODY_BYTES_MAX;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use store::Form;
use utoipa::ToSchema;

use crate::answer::{self, AnswerView};
use crate::cors::Cors;
use crate::intake::Intake;
use crate::sent::{self, Document, Sent};
use form_mapping::person::{self, Person};

/// A submission in the encoding of a plain HTML form. Values of fields with the same name are joined with `;`.
#[derive(Serialize, ToSchema)]
#[schema(as = FormPost)]
struct FormPostSchema {
    /// The sender's id of this submission. A repeat with the same id within 7 days changes nothing.
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    submission_id: Option<String>,
    /// The instant at which the contact sent it. Stored only if the form maps it.
    #[schema(nullable = false, format = DateTime)]
    submitted_at: Option<String>,
    /// The address of the page with the form. Stored only if it is http or https, with at most 2048 characters, and the
    /// form maps it. Another value is ignored.
    #[schema(nullable = false)]
    page_url: Option<String>,
    /// The form's fields by their own names, at most 200. One of them must contain the address: the field that the form
    /// maps to `email`, or else a field with a usual name, such as `email` or `E-Mail-Adresse`. A field fills the
    /// property that the form maps it to; else the property that its name usually means (`First Name` fills
    /// `firstname`); else the property with the name nearest to its own.
    #[serde(flatten)]
    fields: BTreeMap<String, String>,
}

/// Submits a form.
///
/// This operation is public. Pages post to it, with a script or as a plain HTML form, at most 128 KiB. The response is
/// the same for every contact, unless the form's `answer` is `full`.
///
/// A submission with the address of a contact updates that contact. An empty value does not change the stored one. A
/// form with `set_marketing` sets the contact as marketing. If the account's cap is reached or the form's daily budget
/// is used up, its marketing state stays as it is. Submissions above the account's pace are accepted and applied later.
///
/// A browser that posts the form without a script is redirected to the form's `redirect_url`, if it has one. Files are
/// ignored.
#[utoipa::path(
    post, path = "/v1/forms/{form_id}/submissions", tag = "Forms", security(()),
    params(("form_id" = String, Path, description = "The form's id.")),
    request_body(content(
        (Document = "application/json"),
        (FormPostSchema = "application/x-www-form-urlencoded"),
        (FormPostSchema = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "The submission was accepted.", body = AnswerView),
        (status = 303, description = "A redirect to the form's `redirect_url`, for a browser without a script.",
         headers(("Location" = String, description = "The form's `redirect_url`."))),
        (status = 403, description = "permission-denied"),
    ),
)]
pub(crate) async fn submit_form(
    State(intake): State<Intake>,
    id: Result<PathId<FormId>, Problem>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let form = find(&intake, id).await;
    let cors = Cors::of(form.as_ref().ok(), &parts.headers);
    let result = match form {
        Ok(form) => submit(&intake, &form, &cors, &parts.headers, body).await,
        Err(problem) => Err(problem),
    };
    let mut response = result.unwrap_or_else(IntoResponse::into_response);
    cors.allow_reading(response.headers_mut());
    response
}

/// Answers a CORS preflight for a form.
///
/// The response allows pages to submit the form according to the form's `allowed_origins`.
#[utoipa::path(
    options, path = "/v1/forms/{form_id}/submissions", tag = "Forms", security(()),
    params(("form_id" = String, Path, description = "The form's id.")),
    responses((status = 204, description = "The allowed origin, method and headers, as CORS headers.")),
)]
pub(crate) async fn preflight_form(
    State(intake): State<Intake>,
    id: Result<PathId<FormId>, Problem>,
    headers: HeaderMap,
) -> Response {
    let form = find(&intake, id).await;
    let cors = Cors::of(form.as_ref().ok(), &headers);
    let mut response = match form {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => problem.into_response(),
    };
    cors.allow_reading(response.headers_mut());
    cors.allow_posting(&headers, response.headers_mut());
    response
}

async fn find(intake: &Intake, id: Result<PathId<FormId>, Problem>) -> Result<Form, Problem> {
    let PathId(id) = id?;
    intake.native_form(id).await
}

async fn submit(
    intake: &Intake,
    form: &Form,
    cors: &Cors,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    cors.check()?;
    let sent = sent::read(headers, body::read_up_to(PUBLIC_BODY_BYTES_MAX, headers, body).await?)?;
    let person = check(&sent, form)?;
    let submitted = intake.take(form, sent.submission_id.as_deref(), &person).await?;
    answer::respond(form, headers, sent.is_form_post, &submitted)
}

/// Returns the person in a submission, or all errors in it.
fn check(sent: &Sent, form: &Form) -> Result<Person, Problem> {
    let mut errors = Errors::default();
    sent.check(&mut errors);
    let person = person::read(&sent.answers(), &form.into(), &mut errors);
    errors.check()?;
    person.map_err(|_| Problem::internal("a parser rejected a request without an error"))
}
