//! The local stack under load: the stack and those who ask it share one machine, over its loopback interface.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use clap::Parser as _;
use futures_util::future::join_all;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tidemark::options::Options;
use tidemark::stack::Stack;

use crate::report::{Row, row};
use crate::sample::Sample;

/// How many ask at a time, each as soon as it has its answer.
const CALLERS: usize = 8;
/// How many contacts the account has.
const CONTACTS: usize = 20 * BATCH;
/// How many contacts a full transaction takes.
const BATCH: usize = 98;

/// Measures each kind of request for so long.
pub async fn measure(stretch: Duration) {
    let options = Options::parse_from(["tidemark", "--listen", "127.0.0.1:0", "--in-memory"]);
    let stack = Stack::start(&options, bootstrap::system_clock()).await.expect("a stack");
    let caller = Caller::new(&stack);
    let ids = caller.contacts().await;
    let form = caller.send("POST", "/v1/forms", &json!({"name": "Newsletter"})).await;
    let submissions = format!("/v1/forms/{}/submissions", form["id"].as_str().expect("an id"));
    let some = |from: usize, count: usize| {
        let some = ids.iter().cycle().skip(from % ids.len()).take(count);
        json!(some.map(|id| json!({"id": id})).collect::<Vec<_>>())
    };

    let (caller, some) = (&caller, &some);
    let usage = async |_| caller.send("GET", "/v1/usage", &Value::Null).await;
    load("`GET /v1/usage`", stretch, usage).await;
    let body = json!({"tool": "marketing_email", "contacts": some(0, 100)});
    let eligibility = async |_| caller.send("POST", "/v1/eligibility", &body).await;
    load("`POST /v1/eligibility` of 100", stretch, eligibility).await;
    // Queued and kept by turns, so that every request changes something.
    let set = async |contacts: Value, turn: usize| {
        let paths = ["/v1/contacts/non-marketing-pending", "/v1/contacts/marketing"];
        caller.send("POST", paths[turn % 2], &json!({"contacts": contacts})).await
    };
    let set_one = async |n| set(some(n, 1), n / ids.len()).await;
    load("Status change of 1", stretch, set_one).await;
    let set_all = async |n| set(some(n * BATCH, BATCH), n * BATCH / ids.len()).await;
    load("Status change of 98", stretch, set_all).await;
    let submit = async |n| {
        let body = json!({"fields": {"email": format!("submitted{n}@example.org"), "firstname": "Ada"}});
        caller.send("POST", &submissions, &body).await
    };
    load("Form submission of a new person", stretch, submit).await;
    stack.stop().await;
}

/// Sends requests of one kind until the time is over; each is given its number.
async fn load<F: Future<Output = Value>>(what: &str, stretch: Duration, send: impl Fn(usize) -> F) {
    let (begun, next) = (Instant::now(), AtomicUsize::new(0));
    let caller = async || {
        let mut times = Sample::default();
        while begun.elapsed() < stretch {
            let begun = Instant::now();
            send(next.fetch_add(1, Ordering::Relaxed)).await;
            times.add(begun.elapsed());
        }
        times
    };
    let mut times = Sample::default();
    for of_one in join_all((0..CALLERS).map(|_| caller())).await {
        times.extend(of_one);
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let rate = times.len() as f64 / begun.elapsed().as_secs_f64();
    let (p50, p99) = (times.median(), times.millis(0.99));
    let measured = format!("{rate:.0}/s; p50 {p50:.1}, p99 {p99:.1}");
    row(&Row::new(format!("Local stack, {CALLERS} callers: {what}"), measured, "requests; ms"));
}

/// Those who ask.
struct Caller {
    client: Client<HttpConnector, Body>,
    base: String,
    authorization: String,
}

impl Caller {
    fn new(stack: &Stack) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let authorization = format!("Bearer {}", stack.demo_token.expose());
        Self { client, base: format!("http://{}", stack.address), authorization }
    }

    /// The account's contacts, all marketing.
    async fn contacts(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for first in (0..CONTACTS).step_by(CALLERS) {
            let made = (first..CONTACTS.min(first + CALLERS)).map(async |n| {
                let body = json!({"email": format!("person{n}@example.org"), "marketing": true});
                self.send("POST", "/v1/contacts", &body).await
            });
            ids.extend(
                join_all(made).await.iter().map(|made| made["id"].as_str().expect("an id").to_owned()),
            );
        }
        ids
    }

    /// Sends a request and gives its answer, which is a good one.
    async fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = Request::builder()
            .method(method.parse::<Method>().expect("a method"))
            .uri(format!("{}{path}", self.base))
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let response = self.client.request(request.body(body).expect("a request")).await.expect("an answer");
        let status = response.status();
        let body =
            axum::body::to_bytes(Body::new(response.into_body()), usize::MAX).await.expect("a whole answer");
        assert!(
            matches!(status, StatusCode::OK | StatusCode::CREATED),
            "{method} {path}: {status} {}",
            String::from_utf8_lossy(&body)
        );
        serde_json::from_slice(&body).expect("a JSON answer")
    }
}
