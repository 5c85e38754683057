//! The console as a Lambda function.

use std::process::ExitCode;

use console::{Parts, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run(async |function| {
        let bulk = function.queue(function.environment.bulk_queue_url()?);
        // API Gateway is reached by HTTPS alone.
        let parts = Parts { context: function.context()?, bulk, is_secure: true };
        bootstrap::serve_http(router(parts), &function.name).await
    })
    .await
}
