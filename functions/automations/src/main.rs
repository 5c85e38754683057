//! Automations as a Lambda function.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run(async |function| {
        let queue = function.queue(function.environment.bulk_queue_url()?);
        bootstrap::serve_http(automations::router(function.context()?, queue), &function.name).await
    })
    .await
}
