//! The whole API without a socket. Tests call the router of the local stack directly.

use std::future::{IntoFuture, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use api::token::sha256_hex;
use api::{Clock, Context, Queue};
use aws_lambda_events::sqs::{BatchItemFailure, SqsEvent, SqsMessage};
use axum::Router;
use axum::body::Body;
use domain::Timestamp;
use domain::ids::AccountId;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use http_body_util::BodyExt as _;
use serde::Serialize;
use serde_json::{Value, json};
use store::{AutomationTask, BulkTask, FileTask, InboxTask};
use tidemark::app::{Parts, Queues};
use tower::ServiceExt as _;

use crate::{ManualClock, Reply, TestFiles, TestTable, undescribed};

/// The operator's token of every [`Api`].
pub const OPERATOR_TOKEN: &str = "tmk_the-operators-token-of-the-tests";

/// The public URL of the API in tests.
pub const PUBLIC_URL: &str = "https://api.example.org";

/// The batch size of the inbox's queue, as in the template.
const INBOX_BATCH: usize = 100;

/// The API over its own table, with a clock that the test sets.
///
/// ```no_run
/// # async fn a_test() {
/// # use testkit::{Api, at};
/// # use serde_json::json;
/// let api = Api::start(at("2026-11-10T12:00:00.000Z")).await;
/// let account = api.account(json!({})).await;
/// let contact = api.post("/v1/contacts").token(&account.token).json(&json!({"marketing": true})).await.expect(201);
/// assert_eq!(contact["marketing"]["state"], "marketing");
/// api.assert_exact(&account).await;
/// # }
/// ```
pub struct Api {
    /// The table behind the API.
    pub table: TestTable,
    /// The wall clock.
    pub clock: ManualClock,
    /// The bucket of the API's files.
    pub file_server: TestFiles,
    inbox: Arc<Mutex<Vec<InboxTask>>>,
    bulk: Arc<Mutex<Vec<BulkTask>>>,
    automations: Arc<Mutex<Vec<AutomationTask>>>,
    files: Arc<Mutex<Vec<FileTask>>>,
    router: Router,
}

/// An account and the token of its first admin.
#[derive(Clone)]
pub struct Tenant {
    /// The account's id.
    pub id: AccountId,
    /// The admin's bearer token.
    pub token: String,
}

/// A user or an integration, and its token.
#[derive(Clone)]
pub struct TokenOwner {
    /// The user's id, or that of an integration's token.
    pub id: String,
    /// The bearer token.
    pub token: String,
}

/// Creates a queue, and the list to which it adds tasks.
fn collecting<T: Send + 'static>() -> (Queue<T>, Arc<Mutex<Vec<T>>>) {
    let list = Arc::<Mutex<Vec<T>>>::default();
    let waiting = list.clone();
    let queue = Queue::new(move |tasks| {
        waiting.lock().expect("a queue").extend(tasks);
        ready(Ok(()))
    });
    (queue, list)
}

/// Returns the event of a queue with these tasks.
fn event<T: Serialize>(tasks: &[T]) -> SqsEvent {
    let message = |(number, task): (usize, &T)| {
        let mut message = SqsMessage::default();
        message.message_id = Some(number.to_string());
        message.body = Some(serde_json::to_string(task).expect("a message"));
        message
    };
    let mut event = SqsEvent::default();
    event.records = tasks.iter().enumerate().map(message).collect();
    event
}

impl Api {
    /// Creates an API over a new, empty table.
    pub async fn start(now: Timestamp) -> Self {
        Self::over(TestTable::start().await, now)
    }

    /// Creates an API over a new, empty table with a stream, for what follows from changes.
    pub async fn with_stream(now: Timestamp) -> Self {
        Self::over(TestTable::with_stream().await, now)
    }

    /// Creates an API over this table, which may have faults.
    #[must_use]
    pub fn over(table: TestTable, now: Timestamp) -> Self {
        Self::with_context(table, now, |context| context)
    }

    /// Creates an API over this table, whose handlers have a changed context.
    pub fn with_context(table: TestTable, now: Timestamp, change: impl FnOnce(Context) -> Context) -> Self {
        let clock = ManualClock::new(now);
        let read = clock.clone();
        let context = change(Context::new(table.store.clone(), Clock::new(move || read.now())));
        let (inbox_queue, inbox) = collecting();
        let (bulk_queue, bulk) = collecting();
        let (automation_queue, automations) = collecting();
        let (file_queue, files) = collecting();
        let queues =
            Queues { inbox: inbox_queue, bulk: bulk_queue, automations: automation_queue, files: file_queue };
        let operator = sha256_hex(OPERATOR_TOKEN.as_bytes());
        let file_server = TestFiles::start();
        let context = context.with_public_url(PUBLIC_URL);
        let parts = Parts { context, queues, files: file_server.files.clone() };
        let router = tidemark::app::app(parts, &operator);
        Self { table, clock, file_server, inbox, bulk, automations, files, router }
    }

