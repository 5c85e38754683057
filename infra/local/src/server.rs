//! The HTTP server: connections, and requests up to the call of a function.
//!
//! API Gateway reads a request whole before it calls a function, and so does the server of the API. A function may
//! therefore refuse a request without reading its body, and the connection still carries the next request.

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
    /// The maximum time for receiving the head of a request.
    pub head_time: Duration,
    /// The maximum time for receiving the body of a request.
    pub body_time: Duration,
    /// The maximum size of a body, in bytes.
    pub body_bytes: usize,
    /// The maximum number of concurrent connections.
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
    /// Starts a server of this router on its own task. The router itself bounds the bodies of requests.
    pub(crate) fn start(listener: TcpListener, router: Router, limits: ServerLimits) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, router, limits, stopped));
        Self { task, stop }
    }

    /// Stops the server. It accepts no further connection or request, and finishes running requests within `grace`.
    pub(crate) async fn stop(self, grace: Duration) {
        drop(self.stop);
        // A client that never finishes its request receives no response.
        let _ = timeout(grace, self.task).await;
    }
}

/// Serves until the sender of `stopped` is dropped, and then until the last running request has its response.
async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServerLimits,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head_time);
    let service = TowerToHyperService::new(router);
    let connections = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let next = async {
            let permit = connections.clone().acquire_owned().await;
            (accept(&listener).await, permit)
        };
        let (stream, permit) = tokio::select! {
            next = next => next,
            _ = &mut stopped => break,
        };
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service.clone()));
        tokio::spawn(async move {
            // The client caused an error: it closed the connection, was too slow or does not use HTTP.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// Accepts the next connection. Errors are logged and followed by a pause.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The reason for rejecting a body.
enum Unread {
    /// The body is too large, and was read to its end.
    TooLarge,
    /// The body is too large, and its end was not reached.
    EndlesslyLarge,
    /// The end of the body did not arrive in time.
    TooSlow,
    /// The connection broke, or the body was malformed.
    Broken,
}

/// Adds the reading of bodies, within these limits, to the router of the API.
pub(crate) fn reading_whole(router: Router, limits: ServerLimits) -> Router {
    router.layer(from_fn_with_state(limits, read_whole))
}

/// Reads the body of a request to its end before the functions see the request.
async fn read_whole(State(limits): State<ServerLimits>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match read(&parts.headers, body, limits).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(unread) => refuse(&unread),
    }
}

/// Returns the bytes of a body. A body that is too large is also read to its end, and its bytes are dropped.
/// Otherwise a client that is still sending would see a closed connection instead of the response.
async fn read(headers: &HeaderMap, mut body: Body, limits: ServerLimits) -> Result<Bytes, Unread> {
    let most = u64::try_from(limits.body_bytes).unwrap_or(u64::MAX);
    let announced = body.size_hint().lower();
    if announced > most && headers.contains_key(EXPECT) {
        // The client waits for `100 Continue` before it sends the body.
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

/// Returns the response of API Gateway to this body. If the body was not read to its end, the connection is closed,
/// because no other request can follow.
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
