//! Queues with the protocol of SQS: JSON over HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use domain::limits::QUEUE_BATCH_MAX;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::template::permissions::Permission;

/// The queue of sweeps.
pub const SWEEPS: &str = "SweepQueue";
/// The queue of the inbox.
pub const INTAKE: &str = "IntakeQueue";
/// The queue of bulk jobs.
pub const BULK: &str = "BulkQueue";
/// The queue of automations.
pub const AUTOMATIONS: &str = "AutomationQueue";

/// The queue of imports and exports.
pub const FILES: &str = "FileQueue";

/// The state of the queues.
#[derive(Default)]
struct QueueState {
    /// The bodies of the messages, by queue.
    bodies: BTreeMap<String, Vec<String>>,
    used: BTreeSet<Permission>,
    full: bool,
}

/// The queues of the template, served by this process.
pub struct Queues {
    endpoint: String,
    state: Arc<Mutex<QueueState>>,
    server: JoinHandle<()>,
}

impl Queues {
    /// Starts empty queues.
    pub async fn start() -> Self {
        let state = Arc::<Mutex<QueueState>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/", post(receive_batch)).with_state(Arc::clone(&state));
        let server =
            tokio::spawn(async { axum::serve(listener, router).await.expect("a server without an end") });
        Self { endpoint, state, server }
    }

    /// Returns the URL that the SDK uses as the endpoint of SQS.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the URL of the queue with this logical id.
    pub fn url(&self, queue: &str) -> String {
        format!("{}/123456789012/{queue}", self.endpoint)
    }

    /// Removes and returns the bodies of the messages that a queue received since the last call.
    pub fn take(&self, queue: &str) -> Vec<String> {
        self.state.lock().unwrap().bodies.remove(queue).unwrap_or_default()
    }

    /// Returns the permissions that the senders used.
    pub fn used(&self) -> BTreeSet<Permission> {
        self.state.lock().unwrap().used.clone()
    }

    /// Sets whether the queues refuse further messages.
    pub fn set_full(&self, full: bool) {
        self.state.lock().unwrap().full = full;
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn receive_batch(
    State(state): State<Arc<Mutex<QueueState>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Json<Value> {
    // The body is parsed without axum's extractor, because the protocol has its own content type.
    let batch: Value = serde_json::from_slice(&body).expect("a batch in JSON");
    assert_eq!(headers["x-amz-target"], "AmazonSQS.SendMessageBatch");
    let queue =
        batch["QueueUrl"].as_str().and_then(|url| url.rsplit_once("/123456789012/")).expect("a queue").1;
    let entries = batch["Entries"].as_array().expect("entries");
    let ids: BTreeSet<&str> = entries.iter().map(|entry| entry["Id"].as_str().expect("an id")).collect();
    assert!(
        (1..=QUEUE_BATCH_MAX).contains(&ids.len()) && ids.len() == entries.len(),
        "the ids in a batch must differ"
    );
    let mut state = state.lock().unwrap();
    // IAM checks a batch with the permission for a single message.
    state.used.insert(Permission { action: "sqs:SendMessage".to_owned(), on: queue.to_owned() });
    if state.full {
        let failed = |id: &&str| json!({"Id": id, "Code": "OverLimit", "SenderFault": true});
        return Json(json!({"Successful": [], "Failed": ids.iter().map(failed).collect::<Vec<_>>()}));
    }
    let bodies = state.bodies.entry(queue.to_owned()).or_default();
    bodies.extend(entries.iter().map(|entry| entry["MessageBody"].as_str().expect("a body").to_owned()));
    let done = |id: &&str| json!({"Id": id, "MessageId": format!("message-{id}"), "MD5OfMessageBody": ""});
    Json(json!({"Successful": ids.iter().map(done).collect::<Vec<_>>(), "Failed": []}))
}
