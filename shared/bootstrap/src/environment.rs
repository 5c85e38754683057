//! The environment variables. Only this module reads them. They are checked before the function runs.

use std::fmt;

use thiserror::Error;
use tracing::Level;

/// The error for a missing or malformed variable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvironmentError {
    /// The variable is not set, or empty.
    #[error("the environment variable {0} is missing")]
    Missing(&'static str),
    /// The variable has an unexpected value. The value is not repeated, because it may be a misplaced secret.
    #[error("the environment variable {name} is not {expected}")]
    Malformed {
        /// The variable's name.
        name: &'static str,
        /// The expected value: a noun phrase.
        expected: &'static str,
    },
}

/// A function that returns the value of a variable.
type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The process's environment.
pub struct Environment {
    lookup: Box<Lookup>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

impl Environment {
    /// Creates the environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
        Self::new(|name| std::env::var(name).ok())
    }

    /// Creates an environment in which `lookup` returns the values of variables.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { lookup: Box::new(lookup) }
    }

    fn get(&self, name: &'static str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    fn require(&self, name: &'static str) -> Result<String, EnvironmentError> {
        self.get(name).ok_or(EnvironmentError::Missing(name))
    }

    /// Returns `TABLE_NAME`, the name of the DynamoDB table.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if it is missing or not a valid table name (3 to 255 of `[a-zA-Z0-9_.-]`).
    pub fn table_name(&self) -> Result<String, EnvironmentError> {
        let fits = |name: &str| {
            (3..=255).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        };
        checked("TABLE_NAME", self.require("TABLE_NAME")?, fits, "the name of a table")
    }

    /// Returns `SWEEP_QUEUE_URL`, the queue of sweep tasks.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if it is missing or not an HTTP address.
    pub fn sweep_queue_url(&self) -> Result<String, EnvironmentError> {
        checked("SWEEP_QUEUE_URL", self.require("SWEEP_QUEUE_URL")?, is_http, "an HTTP address")
    }

    /// Returns `INTAKE_QUEUE_URL`, the queue of submissions in the inbox.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if it is missing or not an HTTP address.
    pub fn intake_queue_url(&self) -> Result<String, EnvironmentError> {
        checked("INTAKE_QUEUE_URL", self.require("INTAKE_QUEUE_URL")?, is_http, "an HTTP address")
    }

    /// Returns `BULK_QUEUE_URL`, the queue of accounts with unfinished bulk jobs.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if it is missing or not an HTTP address.
    pub fn bulk_queue_url(&self) -> Result<String, EnvironmentError> {
        checked("BULK_QUEUE_URL", self.require("BULK_QUEUE_URL")?, is_http, "an HTTP address")
    }

    /// Returns `FILE_QUEUE_URL`, the queue of unfinished imports and exports.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if it is missing or not an HTTP address.
    pub fn file_queue_url(&self) -> Result<String, EnvironmentError> {
        checked("FILE_QUEUE_URL", self.require("FILE_QUEUE_URL")?, is_http, "an HTTP address")
    }

    /// Returns `AUTOMATION_QUEUE_URL`, the queue of automations for which contacts wait.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if it is missing or not an HTTP address.
    pub fn automation_queue_url(&self) -> Result<String, EnvironmentError> {
        checked("AUTOMATION_QUEUE_URL", self.require("AUTOMATION_QUEUE_URL")?, is_http, "an HTTP address")
    }

    /// Returns `FILES_BUCKET`, the name of the bucket of files.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if it is missing or not a valid bucket name (3 to 63 of `[a-z0-9.-]`).
    pub fn files_bucket(&self) -> Result<String, EnvironmentError> {
        let fits = |name: &str| {
            (3..=63).contains(&name.len())
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
        };
        checked("FILES_BUCKET", self.require("FILES_BUCKET")?, fits, "the name of a bucket")
    }

    /// Returns `STACK_NAME`, the name of the stack, which is a dimension of its metrics.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if it is missing.
    pub fn stack_name(&self) -> Result<String, EnvironmentError> {
        self.require("STACK_NAME")
    }

    /// Returns `OPERATOR_TOKEN_SHA256`, the digest of the operator's token. While the token is replaced, there are two,
    /// separated by a comma.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if it is missing or not one or two numbers of 64 lower-case hexadecimal digits.
    pub fn operator_token_sha256(&self) -> Result<Vec<String>, EnvironmentError> {
        let is_digest = |digest: &str| {
            digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let fits = |digests: &str| digests.split(',').count() <= 2 && digests.split(',').all(is_digest);
        let name = "OPERATOR_TOKEN_SHA256";
        let expected = "64 lower-case hexadecimal digits, or two of these with a comma between them";
        let digests = checked(name, self.require(name)?, fits, expected)?;
        Ok(digests.split(',').map(str::to_owned).collect())
    }

    /// Returns `TIDEMARK_OPERATOR_TOKEN`, the operator's token itself, for the local stack. A deployed function has
    /// only its digest.
    #[must_use]
    pub fn local_operator_token(&self) -> Option<String> {
        self.get("TIDEMARK_OPERATOR_TOKEN")
    }

    /// Returns `PUBLIC_URL`, the URL at which callers reach the API, if the deployment sets it.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if it is set and is not an HTTP address.
    pub fn public_url(&self) -> Result<Option<String>, EnvironmentError> {
        self.get("PUBLIC_URL").map(|url| checked("PUBLIC_URL", url, is_http, "an HTTP address")).transpose()
    }

    /// Returns the level of `AWS_LAMBDA_LOG_LEVEL`: `fatal`, `error`, `warn`, `info`, `debug` or `trace`, in upper or
    /// lower case. Lambda sets it to the `ApplicationLogLevel` of the function. The default is `info`.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] for any other value.
    pub fn log_level(&self) -> Result<Level, EnvironmentError> {
        let name = "AWS_LAMBDA_LOG_LEVEL";
        let Some(level) = self.get(name) else { return Ok(Level::INFO) };
        let expected = "fatal, error, warn, info, debug or trace";
        if level.eq_ignore_ascii_case("fatal") {
            return Ok(Level::ERROR);
        }
        // `Level` would also parse a number.
        let level = level.parse().ok().filter(|_| level.bytes().all(|b| b.is_ascii_alphabetic()));
        level.ok_or(EnvironmentError::Malformed { name, expected })
    }

    /// Returns `AWS_REGION`, the region of the function and its table.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if it is missing. Lambda sets it.
    pub(crate) fn region(&self) -> Result<String, EnvironmentError> {
        self.require("AWS_REGION")
    }

    /// Returns the URL of an AWS service if it is not the default. It is the value of `of_service`, such as
    /// `AWS_ENDPOINT_URL_DYNAMODB`, or else of `AWS_ENDPOINT_URL`, which applies to all services.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if it is set and is not an HTTP address.
    pub(crate) fn endpoint_url(&self, of_service: &'static str) -> Result<Option<String>, EnvironmentError> {
        let set = [of_service, "AWS_ENDPOINT_URL"].into_iter().find_map(|name| Some((name, self.get(name)?)));
        set.map(|(name, url)| checked(name, url, is_http, "an HTTP address")).transpose()
    }

    /// Returns the function's name. It first checks all variables that the Lambda runtime needs, because the runtime
    /// panics if one is missing.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if a variable is missing that Lambda sets.
    pub fn function_name(&self) -> Result<String, EnvironmentError> {
        for name in ["AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_VERSION"] {
            self.require(name)?;
        }
        let name = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
        checked(name, self.require(name)?, |size| size.parse::<i32>().is_ok(), "a number of megabytes")?;
        self.require("AWS_LAMBDA_FUNCTION_NAME")
    }
}

