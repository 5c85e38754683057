//! The function `set-non-marketing-pending` in Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    bootstrap::run_http(set_non_marketing_pending::router).await
}
