//! A proxy between a function and its table, which enforces the function's role, records the calls and injects faults.
//!
//! The embedded engine does not check permissions, so the gate does. It refuses a call that the role in the template
//! does not allow with the response of AWS, so that a missing permission fails here as it would when deployed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::serve::Listener;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue};
use http::uri::{Authority, Scheme};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use testkit::TABLE;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::template::permissions::{KeyPermission, Permission, key_permissions_of, permissions_of};

/// A predicate that returns true for the calls that fail, by the operation's name and body.
type FaultPredicate = Arc<dyn Fn(&str, &Value) -> bool + Send + Sync>;

/// The permissions that a function's calls required.
#[derive(Default)]
struct Record {
    used: BTreeSet<Permission>,
    used_keys: BTreeSet<KeyPermission>,
    refused: BTreeSet<Permission>,
}

/// The state that a gate shares with its server.
#[derive(Clone)]
struct GateState {
    engine: Authority,
    client: Client<HttpConnector, Body>,
    granted: Arc<BTreeSet<Permission>>,
    granted_keys: Arc<BTreeSet<KeyPermission>>,
    record: Arc<Mutex<Record>>,
    fault: Arc<Mutex<Option<FaultPredicate>>>,
    delay: Arc<Mutex<Duration>>,
    /// True if every transaction is cancelled, as if another transaction had locked each item.
    busy: Arc<AtomicBool>,
    /// The operation of each call and the number of items that it writes.
    calls: Arc<Mutex<Vec<(String, usize)>>>,
}

/// A gate before the table, with the permissions of one function's role.
pub struct Gate {
    endpoint: String,
    state: GateState,
    shut: Arc<AtomicBool>,
    server: JoinHandle<()>,
}

impl Gate {
    /// Starts a gate before the engine at `endpoint`, with the role of this function.
    pub async fn before(endpoint: &str, function: &str) -> Self {
        let engine = endpoint.strip_prefix("http://").expect("a plain address").parse().expect("an address");
        let state = GateState {
            engine,
            client: Client::builder(TokioExecutor::new()).build_http(),
            granted: Arc::new(permissions_of(function)),
            granted_keys: Arc::new(key_permissions_of(function)),
            record: Arc::default(),
            fault: Arc::default(),
            delay: Arc::default(),
            busy: Arc::default(),
            calls: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let shut = Arc::new(AtomicBool::new(false));
        let gate_listener = GateListener { listener, shut: Arc::clone(&shut) };
        let router = Router::new().fallback(pass).with_state(state.clone());
        let server = tokio::spawn(async {
            axum::serve(gate_listener, router).await.expect("a server without an end");
        });
        Self { endpoint, state, shut, server }
    }

    /// Returns the URL that functions use as the endpoint of the table.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Closes every new connection, as if the table were unreachable.
    pub fn shut(&self) {
        self.shut.store(true, Ordering::SeqCst);
    }

    /// Accepts connections again and removes the fault of [`Self::fail`].
    pub fn open(&self) {
        self.shut.store(false, Ordering::SeqCst);
        *self.state.fault.lock().unwrap() = None;
    }

    /// Fails the calls for which `fault` returns true, by their operation and body.
    pub fn fail(&self, fault: impl Fn(&str, &Value) -> bool + Send + Sync + 'static) {
        *self.state.fault.lock().unwrap() = Some(Arc::new(fault));
    }

    /// Cancels every transaction, as if other transactions had locked its items.
    pub fn keep_busy(&self) {
        self.state.busy.store(true, Ordering::SeqCst);
    }

    /// Returns the calls so far, each with the number of items that it writes.
    pub fn calls(&self) -> Vec<(String, usize)> {
        self.state.calls.lock().unwrap().clone()
    }

    /// Delays every call by this time.
    pub fn slow_down(&self, by: Duration) {
        *self.state.delay.lock().unwrap() = by;
    }

    /// Returns the permissions that the function used.
    pub fn used(&self) -> BTreeSet<Permission> {
        self.state.record.lock().unwrap().used.clone()
    }

    /// Returns the keys for which the function used its permissions.
    pub fn used_keys(&self) -> BTreeSet<KeyPermission> {
        self.state.record.lock().unwrap().used_keys.clone()
    }

    /// Returns the permissions that the function lacked.
    pub fn refused(&self) -> BTreeSet<Permission> {
        self.state.record.lock().unwrap().refused.clone()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A listener that can be shut. While it is shut, it closes each new connection at once.
struct GateListener {
    listener: TcpListener,
    shut: Arc<AtomicBool>,
}

impl Listener for GateListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let accepted = Listener::accept(&mut self.listener).await;
            if !self.shut.load(Ordering::SeqCst) {
                return accepted;
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

async fn pass(State(state): State<GateState>, request: Request) -> Response {
    let mut response = state.answer(request).await;
    // Each call then uses a new connection, so that a shut listener stops every call.
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

impl GateState {
    async fn answer(&self, request: Request) -> Response {
        let (mut parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a whole request");
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.split_once('.')).expect("a target").1.to_owned();
        let call: Value = serde_json::from_slice(&body).expect("a call in JSON");
        let delay = *self.delay.lock().unwrap();
        tokio::time::sleep(delay).await;
        let needed = permissions_for(&operation, &call);
        if let Some(missing) = needed.difference(&self.granted).next() {
            self.record.lock().unwrap().refused.extend(needed.difference(&self.granted).cloned());
            return refusal(400, "AccessDeniedException", &format!("{missing:?}"));
        }
        let keys = keys_for(&operation, &call);
        if let Some(missing) = keys.difference(&self.granted_keys).next() {
            self.record.lock().unwrap().refused.extend(needed);
            return refusal(400, "AccessDeniedException", &format!("{missing:?}"));
        }
        self.record.lock().unwrap().used_keys.extend(keys);
        self.record.lock().unwrap().used.extend(needed);
        let in_transaction = call["TransactItems"].as_array().map_or(0, Vec::len);
        let items = if operation == "PutItem" { 1 } else { in_transaction };
        self.calls.lock().unwrap().push((operation.clone(), items));
        if in_transaction > 0 && self.busy.load(Ordering::SeqCst) {
            return conflict(in_transaction);
        }
        let fault = self.fault.lock().unwrap().clone();
        if fault.is_some_and(|fails| fails(&operation, &call)) {
            return refusal(500, "InternalServerError", "injected fault");
        }
        let mut uri = parts.uri.into_parts();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(self.engine.clone());
        parts.uri = uri.try_into().expect("an address");
        parts.headers.remove(HOST);
        let sent = self.client.request(Request::from_parts(parts, Body::from(body))).await;
        sent.expect("a response of the engine").map(Body::new)
    }
}

/// Returns the response to a cancelled transaction in which every part conflicts with another transaction.
fn conflict(parts: usize) -> Response {
    let reasons =
        vec![json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}); parts];
    let codes = vec!["TransactionConflict"; parts].join(", ");
    let message =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]");
    answer_with(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "message": message,
            "CancellationReasons": reasons,
        }),
    )
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    answer_with(
        status,
        &json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": message}),
    )
}

