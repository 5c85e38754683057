//! A separate table for each test, in an embedded engine.

use std::sync::OnceLock;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use domain::ids::AccountId;
use domain::period::Terms;
use domain::{Timestamp, ids};
use dynoxide::Database;
use store::{Account, NewAccount, Responder, Rng, Store, StoredResponse};
use tidemark::engine::Engine;

use crate::engine_server::EngineServer;
use crate::{Conflicts, Recorder, terms};

/// The name of the table in tests.
pub const TABLE: &str = "tidemark-test";

/// A table, a store over it, and a recorder of the store's calls.
pub struct TestTable {
    /// The store under test.
    pub store: Store,
    /// A client for the test itself. Its calls are not recorded.
    pub client: Client,
    /// The recorder of the store's calls.
    pub recorder: Recorder,
    _engine: Engine,
    database: Database,
    server: OnceLock<EngineServer>,
}

impl TestTable {
    /// Creates a new, empty table.
    pub async fn start() -> Self {
        Self::with_http(|engine| engine).await
    }

    /// Creates a new, empty table. The faults apply to the store's calls only.
    pub async fn with_faults(faults: &Conflicts) -> Self {
        Self::with_http(|engine| faults.before(engine)).await
    }

    async fn with_http(http: impl FnOnce(SharedHttpClient) -> SharedHttpClient) -> Self {
        let database = Database::memory().expect("an engine");
        let engine = Engine::over(database.clone());
        let client = engine.client();
        tidemark::table::create_table(&client, TABLE).await.expect("a table");
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
        Self { store, client, recorder, _engine: engine, database, server: OnceLock::new() }
    }

    /// Returns the address of the engine's HTTP interface, for programs with their own client. The first call starts
    /// the server.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.server.get_or_init(|| EngineServer::start(self.database.clone())).endpoint
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
