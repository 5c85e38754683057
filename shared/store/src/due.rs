//! What is due: periods that have ended, and statements whose leavers are not yet swept.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::ids::{AccountId, Bucket};
use domain::limits::DUE_PAGE;
use domain::period::PeriodNumber;

use crate::StoreError;
use crate::items::{StatementItem, decode};
use crate::keys::{self, DUE_AT, DUE_INDEX, DUE_SHARD, DUE_SHARDS, Key};
use crate::store::{Store, read_error};
use crate::writes::Expression;

/// Something that a schedule finds to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// The account's period has ended.
    Period(AccountId),
    /// A closed period has leavers that are not yet swept.
    Statement(AccountId, PeriodNumber),
}

/// One page of what is due, and whether there is more.
#[derive(Clone, Debug)]
pub struct DuePage {
    /// What is due, the longest due first.
    pub due: Vec<Due>,
    /// Whether the shard has more after these.
    pub more: bool,
}

impl Store {
    /// The shards of the `due` index.
    pub fn due_shards() -> impl Iterator<Item = u8> {
        0..DUE_SHARDS
    }

    /// What is due in one shard by wall-clock time `wall`, the longest due first. What has been done since drops
    /// out, so asking again after doing it gives the next page.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn due(&self, shard: u8, wall: Timestamp) -> Result<DuePage, StoreError> {
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
            .send()
            .await
            .map_err(|error| read_error("a query of what is due", error))?;
        let more = output.last_evaluated_key.is_some();
        let keys = output.items.unwrap_or_default();
        let due = keys.iter().filter_map(Key::of).filter_map(|key| parse(&key)).collect();
        Ok(DuePage { due, more })
    }

    /// Closes the account's period if it has ended, and every period that has ended since.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn close_ended(&self, account: AccountId, wall: Timestamp) -> Result<(), StoreError> {
        self.usage(account, wall).await.map(drop)
    }

    /// The buckets of a closed period whose leavers are not yet swept, and puts the statement off until `until`:
    /// if they are not swept by then it is due again.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn take_unswept(
        &self,
        account: AccountId,
        number: PeriodNumber,
        until: Timestamp,
    ) -> Result<Vec<Bucket>, StoreError> {
        let expression = Expression::default()
            .name(DUE_AT)
            .name(DUE_SHARD)
            .value("until", AttributeValue::S(until.to_string()));
        let updated = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(Key::statement(account, number).into_item()))
            .update_expression("SET #due_at = :until")
            .condition_expression("attribute_exists(#due_shard)")
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew)
            .send()
            .await;
        match updated {
            Ok(output) => {
                let statement: StatementItem = decode(output.attributes.unwrap_or_default())?;
                Ok(statement.unswept().collect())
            }
            Err(error) if is_condition_failure(&error) => Ok(Vec::new()),
            Err(error) => Err(read_error("putting a sweep off", error)),
        }
    }
}

fn parse(key: &Key) -> Option<Due> {
    keys::parse_period_key(key)
        .map(Due::Period)
        .or_else(|| keys::parse_statement_key(key).map(|(account, number)| Due::Statement(account, number)))
}

pub(crate) fn is_condition_failure<E: aws_sdk_dynamodb::error::ProvideErrorMetadata>(
    error: &aws_sdk_dynamodb::error::SdkError<E>,
) -> bool {
    error.as_service_error().and_then(|error| error.code()) == Some("ConditionalCheckFailedException")
}
