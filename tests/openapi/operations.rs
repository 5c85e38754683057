//! The operations of an OpenAPI document.

use std::fmt;

use http::Method;
use serde_json::{Value, json};

use super::schema::Schemas;

/// The methods under which a path's operations stand.
const METHODS: [Method; 6] =
    [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::OPTIONS, Method::PATCH];

/// What a reference to a shared response begins with.
const RESPONSES: &str = "#/components/responses/";

/// One operation.
#[derive(Clone)]
pub struct Operation {
    /// Its method.
    pub method: Method,
    /// Its path, with named variables.
    pub path: String,
    /// What the document says of it, with the responses that several operations share.
    pub description: Value,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Every operation of a document.
pub fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let found = METHODS.iter().filter_map(|method| {
            let mut description = item.get(method.as_str().to_ascii_lowercase())?.clone();
            for response in description["responses"].as_object_mut().unwrap().values_mut() {
                let shared = response["$ref"].as_str().and_then(|name| name.strip_prefix(RESPONSES));
                if let Some(name) = shared {
                    *response = document["components"]["responses"][name].clone();
                }
            }
            Some(Operation { method: method.clone(), path: path.clone(), description })
        });
        found.collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// Every operation of the API, and the schemas that they name.
pub fn every() -> (Vec<Operation>, Schemas) {
    let document = serde_json::to_value(super::merged()).unwrap();
    (operations(&document), Schemas::of(&document))
}

/// Every operation that is asked and answered in the API's own words, and the schemas that they name.
pub fn api() -> (Vec<Operation>, Schemas) {
    let (mut operations, schemas) = every();
    operations.retain(|operation| !operation.is_in_others_words());
    (operations, schemas)
}

impl Operation {
    /// A text that the document says of it.
    pub fn text(&self, name: &str) -> &str {
        self.description[name].as_str().unwrap_or_else(|| panic!("{self} has no {name}"))
    }

    /// Whether others say what its requests look like: `HubSpot`, or a provider of forms.
    pub fn is_in_others_words(&self) -> bool {
        self.path.starts_with("/submissions/") || self.path.starts_with("/v1/hooks/")
    }

    /// Whether it needs no token.
    pub fn is_public(&self) -> bool {
        self.description["security"] == json!([{}])
    }

    /// Whether it is the operator's alone.
    pub fn is_operators(&self) -> bool {
        self.description["security"] == json!([{"operator": []}])
    }

    /// The schema of its JSON body, if it has one.
    pub fn body(&self) -> Option<&Value> {
        let schema = &self.description["requestBody"]["content"]["application/json"]["schema"];
        (!schema.is_null()).then_some(schema)
    }

    /// The names of its parameters of a kind: `path`, `query` or `header`.
    pub fn parameters(&self, kind: &str) -> Vec<&str> {
        let all = self.description["parameters"].as_array().into_iter().flatten();
        let of_kind = all.filter(|parameter| parameter["in"] == kind);
        of_kind.map(|parameter| parameter["name"].as_str().unwrap()).collect()
    }

    /// The schema of the body of its answers with this status: `Some(None)` if they have none, and none if the
    /// document knows no such answers.
    pub fn answer(&self, status: u16) -> Option<Option<&Value>> {
        let answer = self.description["responses"].get(status.to_string())?;
        Some(answer["content"].get("application/json").map(|content| &content["schema"]))
    }
}
