//! Events as AWS documents them (`tests/fixtures/events`), and the responses that AWS expects.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::template::routes::template_routes;

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).expect("a fixture in JSON")
}

/// A request through the HTTP API, in its payload format 2.0.
#[derive(Clone)]
pub struct HttpEvent(Value);

/// Returns a request with this method and path. API Gateway passes the path decoded.
pub fn http(method: &str, path: &str) -> HttpEvent {
    let mut event = fixture(include_str!("../fixtures/events/http-api.json"));
    let (route, parameters) = route_of(method, path);
    event["rawPath"] = path.into();
    event["routeKey"] = route.clone().into();
    let context = &mut event["requestContext"];
    context["routeKey"] = route.into();
    context["http"]["method"] = method.into();
    context["http"]["path"] = path.into();
    if !parameters.is_empty() {
        event["pathParameters"] = json!(parameters);
    }
    HttpEvent(event)
}

/// Returns the template's route that the API would choose, and the values of its path variables.
fn route_of(method: &str, path: &str) -> (String, BTreeMap<String, String>) {
    let routes =
        template_routes().into_values().flatten().filter(|(known, _)| known == method || known == "ANY");
    let matching =
        routes.filter_map(|(known, route)| Some((variables(&route, path)?, format!("{known} {route}"))));
    // Several routes can match, and the API chooses the most specific one.
    let (parameters, route) =
        matching.min_by_key(|(parameters, _)| parameters.len()).expect("a route of the template");
    (route, parameters)
}

fn variables(route: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let mut found = BTreeMap::new();
    for (place, (wanted, given)) in route.iter().zip(&path).enumerate() {
        // A greedy variable takes the rest of the path.
        if let Some(name) = wanted.strip_prefix('{').and_then(|name| name.strip_suffix("+}")) {
            let rest = path.get(place..).unwrap_or_default().join("/");
            found.insert(name.to_owned(), rest);
            return Some(found);
        }
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => drop(found.insert(name.to_owned(), (*given).to_owned())),
            None if wanted == given => {}
            None => return None,
        }
    }
    (route.len() == path.len()).then_some(found)
}

impl HttpEvent {
    /// Sets the caller, as the context that the authorizer returns.
    pub fn by(mut self, context: &Map<String, Value>) -> Self {
        self.0["requestContext"]["authorizer"] = json!({"lambda": context});
        self
    }

    /// Adds a header. API Gateway passes header names in lower case.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0["headers"][name.to_lowercase()] = value.into();
        self
    }

    /// Sets the cookies. API Gateway passes them apart from the headers.
    pub fn cookies(mut self, cookies: &[&str]) -> Self {
        self.0["cookies"] = json!(cookies);
        self
    }

    /// Sets the query. API Gateway passes it as the client sent it.
    pub fn query(mut self, query: &str) -> Self {
        self.0["rawQueryString"] = query.into();
        self
    }

    /// Sets a JSON body that API Gateway passes as text.
    pub fn json(self, body: &Value) -> Self {
        self.text("application/json", &body.to_string())
    }

    /// Sets a body of this media type that API Gateway passes as text.
    pub fn text(mut self, content_type: &str, body: &str) -> Self {
        self.0["body"] = body.into();
        self.header("Content-Type", content_type)
    }

    /// Sets a body that API Gateway passes in base64.
    pub fn base64(mut self, content_type: &str, body: &[u8]) -> Self {
        self.0["body"] = STANDARD.encode(body).into();
        self.0["isBase64Encoded"] = true.into();
        self.header("Content-Type", content_type)
    }

    /// Sets the id of the request.
    pub fn id(mut self, id: &str) -> Self {
        self.0["requestContext"]["requestId"] = id.into();
        self
    }

    /// Returns the complete event.
    pub fn event(self) -> Value {
        self.0
    }
}

/// A function's response to the HTTP API (payload format 2.0).
#[derive(Debug)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The cookies, as `Set-Cookie` has them.
    pub cookies: Vec<String>,
    /// The body.
    pub body: String,
}

impl HttpResponse {
    /// Parses a response and asserts that API Gateway accepts its form.
    #[track_caller]
    pub fn of(response: &Value) -> Self {
        let cookies = response["cookies"].as_array().map(Vec::as_slice).unwrap_or_default();
        let cookies = cookies.iter().map(|cookie| cookie.as_str().expect("a cookie").to_owned()).collect();
        assert_eq!(response["isBase64Encoded"], false, "every body is text: {response}");
        let mut headers = BTreeMap::new();
        for group in ["headers", "multiValueHeaders"] {
            for (name, value) in response[group].as_object().into_iter().flatten() {
                let text = value.as_str().or_else(|| value[0].as_str()).expect("a header's text");
                headers.insert(name.to_lowercase(), text.to_owned());
            }
        }
        let status =
            response["statusCode"].as_u64().and_then(|status| status.try_into().ok()).expect("a status");
        Self { status, headers, cookies, body: response["body"].as_str().unwrap_or_default().to_owned() }
    }

    /// Asserts the status and returns the JSON body.
    #[track_caller]
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(self.headers["content-type"].starts_with("application/json"), "{:?}", self.headers);
        serde_json::from_str(&self.body).expect("a body in JSON")
    }

    /// Asserts the status and the problem type, and returns the problem document.
    #[track_caller]
    pub fn problem(&self, status: u16, problem_type: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem: Value = serde_json::from_str(&self.body).expect("a body in JSON");
        assert_eq!(problem["type"], format!("urn:tidemark:problem:{problem_type}"));
        assert_eq!(problem["status"], status);
        problem
    }
}

/// Returns the event that the HTTP API sends to its authorizer, in the payload format 2.0.
pub fn authorization(header: Option<&str>) -> Value {
    let mut event = fixture(include_str!("../fixtures/events/authorizer.json"));
    match header {
        Some(header) => {
            event["headers"]["authorization"] = header.into();
            event["identitySource"] = json!([header]);
        }
        None => {
            event["headers"].as_object_mut().expect("headers").remove("authorization");
            event["identitySource"] = json!([]);
        }
    }
    event
}

/// Returns the event of a tick of the schedule.
pub fn tick() -> Value {
    fixture(include_str!("../fixtures/events/schedule.json"))
}

/// Returns a batch of messages with the ids `message-0`, `message-1` and so on.
pub fn batch<T: AsRef<str>>(bodies: &[T]) -> Value {
    let sample = fixture(include_str!("../fixtures/events/queue.json"));
    let records = bodies.iter().enumerate().map(|(number, body)| {
        let mut record = sample["Records"][0].clone();
        record["messageId"] = format!("message-{number}").into();
        record["body"] = body.as_ref().into();
        record
    });
    json!({"Records": records.collect::<Vec<_>>()})
}

/// Returns a batch of the table's changes, each as the engine records it.
pub fn stream(changes: &[Value]) -> Value {
    let sample = fixture(include_str!("../fixtures/events/stream.json"));
    let records = changes.iter().map(|change| {
        let mut record = sample["Records"][0].clone();
        for part in ["eventID", "eventName", "dynamodb"] {
            record[part] = change[part].clone();
        }
        record
    });
    json!({"Records": records.collect::<Vec<_>>()})
}

/// Returns the ids of the failed messages in the response to a batch.
#[track_caller]
pub fn failures(response: &Value) -> Vec<&str> {
    let failures = response["batchItemFailures"].as_array().expect("a partial batch response");
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().expect("an id")).collect()
}

/// Returns the ids of these messages, as [`failures`] returns them.
pub fn failed(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|number| format!("message-{number}")).collect()
}
