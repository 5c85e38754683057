//! The Lambda function for accounts.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run_http(account::router).await
}
