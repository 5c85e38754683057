//! What the store answers instead of a result: refusals, which are values, and faults, which keep their chain.

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use domain::ids::ContactId;
use thiserror::Error;

/// Why an operation did not happen.
#[derive(Debug, Error)]
pub enum StoreError {
    /// An expected refusal. Nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The table could not be had in time: throttled, unreachable, or every retry met a conflict. Whether the
    /// change was made is then unknown to the caller, who may repeat it with the same `Idempotency-Key`.
    #[error("the table is not available: {0}")]
    Unavailable(String, #[source] Option<BoxError>),
    /// Something is broken: an item that can't be read, or a request that the table does not take.
    #[error("{0}")]
    Fault(String, #[source] Option<BoxError>),
}

/// A source of a fault.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The expected refusals. None of them has changed anything.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// The account has no such thing, or it is another account's.
    #[error("the {0} was not found")]
    NotFound(&'static str),
    /// The address belongs to a contact already.
    #[error("a contact with this address exists already")]
    ContactExists(ContactId),
    /// The contact is not at the version that `If-Match` names, or there is none.
    #[error("the contact is not as If-Match asks")]
    VersionMismatch,
    /// The account has marketing contacts switched off.
    #[error("marketing contacts are switched off for this account")]
    MarketingContactsOff,
    /// Marketing contacts can't be switched off while there are some.
    #[error(
        "{marketing} contacts are still marketing contacts; queue them to leave and switch off after the update date"
    )]
    MarketingContactsInUse {
        /// The usage.
        marketing: u64,
    },
    /// The change would let a form set more contacts marketing, and the caller may not modify marketing contacts.
    #[error(
        "this change lets the form set more contacts marketing, which needs the permission \
         modify_marketing_contacts: {}", .fields.join(", ")
    )]
    Widening {
        /// The fields of the request that do.
        fields: Vec<&'static str>,
    },
    /// The `Idempotency-Key` was used for another request.
    #[error("this Idempotency-Key was used for another request")]
    IdempotencyKeyReused,
    /// The account would be left without an admin who has a token.
    #[error("an account keeps at least one admin who has a token")]
    LastAdmin,
    /// The account has as many as it may have.
    #[error("an account has at most {max} {what}")]
    LimitReached {
        /// A plural noun such as "forms".
        what: &'static str,
        /// How many an account may have.
        max: usize,
    },
    /// The contract's terms are the operator's to change.
    #[error(
        "an account's admin can't change {}: only the operator changes the terms of the contract",
        fields.join(", ")
    )]
    OperatorsTerms {
        /// The fields of the request.
        fields: Vec<&'static str>,
    },
    /// The caller may not change marketing states.
    #[error(
        "the permission modify_marketing_contacts is needed to delete a marketing contact that is not leaving yet"
    )]
    MarketingPermission,
    /// The account lives on the wall clock.
    #[error("this account is not a sandbox: it was made without a test_clock")]
    NotASandbox,
    /// A sandbox's clock moves forward only.
    #[error("the sandbox's clock moves forward only; it stands at {now}")]
    ClockNotForward {
        /// Where it stands.
        now: domain::Timestamp,
    },
    /// A value that is well formed and still can't be accepted as things stand.
    #[error("{field}: {message}")]
    Invalid {
        /// The field of the request.
        field: &'static str,
        /// What was expected.
        message: String,
    },
}

impl From<BuildError> for StoreError {
    fn from(error: BuildError) -> Self {
        Self::Fault("a request could not be built".to_owned(), Some(error.into()))
    }
}

/// Tells a table that is not available from a request that it does not accept.
pub(crate) fn call_error<E>(what: &str, error: SdkError<E>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let transient = match &error {
        SdkError::ServiceError(service) => {
            is_transient(service.raw().status().as_u16(), service.err().code())
        }
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    };
    let message = format!("{what} failed");
    if transient {
        StoreError::Unavailable(message, Some(Box::new(error)))
    } else {
        StoreError::Fault(message, Some(Box::new(error)))
    }
}

/// Returns true if the table may answer the same request later: it is throttled, has trouble of its own, or a transaction
/// is writing the same item.
pub(crate) fn is_transient(status: u16, code: Option<&str>) -> bool {
    status >= 500
        || matches!(
            code,
            Some(
                "ProvisionedThroughputExceededException"
                    | "RequestLimitExceeded"
                    | "ThrottlingException"
                    | "TransactionConflictException"
            )
        )
}

/// Returns true if the item was not as the condition of the write says.
pub(crate) fn is_condition_failure<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.as_service_error().and_then(|error| error.code()) == Some("ConditionalCheckFailedException")
}
