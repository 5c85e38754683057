//! The whole API without a socket: requests go straight into the router that the local stack serves.

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
use serde_json::{Value, json};
use store::InboxTask;
use tower::ServiceExt as _;

use crate::{ManualClock, Reply, TestTable, undescribed};

/// The operator's token of every [`Api`].
pub const OPERATOR_TOKEN: &str = "tmk_the-operators-token-of-the-tests";

/// Where the API of the tests says that it is reached.
pub const PUBLIC_URL: &str = "https://api.example.org";

/// How many submissions the inbox's queue brings at a time, as the template has it.
const INBOX_BATCH: usize = 100;

/// The API over a table of its own, on a clock that a test moves.
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
    /// What the API stands on.
    pub table: TestTable,
    /// The wall clock.
    pub clock: ManualClock,
    inbox: Arc<Mutex<Vec<InboxTask>>>,
    router: Router,
}

/// An account and the token of its first admin.
#[derive(Clone)]
pub struct Tenant {
    /// Which one.
    pub id: AccountId,
    /// Its admin's bearer token.
    pub token: String,
}

/// Somebody with a token: a user or an integration.
#[derive(Clone)]
pub struct TokenOwner {
    /// The user's id, or that of an integration's token.
    pub id: String,
    /// The bearer token.
    pub token: String,
}

impl Api {
    /// The API over a new, empty table.
    pub async fn start(now: Timestamp) -> Self {
        Self::over(TestTable::start().await, now)
    }

    /// The API over this table, which may have faults.
    #[must_use]
    pub fn over(table: TestTable, now: Timestamp) -> Self {
        let clock = ManualClock::new(now);
        let read = clock.clone();
        let context = Context::new(table.store.clone(), Clock::new(move || read.now()));
        let inbox = Arc::<Mutex<Vec<InboxTask>>>::default();
        let waiting = inbox.clone();
        let queue = Queue::new(move |tasks| {
            waiting.lock().expect("a queue").extend(tasks);
            ready(Ok(()))
        });
        let operator = sha256_hex(OPERATOR_TOKEN.as_bytes());
        let router = tidemark::app::app(context.with_public_url(PUBLIC_URL), queue, &operator);
        Self { table, clock, inbox, router }
    }

    /// The submissions that were asked to be settled since this was asked last.
    #[must_use]
    pub fn take_inbox(&self) -> Vec<InboxTask> {
        std::mem::take(&mut *self.inbox.lock().expect("a queue"))
    }

    /// Works through the inbox as its queue has it done, until the queue is empty. How many submissions were in it.
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

    /// Brings the worker a batch. Those that it did not settle.
    async fn settle(&self, tasks: &[InboxTask]) -> Vec<InboxTask> {
        let message = |(number, task): (usize, &InboxTask)| {
            let mut message = SqsMessage::default();
            message.message_id = Some(number.to_string());
            message.body = Some(serde_json::to_string(task).expect("a message"));
            message
        };
        let mut event = SqsEvent::default();
        event.records = tasks.iter().enumerate().map(message).collect();
        let answer = intake_worker::handle(&self.table.store, event, self.clock.now(), || true).await;
        let number = |failure: &BatchItemFailure| failure.item_identifier.parse::<usize>().expect("a number");
        answer.batch_item_failures.iter().map(|failure| tasks[number(failure)]).collect()
    }

