//! The settings that the local stack reads from `infra/template.yaml`, so it always has those of the deployed stack.
//!
//! The template is part of the binary. Properties that the local stack does not use are not checked, so they may
//! contain intrinsic functions such as `!Ref`. Properties that it uses are checked strictly: an unknown value is a
//! [`TemplateError`].

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use yaml_serde::Value;

const TEMPLATE: &str = include_str!("../../template.yaml");

const SWEEP_QUEUE: &str = "SweepQueue";
const SWEEP_FUNCTION: &str = "SweepPeriodFunction";
const SWEEP_EVENT: &str = "Sweep";
const INTAKE_FUNCTION: &str = "IntakeWorkerFunction";
const INTAKE_EVENT: &str = "Intake";
const FEED_FUNCTION: &str = "ChangeFeedFunction";
const FEED_EVENT: &str = "Changes";
const ROLLOVER_FUNCTION: &str = "MonthlyRolloverFunction";
const ROLLOVER_EVENT: &str = "QuarterHour";

/// The error of reading the template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file is not YAML, or a part of it has an unexpected structure.
    #[error("infra/template.yaml: {part} cannot be read")]
    Shape {
        /// The part that was being read.
        part: String,
        /// The error of the YAML parser.
        #[source]
        source: yaml_serde::Error,
    },
    /// A part that the local stack needs is missing.
    #[error("infra/template.yaml: {part} is missing")]
    Missing {
        /// The path of the part.
        part: String,
    },
    /// A value is valid, but the local stack does not support it.
    #[error("infra/template.yaml: {part} is `{value}`, which the local stack does not support")]
    Unsupported {
        /// The path of the value.
        part: String,
        /// The value in the template.
        value: String,
    },
}

/// The settings of the queue between closing a period and sweeping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepQueue {
    /// The time before the first delivery of a message, so the `leaving` index is up to date.
    pub delay: Duration,
    /// The time from a delivery to the next, if the message was not deleted.
    pub visibility_timeout: Duration,
    /// The number of deliveries after which a message moves to the dead-letter queue.
    pub max_receives: u32,
    /// The maximum number of messages in one event.
    pub batch_size: u32,
}

/// Reads the sweep queue's settings.
///
/// # Errors
///
/// [`TemplateError`] if the queue, its redrive policy or the sweep's event is missing, or a setting is not a plain
/// number.
pub fn sweep_queue() -> Result<SweepQueue, TemplateError> {
    let template = document()?;
    let queue = |property: &[&str]| {
        number(&template, &[&["Resources", SWEEP_QUEUE, "Properties"], property].concat())
    };
    let event = ["Resources", SWEEP_FUNCTION, "Properties", "Events", SWEEP_EVENT, "Properties", "BatchSize"];
    Ok(SweepQueue {
        delay: Duration::from_secs(queue(&["DelaySeconds"])?.into()),
        visibility_timeout: Duration::from_secs(queue(&["VisibilityTimeout"])?.into()),
        max_receives: queue(&["RedrivePolicy", "maxReceiveCount"])?,
        batch_size: number(&template, &event)?,
    })
}

/// The settings by which the messages of a queue are gathered into events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batches {
    /// The maximum number of messages in one event.
    pub size: usize,
    /// The time for which messages are gathered after the first one.
    pub window: Duration,
}

/// Reads the batch settings of the inbox's worker.
///
/// # Errors
///
/// [`TemplateError`] if the worker's event is missing, or a setting is not a plain number.
pub fn intake_batches() -> Result<Batches, TemplateError> {
    let template = document()?;
    let event = |property: &str| {
        let path =
            ["Resources", INTAKE_FUNCTION, "Properties", "Events", INTAKE_EVENT, "Properties", property];
        read::<u32>(at(&template, &path)?, &path)
    };
    Ok(Batches {
        size: usize::try_from(event("BatchSize")?).unwrap_or(usize::MAX),
        window: Duration::from_secs(event("MaximumBatchingWindowInSeconds")?.into()),
    })
}

