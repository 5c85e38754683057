//! The AWS SDK: its behaviour pinned, its waiting bounded.

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use domain::limits::{
    AWS_ATTEMPT_TIMEOUT, AWS_ATTEMPTS_MAX, AWS_BACKOFF_FIRST, AWS_CONNECT_TIMEOUT, AWS_OPERATION_TIMEOUT,
};

/// What all clients share. Region, credentials and endpoints (such as `AWS_ENDPOINT_URL_DYNAMODB`) are those that the
/// SDK itself reads from the environment.
pub(crate) async fn config() -> SdkConfig {
    aws_config::defaults(behaviour()).timeout_config(timeouts()).retry_config(retries()).load().await
}

/// The behaviour is pinned, so that an update of the SDK changes none of it unasked.
fn behaviour() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(AWS_CONNECT_TIMEOUT)
        .operation_attempt_timeout(AWS_ATTEMPT_TIMEOUT)
        .operation_timeout(AWS_OPERATION_TIMEOUT)
        .build()
}

/// Retries stay on: connections from the pool die while a function is frozen.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(AWS_ATTEMPTS_MAX).with_initial_backoff(AWS_BACKOFF_FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_attempts_fit_into_the_operation() {
        assert!(AWS_CONNECT_TIMEOUT < AWS_ATTEMPT_TIMEOUT);
        let pauses = AWS_BACKOFF_FIRST * (2_u32.pow(AWS_ATTEMPTS_MAX - 1) - 1);
        assert!(AWS_ATTEMPT_TIMEOUT * AWS_ATTEMPTS_MAX + pauses <= AWS_OPERATION_TIMEOUT);
        assert_eq!(timeouts().operation_timeout(), Some(AWS_OPERATION_TIMEOUT));
        assert_eq!(
            (retries().max_attempts(), retries().initial_backoff()),
            (AWS_ATTEMPTS_MAX, AWS_BACKOFF_FIRST)
        );
    }
}
