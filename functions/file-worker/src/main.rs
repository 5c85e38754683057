//! The worker of imports and exports as a Lambda function, called by its queue.

use std::convert::Infallible;
use std::process::ExitCode;

use aws_lambda_events::sqs::SqsEvent;
use file_store::Files;
use lambda_runtime::LambdaEvent;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run(async |function| {
        let queue = function.queue(function.environment.file_queue_url()?);
        let files = Files::new(&function.s3_config(), function.environment.files_bucket()?);
        let (store, clock) = (&function.store, &function.clock);
        let handler = async |event: LambdaEvent<SqsEvent>| {
            let should_continue = bootstrap::in_time(&event.context, clock);
            let now = || clock.now();
            let response = file_worker::handle(store, &files, &queue, event.payload, now, should_continue);
            Ok::<_, Infallible>(response.await)
        };
        bootstrap::run_events(&function.name, handler).await
    })
    .await
}
