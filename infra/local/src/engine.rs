//! The embedded engine: DynamoDB over SQLite, in this process. The AWS SDK uses it as its HTTP client, so no port is
//! open through which another user of the machine could reach the table.

mod operations;
mod stream;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Builder, Region, SharedHttpClient, StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_smithy_runtime_api::client::auth::AuthSchemeId;
use dynoxide::{Database, DynoxideError};
use tokio::task::JoinHandle;

pub use operations::{Operations, Response};
pub use stream::{Stream, StreamError};

use operations::InProcess;
use stream::Maintenance;

/// The region of the client. It is fixed so that nothing is read from the environment.
const REGION: &str = "local";
/// The SDK's name for requests without a signature, which `aws-smithy-runtime` exports and `aws-smithy-runtime-api`
/// does not.
const NO_AUTH: AuthSchemeId = AuthSchemeId::new("noAuth");
/// The endpoint that the SDK requires. It is never resolved, because the HTTP client is the engine.
const ENDPOINT: &str = "http://engine.invalid";
/// The timeout of an operation: well above the longest one on the largest local table, well below the time after
/// which a test runner reports a hanging test.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(30);
/// The interval at which expired items are deleted. DynamoDB guarantees only "within a few days", so no code may
/// depend on it.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// The error of starting the engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database cannot be opened. A file may be damaged or of a newer version.
    #[error("the database cannot be opened")]
    Open(#[source] DynoxideError),
    /// The records of the database's streams cannot be maintained.
    #[error("the database's streams cannot be prepared")]
    Streams(#[source] rusqlite::Error),
    /// The path of the file is not UTF-8, which SQLite requires.
    #[error("the database's path is not UTF-8: {}", .0.display())]
    Path(PathBuf),
}

/// A running engine. Its clients work until [`Engine::stop`].
#[derive(Debug)]
pub struct Engine {
    client: InProcess,
    expiry: JoinHandle<()>,
}

impl Engine {
    /// Starts an engine with its data in memory, for as long as the engine and its clients exist. It needs a tokio
    /// runtime.
    ///
    /// # Errors
    ///
    /// [`EngineError::Open`] or [`EngineError::Streams`], which do not happen in practice.
    pub fn in_memory() -> Result<Self, EngineError> {
        Self::open(&new_name_in_memory())
    }

    /// Starts an engine on a file, which is created if it does not exist. Its directory must exist.
    ///
    /// # Errors
    ///
    /// [`EngineError::Open`] if the file cannot be opened as a database, [`EngineError::Streams`] if it cannot be
    /// written, [`EngineError::Path`] if its path is not UTF-8.
    pub fn on_disk(path: &Path) -> Result<Self, EngineError> {
        let name = path.to_str().ok_or_else(|| EngineError::Path(path.to_owned()))?;
        Self::open(name)
    }

    fn open(name: &str) -> Result<Self, EngineError> {
        let database = Database::new(name).map_err(EngineError::Open)?;
        let maintenance = Maintenance::open(name).map_err(EngineError::Streams)?;
        Ok(Self::of(database.clone(), Operations::maintained(database, maintenance)))
    }

    /// Starts an engine on an open database, whose streams are not maintained.
    #[must_use]
    pub fn over(database: Database) -> Self {
        Self::of(database.clone(), Operations::new(database))
    }

    fn of(database: Database, operations: Operations) -> Self {
        let expiry = tokio::spawn(remove_expired(database));
        Self { client: InProcess::new(operations), expiry }
    }

    /// Returns the database, for operations without a client. `None` if the engine has stopped.
    pub async fn database(&self) -> Option<Database> {
        self.client.with(|operations| operations.database.clone()).await
    }

    /// Returns the stream of a table.
    #[must_use]
    pub fn stream(&self, table: &str) -> Stream {
        Stream::new(self.client.clone(), table.to_owned())
    }

    /// Returns a client of this engine.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::from_conf(self.config_builder().build())
    }

    /// Returns the HTTP client that carries out the SDK's requests.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.client.clone())
    }

    /// Returns the configuration of a client, to which the caller may add interceptors, an HTTP client or other
    /// timeouts.
    #[must_use]
    pub fn config_builder(&self) -> Builder {
        Builder::new()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static(REGION))
            .endpoint_url(ENDPOINT)
            .http_client(self.http_client())
            // The engine checks no signature, and signing would be a twentieth of a small request's time.
            .allow_no_auth()
            .auth_scheme_preference([NO_AUTH])
            .timeout_config(TimeoutConfig::builder().operation_timeout(OPERATION_TIMEOUT).build())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
    }

    /// Stops the engine. It refuses further operations and finishes running ones. The file is closed when this returns.
    pub async fn stop(mut self) {
        self.expiry.abort();
        // The task has a handle of the database, which it drops when it ends.
        let _ = (&mut self.expiry).await;
        self.client.close().await;
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.expiry.abort();
    }
}

