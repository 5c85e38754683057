//! The engine behind DynamoDB's HTTP interface, for programs with their own client.

use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use dynoxide::Database;
use tokio::sync::oneshot;

/// A server over a database, on a free loopback port and its own thread. It stops when this value is dropped.
pub(crate) struct EngineServer {
    pub(crate) endpoint: String,
    _running: oneshot::Sender<()>,
}

impl EngineServer {
    pub(crate) fn start(database: Database) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let (running, stopped) = oneshot::channel::<()>();
        thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let served =
                    dynoxide::server::serve_with_shutdown(listener, database, std::future::pending());
                tokio::select! {
                    served = served => served.expect("a server"),
                    // Dropping `EngineServer` drops the sender, which ends this future.
                    _ = stopped => {}
                }
            });
        });
        Self { endpoint, _running: running }
    }
}
