//! The schedule that closes periods, and the queues of sweeps, of the inbox, of bulk jobs, of automations and of files.

use domain::limits::SUBMISSIONS_PER_TRANSACTION_MAX;

use super::document::{Template, intrinsic, number, text, texts};

/// The visibility timeout of a function's queue in function timeouts, as AWS recommends.
const VISIBILITY_FACTOR: u64 = 6;

#[test]
fn schedule_ticks_every_quarter_of_an_hour() {
    let template = Template::read();
    let event = &template.properties("MonthlyRolloverFunction")["Events"]["QuarterHour"];
    assert_eq!(text(&event["Type"]), "ScheduleV2");
    let schedule = &event["Properties"];
    assert_eq!(text(&schedule["ScheduleExpression"]), "cron(0/15 * * * ? *)");
    assert_eq!(text(&schedule["ScheduleExpressionTimezone"]), "UTC");
    assert_eq!(text(&schedule["FlexibleTimeWindow"]["Mode"]), "OFF");
    assert_eq!(intrinsic(&schedule["DeadLetterConfig"]["Arn"]), "!GetAtt ScheduleDeadLetters.Arn");
    let age = number(&schedule["RetryPolicy"]["MaximumEventAgeInSeconds"]);
    assert!(age <= 15 * 60, "a tick is obsolete when the next one is due");
}

/// A queue with its dead-letter queue, the function that processes it, and the function's event.
struct ProcessedQueue {
    queue: &'static str,
    dead_letters: &'static str,
    function: &'static str,
    event: &'static str,
}

const QUEUES: [ProcessedQueue; 5] = [
    ProcessedQueue {
        queue: "SweepQueue",
        dead_letters: "SweepDeadLetters",
        function: "SweepPeriodFunction",
        event: "Sweep",
    },
    ProcessedQueue {
        queue: "IntakeQueue",
        dead_letters: "IntakeDeadLetters",
        function: "IntakeWorkerFunction",
        event: "Intake",
    },
    ProcessedQueue {
        queue: "BulkQueue",
        dead_letters: "BulkDeadLetters",
        function: "BulkWorkerFunction",
        event: "Bulk",
    },
    ProcessedQueue {
        queue: "AutomationQueue",
        dead_letters: "AutomationDeadLetters",
        function: "AutomationWorkerFunction",
        event: "Automations",
    },
    ProcessedQueue {
        queue: "FileQueue",
        dead_letters: "FileDeadLetters",
        function: "FileWorkerFunction",
        event: "File",
    },
];

#[test]
fn message_in_progress_is_not_delivered_again() {
    let template = Template::read();
    for ProcessedQueue { queue, function, event, .. } in QUEUES {
        let function = template.properties(function);
        let window = function["Events"][event]["Properties"]["MaximumBatchingWindowInSeconds"].as_u64();
        let longest = VISIBILITY_FACTOR * number(&function["Timeout"]) + window.unwrap_or_default();
        assert!(number(&template.properties(queue)["VisibilityTimeout"]) >= longest, "{queue}");
    }
}

#[test]
fn only_sweeps_are_delayed() {
    let template = Template::read();
    assert_eq!(number(&template.properties("SweepQueue")["DelaySeconds"]), 60);
    for queue in ["AutomationQueue", "BulkQueue", "FileQueue", "IntakeQueue"] {
        assert!(template.properties(queue)["DelaySeconds"].is_null(), "{queue}");
    }
}

#[test]
fn tick_that_fails_is_kept_as_long_as_it_is_useful() {
    let template = Template::read();
    let config = &template.properties("MonthlyRolloverFunction")["EventInvokeConfig"];
    assert_eq!(number(&config["MaximumEventAgeInSeconds"]), 15 * 60);
    let destination = &config["DestinationConfig"]["OnFailure"];
    assert_eq!(text(&destination["Type"]), "SQS");
    assert_eq!(intrinsic(&destination["Destination"]), "!GetAtt ScheduleDeadLetters.Arn");
}

#[test]
fn failing_message_reaches_the_dead_letter_queue_in_time() {
    let template = Template::read();
    for ProcessedQueue { queue, dead_letters, .. } in QUEUES {
        let properties = template.properties(queue);
        let redrive = &properties["RedrivePolicy"];
        assert_eq!(intrinsic(&redrive["deadLetterTargetArn"]), format!("!GetAtt {dead_letters}.Arn"));
        let receives = number(&redrive["maxReceiveCount"]);
        assert_eq!(receives, 20, "{queue}");
        let retention = number(&properties["MessageRetentionPeriod"]);
        let delay = properties["DelaySeconds"].as_u64().unwrap_or_default();
        let longest = delay + receives * number(&properties["VisibilityTimeout"]);
        assert!(
            retention > longest,
            "a message of {queue} would vanish before it reaches the dead-letter queue"
        );
        assert!(number(&template.properties(dead_letters)["MessageRetentionPeriod"]) > retention);
    }
}

#[test]
fn one_failed_message_does_not_repeat_its_batch() {
    let template = Template::read();
    for ProcessedQueue { queue, function, event, .. } in QUEUES {
        let event = &template.properties(function)["Events"][event];
        assert_eq!(text(&event["Type"]), "SQS");
        let source = &event["Properties"];
        assert_eq!(intrinsic(&source["Queue"]), format!("!GetAtt {queue}.Arn"));
        assert_eq!(texts(&source["FunctionResponseTypes"]), ["ReportBatchItemFailures"]);
        let window = source["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or_default();
        let largest = if window == 0 { 10 } else { 10_000 };
        assert!((1..=largest).contains(&number(&source["BatchSize"])), "more needs a batching window");
        assert!(number(&source["ScalingConfig"]["MaximumConcurrency"]) >= 2, "the minimum of AWS");
    }
}

#[test]
fn inbox_batch_fills_several_transactions() {
    let template = Template::read();
    let source = &template.properties("IntakeWorkerFunction")["Events"]["Intake"]["Properties"];
    assert!(number(&source["BatchSize"]) >= 3 * SUBMISSIONS_PER_TRANSACTION_MAX as u64);
    assert_eq!(number(&source["MaximumBatchingWindowInSeconds"]), 1);
    assert_eq!(
        number(&source["ScalingConfig"]["MaximumConcurrency"]),
        2,
        "few workers conflict at an account's period"
    );
}

#[test]
fn long_work_does_not_delay_others() {
    let template = Template::read();
    let of_files = ("FileWorkerFunction", "File");
    for (function, event) in
        [("BulkWorkerFunction", "Bulk"), ("AutomationWorkerFunction", "Automations"), of_files]
    {
        let source = &template.properties(function)["Events"][event]["Properties"];
        assert_eq!(number(&source["BatchSize"]), 1, "the messages of one batch would wait for each other");
        assert!(source["MaximumBatchingWindowInSeconds"].is_null(), "a window would only delay a message");
        assert_eq!(number(&source["ScalingConfig"]["MaximumConcurrency"]), 10);
    }
}

#[test]
fn every_queue_is_encrypted() {
    let template = Template::read();
    let resources = template.resources();
    let mut queues = resources.iter().filter(|(_, resource)| text(&resource["Type"]) == "AWS::SQS::Queue");
    assert!(queues.all(|(_, queue)| queue["Properties"]["SqsManagedSseEnabled"].as_bool() == Some(true)));
}