    /// A request with this method to this path, which may have a query. Nothing is encoded.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        let uri = path.parse().unwrap_or_else(|_| panic!("{path} is no path"));
        Request { api: self, method, uri, headers: HeaderMap::new(), body: Body::empty() }
    }

    /// A GET.
    #[must_use]
    pub fn get(&self, path: &str) -> Request<'_> {
        self.request(Method::GET, path)
    }

    /// A POST.
    #[must_use]
    pub fn post(&self, path: &str) -> Request<'_> {
        self.request(Method::POST, path)
    }

    /// A PUT.
    #[must_use]
    pub fn put(&self, path: &str) -> Request<'_> {
        self.request(Method::PUT, path)
    }

    /// A PATCH.
    #[must_use]
    pub fn patch(&self, path: &str) -> Request<'_> {
        self.request(Method::PATCH, path)
    }

    /// A DELETE.
    #[must_use]
    pub fn delete(&self, path: &str) -> Request<'_> {
        self.request(Method::DELETE, path)
    }

    /// An account: an annual contract in UTC that renews on 1 January, but for what `terms` say otherwise.
    pub async fn account(&self, terms: Value) -> Tenant {
        let mut body = json!({"name": "Test", "term": "annual", "renewal_date": "2026-01-01"});
        body.as_object_mut().unwrap().extend(terms.as_object().unwrap().clone());
        let made = self.post("/v1/accounts").token(OPERATOR_TOKEN).json(&body).await.expect(201);
        let id = made["account"]["id"].as_str().unwrap().parse().expect("an account's id");
        Tenant { id, token: made["token"].as_str().unwrap().to_owned() }
    }

    /// A user of the account, with a token: a member with every permission, but for what `who` says otherwise.
    pub async fn user(&self, account: &Tenant, who: Value) -> TokenOwner {
        let mut body = json!({"name": "Member", "email": "member@example.org"});
        body.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
        let user = self.post("/v1/users").token(&account.token).json(&body).await.expect(201);
        let id = user["id"].as_str().unwrap().to_owned();
        let made =
            self.post("/v1/tokens").token(&account.token).json(&json!({"user_id": id})).await.expect(201);
        TokenOwner { id, token: made["token"].as_str().unwrap().to_owned() }
    }

    /// An integration of the account, with its token: without any permission, but for what `settings` say otherwise.
    pub async fn integration(&self, account: &Tenant, settings: Value) -> TokenOwner {
        let mut integration = json!({"name": "Shop"});
        integration.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let body = json!({"integration": integration});
        let made = self.post("/v1/tokens").token(&account.token).json(&body).await.expect(201);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        TokenOwner { id: text("id"), token: text("token") }
    }

    /// A contact, made with this body; its id.
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

    /// Asserts the first invariant: the usage that the API tells is what a full scan counts. Gives the usage.
    pub async fn assert_exact(&self, account: &Tenant) -> Value {
        let usage = self.get("/v1/usage").token(&account.token).await.expect(200);
        let scan = crate::scan(&self.table.client, account.id).await;
        assert_eq!(
            (&usage["marketing"], &usage["leaving"]),
            (&json!(scan.billable), &json!(scan.leaving)),
            "the usage against a full scan"
        );
        let (number, marketing, leaving) = scan.period;
        assert_eq!(
            (&usage["period"]["number"], &usage["marketing"], &usage["leaving"]),
            (&json!(number), &json!(marketing), &json!(leaving)),
            "the usage against the item that it is read from"
        );
        usage
    }
}

/// A request that is being put together. Awaiting it sends it.
pub struct Request<'a> {
    api: &'a Api,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
}

impl Request<'_> {
    /// With this bearer token.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        let value = format!("Bearer {token}");
        self.header(AUTHORIZATION.as_str(), value)
    }

    /// With this `Idempotency-Key`.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// With this `If-Match`.
    #[must_use]
    pub fn if_match(self, tag: &str) -> Self {
        self.header("if-match", tag)
    }

    /// With one more header, which may be any bytes that a header can hold.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name: HeaderName = name.parse().expect("a header's name");
        self.headers.append(name, HeaderValue::from_bytes(value.as_ref()).expect("a header's value"));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a body of this media type.
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
        let body = body.collect().await.expect("a whole answer").to_bytes().to_vec();
        let reply = Reply { status: parts.status.as_u16(), headers: parts.headers, body };
        let undescribed = undescribed(&method, uri.path(), &reply);
        assert_eq!(
            undescribed,
            None,
            "{method} {} against the OpenAPI document; declare the answer where the operation is described, and write \
             the document anew: {}",
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
