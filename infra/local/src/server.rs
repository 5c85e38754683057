//! The HTTP server: connections, and requests until a function gets them.
//!
//! API Gateway reads a request whole before it calls a function, and so does this server. A function may therefore refuse
//! a request without reading its body, and the connection still carries the next request.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use domain::limits::{
    ACCEPT_PAUSE, CONNECTIONS_MAX, GATEWAY_BODY_BYTES_MAX, REQUEST_BODY_TIME_MAX, REQUEST_HEAD_TIME_MAX,
};
use http::header::{CONNECTION, CONTENT_TYPE, EXPECT, HeaderValue};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// The bounds of connections and requests.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// How long a client may take with the head of a request.
    pub head_time: Duration,
    /// How long a client may take with the body of a request.
    pub body_time: Duration,
    /// The size of a body.
    pub body_bytes: usize,
    /// The number of connections at once.
    pub connections: usize,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            head_time: REQUEST_HEAD_TIME_MAX,
            body_time: REQUEST_BODY_TIME_MAX,
            body_bytes: GATEWAY_BODY_BYTES_MAX,
            connections: CONNECTIONS_MAX,
        }
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Server {
    /// Starts a server of this router on its own task.
    pub(crate) fn start(listener: TcpListener, router: Router, limits: ServerLimits) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, router, limits, stopped));
        Self { task, stop }
    }

    /// Stops the server: it accepts no connection and no further request, and answers the running ones within `grace`.
    pub(crate) async fn stop(self, grace: Duration) {
        drop(self.stop);
        // A client that never finishes its request gets no answer.
        let _ = timeout(grace, self.task).await;
    }
}

/// Serves until the other end of `stopped` is dropped, and then until the last running request is answered.
async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServerLimits,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head_time);
    let service = TowerToHyperService::new(router.layer(from_fn_with_state(limits, read_whole)));
    let connections = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let next = async {
            let place = connections.clone().acquire_owned().await;
            (accept(&listener).await, place)
        };
        let (stream, place) = tokio::select! {
            next = next => next,
            _ = &mut stopped => break,
        };
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service.clone()));
        tokio::spawn(async move {
            // An error is the client's: it has left, was too slow or does not speak HTTP.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// Accepts the next connection.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The reason for giving up on a body.
enum Unread {
    /// It is larger than a body may be, and was read to its end.
    TooLarge,
    /// It is larger than a body may be, and its end was not reached.
    EndlesslyLarge,
    /// Its end did not come in time.
    TooSlow,
    /// The connection broke, or what came was no body.
    Broken,
}

/// Reads the body of a request to its end before the functions see the request.
async fn read_whole(State(limits): State<ServerLimits>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match read(&parts.headers, body, limits).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(unread) => refuse(&unread),
    }
}

/// Returns the bytes of a body. A body that is too large is read as well, and its bytes are dropped: a client that still
/// sends would see a closed connection instead of the answer.
async fn read(headers: &HeaderMap, mut body: Body, limits: ServerLimits) -> Result<Bytes, Unread> {
    let most = u64::try_from(limits.body_bytes).unwrap_or(u64::MAX);
    let announced = body.size_hint().lower();
    if announced > most && headers.contains_key(EXPECT) {
        // The client waits to be told to go on.
        return Err(Unread::EndlesslyLarge);
    }
    let deadline = Instant::now() + limits.body_time;
    let mut bytes = Vec::new();
    let mut fits = announced <= most;
    loop {
        let frame = match timeout_at(deadline, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) => return Err(Unread::Broken),
            Ok(None) if fits => return Ok(bytes.into()),
            Ok(None) => return Err(Unread::TooLarge),
            Err(_) if fits => return Err(Unread::TooSlow),
            Err(_) => return Err(Unread::EndlesslyLarge),
        };
        let Ok(data) = frame.into_data() else { continue };
        fits = fits && bytes.len() + data.len() <= limits.body_bytes;
        if fits {
            bytes.extend_from_slice(&data);
        } else {
            bytes = Vec::new();
        }
    }
}

/// Returns an answer in the words of API Gateway. Where the body was not read to its end, no other request can follow.
fn refuse(unread: &Unread) -> Response {
    let (status, message) = match unread {
        Unread::TooLarge | Unread::EndlesslyLarge => {
            (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
        }
        Unread::TooSlow => (StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
        Unread::Broken => (StatusCode::BAD_REQUEST, "Bad Request"),
    };
    let body = json!({"message": message}).to_string();
    let mut response = (status, [(CONTENT_TYPE, "application/json")], body).into_response();
    if !matches!(unread, Unread::TooLarge) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