/// Returns the name of a new database in memory.
///
/// SQLite's `memdb` shares a database within the process by a name that begins with a slash, and deletes it with its last
/// connection. A plain database in memory has one connection only.
fn new_name_in_memory() -> String {
    static NAMES: AtomicU64 = AtomicU64::new(0);
    format!("file:/tidemark-{}?vfs=memdb", NAMES.fetch_add(1, Ordering::Relaxed))
}

/// Deletes expired items at intervals, as DynamoDB does by itself.
async fn remove_expired(database: Database) {
    let mut ticks = tokio::time::interval(EXPIRY_INTERVAL);
    // The first tick is immediate. It is skipped to keep the start fast.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        match database.sweep_ttl() {
            Ok(0) => {}
            Ok(deleted) => tracing::debug!(deleted, "expired items deleted"),
            Err(error) => tracing::warn!(%error, "cannot delete expired items"),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;
    use crate::table::create_table;

    /// A directory of one test, which is deleted when the test ends.
    struct Directory(PathBuf);

    impl Directory {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("tidemark-{test}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    async fn put(client: &Client, key: &str) {
        let put = client.put_item().table_name("contacts");
        let put = put
            .item("pk", AttributeValue::S(key.to_owned()))
            .item("sk", AttributeValue::S("ACCOUNT".to_owned()));
        put.send().await.unwrap();
    }

    async fn count(client: &Client) -> i32 {
        client.scan().table_name("contacts").send().await.unwrap().count()
    }

    #[tokio::test]
    async fn data_on_disk_survives_a_restart() {
        let directory = Directory::new("restart");
        let file = directory.0.join("data.db");
        for expected in 1..=3 {
            let engine = Engine::on_disk(&file).unwrap();
            let client = engine.client();
            create_table(&client, "contacts").await.unwrap();
            put(&client, &format!("ACCOUNT#{expected}")).await;
            assert_eq!(count(&client).await, expected);
            engine.stop().await;
        }
    }

    #[tokio::test]
    async fn two_engines_in_memory_share_nothing() {
        let (one, other) = (Engine::in_memory().unwrap(), Engine::in_memory().unwrap());
        for engine in [&one, &other] {
            create_table(&engine.client(), "contacts").await.unwrap();
        }
        put(&one.client(), "ACCOUNT#a").await;
        assert_eq!((count(&one.client()).await, count(&other.client()).await), (1, 0));
    }

    #[tokio::test]
    async fn stopped_engine_refuses_operations_of_its_clients() {
        let engine = Engine::in_memory().unwrap();
        let client = engine.client();
        create_table(&client, "contacts").await.unwrap();
        engine.stop().await;
        assert!(client.list_tables().send().await.is_err());
    }

    #[tokio::test]
    async fn file_that_is_not_a_database_is_refused() {
        let directory = Directory::new("refused");
        let file = directory.0.join("data.db");
        std::fs::write(&file, "not a database, and longer than an empty file".repeat(100)).unwrap();
        assert!(matches!(Engine::on_disk(&file), Err(EngineError::Open(_))));
        let missing = directory.0.join("missing").join("data.db");
        assert!(matches!(Engine::on_disk(&missing), Err(EngineError::Open(_))));
    }
}
