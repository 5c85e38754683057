//! What `HubSpot`'s form endpoint answers, in its own words: site code that was written for it reads these.

use api::identity::RequestId;
use api::openapi::one_of;
use api::{Problem, ProblemType};
use axum::response::Response;
use domain::string_enum::string_enum;
use serde::{Serialize, Serializer};
use serde_json::error::Category;
use store::Form;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;

/// What `HubSpot` shows where a form has no message of its own.
const THANKS: &str = "Thanks for submitting the form.";

/// What a page does after a submission: it shows a message, or goes on.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = HubSpotSubmitted)]
pub(super) struct SubmittedView<'f> {
    /// What to show, for a form without a `redirect_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    inline_message: Option<&'static str>,
    /// Where to go on, for a form with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "uri")]
    redirect_uri: Option<&'f str>,
}

impl<'f> SubmittedView<'f> {
    /// The answer of this form to every submission that it takes.
    pub(super) fn new(form: &'f Form) -> Self {
        let redirect_uri = form.redirect_url.as_deref();
        Self { inline_message: redirect_uri.is_none().then_some(THANKS), redirect_uri }
    }
}

string_enum! {
    /// What kind of error it is, in `HubSpot`'s words.
    pub(crate) enum ErrorType {
        /// There are more fields than are taken.
        TooManyValues = "MAX_NUMBER_OF_SUBMITTED_VALUES_EXCEEDED",
        /// The address is none.
        InvalidEmail = "INVALID_EMAIL",
        /// There is no address.
        RequiredField = "REQUIRED_FIELD",
        /// A value is too long, or all of them are.
        InputTooLarge = "INPUT_TOO_LARGE",
        /// The field is near to no property's name, and the form does not map it.
        FieldNotInForm = "FIELD_NOT_IN_FORM_DEFINITION",
    }
}

impl Serialize for ErrorType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

fn error_type() -> Schema {
    one_of(ErrorType::ALL.iter().map(|kind| kind.as_str()), "What kind of error it is.")
}

/// One thing that is wrong with a submission.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = HubSpotFieldError)]
pub(super) struct Error {
    /// Where and what.
    message: String,
    #[schema(schema_with = error_type)]
    pub(super) error_type: ErrorType,
}

impl Error {
    /// `message` says what was expected at `place`, without a full stop.
    pub(super) fn new(place: &str, message: &str, error_type: ErrorType) -> Self {
        Self { message: format!("Error in '{place}'. {message}"), error_type }
    }
}

/// Why a submission was not taken.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = HubSpotError)]
pub(super) struct ErrorView {
    /// Always `error`.
    status: &'static str,
    /// What happened.
    message: String,
    /// The request's id, to be named when asking about it.
    correlation_id: String,
    /// Everything that is wrong with the fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Error>,
}

/// Why a submission is not taken.
pub(super) enum Refusal {
    /// These things are wrong with it.
    Invalid(Vec<Error>),
    /// It is not what is read here, or something else is in its way.
    Problem(Problem),
}

impl Refusal {
    /// A body that is not JSON, or other JSON than is read. Nothing of it is repeated.
    pub(super) fn not_readable(error: &serde_json::Error) -> Self {
        let what = match error.classify() {
            Category::Data => "has not the expected form",
            Category::Eof => "ends too early",
            Category::Syntax | Category::Io => "is not valid JSON",
        };
        let detail = format!("The body {what} at line {}, column {}", error.line(), error.column());
        Self::Problem(Problem::new(ProblemType::InvalidRequest, detail))
    }

    /// The response, with the request's id in it.
    pub(super) fn respond(self, RequestId(correlation_id): RequestId) -> Response {
        let (problem, errors) = match self {
            Self::Invalid(errors) => {
                (Problem::new(ProblemType::InvalidRequest, "The request is not valid"), errors)
            }
            Self::Problem(problem) => (problem, Vec::new()),
        };
        let message = problem.detail().to_owned();
        problem.into_response_as(&ErrorView { status: "error", message, correlation_id, errors })
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}
