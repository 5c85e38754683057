//! Jobs: work that outlives a request, done in steps by the workers behind a queue.
//!
//! A job is an item of the table, which stays in the `due` index until the job is finished. Five rules apply to every
//! job:
//!
//! * **Progress is stored with the effect.** A step writes its effect and the remaining work in one write or
//!   transaction. So a repeated step finds nothing to do, and concurrent workers are harmless.
//! * **A queue delivers the work soon.** A message names a part of a job. Messages may repeat, be delayed and arrive in
//!   any order.
//! * **The index contains jobs whose messages are lost.** The schedule sends the messages of each due job again.
//! * **A lease limits how often.** The job is due again when its lease ends, which is later than a queue and its
//!   workers usually need. The lease is not a lock: correctness never depends on it.
//! * **A worker stops in time.** It checks before each step if there is time for another. The next message continues.

use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Select};
use domain::Timestamp;
use domain::ids::{AccountId, AutomationId, Bucket, ExportId, FormId, IdError, ImportId};
use domain::limits::{
    AUTOMATION_EXPECTED, BULK_EXPECTED, DUE_PAGE, FILE_JOB_EXPECTED, INBOX_COUNT_PAGES_MAX, INBOX_EXPECTED,
    SWEEP_EXPECTED,
};
use domain::period::PeriodNumber;
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::delivery::DeliveryId;
use crate::error::{call_error, is_condition_failure};
use crate::expressions::Expression;
use crate::items::{StatementItem, UNSWEPT, as_text};
use crate::keys::{self, DELIVERY_PREFIX, DUE_AT, DUE_INDEX, DUE_SHARD, DUE_SHARDS, Item, Key, PK};
use crate::store::Store;

/// A due period or job.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Due {
    /// The account's period has ended, at this instant.
    Period(AccountId, Timestamp),
    /// A job is not finished, and its lease has ended.
    Job(Job),
}

/// Work that stays in the `due` index until it is finished.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Job {
    /// The sweep of the contacts that left at the end of a period.
    Sweep(AccountId, PeriodNumber),
    /// A submission that waits in the inbox.
    Inbox(InboxTask),
    /// The unfinished bulk jobs of an account.
    Bulk(AccountId),
    /// Contacts that wait for an automation.
    Automation(AutomationTask),
    /// An unfinished import or export.
    File(FileTask),
}

/// The messages for the remaining work of a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tasks {
    /// Messages for the queue of sweeps.
    Sweeps(Vec<SweepTask>),
    /// Messages for the queue of the inbox.
    Inbox(Vec<InboxTask>),
    /// Messages for the queue of bulk jobs.
    Bulk(Vec<BulkTask>),
    /// Messages for the queue of automations.
    Automations(Vec<AutomationTask>),
    /// Messages for the queue of imports and exports.
    Files(Vec<FileTask>),
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
    /// The form of the submission.
    #[serde(with = "as_text")]
    pub form: FormId,
    /// The delivery.
    #[serde(with = "as_text")]
    pub delivery: DeliveryId,
}

/// The message for the bulk jobs of an account. They are done one after the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkTask {
    /// The account.
    #[serde(with = "as_text")]
    pub account: AccountId,
}

/// The message for the contacts that wait for an automation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutomationTask {
    /// The account.
    #[serde(with = "as_text")]
    pub account: AccountId,
    /// The automation.
    #[serde(with = "as_text")]
    pub automation: AutomationId,
}

/// The message for an import or an export.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileTask {
    /// The account.
    #[serde(with = "as_text")]
    pub account: AccountId,
    /// The import or the export.
    #[serde(with = "as_text")]
    pub job: FileJob,
}

/// The id of an import or of an export.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FileJob {
    /// An import.
    Import(ImportId),
    /// An export.
    Export(ExportId),
}

impl FromStr for FileJob {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let import = text.parse().map(Self::Import);
        let any = import.or_else(|_| text.parse().map(Self::Export));
        any.map_err(|_: IdError| IdError::expected("the id of an import or an export"))
    }
}

impl fmt::Display for FileJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Import(import) => import.fmt(f),
            Self::Export(export) => export.fmt(f),
        }
    }
}

impl InboxTask {
    /// Returns the job that the message is about.
    #[must_use]
    pub fn job(self) -> Job {
        Job::Inbox(self)
    }
}

