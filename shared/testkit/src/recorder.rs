//! A recorder of the SDK's operations and of their capacity units.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput};
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut, Input, Output,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Capacity units, as the engine reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    /// The read units.
    pub read: f64,
    /// The write units.
    pub write: f64,
}

#[derive(Debug, Default)]
struct Record {
    calls: BTreeMap<&'static str, u32>,
    units: Units,
    /// The number of reads without `ConsistentRead`, by operation. Only index queries do this, because they cannot be
    /// consistent.
    inconsistent: BTreeMap<&'static str, u32>,
}

/// Counts the operations of a client and asks the engine what each consumed.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Record>>);

impl Recorder {
    /// Clears the record.
    pub fn reset(&self) {
        *self.0.lock().unwrap() = Record::default();
    }

    /// Returns the number of calls of each operation.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<&'static str, u32> {
        self.0.lock().unwrap().calls.clone()
    }

    /// Returns the consumed capacity units.
    #[must_use]
    pub fn units(&self) -> Units {
        self.0.lock().unwrap().units
    }

    /// Returns the number of reads without `ConsistentRead`, by operation.
    #[must_use]
    pub fn inconsistent_reads(&self) -> BTreeMap<&'static str, u32> {
        self.0.lock().unwrap().inconsistent.clone()
    }

    fn call(&self, operation: &'static str, consistent: bool) {
        let mut record = self.0.lock().unwrap();
        *record.calls.entry(operation).or_default() += 1;
        if !consistent {
            *record.inconsistent.entry(operation).or_default() += 1;
        }
    }

    fn consumed(&self, capacities: &[ConsumedCapacity], writes: bool) {
        let units: f64 = capacities.iter().filter_map(ConsumedCapacity::capacity_units).sum();
        let mut record = self.0.lock().unwrap();
        if writes {
            record.units.write += units;
        } else {
            record.units.read += units;
        }
    }
}

const TOTAL: Option<ReturnConsumedCapacity> = Some(ReturnConsumedCapacity::Total);

/// Returns the operation's name, and true unless it is a read without `ConsistentRead`. Also requests the operation's
/// consumed capacity from the engine.
fn inspect(input: &mut Input) -> Option<(&'static str, bool)> {
    if let Some(input) = input.downcast_mut::<GetItemInput>() {
        input.return_consumed_capacity = TOTAL;
        return Some(("GetItem", input.consistent_read == Some(true)));
    }
    if let Some(input) = input.downcast_mut::<BatchGetItemInput>() {
        input.return_consumed_capacity = TOTAL;
        let mut tables = input.request_items.iter().flatten();
        let consistent = tables.all(|(_, keys)| keys.consistent_read == Some(true));
        return Some(("BatchGetItem", consistent));
    }
    if let Some(input) = input.downcast_mut::<QueryInput>() {
        input.return_consumed_capacity = TOTAL;
        return Some(("Query", input.consistent_read == Some(true)));
    }
    if let Some(input) = input.downcast_mut::<TransactWriteItemsInput>() {
        input.return_consumed_capacity = TOTAL;
        return Some(("TransactWriteItems", true));
    }
    if let Some(input) = input.downcast_mut::<PutItemInput>() {
        input.return_consumed_capacity = TOTAL;
        return Some(("PutItem", true));
    }
    if let Some(input) = input.downcast_mut::<UpdateItemInput>() {
        input.return_consumed_capacity = TOTAL;
        return Some(("UpdateItem", true));
    }
    if let Some(input) = input.downcast_mut::<DeleteItemInput>() {
        input.return_consumed_capacity = TOTAL;
        return Some(("DeleteItem", true));
    }
    let input = input.downcast_mut::<BatchWriteItemInput>()?;
    input.return_consumed_capacity = TOTAL;
    Some(("BatchWriteItem", true))
}

/// Returns the capacity that an operation consumed, and true if the operation is a write.
fn capacity(output: &Output) -> Option<(Vec<ConsumedCapacity>, bool)> {
    let one = |capacity: &Option<ConsumedCapacity>| capacity.iter().cloned().collect::<Vec<_>>();
    let many = |capacity: &Option<Vec<ConsumedCapacity>>| capacity.clone().unwrap_or_default();
    None.or_else(|| output.downcast_ref::<GetItemOutput>().map(|o| (one(&o.consumed_capacity), false)))
        .or_else(|| output.downcast_ref::<QueryOutput>().map(|o| (one(&o.consumed_capacity), false)))
        .or_else(|| output.downcast_ref::<BatchGetItemOutput>().map(|o| (many(&o.consumed_capacity), false)))
        .or_else(|| {
            output.downcast_ref::<TransactWriteItemsOutput>().map(|o| (many(&o.consumed_capacity), true))
        })
        .or_else(|| output.downcast_ref::<BatchWriteItemOutput>().map(|o| (many(&o.consumed_capacity), true)))
        .or_else(|| output.downcast_ref::<PutItemOutput>().map(|o| (one(&o.consumed_capacity), true)))
        .or_else(|| output.downcast_ref::<UpdateItemOutput>().map(|o| (one(&o.consumed_capacity), true)))
        .or_else(|| output.downcast_ref::<DeleteItemOutput>().map(|o| (one(&o.consumed_capacity), true)))
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some((operation, consistent)) = inspect(context.input_mut()) {
            self.call(operation, consistent);
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Ok(output) = context.output_or_error()
            && let Some((capacities, writes)) = capacity(output)
        {
            self.consumed(&capacities, writes);
        }
        Ok(())
    }
}
