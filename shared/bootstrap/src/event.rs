//! Functions behind anything else than HTTP: the authorizer, the schedule, the queue.

use std::error::Error;
use std::time::Instant;

use api::problem::chain;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

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
    lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| async move {
        let request_id = event.context.request_id.clone();
        let begun = Instant::now();
        let result = handler(event).await;
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

/// What Lambda is told of a fault.
fn failed() -> Diagnostic {
    Diagnostic { error_type: "Fault".to_owned(), error_message: "the event failed; see the log".to_owned() }
}
