//! The table behind the network: the locks of transactions, the current items, and a stale copy for eventually
//! consistent reads.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use dynoxide::Database;
use serde_json::{Value, json};
use tidemark::engine::Operations;
use tokio::time::Instant;

use super::Answered;
use super::fault_rates::Fate;
use super::wire::{Call, RawItem, RawKey, canonical, conflict, in_order, key_of, raw_key, refusal};
use crate::{SeededRng, TABLE};

/// The greatest number of items in a query's page that ends early.
const SHORT_PAGE_MOST: u64 = 3;

/// One item before and after a write.
#[derive(Clone, Debug)]
pub struct ItemChange {
    /// The item's key.
    pub key: RawKey,
    /// The item before the write, if it existed.
    pub before: Option<RawItem>,
    /// The item after the write, if it exists.
    pub after: Option<RawItem>,
}

/// An applied write that changed at least one item.
#[derive(Clone, Debug)]
pub struct Write {
    /// The number of the sender (see [`super::Network::sent_by`]).
    pub sender: u32,
    /// True for a transaction.
    pub transaction: bool,
    /// True if the sender's connection broke before the write was applied.
    pub late: bool,
    /// The changed items.
    pub changes: Vec<ItemChange>,
}

/// The state of the table.
pub(super) struct Table {
    engine: Operations,
    /// A stale copy, which serves eventually consistent reads.
    stale: Operations,
    /// The changes that `stale` does not contain yet, each with the instant from which it shows the change.
    pending: VecDeque<(Instant, RawKey, Option<RawItem>)>,
    /// The current items, for the watcher.
    pub(super) items: BTreeMap<RawKey, RawItem>,
    /// The items that transactions have locked.
    locked: BTreeSet<RawKey>,
    /// The tokens of the transactions in progress.
    in_progress: BTreeSet<String>,
    /// The tokens of applied transactions.
    applied: BTreeSet<String>,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            engine: new_engine(),
            stale: new_engine(),
            pending: VecDeque::new(),
            items: BTreeMap::new(),
            locked: BTreeSet::new(),
            in_progress: BTreeSet::new(),
            applied: BTreeSet::new(),
        }
    }

    /// Locks a transaction's items. Fails with the refusal if another transaction has locked one of them, or if the
    /// same transaction is in progress.
    pub(super) fn begin(&mut self, call: &Call) -> Result<Vec<RawKey>, Answered> {
        let token = call.token();
        if token.is_some_and(|token| self.in_progress.contains(token)) {
            return Err(refusal(400, "TransactionInProgressException", None));
        }
        if token.is_some_and(|token| self.applied.contains(token)) {
            // A repeat has the first one's response, even if other transactions have locked its items.
            return Ok(Vec::new());
        }
        let keys = call.written();
        let conflicting: Vec<bool> = keys.iter().map(|key| self.locked.contains(key)).collect();
        if conflicting.contains(&true) {
            return Err(conflict(&conflicting));
        }
        self.locked.extend(keys.iter().cloned());
        self.in_progress.extend(token.map(str::to_owned));
        Ok(keys)
    }

    /// Unlocks a transaction's items. `applied` is true if the transaction was applied.
    pub(super) fn end(&mut self, call: &Call, keys: &[RawKey], applied: bool) {
        if let Some(token) = call.token() {
            self.in_progress.remove(token);
            self.applied.extend(applied.then(|| token.to_owned()));
        }
        for key in keys {
            self.locked.remove(key);
        }
    }

    /// Returns true if the call writes an item, outside of a transaction, that a transaction has locked.
    pub(super) fn meets_transaction(&self, call: &Call) -> bool {
        !call.is_transaction() && call.written().iter().any(|key| self.locked.contains(key))
    }

    /// Executes a request. Returns the response and the changed items.
    pub(super) fn execute(
        &mut self,
        call: &Call,
        lag_most: u64,
        rng: &mut SeededRng,
    ) -> (Answered, Vec<ItemChange>) {
        let body = call.body.to_string();
        if call.operation.ends_with("Table") || call.operation.ends_with("TimeToLive") {
            let _ = call_engine(&self.stale, &call.operation, &body);
        }
        if call.may_be_stale() {
            self.catch_up(Instant::now());
            return (call_engine(&self.stale, &call.operation, &body), Vec::new());
        }
        let answered = call_engine(&self.engine, &call.operation, &body);
        let changes = if answered.0 == 200 { self.changes(&call.written()) } else { Vec::new() };
        for change in &changes {
            let shown_at = Instant::now() + Duration::from_millis(rng.between(0, lag_most));
            self.pending.push_back((shown_at, change.key.clone(), change.after.clone()));
        }
        (answered, changes)
    }

    /// Reads these items, updates `self.items`, and returns the items that differ.
    fn changes(&mut self, keys: &[RawKey]) -> Vec<ItemChange> {
        let mut changes = Vec::new();
        for chunk in keys.chunks(100) {
            let mut found = self.read(chunk);
            for key in chunk {
                let after = found.remove(key);
                let before = match &after {
                    Some(item) => self.items.insert(key.clone(), item.clone()),
                    None => self.items.remove(key),
                };
                if before != after {
                    changes.push(ItemChange { key: key.clone(), before, after });
                }
            }
        }
        changes
    }

    fn read(&self, keys: &[RawKey]) -> BTreeMap<RawKey, RawItem> {
        let keys: Vec<Value> = keys.iter().map(raw_key).collect();
        let body = json!({"RequestItems": {TABLE: {"Keys": keys, "ConsistentRead": true}}});
        let (_, answer) = call_engine(&self.engine, "BatchGetItem", &body.to_string());
        let mut answer: Value = serde_json::from_str(&answer).expect("JSON");
        let Value::Array(items) = answer["Responses"][TABLE].take() else { return BTreeMap::new() };
        items.into_iter().map(|item| (key_of(&item), in_order(item))).collect()
    }

    /// Returns every item from a full scan of the engine.
    pub(super) fn scan(&self) -> BTreeMap<RawKey, RawItem> {
        let mut items = BTreeMap::new();
        let mut request = json!({"TableName": TABLE, "ConsistentRead": true});
        loop {
            let (status, answer) = call_engine(&self.engine, "Scan", &request.to_string());
            assert_eq!(status, 200, "{answer}");
            let mut answer: Value = serde_json::from_str(&answer).expect("JSON");
            if let Value::Array(found) = answer["Items"].take() {
                items.extend(found.into_iter().map(|item| (key_of(&item), in_order(item))));
            }
            match answer["LastEvaluatedKey"].take() {
                Value::Null => return items,
                next => request["ExclusiveStartKey"] = next,
            }
        }
    }

    /// Applies the changes to the stale copy that are due by `now`. The changes of one item keep their order. Those of
    /// several items do not, as in an index.
    fn catch_up(&mut self, now: Instant) {
        let mut delayed: BTreeSet<RawKey> = BTreeSet::new();
        let mut rest = VecDeque::new();
        for (at, key, item) in std::mem::take(&mut self.pending) {
            if at > now || delayed.contains(&key) {
                delayed.insert(key.clone());
                rest.push_back((at, key, item));
                continue;
            }
            let (operation, body) = match item {
                Some(item) => ("PutItem", json!({"TableName": TABLE, "Item": item})),
                None => ("DeleteItem", json!({"TableName": TABLE, "Key": raw_key(&key)})),
            };
            let (status, answer) = call_engine(&self.stale, operation, &body.to_string());
            assert_eq!(status, 200, "{answer}");
        }
        self.pending = rest;
    }
}

