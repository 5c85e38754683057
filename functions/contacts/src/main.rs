//! The Lambda function of contacts.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run_http(contacts::router).await
}
