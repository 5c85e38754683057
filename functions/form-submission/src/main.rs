//! The Lambda function that accepts form submissions.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run(async |function| {
        let inbox = function.queue(function.environment.intake_queue_url()?);
        bootstrap::serve_http(form_submission::router(function.context()?, inbox), &function.name).await
    })
    .await
}
