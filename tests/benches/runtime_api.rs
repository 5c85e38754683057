//! A minimal server of the Lambda Runtime API. The tests' simulator also records and checks, which takes longer than
//! the calls that are measured here.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::process::Process;

/// The longest time to wait for a function before the benchmark fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running function that waits for an event.
pub struct Function {
    /// The function's process.
    pub process: Process,
    /// The time from the start of the process to its first poll for an event.
    pub start: Duration,
    events: UnboundedSender<String>,
    polls: UnboundedReceiver<Instant>,
    answers: UnboundedReceiver<(Instant, Result<Bytes, Bytes>)>,
    server: JoinHandle<()>,
}

struct Shared {
    events: Mutex<UnboundedReceiver<String>>,
    polls: UnboundedSender<Instant>,
    answers: UnboundedSender<(Instant, Result<Bytes, Bytes>)>,
}

impl Function {
    /// Starts a function with the address of DynamoDB, and waits for its first poll.
    pub async fn start(program: &Path, dynamodb: &str) -> Self {
        let (events, waiting) = unbounded_channel();
        let (polled, mut polls) = unbounded_channel();
        let (answered, answers) = unbounded_channel();
        let shared = Shared { events: Mutex::new(waiting), polls: polled, answers: answered };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answer))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .with_state(Arc::new(shared));
        let server =
            tokio::spawn(async { axum::serve(listener, router).await.expect("a server without an end") });
        let begun = Instant::now();
        let process = Process::start(program, dynamodb, Some(&address));
        let polled = tokio::time::timeout(PATIENCE, polls.recv()).await.expect("a start in time");
        let start = polled.expect("a poll") - begun;
        Self { process, start, events, polls, answers, server }
    }

    /// Sends an event to the waiting function. Returns the response and its latency, once the function polls again.
    pub async fn invoke(&mut self, event: String) -> (Bytes, Duration) {
        let begun = Instant::now();
        self.events.send(event).expect("a server");
        let whole = async {
            let answer = self.answers.recv().await.expect("a server");
            self.polls.recv().await.expect("a server");
            answer
        };
        let (at, answer) = tokio::time::timeout(PATIENCE, whole).await.expect("an answer in time");
        (answer.unwrap_or_else(|error| panic!("the function failed: {error:?}")), at - begun)
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    let _ = shared.polls.send(Instant::now());
    let event = shared.events.lock().await.recv().await.unwrap_or_default();
    Response::builder()
        .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        .header("lambda-runtime-deadline-ms", "4102444800000")
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:measured",
        )
        .header("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")
        .header("content-type", "application/json")
        .body(Body::from(event))
        .expect("a response")
}

async fn answer(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    let _ = shared.answers.send((Instant::now(), Ok(body)));
    StatusCode::ACCEPTED
}

async fn error(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    let _ = shared.answers.send((Instant::now(), Err(body)));
    StatusCode::ACCEPTED
}
