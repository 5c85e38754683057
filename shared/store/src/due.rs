//! What is due: periods that have ended, statements whose leavers are not yet swept, and submissions that have been
//! waiting in the inbox for long.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::ids::AccountId;
use domain::limits::DUE_PAGE;
use domain::period::PeriodNumber;

use crate::items::StatementItem;
use crate::keys::{self, DUE_AT, DUE_INDEX, DUE_SHARD, DUE_SHARDS, Item, Key};
use crate::store::{Store, read_error};
use crate::sweep::SweepTask;
use crate::writes::Expression;
use crate::{InboxTask, StoreError};

/// Something that a schedule finds to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Due {
    /// The account's period has ended.
    Period(AccountId),
    /// A closed period has leavers that are not yet swept.
    Statement(AccountId, PeriodNumber),
    /// A submission waits in the inbox and has been forgotten by the queue.
    Inbox(InboxTask),
}

/// One page of what is due.
#[derive(Clone, Debug)]
pub struct DuePage {
    /// What is due, the longest due first.
    pub due: Vec<Due>,
    /// Where to go on, if the shard has more.
    pub next: Option<DueCursor>,
}

/// A place in a shard of the `due` index.
#[derive(Clone, Debug)]
pub struct DueCursor(Item);

impl Store {
    /// The shards of the `due` index.
    pub fn due_shards() -> impl Iterator<Item = u8> {
        0..DUE_SHARDS
    }

    /// What is due in one shard by wall-clock time `wall`, the longest due first, from `after` on.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn due(
        &self,
        shard: u8,
        wall: Timestamp,
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
            .expression_attribute_values(":now", AttributeValue::S(keys::due_by(wall)))
            .limit(DUE_PAGE)
            .set_exclusive_start_key(after.map(|DueCursor(key)| key))
            .send()
            .await
            .map_err(|error| read_error("a query of what is due", error))?;
        let keys = output.items.unwrap_or_default();
        let due = keys.iter().filter_map(Key::of).filter_map(|key| parse(&key)).collect();
        Ok(DuePage { due, next: output.last_evaluated_key.map(DueCursor) })
    }

    /// Closes the account's period if it has ended, and every period that has ended since.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn close_ended(&self, account: AccountId, wall: Timestamp) -> Result<(), StoreError> {
        self.usage(account, wall).await.map(drop)
    }

    /// The sweeps that a closed period still needs, a bucket each.
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

    /// Puts a statement off whose sweeps are under way: if they are not done by `until` it is due again.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn put_off(
        &self,
        account: AccountId,
        period: PeriodNumber,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.put_off_key(Key::statement(account, period), until).await
    }

    /// Puts off what is still due.
    pub(crate) async fn put_off_key(&self, key: Key, until: Timestamp) -> Result<(), StoreError> {
        let expression = Expression::default()
            .name(DUE_AT)
            .name(DUE_SHARD)
            .value("until", AttributeValue::S(until.to_string()));
        let updated = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key.into_item()))
            .update_expression("SET #due_at = :until")
            .condition_expression("attribute_exists(#due_shard)")
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .send()
            .await;
        match updated {
            Err(error) if !is_condition_failure(&error) => Err(read_error("putting off what is due", error)),
            _ => Ok(()),
        }
    }
}

fn parse(key: &Key) -> Option<Due> {
    keys::parse_period_key(key)
        .map(Due::Period)
        .or_else(|| keys::parse_statement_key(key).map(|(account, number)| Due::Statement(account, number)))
        .or_else(|| {
            let (account, form, delivery) = keys::parse_delivery_key(key)?;
            Some(Due::Inbox(InboxTask { account, form, delivery }))
        })
}

pub(crate) fn is_condition_failure<E: aws_sdk_dynamodb::error::ProvideErrorMetadata>(
    error: &aws_sdk_dynamodb::error::SdkError<E>,
) -> bool {
    error.as_service_error().and_then(|error| error.code()) == Some("ConditionalCheckFailedException")
}
