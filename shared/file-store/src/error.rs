//! The errors of files: refusals, and faults, which keep their chain of sources.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use thiserror::Error;

/// The source of a fault.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The reason for which a call failed.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file or the unfinished upload does not exist.
    #[error("the file was not found")]
    NotFound,
    /// The file or one of its parts was overwritten since the caller learned its version or its tag.
    #[error("the file has changed")]
    Changed,
    /// The bucket was not available in time: it was throttled or unreachable. A change may have been applied. All calls
    /// can be repeated.
    #[error("the files are not available: {0}")]
    Unavailable(&'static str, #[source] BoxError),
    /// A defect: a call that S3 refuses as invalid or forbidden, or a response without a part that S3 always sends.
    #[error("{0}")]
    Fault(&'static str, #[source] BoxError),
}

/// Converts a failed call. `failed` names it in the past tense, such as "a file was not read".
pub(crate) fn call_error<E>(failed: &'static str, error: SdkError<E>) -> FileError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let (status, code) = answer_of(&error);
    match (status, code) {
        // A response to HEAD has no body, and so no code.
        (_, Some("NoSuchKey" | "NoSuchUpload" | "NotFound")) | (Some(404), None) => FileError::NotFound,
        (_, Some("PreconditionFailed" | "InvalidPart")) | (Some(412), None) => FileError::Changed,
        _ if is_transient(&error, status, code) => FileError::Unavailable(failed, error.into()),
        _ => FileError::Fault(failed, error.into()),
    }
}

/// Returns true if the range of a read begins at the end of the file or after it.
pub(crate) fn is_after_end<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    answer_of(error).1 == Some("InvalidRange")
}

/// Returns the status and the code with which S3 answered.
fn answer_of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> (Option<u16>, Option<&str>) {
    match error {
        SdkError::ServiceError(service) => (Some(service.raw().status().as_u16()), service.err().code()),
        _ => (None, None),
    }
}

/// Returns true if the same call may succeed later.
fn is_transient<E>(error: &SdkError<E>, status: Option<u16>, code: Option<&str>) -> bool {
    match status {
        Some(status) => {
            let codes = ["ConditionalRequestConflict", "OperationAborted", "RequestTimeout", "SlowDown"];
            status >= 500 || code.is_some_and(|code| codes.contains(&code))
        }
        None => !matches!(error, SdkError::ConstructionFailure(_)),
    }
}
