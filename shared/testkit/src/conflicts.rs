//! Faults between the SDK and the engine, which DynamoDB has and the engine does not.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use futures_util::future::join;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// The average excess of a sleep over the requested duration, because a sleep ends at a whole millisecond.
const ROUNDING: Duration = Duration::from_micros(500);

/// A fault for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The table is throttled. The request is not applied.
    Throttled,
    /// The service is unavailable. The request is not applied.
    Unavailable,
    /// The request is applied, and its response is lost.
    AnswerLost,
    /// The connection breaks, and the request arrives with [`Conflicts::deliver`].
    Delayed,
    /// The request arrives with [`Conflicts::release`].
    Held,
    /// Another transaction has locked the first item. The request is not applied.
    Conflict,
}

/// Chooses the fault of a request from its operation's name and the number of earlier requests of that operation.
type Plan = Arc<dyn Fn(&str, u32) -> Option<Fault> + Send + Sync>;

/// Chooses the time in flight of a transaction from the number of its items.
type InFlight = Arc<dyn Fn(usize) -> Duration + Send + Sync>;

#[derive(Default)]
struct State {
    /// The items that transactions have locked.
    locked: HashSet<String>,
    /// The tokens of applied transactions. Their repeats conflict with no other transaction.
    applied: HashSet<String>,
    conflicts: u32,
    delayed: Vec<(SharedHttpConnector, HttpRequest)>,
    requests: std::collections::HashMap<String, u32>,
}

/// Transaction conflicts and other faults in front of the engine.
///
/// A transaction locks its items for the duration `in_flight`. A concurrent transaction on a locked item is cancelled
/// with `TransactionConflict`, as in DynamoDB. A repeat of an applied transaction with the same token does not
/// conflict.
#[derive(Clone)]
pub struct Conflicts {
    state: Arc<Mutex<State>>,
    in_flight: InFlight,
    plan: Plan,
    held: Arc<Notify>,
    released: Arc<Notify>,
}

impl std::fmt::Debug for Conflicts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Conflicts")
    }
}

impl Conflicts {
    /// Creates faults in which transactions lock their items for this duration, and no other fault occurs.
    #[must_use]
    pub fn new(in_flight: Duration) -> Self {
        Self::with_plan(in_flight, |_, _| None)
    }

    /// Creates faults in which a transaction locks its items for a duration that depends on their number, and no other
    /// fault occurs.
    #[must_use]
    pub fn by_size(in_flight: impl Fn(usize) -> Duration + Send + Sync + 'static) -> Self {
        Self { in_flight: Arc::new(in_flight), ..Self::new(Duration::ZERO) }
    }

    /// Creates faults in which transactions lock their items for this duration, and `plan` chooses the other faults.
    #[must_use]
    pub fn with_plan(
        in_flight: Duration,
        plan: impl Fn(&str, u32) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self {
            state: Arc::default(),
            in_flight: Arc::new(move |_| in_flight),
            plan: Arc::new(plan),
            held: Arc::default(),
            released: Arc::default(),
        }
    }

    /// Returns an HTTP client with these faults in front of `engine`.
    pub(crate) fn before(&self, engine: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Faulty { engine, faults: self.clone() })
    }

    /// Returns the number of transactions that were cancelled because of a conflict.
    #[must_use]
    pub fn conflicts(&self) -> u32 {
        self.state.lock().unwrap().conflicts
    }

    /// Waits until a request is held.
    pub async fn until_held(&self) {
        self.held.notified().await;
    }

    /// Lets a held request arrive.
    pub fn release(&self) {
        self.released.notify_one();
    }

    /// Sends the delayed requests to the engine, waits for it, and returns their number.
    pub async fn deliver(&self) -> usize {
        let delayed = std::mem::take(&mut self.state.lock().unwrap().delayed);
        let count = delayed.len();
        for (engine, request) in delayed {
            engine.call(request).await.unwrap();
        }
        count
    }

    fn fault(&self, operation: &str) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        let count = state.requests.entry(operation.to_owned()).or_default();
        let before = *count;
        *count += 1;
        drop(state);
        (self.plan)(operation, before)
    }

    /// Locks the items. Fails with a list that is true for each item that another transaction has locked.
    fn lock(&self, items: &[String]) -> Result<(), Vec<bool>> {
        let mut state = self.state.lock().unwrap();
        let conflicting: Vec<bool> = items.iter().map(|item| state.locked.contains(item)).collect();
        if conflicting.contains(&true) {
            state.conflicts += 1;
            return Err(conflicting);
        }
        state.locked.extend(items.iter().cloned());
        Ok(())
    }

    fn is_applied(&self, token: Option<&String>) -> bool {
        token.is_some_and(|token| self.state.lock().unwrap().applied.contains(token))
    }

    fn record_applied(&self, token: Option<String>) {
        self.state.lock().unwrap().applied.extend(token);
    }

    fn unlock(&self, items: &[String]) {
        let mut state = self.state.lock().unwrap();
        for item in items {
            state.locked.remove(item);
        }
    }
}

