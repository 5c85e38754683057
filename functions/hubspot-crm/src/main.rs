//! The CRM API as a Lambda function.

use std::process::ExitCode;

use file_store::Files;
use hubspot_crm::Parts;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run(async |function| {
        let file_queue = function.queue(function.environment.file_queue_url()?);
        let bulk_queue = function.queue(function.environment.bulk_queue_url()?);
        let files = Files::new(&function.s3_config(), function.environment.files_bucket()?);
        let parts = Parts { context: function.context()?, files, file_queue, bulk_queue };
        bootstrap::serve_http(hubspot_crm::router(parts), &function.name).await
    })
    .await
}
