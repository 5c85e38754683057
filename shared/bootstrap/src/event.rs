//! Functions behind anything else than HTTP: the authorizer, the schedule, the queue.

use std::error::Error;
use std::time::Instant;

use api::Clock;
use api::problem::chain;
use domain::Timestamp;
use domain::limits::DEADLINE_MARGIN;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Runs `handler` for every event until Lambda ends the process, and logs one line for each. A fault is logged once,
/// with its chain; Lambda is told only that there was one.
///
/// # Errors
///
/// If the Runtime API can't be reached.
pub async fn run_events<E, R, X>(
    function: &str,
    handler: impl AsyncFn(LambdaEvent<E>) -> Result<R, X>,
) -> Result<(), lambda_runtime::Error>
where
    E: DeserializeOwned,
    R: Serialize,
    X: Error,
{
    let handler = &handler;
    // The event is read here and not by the runtime, which logs what it can't read.
    lambda_runtime::run(service_fn(move |LambdaEvent { payload, context }: LambdaEvent<Value>| async move {
        let request_id = context.request_id.clone();
        let Ok(payload) = serde_json::from_value(payload) else {
            tracing::error!(function, request_id, "event not understood");
            return Err(failed());
        };
        let begun = Instant::now();
        let result = handler(LambdaEvent { payload, context }).await;
        let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        match result {
            Ok(answer) => {
                tracing::info!(function, duration_ms, request_id, "event worked on");
                Ok(answer)
            }
            Err(error) => {
                tracing::error!(function, duration_ms, request_id, error = chain(&error), "event failed");
                Err(failed())
            }
        }
    }))
    .await
}

/// Says for as long as there is time to begin more work on an event and still end in good order: until
/// [`DEADLINE_MARGIN`] before Lambda ends the invocation.
pub fn in_time(invocation: &lambda_runtime::Context, clock: &Clock) -> impl Fn() -> bool {
    let ends = Timestamp::from_millis(i64::try_from(invocation.deadline).unwrap_or(i64::MAX));
    let (last, clock) = (ends.plus(-DEADLINE_MARGIN), clock.clone());
    move || clock.now() < last
}

/// What Lambda is told of a fault.
fn failed() -> Diagnostic {
    Diagnostic { error_type: "Fault".to_owned(), error_message: "the event failed; see the log".to_owned() }
}