fn answer_with(status: u16, body: &Value) -> Response {
    let mut response = Response::new(Body::from(Bytes::from(body.to_string())));
    *response.status_mut() = status.try_into().expect("a status");
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    response
}

/// Returns the permissions that IAM requires for a call. A transaction requires those of its parts, and an index is a
/// separate resource.
fn permissions_for(operation: &str, call: &Value) -> BTreeSet<Permission> {
    let on_table = |action: &str| Permission { action: format!("dynamodb:{action}"), on: "Table".to_owned() };
    match operation {
        "TransactWriteItems" => {
            let parts = call["TransactItems"].as_array().expect("the parts of a transaction");
            let part = |part: &Value| {
                let (kind, write) = part.as_object().and_then(|part| part.iter().next()).expect("a part");
                assert_eq!(write["TableName"], TABLE);
                on_table(match kind.as_str() {
                    "ConditionCheck" => "ConditionCheckItem",
                    "Delete" => "DeleteItem",
                    "Put" => "PutItem",
                    "Update" => "UpdateItem",
                    other => panic!("a transaction with a {other}"),
                })
            };
            parts.iter().map(part).collect()
        }
        "TransactGetItems" => [on_table("GetItem")].into(),
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = call["RequestItems"].as_object().expect("tables").keys();
            assert_eq!(tables.collect::<Vec<_>>(), [TABLE]);
            [on_table(operation)].into()
        }
        _ => {
            assert_eq!(call["TableName"], TABLE);
            let mut needed = on_table(operation);
            if let Some(index) = call["IndexName"].as_str() {
                needed.on = format!("Table/index/{index}");
            }
            [needed].into()
        }
    }
}

