//! The sweep, which writes contacts that left at the end of a closed period as settled. No result depends on it.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::Timestamp;
use domain::ids::{AccountId, Bucket, ContactId};
use domain::limits::{BATCH_READ_MAX, SWEEP_PARALLEL};
use domain::period::{Period, PeriodNumber};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::StoreError;
use crate::contacts::{Loaded, turn_history_page};
use crate::error::{call_error, is_condition_failure};
use crate::items::{SWEPT_AT, UNSWEPT};
use crate::jobs::{Job, SweepTask};
use crate::keys::{Item, Key, LEAVING_INDEX, LEAVING_PK, leaving_pk};
use crate::operation::Operation;
use crate::store::Store;
use crate::transaction::Transaction;

/// The result of sweeping one bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    /// The number of contacts that were settled or removed.
    pub contacts: u64,
    /// True if the bucket is finished.
    pub finished: bool,
}

impl Store {
    /// Settles the contacts of one bucket that left at the end of a closed period, page by page while `should_continue`
    /// returns true. It may stop, repeat and run in parallel.
    ///
    /// # Errors
    ///
    /// See [`StoreError`]. Contacts that were settled before the error stay settled.
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
                self.mark_swept(task, wall_clock).await?;
                swept.finished = true;
                break;
            }
        }
        Ok(swept)
    }

    /// Reads one page of the `leaving` index.
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
            // The period uses one of the keys of the batched read that follows.
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
        let (loaded, opened) = self.operation(account, wall_clock).load_once(ids, Vec::new()).await?;
        let period = &opened.period;
        if period.number <= number {
            // The period is not closed, so no contact has left.
            return Ok(0);
        }
        stream::iter(loaded.into_iter().filter(Loaded::is_settled_now))
            .map(|loaded| async move {
                self.operation(account, wall_clock).sweep_contact(loaded, number, period).await
            })
            .buffer_unordered(SWEEP_PARALLEL)
            .try_fold(0, |sum, swept| async move { Ok(sum + u64::from(swept)) })
            .await
    }

    /// Records that a bucket is swept. After the last bucket the statement is no longer due.
    async fn mark_swept(
        &self,
        SweepTask { account, period: number, bucket }: SweepTask,
        wall_clock: Timestamp,
    ) -> Result<(), StoreError> {
        let key = Key::statement(account, number);
        let swept = AttributeValue::Ns(vec![bucket.number().to_string()]);
        let updated = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key.into_item()))
            .update_expression("SET #swept_at = :swept_at DELETE #unswept :swept")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#unswept", UNSWEPT)
            .expression_attribute_names("#pk", crate::keys::PK)
            .expression_attribute_names("#swept_at", SWEPT_AT)
            .expression_attribute_values(":swept", swept)
            .expression_attribute_values(":swept_at", AttributeValue::S(wall_clock.to_string()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let output = match updated {
            Ok(output) => output,
            Err(error) if is_condition_failure(&error) => return Ok(()),
            Err(error) => return Err(call_error("recording a swept bucket", error)),
        };
        let more = output.attributes.is_some_and(|statement| statement.contains_key(UNSWEPT));
        if more { Ok(()) } else { self.finish(Job::Sweep(account, number)).await }
    }
}

impl Operation<'_> {
    /// Writes one contact as reads already show it, or removes a deleted one. If another operation wrote the contact in
    /// between, it may have settled it, or may have decided before the period closed. A further read shows which.
    ///
    /// This is not `Operation::transact`, because a contact is written without a transaction, at half the cost.
    async fn sweep_contact(
        &self,
        mut loaded: Loaded,
        number: PeriodNumber,
        period: &Period,
    ) -> Result<bool, StoreError> {
        loop {
            let id = loaded.contact.id;
            let written = if loaded.contact.is_visible() {
                self.write_settled(&mut loaded, number, period).await?
            } else {
                let mut transaction = Transaction::default();
                self.remove(&mut transaction, &loaded).await?;
                self.store.commit(transaction, &self.retries).await?
            };
            if written {
                return Ok(true);
            }
            self.retries.retry_now("a contact kept changing during a sweep").await?;
            let (again, _) = self.load_once(&[id], Vec::new()).await?;
            match again.into_iter().find(Loaded::is_settled_now) {
                Some(again) => loaded = again,
                None => return Ok(false),
            }
        }
    }

    /// Writes a settled contact. Returns false if the stored contact has changed since it was read.
    async fn write_settled(
        &self,
        loaded: &mut Loaded,
        number: PeriodNumber,
        period: &Period,
    ) -> Result<bool, StoreError> {
        if let Some(page) = turn_history_page(self.account, &mut loaded.contact)? {
            self.store.put_all(vec![page], &self.retries).await?;
        }
        let mut item = self.contact_item(&loaded.contact, period);
        item.stay_among_leavers(self.account, number);
        let put = self.contact_put(loaded.contact.id, Some(loaded.stored_version), &item)?;
        loop {
            match self.store.put_item(&put).await {
                Err(StoreError::Unavailable(why, _)) => self.retries.back_off(&why).await?,
                result => return result,
            }
        }
    }
}
