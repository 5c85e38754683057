//! A proxy between a function and its files, which enforces the function's role, records the calls and injects faults.
//!
//! The links that a function signs lead through it too, because a link has the rights of the role that signed it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Method, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use testkit::TestFiles;
use tidemark::file_server::BUCKET;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::template::permissions::{Permission, permissions_of};

/// The permissions that a function's calls required.
#[derive(Default)]
struct Record {
    used: BTreeSet<Permission>,
    refused: BTreeSet<Permission>,
}

/// The state that a gate shares with its server.
#[derive(Clone)]
struct GateState {
    server: Authority,
    client: Client<HttpConnector, Body>,
    granted: Arc<BTreeSet<Permission>>,
    record: Arc<Mutex<Record>>,
    /// True if every call is refused because there are too many.
    busy: Arc<AtomicBool>,
    /// True if the response to the next call that joins the parts of a file is lost.
    loses_join: Arc<AtomicBool>,
}

/// A gate before the files, with the permissions of one function's role.
pub struct FileGate {
    endpoint: String,
    state: GateState,
    server: JoinHandle<()>,
}

impl FileGate {
    /// Starts a gate before these files, with the role of this function.
    pub async fn before(files: &TestFiles, function: &str) -> Self {
        let endpoint = files.endpoint();
        let server = endpoint.strip_prefix("http://").expect("a plain address").parse().expect("an address");
        let state = GateState {
            server,
            client: Client::builder(TokioExecutor::new()).build_http(),
            granted: Arc::new(permissions_of(function)),
            record: Arc::default(),
            busy: Arc::default(),
            loses_join: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(pass).with_state(state.clone());
        let server = tokio::spawn(async {
            axum::serve(listener, router).await.expect("a server without an end");
        });
        Self { endpoint, state, server }
    }

    /// Returns the URL that functions use as the endpoint of S3.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Sets the files busy, so that they refuse every call, or available again.
    pub fn set_busy(&self, busy: bool) {
        self.state.busy.store(busy, Ordering::SeqCst);
    }

    /// Loses the response to the next call that joins the parts of a file. The call itself takes effect.
    pub fn lose_next_join(&self) {
        self.state.loses_join.store(true, Ordering::SeqCst);
    }

    /// Returns the permissions that the function and its links used.
    pub fn used(&self) -> BTreeSet<Permission> {
        self.state.record.lock().unwrap().used.clone()
    }

    /// Returns the permissions that the function and its links lacked.
    pub fn refused(&self) -> BTreeSet<Permission> {
        self.state.record.lock().unwrap().refused.clone()
    }
}

impl Drop for FileGate {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(State(state): State<GateState>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let call = (parts.method.clone(), parts.uri.clone());
    if !state.allows(permission_for(&call.0, &call.1)) {
        return refusal(StatusCode::FORBIDDEN, "AccessDenied");
    }
    if state.busy.load(Ordering::SeqCst) {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "SlowDown");
    }
    let mut uri = parts.uri.into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(state.server.clone());
    parts.uri = uri.try_into().expect("an address");
    // The signature includes the header `Host`, so the server receives it as the function sent it.
    let sent = state.client.request(Request::from_parts(parts, body)).await;
    let response = sent.expect("a response of the files").map(Body::new);
    if response.status() == StatusCode::NOT_FOUND && is_read(&call.0) && !state.allows(listing()) {
        return refusal(StatusCode::FORBIDDEN, "AccessDenied");
    }
    if is_join(&call.0, &call.1) && state.loses_join.swap(false, Ordering::SeqCst) {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
    }
    response
}

impl GateState {
    /// Returns true if the role grants a permission, and records it.
    fn allows(&self, needed: Permission) -> bool {
        let is_granted = self.granted.contains(&needed);
        let mut record = self.record.lock().unwrap();
        let permissions = if is_granted { &mut record.used } else { &mut record.refused };
        permissions.insert(needed);
        is_granted
    }
}

fn is_read(method: &Method) -> bool {
    [Method::GET, Method::HEAD].contains(method)
}

/// Returns true if the query of a call names an upload in parts.
fn is_of_parts(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.split('&').any(|field| field.starts_with("uploadId=")))
}

/// Returns true for the call that joins the parts of a file.
fn is_join(method: &Method, uri: &Uri) -> bool {
    method == Method::POST && is_of_parts(uri)
}

/// Returns the permission that IAM requires for a call. The resource is all files with the prefix of the key.
fn permission_for(method: &Method, uri: &Uri) -> Permission {
    let (bucket, key) = uri.path().trim_start_matches('/').split_once('/').expect("a bucket and a key");
    assert_eq!(bucket, BUCKET);
    let prefix = key.split_once('/').expect("a key with a prefix").0;
    let action = match *method {
        Method::GET | Method::HEAD => "s3:GetObject",
        Method::POST | Method::PUT => "s3:PutObject",
        Method::DELETE if is_of_parts(uri) => "s3:AbortMultipartUpload",
        Method::DELETE => "s3:DeleteObject",
        _ => panic!("the permission for {method} is not known"),
    };
    Permission { action: action.to_owned(), on: format!("Files/{prefix}/*") }
}

/// Returns the permission without which S3 does not tell that a file does not exist.
fn listing() -> Permission {
    Permission { action: "s3:ListBucket".to_owned(), on: "Files".to_owned() }
}

/// Returns the response of S3 to a call that it refuses.
fn refusal(status: StatusCode, code: &str) -> Response {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

#[test]
fn permission_follows_the_method_and_the_prefix() {
    let needed = |method: Method, path: &str| {
        let Permission { action, on } =
            permission_for(&method, &format!("/{BUCKET}/{path}").parse().unwrap());
        format!("{action} {on}")
    };
    assert_eq!(needed(Method::HEAD, "uploads/acc_1/imp_1"), "s3:GetObject Files/uploads/*");
    assert_eq!(needed(Method::PUT, "exports/a/b?partNumber=1&uploadId=c"), "s3:PutObject Files/exports/*");
    assert_eq!(needed(Method::POST, "outcomes/a/b?uploads"), "s3:PutObject Files/outcomes/*");
    assert_eq!(needed(Method::DELETE, "exports/a?uploadId=c"), "s3:AbortMultipartUpload Files/exports/*");
}

#[tokio::test]
async fn file_gate_allows_only_the_permissions_of_the_role() {
    let files = TestFiles::start();
    let gate = FileGate::before(&files, "file-worker").await;
    let key = files.key();
    let behind = file_store::Files::at_endpoint(gate.endpoint(), &key.id, &key.secret, BUCKET.to_owned());
    behind.put("exports/a/b.csv", "text/csv", b"email\n".to_vec()).await.expect("it is allowed");
    assert!(behind.info("uploads/a/b").await.expect("it is allowed").is_none());
    let refused = behind.put("uploads/a/b", "text/csv", Vec::new()).await.expect_err("it is not allowed");
    assert!(matches!(refused, file_store::FileError::Fault(..)), "{refused:?}");
    let refused = behind.delete("exports/a/b.csv").await.expect_err("it is not allowed");
    assert!(matches!(refused, file_store::FileError::Fault(..)), "{refused:?}");
    let names = |found: BTreeSet<Permission>| {
        found.into_iter().map(|one| format!("{} {}", one.action, one.on)).collect::<Vec<_>>()
    };
    assert_eq!(
        names(gate.used()),
        ["s3:GetObject Files/uploads/*", "s3:ListBucket Files", "s3:PutObject Files/exports/*"]
    );
    assert_eq!(names(gate.refused()), ["s3:DeleteObject Files/exports/*", "s3:PutObject Files/uploads/*"]);
}