/// Returns the keys that IAM compares with the condition `dynamodb:LeadingKeys`: the partition of each item, up to the
/// first account or id in it, and whether it is read or written.
fn keys_for(operation: &str, call: &Value) -> BTreeSet<KeyPermission> {
    let of = |key: &Value| prefix(key["pk"]["S"].as_str().expect("a partition"));
    let read = |prefix: String| KeyPermission { writes: false, on: "Table".to_owned(), prefix };
    let write = |prefix: String| KeyPermission { writes: true, on: "Table".to_owned(), prefix };
    match operation {
        "TransactWriteItems" => {
            let parts = call["TransactItems"].as_array().expect("the parts of a transaction").iter();
            let parts = parts.flat_map(|part| part.as_object().expect("a part").values());
            parts
                .map(|part| write(of(if part["Key"].is_null() { &part["Item"] } else { &part["Key"] })))
                .collect()
        }
        "BatchWriteItem" => {
            let parts = call["RequestItems"][TABLE].as_array().expect("writes").iter();
            let parts = parts.flat_map(|part| part.as_object().expect("a write").values());
            parts
                .map(|part| write(of(if part["Key"].is_null() { &part["Item"] } else { &part["Key"] })))
                .collect()
        }
        "BatchGetItem" => {
            let keys = call["RequestItems"][TABLE]["Keys"].as_array().expect("keys");
            keys.iter().map(|key| read(of(key))).collect()
        }
        "TransactGetItems" => {
            let parts = call["TransactItems"].as_array().expect("the parts of a transaction");
            parts.iter().map(|part| read(of(&part["Get"]["Key"]))).collect()
        }
        "Query" => {
            let condition = call["KeyConditionExpression"].as_str().expect("a condition");
            let value =
                condition.split_once(" = ").expect("a partition").1.split(' ').next().expect("a value");
            let partition = call["ExpressionAttributeValues"][value]["S"].as_str().expect("a partition");
            let on = call["IndexName"].as_str().map(|index| format!("Table/index/{index}"));
            [KeyPermission { on: on.unwrap_or_else(|| "Table".to_owned()), ..read(prefix(partition)) }].into()
        }
        "GetItem" => [read(of(&call["Key"]))].into(),
        "PutItem" => [write(of(&call["Item"]))].into(),
        "UpdateItem" | "DeleteItem" => [write(of(&call["Key"]))].into(),
        other => panic!("the keys of {other} are not known"),
    }
}

/// Returns the part of a partition's name that is the same for all accounts and ids, as a pattern of IAM.
fn prefix(partition: &str) -> String {
    match partition.split_once('#') {
        Some((kind, _)) => format!("{kind}#*"),
        // The shards of the index of due items have a number.
        None => partition.to_owned(),
    }
}

#[test]
fn keys_are_those_of_reads_writes_and_indexes() {
    let keys = |operation: &str, call: Value| -> Vec<String> {
        let keys = keys_for(operation, &call).into_iter();
        keys.map(|KeyPermission { writes, on, prefix }| format!("{writes} {on} {prefix}")).collect()
    };
    let key = |pk: &str| json!({"pk": {"S": pk}, "sk": {"S": "a"}});
    let parts = json!([{"Put": {"Item": key("CONTACT#a#1")}}, {"Update": {"Key": key("ACCOUNT#a")}}]);
    assert_eq!(
        keys("TransactWriteItems", json!({"TransactItems": parts})),
        ["true Table ACCOUNT#*", "true Table CONTACT#*"]
    );
    assert_eq!(keys("GetItem", json!({"Key": key("TOKEN#a")})), ["false Table TOKEN#*"]);
    let query = json!({
        "IndexName": "due", "KeyConditionExpression": "#shard = :shard AND #at <= :now",
        "ExpressionAttributeValues": {":shard": {"S": "DUE#3"}},
    });
    assert_eq!(keys("Query", query), ["false Table/index/due DUE#*"]);
}

#[test]
fn permissions_cover_transaction_parts_and_indexes() {
    let needed = |operation: &str, call: Value| {
        let needed = permissions_for(operation, &call).into_iter();
        needed.map(|Permission { action, on }| format!("{action} {on}")).collect::<Vec<_>>()
    };
    let write = json!({"TableName": TABLE});
    let parts = json!([{"Put": write}, {"Update": write}, {"Put": write}, {"ConditionCheck": write}]);
    assert_eq!(
        needed("TransactWriteItems", json!({"TransactItems": parts})),
        ["dynamodb:ConditionCheckItem Table", "dynamodb:PutItem Table", "dynamodb:UpdateItem Table"]
    );
    assert_eq!(needed("Query", write.clone()), ["dynamodb:Query Table"]);
    let by_index = json!({"TableName": TABLE, "IndexName": "due"});
    assert_eq!(needed("Query", by_index), ["dynamodb:Query Table/index/due"]);
    assert_eq!(
        needed("BatchWriteItem", json!({"RequestItems": {TABLE: []}})),
        ["dynamodb:BatchWriteItem Table"]
    );
}
