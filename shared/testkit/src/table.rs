//! A separate table for each test, in an embedded engine.

use std::sync::OnceLock;
use std::time::Duration;

use aws_lambda_events::dynamodb::Event;
use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use domain::ids::AccountId;
use domain::period::Terms;
use domain::{Timestamp, ids};
use dynoxide::Database;
use serde_json::{Value, json};
use store::{Account, AutomationTask, NewAccount, Responder, Rng, Store, StoredResponse, StreamRecord};
use tidemark::engine::Engine;
use tidemark::table::table_definition;

use crate::engine_server::EngineServer;
use crate::{Conflicts, Recorder, terms};

/// The name of the table in tests.
pub const TABLE: &str = "tidemark-test";

/// The number of records that are read from a stream at once.
const RECORDS_PAGE: usize = 1_000;

/// A table, a store over it, and a recorder of the store's calls.
pub struct TestTable {
    /// The store under test.
    pub store: Store,
    /// A client for the test itself. Its calls are not recorded.
    pub client: Client,
    /// The recorder of the store's calls.
    pub recorder: Recorder,
    engine: Engine,
    database: Database,
    server: OnceLock<EngineServer>,
}

impl TestTable {
    /// Creates a new, empty table. It has no stream, which would make every write slower.
    pub async fn start() -> Self {
        Self::without_stream(|engine| engine).await
    }

    /// Creates a new, empty table without a stream. The faults apply to the store's calls only.
    pub async fn with_faults(faults: &Conflicts) -> Self {
        Self::without_stream(|engine| faults.before(engine)).await
    }

    /// Creates a new, empty table with the stream of the template.
    pub async fn with_stream() -> Self {
        Self::with_stream_and(|engine| engine).await
    }

    /// Creates a new, empty table with the stream of the template. The faults apply to the store's calls only.
    pub async fn with_stream_and_faults(faults: &Conflicts) -> Self {
        Self::with_stream_and(|engine| faults.before(engine)).await
    }

    async fn with_stream_and(http: impl FnOnce(SharedHttpClient) -> SharedHttpClient) -> Self {
        let engine = Engine::in_memory().expect("an engine");
        let database = engine.database().await.expect("a running engine");
        table_definition().expect("a definition").ensure(&engine.client(), TABLE).await.expect("a table");
        Self::over(engine, database, http)
    }

    async fn without_stream(http: impl FnOnce(SharedHttpClient) -> SharedHttpClient) -> Self {
        let database = Database::memory().expect("an engine");
        let engine = Engine::over(database.clone());
        let definition = table_definition().expect("a definition").without_stream();
        definition.ensure(&engine.client(), TABLE).await.expect("a table");
        Self::over(engine, database, http)
    }

    fn over(
        engine: Engine,
        database: Database,
        http: impl FnOnce(SharedHttpClient) -> SharedHttpClient,
    ) -> Self {
        let client = engine.client();
        let recorder = Recorder::default();
        let retries = aws_sdk_dynamodb::config::retry::RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(Duration::from_millis(5));
        let config = engine
            .config_builder()
            .http_client(http(engine.http_client()))
            .interceptor(recorder.clone())
            .retry_config(retries);
        let store = Store::new(Client::from_conf(config.build()), TABLE, Rng::seeded(7));
        Self { store, client, recorder, engine, database, server: OnceLock::new() }
    }

    /// Returns the address of the engine's HTTP interface, for programs with their own client. The first call starts
    /// the server.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.server.get_or_init(|| EngineServer::start(self.database.clone())).endpoint
    }

    /// Removes and returns the changes of the table since the last call, each in the format of Lambda's events. The
    /// table must have a stream.
    pub async fn changes(&self) -> Vec<Value> {
        let stream = self.engine.stream(TABLE);
        let mut changes = Vec::new();
        loop {
            let page = stream.read(RECORDS_PAGE).await.expect("a stream");
            let Some(last) = page.last() else { return changes };
            let last = last["dynamodb"]["SequenceNumber"].as_str().expect("a number");
            stream.remove_through(last).await.expect("they are removed");
            changes.extend(page);
        }
    }

    /// Removes and returns the changes of the table since the last call, as the change feed follows them.
    pub async fn records(&self) -> Vec<StreamRecord> {
        let event: Event =
            serde_json::from_value(json!({"Records": self.changes().await})).expect("an event");
        change_feed::records(event)
    }

    /// Follows the changes of the table since the last call, as the change feed does. Returns the automations that have
    /// something to do, or `None` if there were no changes.
    pub async fn follow(&self, now: Timestamp) -> Option<Vec<AutomationTask>> {
        let records = self.records().await;
        if records.is_empty() {
            return None;
        }
        let followed = self.store.follow(records, now).await;
        assert!(followed.failed.is_empty(), "a record was not followed: {:?}", followed.failed);
        Some(followed.tasks)
    }

    /// Returns the engine's database, for typed operations without a client.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Creates an account with the default [`terms`].
    pub async fn account(&self, now: Timestamp) -> AccountId {
        self.account_with(terms(), now).await
    }

    /// Creates an account with these terms.
    pub async fn account_with(&self, terms: Terms, now: Timestamp) -> AccountId {
        let token = format!("{:064x}", self.store.rng().bits());
        let new = NewAccount { name: "Test", terms, token_sha256: &token };
        let render = |account: &Account| StoredResponse {
            status: 201,
            body: account.id.to_string(),
            etag: None,
            location: None,
        };
        let answer =
            self.store.create_account(&new, now, Responder::new(None, &render)).await.expect("an account");
        answer.body.parse::<ids::AccountId>().expect("an account's id")
    }
}
