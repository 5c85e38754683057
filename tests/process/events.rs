//! Events as AWS documents them (`tests/fixtures/events`), filled in, and the answers that AWS expects.

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

/// A request with this method and path. API Gateway gives the path decoded.
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

/// The template's route that the API would choose, and what stands in the path for its variables.
fn route_of(method: &str, path: &str) -> (String, BTreeMap<String, String>) {
    let routes = template_routes().into_values().flatten().filter(|(known, _)| known == method);
    let fitting = routes.filter_map(|(_, route)| Some((variables(&route, path)?, route)));
    // Of several that fit, the most specific one.
    let (parameters, route) =
        fitting.min_by_key(|(parameters, _)| parameters.len()).expect("a route of the template");
    (format!("{method} {route}"), parameters)
}

fn variables(route: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let mut found = BTreeMap::new();
    for (wanted, given) in route.iter().zip(&path) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => drop(found.insert(name.to_owned(), (*given).to_owned())),
            None if wanted == given => {}
            None => return None,
        }
    }
    (route.len() == path.len()).then_some(found)
}

impl HttpEvent {
    /// By whom, in the words of the authorizer.
    pub fn by(mut self, context: &Map<String, Value>) -> Self {
        self.0["requestContext"]["authorizer"] = json!({"lambda": context});
        self
    }

    /// With a header. API Gateway gives their names in lower case.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0["headers"][name.to_lowercase()] = value.into();
        self
    }

    /// With a query, as it was sent.
    pub fn query(mut self, query: &str) -> Self {
        self.0["rawQueryString"] = query.into();
        self
    }

    /// With a body that API Gateway gives as text.
    pub fn json(self, body: &Value) -> Self {
        self.text("application/json", &body.to_string())
    }

    /// With a body of this media type that API Gateway gives as text.
    pub fn text(mut self, content_type: &str, body: &str) -> Self {
        self.0["body"] = body.into();
        self.header("Content-Type", content_type)
    }

    /// With a body that API Gateway gives in base64.
    pub fn base64(mut self, content_type: &str, body: &[u8]) -> Self {
        self.0["body"] = STANDARD.encode(body).into();
        self.0["isBase64Encoded"] = true.into();
        self.header("Content-Type", content_type)
    }

    /// With this id.
    pub fn id(mut self, id: &str) -> Self {
        self.0["requestContext"]["requestId"] = id.into();
        self
    }

    /// The event.
    pub fn event(self) -> Value {
        self.0
    }
}

/// What the HTTP API is answered (payload format 2.0).
#[derive(Debug)]
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

impl HttpAnswer {
    /// Reads an answer, and holds its form against what API Gateway takes.
    #[track_caller]
    pub fn of(answer: &Value) -> Self {
        assert!(answer["cookies"].as_array().is_none_or(Vec::is_empty), "nothing sets cookies");
        assert_eq!(answer["isBase64Encoded"], false, "every body is text: {answer}");
        let mut headers = BTreeMap::new();
        for group in ["headers", "multiValueHeaders"] {
            for (name, value) in answer[group].as_object().into_iter().flatten() {
                let text = value.as_str().or_else(|| value[0].as_str()).expect("a header's text");
                headers.insert(name.to_lowercase(), text.to_owned());
            }
        }
        let status =
            answer["statusCode"].as_u64().and_then(|status| status.try_into().ok()).expect("a status");
        Self { status, headers, body: answer["body"].as_str().unwrap_or_default().to_owned() }
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(self.headers["content-type"].starts_with("application/json"), "{:?}", self.headers);
        serde_json::from_str(&self.body).expect("a body in JSON")
    }

    /// The problem document of an answer with this status.
    #[track_caller]
    pub fn problem(&self, status: u16, slug: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem: Value = serde_json::from_str(&self.body).expect("a body in JSON");
        assert_eq!(problem["type"], format!("urn:tidemark:problem:{slug}"));
        assert_eq!(problem["status"], status);
        problem
    }
}

/// The question that the HTTP API asks its authorizer, in the payload format 2.0.
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

/// A tick of the schedule.
pub fn tick() -> Value {
    fixture(include_str!("../fixtures/events/schedule.json"))
}

/// A batch of messages, the ids of which are `message-0`, `message-1` and so on.
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

/// The ids of the messages that a batch's answer names.
#[track_caller]
pub fn failures(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().expect("a partial batch response");
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().expect("an id")).collect()
}

/// The answer to a batch of which these failed.
pub fn failed(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|number| format!("message-{number}")).collect()
}
