//! The Lambda function for forms.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run_http(forms::router).await
}
