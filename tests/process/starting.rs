//! Functions that cannot start: an invalid environment is reported in one line at the start, not at the first request.

use std::collections::HashMap;

use lambda_simulator::Simulator;
use serde_json::Value;

use super::binaries::FUNCTIONS;
use super::function::{Process, environment};

/// An address without a listener.
const NOWHERE: &str = "http://127.0.0.1:9";

/// Starts a function, asserts that it fails, and returns the error that it logged.
async fn failed_start(name: &str, variables: &HashMap<String, String>) -> String {
    let mut process = Process::spawn(name, variables);
    assert_eq!(process.end().await, Some(1), "{name}");
    let lines = process.lines();
    let [line] = lines.as_slice() else { panic!("{name}: {lines:?}") };
    let line: Value = serde_json::from_str(line).expect("a line in JSON");
    assert_eq!((&line["level"], &line["message"]), (&"ERROR".into(), &"the function could not start".into()));
    line["error"].as_str().expect("a chain").to_owned()
}

#[tokio::test]
async fn invalid_environment_is_reported_in_one_line() {
    let simulator = Simulator::builder().build().await.expect("a simulator");
    for name in FUNCTIONS {
        let mut variables = environment(&simulator, NOWHERE);
        variables.remove("TABLE_NAME");
        assert_eq!(failed_start(name, &variables).await, "the environment variable TABLE_NAME is missing");
    }
    let mut variables = environment(&simulator, NOWHERE);
    variables.insert("OPERATOR_TOKEN_SHA256".to_owned(), "tmk_in-the-wrong-place".to_owned());
    let error = failed_start("authorizer", &variables).await;
    assert_eq!(
        error,
        "the environment variable OPERATOR_TOKEN_SHA256 is not 64 lower-case hexadecimal digits, or two of these with \
         a comma between them"
    );
    let error = failed_start("monthly-rollover", &environment(&simulator, NOWHERE)).await;
    assert_eq!(error, "the environment variable SWEEP_QUEUE_URL is missing");
    for (name, variable) in [
        ("form-submission", "INTAKE_QUEUE_URL"),
        ("bulk-jobs", "BULK_QUEUE_URL"),
        ("automation-worker", "AUTOMATION_QUEUE_URL"),
        ("bulk-worker", "BULK_QUEUE_URL"),
        ("change-feed", "AUTOMATION_QUEUE_URL"),
        ("console", "BULK_QUEUE_URL"),
        ("file-worker", "FILE_QUEUE_URL"),
        ("file-worker", "FILES_BUCKET"),
        ("files", "FILE_QUEUE_URL"),
        ("files", "FILES_BUCKET"),
        ("hubspot-crm", "FILE_QUEUE_URL"),
        ("monthly-rollover", "FILE_QUEUE_URL"),
        ("automations", "BULK_QUEUE_URL"),
        ("segments", "BULK_QUEUE_URL"),
    ] {
        let mut variables = environment(&simulator, NOWHERE);
        variables.insert("SWEEP_QUEUE_URL".to_owned(), format!("{NOWHERE}/123456789012/SweepQueue"));
        variables.remove(variable);
        let error = failed_start(name, &variables).await;
        assert_eq!(error, format!("the environment variable {variable} is missing"));
    }
}
