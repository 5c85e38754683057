//! Transactions, and the verdict on a transaction that failed: not applied, unknown, or a fault.

use aws_sdk_dynamodb::config::Config;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, Delete, Put, TransactWriteItem, Update};

use crate::StoreError;
use crate::error::is_transient;
use crate::keys::{Item, Key};
use crate::retry::Retries;
use crate::store::Store;

/// Writes that are applied together or not at all.
#[derive(Default)]
pub(crate) struct Transaction {
    writes: Vec<TransactWriteItem>,
    first: Vec<Item>,
    then_keys: Vec<Key>,
    then_partitions: Vec<String>,
}

impl Transaction {
    /// Adds an item that is written before the transaction, without a condition. It must be harmless if the
    /// transaction is not applied.
    pub(crate) fn first(&mut self, item: Item) {
        self.first.push(item);
    }

    /// Adds an item that is deleted after the commit.
    pub(crate) fn then_delete(&mut self, key: Key) {
        self.then_keys.push(key);
    }

    /// Adds a partition whose items are all deleted after the commit.
    pub(crate) fn then_delete_partition(&mut self, pk: String) {
        self.then_partitions.push(pk);
    }

    pub(crate) fn put(&mut self, put: Put) {
        self.writes.push(TransactWriteItem::builder().put(put).build());
    }

    pub(crate) fn update(&mut self, update: Update) {
        self.writes.push(TransactWriteItem::builder().update(update).build());
    }

    pub(crate) fn delete(&mut self, delete: Delete) {
        self.writes.push(TransactWriteItem::builder().delete(delete).build());
    }
}

/// Returns true if a transaction was cancelled because another transaction had locked its items, or because the table
/// throttled it. Otherwise an item did not meet its condition.
///
/// # Errors
///
/// A fault if DynamoDB refused a write as invalid.
fn is_contention(reasons: &[CancellationReason]) -> Result<bool, StoreError> {
    let mut contention = false;
    for reason in reasons {
        match reason.code() {
            None | Some("None" | "ConditionalCheckFailed") => {}
            Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => {
                contention = true;
            }
            Some(code) => {
                return Err(StoreError::Fault(format!("a write of a transaction was refused: {code}"), None));
            }
        }
    }
    Ok(contention)
}

/// The meaning of a transaction's error.
enum Verdict {
    /// It was not applied, for these reasons.
    Cancelled(Vec<CancellationReason>),
    /// It may have been applied, or may still be. A repeat with the same token finds out.
    Unknown,
    Fault,
}

fn verdict(error: &SdkError<TransactWriteItemsError>) -> Verdict {
    let SdkError::ServiceError(service) = error else {
        return match error {
            SdkError::ConstructionFailure(_) => Verdict::Fault,
            _ => Verdict::Unknown,
        };
    };
    match service.err() {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            Verdict::Cancelled(cancelled.cancellation_reasons().to_vec())
        }
        TransactWriteItemsError::TransactionInProgressException(_) => Verdict::Unknown,
        _ if is_transient(service.raw().status().as_u16(), service.err().code()) => Verdict::Unknown,
        _ => Verdict::Fault,
    }
}

impl Store {
    /// Commits a transaction and returns true if it was applied. If it returns false, it has waited as long as is
    /// useful, and the caller reads and decides again. A transaction without writes makes no call.
    ///
    /// If a call has no response, it is repeated with the same client request token, which DynamoDB applies once
    /// within ten minutes. So an applied transaction is never reported as not applied. The repeats are this function's
    /// and not the SDK's, because the SDK would report only the last of them: see [`Retries::is_unanswered`].
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the retries are used up, and faults.
    pub(crate) async fn commit(
        &self,
        transaction: Transaction,
        retries: &Retries<'_>,
    ) -> Result<bool, StoreError> {
        let Transaction { writes, first, then_keys, then_partitions } = transaction;
        if writes.is_empty() {
            return Ok(true);
        }
        self.put_all(first, retries).await?;
        if !self.write_transaction(writes, retries).await? {
            return Ok(false);
        }
        self.delete_all(&then_keys, retries).await?;
        for pk in then_partitions {
            self.delete_partition(&pk, retries).await?;
        }
        Ok(true)
    }

