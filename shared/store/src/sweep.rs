//! The sweep: settles the contacts that left at the end of a closed period. Nothing depends on it for being right.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::Timestamp;
use domain::ids::{AccountId, Bucket, ContactId};
use domain::limits::{BATCH_READ_MAX, SWEEP_PARALLEL};
use domain::period::PeriodNumber;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::StoreError;
use crate::contacts::{Loaded, turn_history_page};
use crate::error::{call_error, is_condition_failure};
use crate::items::UNSWEPT;
use crate::jobs::{Job, SweepTask};
use crate::keys::{Item, Key, LEAVING_INDEX, LEAVING_PK, leaving_pk};
use crate::retry::Retries;
use crate::store::Store;
use crate::transaction::Transaction;

/// What a sweep of one bucket has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    /// How many contacts it settled or removed.
    pub contacts: u64,
    /// Whether the bucket is done.
    pub finished: bool,
}

impl Store {
    /// Settles the contacts of one bucket that left at the end of a closed period, page by page for as long as
    /// `should_continue` says so. It may be stopped, repeated and run twice at once.
    ///
    /// # Errors
    ///
    /// As every operation. What was settled stays settled.
    pub async fn sweep(
        &self,
        task: SweepTask,
        wall_clock: Timestamp,
        should_continue: impl Fn() -> bool,
    ) -> Result<Swept, StoreError> {
        let SweepTask { account, period: number, bucket } = task;
        let mut swept = Swept::default();
        let mut after = None;
        while should_continue() {
            let (ids, next) = self.leavers(account, number, bucket, after).await?;
            swept.contacts += self.sweep_page(account, number, &ids, wall_clock).await?;
            after = next;
            if after.is_none() {
                self.mark_swept(account, number, bucket).await?;
                swept.finished = true;
                break;
            }
        }
        Ok(swept)
    }

    /// One page of the `leaving` index.
    async fn leavers(
        &self,
        account: AccountId,
        number: PeriodNumber,
        bucket: Bucket,
        after: Option<Item>,
    ) -> Result<(Vec<ContactId>, Option<Item>), StoreError> {
        let output = self
            .client
            .query()
            .table_name(&*self.table)
            .index_name(LEAVING_INDEX)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", LEAVING_PK)
            .expression_attribute_values(":pk", AttributeValue::S(leaving_pk(account, number, bucket)))
            // One place of the batched read that follows is the period's.
            .limit(i32::try_from(BATCH_READ_MAX - 1).unwrap_or(i32::MAX))
            .set_exclusive_start_key(after)
            .send()
            .await
            .map_err(|error| call_error("a query of leaving contacts", error))?;
        let keys = output.items.unwrap_or_default();
        let ids = keys
            .iter()
            .filter_map(Key::of)
            .filter_map(|key| ContactId::from_sortable(&key.sk).ok())
            .collect();
        Ok((ids, output.last_evaluated_key))
    }

    async fn sweep_page(
        &self,
        account: AccountId,
        number: PeriodNumber,
        ids: &[ContactId],
        wall_clock: Timestamp,
    ) -> Result<u64, StoreError> {
        if ids.is_empty() {
            return Ok(0);
        }
        let (loaded, opened) =
            self.load_once(account, wall_clock, ids, Vec::new(), &mut self.retries()).await?;
        if opened.period.number <= number {
            // The period is not closed: there is nothing to sweep.
            return Ok(0);
        }
        stream::iter(loaded.into_iter().filter(Loaded::is_settled_now))
            .map(|loaded| self.sweep_contact(account, loaded, wall_clock))
            .buffer_unordered(SWEEP_PARALLEL)
            .try_fold(0, |sum, swept| async move { Ok(sum + u64::from(swept)) })
            .await
    }

    /// Writes one contact as reads already show it, or removes a deleted one. Another write that came between may
    /// have settled it, or may have been decided before the period closed; reading it again tells.
    async fn sweep_contact(
        &self,
        account: AccountId,
        mut loaded: Loaded,
        wall_clock: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut retries = self.retries();
        loop {
            let id = loaded.contact.id;
            let written = if loaded.contact.is_visible() {
                self.write_settled(account, &mut loaded, &mut retries).await?
            } else {
                let mut transaction = Transaction::new(self.rng());
                self.remove(&mut transaction, account, &loaded, &mut retries).await?;
                let removed = self.commit(transaction, &mut retries).await?;
                self.forget_history(account, removed.then_some(id), &mut retries).await?;
                removed
            };
            if written {
                return Ok(true);
            }
            retries.retry_now("a contact kept changing while it was swept").await?;
            let (again, _) = self.load_once(account, wall_clock, &[id], Vec::new(), &mut retries).await?;
            match again.into_iter().find(Loaded::is_settled_now) {
                Some(again) => loaded = again,
                None => return Ok(false),
            }
        }
    }

    /// Answers false if the contact is no longer as it was read.
    async fn write_settled(
        &self,
        account: AccountId,
        loaded: &mut Loaded,
        retries: &mut Retries<'_>,
    ) -> Result<bool, StoreError> {
        if let Some(page) = turn_history_page(account, &mut loaded.contact)? {
            self.put_all(vec![page], retries).await?;
        }
        let put = self.contact_put(account, &loaded.contact, Some(loaded.stored_version))?;
        loop {
            match self.put_item(&put).await {
                Err(StoreError::Unavailable(why, _)) => retries.back_off(&why).await?,
                ended => return ended,
            }
        }
    }

    /// Notes that a bucket is swept; with the last one the statement is no longer due.
    async fn mark_swept(
        &self,
        account: AccountId,
        number: PeriodNumber,
        bucket: Bucket,
    ) -> Result<(), StoreError> {
        let key = Key::statement(account, number);
        let swept = AttributeValue::Ns(vec![bucket.number().to_string()]);
        let updated = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key.into_item()))
            .update_expression("DELETE #unswept :swept")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#unswept", UNSWEPT)
            .expression_attribute_names("#pk", crate::keys::PK)
            .expression_attribute_values(":swept", swept)
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let output = match updated {
            Ok(output) => output,
            Err(error) if is_condition_failure(&error) => return Ok(()),
            Err(error) => return Err(call_error("noting a swept bucket", error)),
        };
        let more = output.attributes.is_some_and(|statement| statement.contains_key(UNSWEPT));
        if more { Ok(()) } else { self.finish(Job::Sweep(account, number)).await }
    }
}
