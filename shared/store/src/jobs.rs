//! Jobs: work that outlives a request, done in steps by the workers behind a queue.
//!
//! A job is an item of the table, which stays in the `due` index until the job is finished. Five rules hold for every job:
//!
//! * **Its place is saved with its work.** A step writes what it did and what is left in one write or transaction, so a step
//!   that repeats finds nothing left to do, and two workers at once do no harm.
//! * **A queue brings it soon.** A message names a part of it. Messages may repeat, come late and come in any order.
//! * **The index remembers what a queue forgets.** The schedule sends the messages of each job that is due.
//! * **A lease keeps the schedule from sending them too often.** The job is due again only when its lease is over, which is
//!   longer than a queue and its workers usually take. The lease is no lock: correctness never depends on it.
//! * **A worker ends in time.** It asks before each step whether there is time for another, and leaves the rest to the next
//!   message.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::ids::{AccountId, Bucket, FormId};
use domain::limits::{DUE_PAGE, INBOX_EXPECTED, SWEEP_EXPECTED};
use domain::period::PeriodNumber;
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::delivery::DeliveryId;
use crate::error::{call_error, is_condition_failure};
use crate::expressions::Expression;
use crate::items::{StatementItem, UNSWEPT, as_text};
use crate::keys::{self, DUE_AT, DUE_INDEX, DUE_SHARD, DUE_SHARDS, Item, Key};
use crate::store::Store;

/// A period or a job that the schedule finds due.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Due {
    /// The account's period has ended.
    Period(AccountId),
    /// A job is not finished, and its lease is over.
    Job(Job),
}

/// Work that stays in the `due` index until it is finished.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Job {
    /// The sweep of the contacts that left at the end of a period.
    Sweep(AccountId, PeriodNumber),
    /// A submission that waits in the inbox.
    Inbox(InboxTask),
}

/// The messages that bring the rest of a job to its workers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tasks {
    /// For the queue of sweeps.
    Sweeps(Vec<SweepTask>),
    /// For the queue of the inbox.
    Inbox(Vec<InboxTask>),
}

/// The message for the sweep of one bucket of a closed period.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepTask {
    /// The account.
    #[serde(with = "as_text")]
    pub account: AccountId,
    /// The closed period.
    #[serde(with = "as_text")]
    pub period: PeriodNumber,
    /// The bucket.
    #[serde(with = "as_text")]
    pub bucket: Bucket,
}

/// The message for a submission that waits in the inbox.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboxTask {
    /// The account.
    #[serde(with = "as_text")]
    pub account: AccountId,
    /// The form through which it came.
    #[serde(with = "as_text")]
    pub form: FormId,
    /// The delivery.
    #[serde(with = "as_text")]
    pub delivery: DeliveryId,
}

impl InboxTask {
    /// Returns the job that the message is about.
    #[must_use]
    pub fn job(self) -> Job {
        Job::Inbox(self)
    }
}

impl Job {
    /// Returns the key of the item that holds the job's place.
    pub(crate) fn key(self) -> Key {
        match self {
            Self::Sweep(account, period) => Key::statement(account, period),
            Self::Inbox(InboxTask { account, form, delivery }) => Key::delivery(account, form, delivery),
        }
    }

    /// Returns how long the queue and the workers may take before the messages are sent again.
    fn lease(self) -> chrono::TimeDelta {
        match self {
            Self::Sweep(..) => SWEEP_EXPECTED,
            Self::Inbox(_) => INBOX_EXPECTED,
        }
    }

    /// Returns the attributes that keep the job in the `due` index: the index's partition, and the end of a lease that
    /// begins at `wall_clock`.
    ///
    /// Jobs of one account may come in floods, so the job and not the account spreads them over the partitions.
    pub(crate) fn due(self, wall_clock: Timestamp) -> (String, Timestamp) {
        let shard = match self {
            Self::Sweep(account, _) => keys::due_shard_of(account),
            Self::Inbox(InboxTask { delivery, .. }) => keys::due_shard_of_delivery(delivery),
        };
        (shard, wall_clock.plus(self.lease()))
    }
}

/// One page of what is due.
#[derive(Clone, Debug)]
pub struct DuePage {
    /// The due periods and jobs, the longest due first.
    pub due: Vec<Due>,
    /// The place to continue at, if the shard has more.
    pub next: Option<DueCursor>,
}

/// A place in a shard of the `due` index.
#[derive(Clone, Debug)]
pub struct DueCursor(Item);

