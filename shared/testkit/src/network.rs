//! A simulated network between the SDK and an engine in this process, with all faults that DynamoDB can have.
//!
//! It needs no socket and reads only tokio's clock, so a test on one thread with paused time is the same in every run.
//! The faults of a request depend only on the seed, the sender and the number of its earlier requests. So removing some
//! senders from a test changes nothing for the others.

mod fault_injector;
mod fault_rates;
mod serving;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use domain::limits::{AWS_ATTEMPT_TIMEOUT, AWS_ATTEMPTS_MAX, AWS_OPERATION_TIMEOUT};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

pub use fault_injector::FaultInjector;
pub use fault_rates::FaultRates;
pub use serving::{ItemChange, Write};
pub use wire::{Call, RawItem, RawKey};

use crate::{SeededRng, TABLE};
use fault_rates::{Fate, NetworkFault};
use serving::Table;
use wire::{refusal, response};

tokio::task_local! {
    /// The number of the sender.
    static SENDER: u32;
}

/// An HTTP response: the status and the body.
type Answered = (u16, String);

/// A callback that receives every write when it is applied, and the whole table after it.
type Watcher = Box<dyn FnMut(&Write, &BTreeMap<RawKey, RawItem>) + Send>;

/// The network, the table behind it, and the counts of faults and operations. Clones share them.
#[derive(Clone)]
pub struct Network(Arc<Shared>);

struct Shared {
    seed: u64,
    begun: Instant,
    fault_rates: FaultRates,
    state: Mutex<State>,
    table: Mutex<Table>,
    watcher: Mutex<Option<Watcher>>,
    tamper: Mutex<Option<Box<dyn FaultInjector>>>,
    operations: Arc<AtomicU64>,
}

#[derive(Default)]
struct State {
    /// The number of requests by each sender.
    sent: BTreeMap<u32, u64>,
    /// The number of requests that have not ended yet.
    in_flight: u64,
    faultless: bool,
    faults: BTreeMap<&'static str, u64>,
    trace: Option<String>,
}

/// A request that was sent, and the receiver of its response.
struct InFlightRequest {
    call: Call,
    response: oneshot::Receiver<Answered>,
    /// True if neither a response nor the end of the connection will ever arrive.
    hangs: bool,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A poisoned mutex is ignored, so that the test reports the assertion that failed first.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Network {
    /// Creates a network over a new table. Only requests of a sender ([`Network::sent_by`]) have faults.
    pub async fn start(seed: u64, fault_rates: FaultRates) -> Self {
        let network = Self(Arc::new(Shared {
            seed,
            begun: Instant::now(),
            fault_rates,
            state: Mutex::default(),
            table: Mutex::new(Table::new()),
            watcher: Mutex::new(None),
            tamper: Mutex::new(None),
            operations: Arc::default(),
        }));
        // The watcher sees every write, so no stream is needed.
        let definition = tidemark::table::table_definition().expect("a definition").without_stream();
        definition.ensure(&network.client(), TABLE).await.expect("a table");
        network
    }

    /// Returns a client with production's timeouts and retries, but without jitter, because the SDK's jitter is not
    /// seeded.
    #[must_use]
    pub fn client(&self) -> Client {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(AWS_ATTEMPT_TIMEOUT)
            .operation_timeout(AWS_OPERATION_TIMEOUT)
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(AWS_ATTEMPTS_MAX)
            .with_initial_backoff(Duration::from_millis(20))
            .with_use_static_exponential_base(true);
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("local"))
            .endpoint_url("http://in.process")
            .http_client(SharedHttpClient::new(self.clone()))
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .timeout_config(timeouts)
            .retry_config(retries)
            // Clients of one name share a retry quota, so each run has its own name.
            .retry_partition(RetryPartition::custom("one run").build())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        Client::from_conf(config.build())
    }

    /// Calls `watcher` for every write from now on.
    pub fn watch(&self, watcher: impl FnMut(&Write, &BTreeMap<RawKey, RawItem>) + Send + 'static) {
        *lock(&self.0.watcher) = Some(Box::new(watcher));
    }

    /// Rewrites every request and every response with `tamper` from now on.
    pub fn tamper(&self, tamper: Box<dyn FaultInjector>) {
        *lock(&self.0.tamper) = Some(tamper);
    }

    /// Runs `work` as this sender, whose requests have faults. The requests of sender 0 have none.
    pub async fn sent_by<F: Future>(sender: u32, work: F) -> F::Output {
        SENDER.scope(sender, work).await
    }

    /// Disables all faults from now on.
    pub fn without_faults(&self) {
        lock(&self.0.state).faultless = true;
    }

