//! Helpers to inject a defect on the wire: changed requests and changed responses.

use serde_json::{Map, Value, json};
use testkit::{Call, FaultInjector, RawKey, TABLE};

use crate::simulation::raw::{Kind, kind};

/// Returns an injector that changes each request of the store.
pub fn sends(change: fn(&mut Call)) -> Box<dyn FaultInjector> {
    Box::new(Sends(move |mut call: Call| {
        change(&mut call);
        vec![call]
    }))
}

/// Returns an injector that splits each request of the store into several.
pub fn splits(split: fn(Call) -> Vec<Call>) -> Box<dyn FaultInjector> {
    Box::new(Sends(split))
}

/// Returns an injector that changes each response, given the request and the status and body of the response.
pub fn reads(change: fn(&Call, &mut u16, &mut Value)) -> Box<dyn FaultInjector> {
    Box::new(Reads(change))
}

struct Sends<S>(S);

impl<S: FnMut(Call) -> Vec<Call> + Send> FaultInjector for Sends<S> {
    fn send(&mut self, call: Call) -> Vec<Call> {
        (self.0)(call)
    }
}

struct Reads(fn(&Call, &mut u16, &mut Value));

impl FaultInjector for Reads {
    fn read(&mut self, call: &Call, status: &mut u16, body: &mut Value) {
        (self.0)(call, status, body);
    }
}

/// Returns each write of a request, with its key.
pub fn writes(call: &mut Call) -> impl Iterator<Item = (RawKey, &mut Value)> {
    let keys = call.written();
    let parts: Vec<&mut Value> = match call.operation.as_str() {
        "TransactWriteItems" => parts(call).iter_mut().map(only_value).collect(),
        "PutItem" | "UpdateItem" | "DeleteItem" => vec![&mut call.body],
        "BatchWriteItem" => {
            let writes = call.body.pointer_mut(&format!("/RequestItems/{TABLE}"));
            writes.and_then(Value::as_array_mut).into_iter().flatten().map(only_value).collect()
        }
        _ => Vec::new(),
    };
    keys.into_iter().zip(parts)
}

/// Returns the writes of one kind of item.
pub fn about(call: &mut Call, is: fn(Kind<'_>) -> bool) -> impl Iterator<Item = &mut Value> {
    writes(call).filter(move |(key, _)| is(kind(key).1)).map(|(_, write)| write)
}

pub fn is_transaction(call: &Call) -> bool {
    call.operation == "TransactWriteItems"
}

pub fn is_contact(kind: Kind<'_>) -> bool {
    matches!(kind, Kind::Contact(_))
}

pub fn is_address(kind: Kind<'_>) -> bool {
    matches!(kind, Kind::Address(_))
}

/// Returns the write that changes the counts of a period, if the request contains one.
pub fn count(call: &mut Call) -> Option<&mut Value> {
    about(call, |kind| kind == Kind::Period).find(|write| adds(write))
}

/// Returns the write that changes the terms in a period, if the request contains one.
pub fn terms(call: &mut Call) -> Option<&mut Value> {
    let is_terms = |write: &Value| expression(write).starts_with("SET") && !adds(write);
    about(call, |kind| kind == Kind::Period).find(|write| is_terms(write))
}

/// Returns the write that closes a period, if the request contains one.
pub fn closing(call: &mut Call) -> Option<&mut Value> {
    let mut puts = about(call, |kind| kind == Kind::Period).filter(|write| !write["Item"].is_null());
    puts.find(|write| !write["ExpressionAttributeValues"].is_null())
}

/// Returns true for an update that adds to numbers.
fn adds(write: &Value) -> bool {
    expression(write).contains("ADD #")
}

fn expression(write: &Value) -> &str {
    write["UpdateExpression"].as_str().unwrap_or_default()
}

fn parts(call: &mut Call) -> &mut Vec<Value> {
    call.body["TransactItems"].as_array_mut().expect("the writes of a transaction")
}

/// Returns the content of a write such as `{"Put": …}`, which has one member.
fn only_value(write: &mut Value) -> &mut Value {
    write.as_object_mut().and_then(|write| write.values_mut().next()).expect("one write")
}

/// Removes the clauses with this beginning from a write's condition, and the names and values that become unused.
pub fn without_condition(write: &mut Value, beginning: &str) {
    let condition = write["ConditionExpression"].as_str().unwrap_or_default();
    let rest: Vec<&str> = condition.split(" AND ").filter(|clause| !clause.starts_with(beginning)).collect();
    let rest = rest.join(" AND ");
    let mentioned = format!("{rest} {}", expression(write));
    let write = write.as_object_mut().expect("a write");
    if rest.is_empty() {
        write.remove("ConditionExpression");
    } else {
        write["ConditionExpression"] = json!(rest);
    }
    for names in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        let Some(Value::Object(kept)) = write.get_mut(names) else { continue };
        kept.retain(|name, _| mentioned.contains(name.as_str()));
        if kept.is_empty() {
            write.remove(names);
        }
    }
}

