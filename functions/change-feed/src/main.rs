//! The change feed as a Lambda function, called with the records of the table's stream.

use std::convert::Infallible;
use std::process::ExitCode;

use aws_lambda_events::dynamodb::Event;
use lambda_runtime::LambdaEvent;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run(async |function| {
        let queue = function.queue(function.environment.automation_queue_url()?);
        let (store, clock) = (&function.store, &function.clock);
        let handler = async |event: LambdaEvent<Event>| {
            Ok::<_, Infallible>(change_feed::handle(store, &queue, event.payload, clock.now()).await)
        };
        bootstrap::run_events(&function.name, handler).await
    })
    .await
}