    /// Waits until all requests have ended, including those whose senders no longer wait.
    pub async fn quiet(&self) {
        while lock(&self.0.state).in_flight > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Returns the table as the watcher sees it.
    #[must_use]
    pub fn items(&self) -> BTreeMap<RawKey, RawItem> {
        lock(&self.0.table).items.clone()
    }

    /// Returns the table from a full scan of the engine.
    #[must_use]
    pub fn scan(&self) -> BTreeMap<RawKey, RawItem> {
        lock(&self.0.table).scan()
    }

    /// Returns the live count of executed operations.
    #[must_use]
    pub fn operations(&self) -> Arc<AtomicU64> {
        self.0.operations.clone()
    }

    /// Returns the number of requests with each kind of fault.
    #[must_use]
    pub fn faults(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.0.state).faults.clone()
    }

    /// Traces every request and its response from now on.
    pub fn trace(&self) {
        lock(&self.0.state).trace = Some(String::new());
    }

    /// Returns the trace. It is empty unless [`Network::trace`] was called.
    #[must_use]
    pub fn traced(&self) -> String {
        lock(&self.0.state).trace.clone().unwrap_or_default()
    }
}

impl Shared {
    fn count(&self, fault: &'static str) {
        *lock(&self.state).faults.entry(fault).or_default() += 1;
    }

    /// Returns the random choices for the sender's next request.
    fn fate(&self, sender: u32) -> Fate {
        let mut state = lock(&self.state);
        let sent = state.sent.entry(sender).or_default();
        let rng = SeededRng::of(&[self.seed, u64::from(sender), *sent]);
        *sent += 1;
        if sender == 0 || state.faultless {
            return Fate::faultless(rng);
        }
        let sluggish = SeededRng::of(&[self.seed, u64::from(sender)]).happens(self.fault_rates.sluggish);
        Fate::drawn(&self.fault_rates, sluggish, rng)
    }

    /// Returns the requests to send instead of this one.
    fn tampered(&self, call: Call) -> Vec<Call> {
        match lock(&self.tamper).as_mut() {
            Some(tamper) => tamper.send(call),
            None => vec![call],
        }
    }

    /// Sends a request in the background.
    fn send(self: Arc<Self>, sender: u32, call: Call) -> InFlightRequest {
        let fate = self.fate(sender);
        let hangs = fate.fault == Some(NetworkFault::Hung);
        let (reply, response) = oneshot::channel();
        lock(&self.state).in_flight += 1;
        tokio::spawn(self.deliver(sender, call.clone(), fate, reply));
        InFlightRequest { call, response, hangs }
    }

    /// Waits for the response to a request.
    async fn receive(
        &self,
        InFlightRequest { call, response, hangs }: InFlightRequest,
    ) -> Result<Answered, ConnectorError> {
        match response.await {
            Ok((mut status, body)) => {
                let mut tamper = lock(&self.tamper);
                let Some(tamper) = tamper.as_mut() else { return Ok((status, body)) };
                let mut body = serde_json::from_str(&body).expect("JSON");
                tamper.read(&call, &mut status, &mut body);
                Ok((status, body.to_string()))
            }
            Err(_) if hangs => std::future::pending().await,
            Err(_) => Err(ConnectorError::io("the connection broke".into())),
        }
    }

    /// Delivers a request to the table, and the response to the caller. The caller may have stopped waiting.
    async fn deliver(
        self: Arc<Self>,
        sender: u32,
        call: Call,
        mut fate: Fate,
        reply: oneshot::Sender<Answered>,
    ) {
        let mut reply = Some(reply);
        sleep(Duration::from_millis(fate.request_delay)).await;
        if let Some(fault) = fate.fault {
            self.count(fault.name());
        }
        let answered = match fate.fault {
            Some(NetworkFault::Throttled) => {
                let code = if fate.rng.coin() {
                    "ThrottlingException"
                } else {
                    "ProvisionedThroughputExceededException"
                };
                Some(refusal(400, code, None))
            }
            Some(NetworkFault::Unavailable) => {
                let (status, code) =
                    *fate.rng.one_of(&[(500, "InternalServerError"), (503, "ServiceUnavailableException")]);
                Some(refusal(status, code, None))
            }
            Some(NetworkFault::Broken | NetworkFault::Hung) => None,
            Some(NetworkFault::AnswerLost) => {
                self.serve(sender, &call, &mut fate).await;
                None
            }
            Some(NetworkFault::Late) => {
                reply = None;
                sleep(Duration::from_millis(fate.rng.between(1, 1_000))).await;
                self.serve(sender, &call, &mut fate).await;
                None
            }
            Some(NetworkFault::Twice) => self.serve_twice(sender, &call, &mut fate, &mut reply).await,
            None => Some(self.serve(sender, &call, &mut fate).await),
        };
        sleep(Duration::from_millis(fate.response_delay)).await;
        if let (Some(reply), Some(answered)) = (reply, answered) {
            // Sending fails if the caller has stopped waiting, which is a fault that tests may have.
            let _ = reply.send(answered);
        }
        lock(&self.state).in_flight -= 1;
    }