/// The settings by which the records of the table's stream reach the change feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedSettings {
    /// The maximum number of records in one event.
    pub batch_size: usize,
    /// The number of times that a record is tried again before it moves to the dead letters.
    pub retries: u32,
    /// The records that reach the function.
    pub filter: Filter,
}

/// The patterns of a function's event source. A record that matches one of them reaches the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(Vec<Json>);

impl Filter {
    /// Returns true if the record reaches the function.
    #[must_use]
    pub fn matches(&self, record: &Json) -> bool {
        self.0.iter().any(|pattern| is_match(pattern, record))
    }
}

/// Returns true if a value has all members of the pattern. A list in a pattern contains the values that a member may
/// have.
fn is_match(pattern: &Json, value: &Json) -> bool {
    match pattern {
        Json::Object(members) => members
            .iter()
            .all(|(name, pattern)| value.get(name).is_some_and(|value| is_match(pattern, value))),
        Json::Array(values) => values.contains(value),
        _ => false,
    }
}

/// Reads the settings of the change feed.
///
/// # Errors
///
/// [`TemplateError`] if the function's event is missing, a setting is not a plain number, or a pattern is not JSON or
/// compares in another way than by equal values.
pub fn feed_settings() -> Result<FeedSettings, TemplateError> {
    let template = document()?;
    let path = ["Resources", FEED_FUNCTION, "Properties", "Events", FEED_EVENT, "Properties"];
    let setting = |property: &str| number(&template, &[&path[..], &[property]].concat());
    let filters = [&path[..], &["FilterCriteria", "Filters"]].concat();
    let patterns: Vec<BTreeMap<String, String>> = read(at(&template, &filters)?, &filters)?;
    let pattern = |text: &String| {
        let pattern = serde_json::from_str(text).ok().filter(is_plain);
        let part = || [&filters[..], &["Pattern"]].concat().join(".");
        pattern.ok_or_else(|| TemplateError::Unsupported { part: part(), value: text.clone() })
    };
    let patterns = patterns.iter().flat_map(BTreeMap::values).map(pattern).collect::<Result<_, _>>()?;
    Ok(FeedSettings {
        batch_size: usize::try_from(setting("BatchSize")?).unwrap_or(usize::MAX),
        retries: setting("MaximumRetryAttempts")?,
        filter: Filter(patterns),
    })
}

/// Returns true if a pattern compares by equal texts only. Lambda knows further comparisons, which are objects in lists.
fn is_plain(pattern: &Json) -> bool {
    match pattern {
        Json::Object(members) => members.values().all(is_plain),
        Json::Array(values) => values.iter().all(Json::is_string),
        _ => false,
    }
}

/// Reads the interval of the rollover's schedule. Runs begin at whole multiples of it in each hour (UTC).
///
/// # Errors
///
/// [`TemplateError`] if the schedule is missing, or is not `cron(0/N * * * ? *)` with an `N` that divides the hour.
pub fn schedule_interval() -> Result<Duration, TemplateError> {
    let path = [
        "Resources",
        ROLLOVER_FUNCTION,
        "Properties",
        "Events",
        ROLLOVER_EVENT,
        "Properties",
        "ScheduleExpression",
    ];
    let expression: String = read(at(&document()?, &path)?, &path)?;
    match minutes_of(&expression) {
        Some(minutes) => Ok(Duration::from_secs(minutes * 60)),
        None => Err(TemplateError::Unsupported { part: path.join("."), value: expression }),
    }
}

/// Parses the whole template.
pub(crate) fn document() -> Result<Value, TemplateError> {
    yaml_serde::from_str(TEMPLATE)
        .map_err(|source| TemplateError::Shape { part: "the document".to_owned(), source })
}

/// Returns the node at a path of keys. An intrinsic function has no keys, so a path through one is missing.
pub(crate) fn at<'a>(document: &'a Value, path: &[&str]) -> Result<&'a Value, TemplateError> {
    path.iter()
        .try_fold(document, |node, key| node.as_mapping().and_then(|mapping| mapping.get(*key)))
        .ok_or_else(|| TemplateError::Missing { part: path.join(".") })
}

