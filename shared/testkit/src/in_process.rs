//! The engine without a socket: DynamoDB's operations as JSON in and JSON out, in this process and on this thread.

use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An engine in this process. Nothing in it waits, so a request has happened when it is answered.
#[derive(Clone)]
pub struct InProcess(Database);

/// An answer over HTTP: its status and its body.
pub(crate) type Answered = (u16, String);

impl InProcess {
    /// A new, empty engine.
    #[must_use]
    pub fn start() -> Self {
        Self(Database::memory().expect("an engine"))
    }

    /// Carries out an operation, named as `x-amz-target` names it, as the engine's own server does.
    #[must_use]
    pub fn answer(&self, operation: &str, body: &str) -> (u16, String) {
        let Self(engine) = self;
        match operation {
            "BatchGetItem" => run(body, |request| engine.batch_get_item(request)),
            "BatchWriteItem" => run(body, |request| engine.batch_write_item(request)),
            "CreateTable" => run(body, |request| engine.create_table(request)),
            "DeleteItem" => run(body, |request| engine.delete_item(request)),
            "DescribeTable" => run(body, |request| engine.describe_table(request)),
            "DescribeTimeToLive" => run(body, |request| engine.describe_time_to_live(request)),
            "GetItem" => run(body, |request| engine.get_item(request)),
            "PutItem" => run(body, |request| engine.put_item(request)),
            "Query" => run(body, |request| engine.query(request)),
            "Scan" => run(body, |request| engine.scan(request)),
            "TransactWriteItems" => run(body, |request| engine.transact_write_items(request)),
            "UpdateItem" => run(body, |request| engine.update_item(request)),
            "UpdateTimeToLive" => run(body, |request| engine.update_time_to_live(request)),
            other => panic!("the tests do not know the operation {other}"),
        }
    }
}

fn run<Q, A>(body: &str, operation: impl FnOnce(Q) -> Result<A, DynoxideError>) -> Answered
where
    Q: DeserializeOwned,
    A: Serialize,
{
    let request = serde_json::from_str(body).expect("a request as the SDK writes it");
    match operation(request) {
        Ok(answer) => (200, serde_json::to_string(&answer).expect("an answer")),
        Err(error) => (error.status_code(), error.to_json()),
    }
}
