//! A network between the SDK and an engine in this process, on which everything goes wrong that does with DynamoDB.
//!
//! It needs no socket and reads no clock but tokio's, so a test on one thread with paused time is the same each time it
//! runs. What goes wrong with a request follows from the seed, from who sends it and from how many requests they sent
//! before, and from nothing else: leaving some senders out changes nothing for the others.

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
    /// Who is sending.
    static SENDER: u32;
}

/// An answer over HTTP: its status and its body.
type Answered = (u16, String);

/// Sees every write at the instant at which it happens, together with the whole table after it.
type Watcher = Box<dyn FnMut(&Write, &BTreeMap<RawKey, RawItem>) + Send>;

/// The network, the table behind it and a count of what happened. Cheap to clone.
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
    /// How many requests each sender has sent.
    sent: BTreeMap<u32, u64>,
    /// How many requests are on their way or being carried out.
    under_way: u64,
    fair: bool,
    faults: BTreeMap<&'static str, u64>,
    trace: Option<String>,
}

/// A request that was sent, for whoever waits for its answer.
struct InFlightRequest {
    asked: Call,
    told: oneshot::Receiver<Answered>,
    /// Whether there will never be an answer, nor an end of the connection.
    hangs: bool,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A failed assertion elsewhere must be what a test reports, not this.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Network {
    /// A network over a new table. Until a sender is named ([`Network::sent_by`]) nothing goes wrong.
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
        tidemark::table::create_table(&network.client(), TABLE).await.expect("a table");
        network
    }

    /// A client with the times and retries of production, but for the jitter, which is not seeded.
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
            // Clients share their retry quota by name; one run must not take another's.
            .retry_partition(RetryPartition::custom("one run").build())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        Client::from_conf(config.build())
    }

    /// Has `watcher` see every write from now on.
    pub fn watch(&self, watcher: impl FnMut(&Write, &BTreeMap<RawKey, RawItem>) + Send + 'static) {
        *lock(&self.0.watcher) = Some(Box::new(watcher));
    }

    /// Has `tamper` rewrite every request and every answer from now on.
    pub fn tamper(&self, tamper: Box<dyn FaultInjector>) {
        *lock(&self.0.tamper) = Some(tamper);
    }

    /// Runs `work` as this sender, whose requests meet the fault_rates. Sender 0 has fair fault_rates.
    pub async fn sent_by<F: Future>(sender: u32, work: F) -> F::Output {
        SENDER.scope(sender, work).await
    }

    /// From now on nothing goes wrong.
    pub fn fair_weather(&self) {
        lock(&self.0.state).fair = true;
    }

    /// Waits until no request is on its way any more, those included whose senders no longer wait for them.
    pub async fn quiet(&self) {
        while lock(&self.0.state).under_way > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// The table as its watcher sees it.
    #[must_use]
    pub fn items(&self) -> BTreeMap<RawKey, RawItem> {
        lock(&self.0.table).items.clone()
    }

    /// The table as the engine lists it.
    #[must_use]
    pub fn scan(&self) -> BTreeMap<RawKey, RawItem> {
        lock(&self.0.table).scan()
    }

    /// How many operations were carried out, for whoever wants to know at any time.
    #[must_use]
    pub fn operations(&self) -> Arc<AtomicU64> {
        self.0.operations.clone()
    }

    /// How many requests met each kind of fault.
    #[must_use]
    pub fn faults(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.0.state).faults.clone()
    }

    /// Writes down every request and its answer from now on.
    pub fn trace(&self) {
        lock(&self.0.state).trace = Some(String::new());
    }

    /// What was written down.
    #[must_use]
    pub fn traced(&self) -> String {
        lock(&self.0.state).trace.clone().unwrap_or_default()
    }
}

impl Shared {
    fn count(&self, fault: &'static str) {
        *lock(&self.state).faults.entry(fault).or_default() += 1;
    }

    /// What becomes of the next request of this sender.
    fn fate(&self, sender: u32) -> Fate {
        let mut state = lock(&self.state);
        let sent = state.sent.entry(sender).or_default();
        let rng = SeededRng::of(&[self.seed, u64::from(sender), *sent]);
        *sent += 1;
        if sender == 0 || state.fair {
            return Fate::fair(rng);
        }
        let sluggish = SeededRng::of(&[self.seed, u64::from(sender)]).happens(self.fault_rates.sluggish);
        Fate::drawn(&self.fault_rates, sluggish, rng)
    }

    /// What is sent in place of this request.
    fn tampered(&self, call: Call) -> Vec<Call> {
        match lock(&self.tamper).as_mut() {
            Some(tamper) => tamper.send(call),
            None => vec![call],
        }
    }

    /// Puts a request on its way.
    fn set_out(self: Arc<Self>, sender: u32, call: Call) -> InFlightRequest {
        let fate = self.fate(sender);
        let hangs = fate.trouble == Some(NetworkFault::Hung);
        let (tell, told) = oneshot::channel();
        lock(&self.state).under_way += 1;
        let asked = call.clone();
        tokio::spawn(self.carry(sender, call, fate, tell));
        InFlightRequest { asked, told, hangs }
    }

