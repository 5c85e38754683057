//! The embedded engine: DynamoDB's HTTP interface over SQLite, in this process, for the AWS SDK to talk to as it talks to DynamoDB.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Builder, Credentials, Region, StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use dynoxide::{Database, DynoxideError};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// The region that requests are signed for. The engine does not check it; it is fixed so that nothing is read from the environment.
const REGION: &str = "local";
/// Not a secret: the engine takes any key.
const ACCESS_KEY: &str = "local";
/// A connection over the loopback interface is made at once or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Well above the longest operation on the largest local table, well below what a test runner calls hanging.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request that is being answered may still take once the engine has been told to stop.
const GRACE: Duration = Duration::from_secs(2);
/// How often expired items are removed. DynamoDB promises no more than "within a few days", so nothing may depend on it.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Why the engine did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database could not be opened; a file may be damaged or of a newer version.
    #[error("the database cannot be opened")]
    Open(#[source] DynoxideError),
    /// The path of the file is not UTF-8, which SQLite needs.
    #[error("the database's path is not UTF-8: {}", .0.display())]
    Path(PathBuf),
    /// No port on the loopback interface, or no thread, could be had.
    #[error("the engine cannot be started")]
    Start(#[source] io::Error),
    /// The server ended by an error of its own.
    #[error("the engine failed: {0}")]
    Serve(String),
    /// The engine's thread ended without saying how.
    #[error("the engine ended unexpectedly")]
    Lost,
}

/// A running engine. It lives on a thread of its own, so it serves callers of any runtime and does not hold up theirs.
///
/// Dropping it tells it to stop; [`Engine::stop`] waits until it has, and its file is closed.
#[derive(Debug)]
pub struct Engine {
    endpoint: String,
    /// Dropping it is the signal, so that an engine which is merely dropped stops too.
    running: oneshot::Sender<()>,
    ended: oneshot::Receiver<Result<(), EngineError>>,
}

impl Engine {
    /// Starts an engine whose data lives as long as it does.
    ///
    /// # Errors
    /// [`EngineError::Start`] if no loopback port or no thread can be had.
    pub fn in_memory() -> Result<Self, EngineError> {
        Self::start(Database::memory().map_err(EngineError::Open)?)
    }

    /// Starts an engine on a file, which is made if it is not there; its directory must exist.
    ///
    /// # Errors
    /// [`EngineError::Open`] if the file cannot be opened as a database, [`EngineError::Path`] if its path is not UTF-8,
    /// [`EngineError::Start`] as for [`Engine::in_memory`].
    pub fn on_disk(path: &Path) -> Result<Self, EngineError> {
        let name = path.to_str().ok_or_else(|| EngineError::Path(path.to_owned()))?;
        Self::start(Database::new(name).map_err(EngineError::Open)?)
    }

    /// The base URL of its HTTP interface.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A client of this engine.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::from_conf(self.config_builder().build())
    }

    /// A client's configuration for this engine, to be added to (interceptors, an HTTP client, other timeouts).
    #[must_use]
    pub fn config_builder(&self) -> Builder {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        Builder::new()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static(REGION))
            .endpoint_url(&self.endpoint)
            // Without TLS, whose certificates would be read at every start for nothing.
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .credentials_provider(Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "local"))
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
    }

    /// Stops the engine: no new requests, the running ones are answered. When it returns, the port is free and the file is closed.
    ///
    /// # Errors
    /// [`EngineError::Serve`] or [`EngineError::Lost`] if the engine had failed before.
    pub async fn stop(self) -> Result<(), EngineError> {
        drop(self.running);
        self.ended.await.unwrap_or(Err(EngineError::Lost))
    }

    fn start(database: Database) -> Result<Self, EngineError> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(EngineError::Start)?;
        listener.set_nonblocking(true).map_err(EngineError::Start)?;
        let endpoint = format!("http://{}", listener.local_addr().map_err(EngineError::Start)?);
        // One thread suffices: the engine answers one request at a time, behind one lock.
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(EngineError::Start)?;
        let (running, stopped) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || {
                let result = serve(&runtime, listener, database, stopped);
                // Ends the connections that outlived the grace, and with them the last handles of the database.
                drop(runtime);
                // Nobody waits for an engine that was dropped.
                let _ = end.send(result);
            })
            .map_err(EngineError::Start)?;
        Ok(Self { endpoint, running, ended })
    }
}

