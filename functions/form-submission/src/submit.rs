//! `POST` and `OPTIONS /v1/forms/{form_id}/submissions`.

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

/// A submission as a plain HTML form posts it. Names that stand several times have their values joined with `;`.
#[derive(Serialize, ToSchema)]
#[schema(as = FormPost)]
struct FormPostSchema {
    /// The sender's id for this submission: sent again within 7 days it changes nothing.
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    submission_id: Option<String>,
    /// When the person sent it. Kept only if the form maps it.
    #[schema(nullable = false, format = DateTime)]
    submitted_at: Option<String>,
    /// The address of the page that the form stands on. Kept only if it is http or https, with at most 2048 characters, and
    /// the form maps it; anything else is ignored.
    #[schema(nullable = false)]
    page_url: Option<String>,
    /// The form's fields by their own names, at most 200. One of them has to hold the address: the one that the form maps
    /// to `email`, or else one with a usual name, such as `email` or `E-Mail-Adresse`. A field fills the property that the
    /// form maps it to; else the one that its name usually stands for (`First Name` fills `firstname`); else the one with
    /// the name nearest to its own.
    #[serde(flatten)]
    fields: BTreeMap<String, String>,
}

/// Submits a form.
///
/// Public: pages post to it, with a script or as a plain HTML form, with at most 128 KiB. The answer is the same for every
/// person, unless the form's `answer` is `full`. A submission of an address that is known already
/// updates that person; an empty value leaves what is known as it is. With the form's `set_marketing` on the person is
/// set marketing; over the account's cap, and beyond the form's budget for the day, the person is kept as a non-marketing
/// contact. When there is too much at once the submission is accepted and settled a little later.
///
/// A browser that posts the form by itself is sent on to the form's `redirect_url`, if there is one. Files are left out.
#[utoipa::path(
    post, path = "/v1/forms/{form_id}/submissions", tag = "Forms", security(()),
    params(("form_id" = String, Path, description = "The form's id.")),
    request_body(content(
        (Document = "application/json"),
        (FormPostSchema = "application/x-www-form-urlencoded"),
        (FormPostSchema = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "It was accepted.", body = AnswerView),
        (status = 303, description = "On to the form's `redirect_url`, for a browser's own form post.",
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
    let answer = match form {
        Ok(form) => take(&intake, &form, &cors, &parts.headers, body).await,
        Err(problem) => Err(problem),
    };
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    cors.allow_reading(response.headers_mut());
    response
}

/// Tells a browser which pages may submit a form.
///
/// The answer to a CORS preflight, by the form's `allowed_origins`.
#[utoipa::path(
    options, path = "/v1/forms/{form_id}/submissions", tag = "Forms", security(()),
    params(("form_id" = String, Path, description = "The form's id.")),
    responses((status = 204, description = "Who may submit the form, in the headers of CORS.")),
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

async fn take(
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

/// Who submits, if all that was sent is right.
fn check(sent: &Sent, form: &Form) -> Result<Person, Problem> {
    let mut errors = Errors::default();
    sent.check(&mut errors);
    let person = person::read(&sent.answers(), &form.into(), &mut errors);
    errors.check()?;
    person.map_err(|_| Problem::internal("a reader refused without saying why"))
}
