//! The table's side of the network: items in hand, the table as it is, and the table as it was a moment ago.

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

/// How many items a page of a query has at the most when it ends early.
const SHORT_PAGE_MOST: u64 = 3;

/// One item before and after a write.
#[derive(Clone, Debug)]
pub struct ItemChange {
    /// Which one.
    pub key: RawKey,
    /// What it was, if it was there.
    pub before: Option<RawItem>,
    /// What it is, if it is there.
    pub after: Option<RawItem>,
}

/// A write that has happened and has changed something.
#[derive(Clone, Debug)]
pub struct Write {
    /// Who sent it (see [`super::Network::sent_by`]).
    pub sender: u32,
    /// Whether it is a transaction.
    pub transaction: bool,
    /// Whether its sender had been told before that the connection broke.
    pub late: bool,
    /// What it changed.
    pub changes: Vec<ItemChange>,
}

/// What the table's side knows.
pub(super) struct Table {
    engine: Operations,
    /// The engine that reads which need not be consistent are answered from.
    behind: Operations,
    /// What `behind` has not been told yet: from when on it shows each change.
    untold: VecDeque<(Instant, RawKey, Option<RawItem>)>,
    /// The table as it is, for whoever watches it.
    pub(super) items: BTreeMap<RawKey, RawItem>,
    /// The items that transactions have in hand.
    in_hand: BTreeSet<RawKey>,
    /// The tokens of these transactions.
    under_way: BTreeSet<String>,
    /// The tokens of transactions that have happened.
    done: BTreeSet<String>,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            engine: new_engine(),
            behind: new_engine(),
            untold: VecDeque::new(),
            items: BTreeMap::new(),
            in_hand: BTreeSet::new(),
            under_way: BTreeSet::new(),
            done: BTreeSet::new(),
        }
    }

    /// Takes a transaction's items in hand, or says why it can't.
    pub(super) fn begin(&mut self, call: &Call) -> Result<Vec<RawKey>, Answered> {
        let token = call.token();
        if token.is_some_and(|token| self.under_way.contains(token)) {
            return Err(refusal(400, "TransactionInProgressException", None));
        }
        if token.is_some_and(|token| self.done.contains(token)) {
            // A repeat is answered as the first one was, whatever others do with its items meanwhile.
            return Ok(Vec::new());
        }
        let keys = call.written();
        let met: Vec<bool> = keys.iter().map(|key| self.in_hand.contains(key)).collect();
        if met.contains(&true) {
            return Err(conflict(&met));
        }
        self.in_hand.extend(keys.iter().cloned());
        self.under_way.extend(token.map(str::to_owned));
        Ok(keys)
    }

    /// Lets a transaction's items go.
    pub(super) fn end(&mut self, call: &Call, keys: &[RawKey], happened: bool) {
        if let Some(token) = call.token() {
            self.under_way.remove(token);
            self.done.extend(happened.then(|| token.to_owned()));
        }
        for key in keys {
            self.in_hand.remove(key);
        }
    }

    /// Whether a single item's write meets a transaction.
    pub(super) fn meets_transaction(&self, call: &Call) -> bool {
        !call.is_transaction() && call.written().iter().any(|key| self.in_hand.contains(key))
    }

    /// Carries out a request and tells what it changed.
    pub(super) fn carry_out(
        &mut self,
        call: &Call,
        lag_most: u64,
        rng: &mut SeededRng,
    ) -> (Answered, Vec<ItemChange>) {
        let body = call.body.to_string();
        if call.operation.ends_with("Table") || call.operation.ends_with("TimeToLive") {
            let _ = call_engine(&self.behind, &call.operation, &body);
        }
        if call.may_be_stale() {
            self.catch_up(Instant::now());
            return (call_engine(&self.behind, &call.operation, &body), Vec::new());
        }
        let answered = call_engine(&self.engine, &call.operation, &body);
        let changes = if answered.0 == 200 { self.changes(&call.written()) } else { Vec::new() };
        for change in &changes {
            let shown_at = Instant::now() + Duration::from_millis(rng.between(0, lag_most));
            self.untold.push_back((shown_at, change.key.clone(), change.after.clone()));
        }
        (answered, changes)
    }

    /// What has become of these items, compared with what they were.
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

    /// Every item, as the engine itself lists them.
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

    /// Tells the engine that is behind what it may show by now. An item's changes keep their order; changes of
    /// several items do not, as in an index.
    fn catch_up(&mut self, now: Instant) {
        let mut held: BTreeSet<RawKey> = BTreeSet::new();
        let mut rest = VecDeque::new();
        for (at, key, item) in std::mem::take(&mut self.untold) {
            if at > now || held.contains(&key) {
                held.insert(key.clone());
                rest.push_back((at, key, item));
                continue;
            }
            let (operation, body) = match item {
                Some(item) => ("PutItem", json!({"TableName": TABLE, "Item": item})),
                None => ("DeleteItem", json!({"TableName": TABLE, "Key": raw_key(&key)})),
            };
            let (status, answer) = call_engine(&self.behind, operation, &body.to_string());
            assert_eq!(status, 200, "{answer}");
        }
        self.untold = rest;
    }
}

fn new_engine() -> Operations {
    Operations::new(Database::memory().expect("an engine"))
}

/// Carries out an operation on this thread. Nothing in it waits, so it has happened when this returns.
fn call_engine(engine: &Operations, operation: &str, body: &str) -> Answered {
    let (status, answer) = engine.call(operation, body.as_bytes());
    (status.as_u16(), answer)
}

/// The request as it is done when it is done in part, and what is left over, to be added to its answer.
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
            let mut left = call.body["RequestItems"].clone();
            left[TABLE]["Keys"] = json!(later);
            (call.for_keys(now), Some(json!({"UnprocessedKeys": left})))
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

/// Adds to an answer what was left over, or the items of another one.
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

/// What a trace says of a request: enough to tell any two apart.
pub(super) fn describe(call: &Call) -> String {
    format!("{} {}", call.operation, canonical(&in_order(call.body.clone())))
}
