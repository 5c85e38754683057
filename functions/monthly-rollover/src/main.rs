//! The rollover as a Lambda function, called by a schedule.

use std::process::ExitCode;

use domain::Timestamp;
use domain::limits::DEADLINE_MARGIN;
use lambda_runtime::LambdaEvent;
use monthly_rollover::{Queues, roll_over};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run(async |function| {
        let queues = Queues {
            sweeps: function.queue(function.environment.sweep_queue_url()?),
            inbox: function.queue(function.environment.intake_queue_url()?),
        };
        let (store, clock) = (&function.store, &function.clock);
        // What the schedule sends says nothing that is needed: what is due stands in the table.
        let handler = async |event: LambdaEvent<serde_json::Value>| {
            let ends = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
            let deadline = Timestamp::from_millis(ends).plus(-DEADLINE_MARGIN);
            roll_over(store, &queues, clock.now(), || clock.now() < deadline).await
        };
        bootstrap::run_events(&function.name, handler).await
    })
    .await
}
