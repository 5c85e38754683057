//! The minimum capacity units of an operation, computed from the stored items.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use testkit::{TABLE, TestTable};

type Item = HashMap<String, AttributeValue>;

/// Items that an operation must read.
#[derive(Clone)]
pub enum Need {
    /// One item.
    Item { pk: String, sk: String },
    /// All items whose keys have these prefixes, read by one query.
    All { pk: String, sk: String },
}

impl Need {
    /// Creates the need for one item.
    pub fn item(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self::Item { pk: pk.into(), sk: sk.into() }
    }

    /// Creates the need for all items whose keys have these prefixes.
    pub fn all(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self::All { pk: pk.into(), sk: sk.into() }
    }
}

/// The whole table at one instant.
pub struct Snapshot(BTreeMap<(String, String), Item>);

/// The keys of the table's indexes. The indexes project keys only.
const INDEXES: [[&str; 2]; 3] = [["leaving_pk", "sk"], ["changed_pk", "changed_sk"], ["due_shard", "due_at"]];

impl Snapshot {
    /// Reads the table.
    pub async fn take(table: &TestTable) -> Self {
        let pages =
            table.client.scan().table_name(TABLE).consistent_read(true).into_paginator().items().send();
        let items = pages.collect::<Result<Vec<Item>, _>>().await.expect("a scan");
        Self(items.into_iter().map(|item| ((text(&item, "pk"), text(&item, "sk")), item)).collect())
    }

    /// Returns the minimum read units for these needs.
    pub fn least_reads(&self, needs: &[Need]) -> f64 {
        let units = needs.iter().map(|need| match need {
            Need::Item { pk, sk } => read_units(self.0.get(&(pk.clone(), sk.clone())).map_or(0, size)),
            Need::All { pk, sk } => {
                let found = self.0.iter().filter(|(key, _)| key.0.starts_with(pk) && key.1.starts_with(sk));
                read_units(found.map(|(_, item)| size(item)).sum())
            }
        });
        // `sum` of an empty iterator would be negative zero.
        units.fold(0.0, |sum, units| sum + units)
    }

    /// Returns the minimum write units that change this table into `after`.
    pub fn least_writes(&self, after: &Self) -> f64 {
        let mut keys: Vec<_> = self.0.keys().chain(after.0.keys()).collect();
        keys.sort();
        keys.dedup();
        let pairs = keys.into_iter().map(|key| (self.0.get(key), after.0.get(key)));
        let changed: Vec<_> = pairs.filter(|(before, after)| before != after).collect();
        let factor = if changed.len() > 1 { 2.0 } else { 1.0 };
        let of_one = |(before, after): &(Option<&Item>, Option<&Item>)| {
            let larger = before.map_or(0, size).max(after.map_or(0, size));
            let places = INDEXES.map(|keys| places_moved(place(*before, keys), place(*after, keys)));
            factor * write_units(larger) + places.iter().sum::<f64>()
        };
        changed.iter().map(of_one).fold(0.0, |sum, units| sum + units)
    }
}

/// Returns an item's keys in an index, or `None` if the index does not contain it.
fn place(item: Option<&Item>, keys: [&str; 2]) -> Option<[AttributeValue; 2]> {
    let [one, other] = keys.map(|name| item.and_then(|item| item.get(name)).cloned());
    Some([one?, other?])
}

/// Returns the write units of a change in an index. It contains only keys, so each added or removed entry costs one
/// unit.
fn places_moved(before: Option<[AttributeValue; 2]>, after: Option<[AttributeValue; 2]>) -> f64 {
    match (before, after) {
        (before, after) if before == after => 0.0,
        (Some(_), Some(_)) => 2.0,
        _ => 1.0,
    }
}

fn read_units(bytes: usize) -> f64 {
    units(bytes, 4096)
}

fn write_units(bytes: usize) -> f64 {
    units(bytes, 1024)
}

/// Returns the capacity units of an item, which are at least one.
fn units(bytes: usize, unit: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred at the most")]
    let units = bytes.div_ceil(unit).max(1) as f64;
    units
}

/// Returns an item's size in bytes, by DynamoDB's developer guide ("DynamoDB item sizes and formats").
fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number_size(number),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, value)| 1 + name.len() + value_size(value)).sum::<usize>()
        }
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|number| number_size(number)).sum(),
        other => panic!("unexpected attribute type: {other:?}"),
    }
}

/// Returns the size of a number: one byte for two digits, and one more byte.
fn number_size(number: &str) -> usize {
    let digits = number.trim_start_matches('-').trim_end_matches('0').len();
    digits.div_ceil(2) + 1
}

fn text(item: &Item, name: &str) -> String {
    item[name].as_s().expect("a text").clone()
}
