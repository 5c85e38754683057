//! A separate bucket of files for each test.

use std::net::{Ipv4Addr, SocketAddr};

use file_store::Files;
use store::Rng;
use tidemark::file_server::{AccessKey, FileServer};
use tidemark::server::ServerLimits;

/// A bucket over a temporary directory, which is deleted with this value.
#[derive(Debug)]
pub struct TestFiles {
    /// The bucket under test.
    pub files: Files,
    server: FileServer,
}

impl TestFiles {
    /// Starts the server of a new, empty bucket, on a free port of the loopback interface. It needs a tokio runtime.
    #[must_use]
    pub fn start() -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = FileServer::start(address, None, ServerLimits::default(), &Rng::system());
        let server = server.expect("a server of files");
        Self { files: server.files.clone(), server }
    }

    /// Returns the URL of the server.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Returns the key that signs the requests of a process.
    #[must_use]
    pub fn key(&self) -> &AccessKey {
        &self.server.key
    }
}
