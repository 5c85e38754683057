//! The rollover as a Lambda function, called by a schedule.

use std::process::ExitCode;

use lambda_runtime::LambdaEvent;
use monthly_rollover::{Queues, roll_over};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    bootstrap::run(async |function| {
        let queues = Queues {
            sweeps: function.queue(function.environment.sweep_queue_url()?),
            inbox: function.queue(function.environment.intake_queue_url()?),
            bulk: function.queue(function.environment.bulk_queue_url()?),
            automations: function.queue(function.environment.automation_queue_url()?),
            files: function.queue(function.environment.file_queue_url()?),
        };
        let (store, clock) = (&function.store, &function.clock);
        // The event of the schedule is not needed, because the due items are in the table.
        let handler = async |event: LambdaEvent<serde_json::Value>| {
            roll_over(store, &queues, clock.now(), bootstrap::in_time(&event.context, clock)).await
        };
        bootstrap::run_events(&function.name, handler).await
    })
    .await
}