    async fn write_transaction(
        &self,
        writes: Vec<TransactWriteItem>,
        retries: &Retries<'_>,
    ) -> Result<bool, StoreError> {
        let token = self.rng().hex();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let sent = self
                .client
                .transact_write_items()
                .client_request_token(&token)
                .set_transact_items(Some(writes.clone()))
                .customize()
                .config_override(Config::builder().retry_config(RetryConfig::disabled()))
                .send()
                .await;
            let Err(error) = sent else {
                retries.record_commit();
                return Ok(true);
            };
            match verdict(&error) {
                Verdict::Cancelled(reasons) => {
                    if is_contention(&reasons)? {
                        retries.back_off("other transactions had locked the items").await?;
                    } else {
                        retries.retry_now("the items kept changing").await?;
                    }
                    return Ok(false);
                }
                Verdict::Unknown => {
                    retries.record_no_response();
                    if let Err(StoreError::Unavailable(why, _)) =
                        retries.attempt_again(attempts, "a transaction had no response").await
                    {
                        return Err(StoreError::Unavailable(why, Some(Box::new(error))));
                    }
                }
                Verdict::Fault => {
                    return Err(StoreError::Fault("a transaction failed".to_owned(), Some(Box::new(error))));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::http::HttpResponse;
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::types::error::{TransactionCanceledException, TransactionInProgressException};

    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect()
    }

    #[test]
    fn refused_write_is_a_fault_and_a_conflict_is_contention() {
        let contention = |codes: &[&str]| is_contention(&reasons(codes));
        assert!(!contention(&["None", "ConditionalCheckFailed", "None"]).unwrap());
        assert!(!is_contention(&[CancellationReason::builder().build()]).unwrap());
        for code in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
            assert!(contention(&["ConditionalCheckFailed", code, "None"]).unwrap(), "{code}");
        }
        let fault = contention(&["TransactionConflict", "ValidationError", "None"]).unwrap_err();
        assert_eq!(fault.to_string(), "a write of a transaction was refused: ValidationError");
    }

    #[test]
    fn error_tells_if_the_transaction_may_be_applied() {
        fn service(status: u16, error: TransactWriteItemsError) -> SdkError<TransactWriteItemsError> {
            SdkError::service_error(error, HttpResponse::new(status.try_into().unwrap(), "".into()))
        }
        let generic =
            |code: &str| TransactWriteItemsError::generic(ErrorMetadata::builder().code(code).build());
        let cancelled = TransactionCanceledException::builder()
            .set_cancellation_reasons(Some(reasons(&["None", "TransactionConflict"])))
            .build();
        let in_progress = TransactionInProgressException::builder().build();
        let shown = |error| match verdict(&error) {
            Verdict::Cancelled(reasons) => format!("cancelled for {} reasons", reasons.len()),
            Verdict::Unknown => "unknown".to_owned(),
            Verdict::Fault => "fault".to_owned(),
        };
        for (error, expected) in [
            (
                service(400, TransactWriteItemsError::TransactionCanceledException(cancelled)),
                "cancelled for 2 reasons",
            ),
            (service(400, TransactWriteItemsError::TransactionInProgressException(in_progress)), "unknown"),
            (service(400, generic("ThrottlingException")), "unknown"),
            (service(400, generic("ProvisionedThroughputExceededException")), "unknown"),
            (service(400, generic("RequestLimitExceeded")), "unknown"),
            (service(500, generic("InternalServerError")), "unknown"),
            (service(400, generic("ValidationException")), "fault"),
            (service(499, generic("AccessDeniedException")), "fault"),
            (SdkError::timeout_error("it took too long"), "unknown"),
            (SdkError::construction_failure("a request that can't be"), "fault"),
        ] {
            let text = format!("{error:?}");
            assert_eq!(shown(error), expected, "{text}");
        }
    }
}
