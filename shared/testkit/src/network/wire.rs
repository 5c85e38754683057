//! Requests and responses in DynamoDB's JSON.

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::Answered;
use crate::TABLE;

/// An item in DynamoDB's JSON.
pub type RawItem = Value;

/// The key of an item: partition and sort key.
pub type RawKey = (String, String);

/// A request to the table.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation, such as `TransactWriteItems`.
    pub operation: String,
    /// The operation's parameters.
    pub body: Value,
}

impl Call {
    pub(crate) fn read(request: &HttpRequest) -> Self {
        let target = request.headers().get("x-amz-target").expect("an operation");
        let operation = target.rsplit('.').next().expect("an operation").to_owned();
        let body = serde_json::from_slice(request.body().bytes().expect("a body")).expect("JSON");
        Self { operation, body }
    }

    pub(crate) fn is_transaction(&self) -> bool {
        self.operation == "TransactWriteItems"
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.body["ClientRequestToken"].as_str()
    }

    /// Returns the keys that the request writes, in its order. The list is empty for a read.
    #[must_use]
    pub fn written(&self) -> Vec<RawKey> {
        let body = &self.body;
        match self.operation.as_str() {
            "TransactWriteItems" => {
                let writes = body["TransactItems"].as_array().expect("writes").iter();
                writes.map(|write| key_of_write(only_value(write))).collect()
            }
            "PutItem" | "UpdateItem" | "DeleteItem" => vec![key_of_write(body)],
            "BatchWriteItem" => {
                let writes = body["RequestItems"][TABLE].as_array().expect("writes").iter();
                writes.map(|write| key_of_write(only_value(write))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns true for an eventually consistent read.
    pub(crate) fn may_be_stale(&self) -> bool {
        let consistent = |request: &Value| request["ConsistentRead"].as_bool() == Some(true);
        match self.operation.as_str() {
            "GetItem" | "Query" => !consistent(&self.body),
            "BatchGetItem" => !consistent(&self.body["RequestItems"][TABLE]),
            _ => false,
        }
    }

    /// Returns the keys of a batched read.
    pub(crate) fn batch_keys(&self) -> Vec<Value> {
        self.body["RequestItems"][TABLE]["Keys"].as_array().expect("keys").clone()
    }

    /// Returns the same batched read with other keys.
    pub(crate) fn for_keys(&self, keys: &[Value]) -> Self {
        let mut call = self.clone();
        call.body["RequestItems"][TABLE]["Keys"] = json!(keys);
        call
    }
}

/// Returns the only member's value in an object such as `{"Put": …}`.
fn only_value(write: &Value) -> &Value {
    write.as_object().and_then(|write| write.values().next()).expect("one write")
}

fn key_of_write(write: &Value) -> RawKey {
    key_of(write.get("Key").or_else(|| write.get("Item")).expect("a key or an item"))
}

/// Returns the key of an item, or of a key in DynamoDB's JSON.
pub(crate) fn key_of(item: &Value) -> RawKey {
    let text = |name: &str| item[name]["S"].as_str().expect("a key's text").to_owned();
    (text("pk"), text("sk"))
}

/// Returns a key in DynamoDB's JSON.
pub(crate) fn raw_key((pk, sk): &RawKey) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": sk}})
}

/// Returns a refusal with this code. `reasons` are the cancellation reasons of a transaction.
pub(crate) fn refusal(status: u16, code: &str, reasons: Option<Vec<Value>>) -> Answered {
    let mut body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": code});
    if let Some(reasons) = reasons {
        body["CancellationReasons"] = json!(reasons);
    }
    (status, body.to_string())
}

/// Returns the refusal of a transaction. `conflicting` is true for each item that another transaction has locked.
pub(crate) fn conflict(conflicting: &[bool]) -> Answered {
    let reason = |conflicting: &bool| match conflicting {
        true => json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}),
        false => json!({"Code": "None"}),
    };
    refusal(400, "TransactionCanceledException", Some(conflicting.iter().map(reason).collect()))
}

/// Returns the response as the SDK receives it.
pub(crate) fn response((status, body): Answered) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}

/// Returns the item with its sets sorted, because the engine returns them in any order.
pub(crate) fn in_order(mut value: Value) -> Value {
    sort_sets(&mut value);
    value
}

fn sort_sets(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::Array(set) if matches!(name.as_str(), "NS" | "SS" | "BS") => {
                        set.sort_by_key(ToString::to_string);
                    }
                    other => sort_sets(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(sort_sets),
        _ => {}
    }
}

/// Serializes JSON with sorted names in every object, so that equal values have equal texts.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort();
            let members = names.into_iter().map(|name| format!("{name:?}:{}", canonical(&members[name])));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}