    /// Removes and returns the tasks that were sent to the inbox's queue.
    #[must_use]
    pub fn take_inbox(&self) -> Vec<InboxTask> {
        std::mem::take(&mut *self.inbox.lock().expect("a queue"))
    }

    /// Removes and returns the tasks that were sent to the queue of automations.
    #[must_use]
    pub fn take_automations(&self) -> Vec<AutomationTask> {
        std::mem::take(&mut *self.automations.lock().expect("a queue"))
    }

    /// Removes and returns the tasks that were sent to the queue of imports and exports.
    #[must_use]
    pub fn take_files(&self) -> Vec<FileTask> {
        std::mem::take(&mut *self.files.lock().expect("a queue"))
    }

    /// Runs the worker on the accounts in the queue of bulk jobs, until the queue is empty.
    pub async fn work_on_bulk_jobs(&self) {
        loop {
            let tasks = std::mem::take(&mut *self.bulk.lock().expect("a queue"));
            if tasks.is_empty() {
                return;
            }
            let (queue, waiting) = collecting();
            let event = event(&tasks);
            let (store, clock) = (&self.table.store, &self.clock);
            let response = bulk_worker::handle(store, &queue, event, || clock.now(), || true).await;
            assert!(response.batch_item_failures.is_empty(), "a bulk job failed");
            self.bulk.lock().expect("a queue").extend(waiting.lock().expect("a queue").drain(..));
        }
    }

    /// Runs the worker on the imports and exports in its queue, until the queue is empty.
    pub async fn work_on_files(&self) {
        loop {
            let tasks = self.take_files();
            if tasks.is_empty() {
                return;
            }
            let (queue, waiting) = collecting();
            let (store, bucket, clock) = (&self.table.store, &self.file_server.files, &self.clock);
            let work = file_worker::handle(store, bucket, &queue, event(&tasks), || clock.now(), || true);
            assert!(work.await.batch_item_failures.is_empty(), "a file failed");
            self.files.lock().expect("a queue").extend(waiting.lock().expect("a queue").drain(..));
        }
    }

    /// Follows the records of the table's stream and works on automations, until nothing follows any more. The table must
    /// have a stream.
    pub async fn follow(&self) {
        while let Some(tasks) = self.table.follow(self.clock.now()).await {
            for task in tasks {
                let worked = self.table.store.work_on_automation(task, || self.clock.now(), || true).await;
                assert!(worked.expect("an automation").finished, "an automation did not finish");
            }
        }
    }

    /// Runs the worker on the inbox's tasks in batches, until the queue is empty. Returns the number of applied
    /// submissions.
    pub async fn settle_inbox(&self) -> usize {
        let mut settled = 0;
        let mut tasks = self.take_inbox();
        while !tasks.is_empty() {
            let rest = tasks.split_off(tasks.len().min(INBOX_BATCH));
            let failed = self.settle(&tasks).await;
            settled += tasks.len() - failed.len();
            tasks = [failed, rest].concat();
        }
        settled
    }

    /// Runs the worker on a batch. Returns the tasks that failed.
    async fn settle(&self, tasks: &[InboxTask]) -> Vec<InboxTask> {
        let response =
            intake_worker::handle(&self.table.store, event(tasks), self.clock.now(), || true).await;
        let number = |failure: &BatchItemFailure| failure.item_identifier.parse::<usize>().expect("a number");
        response.batch_item_failures.iter().map(|failure| tasks[number(failure)]).collect()
    }

