//! The spelling of SAM's own properties.
//!
//! `sam validate` and `cfn-lint` accept a misspelled property. SAM then ignores the property without an error.

use std::collections::BTreeSet;

use yaml_serde::Value;

use super::document::{Template, entries, text};

/// The resource types of the template. `cfn-lint` checks the properties of CloudFormation's own types.
const TYPES: [&str; 15] = [
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::Serverless::Function",
    "AWS::Serverless::HttpApi",
];

const FUNCTION: [&str; 18] = [
    "Architectures",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "CodeUri",
    "DeploymentPreference",
    "Description",
    "Environment",
    "EventInvokeConfig",
    "Events",
    "Handler",
    "LoggingConfig",
    "MemorySize",
    "ReservedConcurrentExecutions",
    "Role",
    "Runtime",
    "Tags",
    "Timeout",
    "VersionDescription",
];
const LOGGING: [&str; 4] = ["ApplicationLogLevel", "LogFormat", "LogGroup", "SystemLogLevel"];
const HTTP_EVENT: [&str; 4] = ["ApiId", "Auth", "Method", "Path"];
const SCHEDULE_EVENT: [&str; 6] = [
    "DeadLetterConfig",
    "FlexibleTimeWindow",
    "OmitName",
    "RetryPolicy",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
];
const QUEUE_EVENT: [&str; 5] =
    ["BatchSize", "FunctionResponseTypes", "MaximumBatchingWindowInSeconds", "Queue", "ScalingConfig"];
const STREAM_EVENT: [&str; 11] = [
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "FilterCriteria",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "StartingPosition",
    "Stream",
];
const HTTP_API: [&str; 5] = ["AccessLogSettings", "Auth", "DefaultRouteSettings", "RouteSettings", "Tags"];
const ROUTE_SETTINGS: [&str; 2] = ["ThrottlingBurstLimit", "ThrottlingRateLimit"];
const EVENT_INVOKE: [&str; 3] = ["DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"];
const HTTP_API_AUTH: [&str; 2] = ["Authorizers", "DefaultAuthorizer"];
const LAMBDA_AUTHORIZER: [&str; 5] = [
    "AuthorizerPayloadFormatVersion",
    "EnableFunctionDefaultPermissions",
    "EnableSimpleResponses",
    "FunctionArn",
    "Identity",
];
const IDENTITY: [&str; 2] = ["Headers", "ReauthorizeEvery"];

/// Returns the keys of a mapping that are not among the known ones.
fn unknown<'a>(mapping: &'a Value, known: &[&str]) -> Vec<&'a str> {
    entries(mapping).map(|(key, _)| key).filter(|key| !known.contains(key)).collect()
}

#[track_caller]
fn assert_known(description: &str, mapping: &Value, known: &[&str]) {
    assert_eq!(unknown(mapping, known), [""; 0], "{description}");
}

#[test]
fn resources_are_of_types_whose_properties_are_checked() {
    let template = Template::read();
    let used: BTreeSet<&str> =
        template.resources().values().map(|resource| text(&resource["Type"])).collect();
    assert_eq!(used, TYPES.into());
}

#[test]
fn functions_have_properties_that_sam_knows() {
    let template = Template::read();
    assert_known("Globals", &template.root()["Globals"], &["Function"]);
    let globals = &template.root()["Globals"]["Function"];
    assert_known("Globals.Function", globals, &FUNCTION);
    assert_known("Globals.Function.LoggingConfig", &globals["LoggingConfig"], &LOGGING);
    for (id, properties) in template.functions() {
        let resource = template.resources()[id];
        assert_known(id, resource, &["Properties", "Type"]);
        assert_known(id, &properties["DeploymentPreference"], &["Alarms", "Type"]);
        assert_known(id, &properties["EventInvokeConfig"], &EVENT_INVOKE);
        assert_known(id, properties, &FUNCTION);
        assert_known(id, &properties["LoggingConfig"], &LOGGING);
        assert_known(id, &properties["Environment"], &["Variables"]);
    }
}

#[test]
fn events_have_properties_that_sam_knows() {
    for (id, properties) in Template::read().functions() {
        for (name, event) in entries(&properties["Events"]) {
            let description = format!("{id}.{name}");
            assert_known(&description, event, &["Properties", "Type"]);
            let properties = &event["Properties"];
            match text(&event["Type"]) {
                "HttpApi" => {
                    assert_known(&description, properties, &HTTP_EVENT);
                    assert_known(&description, &properties["Auth"], &["Authorizer"]);
                }
                "ScheduleV2" => {
                    assert_known(&description, properties, &SCHEDULE_EVENT);
                    assert_known(&description, &properties["DeadLetterConfig"], &["Arn"]);
                    assert_known(&description, &properties["FlexibleTimeWindow"], &["Mode"]);
                    assert_known(
                        &description,
                        &properties["RetryPolicy"],
                        &["MaximumEventAgeInSeconds", "MaximumRetryAttempts"],
                    );
                }
                "DynamoDB" => {
                    assert_known(&description, properties, &STREAM_EVENT);
                    assert_known(&description, &properties["DestinationConfig"], &["OnFailure"]);
                    let destination = &properties["DestinationConfig"]["OnFailure"];
                    assert_known(&description, destination, &["Destination", "Type"]);
                    assert_known(&description, &properties["FilterCriteria"], &["Filters"]);
                }
                "SQS" => {
                    assert_known(&description, properties, &QUEUE_EVENT);
                    assert_known(&description, &properties["ScalingConfig"], &["MaximumConcurrency"]);
                }
                other => panic!("{description} is of the type {other}, whose properties are not listed here"),
            }
        }
    }
}

#[test]
fn api_has_properties_that_sam_knows() {
    let template = Template::read();
    let api = template.properties("Api");
    assert_known("Api", api, &HTTP_API);
    assert_known("Api.AccessLogSettings", &api["AccessLogSettings"], &["DestinationArn", "Format"]);
    assert_known("Api.DefaultRouteSettings", &api["DefaultRouteSettings"], &ROUTE_SETTINGS);
    for (route, settings) in entries(&api["RouteSettings"]) {
        assert_known(route, settings, &ROUTE_SETTINGS);
    }
    assert_known("Api.Auth", &api["Auth"], &HTTP_API_AUTH);
    for (name, authorizer) in entries(&api["Auth"]["Authorizers"]) {
        assert_known(name, authorizer, &LAMBDA_AUTHORIZER);
        assert_known(name, &authorizer["Identity"], &IDENTITY);
    }
}
