//! The local stack under load. The stack and its clients share one machine and its loopback interface.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Parser as _;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tidemark::options::Options;
use tidemark::stack::Stack;

use crate::caller::{BATCH, Caller};
use crate::report::{Row, row};
use crate::sample::Sample;

/// The number of concurrent clients. Each one sends its next request as soon as it has a response.
const CALLERS: usize = 8;
/// The number of contacts in the account.
const CONTACTS: usize = 20 * BATCH;

/// Measures each kind of request for this duration.
pub async fn measure(stretch: Duration) {
    let options = Options::parse_from(["tidemark", "--listen", "127.0.0.1:0", "--in-memory"]);
    let stack = Stack::start(&options, bootstrap::system_clock()).await.expect("a stack");
    let caller = Caller::new(format!("http://{}", stack.address), stack.demo_token.expose());
    let ids = caller.contacts(CONTACTS).await;
    let form = caller.send("POST", "/v1/forms", &json!({"name": "Newsletter"})).await;
    let submissions = format!("/v1/forms/{}/submissions", form["id"].as_str().expect("an id"));
    let some = |from: usize, count: usize| {
        let some = ids.iter().cycle().skip(from % ids.len()).take(count);
        some.cloned().collect::<Vec<String>>()
    };

    let (caller, some) = (&caller, &some);
    let usage = async |_| caller.send("GET", "/v1/usage", &Value::Null).await;
    load("`GET /v1/usage`", stretch, usage).await;
    let hundred: Vec<Value> = some(0, 100).iter().map(|id| json!({"id": id})).collect();
    let body = json!({"tool": "marketing_email", "contacts": hundred});
    let eligibility = async |_| caller.send("POST", "/v1/eligibility", &body).await;
    load("`POST /v1/eligibility` of 100", stretch, eligibility).await;
    let set_one = async |n| caller.toggle(&some(n, 1), n / ids.len()).await;
    load("Status change of 1", stretch, set_one).await;
    let set_all = async |n| caller.toggle(&some(n * BATCH, BATCH), n * BATCH / ids.len()).await;
    load("Status change of 98", stretch, set_all).await;
    let submit = async |n| {
        let body = json!({"fields": {"email": format!("submitted{n}@example.org"), "firstname": "Ada"}});
        caller.send("POST", &submissions, &body).await
    };
    load("Form submission of a new person", stretch, submit).await;
    stack.stop().await;
}

/// Sends requests of one kind for this duration. `send` receives the number of the request.
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
