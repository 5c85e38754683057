//! The errors of the store: refusals, which are values, and faults, which keep their chain of sources.

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use domain::ids::ContactId;
use thiserror::Error;

/// The reason for which an operation failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// An expected refusal. Nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The table was not available in time: it was throttled or unreachable, or every retry conflicted. The change may
    /// have been applied. A caller can repeat the request with the same `Idempotency-Key`.
    #[error("the table is not available: {0}")]
    Unavailable(String, #[source] Option<BoxError>),
    /// A defect: an item that can't be decoded, or a call that DynamoDB refuses as invalid.
    #[error("{0}")]
    Fault(String, #[source] Option<BoxError>),
}

/// The source of a fault.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The expected refusals. A refused operation changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// The account has no such item, or it belongs to another account.
    #[error("the {0} was not found")]
    NotFound(&'static str),
    /// A contact has the address already.
    #[error("a contact with this address exists already")]
    ContactExists(ContactId),
    /// The contact does not have the version that `If-Match` requires, or does not exist.
    #[error("the contact does not have the version that If-Match requires")]
    VersionMismatch,
    /// The account has marketing contacts switched off.
    #[error("marketing contacts are switched off for this account")]
    MarketingContactsOff,
    /// The contact can't become marketing, so nothing of it was changed.
    #[error("the contact was not set marketing: {0}")]
    Status(domain::decision::Refusal),
    /// Marketing contacts can't be switched off while the account has some.
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
        /// The fields of the request that widen the form.
        fields: Vec<&'static str>,
    },
    /// The number of selected contacts is not the confirmed one.
    #[error(
        "{matched} contacts match now and not {confirmed} as confirmed; {would_change} of them would change. \
         confirm_count is the number that matches, also if fewer contacts change"
    )]
    CountChanged {
        /// The number that the caller confirmed.
        confirmed: u64,
        /// The number of contacts that match.
        matched: u64,
        /// The number of contacts that the command would change.
        would_change: u64,
    },
    /// The `Idempotency-Key` was used for another request.
    #[error("this Idempotency-Key was used for another request")]
    IdempotencyKeyReused,
    /// The account would be left without an admin who has a token.
    #[error("an account keeps at least one admin who has a token")]
    LastAdmin,
    /// The account has reached the limit.
    #[error("an account has at most {max} {what}")]
    LimitReached {
        /// A plural noun such as "forms".
        what: &'static str,
        /// The maximum for an account.
        max: usize,
    },
    /// An automation uses the form or the segment.
    #[error("the automation {automation} uses this {what}; change or delete the automation first")]
    InUse {
        /// A noun such as "form".
        what: &'static str,
        /// The automation's id.
        automation: String,
    },
    /// The automation is not paused.
    #[error("only an automation that its brake has paused can be resumed")]
    NotPaused,
    /// The import has started, so its options are fixed.
    #[error("only an import that has not started can be changed")]
    ImportStarted,
    /// Only the operator may change the contract's terms.
    #[error(
        "an account's admin can't change {}: only the operator changes the terms of the contract",
        fields.join(", ")
    )]
    OperatorsTerms {
        /// The fields of the request.
        fields: Vec<&'static str>,
    },
    /// The caller lacks the permission to change marketing states.
    #[error(
        "the permission modify_marketing_contacts is needed to delete a marketing contact that is not leaving yet"
    )]
    MarketingPermission,
    /// The account follows the wall clock.
    #[error("this account is not a sandbox, because it was created without a test_clock")]
    NotASandbox,
    /// A sandbox's clock moves only forward.
    #[error("the sandbox's clock moves only forward, and is at {now}")]
    ClockNotForward {
        /// The clock's present instant.
        now: domain::Timestamp,
    },
    /// A well-formed value that is not acceptable in the present state.
    #[error("{field}: {message}")]
    Invalid {
        /// The field of the request.
        field: &'static str,
        /// The expected value, as a sentence.
        message: String,
    },
}

impl From<BuildError> for StoreError {
    fn from(error: BuildError) -> Self {
        Self::Fault("a request could not be built".to_owned(), Some(error.into()))
    }
}

/// Converts a failed call to [`StoreError::Unavailable`] or to a fault.
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

/// Returns true if the same call may succeed later: the table is throttled or has an internal error, or a transaction
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

/// Returns true if the item did not meet the condition of the write.
pub(crate) fn is_condition_failure<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.as_service_error().and_then(|error| error.code()) == Some("ConditionalCheckFailedException")
}
