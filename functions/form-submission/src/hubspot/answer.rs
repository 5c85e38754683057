//! The responses of `HubSpot`'s form endpoint, in `HubSpot`'s format, because existing site code parses them.

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

/// The message that `HubSpot` shows for a form without a message of its own.
const THANKS: &str = "Thanks for submitting the form.";

/// The page's next step after a submission: it shows a message, or it redirects.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = HubSpotSubmitted)]
pub(super) struct SubmittedView<'f> {
    /// The message to show, for a form without a `redirect_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    inline_message: Option<&'static str>,
    /// The URL to redirect to, for a form with a `redirect_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "uri")]
    redirect_uri: Option<&'f str>,
}

impl<'f> SubmittedView<'f> {
    /// Creates the response that this form returns to every accepted submission.
    pub(super) fn new(form: &'f Form) -> Self {
        let redirect_uri = form.redirect_url.as_deref();
        Self { inline_message: redirect_uri.is_none().then_some(THANKS), redirect_uri }
    }
}

string_enum! {
    /// The type of an error, in `HubSpot`'s words.
    pub(crate) enum ErrorType {
        /// The submission has too many fields.
        TooManyValues = "MAX_NUMBER_OF_SUBMITTED_VALUES_EXCEEDED",
        /// The email address is not valid.
        InvalidEmail = "INVALID_EMAIL",
        /// The email address is missing.
        RequiredField = "REQUIRED_FIELD",
        /// A value is too long, or all values together are.
        InputTooLarge = "INPUT_TOO_LARGE",
        /// The field's type is unknown, and the form does not map the field.
        FieldNotInForm = "FIELD_NOT_IN_FORM_DEFINITION",
    }
}

impl Serialize for ErrorType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

fn error_type() -> Schema {
    one_of(ErrorType::ALL.iter().map(|kind| kind.as_str()), "The type of the error.")
}

/// One error in a submission.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = HubSpotFieldError)]
pub(super) struct Error {
    /// The place of the error, and what was expected there.
    message: String,
    #[schema(schema_with = error_type)]
    pub(super) error_type: ErrorType,
}

impl Error {
    /// Creates an error. `message` states what was expected at `place`, without a full stop.
    pub(super) fn new(place: &str, message: &str, error_type: ErrorType) -> Self {
        Self { message: format!("Error in '{place}'. {message}"), error_type }
    }
}

/// The response to a refused submission.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = HubSpotError)]
pub(super) struct ErrorView {
    /// Always `error`.
    status: &'static str,
    /// A description of the error.
    message: String,
    /// The request's id, for questions about the request.
    correlation_id: String,
    /// All errors in the fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Error>,
}

/// The reason for refusing a submission.
pub(super) enum Refusal {
    /// The errors in the submission's fields.
    Invalid(Vec<Error>),
    /// Another problem, such as an unreadable body or an unknown form.
    Problem(Problem),
}

impl Refusal {
    /// Returns the refusal of a body that is not JSON or has the wrong structure. It repeats no part of the body.
    pub(super) fn not_readable(error: &serde_json::Error) -> Self {
        let fault = match error.classify() {
            Category::Data => "does not have the expected structure",
            Category::Eof => "ends too early",
            Category::Syntax | Category::Io => "is not valid JSON",
        };
        let detail = format!("The body {fault} at line {}, column {}", error.line(), error.column());
        Self::Problem(Problem::new(ProblemType::InvalidRequest, detail))
    }

    /// Converts the refusal to a response that contains the request's id.
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
