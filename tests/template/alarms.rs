//! The alarms, the dashboard and the runbook, derived from the functions, the queues and the metrics.

use std::collections::{BTreeMap, BTreeSet};

use metrics::{Metric, NAMESPACE};
use yaml_serde::Value;

use super::document::{Template, entries, intrinsic, number, repository, text};

/// The topic of every alarm: the given one, or else the stack's own.
const TOPIC: &str = "!If [HasAlarmTopic, !Ref AlarmTopicArn, !Ref AlarmTopic]";

/// An alarm: its metric and the statistic that is compared.
#[derive(PartialEq, Eq, Debug)]
struct Watched {
    namespace: &'static str,
    metric: &'static str,
    statistic: &'static str,
    /// The first dimension. Empty for a metric of a log filter, which has none.
    dimension: String,
}

fn watched(
    namespace: &'static str,
    metric: &'static str,
    statistic: &'static str,
    dimension: &str,
) -> Watched {
    Watched { namespace, metric, statistic, dimension: dimension.to_owned() }
}

/// Returns the alarms that the functions, the queues, the table, the API and the schedule need, by logical id.
fn expected(template: &Template) -> BTreeMap<String, Watched> {
    let mut expected = BTreeMap::new();
    let mut add = |id: &str, watched| assert!(expected.insert(format!("{id}Alarm"), watched).is_none());
    for function in template.functions().keys() {
        let of = format!("FunctionName !Ref {function}");
        add(&format!("{function}Errors"), watched("AWS/Lambda", "Errors", "Sum", &of));
        add(&format!("{function}Throttles"), watched("AWS/Lambda", "Throttles", "Sum", &of));
        add(&format!("{function}Duration"), watched("AWS/Lambda", "Duration", "Maximum", &of));
    }
    for queue in of_type(template, "AWS::SQS::Queue") {
        let of = format!("QueueName !GetAtt {queue}.QueueName");
        if queue.ends_with("DeadLetters") {
            add(&queue, watched("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", &of));
        } else {
            add(&format!("{queue}Age"), watched("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", &of));
        }
    }
    let table = "TableName !Ref Table";
    add("TableReadThrottles", watched("AWS/DynamoDB", "ReadThrottleEvents", "Sum", table));
    add("TableWriteThrottles", watched("AWS/DynamoDB", "WriteThrottleEvents", "Sum", table));
    add("TableConflicts", watched("AWS/DynamoDB", "TransactionConflict", "Sum", table));
    add("ApiErrors", watched("AWS/ApiGateway", "5xx", "Sum", "ApiId !Ref Api"));
    add("ApiLatency", watched("AWS/ApiGateway", "Latency", "p99", "ApiId !Ref Api"));
    add("ApiThrottled", watched(NAMESPACE, "ThrottledRequests", "Sum", ""));
    let feed = "FunctionName !Ref ChangeFeedFunction";
    add("ChangeFeedAge", watched("AWS/Lambda", "IteratorAge", "Maximum", feed));
    let stack = "Stack !Ref AWS::StackName";
    add("Faults", watched(NAMESPACE, Metric::Refusals.as_str(), "Sum", stack));
    add("ScheduleHeartbeat", watched(NAMESPACE, Metric::ScheduleRuns.as_str(), "Sum", stack));
    add("OpenPeriod", watched(NAMESPACE, Metric::OpenPeriodLateness.as_str(), "Maximum", stack));
    add("InboxDepth", watched(NAMESPACE, Metric::InboxDepth.as_str(), "Minimum", stack));
    expected
}

/// Returns the logical ids of the resources of a type.
fn of_type(template: &Template, kind: &str) -> Vec<String> {
    let resources = template.resources().into_iter();
    resources.filter(|(_, resource)| text(&resource["Type"]) == kind).map(|(id, _)| id.to_owned()).collect()
}

/// Returns the name of an alarm's metric. The one of a log filter has the name of the stack before it.
fn metric(alarm: &Value) -> String {
    match &alarm["MetricName"] {
        Value::String(name) => name.clone(),
        name => intrinsic(name).trim_start_matches("!Sub ${AWS::StackName}-").to_owned(),
    }
}

fn first_dimension(alarm: &Value) -> String {
    let dimension = &alarm["Dimensions"][0];
    if dimension.is_null() {
        return String::new();
    }
    format!("{} {}", text(&dimension["Name"]), intrinsic(&dimension["Value"]))
}

#[test]
fn every_function_queue_and_metric_is_watched() {
    let template = Template::read();
    let expected = expected(&template);
    let alarms: BTreeSet<String> = of_type(&template, "AWS::CloudWatch::Alarm").into_iter().collect();
    assert_eq!(alarms, expected.keys().cloned().collect());
    for (id, watched) in expected {
        let alarm = template.properties(&id);
        let statistic = if alarm["Statistic"].is_null() { "ExtendedStatistic" } else { "Statistic" };
        assert_eq!(
            (text(&alarm["Namespace"]), metric(alarm).as_str(), text(&alarm[statistic])),
            (watched.namespace, watched.metric, watched.statistic),
            "{id}"
        );
        assert_eq!(first_dimension(alarm), watched.dimension, "{id}");
    }
}

