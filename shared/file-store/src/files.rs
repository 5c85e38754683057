//! The bucket, and whole files in it.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Builder, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use domain::limits::{
    AWS_ATTEMPTS_MAX, AWS_BACKOFF_FIRST, AWS_CONNECT_TIMEOUT, FILE_ATTEMPT_TIMEOUT, FILE_OPERATION_TIMEOUT,
    FILE_STALL_TIME_MAX,
};

use crate::error::{FileError, call_error};

/// The region that a server at an endpoint of its own finds in signatures.
const REGION_AT_ENDPOINT: &str = "local";

/// The files of a bucket. Clones share their connections.
#[derive(Clone)]
pub struct Files {
    pub(crate) client: Client,
    pub(crate) bucket: String,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

/// The size and the version of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// The size in bytes.
    pub bytes: u64,
    /// The tag that S3 gives to this content. Another content under the same key has another one.
    pub version: String,
}

impl Files {
    /// Creates the files of a bucket, with a client of this configuration.
    #[must_use]
    pub fn new(config: &SdkConfig, bucket: String) -> Self {
        let at_endpoint = config.endpoint_url().is_some();
        Self::with(Builder::from(config), at_endpoint, bucket)
    }

    /// Creates the files of a bucket of the server at this URL, which knows the key.
    #[must_use]
    pub fn at_endpoint(url: &str, access_key: &str, secret_key: &str, bucket: String) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(AWS_CONNECT_TIMEOUT)
            .operation_attempt_timeout(FILE_ATTEMPT_TIMEOUT)
            .operation_timeout(FILE_OPERATION_TIMEOUT);
        let retries = RetryConfig::standard().with_max_attempts(AWS_ATTEMPTS_MAX);
        let config = Builder::new()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static(REGION_AT_ENDPOINT))
            .endpoint_url(url)
            .credentials_provider(Credentials::new(access_key, secret_key, None, None, "given"))
            .timeout_config(timeouts.build())
            .retry_config(retries.with_initial_backoff(AWS_BACKOFF_FIRST));
        Self::with(config, true, bucket)
    }

    fn with(config: Builder, at_endpoint: bool, bucket: String) -> Self {
        let stalls = StalledStreamProtectionConfig::enabled().grace_period(FILE_STALL_TIME_MAX);
        let config = config
            // The address of a bucket is a name of AWS. A server elsewhere has one name, and the bucket in the path.
            .force_path_style(at_endpoint)
            // TLS protects the bytes in transit. A checksum after the body would be a second encoding of the body.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .stalled_stream_protection(stalls.build());
        Self { client: Client::from_conf(config.build()), bucket }
    }

    /// Returns the size and the version of a file, or `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// [`FileError::Unavailable`] and [`FileError::Fault`].
    pub async fn info(&self, key: &str) -> Result<Option<FileInfo>, FileError> {
        let failed = "a file was not examined";
        let head = self.client.head_object().bucket(&self.bucket).key(key).send().await;
        let head = match head.map_err(|error| call_error(failed, error)) {
            Ok(head) => head,
            Err(FileError::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        let bytes = head.content_length().and_then(|bytes| u64::try_from(bytes).ok());
        let (Some(bytes), Some(version)) = (bytes, head.e_tag) else {
            return Err(FileError::Fault(failed, "the response lacks the size or the tag".into()));
        };
        Ok(Some(FileInfo { bytes, version }))
    }

    /// Stores a file. An existing one is replaced.
    ///
    /// # Errors
    ///
    /// [`FileError::Unavailable`] and [`FileError::Fault`].
    pub async fn put(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<(), FileError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        let sent = put.body(bytes.into()).customize().config_override(transfers()).send().await;
        sent.map(|_| ()).map_err(|error| call_error("a file was not stored", error))
    }

    /// Deletes a file. A file that does not exist is not an error.
    ///
    /// # Errors
    ///
    /// [`FileError::Unavailable`] and [`FileError::Fault`].
    pub async fn delete(&self, key: &str) -> Result<(), FileError> {
        let deleted = self.client.delete_object().bucket(&self.bucket).key(key).send().await;
        deleted.map(|_| ()).map_err(|error| call_error("a file was not deleted", error))
    }
}

/// Returns the settings of calls that send a part or join the parts, which last longer than others.
pub(crate) fn transfers() -> Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(AWS_CONNECT_TIMEOUT)
        .operation_attempt_timeout(FILE_ATTEMPT_TIMEOUT)
        .operation_timeout(FILE_OPERATION_TIMEOUT);
    Builder::new().timeout_config(timeouts.build())
}

#[cfg(test)]
mod tests {
    use domain::limits::DEADLINE_MARGIN;

    use super::*;

    #[test]
    fn last_call_of_a_worker_fits_before_its_deadline() {
        assert!(FILE_ATTEMPT_TIMEOUT * 2 < FILE_OPERATION_TIMEOUT);
        assert!(FILE_OPERATION_TIMEOUT < DEADLINE_MARGIN.to_std().unwrap());
    }
}
