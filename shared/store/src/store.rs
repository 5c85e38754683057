//! The handle of the store, its reads, and the write of a single item.

use std::ops::RangeInclusive;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put};
use domain::limits::{BATCH_READ_MAX, RETRIES_MAX, SUBMISSION_RETRIES_MAX};

use crate::error::{call_error, is_condition_failure};
use crate::items::{Entity, Items, decode};
use crate::keys::{Item, Key, PK, SK};
use crate::known_names::KnownNames;
use crate::retry::Retries;
use crate::{Rng, StoreError};

/// The handle of the table. A clone is cheap.
#[derive(Clone)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: Arc<str>,
    rng: Rng,
    /// The names of properties that need no definition. Only the change feed uses it.
    pub(crate) known_names: Arc<KnownNames>,
}

/// One page of a query, and the sort key after which the next page begins.
pub(crate) struct QueryPage {
    pub(crate) items: Vec<Item>,
    pub(crate) next: Option<String>,
}

/// A query of one partition.
#[derive(Clone)]
pub(crate) struct Query {
    pub(crate) pk: String,
    /// The prefix of the sort keys.
    pub(crate) prefix: &'static str,
    /// The sort key after which the page begins, in the order of the query.
    pub(crate) after: Option<String>,
    pub(crate) limit: usize,
    pub(crate) newest_first: bool,
}

impl Store {
    /// Creates the handle of the table with this name.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>, rng: Rng) -> Self {
        Self { client, table: table.into().into(), rng, known_names: Arc::default() }
    }

    /// Returns the source of randomness for ids, tokens and pauses.
    #[must_use]
    pub fn rng(&self) -> &Rng {
        &self.rng
    }

    /// Reads a key that no item has, so that the connection is open before the first request needs it. A failure is
    /// ignored, because the first request reports it.
    pub async fn warm_up(&self) {
        let _ = self.get_item(Key::nothing()).await;
    }

    /// Returns the retries of one operation.
    pub(crate) fn retries(&self) -> Retries<'_> {
        Retries::new(&self.rng, RETRIES_MAX)
    }

    /// Returns fewer retries, for a submission that the inbox can accept instead.
    pub(crate) fn submission_retries(&self) -> Retries<'_> {
        Retries::new(&self.rng, SUBMISSION_RETRIES_MAX)
    }

    /// Reads one item, consistently.
    pub(crate) async fn get_item(&self, key: Key) -> Result<Option<Item>, StoreError> {
        self.client
            .get_item()
            .table_name(&*self.table)
            .set_key(Some(key.into_item()))
            .consistent_read(true)
            .send()
            .await
            .map(|output| output.item)
            .map_err(|error| call_error("a read", error))
    }

    /// Reads and decodes one item, consistently.
    pub(crate) async fn get<E: Entity>(&self, key: Key) -> Result<Option<E>, StoreError> {
        self.get_item(key).await?.map(decode).transpose()
    }

    /// Reads many items, consistently, up to [`BATCH_READ_MAX`] in a call. Keys without an item are left out.
    pub(crate) async fn batch_get(&self, keys: &[Key], retries: &Retries<'_>) -> Result<Items, StoreError> {
        let mut items = Items::default();
        for chunk in keys.chunks(BATCH_READ_MAX) {
            let mut request = Some(self.keys_and_attributes(chunk)?);
            while let Some(keys) = request.take() {
                let output = self
                    .client
                    .batch_get_item()
                    .request_items(&*self.table, keys)
                    .send()
                    .await
                    .map_err(|error| call_error("a batched read", error))?;
                let found = output.responses.into_iter().flat_map(|mut tables| tables.remove(&*self.table));
                items.0.extend(found.flatten().filter_map(|item| Some((Key::of(&item)?, item))));
                let rest = output.unprocessed_keys.and_then(|mut tables| tables.remove(&*self.table));
                if let Some(rest) = rest.filter(|rest| !rest.keys().is_empty()) {
                    retries.back_off("a batched read was incomplete").await?;
                    request = Some(rest);
                }
            }
        }
        Ok(items)
    }

    fn keys_and_attributes(&self, keys: &[Key]) -> Result<KeysAndAttributes, StoreError> {
        let keys = keys.iter().cloned().map(Key::into_item).collect();
        Ok(KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?)
    }

    /// Reads one page of a partition, consistently.
    pub(crate) async fn query(&self, query: &Query) -> Result<QueryPage, StoreError> {
        let prefix = (!query.prefix.is_empty()).then(|| (":prefix", query.prefix.to_owned()));
        let condition = prefix.is_some().then_some("begins_with(#sk, :prefix)");
        self.query_where(query, condition, prefix.into_iter()).await
    }

    /// Reads one page of the part of a partition whose sort keys are within `range`, consistently. The query has no
    /// prefix, and its `after` is within the range.
    pub(crate) async fn query_range(
        &self,
        query: &Query,
        range: &RangeInclusive<String>,
    ) -> Result<QueryPage, StoreError> {
        debug_assert!(!range.start().is_empty(), "DynamoDB refuses an empty text as a bound");
        let bounds = [(":from", range.start().clone()), (":to", range.end().clone())];
        self.query_where(query, Some("#sk BETWEEN :from AND :to"), bounds.into_iter()).await
    }

    async fn query_where(
        &self,
        query: &Query,
        condition: Option<&str>,
        values: impl Iterator<Item = (&'static str, String)>,
    ) -> Result<QueryPage, StoreError> {
        let start = query.after.clone().map(|sk| Key { pk: query.pk.clone(), sk }.into_item());
        let mut request = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression(match condition {
                Some(condition) => format!("#pk = :pk AND {condition}"),
                None => "#pk = :pk".to_owned(),
            })
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", AttributeValue::S(query.pk.clone()))
            .scan_index_forward(!query.newest_first)
            .limit(i32::try_from(query.limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start);
        for (name, value) in values {
            request = request.expression_attribute_values(name, AttributeValue::S(value));
        }
        if condition.is_some() {
            request = request.expression_attribute_names("#sk", SK);
        }
        let output = request.send().await.map_err(|error| call_error("a query", error))?;
        let next = output.last_evaluated_key.as_ref().and_then(Key::of).map(|key| key.sk);
        Ok(QueryPage { items: output.items.unwrap_or_default(), next })
    }

    /// Writes one item without a transaction. Returns false if the stored item did not meet the condition.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the table is not available. The item may have been written all the same.
    pub(crate) async fn put_item(&self, put: &Put) -> Result<bool, StoreError> {
        let sent = self
            .client
            .put_item()
            .table_name(put.table_name())
            .set_item(Some(put.item().clone()))
            .set_condition_expression(put.condition_expression().map(str::to_owned))
            .set_expression_attribute_names(put.expression_attribute_names().cloned())
            .set_expression_attribute_values(put.expression_attribute_values().cloned())
            .send()
            .await;
        match sent {
            Ok(_) => Ok(true),
            Err(error) if is_condition_failure(&error) => Ok(false),
            Err(error) => Err(call_error("a write", error)),
        }
    }
}
