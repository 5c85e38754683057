//! A queue that speaks as SQS does: JSON over HTTP.

use std::collections::BTreeSet;
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

/// What the queue has taken.
#[derive(Default)]
struct Taken {
    bodies: Vec<String>,
    actions: BTreeSet<String>,
    full: bool,
}

/// A queue in this process.
pub struct Queue {
    endpoint: String,
    taken: Arc<Mutex<Taken>>,
    server: JoinHandle<()>,
}

impl Queue {
    /// An empty queue.
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

    /// The queue's own URL.
    pub fn url(&self) -> String {
        format!("{}/123456789012/sweeps", self.endpoint)
    }

    /// The bodies of the messages that it was sent since it was asked last.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.taken.lock().unwrap().bodies)
    }

    /// The IAM actions that were needed.
    pub fn actions(&self) -> BTreeSet<String> {
        self.taken.lock().unwrap().actions.clone()
    }

    /// Whether it takes no more messages for now.
    pub fn set_full(&self, full: bool) {
        self.taken.lock().unwrap().full = full;
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(taken): State<Arc<Mutex<Taken>>>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    // The protocol has a content type of its own.
    let batch: Value = serde_json::from_slice(&body).expect("a batch in JSON");
    assert_eq!(headers["x-amz-target"], "AmazonSQS.SendMessageBatch");
    assert!(batch["QueueUrl"].as_str().is_some_and(|url| url.ends_with("/123456789012/sweeps")));
    let entries = batch["Entries"].as_array().expect("entries");
    let ids: BTreeSet<&str> = entries.iter().map(|entry| entry["Id"].as_str().expect("an id")).collect();
    assert!(
        (1..=QUEUE_BATCH_MAX).contains(&ids.len()) && ids.len() == entries.len(),
        "ids differ in a batch"
    );
    let mut taken = taken.lock().unwrap();
    // A batch needs the permission of its parts.
    taken.actions.insert("sqs:SendMessage".to_owned());
    if taken.full {
        let failed = |id: &&str| json!({"Id": id, "Code": "OverLimit", "SenderFault": true});
        return Json(json!({"Successful": [], "Failed": ids.iter().map(failed).collect::<Vec<_>>()}));
    }
    taken
        .bodies
        .extend(entries.iter().map(|entry| entry["MessageBody"].as_str().expect("a body").to_owned()));
    let done = |id: &&str| json!({"Id": id, "MessageId": format!("message-{id}"), "MD5OfMessageBody": ""});
    Json(json!({"Successful": ids.iter().map(done).collect::<Vec<_>>(), "Failed": []}))
}