impl Job {
    /// Returns the key of the item that stores the job's progress.
    pub(crate) fn key(self) -> Key {
        match self {
            Self::Sweep(account, period) => Key::statement(account, period),
            Self::Inbox(InboxTask { account, form, delivery }) => Key::delivery(account, form, delivery),
            Self::Bulk(account) => Key::bulk_queue(account),
            Self::Automation(AutomationTask { account, automation }) => {
                Key::automation_state(account, automation)
            }
            Self::File(FileTask { account, job: FileJob::Import(import) }) => Key::import(account, import),
            Self::File(FileTask { account, job: FileJob::Export(export) }) => Key::export(account, export),
        }
    }

    /// Returns the time for the queue and the workers, after which the messages are sent again.
    fn lease(self) -> chrono::TimeDelta {
        match self {
            Self::Sweep(..) => SWEEP_EXPECTED,
            Self::Inbox(_) => INBOX_EXPECTED,
            Self::Bulk(_) => BULK_EXPECTED,
            Self::Automation(_) => AUTOMATION_EXPECTED,
            Self::File(_) => FILE_JOB_EXPECTED,
        }
    }

    /// Returns the job's attributes in the `due` index: the index's partition, and the end of a lease that begins at
    /// `wall_clock`.
    ///
    /// Inbox tasks are spread over the partitions by their delivery, because a burst of them belongs to one account.
    pub(crate) fn due(self, wall_clock: Timestamp) -> (String, Timestamp) {
        let shard = match self {
            Self::Sweep(account, _) | Self::Bulk(account) => keys::due_shard_of(account),
            Self::Automation(AutomationTask { account, .. }) | Self::File(FileTask { account, .. }) => {
                keys::due_shard_of(account)
            }
            Self::Inbox(InboxTask { delivery, .. }) => keys::due_shard_of_delivery(delivery),
        };
        (shard, wall_clock.plus(self.lease()))
    }
}

/// One page of due periods and jobs.
#[derive(Clone, Debug)]
pub struct DuePage {
    /// The due periods and jobs, the longest due first.
    pub due: Vec<Due>,
    /// The position of the next page, if the shard has more.
    pub next: Option<DueCursor>,
}

/// A position in a shard of the `due` index.
#[derive(Clone, Debug)]
pub struct DueCursor(Item);

impl Store {
    /// Returns the numbers of the `due` index's shards.
    pub fn due_shards() -> impl Iterator<Item = u8> {
        0..DUE_SHARDS
    }

