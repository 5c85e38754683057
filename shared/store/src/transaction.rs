//! Transactions with labelled parts, so that the reasons of a cancelled one are read by position and never guessed.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, Delete, Put, TransactWriteItem, Update};

use crate::error::is_transient;
use crate::keys::Item;
use crate::retry::Retries;
use crate::store::Store;
use crate::{Rng, StoreError};

/// What a write of a transaction is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Account,
    Address,
    Answer,
    Contact,
    Delivery,
    Form,
    FormCounts,
    FormDay,
    Period,
    Rejected,
    Statement,
    Token,
    User,
}

/// Writes that happen together or not at all.
pub(crate) struct Transaction {
    parts: Vec<Part>,
    writes: Vec<TransactWriteItem>,
    /// Items that are written before, so that they are there once the transaction has happened. Without it they do no harm.
    first: Vec<Item>,
    /// DynamoDB's client request token: a repeat of the same transaction within ten minutes happens once.
    token: String,
}

impl Transaction {
    /// A transaction without writes.
    pub(crate) fn new(rng: &Rng) -> Self {
        Self {
            parts: Vec::new(),
            writes: Vec::new(),
            first: Vec::new(),
            token: format!("{:032x}", rng.bits()),
        }
    }

    fn push(&mut self, part: Part, write: TransactWriteItem) {
        self.parts.push(part);
        self.writes.push(write);
    }

    /// Adds an item that is written before the transaction, without a condition.
    pub(crate) fn first(&mut self, item: Item) {
        self.first.push(item);
    }

    pub(crate) fn put(&mut self, part: Part, put: Put) {
        self.push(part, TransactWriteItem::builder().put(put).build());
    }

    pub(crate) fn update(&mut self, part: Part, update: Update) {
        self.push(part, TransactWriteItem::builder().update(update).build());
    }

    pub(crate) fn delete(&mut self, part: Part, delete: Delete) {
        self.push(part, TransactWriteItem::builder().delete(delete).build());
    }

    /// Whether a transaction was cancelled because other writes had its items in hand, or the table was throttled.
    /// Otherwise an item was not as its condition says.
    ///
    /// # Errors
    ///
    /// A fault, if a part was refused for what it is.
    fn is_contention(&self, reasons: &[CancellationReason]) -> Result<bool, StoreError> {
        let mut busy = false;
        for (part, reason) in self.parts.iter().zip(reasons) {
            match reason.code() {
                None | Some("None" | "ConditionalCheckFailed") => {}
                Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => {
                    busy = true;
                }
                Some(code) => {
                    return Err(StoreError::Fault(
                        format!("a transaction's {part:?} was refused: {code}"),
                        None,
                    ));
                }
            }
        }
        Ok(busy)
    }
}

/// What an error of a transaction says about whether it happened.
enum Verdict {
    Cancelled(Vec<CancellationReason>),
    /// It may or may not have happened, or may yet: the same transaction with the same token finds out.
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
    /// Commits a transaction and answers whether it has happened. If it has not, this has waited as long as is
    /// good, and what was decided on is to be read again. A transaction without writes is done at once.
    ///
    /// A lost answer is asked for again under the same token, so a transaction that has happened is never taken for
    /// one that has not.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the tries are used up, and faults.
    pub(crate) async fn commit(
        &self,
        transaction: Transaction,
        retries: &mut Retries<'_>,
    ) -> Result<bool, StoreError> {
        let Transaction { writes, first, token, .. } = &transaction;
        if writes.is_empty() {
            return Ok(true);
        }
        self.put_all(first.clone(), retries).await?;
        loop {
            let sent = self
                .client
                .transact_write_items()
                .client_request_token(token)
                .set_transact_items(Some(writes.clone()))
                .send()
                .await;
            let Err(error) = sent else {
                retries.may_have_happened = true;
                return Ok(true);
            };
            match verdict(&error) {
                Verdict::Cancelled(reasons) => {
                    if transaction.is_contention(&reasons)? {
                        retries.back_off("other writes had the items in hand").await?;
                    } else {
                        retries.retry_now("what was decided on kept changing").await?;
                    }
                    return Ok(false);
                }
                Verdict::Unknown => {
                    retries.may_have_happened = true;
                    if let Err(StoreError::Unavailable(why, _)) =
                        retries.back_off("a transaction had no answer").await
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
    fn reasons_are_read_by_position_and_a_fault_names_its_part() {
        let parts = vec![Part::Contact, Part::Period, Part::Answer];
        let transaction = Transaction { parts, writes: Vec::new(), first: Vec::new(), token: String::new() };
        let busy = |codes: &[&str]| transaction.is_contention(&reasons(codes));
        assert!(!busy(&["None", "ConditionalCheckFailed", "None"]).unwrap());
        assert!(!transaction.is_contention(&[CancellationReason::builder().build()]).unwrap());
        for code in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
            assert!(busy(&["ConditionalCheckFailed", code, "None"]).unwrap(), "{code}");
        }
        let fault = busy(&["TransactionConflict", "ValidationError", "None"]).unwrap_err();
        assert_eq!(fault.to_string(), "a transaction's Period was refused: ValidationError");
    }

    #[test]
    fn an_error_says_whether_the_transaction_may_have_happened() {
        fn service(status: u16, error: TransactWriteItemsError) -> SdkError<TransactWriteItemsError> {
            SdkError::service_error(error, HttpResponse::new(status.try_into().unwrap(), "".into()))
        }
        let generic =
            |code: &str| TransactWriteItemsError::generic(ErrorMetadata::builder().code(code).build());
        let cancelled = TransactionCanceledException::builder()
            .set_cancellation_reasons(Some(reasons(&["None", "TransactionConflict"])))
            .build();
        let in_progress = TransactionInProgressException::builder().build();
        let told = |error| match verdict(&error) {
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
            let shown = format!("{error:?}");
            assert_eq!(told(error), expected, "{shown}");
        }
    }
}
