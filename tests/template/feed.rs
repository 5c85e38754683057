//! The change feed's source: the table's stream, with the settings by which its records arrive and fail.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use yaml_serde::Value;

use super::document::{Template, intrinsic, number, text, texts};

/// The time for which DynamoDB stores the records of a stream, in seconds.
const RETENTION: u64 = 24 * 60 * 60;

fn source(template: &Template) -> &Value {
    let event = &template.properties("ChangeFeedFunction")["Events"]["Changes"];
    assert_eq!(text(&event["Type"]), "DynamoDB");
    &event["Properties"]
}

#[test]
fn feed_reads_the_whole_stream_of_the_table() {
    let template = Template::read();
    let source = source(&template);
    assert_eq!(intrinsic(&source["Stream"]), "!GetAtt Table.StreamArn");
    assert_eq!(text(&source["StartingPosition"]), "TRIM_HORIZON");
}

#[test]
fn failing_change_delays_others_for_a_limited_time() {
    let template = Template::read();
    let source = source(&template);
    assert_eq!(texts(&source["FunctionResponseTypes"]), ["ReportBatchItemFailures"]);
    assert_eq!(source["BisectBatchOnFunctionError"].as_bool(), Some(true));
    // The default of both is without a limit.
    assert!((1..=10).contains(&number(&source["MaximumRetryAttempts"])));
    assert!((60..RETENTION).contains(&number(&source["MaximumRecordAgeInSeconds"])));
    let destination = &source["DestinationConfig"]["OnFailure"];
    assert_eq!(text(&destination["Type"]), "SQS");
    assert_eq!(intrinsic(&destination["Destination"]), "!GetAtt ChangeFeedDeadLetters.Arn");
}

#[test]
fn batch_holds_the_changes_of_two_transactions() {
    let template = Template::read();
    let source = source(&template);
    let transaction = u64::try_from(domain::limits::TRANSACTION_ITEMS_MAX).unwrap();
    assert_eq!(number(&source["BatchSize"]), 2 * transaction);
    assert!(number(&source["MaximumBatchingWindowInSeconds"]) <= 1, "a window delays every change");
    assert!((1..=10).contains(&number(&source["ParallelizationFactor"])), "the limits of AWS");
}

/// Returns the kinds of items in each pattern of the filter.
fn kinds(image: &str) -> BTreeSet<String> {
    let template = Template::read();
    let filters = source(&template)["FilterCriteria"]["Filters"].as_sequence().unwrap().clone();
    let patterns =
        filters.iter().map(|filter| serde_json::from_str::<Json>(text(&filter["Pattern"])).unwrap());
    let kinds = patterns.filter_map(|pattern| pattern["dynamodb"][image]["entity"]["S"].as_array().cloned());
    kinds.flatten().map(|kind| kind.as_str().unwrap().to_owned()).collect()
}

#[test]
fn filter_names_kinds_of_stored_items() {
    let items: Json = serde_json::from_str(include_str!("../fixtures/items/v2.json")).unwrap();
    let mut stored = BTreeSet::new();
    collect_kinds(&items, &mut stored);
    let (changed, removed) = (kinds("NewImage"), kinds("OldImage"));
    assert!(!removed.is_empty() && removed.is_subset(&changed), "{removed:?}");
    assert!(changed.is_subset(&stored), "{:?}", &changed - &stored);
}

/// Collects the kinds of the items below a node.
fn collect_kinds(node: &Json, found: &mut BTreeSet<String>) {
    if let Some(kind) = node["entity"]["S"].as_str() {
        found.insert(kind.to_owned());
    }
    let below = node.as_object().into_iter().flat_map(|members| members.values());
    below.chain(node.as_array().into_iter().flatten()).for_each(|node| collect_kinds(node, found));
}

#[test]
fn feed_that_falls_behind_raises_an_alarm() {
    let template = Template::read();
    let alarm = template.properties("ChangeFeedAgeAlarm");
    assert_eq!((text(&alarm["Namespace"]), text(&alarm["MetricName"])), ("AWS/Lambda", "IteratorAge"));
    assert_eq!(text(&alarm["Statistic"]), "Maximum");
    assert_eq!(intrinsic(&alarm["Dimensions"][0]["Value"]), "!Ref ChangeFeedFunction");
    let longest = number(&alarm["Threshold"]) / 1000;
    assert!(
        longest < number(&source(&template)["MaximumRecordAgeInSeconds"]),
        "long before a change is lost"
    );
}
