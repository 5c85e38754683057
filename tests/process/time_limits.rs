//! How long functions may take, in the template, against how long calls and retries take, in `domain::limits`.

use std::time::Duration;

use domain::limits::{
    AWS_ATTEMPT_TIMEOUT, AWS_ATTEMPTS_MAX, AWS_BACKOFF_FIRST, AWS_CONNECT_TIMEOUT, AWS_OPERATION_TIMEOUT,
    DEADLINE_MARGIN, RETRIES_MAX, RETRIES_TIME_MAX, RETRY_PAUSE_FIRST_MILLIS, RETRY_PAUSE_LONGEST_MILLIS,
};

use super::binaries::FUNCTIONS;
use crate::template::functions::time_limit_of;

/// How long Lambda lets a function start before it counts against the first event's time.
const START: Duration = Duration::from_secs(10);

/// The longest pause between two tries of an operation.
const LONGEST_PAUSE: Duration = Duration::from_millis(RETRY_PAUSE_LONGEST_MILLIS);

/// The longest that an operation takes when it gives up: the last try begins just before the time for tries is over.
fn until_given_up() -> Duration {
    RETRIES_TIME_MAX + LONGEST_PAUSE + AWS_OPERATION_TIMEOUT
}

#[test]
fn a_call_has_time_for_all_of_its_attempts() {
    assert!(AWS_CONNECT_TIMEOUT < AWS_ATTEMPT_TIMEOUT);
    let pauses: Duration = (0..AWS_ATTEMPTS_MAX - 1).map(|n| AWS_BACKOFF_FIRST * 2_u32.pow(n)).sum();
    assert!(AWS_ATTEMPT_TIMEOUT * AWS_ATTEMPTS_MAX + pauses <= AWS_OPERATION_TIMEOUT);
}

#[test]
fn an_operation_has_time_for_all_of_its_retries_when_calls_are_answered() {
    let pause = |n: u32| Duration::from_millis(RETRY_PAUSE_FIRST_MILLIS) * 2_u32.pow(n);
    let pauses: Duration = (0..RETRIES_MAX).map(|n| pause(n).min(LONGEST_PAUSE)).sum();
    // A full transaction takes tens of milliseconds, and a batched read before it as long.
    let calls = Duration::from_millis(100) * (RETRIES_MAX + 1);
    assert!(pauses + calls <= RETRIES_TIME_MAX);
}

#[test]
fn a_function_gives_up_before_lambda_ends_it() {
    for function in FUNCTIONS {
        let limit = time_limit_of(function);
        assert!(AWS_OPERATION_TIMEOUT < limit, "{function}");
        assert!(until_given_up() < limit, "{function}");
    }
}

#[test]
fn what_the_retries_could_not_take_still_goes_into_the_inbox_in_time() {
    // One write, and a message to the queue.
    assert!(until_given_up() + 2 * AWS_OPERATION_TIMEOUT < time_limit_of("form-submission"));
}

#[test]
fn the_inboxs_worker_has_time_for_some_of_its_work_and_for_an_end_in_good_order() {
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    // The last step: who waits, who they are by now, and the transaction.
    assert!(until_given_up() + 2 * AWS_OPERATION_TIMEOUT < margin);
    assert!(time_limit_of("intake-worker") >= margin + Duration::from_secs(15));
}

#[test]
fn a_function_has_opened_its_connection_before_its_start_is_over() {
    assert!(AWS_OPERATION_TIMEOUT < START);
}

#[test]
fn a_job_ends_in_good_order_even_when_its_last_step_fails() {
    let margin = DEADLINE_MARGIN.to_std().unwrap();
    // The last step of a sweep: a query, the batched read of those whom it names, and the writes.
    assert!(AWS_OPERATION_TIMEOUT + 2 * until_given_up() < margin);
    // The last step of the rollover: the statement, the two batches that it sends, and putting the statement off.
    assert!(4 * AWS_OPERATION_TIMEOUT < margin);
    for function in ["monthly-rollover", "sweep-period"] {
        assert!(time_limit_of(function) >= 5 * margin, "most of the time of {function} is for its work");
    }
}
