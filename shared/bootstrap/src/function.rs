//! The start of a function: all steps before its first event.

use std::fmt;
use std::process::ExitCode;

use api::problem::chain;
use api::{Clock, Context, Queue};
use aws_config::SdkConfig;
use serde::Serialize;
use store::{Rng, Store};
use tracing::Level;

use crate::clock::system_clock;
use crate::environment::{Environment, EnvironmentError};
use crate::sdk::Sdk;
use crate::{logging, queue};

/// A started function, with the parts that its handler needs.
pub struct Function {
    /// The function's name, for log lines.
    pub name: String,
    /// The environment, for variables that only some functions have.
    pub environment: Environment,
    /// The table, with an open connection.
    pub store: Store,
    /// The wall clock.
    pub clock: Clock,
    sdk: Sdk,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Function {
    async fn start(environment: Environment) -> Result<Self, EnvironmentError> {
        let name = environment.function_name()?;
        environment.stack_name()?;
        let table = environment.table_name()?;
        let sdk = Sdk::of(&environment)?;
        let store = Store::new(sdk.dynamodb(), table, Rng::system());
        store.warm_up().await;
        Ok(Self { name, environment, store, clock: system_clock(), sdk })
    }

    /// Creates the SQS queue with this URL.
    #[must_use]
    pub fn queue<T: Serialize + Send + Sync + 'static>(&self, url: String) -> Queue<T> {
        queue::queue(self.sdk.sqs(), url)
    }

    /// Returns the configuration of a client of S3, for the functions that use files.
    #[must_use]
    pub fn s3_config(&self) -> SdkConfig {
        self.sdk.s3()
    }

    /// Creates the context of HTTP handlers.
    ///
    /// # Errors
    ///
    /// [`EnvironmentError`] if `PUBLIC_URL` is set and is not an HTTP address.
    pub fn context(&self) -> Result<Context, EnvironmentError> {
        let url = self.environment.public_url()?.unwrap_or_default();
        Ok(Context::new(self.store.clone(), self.clock.clone()).with_public_url(&url))
    }
}

/// Starts a function and runs it until Lambda ends it. If the start fails, the function logs one line with the cause
/// and returns a failure.
pub async fn run<F>(body: impl FnOnce(Function) -> F) -> ExitCode
where
    F: Future<Output = Result<(), lambda_runtime::Error>>,
{
    let environment = Environment::of_process();
    let level = environment.log_level();
    let at = *level.as_ref().unwrap_or(&Level::INFO);
    match environment.stack_name() {
        Ok(stack) => logging::init_with_metrics(at, stack),
        Err(_) => logging::init(at),
    }
    let started = match level {
        Ok(_) => Function::start(environment).await,
        Err(error) => Err(error),
    };
    let ended = match started {
        Ok(function) => body(function).await,
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = chain(&*error), "the function could not start");
            ExitCode::FAILURE
        }
    }
}