fn new_engine() -> Operations {
    Operations::new(Database::memory().expect("an engine"))
}

/// Executes an operation on this thread. It is complete when this function returns, because nothing in it waits.
fn call_engine(engine: &Operations, operation: &str, body: &str) -> Answered {
    let (status, answer) = engine.call(operation, body.as_bytes());
    (status.as_u16(), answer)
}

/// Returns a part of the request, and the rest in the form in which the response reports it.
pub(super) fn in_part(call: &Call, fate: &mut Fate) -> (Call, Option<Value>) {
    let mut part = call.clone();
    match call.operation.as_str() {
        "BatchGetItem" => {
            let keys = call.batch_keys();
            let done = fate.rng.index(keys.len()) + 1;
            if done == keys.len() {
                return (part, None);
            }
            let (now, later) = keys.split_at(done);
            let mut rest = call.body["RequestItems"].clone();
            rest[TABLE]["Keys"] = json!(later);
            (call.for_keys(now), Some(json!({"UnprocessedKeys": rest})))
        }
        "BatchWriteItem" => {
            let writes = call.body["RequestItems"][TABLE].as_array().expect("writes").clone();
            let done = fate.rng.index(writes.len()) + 1;
            if done == writes.len() {
                return (part, None);
            }
            let (now, later) = writes.split_at(done);
            part.body["RequestItems"][TABLE] = json!(now);
            (part, Some(json!({"UnprocessedItems": {TABLE: later}})))
        }
        "Query" => {
            let limit = call.body["Limit"].as_u64().unwrap_or(SHORT_PAGE_MOST);
            part.body["Limit"] = json!(fate.rng.between(1, limit.clamp(1, SHORT_PAGE_MOST)));
            (part, None)
        }
        _ => (part, None),
    }
}

/// Adds an unprocessed rest, or the items of another response, to a response.
pub(super) fn add_to(answered: Answered, more: Option<Value>) -> Answered {
    let (200, Some(Value::Object(more))) = (answered.0, more) else { return answered };
    let mut body: Value = serde_json::from_str(&answered.1).expect("JSON");
    for (name, value) in more {
        match (&mut body[&name][TABLE], &value[TABLE]) {
            (Value::Array(items), Value::Array(others)) => items.extend(others.iter().cloned()),
            _ => body[&name] = value,
        }
    }
    (200, body.to_string())
}

/// Returns the text of a request in a trace. Different requests have different texts.
pub(super) fn describe(call: &Call) -> String {
    format!("{} {}", call.operation, canonical(&in_order(call.body.clone())))
}
