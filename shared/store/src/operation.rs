//! One operation on an account, and the optimistic loop in which operations change the table.

use std::sync::{Mutex, PoisonError};

use domain::Timestamp;
use domain::ids::{AccountId, NewContactIds};

use crate::items::{Items, Versioned};
use crate::keys::Key;
use crate::retry::Retries;
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Responder, StoreError, StoredResponse};

/// One operation on an account. Its steps share the account, the time and the retries.
pub(crate) struct Operation<'s> {
    pub(crate) store: &'s Store,
    pub(crate) account: AccountId,
    pub(crate) wall_clock: Timestamp,
    pub(crate) retries: Retries<'s>,
    /// The ids that the latest attempt drew: see [`Self::new_contact_ids`].
    pub(crate) new_ids: Mutex<Option<NewContactIds>>,
}

/// The result of one attempt at a change.
pub(crate) enum Step<T> {
    /// Commit the transaction. The value is the operation's result if the commit succeeds.
    Commit(Transaction, T),
    /// Read and decide again. The attempt has counted a retry, so that the number of attempts is limited.
    Retry,
}

impl<T> Step<T> {
    /// Ends the operation with `result` and writes nothing.
    pub(crate) fn unchanged(result: T) -> Self {
        Self::Commit(Transaction::default(), result)
    }

    /// Changes the result.
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Self::Commit(transaction, result) => Step::Commit(transaction, f(result)),
            Self::Retry => Step::Retry,
        }
    }
}

/// The result of an operation's first read, which includes the stored response.
pub(crate) trait Snapshot {
    /// Returns the items that were read.
    fn items(&mut self) -> &mut Items;
}

impl Snapshot for Items {
    fn items(&mut self) -> &mut Items {
        self
    }
}

impl Store {
    /// Begins an operation.
    pub(crate) fn operation(&self, account: AccountId, wall_clock: Timestamp) -> Operation<'_> {
        Operation { store: self, account, wall_clock, retries: self.retries(), new_ids: Mutex::default() }
    }
}

impl<'s> Operation<'s> {
    /// Returns the same operation with all of its retries, for a step that follows long work.
    pub(crate) fn renewed(&self) -> Operation<'s> {
        self.store.operation(self.account, self.wall_clock)
    }
}

// The closures below take owned values and return one type of future, and operations are shared, not mutable. With
// `AsyncFnMut` or borrowed arguments the compiler can't prove that the futures are `Send`, which the HTTP server needs.
impl Operation<'_> {
    /// Attempts a change until its transaction is committed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the retries are used up, and the errors of `attempt`.
    pub(crate) async fn transact<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<Step<T>, StoreError>>,
    {
        loop {
            let Step::Commit(transaction, result) = attempt().await? else { continue };
            if self.store.commit(transaction, &self.retries).await? {
                return Ok(result);
            }
        }
    }

    /// Attempts a change until its transaction is committed, and stores the response in the same transaction.
    ///
    /// Each attempt begins with a batched read of `keys` and the stored response. If the request was answered before,
    /// the result is the stored response and nothing changes.
    ///
    /// # Errors
    ///
    /// The same as [`Self::transact`].
    pub(crate) async fn mutate<T, F>(
        &self,
        keys: &[Key],
        responder: Responder<'_, T>,
        attempt: impl Fn(Items) -> F,
    ) -> Result<StoredResponse, StoreError>
    where
        F: Future<Output = Result<Step<T>, StoreError>>,
    {
        self.mutate_after(|keys| self.read(keys), keys, responder, attempt).await
    }

    /// The same as [`Self::mutate`], with another first read. `read` receives `keys` and the key of the stored response.
    pub(crate) async fn mutate_after<S, R, T, F>(
        &self,
        read: impl Fn(Vec<Key>) -> R,
        keys: &[Key],
        responder: Responder<'_, T>,
        attempt: impl Fn(S) -> F,
    ) -> Result<StoredResponse, StoreError>
    where
        S: Snapshot,
        R: Future<Output = Result<S, StoreError>>,
        F: Future<Output = Result<Step<T>, StoreError>>,
    {
        self.transact(async || {
            let mut snapshot = read(keys.iter().cloned().chain(responder.key()).collect()).await?;
            if let Some(response) = responder.replay(snapshot.items(), self.wall_clock)? {
                return Ok(Step::unchanged(response));
            }
            let Step::Commit(mut transaction, result) = attempt(snapshot).await? else {
                return Ok(Step::Retry);
            };
            let response = responder.attach(self.store, &mut transaction, &result, self.wall_clock)?;
            Ok(Step::Commit(transaction, response))
        })
        .await
    }

    /// Stores an item in its next version, and the writes that `further` adds. Returns false if another writer has changed
    /// the item.
    ///
    /// It is a transaction, because a repeat of a transaction whose response was lost is recognized.
    pub(crate) async fn store_next<E: Versioned>(
        &self,
        key: Key,
        item: &E,
        further: impl Fn(&mut Transaction) -> Result<(), StoreError>,
    ) -> Result<bool, StoreError> {
        let stored = item.version().saturating_sub(1);
        loop {
            let mut transaction = Transaction::default();
            transaction.put(self.store.put_versioned(key.clone(), item, stored)?);
            further(&mut transaction)?;
            if self.store.commit(transaction, &self.retries).await? {
                return Ok(true);
            }
            let now: Option<E> = self.store.get(key.clone()).await?;
            if now.is_none_or(|now| now.version() != stored) {
                return Ok(false);
            }
        }
    }

    /// Reads items in batched reads.
    pub(crate) async fn read(&self, keys: Vec<Key>) -> Result<Items, StoreError> {
        self.store.batch_get(&keys, &self.retries).await
    }

    /// Returns the ids for the contacts of one transaction.
    ///
    /// Each retry adds a millisecond, so that retries leave a millisecond in which very many contacts are created. After
    /// a transaction without a response the ids stay the same. If the table receives that transaction after the retry,
    /// the condition on the contacts' keys refuses it, so that no contact is created twice.
    pub(crate) fn new_contact_ids(&self) -> NewContactIds {
        // A clone of the ids cannot be half done, so the ids of a thread that panicked are good.
        let mut latest = self.new_ids.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.retries.is_unanswered() {
            *latest = None;
        }
        latest
            .get_or_insert_with(|| {
                let later = chrono::TimeDelta::milliseconds(self.retries.used().into());
                NewContactIds::new(self.wall_clock.plus(later), self.store.rng().bits())
            })
            .clone()
    }
}
