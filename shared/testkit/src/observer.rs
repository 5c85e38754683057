//! Records of a table's stream, from two observations of the whole table.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use store::{Followed, StreamRecord};

use crate::{TABLE, TestTable};

/// An item as the engine returns it.
type Item = HashMap<String, AttributeValue>;

/// An observer of a table. It sees what the table's stream contains, as long as it looks after every write.
#[derive(Default)]
pub struct Observer {
    items: BTreeMap<(String, String), Item>,
    observed: u64,
}

impl Observer {
    /// Creates an observer that knows the table's present items.
    pub async fn of(table: &TestTable) -> Self {
        let mut observer = Self::default();
        observer.records(table).await;
        observer
    }

    /// Returns a record for each item that has changed since the last observation, ordered by key.
    pub async fn records(&mut self, table: &TestTable) -> Vec<StreamRecord> {
        let now = items(table).await;
        let before = std::mem::replace(&mut self.items, now);
        let mut keys: Vec<_> = before.keys().chain(self.items.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut records = Vec::new();
        for key in keys {
            let (old, new) = (before.get(key).cloned(), self.items.get(key).cloned());
            if old != new {
                self.observed += 1;
                let sequence_number = format!("{:021}", self.observed);
                records.push(StreamRecord { sequence_number, old, new });
            }
        }
        records
    }

    /// Lets the store follow what has changed since the last observation, once.
    ///
    /// # Panics
    ///
    /// If an effect is not complete.
    pub async fn follow(&mut self, table: &TestTable, wall_clock: Timestamp) -> Vec<StreamRecord> {
        let records = self.records(table).await;
        let Followed { failed, .. } = table.store.follow(records.clone(), wall_clock).await;
        assert!(failed.is_empty(), "{failed:?}");
        records
    }
}

async fn items(table: &TestTable) -> BTreeMap<(String, String), Item> {
    let mut items = BTreeMap::new();
    let mut start = None;
    loop {
        let scan = table.client.scan().table_name(TABLE).consistent_read(true);
        let page = scan.set_exclusive_start_key(start).send().await.expect("a scan");
        for item in page.items.unwrap_or_default() {
            let text = |name: &str| item[name].as_s().expect("a key").clone();
            items.insert((text("pk"), text("sk")), item);
        }
        start = page.last_evaluated_key;
        if start.is_none() {
            return items;
        }
    }
}
