//! DynamoDB's operations in its JSON format, which the engine in this process performs.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, RwLock};

use super::stream::Maintenance;

/// The content type of DynamoDB's requests and responses.
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// The operations that the program and its tests use, on one database.
pub struct Operations {
    pub(super) database: Database,
    /// The connection that maintains the records of streams, unless the database belongs to the caller.
    pub(super) maintenance: Option<Maintenance>,
}

/// A response in DynamoDB's format: its status and its JSON body.
pub type Response = (StatusCode, String);

impl Operations {
    /// Creates the operations on this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database, maintenance: None }
    }

    /// Creates the operations on a database whose streams are maintained by this connection.
    pub(super) fn maintained(database: Database, maintenance: Maintenance) -> Self {
        Self { database, maintenance: Some(maintenance) }
    }

    /// Performs the operation that `x-amz-target` names, on the calling thread.
    ///
    /// An operation that is not in the list below has the response of DynamoDB to an unknown one. Only this list must
    /// be extended when the program starts to use another operation.
    #[must_use]
    pub fn call(&self, operation: &str, body: &[u8]) -> Response {
        let engine = &self.database;
        match operation {
            "BatchGetItem" => run(body, |request| engine.batch_get_item(request)),
            "BatchWriteItem" => run(body, |request| engine.batch_write_item(request)),
            "CreateTable" => run(body, |request| engine.create_table(request)),
            "DeleteItem" => run(body, |request| engine.delete_item(request)),
            "DescribeTable" => run(body, |request| engine.describe_table(request)),
            "DescribeTimeToLive" => run(body, |request| engine.describe_time_to_live(request)),
            "GetItem" => run(body, |request| engine.get_item(request)),
            "ListTables" => run(body, |request| engine.list_tables(request)),
            "PutItem" => run(body, |request| engine.put_item(request)),
            "Query" => run(body, |request| engine.query(request)),
            "Scan" => run(body, |request| engine.scan(request)),
            "TransactWriteItems" => run(body, |request| engine.transact_write_items(request)),
            "UpdateItem" => run(body, |request| engine.update_item(request)),
            "UpdateTimeToLive" => run(body, |request| engine.update_time_to_live(request)),
            _ => refusal("UnknownOperationException"),
        }
    }
}

fn run<Q, A>(body: &[u8], operation: impl FnOnce(Q) -> Result<A, DynoxideError>) -> Response
where
    Q: DeserializeOwned,
    A: Serialize,
{
    let Ok(request) = serde_json::from_slice(body) else { return refusal("SerializationException") };
    match operation(request) {
        Ok(response) => match serde_json::to_string(&response) {
            Ok(json) => (StatusCode::OK, json),
            Err(error) => failure(&DynoxideError::InternalServerError(error.to_string())),
        },
        Err(error) => failure(&error),
    }
}

fn failure(error: &DynoxideError) -> Response {
    let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, error.to_json())
}

fn refusal(code: &str) -> Response {
    (StatusCode::BAD_REQUEST, format!(r#"{{"__type":"com.amazon.coral.service#{code}"}}"#))
}

/// An HTTP client for the AWS SDK that uses no network: each request is an operation of the engine in this process.
///
/// An operation runs on a thread for blocking work, because SQLite blocks. As on a server, it completes even if its
/// caller stops waiting.
#[derive(Clone)]
pub(crate) struct InProcess {
    operations: Arc<RwLock<Option<Operations>>>,
    written: Arc<Notify>,
}

impl InProcess {
    pub(crate) fn new(operations: Operations) -> Self {
        Self { operations: Arc::new(RwLock::new(Some(operations))), written: Arc::default() }
    }

    /// Runs `work` on a thread for blocking work. Returns `None` if the engine has stopped.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Operations) -> T + Send + 'static,
    ) -> Option<T> {
        let operations = Arc::clone(&self.operations).read_owned().await;
        let done = tokio::task::spawn_blocking(move || operations.as_ref().map(work));
        done.await.ok().flatten()
    }

    /// Waits for the next write. A write since the last call counts.
    pub(super) async fn written(&self) {
        self.written.notified().await;
    }

    /// Refuses all further operations, waits for the running ones, and closes the database.
    pub(crate) async fn close(&self) {
        let operations = self.operations.write().await.take();
        // Closing writes SQLite's pending data. If the runtime is ending, its end closes the database.
        let _ = tokio::task::spawn_blocking(move || drop(operations)).await;
    }
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { operations, written } = self.clone();
        HttpConnectorFuture::new(async move {
            let operations = operations.read_owned().await;
            let responded = tokio::task::spawn_blocking(move || {
                let response = operations.as_ref().map(|operations| respond(operations, &request));
                if is_write(&request) {
                    written.notify_one();
                }
                response
            });
            match responded.await {
                Ok(Some(response)) => response,
                Ok(None) => Err(ConnectorError::io("the engine has stopped".into())),
                Err(error) => Err(ConnectorError::other(error.into(), None)),
            }
        })
    }
}

/// Returns the operation that a request names.
fn operation_of(request: &HttpRequest) -> &str {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default()
}

/// Returns true if the operation may change an item.
fn is_write(request: &HttpRequest) -> bool {
    ["BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"]
        .contains(&operation_of(request))
}

fn respond(operations: &Operations, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let operation = operation_of(request);
    let body = request
        .body()
        .bytes()
        .ok_or_else(|| ConnectorError::user("expected a body in memory, got a stream".into()))?;
    let (status, json) = operations.call(operation, body);
    let mut response = HttpResponse::new(status.into(), SdkBody::from(json));
    response.headers_mut().insert("content-type", CONTENT_TYPE);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_operation_is_refused_as_dynamodb_refuses_it() {
        let operations = Operations::new(Database::memory().unwrap());
        let (status, body) = operations.call("MakeCoffee", b"{}");
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(body.contains("UnknownOperationException"), "{body}");
    }

    #[test]
    fn body_that_is_not_json_is_refused_as_dynamodb_refuses_it() {
        let operations = Operations::new(Database::memory().unwrap());
        for body in [&b"{"[..], b"", b"\xff", b"[]"] {
            let (status, response) = operations.call("GetItem", body);
            assert_eq!(status, StatusCode::BAD_REQUEST);
            assert!(response.contains("SerializationException"), "{response}");
        }
    }
}