#[derive(Debug)]
struct Faulty {
    engine: SharedHttpClient,
    faults: Conflicts,
}

impl HttpClient for Faulty {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.engine.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, faults: self.faults.clone() })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    faults: Conflicts,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let inner = self.inner.clone();
        let faults = self.faults.clone();
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let fault = faults.fault(&operation);
            match fault {
                Some(Fault::Throttled) => return Ok(refusal("ThrottlingException", Value::Null)),
                Some(Fault::Unavailable) => return Ok(unavailable()),
                Some(Fault::Conflict) => return Ok(conflict(&[true])),
                Some(Fault::Delayed) => {
                    faults.state.lock().unwrap().delayed.push((inner, request));
                    return Err(ConnectorError::timeout("the connection broke".into()));
                }
                Some(Fault::Held) => {
                    faults.held.notify_one();
                    faults.released.notified().await;
                }
                Some(Fault::AnswerLost) | None => {}
            }
            let (items, token) = if operation == "TransactWriteItems" {
                items_and_token(&request)
            } else {
                (Vec::new(), None)
            };
            let items = if faults.is_applied(token.as_ref()) { Vec::new() } else { items };
            if let Err(conflicting) = faults.lock(&items) {
                return Ok(conflict(&conflicting));
            }
            // A request that has begun runs to its end, even if the caller stops waiting.
            let running = tokio::spawn(async move {
                // The engine's own time is part of the time in flight.
                let in_flight =
                    if items.is_empty() { Duration::ZERO } else { (faults.in_flight)(items.len()) };
                let slept = tokio::time::sleep(in_flight.saturating_sub(ROUNDING));
                let (response, ()) = join(inner.call(request), slept).await;
                faults.unlock(&items);
                if response.as_ref().is_ok_and(|response| response.status().is_success()) {
                    faults.record_applied(token);
                }
                response
            });
            let response = running.await.unwrap();
            if fault == Some(Fault::AnswerLost) {
                return Err(ConnectorError::timeout("the response was lost".into()));
            }
            response
        })
    }
}

/// Returns the keys of a transaction's items, and its token.
fn items_and_token(request: &HttpRequest) -> (Vec<String>, Option<String>) {
    let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
    let writes = body["TransactItems"].as_array().unwrap();
    let key = |write: &Value| {
        let (_, write) = write.as_object().unwrap().iter().next().unwrap();
        let key = write.get("Key").or_else(|| write.get("Item")).unwrap();
        format!("{}|{}", key["pk"]["S"].as_str().unwrap(), key["sk"]["S"].as_str().unwrap())
    };
    (writes.iter().map(key).collect(), body["ClientRequestToken"].as_str().map(str::to_owned))
}

fn conflict(conflicting: &[bool]) -> HttpResponse {
    let reasons: Vec<Value> = conflicting
        .iter()
        .map(|conflicting| match conflicting {
            true => json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}),
            false => json!({"Code": "None"}),
        })
        .collect();
    refusal("TransactionCanceledException", json!(reasons))
}

fn refusal(code: &str, reasons: Value) -> HttpResponse {
    let mut body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": code});
    if !reasons.is_null() {
        body["CancellationReasons"] = reasons;
    }
    response(400, body.to_string())
}

fn unavailable() -> HttpResponse {
    let body =
        json!({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "unavailable"});
    response(503, body.to_string())
}

fn response(status: u16, body: String) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}
