//! The console as a Lambda function.

use std::process::ExitCode;

use console::{Parts, router};
use file_store::Files;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run(async |function| {
        let bulk = function.queue(function.environment.bulk_queue_url()?);
        let file_queue = function.queue(function.environment.file_queue_url()?);
        let files = Files::new(&function.s3_config(), function.environment.files_bucket()?);
        // API Gateway is reached by HTTPS alone.
        let parts = Parts { context: function.context()?, bulk, files, file_queue, is_secure: true };
        bootstrap::serve_http(router(parts), &function.name).await
    })
    .await
}