    /// Returns a page of the periods and jobs in one shard that are due at `wall_clock`, the longest due first.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn due(
        &self,
        shard: u8,
        wall_clock: Timestamp,
        after: Option<DueCursor>,
    ) -> Result<DuePage, StoreError> {
        let output = self
            .due_until(shard, wall_clock)
            .limit(DUE_PAGE)
            .set_exclusive_start_key(after.map(|DueCursor(key)| key))
            .send()
            .await
            .map_err(|error| call_error("a query of due jobs", error))?;
        let keys = output.items.unwrap_or_default();
        let due = keys.iter().filter_map(parse).collect();
        Ok(DuePage { due, next: output.last_evaluated_key.map(DueCursor) })
    }

    /// Builds the query of the entries of one shard that are due at an instant, the longest due first.
    fn due_until(&self, shard: u8, at: Timestamp) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&*self.table)
            .index_name(DUE_INDEX)
            .key_condition_expression("#shard = :shard AND #at <= :until")
            .expression_attribute_names("#shard", DUE_SHARD)
            .expression_attribute_names("#at", DUE_AT)
            .expression_attribute_values(":shard", AttributeValue::S(keys::due_shard(shard)))
            .expression_attribute_values(":until", AttributeValue::S(keys::due_by(at)))
    }

    /// Returns the number of submissions that wait in the inbox, at most as many as [`INBOX_COUNT_PAGES_MAX`] pages of
    /// each shard contain.
    ///
    /// A waiting submission is due when its lease ends, so all of them are due by the end of a lease that begins now.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn inbox_depth(&self, wall_clock: Timestamp) -> Result<u64, StoreError> {
        let mut depth = 0;
        for shard in Self::due_shards() {
            let mut start = None;
            for _page in 0..INBOX_COUNT_PAGES_MAX {
                let output = self
                    .due_until(shard, wall_clock.plus(INBOX_EXPECTED))
                    .filter_expression("begins_with(#pk, :delivery)")
                    .expression_attribute_names("#pk", PK)
                    .expression_attribute_values(":delivery", AttributeValue::S(DELIVERY_PREFIX.to_owned()))
                    .select(Select::Count)
                    .set_exclusive_start_key(start.take())
                    .send()
                    .await
                    .map_err(|error| call_error("a count of the inbox", error))?;
                depth += u64::try_from(output.count).unwrap_or_default();
                start = output.last_evaluated_key;
                if start.is_none() {
                    break;
                }
            }
        }
        Ok(depth)
    }

    /// Closes the account's period and the following ones, as far as they have ended.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn close_ended(&self, account: AccountId, wall_clock: Timestamp) -> Result<(), StoreError> {
        self.usage(account, wall_clock).await.map(drop)
    }

    /// Returns the messages for the remaining work of a job. `None` if nothing remains. The job is then marked as
    /// finished, because a worker may have been interrupted before it did that.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn rest_of(&self, job: Job) -> Result<Option<Tasks>, StoreError> {
        let (account, period) = match job {
            Job::Inbox(task) => return Ok(Some(Tasks::Inbox(vec![task]))),
            // The transaction that finishes an account's last bulk job also removes it from the index.
            Job::Bulk(account) => return Ok(Some(Tasks::Bulk(vec![BulkTask { account }]))),
            // The transaction that finishes an import or an export also removes it from the index.
            Job::File(task) => return Ok(Some(Tasks::Files(vec![task]))),
            Job::Automation(task) => return Ok(Some(Tasks::Automations(vec![task]))),
            Job::Sweep(account, period) => (account, period),
        };
        let tasks = self.unswept(account, period).await?;
        if !tasks.is_empty() {
            return Ok(Some(Tasks::Sweeps(tasks)));
        }
        self.finish(job).await?;
        Ok(None)
    }

    /// Returns the sweeps that a closed period still needs, one for each bucket.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn unswept(
        &self,
        account: AccountId,
        period: PeriodNumber,
    ) -> Result<Vec<SweepTask>, StoreError> {
        let statement: Option<StatementItem> = self.get(Key::statement(account, period)).await?;
        let buckets = statement.iter().flat_map(StatementItem::unswept);
        Ok(buckets.map(|bucket| SweepTask { account, period, bucket }).collect())
    }

    /// Begins a lease. The job is due again when the lease ends, unless it is finished before.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn lease(&self, job: Job, wall_clock: Timestamp) -> Result<(), StoreError> {
        let (_, until) = job.due(wall_clock);
        let expression = Expression::default()
            .name(DUE_AT)
            .name(DUE_SHARD)
            .value("until", AttributeValue::S(until.to_string()));
        let update = "SET #due_at = :until";
        self.update_alone(job.key(), update, "attribute_exists(#due_shard)", &expression).await
    }

    /// Removes a job from the `due` index, unless its item contains remaining work.
    pub(crate) async fn finish(&self, job: Job) -> Result<(), StoreError> {
        let expression = Expression::default().name(UNSWEPT).name(DUE_SHARD).name(DUE_AT);
        let update = "REMOVE #due_shard, #due_at";
        self.update_alone(job.key(), update, "attribute_not_exists(#unswept)", &expression).await
    }

    /// Updates one item. If the item does not meet the condition, no update is necessary.
    pub(crate) async fn update_alone(
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

/// Parses an entry of the index: an item's key and the instant at which it is due.
fn parse(entry: &Item) -> Option<Due> {
    let key = &Key::of(entry)?;
    let due_at = || entry.get(DUE_AT).and_then(|at| at.as_s().ok()).and_then(|at| at.parse().ok());
    keys::parse_period_key(key)
        .and_then(|account| Some(Due::Period(account, due_at()?)))
        .or_else(|| {
            let (account, period) = keys::parse_statement_key(key)?;
            Some(Due::Job(Job::Sweep(account, period)))
        })
        .or_else(|| {
            let (account, form, delivery) = keys::parse_delivery_key(key)?;
            Some(Due::Job(Job::Inbox(InboxTask { account, form, delivery })))
        })
        .or_else(|| {
            let (account, automation) = keys::parse_automation_key(key)?;
            Some(Due::Job(Job::Automation(AutomationTask { account, automation })))
        })
        .or_else(|| {
            let import = keys::parse_import_key(key).map(|(account, id)| (account, FileJob::Import(id)));
            let export = || keys::parse_export_key(key).map(|(account, id)| (account, FileJob::Export(id)));
            let (account, job) = import.or_else(export)?;
            Some(Due::Job(Job::File(FileTask { account, job })))
        })
        .or_else(|| keys::parse_bulk_queue_key(key).map(|account| Due::Job(Job::Bulk(account))))
}
