//! Transactions with labelled parts, so that the reasons of a cancelled one are read by position and never guessed.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, Delete, Put, TransactWriteItem, Update};

use crate::retry::Retries;
use crate::store::Store;
use crate::{Entropy, StoreError};

/// What a write of a transaction is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Account,
    Address,
    Answer,
    Contact,
    Delivery,
    Form,
    Period,
    Statement,
    Token,
    User,
}

/// Writes that happen together or not at all.
pub(crate) struct Transaction {
    parts: Vec<Part>,
    writes: Vec<TransactWriteItem>,
    /// DynamoDB's client request token: a repeat of the same transaction within ten minutes happens once.
    token: String,
}

/// How a transaction ended.
#[derive(Debug)]
pub(crate) enum Committed {
    /// Everything was written.
    Done,
    /// Nothing was written.
    Cancelled(Cancelled),
}

/// Why nothing was written.
#[derive(Debug)]
pub(crate) struct Cancelled(Vec<(Part, Cause)>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cause {
    /// The item is not as the condition says.
    Condition,
    /// Another transaction had the item in its hands, or the table was throttled.
    Busy,
}

impl Cancelled {
    /// Whether the condition of such a write failed.
    pub(crate) fn condition_failed(&self, part: Part) -> bool {
        self.0.contains(&(part, Cause::Condition))
    }

    /// Waits if the items were busy, and not if what was decided on has changed: then reading again is enough.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the tries are used up.
    pub(crate) async fn wait(&self, retries: &mut Retries<'_>) -> Result<(), StoreError> {
        if self.0.iter().any(|(_, cause)| *cause == Cause::Busy) {
            retries.pause("other writes had the items in hand").await
        } else {
            retries.again("what was decided on kept changing")
        }
    }
}

impl Transaction {
    /// A transaction without writes.
    pub(crate) fn new(entropy: &Entropy) -> Self {
        Self { parts: Vec::new(), writes: Vec::new(), token: format!("{:032x}", entropy.bits()) }
    }

    fn push(&mut self, part: Part, write: TransactWriteItem) {
        self.parts.push(part);
        self.writes.push(write);
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

    fn causes(&self, reasons: &[CancellationReason]) -> Result<Cancelled, StoreError> {
        let mut causes = Vec::new();
        for (part, reason) in self.parts.iter().zip(reasons) {
            let cause = match reason.code() {
                None | Some("None") => continue,
                Some("ConditionalCheckFailed") => Cause::Condition,
                Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => {
                    Cause::Busy
                }
                Some(code) => {
                    return Err(StoreError::Fault(
                        format!("a transaction's {part:?} was refused: {code}"),
                        None,
                    ));
                }
            };
            causes.push((*part, cause));
        }
        Ok(Cancelled(causes))
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

/// Whether the table may answer the same request later: it is throttled or has trouble of its own.
pub(crate) fn is_transient(status: u16, code: Option<&str>) -> bool {
    status >= 500
        || matches!(
            code,
            Some("ProvisionedThroughputExceededException" | "RequestLimitExceeded" | "ThrottlingException")
        )
}

impl Store {
    /// Commits a transaction and answers whether it has happened. If not, it has waited as long as is good, and what
    /// was decided on is to be read again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the tries are used up, and faults.
    pub(crate) async fn commit(
        &self,
        transaction: Transaction,
        retries: &mut Retries<'_>,
    ) -> Result<bool, StoreError> {
        match self.try_commit(transaction, retries).await? {
            Committed::Done => Ok(true),
            Committed::Cancelled(cancelled) => cancelled.wait(retries).await.map(|()| false),
        }
    }

    /// Commits a transaction. A lost answer is asked for again under the same token, so a transaction that has
    /// happened is never taken for one that has not. One without writes is done at once.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when no answer is to be had, and faults.
    pub(crate) async fn try_commit(
        &self,
        transaction: Transaction,
        retries: &mut Retries<'_>,
    ) -> Result<Committed, StoreError> {
        if transaction.writes.is_empty() {
            return Ok(Committed::Done);
        }
        loop {
            let sent = self
                .client
                .transact_write_items()
                .client_request_token(&transaction.token)
                .set_transact_items(Some(transaction.writes.clone()))
                .send()
                .await;
            let Err(error) = sent else { return Ok(Committed::Done) };
            match verdict(&error) {
                Verdict::Cancelled(reasons) => {
                    return transaction.causes(&reasons).map(Committed::Cancelled);
                }
                Verdict::Unknown => {
                    if let Err(StoreError::Unavailable(why, _)) =
                        retries.pause("a transaction had no answer").await
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
