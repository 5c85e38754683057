//! The start and the stop of the local stack.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use api::token::{Secret, sha256_hex};
use api::{Clock, Context};
use file_store::Files;
use store::{Rng, Store};
use thiserror::Error;
use tokio::net::TcpListener;

use crate::app::{Parts, app};
use crate::data_directory::{self, DataDirectoryError};
use crate::demo::{self, DemoError};
use crate::engine::{Engine, EngineError};
use crate::feed::Feed;
use crate::file_server::FileServer;
use crate::jobs::Jobs;
use crate::options::{OperatorTokenError, Options};
use crate::secrets::Secrets;
use crate::server::{Server, reading_whole};
use crate::table::{TableError, create_table};
use crate::template::{TemplateError, feed_settings, intake_batches, schedule_interval};

/// The table's name.
const TABLE: &str = "tidemark";
/// The maximum time for running requests after the stack was asked to stop.
const GRACE: Duration = Duration::from_secs(3);

/// The error of starting the stack.
#[derive(Debug, Error)]
pub enum StackError {
    /// Another program listens at the address, or it is not an address of this machine.
    #[error("cannot listen at {0}; choose another address with --listen")]
    Listen(SocketAddr, #[source] io::Error),
    /// The server of files can't listen at the address, or can't use its directory.
    #[error("cannot store files at {0}; choose another address with --listen-files")]
    Files(SocketAddr, #[source] io::Error),
    /// The operator's token is not usable.
    #[error(transparent)]
    OperatorToken(#[from] OperatorTokenError),
    /// The data directory is not usable.
    #[error("cannot use the data directory {}", .0.display())]
    DataDirectory(PathBuf, #[source] io::Error),
    /// Another version wrote the data, in a format that this version does not read.
    #[error(
        "another version of Tidemark wrote the data in {}, and this version cannot read it; \
         delete the directory, or choose another one with --data-dir", .0.display()
    )]
    DataFormat(PathBuf),
    /// The engine did not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The template lacks a value that the stack needs.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The table could not be created.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The demo account could not be created.
    #[error(transparent)]
    Demo(#[from] DemoError),
}

/// A running stack.
#[derive(Debug)]
pub struct Stack {
    /// The address at which the stack listens.
    pub address: SocketAddr,
    /// The token of the demo account's admin.
    pub demo_token: Secret,
    /// The code that signs in to the console of the demo account, once.
    pub sign_in_code: Secret,
    /// The operator's token, which creates accounts.
    pub operator_token: Secret,
    /// The files of imports and exports.
    pub files: Files,
    engine: Engine,
    jobs: Jobs,
    feed: Feed,
    server: Server,
    file_server: FileServer,
}

impl Stack {
    /// Starts the stack, and creates the demo account if it does not exist.
    ///
    /// # Errors
    ///
    /// [`StackError`]. Nothing is left running then.
    pub async fn start(options: &Options, clock: Clock) -> Result<Self, StackError> {
        let (interval, batches, feed) = (schedule_interval()?, intake_batches()?, feed_settings()?);
        let given_token = options.given_operator_token()?;
        // This is the first step, so a second start on the same data fails before it changes the data.
        let listener = TcpListener::bind(options.listen).await;
        let listener = listener.map_err(|error| StackError::Listen(options.listen, error))?;
        let address = listener.local_addr().map_err(|error| StackError::Listen(options.listen, error))?;
        let directory = (!options.in_memory).then_some(options.data_dir.as_path());
        let in_directory = |error| StackError::DataDirectory(options.data_dir.clone(), error);
        let engine = match directory.map(data_directory::prepare).transpose() {
            Ok(Some(database)) => Engine::on_disk(&database)?,
            Ok(None) => Engine::in_memory()?,
            Err(DataDirectoryError::Io(error)) => return Err(in_directory(error)),
            Err(DataDirectoryError::Format) => {
                return Err(StackError::DataFormat(options.data_dir.clone()));
            }
        };
        let client = engine.client();
        create_table(&client, TABLE).await?;
        let store = Store::new(client, TABLE, Rng::system());
        let secrets = Secrets::new(directory);
        let operator_token = match given_token {
            Some(token) => token,
            None => secrets.get_or_create("operator-token", store.rng()).map_err(in_directory)?,
        };
        let demo_token = secrets.get_or_create("demo-token", store.rng()).map_err(in_directory)?;
        ensure_demo(&store, &demo_token, &clock).await?;
        let sign_in_code = demo::sign_in_code(&store, &demo_token, clock.now()).await?;
        let limits = options.server_limits;
        let file_server = FileServer::start(options.listen_files, directory, limits, store.rng());
        let file_server = file_server.map_err(|error| StackError::Files(options.listen_files, error))?;
        let files = file_server.files.clone();

        let context =
            Context::new(store.clone(), clock.clone()).with_public_url(&format!("http://{address}"));
        let jobs = Jobs::start(store.clone(), file_server.files.clone(), clock.clone(), interval, batches);
        let feed = Feed::start(engine.stream(TABLE), feed, store, clock, jobs.queues.automations.clone());
        let parts = Parts { context, queues: jobs.queues.clone(), files: files.clone() };
        let router = app(parts, &sha256_hex(operator_token.expose().as_bytes()));
        let server = Server::start(listener, reading_whole(router, limits), limits);
        Ok(Self {
            address,
            demo_token,
            sign_in_code,
            operator_token,
            files,
            engine,
            jobs,
            feed,
            server,
            file_server,
        })
    }

    /// Stops the stack: it refuses new requests, finishes the running ones and closes the data.
    pub async fn stop(self) {
        self.server.stop(GRACE).await;
        drop(self.feed);
        drop(self.jobs);
        if let Err(error) = self.file_server.stop(GRACE).await {
            tracing::warn!(%error, "cannot delete the temporary files");
        }
        self.engine.stop().await;
    }
}

/// Creates the demo account unless its token is known. The account is found by its token only. So if the token's file
/// was lost, a new account is created.
async fn ensure_demo(store: &Store, token: &Secret, clock: &Clock) -> Result<(), DemoError> {
    if store.authenticate(&token.sha256_hex()).await?.is_none() {
        demo::create(store, token, clock.now()).await?;
    }
    Ok(())
}