impl Store {
    /// Returns the numbers of the `due` index's shards.
    pub fn due_shards() -> impl Iterator<Item = u8> {
        0..DUE_SHARDS
    }

    /// Returns what is due in one shard by wall-clock time `wall_clock`, the longest due first, from `after` on.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn due(
        &self,
        shard: u8,
        wall_clock: Timestamp,
        after: Option<DueCursor>,
    ) -> Result<DuePage, StoreError> {
        let output = self
            .client
            .query()
            .table_name(&*self.table)
            .index_name(DUE_INDEX)
            .key_condition_expression("#shard = :shard AND #at <= :now")
            .expression_attribute_names("#shard", DUE_SHARD)
            .expression_attribute_names("#at", DUE_AT)
            .expression_attribute_values(":shard", AttributeValue::S(keys::due_shard(shard)))
            .expression_attribute_values(":now", AttributeValue::S(keys::due_by(wall_clock)))
            .limit(DUE_PAGE)
            .set_exclusive_start_key(after.map(|DueCursor(key)| key))
            .send()
            .await
            .map_err(|error| call_error("a query of what is due", error))?;
        let keys = output.items.unwrap_or_default();
        let due = keys.iter().filter_map(Key::of).filter_map(|key| parse(&key)).collect();
        Ok(DuePage { due, next: output.last_evaluated_key.map(DueCursor) })
    }

    /// Closes the account's period if it has ended, and every period that has ended since.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn close_ended(&self, account: AccountId, wall_clock: Timestamp) -> Result<(), StoreError> {
        self.usage(account, wall_clock).await.map(drop)
    }

    /// Returns the messages for the rest of a job. `None` if nothing is left: the job is then finished, which a worker that
    /// was cut off could not note any more.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn rest_of(&self, job: Job) -> Result<Option<Tasks>, StoreError> {
        let (account, period) = match job {
            Job::Inbox(task) => return Ok(Some(Tasks::Inbox(vec![task]))),
            Job::Sweep(account, period) => (account, period),
        };
        let tasks = self.unswept(account, period).await?;
        if !tasks.is_empty() {
            return Ok(Some(Tasks::Sweeps(tasks)));
        }
        self.finish(job).await?;
        Ok(None)
    }

    /// Returns the sweeps that a closed period still needs, a bucket each.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn unswept(
        &self,
        account: AccountId,
        period: PeriodNumber,
    ) -> Result<Vec<SweepTask>, StoreError> {
        let statement: Option<StatementItem> = self.get(Key::statement(account, period)).await?;
        let buckets = statement.iter().flat_map(StatementItem::unswept);
        Ok(buckets.map(|bucket| SweepTask { account, period, bucket }).collect())
    }

    /// Begins a lease: the job is due again only after it, unless it is finished before.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn lease(&self, job: Job, wall_clock: Timestamp) -> Result<(), StoreError> {
        let (_, until) = job.due(wall_clock);
        let expression = Expression::default()
            .name(DUE_AT)
            .name(DUE_SHARD)
            .value("until", AttributeValue::S(until.to_string()));
        let update = "SET #due_at = :until";
        self.update_alone(job.key(), update, "attribute_exists(#due_shard)", &expression).await
    }

    /// Takes a job out of the `due` index, unless its item says that there is more to do.
    pub(crate) async fn finish(&self, job: Job) -> Result<(), StoreError> {
        let expression = Expression::default().name(UNSWEPT).name(DUE_SHARD).name(DUE_AT);
        let update = "REMOVE #due_shard, #due_at";
        self.update_alone(job.key(), update, "attribute_not_exists(#unswept)", &expression).await
    }

    /// Updates one item. If it is not as the condition says, nothing happens, and nothing has to.
    async fn update_alone(
        &self,
        key: Key,
        update: &str,
        condition: &str,
        expression: &Expression,
    ) -> Result<(), StoreError> {
        let updated = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key.into_item()))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .send()
            .await;
        match updated {
            Err(error) if !is_condition_failure(&error) => Err(call_error("an update of a job", error)),
            _ => Ok(()),
        }
    }
}

fn parse(key: &Key) -> Option<Due> {
    keys::parse_period_key(key)
        .map(Due::Period)
        .or_else(|| {
            let (account, period) = keys::parse_statement_key(key)?;
            Some(Due::Job(Job::Sweep(account, period)))
        })
        .or_else(|| {
            let (account, form, delivery) = keys::parse_delivery_key(key)?;
            Some(Due::Job(Job::Inbox(InboxTask { account, form, delivery })))
        })
}