    /// Waits for what a request is answered.
    async fn hear(
        &self,
        InFlightRequest { asked, told, hangs }: InFlightRequest,
    ) -> Result<Answered, ConnectorError> {
        match told.await {
            Ok((mut status, body)) => {
                let mut tamper = lock(&self.tamper);
                let Some(tamper) = tamper.as_mut() else { return Ok((status, body)) };
                let mut body = serde_json::from_str(&body).expect("JSON");
                tamper.read(&asked, &mut status, &mut body);
                Ok((status, body.to_string()))
            }
            Err(_) if hangs => std::future::pending().await,
            Err(_) => Err(ConnectorError::io("the connection broke".into())),
        }
    }

    /// Carries a request to the table and its answer back. The caller may be gone by then.
    async fn carry(
        self: Arc<Self>,
        sender: u32,
        call: Call,
        mut fate: Fate,
        tell: oneshot::Sender<Answered>,
    ) {
        let mut tell = Some(tell);
        sleep(Duration::from_millis(fate.there)).await;
        if let Some(trouble) = fate.trouble {
            self.count(trouble.name());
        }
        let answered = match fate.trouble {
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
                tell = None;
                sleep(Duration::from_millis(fate.rng.between(1, 1_000))).await;
                self.serve(sender, &call, &mut fate).await;
                None
            }
            Some(NetworkFault::Twice) => self.serve_twice(sender, &call, &mut fate, &mut tell).await,
            None => Some(self.serve(sender, &call, &mut fate).await),
        };
        sleep(Duration::from_millis(fate.back)).await;
        if let (Some(tell), Some(answered)) = (tell, answered) {
            // A caller that does not wait any more is one of the things that go wrong.
            let _ = tell.send(answered);
        }
        lock(&self.state).under_way -= 1;
    }

    /// Carries a request out twice. Its sender hears of the first time or of the second.
    async fn serve_twice(
        &self,
        sender: u32,
        call: &Call,
        fate: &mut Fate,
        tell: &mut Option<oneshot::Sender<Answered>>,
    ) -> Option<Answered> {
        let first = self.serve(sender, call, fate).await;
        let refused = first.0 != 200;
        if fate.rng.coin()
            && let Some(tell) = tell.take()
        {
            let _ = tell.send(first);
            if refused {
                // Nobody sends again what was refused, once the refusal is known.
                return None;
            }
        }
        sleep(Duration::from_millis(fate.rng.between(0, 300))).await;
        Some(self.serve(sender, call, fate).await)
    }

    /// Carries a request out, as DynamoDB does when others write at the same time.
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
        self.write_down(sender, call, &answered);
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

    /// A batched read whose items come from two instants.
    async fn read_torn(&self, sender: u32, call: &Call, fate: &mut Fate) -> Answered {
        let (first, then): (Vec<_>, Vec<_>) = call.batch_keys().into_iter().partition(|_| fate.rng.coin());
        if first.is_empty() || then.is_empty() {
            return self.execute(sender, call, fate);
        }
        self.count("read from two instants");
        let answered = self.execute(sender, &call.for_keys(&first), fate);
        sleep(Duration::from_millis(fate.rng.between(1, 8))).await;
        let (status, more) = self.execute(sender, &call.for_keys(&then), fate);
        if status != 200 {
            return (status, more);
        }
        let more: serde_json::Value = serde_json::from_str(&more).expect("JSON");
        serving::add_to(answered, Some(serde_json::json!({"Responses": more["Responses"]})))
    }

    fn execute(&self, sender: u32, call: &Call, fate: &mut Fate) -> Answered {
        self.operations.fetch_add(1, Ordering::Relaxed);
        let mut table = lock(&self.table);
        let (answered, changes) = table.carry_out(call, self.fault_rates.lag_most, &mut fate.rng);
        if !changes.is_empty()
            && let Some(watcher) = lock(&self.watcher).as_mut()
        {
            let late = fate.trouble == Some(NetworkFault::Late);
            watcher(&Write { sender, transaction: call.is_transaction(), late, changes }, &table.items);
        }
        answered
    }

    fn write_down(&self, sender: u32, call: &Call, (status, body): &Answered) {
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
        // The first is on its way at once, whether or not anybody waits for it.
        let first = calls.next().map(|call| shared.clone().set_out(sender, call));
        HttpConnectorFuture::new(async move {
            let Some(first) = first else { return Ok(response((200, "{}".to_owned()))) };
            let mut answered = shared.hear(first).await?;
            for call in calls {
                if answered.0 != 200 {
                    break;
                }
                let next = shared.clone().set_out(sender, call);
                answered = shared.hear(next).await?;
            }
            Ok(response(answered))
        })
    }
}