/// Serves until the other end of `stopped` is gone.
fn serve(
    runtime: &Runtime,
    listener: std::net::TcpListener,
    database: Database,
    stopped: oneshot::Receiver<()>,
) -> Result<(), EngineError> {
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).map_err(EngineError::Start)?;
        let expiry = tokio::spawn(remove_expired(database.clone()));
        let (stop, stopping) = oneshot::channel::<()>();
        let mut server = Box::pin(dynoxide::server::serve_with_shutdown(listener, database, async {
            let _ = stopping.await;
        }));
        let result = tokio::select! {
            result = &mut server => result,
            _ = stopped => {
                drop(stop);
                tokio::time::timeout(GRACE, server).await.unwrap_or(Ok(()))
            }
        };
        expiry.abort();
        result.map_err(EngineError::Serve)
    })
}

/// Does what DynamoDB does by itself: removes the items whose time is up, now and then.
async fn remove_expired(database: Database) {
    let mut ticks = tokio::time::interval(EXPIRY_INTERVAL);
    // The first tick is immediate; a start has better things to do.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        match database.sweep_ttl() {
            Ok(0) => {}
            Ok(removed) => tracing::debug!(removed, "expired items removed"),
            Err(error) => tracing::warn!(%error, "expired items could not be removed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;
    use crate::table::create_table;

    /// A directory of one test, gone when the test ends.
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

    fn accepts_connections(endpoint: &str) -> bool {
        std::net::TcpStream::connect(endpoint.strip_prefix("http://").unwrap()).is_ok()
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
            engine.stop().await.unwrap();
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
    async fn a_stopped_engine_refuses_connections_even_from_a_client_that_has_one_open() {
        let engine = Engine::in_memory().unwrap();
        let client = engine.client();
        create_table(&client, "contacts").await.unwrap();
        let endpoint = engine.endpoint().to_owned();
        assert!(accepts_connections(&endpoint));
        engine.stop().await.unwrap();
        assert!(!accepts_connections(&endpoint));
        assert!(client.list_tables().send().await.is_err());
    }

    #[tokio::test]
    async fn a_client_that_sends_half_a_request_does_not_keep_the_engine_from_stopping() {
        use std::io::Write;
        let engine = Engine::in_memory().unwrap();
        let mut half =
            std::net::TcpStream::connect(engine.endpoint().strip_prefix("http://").unwrap()).unwrap();
        half.write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{").unwrap();
        // Answered only after the half request has arrived, as both wait in the order of their connections.
        engine.client().list_tables().send().await.unwrap();
        let endpoint = engine.endpoint().to_owned();
        engine.stop().await.unwrap();
        assert!(!accepts_connections(&endpoint));
    }

    #[tokio::test]
    async fn a_dropped_engine_stops() {
        let engine = Engine::in_memory().unwrap();
        let endpoint = engine.endpoint().to_owned();
        let Engine { running, ended, .. } = engine;
        drop(running);
        ended.await.unwrap().unwrap();
        assert!(!accepts_connections(&endpoint));
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_refused() {
        let directory = Directory::new("refused");
        let file = directory.0.join("data.db");
        std::fs::write(&file, "not a database, and long enough to be told from an empty file".repeat(100))
            .unwrap();
        assert!(matches!(Engine::on_disk(&file), Err(EngineError::Open(_))));
        let missing = directory.0.join("missing").join("data.db");
        assert!(matches!(Engine::on_disk(&missing), Err(EngineError::Open(_))));
    }
}
