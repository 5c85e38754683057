//! Imports, exports and statements as CSV, as a Lambda function.

use std::process::ExitCode;

use file_store::Files;
use files::Parts;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run(async |function| {
        let queue = function.queue(function.environment.file_queue_url()?);
        let files = Files::new(&function.s3_config(), function.environment.files_bucket()?);
        let parts = Parts { context: function.context()?, files, queue };
        bootstrap::serve_http(files::router(parts), &function.name).await
    })
    .await
}
