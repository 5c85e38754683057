//! Functions whose events are not HTTP requests: the authorizer, the rollover and the workers.

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

/// Runs `handler` for every event until Lambda ends the process, and logs one line for each. An error is logged once,
/// with its chain. The response to Lambda contains only the fact that the event failed.
///
/// # Errors
///
/// An error if the Runtime API cannot be reached.
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
    // The event is parsed here and not by the runtime, because the runtime logs the content of invalid events.
    lambda_runtime::run(service_fn(move |LambdaEvent { payload, context }: LambdaEvent<Value>| async move {
        let request_id = context.request_id.clone();
        let Ok(payload) = serde_json::from_value(payload) else {
            tracing::error!(function, request_id, "invalid event: expected the event type of this function");
            return Err(failed());
        };
        let started = Instant::now();
        let result = handler(LambdaEvent { payload, context }).await;
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
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

/// Returns a function that is true as long as the handler has time to begin another step: until [`DEADLINE_MARGIN`]
/// before Lambda ends the invocation.
pub fn in_time(invocation: &lambda_runtime::Context, clock: &Clock) -> impl Fn() -> bool {
    let deadline = Timestamp::from_millis(i64::try_from(invocation.deadline).unwrap_or(i64::MAX));
    let (latest, clock) = (deadline.plus(-DEADLINE_MARGIN), clock.clone());
    move || clock.now() < latest
}

/// Returns the response to Lambda for a failed event, without any detail.
fn failed() -> Diagnostic {
    Diagnostic { error_type: "Fault".to_owned(), error_message: "the event failed; see the log".to_owned() }
}
