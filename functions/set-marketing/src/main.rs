//! The function `set-marketing` in Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    bootstrap::run_http(set_marketing::router).await
}
