//! Connections to the local stack, byte by byte: requests that are incomplete, slow, too large or pipelined.

use std::time::Duration;

use serde_json::Value;
use tidemark::server::ServerLimits;
use tidemark::stack::Stack;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{options, start};

/// The maximum wait of a test, far above every limit below, so that a test fails instead of hanging.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// Limits that a test reaches quickly.
const LIMITS: ServerLimits = ServerLimits {
    head_time: Duration::from_millis(400),
    body_time: Duration::from_millis(400),
    body_bytes: 2 * 1024 * 1024,
    connections: 8,
};

/// Starts a stack in memory with these limits.
async fn stack(limits: ServerLimits) -> Stack {
    let mut options = options("connections", &[]);
    (options.in_memory, options.server_limits) = (true, limits);
    start(&options).await
}

/// A connection to the stack, as raw bytes.
struct Connection(TcpStream);

/// A response as the client reads it.
struct Response {
    status: u16,
    /// True if the response announces that the server closes the connection.
    closes: bool,
    body: String,
}

impl Connection {
    async fn to(stack: &Stack) -> Self {
        Self(TcpStream::connect(stack.address).await.expect("a connection"))
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        timeout(MAX_WAIT, self.0.write_all(bytes.as_ref())).await.expect("in time").expect("it is sent");
    }

    /// Reads up to and including `end`, and returns the text in lower case.
    async fn read_until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while !text.ends_with(end.as_bytes()) {
            text.push(timeout(MAX_WAIT, self.0.read_u8()).await.expect("in time").expect("a byte"));
        }
        String::from_utf8(text).expect("a head of ASCII").to_ascii_lowercase()
    }

    async fn response(&mut self) -> Response {
        let head = self.read_until("\r\n\r\n").await;
        let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let length = header("content-length").map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        timeout(MAX_WAIT, self.0.read_exact(&mut body)).await.expect("in time").expect("a body");
        let body = String::from_utf8(body).expect("a body of UTF-8");
        Response { status, closes: header("connection") == Some("close"), body }
    }

    /// Asserts that the server has closed the connection and sent no more.
    async fn assert_closed(mut self) {
        let mut rest = Vec::new();
        // A reset also counts as closed.
        let _ = timeout(MAX_WAIT, self.0.read_to_end(&mut rest)).await.expect("it is closed in time");
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }

    /// Asserts that the connection accepts another request.
    async fn assert_alive(&mut self, stack: &Stack) {
        self.send(usage(stack)).await;
        let response = self.response().await;
        assert_eq!(response.status, 200, "{}", response.body);
    }
}

/// Returns a request for the demo account's usage.
fn usage(stack: &Stack) -> String {
    let token = stack.demo_token.expose();
    format!("GET /v1/usage HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n\r\n")
}

/// Returns the head of a request without a token, for a body of this length.
fn head(length: usize, more: &str) -> String {
    format!(
        "POST /v1/contacts HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn incomplete_head_closes_the_connection() {
    let stack = stack(LIMITS).await;
    for sent in ["", "GET /v1/us", "GET /v1/usage HTTP/1.1\r\nHost: here\r\n"] {
        let mut connection = Connection::to(&stack).await;
        connection.send(sent).await;
        connection.assert_closed().await;
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn incomplete_body_returns_408() {
    let stack = stack(LIMITS).await;
    let mut connection = Connection::to(&stack).await;
    connection.send(head(10, "") + "{").await;
    let response = connection.response().await;
    assert_eq!((response.status, response.closes), (408, true));
    assert_eq!(response.body, r#"{"message":"Request Timeout"}"#);
    connection.assert_closed().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_request_keeps_the_connection_open() {
    let stack = stack(LIMITS).await;
    let mut connection = Connection::to(&stack).await;
    // Neither body is read before the refusal: the first request has no token, and the second has an unknown path.
    let body = "x".repeat(1024 * 1024 + 1);
    for head in [head(body.len(), ""), head(body.len(), "").replace("/v1/contacts", "/nothing")] {
        connection.send(head + &body).await;
        let response = connection.response().await;
        assert!([401, 404].contains(&response.status) && !response.closes, "{}", response.body);
        connection.assert_alive(&stack).await;
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn body_beyond_the_functions_limit_is_a_problem_document() {
    let stack = stack(LIMITS).await;
    let mut connection = Connection::to(&stack).await;
    let body = "x".repeat(1024 * 1024 + 1);
    let token = format!("Authorization: Bearer {}\r\n", stack.demo_token.expose());
    connection.send(head(body.len(), &token) + &body).await;
    let response = connection.response().await;
    assert_eq!((response.status, response.closes), (413, false));
    let problem: Value = serde_json::from_str(&response.body).expect("a problem document");
    assert_eq!(problem["type"], "urn:tidemark:problem:payload-too-large");
    connection.assert_alive(&stack).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn body_beyond_the_gateways_limit_returns_413() {
    let stack = stack(LIMITS).await;
    let body = "x".repeat(LIMITS.body_bytes + 1);
    let chunked = format!(
        "POST /v1/contacts HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let mut connection = Connection::to(&stack).await;
    for request in [head(body.len(), "") + &body, chunked] {
        connection.send(request).await;
        let response = connection.response().await;
        assert_eq!((response.status, response.closes), (413, false));
        assert_eq!(response.body, r#"{"message":"Request Entity Too Large"}"#);
        connection.assert_alive(&stack).await;
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_oversized_body_closes_the_connection() {
    let stack = stack(LIMITS).await;
    let too_long = LIMITS.body_bytes + 1;
    for request in [head(too_long, "") + "x", head(too_long, "Expect: 100-continue\r\n")] {
        let mut connection = Connection::to(&stack).await;
        connection.send(request).await;
        let response = connection.response().await;
        assert_eq!((response.status, response.closes), (413, true));
        connection.assert_closed().await;
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_answered_in_order() {
    let stack = stack(LIMITS).await;
    let mut connection = Connection::to(&stack).await;
    let refused = head(2, "") + "{}";
    connection.send(usage(&stack) + &refused + &usage(&stack)).await;
    for status in [200, 401, 200] {
        assert_eq!(connection.response().await.status, status);
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_wait() {
    let stack = stack(ServerLimits { connections: 1, ..LIMITS }).await;
    let mut first = Connection::to(&stack).await;
    first.assert_alive(&stack).await;
    let mut second = Connection::to(&stack).await;
    second.send(usage(&stack)).await;
    first.assert_alive(&stack).await;
    let early = timeout(Duration::from_millis(50), second.0.readable()).await;
    assert!(early.is_err(), "the second connection was served while the first is open");
    first.assert_closed().await;
    assert_eq!(second.response().await.status, 200);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connection_does_not_delay_the_stop() {
    let stack = stack(ServerLimits { head_time: MAX_WAIT, ..LIMITS }).await;
    let mut connection = Connection::to(&stack).await;
    connection.assert_alive(&stack).await;
    timeout(Duration::from_secs(2), stack.stop()).await.expect("in time");
    connection.assert_closed().await;
}
