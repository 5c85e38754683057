//! A client of a local stack, authenticated as the admin of its demo account.

use axum::body::{Body, to_bytes};
use futures_util::future::join_all;
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_NONE_MATCH};
use http::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// The number of contacts in a full transaction.
pub const BATCH: usize = 98;
/// The number of contacts that are created concurrently.
const AT_ONCE: usize = 8;

/// A client with an address and a token.
pub struct Caller {
    client: Client<HttpConnector, Body>,
    base: String,
    authorization: String,
}

impl Caller {
    /// Creates a client of the stack at this address, with this token.
    pub fn new(base: String, token: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, base, authorization: format!("Bearer {token}") }
    }

    /// Creates this number of marketing contacts and returns their ids.
    pub async fn contacts(&self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for first in (0..count).step_by(AT_ONCE) {
            let made = (first..count.min(first + AT_ONCE)).map(async |n| {
                let properties = json!({"firstname": format!("Person {n}"), "city": "London"});
                let email = format!("person{n}@example.org");
                let body = json!({"email": email, "marketing": true, "properties": properties});
                self.send("POST", "/v1/contacts", &body).await
            });
            let id = |made: &Value| made["id"].as_str().expect("an id").to_owned();
            ids.extend(join_all(made).await.iter().map(id));
        }
        ids
    }

    /// Queues or keeps these contacts. Every other `turn` reverts the one before, so that each turn changes the
    /// contacts.
    pub async fn toggle(&self, ids: &[String], turn: usize) -> Value {
        let paths = ["/v1/contacts/non-marketing-pending", "/v1/contacts/marketing"];
        let contacts: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        self.send("POST", paths[turn % 2], &json!({"contacts": contacts})).await
    }

    /// Stores a file by a link, which needs no token.
    pub async fn upload(&self, url: &str, file: &str) {
        let request = Request::builder()
            .method(Method::PUT)
            .uri(url)
            .header(IF_NONE_MATCH, "*")
            .body(Body::from(file.to_owned()));
        let response = self.client.request(request.expect("a request")).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK, "the file is stored");
    }

    /// Sends a request and returns its JSON response. Panics unless the status is 200, 201 or 202.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = Request::builder()
            .method(method.parse::<Method>().expect("a method"))
            .uri(format!("{}{path}", self.base))
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let response = self.client.request(request.body(body).expect("a request")).await.expect("an answer");
        let status = response.status();
        let body = to_bytes(Body::new(response.into_body()), usize::MAX).await.expect("a whole answer");
        assert!(
            matches!(status, StatusCode::OK | StatusCode::CREATED | StatusCode::ACCEPTED),
            "{method} {path}: {status} {}",
            String::from_utf8_lossy(&body)
        );
        serde_json::from_slice(&body).expect("a JSON answer")
    }
}
