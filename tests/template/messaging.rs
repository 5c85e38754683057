//! The schedule that closes periods and the queue that sweeps them.

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

#[test]
fn a_message_is_not_delivered_again_while_it_is_worked_on() {
    let template = Template::read();
    let timeout = number(&template.properties("SweepPeriodFunction")["Timeout"]);
    assert!(number(&template.properties("SweepQueue")["VisibilityTimeout"]) >= VISIBILITY_FACTOR * timeout);
}

#[test]
fn the_sweep_starts_after_the_index_has_caught_up() {
    assert_eq!(number(&Template::read().properties("SweepQueue")["DelaySeconds"]), 60);
}

#[test]
fn a_sweep_that_keeps_failing_is_put_aside_and_outlasts_its_queue() {
    let template = Template::read();
    let queue = template.properties("SweepQueue");
    let redrive = &queue["RedrivePolicy"];
    assert_eq!(intrinsic(&redrive["deadLetterTargetArn"]), "!GetAtt SweepDeadLetters.Arn");
    let receives = number(&redrive["maxReceiveCount"]);
    assert_eq!(receives, 20);
    let retention = number(&queue["MessageRetentionPeriod"]);
    let longest = number(&queue["DelaySeconds"]) + receives * number(&queue["VisibilityTimeout"]);
    assert!(retention > longest, "a message would vanish before it is put aside");
    assert!(number(&template.properties("SweepDeadLetters")["MessageRetentionPeriod"]) > retention);
}

#[test]
fn one_failed_message_does_not_repeat_its_batch() {
    let template = Template::read();
    let event = &template.properties("SweepPeriodFunction")["Events"]["Sweep"];
    assert_eq!(text(&event["Type"]), "SQS");
    let source = &event["Properties"];
    assert_eq!(intrinsic(&source["Queue"]), "!GetAtt SweepQueue.Arn");
    assert_eq!(texts(&source["FunctionResponseTypes"]), ["ReportBatchItemFailures"]);
    assert!((1..=10).contains(&number(&source["BatchSize"])), "more needs a batching window");
    assert!(number(&source["ScalingConfig"]["MaximumConcurrency"]) >= 2, "the least that AWS takes");
}

#[test]
fn every_queue_is_encrypted_and_every_dead_letter_queue_watched() {
    let template = Template::read();
    let resources = template.resources();
    let mut queues = resources.iter().filter(|(_, resource)| text(&resource["Type"]) == "AWS::SQS::Queue");
    assert!(queues.all(|(_, queue)| queue["Properties"]["SqsManagedSseEnabled"].as_bool() == Some(true)));
    for queue in ["SweepDeadLetters", "ScheduleDeadLetters"] {
        let alarm = template.properties(&format!("{queue}Alarm"));
        let dimension = &alarm["Dimensions"][0];
        assert_eq!(text(&alarm["MetricName"]), "ApproximateNumberOfMessagesVisible");
        assert_eq!(text(&dimension["Name"]), "QueueName");
        assert_eq!(intrinsic(&dimension["Value"]), format!("!GetAtt {queue}.QueueName"));
    }
}

#[test]
fn the_errors_of_every_function_are_watched() {
    let template = Template::read();
    let metrics = template.properties("FunctionErrorsAlarm")["Metrics"].as_sequence().unwrap();
    let watched = metrics.iter().filter(|metric| metric["MetricStat"].is_mapping());
    let mut watched: Vec<String> =
        watched.map(|metric| intrinsic(&metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"])).collect();
    watched.sort();
    let functions: Vec<String> = template.functions().keys().map(|id| format!("!Ref {id}")).collect();
    assert_eq!(watched, functions);
}
