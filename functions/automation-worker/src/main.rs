//! The worker of automations as a Lambda function, called by its queue.

use std::convert::Infallible;
use std::process::ExitCode;

use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::LambdaEvent;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run(async |function| {
        let queue = function.queue(function.environment.automation_queue_url()?);
        let (store, clock) = (&function.store, &function.clock);
        let handler = async |event: LambdaEvent<SqsEvent>| {
            let should_continue = bootstrap::in_time(&event.context, clock);
            let response =
                automation_worker::handle(store, &queue, event.payload, || clock.now(), should_continue);
            Ok::<_, Infallible>(response.await)
        };
        bootstrap::run_events(&function.name, handler).await
    })
    .await
}
