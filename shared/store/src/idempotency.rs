//! Storage of responses together with the changes that they report, and their replay.

use std::borrow::Cow;

use domain::Timestamp;
use domain::limits::ANSWER_PLAIN_BYTES_MAX;

use crate::compression::{compress, decompress};
use crate::items::{AnswerItem, AnswerPartItem, Items, PartResultItem, decode};
use crate::keys::{ANSWER_PART_PREFIX, Key, claim_pk};
use crate::store::{Query, Store};
use crate::transaction::Transaction;
use crate::{IdempotencyClaim, Refused, Responder, Rng, StoreError, StoredResponse};

impl AnswerItem {
    /// Returns the item that stores the response.
    pub(crate) fn of(
        claim: &IdempotencyClaim,
        answer: &StoredResponse,
        rng: &Rng,
    ) -> Result<Self, StoreError> {
        let text = answer.body.as_bytes();
        let compressed = text.len() > ANSWER_PLAIN_BYTES_MAX;
        let body = if compressed { Cow::Owned(compress(text)) } else { Cow::Borrowed(text) };
        Ok(Self {
            fingerprint: claim.fingerprint.clone(),
            status: answer.status,
            body: claim.seal.close(&body, rng)?,
            compressed,
            etag: answer.etag.clone(),
            location: answer.location.clone(),
            expires_at: claim.expires_at.seconds(),
        })
    }

    /// Returns the stored response, if it has not expired.
    ///
    /// # Errors
    ///
    /// [`Refused::IdempotencyKeyReused`] if the claim is for another request.
    pub(crate) fn replay(
        self,
        claim: &IdempotencyClaim,
        wall_clock: Timestamp,
    ) -> Result<Option<StoredResponse>, StoreError> {
        if self.expires_at <= wall_clock.seconds() {
            return Ok(None);
        }
        if self.fingerprint != claim.fingerprint {
            return Err(Refused::IdempotencyKeyReused.into());
        }
        let opened = claim.seal.open(&self.body)?;
        let body = if self.compressed { decompress(&opened)? } else { opened };
        let body = String::from_utf8(body).map_err(|error| {
            StoreError::Fault("a stored response is not valid UTF-8".to_owned(), Some(error.into()))
        })?;
        Ok(Some(StoredResponse { status: self.status, body, etag: self.etag, location: self.location }))
    }
}

impl<T> Responder<'_, T> {
    /// Returns the key of the stored response, if there is a claim. It is read together with the operation's items.
    pub(crate) fn key(&self) -> Option<Key> {
        self.claim.map(Key::answer)
    }

    /// Returns the stored response, if the request was answered before.
    pub(crate) fn replay(
        &self,
        items: &mut Items,
        wall_clock: Timestamp,
    ) -> Result<Option<StoredResponse>, StoreError> {
        let Some(claim) = self.claim else { return Ok(None) };
        match items.take::<AnswerItem>(&Key::answer(claim))? {
            Some(kept) => kept.replay(claim, wall_clock),
            None => Ok(None),
        }
    }

    /// Renders the response, and adds its item to the transaction of the change.
    pub(crate) fn attach(
        &self,
        store: &Store,
        transaction: &mut Transaction,
        result: &T,
        wall_clock: Timestamp,
    ) -> Result<StoredResponse, StoreError> {
        let answer = (self.render)(result);
        if let Some(claim) = self.claim {
            let item = AnswerItem::of(claim, &answer, store.rng())?;
            transaction.put(store.put_new_or_expired(Key::answer(claim), &item, wall_clock)?);
        }
        Ok(answer)
    }
}

impl Store {
    /// Stores the response to a refused request, and returns the response to send. It is an earlier one, if the request
    /// was answered before.
    ///
    /// It writes first and reads only after a conflict, because the caller's operation has read the key already.
    ///
    /// # Errors
    ///
    /// [`Refused::IdempotencyKeyReused`]. See also [`StoreError`].
    pub async fn save_refusal(
        &self,
        claim: &IdempotencyClaim,
        answer: StoredResponse,
        wall_clock: Timestamp,
    ) -> Result<StoredResponse, StoreError> {
        let retries = self.retries();
        loop {
            let mut transaction = Transaction::default();
            let item = AnswerItem::of(claim, &answer, self.rng())?;
            let put = self.put_new_or_expired(Key::answer(claim), &item, wall_clock)?;
            transaction.put(put);
            if self.commit(transaction, &retries).await? {
                return Ok(answer);
            }
            if let Some(kept) = self.get::<AnswerItem>(Key::answer(claim)).await?
                && let Some(first) = kept.replay(claim, wall_clock)?
            {
                return Ok(first);
            }
        }
    }

