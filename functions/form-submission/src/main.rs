//! The Lambda function that takes submissions of forms.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run_http(form_submission::router).await
}
