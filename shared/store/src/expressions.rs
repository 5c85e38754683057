//! The writes that transactions are made of: what is put, and on which condition.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, Update};
use domain::Timestamp;

use crate::StoreError;
use crate::error::{call_error, is_condition_failure};
use crate::items::{Entity, encode};
use crate::keys::{EXPIRES_AT, Key, PK};
use crate::store::Store;

/// The number of an attribute value.
pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Names and values of an expression.
#[derive(Default)]
pub(crate) struct Expression {
    pub(crate) names: HashMap<String, String>,
    pub(crate) values: HashMap<String, AttributeValue>,
}

impl Expression {
    /// `#name` for an attribute.
    pub(crate) fn name(mut self, name: &str) -> Self {
        self.names.insert(format!("#{name}"), name.to_owned());
        self
    }

    /// `:name` for a value.
    pub(crate) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(format!(":{name}"), value);
        self
    }

    /// `:name` for a text.
    pub(crate) fn text(self, name: &str, text: impl Into<String>) -> Self {
        self.value(name, AttributeValue::S(text.into()))
    }

    /// The names, if there are any: DynamoDB refuses an empty map.
    pub(crate) fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    /// The values, if there are any.
    pub(crate) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

impl Store {
    /// Puts what must not be there yet.
    pub(crate) fn put_new<E: Entity>(&self, key: Key, entity: &E) -> Result<Put, StoreError> {
        self.put_if(key, entity, "attribute_not_exists(#pk)", &Expression::default().name(PK))
    }

    /// Puts what must not be there yet, or whose time is over but which DynamoDB has not removed yet.
    pub(crate) fn put_new_or_expired<E: Entity>(
        &self,
        key: Key,
        entity: &E,
        wall_clock: Timestamp,
    ) -> Result<Put, StoreError> {
        let expression =
            Expression::default().name(PK).name(EXPIRES_AT).value("now", number(wall_clock.seconds()));
        self.put_if(key, entity, "attribute_not_exists(#pk) OR #expires_at <= :now", &expression)
    }

    /// Puts what is there in this version.
    pub(crate) fn put_versioned<E: Entity>(
        &self,
        key: Key,
        entity: &E,
        version: u64,
    ) -> Result<Put, StoreError> {
        let expression = Expression::default().name("version").value("version", number(version));
        self.put_if(key, entity, "#version = :version", &expression)
    }

    /// Puts on a condition.
    pub(crate) fn put_if<E: Entity>(
        &self,
        key: Key,
        entity: &E,
        condition: &str,
        expression: &Expression,
    ) -> Result<Put, StoreError> {
        Ok(Put::builder()
            .table_name(&*self.table)
            .set_item(Some(encode(key, entity)?))
            .condition_expression(condition)
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .build()?)
    }

    /// Writes one item and nothing with it, and answers whether it was as its condition says.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the table can't be had: then it may have been written all the same.
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

    /// Deletes on a condition.
    pub(crate) fn delete_if(
        &self,
        key: Key,
        condition: &str,
        expression: &Expression,
    ) -> Result<Delete, StoreError> {
        Ok(Delete::builder()
            .table_name(&*self.table)
            .set_key(Some(key.into_item()))
            .condition_expression(condition)
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .build()?)
    }

    /// Deletes what is there, in whatever version.
    pub(crate) fn delete_existing(&self, key: Key) -> Result<Delete, StoreError> {
        self.delete_if(key, "attribute_exists(#pk)", &Expression::default().name(PK))
    }

    /// Deletes what is there in this version.
    pub(crate) fn delete_versioned(&self, key: Key, version: u64) -> Result<Delete, StoreError> {
        self.delete_if(
            key,
            "#version = :version",
            &Expression::default().name("version").value("version", number(version)),
        )
    }

    /// Updates on a condition.
    pub(crate) fn update_if(
        &self,
        key: Key,
        update: &str,
        condition: &str,
        expression: &Expression,
    ) -> Result<Update, StoreError> {
        Ok(Update::builder()
            .table_name(&*self.table)
            .set_key(Some(key.into_item()))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .build()?)
    }
}