fn is_http(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
}

fn checked(
    name: &'static str,
    value: String,
    fits: impl Fn(&str) -> bool,
    expected: &'static str,
) -> Result<String, EnvironmentError> {
    if fits(&value) { Ok(value) } else { Err(EnvironmentError::Malformed { name, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> Environment {
        Environment::new(move |wanted| (wanted == name).then(|| value.to_owned()))
    }

    fn with_all(set: Vec<(&'static str, &'static str)>) -> Environment {
        Environment::new(move |wanted| {
            set.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn missing_variable_is_named() {
        let empty = Environment::new(|_| None);
        let missing = |name| Err(EnvironmentError::Missing(name));
        assert_eq!(
            empty.operator_token_sha256().unwrap_err(),
            EnvironmentError::Missing("OPERATOR_TOKEN_SHA256")
        );
        assert_eq!(empty.stack_name(), missing("STACK_NAME"));
        assert_eq!(empty.table_name(), missing("TABLE_NAME"));
        assert_eq!(empty.sweep_queue_url(), missing("SWEEP_QUEUE_URL"));
        assert_eq!(empty.intake_queue_url(), missing("INTAKE_QUEUE_URL"));
        assert_eq!(empty.bulk_queue_url(), missing("BULK_QUEUE_URL"));
        assert_eq!(empty.automation_queue_url(), missing("AUTOMATION_QUEUE_URL"));
        assert_eq!(empty.file_queue_url(), missing("FILE_QUEUE_URL"));
        assert_eq!(empty.files_bucket(), missing("FILES_BUCKET"));
        assert_eq!(empty.function_name(), missing("AWS_LAMBDA_RUNTIME_API"));
        assert_eq!(empty.region(), missing("AWS_REGION"));
        assert_eq!(with("TABLE_NAME", "").table_name(), missing("TABLE_NAME"));
        assert_eq!((empty.public_url(), empty.log_level()), (Ok(None), Ok(Level::INFO)));
    }

    #[test]
    fn variables_are_read() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(with("TABLE_NAME", "tidemark-Table.1_A").table_name().unwrap(), "tidemark-Table.1_A");
        assert_eq!(with("FILES_BUCKET", "tidemark-files-1a2").files_bucket().unwrap(), "tidemark-files-1a2");
        assert_eq!(with("OPERATOR_TOKEN_SHA256", digest).operator_token_sha256().unwrap(), [digest]);
        assert_eq!(
            with("PUBLIC_URL", "https://a.example").public_url().unwrap().unwrap(),
            "https://a.example"
        );
        for (text, level) in
            [("debug", Level::DEBUG), ("WARN", Level::WARN), ("Error", Level::ERROR), ("FATAL", Level::ERROR)]
        {
            assert_eq!(with("AWS_LAMBDA_LOG_LEVEL", text).log_level(), Ok(level));
        }
    }

    #[test]
    fn endpoint_of_one_service_precedes_that_of_all() {
        let all = ("AWS_ENDPOINT_URL", "http://all.example");
        let one = ("AWS_ENDPOINT_URL_SQS", "http://sqs.example");
        let endpoint = |set: &[_], of| with_all(set.to_vec()).endpoint_url(of).unwrap();
        assert_eq!(endpoint(&[], "AWS_ENDPOINT_URL_SQS"), None);
        assert_eq!(endpoint(&[all, one], "AWS_ENDPOINT_URL_SQS").unwrap(), one.1);
        assert_eq!(endpoint(&[all, one], "AWS_ENDPOINT_URL_DYNAMODB").unwrap(), all.1);
    }

    #[test]
    fn malformed_value_is_rejected_and_not_repeated() {
        for name in ["a b c", "ab", "tablé"] {
            assert!(with("TABLE_NAME", name).table_name().is_err(), "{name}");
        }
        for name in ["ab", "Files", "a_b_c"] {
            assert!(with("FILES_BUCKET", name).files_bucket().is_err(), "{name}");
        }
        for url in ["ftp://a.example", "https://", "a.example", "https://a b"] {
            assert!(with("PUBLIC_URL", url).public_url().is_err(), "{url}");
            assert!(with("SWEEP_QUEUE_URL", url).sweep_queue_url().is_err(), "{url}");
            assert!(with("INTAKE_QUEUE_URL", url).intake_queue_url().is_err(), "{url}");
            assert!(with("BULK_QUEUE_URL", url).bulk_queue_url().is_err(), "{url}");
            assert!(with("FILE_QUEUE_URL", url).file_queue_url().is_err(), "{url}");
            assert!(with("AUTOMATION_QUEUE_URL", url).automation_queue_url().is_err(), "{url}");
            assert!(with("AWS_ENDPOINT_URL", url).endpoint_url("AWS_ENDPOINT_URL_SQS").is_err(), "{url}");
        }
        for level in ["loud", "3", "info "] {
            assert!(with("AWS_LAMBDA_LOG_LEVEL", level).log_level().is_err(), "{level}");
        }
        let text =
            with("OPERATOR_TOKEN_SHA256", "tmk_secret").operator_token_sha256().unwrap_err().to_string();
        assert!(text.contains("OPERATOR_TOKEN_SHA256") && !text.contains("secret"), "{text}");
    }
}
