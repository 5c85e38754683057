//! The inbox's worker as a Lambda function, called by its queue.

use std::convert::Infallible;
use std::process::ExitCode;

use aws_lambda_events::sqs::SqsEvent;
use domain::Timestamp;
use domain::limits::DEADLINE_MARGIN;
use lambda_runtime::LambdaEvent;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run(async |function| {
        let (store, clock) = (&function.store, &function.clock);
        let handler = async |event: LambdaEvent<SqsEvent>| {
            let ends = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
            let deadline = Timestamp::from_millis(ends).plus(-DEADLINE_MARGIN);
            let go_on = || clock.now() < deadline;
            Ok::<_, Infallible>(intake_worker::handle(store, event.payload, clock.now(), go_on).await)
        };
        bootstrap::run_events(&function.name, handler).await
    })
    .await
}
