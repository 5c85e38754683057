//! The schedule that closes periods, the queue that sweeps them, and the queue of the inbox.

use domain::limits::SUBMISSIONS_PER_TRANSACTION_MAX;

use super::document::{Template, intrinsic, number, text, texts};

/// AWS's advice for a queue that a function reads: six times the function's timeout.
const VISIBILITY_FACTOR: u64 = 6;

#[test]
fn the_schedule_ticks_on_every_quarter_of_an_hour() {
    let template = Template::read();
    let event = &template.properties("MonthlyRolloverFunction")["Events"]["QuarterHour"];
    assert_eq!(text(&event["Type"]), "ScheduleV2");
    let schedule = &event["Properties"];
    assert_eq!(text(&schedule["ScheduleExpression"]), "cron(0/15 * * * ? *)");
    assert_eq!(text(&schedule["ScheduleExpressionTimezone"]), "UTC");
    assert_eq!(text(&schedule["FlexibleTimeWindow"]["Mode"]), "OFF");
    assert_eq!(intrinsic(&schedule["DeadLetterConfig"]["Arn"]), "!GetAtt ScheduleDeadLetters.Arn");
    let age = number(&schedule["RetryPolicy"]["MaximumEventAgeInSeconds"]);
    assert!(age <= 15 * 60, "a tick is not worth more than the next one");
}

/// A queue, the queue of its dead letters, and the function that works through it, by its event.
struct Worked {
    queue: &'static str,
    dead_letters: &'static str,
    function: &'static str,
    event: &'static str,
}

const WORKED: [Worked; 2] = [
    Worked {
        queue: "SweepQueue",
        dead_letters: "SweepDeadLetters",
        function: "SweepPeriodFunction",
        event: "Sweep",
    },
    Worked {
        queue: "IntakeQueue",
        dead_letters: "IntakeDeadLetters",
        function: "IntakeWorkerFunction",
        event: "Intake",
    },
];

#[test]
fn a_message_is_not_delivered_again_while_it_is_worked_on() {
    let template = Template::read();
    for Worked { queue, function, event, .. } in WORKED {
        let function = template.properties(function);
        let window = function["Events"][event]["Properties"]["MaximumBatchingWindowInSeconds"].as_u64();
        let longest = VISIBILITY_FACTOR * number(&function["Timeout"]) + window.unwrap_or_default();
        assert!(number(&template.properties(queue)["VisibilityTimeout"]) >= longest, "{queue}");
    }
}

#[test]
fn the_sweep_starts_after_the_index_has_caught_up_and_the_inbox_is_worked_through_at_once() {
    let template = Template::read();
    assert_eq!(number(&template.properties("SweepQueue")["DelaySeconds"]), 60);
    assert!(template.properties("IntakeQueue")["DelaySeconds"].is_null());
}

#[test]
fn a_message_that_keeps_failing_is_put_aside_and_outlasts_its_queue() {
    let template = Template::read();
    for Worked { queue, dead_letters, .. } in WORKED {
        let properties = template.properties(queue);
        let redrive = &properties["RedrivePolicy"];
        assert_eq!(intrinsic(&redrive["deadLetterTargetArn"]), format!("!GetAtt {dead_letters}.Arn"));
        let receives = number(&redrive["maxReceiveCount"]);
        assert_eq!(receives, 20, "{queue}");
        let retention = number(&properties["MessageRetentionPeriod"]);
        let delay = properties["DelaySeconds"].as_u64().unwrap_or_default();
        let longest = delay + receives * number(&properties["VisibilityTimeout"]);
        assert!(retention > longest, "a message of {queue} would vanish before it is put aside");
        assert!(number(&template.properties(dead_letters)["MessageRetentionPeriod"]) > retention);
    }
}

#[test]
fn one_failed_message_does_not_repeat_its_batch() {
    let template = Template::read();
    for Worked { queue, function, event, .. } in WORKED {
        let event = &template.properties(function)["Events"][event];
        assert_eq!(text(&event["Type"]), "SQS");
        let source = &event["Properties"];
        assert_eq!(intrinsic(&source["Queue"]), format!("!GetAtt {queue}.Arn"));
        assert_eq!(texts(&source["FunctionResponseTypes"]), ["ReportBatchItemFailures"]);
        let window = source["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or_default();
        let largest = if window == 0 { 10 } else { 10_000 };
        assert!((1..=largest).contains(&number(&source["BatchSize"])), "more needs a batching window");
        assert!(number(&source["ScalingConfig"]["MaximumConcurrency"]) >= 2, "the least that AWS takes");
    }
}

#[test]
fn a_flood_fills_the_transactions_that_settle_it() {
    let template = Template::read();
    let source = &template.properties("IntakeWorkerFunction")["Events"]["Intake"]["Properties"];
    assert!(number(&source["BatchSize"]) >= 3 * SUBMISSIONS_PER_TRANSACTION_MAX as u64);
    assert_eq!(number(&source["MaximumBatchingWindowInSeconds"]), 1);
    assert_eq!(number(&source["ScalingConfig"]["MaximumConcurrency"]), 2, "few meet at an account's period");
}

#[test]
fn every_queue_is_encrypted_and_every_dead_letter_queue_watched() {
    let template = Template::read();
    let resources = template.resources();
    let mut queues = resources.iter().filter(|(_, resource)| text(&resource["Type"]) == "AWS::SQS::Queue");
    assert!(queues.all(|(_, queue)| queue["Properties"]["SqsManagedSseEnabled"].as_bool() == Some(true)));
    for queue in ["IntakeDeadLetters", "ScheduleDeadLetters", "SweepDeadLetters"] {
        let alarm = template.properties(&format!("{queue}Alarm"));
        let dimension = &alarm["Dimensions"][0];
        assert_eq!(text(&alarm["MetricName"]), "ApproximateNumberOfMessagesVisible");
        assert_eq!(text(&dimension["Name"]), "QueueName");
        assert_eq!(intrinsic(&dimension["Value"]), format!("!GetAtt {queue}.QueueName"));
    }
}

#[test]
fn every_function_has_an_alarm_for_its_errors() {
    let template = Template::read();
    for function in template.functions().keys() {
        let alarm = template.properties(&format!("{function}ErrorsAlarm"));
        assert_eq!(
            (text(&alarm["Namespace"]), text(&alarm["MetricName"]), text(&alarm["Statistic"])),
            ("AWS/Lambda", "Errors", "Sum"),
            "{function}"
        );
        let dimension = &alarm["Dimensions"][0];
        assert_eq!(text(&dimension["Name"]), "FunctionName");
        assert_eq!(intrinsic(&dimension["Value"]), format!("!Ref {function}"));
    }
}

#[test]
fn every_alarm_tells_the_topic_and_ends_by_itself() {
    let template = Template::read();
    let resources = template.resources();
    let alarms = resources.iter().filter(|(_, resource)| text(&resource["Type"]) == "AWS::CloudWatch::Alarm");
    let mut count = 0;
    for (name, alarm) in alarms {
        let alarm = &alarm["Properties"];
        assert_eq!(text(&alarm["TreatMissingData"]), "notBreaching", "{name:?}");
        assert_eq!(text(&alarm["ComparisonOperator"]), "GreaterThanThreshold", "{name:?}");
        assert!(alarm["Threshold"].as_u64().is_some(), "{name:?}");
        assert!(!alarm["AlarmActions"].is_null(), "{name:?}");
        count += 1;
    }
    assert_eq!(count, template.functions().len() + 3, "one for each function and each queue of dead letters");
}