    /// Creates a request to this path, which may have a query. Nothing is percent-encoded.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        let uri = path.parse().unwrap_or_else(|_| panic!("invalid path: {path}"));
        Request { api: self, method, uri, headers: HeaderMap::new(), body: Body::empty() }
    }

    /// Creates a GET request.
    #[must_use]
    pub fn get(&self, path: &str) -> Request<'_> {
        self.request(Method::GET, path)
    }

    /// Creates a POST request.
    #[must_use]
    pub fn post(&self, path: &str) -> Request<'_> {
        self.request(Method::POST, path)
    }

    /// Creates a PUT request.
    #[must_use]
    pub fn put(&self, path: &str) -> Request<'_> {
        self.request(Method::PUT, path)
    }

    /// Creates a PATCH request.
    #[must_use]
    pub fn patch(&self, path: &str) -> Request<'_> {
        self.request(Method::PATCH, path)
    }

    /// Creates a DELETE request.
    #[must_use]
    pub fn delete(&self, path: &str) -> Request<'_> {
        self.request(Method::DELETE, path)
    }

    /// Creates an account with an annual contract in UTC that renews on 1 January. `terms` override these members.
    pub async fn account(&self, terms: Value) -> Tenant {
        let mut body = json!({"name": "Test", "term": "annual", "renewal_date": "2026-01-01"});
        body.as_object_mut().unwrap().extend(terms.as_object().unwrap().clone());
        let created = self.post("/v1/accounts").token(OPERATOR_TOKEN).json(&body).await.expect(201);
        let id = created["account"]["id"].as_str().unwrap().parse().expect("an account's id");
        Tenant { id, token: created["token"].as_str().unwrap().to_owned() }
    }

    /// Creates a user of the account, with a token. The user is a member with every permission, unless `who` overrides
    /// these settings.
    pub async fn user(&self, account: &Tenant, who: Value) -> TokenOwner {
        let mut body = json!({"name": "Member", "email": "member@example.org"});
        body.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
        let user = self.post("/v1/users").token(&account.token).json(&body).await.expect(201);
        let id = user["id"].as_str().unwrap().to_owned();
        let created =
            self.post("/v1/tokens").token(&account.token).json(&json!({"user_id": id})).await.expect(201);
        TokenOwner { id, token: created["token"].as_str().unwrap().to_owned() }
    }

    /// Creates an integration of the account, with its token. It has no permissions. `settings` override these members.
    pub async fn integration(&self, account: &Tenant, settings: Value) -> TokenOwner {
        let mut integration = json!({"name": "Shop"});
        integration.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let body = json!({"integration": integration});
        let created = self.post("/v1/tokens").token(&account.token).json(&body).await.expect(201);
        let text = |name: &str| created[name].as_str().unwrap().to_owned();
        TokenOwner { id: text("id"), token: text("token") }
    }

    /// Creates a contact with this body. Returns its id.
    pub async fn contact(&self, token: &str, body: Value) -> String {
        let contact = self.post("/v1/contacts").token(token).json(&body).await.expect(201);
        contact["id"].as_str().unwrap().to_owned()
    }

    /// Sets contacts marketing.
    pub async fn set_marketing(&self, token: &str, ids: &[impl AsRef<str>]) -> Value {
        self.change_status("/v1/contacts/marketing", token, ids).await
    }

    /// Queues contacts to leave.
    pub async fn queue(&self, token: &str, ids: &[impl AsRef<str>]) -> Value {
        self.change_status("/v1/contacts/non-marketing-pending", token, ids).await
    }

    async fn change_status(&self, path: &str, token: &str, ids: &[impl AsRef<str>]) -> Value {
        let contacts: Vec<Value> = ids.iter().map(|id| json!({"id": id.as_ref()})).collect();
        self.post(path).token(token).json(&json!({"contacts": contacts})).await.expect(200)
    }

    /// Asserts the first invariant: the API's usage equals the count of a full scan. Returns the usage.
    pub async fn assert_exact(&self, account: &Tenant) -> Value {
        let usage = self.get("/v1/usage").token(&account.token).await.expect(200);
        let scan = crate::scan(&self.table.client, account.id).await;
        assert_eq!(
            (&usage["marketing"], &usage["leaving"]),
            (&json!(scan.billable), &json!(scan.leaving)),
            "the usage differs from a full scan"
        );
        let (number, marketing, leaving) = scan.period;
        assert_eq!(
            (&usage["period"]["number"], &usage["marketing"], &usage["leaving"]),
            (&json!(number), &json!(marketing), &json!(leaving)),
            "the usage differs from the period item"
        );
        usage
    }
}

/// A request under construction. Awaiting it sends it.
pub struct Request<'a> {
    api: &'a Api,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
}

impl Request<'_> {
    /// Adds a bearer token.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        let value = format!("Bearer {token}");
        self.header(AUTHORIZATION.as_str(), value)
    }

    /// Adds an `Idempotency-Key`.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Adds an `If-Match` header.
    #[must_use]
    pub fn if_match(self, tag: &str) -> Self {
        self.header("if-match", tag)
    }

    /// Adds a header. The value may be any bytes that a header can contain.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name: HeaderName = name.parse().expect("a header's name");
        self.headers.append(name, HeaderValue::from_bytes(value.as_ref()).expect("a header's value"));
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Sets a body of this media type.
    #[must_use]
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.headers.insert(CONTENT_TYPE, media_type.parse().expect("a media type"));
        self.body = Body::from(body.into());
        self
    }

    async fn send(self) -> Reply {
        let mut request = http::Request::new(self.body);
        let (method, uri) = (self.method.clone(), self.uri.clone());
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers;
        let Ok(response) = self.api.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a complete response").to_bytes().to_vec();
        let reply = Reply { status: parts.status.as_u16(), headers: parts.headers, body };
        if uri.path().starts_with("/console") {
            // The console is for people and not described.
            return reply;
        }
        let undescribed = undescribed(&method, uri.path(), &reply);
        assert_eq!(
            undescribed,
            None,
            "{method} {} differs from the OpenAPI document; declare the response at the operation and generate the \
             document again: {}",
            uri.path(),
            String::from_utf8_lossy(&reply.body)
        );
        reply
    }
}

impl<'a> IntoFuture for Request<'a> {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
