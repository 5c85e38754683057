//! The table's keys and indexes, compared with the names that `store` uses for writes and queries.

use std::collections::BTreeSet;

use store::keys;
use yaml_serde::Value;

use super::document::{Template, repository, text};

fn key_schema(owner: &Value) -> Vec<(&str, &str)> {
    let keys = owner["KeySchema"].as_sequence().unwrap().iter();
    keys.map(|key| (text(&key["KeyType"]), text(&key["AttributeName"]))).collect()
}

#[test]
fn keys_and_indexes_are_those_of_the_store() {
    let template = Template::read();
    let table = template.properties("Table");
    assert_eq!(key_schema(table), [("HASH", keys::PK), ("RANGE", keys::SK)]);
    let indexes = table["GlobalSecondaryIndexes"].as_sequence().unwrap().iter();
    let indexes: Vec<_> = indexes
        .map(|index| {
            (text(&index["IndexName"]), key_schema(index), text(&index["Projection"]["ProjectionType"]))
        })
        .collect();
    let expected = [
        (keys::LEAVING_INDEX, vec![("HASH", keys::LEAVING_PK), ("RANGE", keys::SK)], "KEYS_ONLY"),
        (keys::DUE_INDEX, vec![("HASH", keys::DUE_SHARD), ("RANGE", keys::DUE_AT)], "KEYS_ONLY"),
        (keys::CHANGED_INDEX, vec![("HASH", keys::CHANGED_PK), ("RANGE", keys::CHANGED_SK)], "KEYS_ONLY"),
    ];
    assert_eq!(indexes, expected);
}

#[test]
fn only_key_attributes_are_defined_and_all_are_strings() {
    let template = Template::read();
    let attributes = template.properties("Table")["AttributeDefinitions"].as_sequence().unwrap().iter();
    let attributes: BTreeSet<_> = attributes
        .map(|attribute| (text(&attribute["AttributeName"]), text(&attribute["AttributeType"])))
        .collect();
    let keys = [
        keys::PK,
        keys::SK,
        keys::LEAVING_PK,
        keys::CHANGED_PK,
        keys::CHANGED_SK,
        keys::DUE_SHARD,
        keys::DUE_AT,
    ];
    assert_eq!(attributes, keys.map(|key| (key, "S")).into());
}

#[test]
fn stream_contains_both_images() {
    let template = Template::read();
    let stream = &template.properties("Table")["StreamSpecification"];
    assert_eq!(text(&stream["StreamViewType"]), "NEW_AND_OLD_IMAGES");
}

#[test]
fn items_expire_by_the_attribute_that_the_store_writes() {
    let template = Template::read();
    let expiry = &template.properties("Table")["TimeToLiveSpecification"];
    assert_eq!((text(&expiry["AttributeName"]), expiry["Enabled"].as_bool()), (keys::EXPIRES_AT, Some(true)));
}

#[test]
fn table_data_outlives_the_stack_and_is_recoverable() {
    let template = Template::read();
    let table = template.resources()["Table"];
    assert_eq!((text(&table["DeletionPolicy"]), text(&table["UpdateReplacePolicy"])), ("Retain", "Retain"));
    let properties = &table["Properties"];
    assert_eq!(properties["DeletionProtectionEnabled"].as_bool(), Some(true));
    assert_eq!(
        properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"].as_bool(),
        Some(true)
    );
    assert_eq!(properties["SSESpecification"]["SSEEnabled"].as_bool(), Some(true));
    assert_eq!(text(&properties["BillingMode"]), "PAY_PER_REQUEST");
}

#[test]
fn every_reference_to_the_table_has_its_existing_counterpart() {
    let template = std::fs::read_to_string(repository().join("infra/template.yaml")).unwrap();
    for line in template.lines() {
        let own = ["!Ref Table", "!GetAtt Table."].iter().any(|reference| names(line, reference));
        assert!(!own || line.contains("!If [MakesTable, "), "{line}");
        assert!(!line.contains("${Table"), "a text cannot choose between two tables: {line}");
    }
}

/// Returns true if a line contains a reference to the table, and not to another resource whose name begins so.
fn names(line: &str, reference: &str) -> bool {
    let after = |place: usize| line[place + reference.len()..].chars().next();
    line.match_indices(reference)
        .any(|(place, _)| reference.ends_with('.') || !after(place).is_some_and(char::is_alphanumeric))
}

#[test]
fn restore_completes_the_table_as_the_template_has_it() {
    let restore = std::fs::read_to_string(repository().join("infra/restore")).unwrap();
    let template = Template::read();
    let table = template.properties("Table");
    let indexes = table["GlobalSecondaryIndexes"].as_sequence().unwrap().iter();
    let mut indexes: Vec<String> = indexes.map(|index| format!("{:?}", text(&index["IndexName"]))).collect();
    indexes.sort();
    for line in [
        format!("STREAM_VIEW = {:?}", text(&table["StreamSpecification"]["StreamViewType"])),
        format!("EXPIRY = {:?}", text(&table["TimeToLiveSpecification"]["AttributeName"])),
        format!("INDEXES = {{{}}}", indexes.join(", ")),
    ] {
        assert!(restore.lines().any(|found| found == line), "{line}");
    }
}
