//! Queues that speak as SQS does: JSON over HTTP.

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

/// What the queues have taken.
#[derive(Default)]
struct Taken {
    /// The bodies of messages, by queue.
    bodies: BTreeMap<String, Vec<String>>,
    used: BTreeSet<Permission>,
    full: bool,
}

/// The queues of the template, in this process.
pub struct Queues {
    endpoint: String,
    taken: Arc<Mutex<Taken>>,
    server: JoinHandle<()>,
}

impl Queues {
    /// Empty queues.
    pub async fn start() -> Self {
        let taken = Arc::<Mutex<Taken>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/", post(take)).with_state(Arc::clone(&taken));
        let server =
            tokio::spawn(async { axum::serve(listener, router).await.expect("a server without an end") });
        Self { endpoint, taken, server }
    }

    /// Where the SDK finds SQS.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The URL of the queue with this logical id.
    pub fn url(&self, queue: &str) -> String {
        format!("{}/123456789012/{queue}", self.endpoint)
    }

    /// The bodies of the messages that a queue was sent since it was asked last.
    pub fn take(&self, queue: &str) -> Vec<String> {
        self.taken.lock().unwrap().bodies.remove(queue).unwrap_or_default()
    }

    /// What was needed for it.
    pub fn used(&self) -> BTreeSet<Permission> {
        self.taken.lock().unwrap().used.clone()
    }

    /// Whether they take no more messages for now.
    pub fn set_full(&self, full: bool) {
        self.taken.lock().unwrap().full = full;
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(taken): State<Arc<Mutex<Taken>>>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    // The protocol has a content type of its own.
    let batch: Value = serde_json::from_slice(&body).expect("a batch in JSON");
    assert_eq!(headers["x-amz-target"], "AmazonSQS.SendMessageBatch");
    let queue =
        batch["QueueUrl"].as_str().and_then(|url| url.rsplit_once("/123456789012/")).expect("a queue").1;
    let entries = batch["Entries"].as_array().expect("entries");
    let ids: BTreeSet<&str> = entries.iter().map(|entry| entry["Id"].as_str().expect("an id")).collect();
    assert!(
        (1..=QUEUE_BATCH_MAX).contains(&ids.len()) && ids.len() == entries.len(),
        "ids differ in a batch"
    );
    let mut taken = taken.lock().unwrap();
    // A batch needs the permission of its parts.
    taken.used.insert(Permission { action: "sqs:SendMessage".to_owned(), on: queue.to_owned() });
    if taken.full {
        let failed = |id: &&str| json!({"Id": id, "Code": "OverLimit", "SenderFault": true});
        return Json(json!({"Successful": [], "Failed": ids.iter().map(failed).collect::<Vec<_>>()}));
    }
    let bodies = taken.bodies.entry(queue.to_owned()).or_default();
    bodies.extend(entries.iter().map(|entry| entry["MessageBody"].as_str().expect("a body").to_owned()));
    let done = |id: &&str| json!({"Id": id, "MessageId": format!("message-{id}"), "MD5OfMessageBody": ""});
    Json(json!({"Successful": ids.iter().map(done).collect::<Vec<_>>(), "Failed": []}))
}