/// Reads a node as a type. `path` names the node in the error.
pub(crate) fn read<T: DeserializeOwned>(node: &Value, path: &[&str]) -> Result<T, TemplateError> {
    yaml_serde::from_value(node.clone())
        .map_err(|source| TemplateError::Shape { part: path.join("."), source })
}

fn number(document: &Value, path: &[&str]) -> Result<u32, TemplateError> {
    read(at(document, path)?, path)
}

/// Returns the `N` of `cron(0/N * * * ? *)`, if the expression has this form and its runs are evenly spaced.
fn minutes_of(expression: &str) -> Option<u64> {
    let (minutes, rest) = expression.strip_prefix("cron(0/")?.strip_suffix(')')?.split_once(' ')?;
    let minutes: u64 = minutes.parse().ok()?;
    (rest == "* * * ? *" && (1..=60).contains(&minutes) && 60 % minutes == 0).then_some(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_requires_evenly_spaced_minutes_of_every_hour() {
        let cases = [
            ("cron(0/15 * * * ? *)", Some(15)),
            ("cron(0/60 * * * ? *)", Some(60)),
            ("cron(0/7 * * * ? *)", None),
            ("cron(0/0 * * * ? *)", None),
            ("cron(5/15 * * * ? *)", None),
            ("cron(0/15 0 * * ? *)", None),
            ("cron(0/15 * * * ? *", None),
            ("rate(15 minutes)", None),
            ("", None),
        ];
        for (expression, expected) in cases {
            assert_eq!(minutes_of(expression), expected, "{expression}");
        }
    }

    #[test]
    fn schedule_runs_every_quarter_of_an_hour() {
        assert_eq!(schedule_interval().unwrap(), Duration::from_secs(15 * 60));
    }

    #[test]
    fn sweep_queue_delays_and_redelivers_as_documented() {
        let queue = sweep_queue().unwrap();
        assert_eq!(queue.delay, Duration::from_secs(60));
        assert_eq!(queue.visibility_timeout, Duration::from_secs(6 * 300));
        assert_eq!(queue.max_receives, 20);
        assert!(queue.batch_size >= 1);
    }

    #[test]
    fn intake_batches_are_gathered_for_a_second() {
        let batches = intake_batches().unwrap();
        assert_eq!(batches, Batches { size: 100, window: Duration::from_secs(1) });
    }

    #[test]
    fn filter_matches_the_kind_in_one_of_the_images() {
        let settings = feed_settings().unwrap();
        let image = |name: &str, event: &str, entity: &str| serde_json::json!({"eventName": event, "dynamodb": {name: {"pk": {"S": "a"}, "entity": {"S": entity}}}});
        for (record, expected) in [
            (image("NewImage", "INSERT", "contact"), true),
            (image("OldImage", "REMOVE", "member"), true),
            (image("NewImage", "INSERT", "address"), false),
            (image("OldImage", "REMOVE", "address"), false),
            (serde_json::json!({"eventName": "INSERT", "dynamodb": {"NewImage": {"pk": {"S": "a"}}}}), false),
        ] {
            assert_eq!(settings.filter.matches(&record), expected, "{record}");
        }
    }

    #[test]
    fn pattern_with_another_comparison_is_not_plain() {
        for (pattern, expected) in [
            (r#"{"eventName": ["REMOVE"]}"#, true),
            (r#"{"eventName": [{"prefix": "REM"}]}"#, false),
            (r#"{"eventName": [null]}"#, false),
            (r#"{"eventName": "REMOVE"}"#, false),
        ] {
            assert_eq!(is_plain(&serde_json::from_str(pattern).unwrap()), expected, "{pattern}");
        }
    }

    #[test]
    fn missing_part_is_named_by_its_path() {
        let document: Value = yaml_serde::from_str("Resources: { Table: !Ref Other }").unwrap();
        let error = at(&document, &["Resources", "Table", "Properties"]).unwrap_err();
        assert_eq!(error.to_string(), "infra/template.yaml: Resources.Table.Properties is missing");
    }
}
