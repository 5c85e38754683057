//! Builders of conditional writes.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, Update};
use domain::Timestamp;

use crate::StoreError;
use crate::expressions::{Expression, number};
use crate::items::{ENTITY, Entity, VERSION, encode};
use crate::keys::{EXPIRES_AT, Key, PK};
use crate::store::Store;

/// The part of an update that sets the kind of an item, because the update may create the item.
pub(crate) const SET_TAG: &str = "SET #entity = :entity, #v = :v";

/// Returns the expression of [`SET_TAG`].
pub(crate) fn tag<E: Entity>() -> Expression {
    Expression::default()
        .name(ENTITY)
        .name(VERSION)
        .value(ENTITY, AttributeValue::S(E::TAG.to_owned()))
        .value(VERSION, number(E::SCHEMA))
}

impl Store {
    /// Builds a `Put` that succeeds only if the key is free.
    pub(crate) fn put_new<E: Entity>(&self, key: Key, entity: &E) -> Result<Put, StoreError> {
        self.put_if(key, entity, "attribute_not_exists(#pk)", &Expression::default().name(PK))
    }

    /// Builds a `Put` that succeeds only if the key is free, or its item has expired and DynamoDB has not deleted it
    /// yet.
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

    /// Builds a `Put` that succeeds only if the stored item still has `version`.
    pub(crate) fn put_versioned<E: Entity>(
        &self,
        key: Key,
        entity: &E,
        version: u64,
    ) -> Result<Put, StoreError> {
        let expression = Expression::default().name("version").value("version", number(version));
        self.put_if(key, entity, "#version = :version", &expression)
    }

    /// Builds a `Put` with a condition.
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

    /// Builds a `Put` without a condition.
    pub(crate) fn put_any<E: Entity>(&self, key: Key, entity: &E) -> Result<Put, StoreError> {
        Ok(Put::builder().table_name(&*self.table).set_item(Some(encode(key, entity)?)).build()?)
    }

    /// Builds a `Delete` without a condition.
    pub(crate) fn delete_any(&self, key: Key) -> Result<Delete, StoreError> {
        Ok(Delete::builder().table_name(&*self.table).set_key(Some(key.into_item())).build()?)
    }

    /// Builds a `Delete` with a condition.
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

    /// Builds a `Delete` that succeeds only if the item exists, in any version.
    pub(crate) fn delete_existing(&self, key: Key) -> Result<Delete, StoreError> {
        self.delete_if(key, "attribute_exists(#pk)", &Expression::default().name(PK))
    }

    /// Builds a `Delete` that succeeds only if the item exists and no automation uses it.
    pub(crate) fn delete_unused(&self, key: Key) -> Result<Delete, StoreError> {
        self.delete_if(
            key,
            "attribute_exists(#pk) AND attribute_not_exists(#used_by)",
            &Expression::default().name(PK).name("used_by"),
        )
    }

    /// Builds a `Delete` that succeeds only if the stored item still has `version`.
    pub(crate) fn delete_versioned(&self, key: Key, version: u64) -> Result<Delete, StoreError> {
        self.delete_if(
            key,
            "#version = :version",
            &Expression::default().name("version").value("version", number(version)),
        )
    }

    /// Builds an `Update` without a condition. It creates a missing item.
    pub(crate) fn update_any(
        &self,
        key: Key,
        update: &str,
        expression: &Expression,
    ) -> Result<Update, StoreError> {
        Ok(Update::builder()
            .table_name(&*self.table)
            .set_key(Some(key.into_item()))
            .update_expression(update)
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .build()?)
    }

    /// Builds an `Update` with a condition.
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
