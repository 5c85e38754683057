//! The functions' time limits in the template, compared with the times of calls and retries in `domain::limits`.

use std::time::Duration;

use domain::limits::{
    AUTOMATION_EXPECTED, AWS_ATTEMPT_TIMEOUT, AWS_ATTEMPTS_MAX, AWS_BACKOFF_FIRST, AWS_CONNECT_TIMEOUT,
    AWS_OPERATION_TIMEOUT, BULK_EXPECTED, COUNT_TIME_MAX, DEADLINE_MARGIN, FILE_JOB_EXPECTED,
    FILE_OPERATION_TIMEOUT, RETRIES_MAX, RETRIES_TIME_MAX, RETRY_PAUSE_FIRST_MILLIS,
    RETRY_PAUSE_LONGEST_MILLIS,
};

use super::binaries::FUNCTIONS;
use crate::template::functions::time_limit_of;

/// The initialization time that Lambda does not count against the first event's time limit.
const START: Duration = Duration::from_secs(10);

/// The longest pause between two attempts of an operation.
const LONGEST_PAUSE: Duration = Duration::from_millis(RETRY_PAUSE_LONGEST_MILLIS);

/// Returns the longest time until an operation gives up: its last attempt begins just before the retry time ends.
fn until_given_up() -> Duration {
    RETRIES_TIME_MAX + LONGEST_PAUSE + AWS_OPERATION_TIMEOUT
}

#[test]
fn call_has_time_for_all_attempts() {
    assert!(AWS_CONNECT_TIMEOUT < AWS_ATTEMPT_TIMEOUT);
    let pauses: Duration = (0..AWS_ATTEMPTS_MAX - 1).map(|n| AWS_BACKOFF_FIRST * 2_u32.pow(n)).sum();
    assert!(AWS_ATTEMPT_TIMEOUT * AWS_ATTEMPTS_MAX + pauses <= AWS_OPERATION_TIMEOUT);
}

#[test]
fn operation_has_time_for_all_retries() {
    let pause = |n: u32| Duration::from_millis(RETRY_PAUSE_FIRST_MILLIS) * 2_u32.pow(n);
    let pauses: Duration = (0..RETRIES_MAX).map(|n| pause(n).min(LONGEST_PAUSE)).sum();
    // A full transaction takes tens of milliseconds, and so does the batched read before it.
    let calls = Duration::from_millis(100) * (RETRIES_MAX + 1);
    assert!(pauses + calls <= RETRIES_TIME_MAX);
}

#[test]
fn function_gives_up_before_its_time_limit() {
    for function in FUNCTIONS {
        let limit = time_limit_of(function);
        assert!(AWS_OPERATION_TIMEOUT < limit, "{function}");
        // The authorizer has no retries beside those of the SDK, because API Gateway waits ten seconds for it.
        assert!(function == "authorizer" || until_given_up() < limit, "{function}");
    }
}

#[test]
fn failed_submission_has_time_to_reach_the_inbox() {
    // The inbox requires one write and one message to the queue.
    assert!(until_given_up() + 2 * AWS_OPERATION_TIMEOUT < time_limit_of("form-submission"));
}

#[test]
fn intake_worker_has_time_for_work_and_an_orderly_end() {
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    // The last step consists of two reads, for the waiting submissions and their contacts, and the transaction.
    assert!(until_given_up() + 2 * AWS_OPERATION_TIMEOUT < margin);
    assert!(time_limit_of("intake-worker") >= margin + Duration::from_secs(15));
}

#[test]
fn long_count_has_time_for_its_last_step() {
    // The last step is the rest of the count, or the transaction that creates the job which continues it.
    assert!(COUNT_TIME_MAX + until_given_up() < time_limit_of("bulk-jobs"));
}

#[test]
fn bulk_worker_has_time_for_work_and_an_orderly_end() {
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    // The last step consists of a transaction and the job's end. Then the worker sends the message that continues.
    assert!(2 * until_given_up() + AWS_OPERATION_TIMEOUT < margin);
    let limit = time_limit_of("bulk-worker");
    assert!(limit >= 3 * margin, "most of the time is for its work");
    assert!(limit < BULK_EXPECTED.to_std().unwrap(), "a job in progress is not queued again");
}

#[test]
fn file_worker_has_time_for_work_and_an_orderly_end() {
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    // The last step is a transaction of rows, or a part of a file. Then the worker sends the message that continues.
    assert!(until_given_up() + AWS_OPERATION_TIMEOUT < margin);
    assert!(FILE_OPERATION_TIMEOUT + AWS_OPERATION_TIMEOUT < margin);
    let limit = time_limit_of("file-worker");
    assert!(limit >= 3 * margin, "most of the time is for its work");
    assert!(limit < FILE_JOB_EXPECTED.to_std().unwrap(), "work in progress is not queued again");
}

#[test]
fn automation_worker_has_time_for_work_and_an_orderly_end() {
    let limit = time_limit_of("automation-worker");
    assert!(limit >= 3 * DEADLINE_MARGIN.to_std().unwrap(), "most of the time is for its work");
    assert!(limit < AUTOMATION_EXPECTED.to_std().unwrap(), "work in progress is not queued again");
}

#[test]
fn connection_opens_within_the_initialization_time() {
    assert!(AWS_OPERATION_TIMEOUT < START);
}

#[test]
fn job_has_time_for_a_failing_last_step() {
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    // The last step of a sweep consists of a query, the batched read of the contacts that it found, and the writes.
    assert!(AWS_OPERATION_TIMEOUT + 2 * until_given_up() < margin);
    // The last step of the rollover consists of the statement, the two batches that it sends, and the deferral of the
    // statement.
    assert!(4 * AWS_OPERATION_TIMEOUT < margin);
    for function in ["monthly-rollover", "sweep-period"] {
        assert!(time_limit_of(function) >= 5 * margin, "most of the time of {function} is for its work");
    }
}