/// Removes the writes of one kind of item from a transaction that has other writes.
pub fn leave_out(call: &mut Call, is: fn(Kind<'_>) -> bool) {
    if !is_transaction(call) {
        return;
    }
    let mut left_out = call.written().into_iter().map(|key| is(kind(&key).1)).collect::<Vec<_>>().into_iter();
    if left_out.clone().any(|left_out| !left_out) {
        parts(call).retain(|_| !left_out.next().expect("a key for each write"));
    }
}

/// Moves the writes of one kind of item from a transaction into a second transaction.
pub fn afterwards(call: Call, is: fn(Kind<'_>) -> bool) -> Vec<Call> {
    if !is_transaction(&call) {
        return vec![call];
    }
    let later: Vec<bool> = call.written().iter().map(|key| is(kind(key).1)).collect();
    if !later.contains(&true) || !later.contains(&false) {
        return vec![call];
    }
    [false, true].map(|which| part_of(&call, &later, which)).to_vec()
}

/// Returns a separate transaction of the writes whose entry in `later` equals `which`.
fn part_of(call: &Call, later: &[bool], which: bool) -> Call {
    let mut part = call.clone();
    let mut later = later.iter();
    parts(&mut part).retain(|_| later.next() == Some(&which));
    if let Some(token) = call.body["ClientRequestToken"].as_str() {
        part.body["ClientRequestToken"] = json!(format!("{token}-{}", u8::from(which)));
    }
    part
}

/// Adds a write to a transaction.
pub fn add(call: &mut Call, kind: &str, write: Value) {
    parts(call).push(json!({kind: write}));
}

/// Replaces a transaction's put of an item by its deletion, with the same condition.
pub fn delete_instead(call: &mut Call, wanted: &RawKey) {
    let keys = call.written();
    for (key, part) in keys.iter().zip(parts(call)).filter(|(key, _)| *key == wanted) {
        let mut write = only_value(part).take();
        if let Some(write) = write.as_object_mut() {
            write.remove("Item");
            write.insert("Key".to_owned(), raw_key(key));
        }
        *part = json!({"Delete": write});
    }
}

/// Returns a key in the format of a request.
pub fn raw_key((pk, sk): &RawKey) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": sk}})
}

/// Returns an attribute's text.
pub fn text<'a>(item: &'a Value, name: &str) -> Option<&'a str> {
    item[name]["S"].as_str()
}

/// Returns the account whose item has this key.
pub fn account_of(key: &RawKey) -> Option<String> {
    kind(key).0.map(str::to_owned)
}

/// Returns the key of an account's period.
pub fn period_of(account: &str) -> RawKey {
    (format!("ACCOUNT#{account}"), "PERIOD".to_owned())
}

/// Returns the members of a JSON object.
pub fn members(value: &mut Value) -> &mut Map<String, Value> {
    value.as_object_mut().expect("an object")
}

/// Returns the items of a batched read's response.
pub fn batch(body: &mut Value) -> impl Iterator<Item = &mut Value> {
    body.pointer_mut(&format!("/Responses/{TABLE}")).and_then(Value::as_array_mut).into_iter().flatten()
}
