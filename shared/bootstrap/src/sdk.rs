//! The AWS SDK: its behaviour pinned, its waiting bounded.
//!
//! Lambda says in the environment what a client needs, and nothing else is asked: the SDK's own search for it, through
//! profiles, other services and the metadata of machines, would be a tenth of every function.

use aws_config::SdkConfig;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedCredentialsProvider};
use domain::limits::{
    AWS_ATTEMPT_TIMEOUT, AWS_ATTEMPTS_MAX, AWS_BACKOFF_FIRST, AWS_CONNECT_TIMEOUT, AWS_OPERATION_TIMEOUT,
};

use crate::environment::{Environment, EnvironmentError};

/// What clients are made of.
pub(crate) struct Sdk {
    /// What they share.
    config: SdkConfig,
    /// Where DynamoDB is, if not at its usual place.
    dynamodb_url: Option<String>,
    /// Where SQS is, if not at its usual place.
    sqs_url: Option<String>,
}

impl Sdk {
    /// The SDK as the environment sets it.
    ///
    /// # Errors
    ///
    /// If a variable is missing that Lambda sets, or another place is set for a service and it is no HTTP address.
    pub(crate) fn of(environment: &Environment) -> Result<Self, EnvironmentError> {
        let config = SdkConfig::builder()
            .behavior_version(behaviour())
            .region(Region::new(environment.region()?))
            .credentials_provider(SharedCredentialsProvider::new(
                EnvironmentVariableCredentialsProvider::new(),
            ))
            .timeout_config(timeouts())
            .retry_config(retries())
            .build();
        let dynamodb_url = environment.endpoint_url("AWS_ENDPOINT_URL_DYNAMODB")?;
        let sqs_url = environment.endpoint_url("AWS_ENDPOINT_URL_SQS")?;
        Ok(Self { config, dynamodb_url, sqs_url })
    }

    /// A client of DynamoDB.
    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&self.config);
        config.set_endpoint_url(self.dynamodb_url.clone());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// What makes a client of SQS.
    pub(crate) fn sqs(&self) -> impl FnOnce() -> aws_sdk_sqs::Client + use<> {
        let mut config = aws_sdk_sqs::config::Builder::from(&self.config);
        config.set_endpoint_url(self.sqs_url.clone());
        move || aws_sdk_sqs::Client::from_conf(config.build())
    }
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