#[test]
fn alarm_tells_its_beginning_and_its_end() {
    let template = Template::read();
    for id in of_type(&template, "AWS::CloudWatch::Alarm") {
        let alarm = template.properties(&id);
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(intrinsic(&alarm[actions][0]), TOPIC, "{id} {actions}");
        }
        // No data means that nothing happened, but for the schedule, which always happens.
        let (missing, comparison) = match id.as_str() {
            "ScheduleHeartbeatAlarm" => ("breaching", "LessThanThreshold"),
            _ => ("notBreaching", "GreaterThanThreshold"),
        };
        assert_eq!(text(&alarm["TreatMissingData"]), missing, "{id}");
        assert_eq!(text(&alarm["ComparisonOperator"]), comparison, "{id}");
        assert!(alarm["Threshold"].as_u64().is_some(), "{id}");
        assert!(text(&alarm["AlarmDescription"]).ends_with('.'), "{id}");
    }
}

#[test]
fn duration_alarm_is_between_the_usual_end_and_the_limit() {
    let template = Template::read();
    let default = number(&template.root()["Globals"]["Function"]["Timeout"]);
    for (id, function) in template.functions() {
        let limit = function["Timeout"].as_u64().unwrap_or(default);
        let threshold = number(&template.properties(&format!("{id}DurationAlarm"))["Threshold"]);
        // A function with five minutes stops by itself 40 seconds before its limit.
        let expected = if limit >= 300 { (limit - 20) * 1000 } else { limit * 800 };
        assert_eq!(threshold, expected, "{id}");
    }
}

#[test]
fn schedule_may_miss_one_run() {
    let template = Template::read();
    let alarm = template.properties("ScheduleHeartbeatAlarm");
    assert_eq!((number(&alarm["Period"]), number(&alarm["EvaluationPeriods"])), (15 * 60, 2));
    assert_eq!(number(&alarm["Threshold"]), 1);
}

#[test]
fn failed_version_is_taken_back_in_prod() {
    let template = Template::read();
    for (id, function) in template.functions() {
        let http = entries(&function["Events"]).any(|(_, event)| text(&event["Type"]) == "HttpApi");
        let preference = &function["DeploymentPreference"];
        assert_eq!(!preference.is_null(), http, "{id}");
        if http {
            assert_eq!(text(&function["AutoPublishAlias"]), "live", "{id}");
            let all = function["AutoPublishAliasAllProperties"].as_bool();
            assert_eq!(all, Some(true), "{id}");
            // Otherwise the alias would keep the old values of changed parameters.
            let has_url = !function["Environment"]["Variables"]["PUBLIC_URL"].is_null();
            let url = if has_url { "${PublicUrl} " } else { "" };
            let description = intrinsic(&function["VersionDescription"]);
            assert_eq!(description, format!("!Sub ${{LogLevel}} {url}${{ExistingTableArn}}"), "{id}");
            assert_eq!(
                intrinsic(&preference["Type"]),
                "!If [IsProd, Canary10Percent5Minutes, AllAtOnce]",
                "{id}"
            );
            assert_eq!(intrinsic(&preference["Alarms"][0]), "!Ref FaultsAlarm", "{id}");
            assert_eq!(intrinsic(&preference["Alarms"][1]), format!("!Ref {id}ErrorsAlarm"), "{id}");
        }
    }
    let reason = &template.properties("FaultsAlarm")["Dimensions"][1];
    assert_eq!((text(&reason["Name"]), text(&reason["Value"])), ("Reason", "internal"));
}

#[test]
fn public_routes_have_a_rate_of_their_own() {
    let template = Template::read();
    let settings = &template.properties("Api")["RouteSettings"];
    let limited: BTreeSet<String> = entries(settings).map(|(route, _)| route.to_owned()).collect();
    let public = super::routes::public_routes().into_iter();
    assert_eq!(limited, public.map(|(method, path)| format!("{method} {path}")).collect());
    for (route, settings) in entries(settings) {
        assert_eq!(intrinsic(&settings["ThrottlingRateLimit"]), "!Ref PublicRouteRate", "{route}");
        assert_eq!(intrinsic(&settings["ThrottlingBurstLimit"]), "!Ref PublicRouteBurst", "{route}");
    }
}

#[test]
fn dashboard_shows_every_metric_of_the_program() {
    let template = Template::read();
    let Value::Tagged(body) = &template.properties("Dashboard")["DashboardBody"] else {
        panic!("a text with names")
    };
    let body = text(&body.value[0]);
    let dashboard: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert!(dashboard["widgets"].as_array().is_some_and(|widgets| widgets.len() == 8));
    for metric in Metric::ALL {
        let name = metric.as_str();
        assert!(
            body.contains(&format!("\"{name}\"")) || body.contains(&format!("MetricName=\\\"{name}\\\"")),
            "{name}"
        );
    }
}

#[test]
fn runbook_has_a_section_for_every_alarm_and_no_other() {
    let template = Template::read();
    let runbook = std::fs::read_to_string(repository().join("infra/RUNBOOK.md")).expect("a runbook");
    let words: BTreeSet<&str> = runbook.split('`').skip(1).step_by(2).collect();
    let named = words.iter().filter(|word| word.ends_with("Alarm"));
    let named: BTreeSet<String> = named.map(|word| word.replace("<Function>", "")).collect();
    let alarms = of_type(&template, "AWS::CloudWatch::Alarm").into_iter().map(|id| {
        let function = template.functions().into_keys().find(|function| id.starts_with(*function));
        function.map_or(id.clone(), |function| id.replacen(function, "", 1))
    });
    assert_eq!(named, alarms.collect());
}