    /// Returns the stored results of a request's earlier transactions, if it needs several and was cut short.
    pub(crate) async fn answer_parts(
        &self,
        claim: &IdempotencyClaim,
        wall_clock: Timestamp,
    ) -> Result<Vec<PartResultItem>, StoreError> {
        let mut query = Query {
            pk: claim_pk(claim),
            prefix: ANSWER_PART_PREFIX,
            after: None,
            limit: domain::limits::BATCH_READ_MAX,
            newest_first: false,
        };
        let mut results = Vec::new();
        loop {
            let page = self.query(&query).await?;
            for item in page.items {
                let part: AnswerPartItem = decode(item)?;
                if part.expires_at <= wall_clock.seconds() {
                    continue;
                }
                if part.fingerprint != claim.fingerprint {
                    return Err(Refused::IdempotencyKeyReused.into());
                }
                results.extend(read_results(&claim.seal.open(&part.results)?)?);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(results),
            }
        }
    }

    /// Adds the item that stores the results of one of several transactions.
    pub(crate) fn attach_part(
        &self,
        transaction: &mut Transaction,
        claim: &IdempotencyClaim,
        results: &[PartResultItem],
    ) -> Result<(), StoreError> {
        let unwritable = |error: serde_json::Error| {
            StoreError::Fault("could not encode a part of a response".to_owned(), Some(error.into()))
        };
        let results = serde_json::to_vec(results).map_err(unwritable)?;
        let part = self.rng().hex();
        let item = AnswerPartItem {
            fingerprint: claim.fingerprint.clone(),
            results: claim.seal.close(&results, self.rng())?,
            expires_at: claim.expires_at.seconds(),
        };
        transaction.put(self.put_new(Key::answer_part(claim, &part), &item)?);
        Ok(())
    }
}

fn read_results(text: &[u8]) -> Result<Vec<PartResultItem>, StoreError> {
    serde_json::from_slice(text).map_err(|error| {
        StoreError::Fault("could not decode a part of a response".to_owned(), Some(error.into()))
    })
}

#[cfg(test)]
mod tests {
    use domain::ids::AccountId;

    use super::*;

    /// Tests an item that a release without compression has written.
    #[test]
    fn long_response_of_an_older_release_is_replayed() {
        let now = Timestamp::from_millis(1_795_377_541_123);
        let claim = IdempotencyClaim::new(AccountId::new(now, 1), "key", &[7; 32], now);
        let rng = Rng::seeded(1);
        let body = "ada@example.org ".repeat(1_000);
        let answer = StoredResponse { status: 200, body, etag: None, location: None };
        let kept = AnswerItem::of(&claim, &answer, &rng).unwrap();
        assert!(kept.compressed && kept.body.len() < 1_000);
        let body = claim.seal.close(answer.body.as_bytes(), &rng).unwrap();
        let older = AnswerItem { body, compressed: false, ..kept };
        let item = crate::items::encode(Key::answer(&claim), &older).unwrap();
        assert!(!item.contains_key("compressed"), "it is written as in older releases");
        let older: AnswerItem = decode(item).unwrap();
        assert_eq!(older.replay(&claim, now).unwrap(), Some(answer));
    }

    #[test]
    fn short_response_is_not_compressed() {
        let now = Timestamp::from_millis(1_795_377_541_123);
        let claim = IdempotencyClaim::new(AccountId::new(now, 1), "key", &[7; 32], now);
        for (bytes, compressed) in
            [(0, false), (ANSWER_PLAIN_BYTES_MAX, false), (ANSWER_PLAIN_BYTES_MAX + 1, true)]
        {
            let answer = StoredResponse { status: 200, body: "a".repeat(bytes), etag: None, location: None };
            let kept = AnswerItem::of(&claim, &answer, &Rng::seeded(1)).unwrap();
            assert_eq!(kept.compressed, compressed, "{bytes}");
            assert_eq!(kept.replay(&claim, now).unwrap(), Some(answer));
        }
    }
}