    /// Executes a request twice. Its sender receives either the first response or the second.
    async fn serve_twice(
        &self,
        sender: u32,
        call: &Call,
        fate: &mut Fate,
        reply: &mut Option<oneshot::Sender<Answered>>,
    ) -> Option<Answered> {
        let first = self.serve(sender, call, fate).await;
        let refused = first.0 != 200;
        if fate.rng.coin()
            && let Some(reply) = reply.take()
        {
            let _ = reply.send(first);
            if refused {
                // The SDK does not repeat a request after it has received a refusal.
                return None;
            }
        }
        sleep(Duration::from_millis(fate.rng.between(0, 300))).await;
        Some(self.serve(sender, call, fate).await)
    }

    /// Executes a request as DynamoDB does under concurrent writes.
    async fn serve(&self, sender: u32, call: &Call, fate: &mut Fate) -> Answered {
        let (part, left) = if fate.partial { serving::in_part(call, fate) } else { (call.clone(), None) };
        if left.is_some() || part.body != call.body {
            self.count("done in part");
        }
        let answered = if part.is_transaction() {
            self.transact(sender, &part, fate).await
        } else if part.operation == "BatchGetItem" && fate.torn {
            self.read_torn(sender, &part, fate).await
        } else if lock(&self.table).meets_transaction(&part) {
            self.count("met a transaction");
            refusal(400, "TransactionConflictException", None)
        } else {
            self.execute(sender, &part, fate)
        };
        self.add_to_trace(sender, call, &answered);
        serving::add_to(answered, left)
    }

    async fn transact(&self, sender: u32, call: &Call, fate: &mut Fate) -> Answered {
        let begun = lock(&self.table).begin(call);
        let keys = match begun {
            Ok(keys) => keys,
            Err(refused) => {
                self.count("transaction met another");
                return refused;
            }
        };
        let before = fate.rng.between(0, fate.in_flight);
        sleep(Duration::from_millis(before)).await;
        let answered = self.execute(sender, call, fate);
        sleep(Duration::from_millis(fate.in_flight - before)).await;
        lock(&self.table).end(call, &keys, answered.0 == 200);
        answered
    }

    /// Executes a batched read with items from two instants.
    async fn read_torn(&self, sender: u32, call: &Call, fate: &mut Fate) -> Answered {
        let (first, second): (Vec<_>, Vec<_>) = call.batch_keys().into_iter().partition(|_| fate.rng.coin());
        if first.is_empty() || second.is_empty() {
            return self.execute(sender, call, fate);
        }
        self.count("read from two instants");
        let answered = self.execute(sender, &call.for_keys(&first), fate);
        sleep(Duration::from_millis(fate.rng.between(1, 8))).await;
        let (status, more) = self.execute(sender, &call.for_keys(&second), fate);
        if status != 200 {
            return (status, more);
        }
        let more: serde_json::Value = serde_json::from_str(&more).expect("JSON");
        serving::add_to(answered, Some(serde_json::json!({"Responses": more["Responses"]})))
    }

    fn execute(&self, sender: u32, call: &Call, fate: &mut Fate) -> Answered {
        self.operations.fetch_add(1, Ordering::Relaxed);
        let mut table = lock(&self.table);
        let (answered, changes) = table.execute(call, self.fault_rates.lag_most, &mut fate.rng);
        if !changes.is_empty()
            && let Some(watcher) = lock(&self.watcher).as_mut()
        {
            let late = fate.fault == Some(NetworkFault::Late);
            watcher(&Write { sender, transaction: call.is_transaction(), late, changes }, &table.items);
        }
        answered
    }

    fn add_to_trace(&self, sender: u32, call: &Call, (status, body): &Answered) {
        use std::fmt::Write as _;
        let at = self.begun.elapsed().as_millis();
        if let Some(trace) = lock(&self.state).trace.as_mut() {
            let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
            let _ = writeln!(
                trace,
                "{at} {sender} {} -> {status} {}",
                serving::describe(call),
                wire::canonical(&wire::in_order(body))
            );
        }
    }
}

impl HttpClient for Network {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let shared = self.0.clone();
        let sender = SENDER.try_with(|sender| *sender).unwrap_or_default();
        let mut calls = shared.tampered(Call::read(&request)).into_iter();
        // The first request is sent at once, even if the future is never polled.
        let first = calls.next().map(|call| shared.clone().send(sender, call));
        HttpConnectorFuture::new(async move {
            let Some(first) = first else { return Ok(response((200, "{}".to_owned()))) };
            let mut answered = shared.receive(first).await?;
            for call in calls {
                if answered.0 != 200 {
                    break;
                }
                let next = shared.clone().send(sender, call);
                answered = shared.receive(next).await?;
            }
            Ok(response(answered))
        })
    }
}
