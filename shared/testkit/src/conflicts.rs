//! Faults between the SDK and the engine, as DynamoDB gives them and the engine does not.

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

/// How much longer a sleep is than asked for, on average: it ends with the next whole millisecond.
const ROUNDING: Duration = Duration::from_micros(500);

/// A fault for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The table is throttled; nothing happens.
    Throttled,
    /// The service has trouble of its own; nothing happens.
    Unavailable,
    /// The request happens and its answer is lost.
    AnswerLost,
}

/// Decides which fault a request meets: its operation's name, and how many such requests came before it.
type Plan = Arc<dyn Fn(&str, u32) -> Option<Fault> + Send + Sync>;

#[derive(Default)]
struct State {
    /// The items that transactions have in hand.
    in_flight: HashSet<String>,
    /// The tokens of transactions that have happened: sent again, they meet nobody.
    happened: HashSet<String>,
    conflicts: u32,
    requests: std::collections::HashMap<String, u32>,
}

/// Faults before the engine.
///
/// A transaction takes `in_flight` to happen; a second one that meets an item of it is cancelled with
/// `TransactionConflict`, as DynamoDB does. One that has happened and is sent again under its token is no second one.
#[derive(Clone)]
pub struct Conflicts {
    state: Arc<Mutex<State>>,
    in_flight: Duration,
    plan: Plan,
}

impl std::fmt::Debug for Conflicts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Conflicts")
    }
}

impl Conflicts {
    /// Transactions take this long, and nothing else goes wrong.
    #[must_use]
    pub fn new(in_flight: Duration) -> Self {
        Self::with_plan(in_flight, |_, _| None)
    }

    /// Transactions take this long, and requests meet the faults that `plan` gives them.
    #[must_use]
    pub fn with_plan(
        in_flight: Duration,
        plan: impl Fn(&str, u32) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self { state: Arc::default(), in_flight, plan: Arc::new(plan) }
    }

    /// An HTTP client that meets these faults before it reaches `engine`.
    pub(crate) fn before(&self, engine: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Faulty { engine, faults: self.clone() })
    }

    /// How many transactions were cancelled because they met another one.
    #[must_use]
    pub fn conflicts(&self) -> u32 {
        self.state.lock().unwrap().conflicts
    }

    fn fault(&self, operation: &str) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        let count = state.requests.entry(operation.to_owned()).or_default();
        let before = *count;
        *count += 1;
        drop(state);
        (self.plan)(operation, before)
    }

    /// Takes the items in hand, or says which of them another transaction has.
    fn take(&self, items: &[String]) -> Result<(), Vec<bool>> {
        let mut state = self.state.lock().unwrap();
        let met: Vec<bool> = items.iter().map(|item| state.in_flight.contains(item)).collect();
        if met.contains(&true) {
            state.conflicts += 1;
            return Err(met);
        }
        state.in_flight.extend(items.iter().cloned());
        Ok(())
    }

    fn has_happened(&self, token: Option<&String>) -> bool {
        token.is_some_and(|token| self.state.lock().unwrap().happened.contains(token))
    }

    fn note(&self, token: Option<String>) {
        self.state.lock().unwrap().happened.extend(token);
    }

    fn release(&self, items: &[String]) {
        let mut state = self.state.lock().unwrap();
        for item in items {
            state.in_flight.remove(item);
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
                Some(Fault::AnswerLost) | None => {}
            }
            let (items, token) =
                if operation == "TransactWriteItems" { sent(&request) } else { (Vec::new(), None) };
            let items = if faults.has_happened(token.as_ref()) { Vec::new() } else { items };
            if let Err(met) = faults.take(&items) {
                return Ok(conflict(&met));
            }
            // What has begun goes on to its end, even if whoever asked is gone.
            let under_way = tokio::spawn(async move {
                // The engine's own time is part of the time in flight, and not added to it.
                let in_flight = if items.is_empty() { Duration::ZERO } else { faults.in_flight };
                let slept = tokio::time::sleep(in_flight.saturating_sub(ROUNDING));
                let (answer, ()) = join(inner.call(request), slept).await;
                faults.release(&items);
                if answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                    faults.note(token);
                }
                answer
            });
            let answer = under_way.await.unwrap();
            if fault == Some(Fault::AnswerLost) {
                return Err(ConnectorError::timeout("the answer was lost".into()));
            }
            answer
        })
    }
}

/// The keys of a transaction's items, and its token.
fn sent(request: &HttpRequest) -> (Vec<String>, Option<String>) {
    let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
    let writes = body["TransactItems"].as_array().unwrap();
    let key = |write: &Value| {
        let (_, write) = write.as_object().unwrap().iter().next().unwrap();
        let key = write.get("Key").or_else(|| write.get("Item")).unwrap();
        format!("{}|{}", key["pk"]["S"].as_str().unwrap(), key["sk"]["S"].as_str().unwrap())
    };
    (writes.iter().map(key).collect(), body["ClientRequestToken"].as_str().map(str::to_owned))
}

fn conflict(met: &[bool]) -> HttpResponse {
    let reasons: Vec<Value> = met
        .iter()
        .map(|met| match met {
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
        json!({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "trouble"});
    response(503, body.to_string())
}

fn response(status: u16, body: String) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}
