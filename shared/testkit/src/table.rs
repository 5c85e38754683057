//! A table of its own for each test, in an embedded engine.

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

/// The table's name in tests.
pub const TABLE: &str = "tidemark-test";

/// A table, a store over it, and what the store asked of it.
pub struct TestTable {
    /// The store under test.
    pub store: Store,
    /// A client of its own, whose calls are not recorded.
    pub client: Client,
    /// What the store asked of the table.
    pub recorder: Recorder,
    _engine: Engine,
    database: Database,
    server: OnceLock<EngineServer>,
}

impl TestTable {
    /// A new, empty table.
    pub async fn start() -> Self {
        Self::with_http(|engine| engine).await
    }

    /// A new, empty table behind faults. The faults apply to the store alone.
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

    /// The address of the engine's HTTP interface, for programs that bring their own client. The first call starts it.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.server.get_or_init(|| EngineServer::start(self.database.clone())).endpoint
    }

    /// The engine's database, for typed operations without a client.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// An account on the usual terms.
    pub async fn account(&self, now: Timestamp) -> AccountId {
        self.account_with(terms(), now).await
    }

    /// An account on these terms.
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
