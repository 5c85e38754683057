//! The AWS SDK, with pinned behaviour and bounded waiting.
//!
//! The configuration of clients is read only from the environment variables that Lambda sets. The SDK's own search
//! through profiles, other services and instance metadata would be a tenth of every function's size.

use aws_config::SdkConfig;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedCredentialsProvider};
use domain::limits::{
    AWS_ATTEMPT_TIMEOUT, AWS_ATTEMPTS_MAX, AWS_BACKOFF_FIRST, AWS_CONNECT_TIMEOUT, AWS_OPERATION_TIMEOUT,
};

use crate::environment::{Environment, EnvironmentError};

/// The configuration of AWS clients.
pub(crate) struct Sdk {
    /// The configuration that all clients share.
    config: SdkConfig,
    /// The URL of DynamoDB, if it is not the default.
    dynamodb_url: Option<String>,
    /// The URL of SQS, if it is not the default.
    sqs_url: Option<String>,
    /// The URL of S3, if it is not the default.
    s3_url: Option<String>,
}

impl Sdk {
    /// Creates the configuration from the environment.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if a variable is missing that Lambda sets, or the URL of a service is not an HTTP address.
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
        let s3_url = environment.endpoint_url("AWS_ENDPOINT_URL_S3")?;
        Ok(Self { config, dynamodb_url, sqs_url, s3_url })
    }

    /// Creates a client of DynamoDB.
    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&self.config);
        config.set_endpoint_url(self.dynamodb_url.clone());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// Returns a function that creates a client of SQS.
    pub(crate) fn sqs(&self) -> impl FnOnce() -> aws_sdk_sqs::Client + use<> {
        let mut config = aws_sdk_sqs::config::Builder::from(&self.config);
        config.set_endpoint_url(self.sqs_url.clone());
        move || aws_sdk_sqs::Client::from_conf(config.build())
    }

    /// Returns the configuration of a client of S3. Only few functions have one, so its crate creates it.
    pub(crate) fn s3(&self) -> SdkConfig {
        let mut config = self.config.to_builder();
        config.set_endpoint_url(self.s3_url.clone());
        config.build()
    }
}

/// Returns the pinned behaviour version, so an update of the SDK does not change its behaviour.
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

/// Returns the retry settings. Retries stay on, because pooled connections break while a function is frozen.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(AWS_ATTEMPTS_MAX).with_initial_backoff(AWS_BACKOFF_FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_of_s3_has_its_own_endpoint() {
        let endpoint = |name: &'static str| {
            let environment = Environment::new(move |wanted| match wanted {
                "AWS_REGION" => Some("eu-central-1".to_owned()),
                wanted => (wanted == name).then(|| "http://s3.example".to_owned()),
            });
            Sdk::of(&environment).unwrap().s3().endpoint_url().map(str::to_owned)
        };
        assert_eq!(endpoint("AWS_ENDPOINT_URL_S3").unwrap(), "http://s3.example");
        assert_eq!(endpoint("AWS_ENDPOINT_URL").unwrap(), "http://s3.example");
        assert_eq!(endpoint("AWS_ENDPOINT_URL_SQS"), None);
    }

    #[test]
    fn all_attempts_fit_into_the_operation_timeout() {
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
