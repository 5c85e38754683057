//! The operations of an OpenAPI document.

use std::fmt;

use http::Method;
use serde_json::{Value, json};

use super::schema::Schemas;

/// The methods that a path can have operations for.
const METHODS: [Method; 6] =
    [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::OPTIONS, Method::PATCH];

/// The prefix of a reference to a shared response.
const RESPONSES: &str = "#/components/responses/";

/// One operation.
#[derive(Clone)]
pub struct Operation {
    /// The operation's method.
    pub method: Method,
    /// The operation's path, with named variables.
    pub path: String,
    /// The operation in the document. References to shared responses are replaced by the responses.
    pub description: Value,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Returns all operations of a document.
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

/// Returns all operations of the API and the schemas of the document.
pub fn every() -> (Vec<Operation>, Schemas) {
    let document = serde_json::to_value(super::merged()).unwrap();
    (operations(&document), Schemas::of(&document))
}

/// Returns the operations with the API's own formats, and the schemas of the document.
pub fn api() -> (Vec<Operation>, Schemas) {
    let (mut operations, schemas) = every();
    operations.retain(|operation| !operation.is_in_others_words());
    (operations, schemas)
}

impl Operation {
    /// Returns a text of the operation, such as its `summary`.
    pub fn text(&self, name: &str) -> &str {
        self.description[name].as_str().unwrap_or_else(|| panic!("{self} has no {name}"))
    }

    /// Returns true if `HubSpot` or a form provider defines the format of the requests.
    pub fn is_in_others_words(&self) -> bool {
        self.path.starts_with("/submissions/") || self.path.starts_with("/v1/hooks/")
    }

    /// Returns true if the operation requires no token.
    pub fn is_public(&self) -> bool {
        self.description["security"] == json!([{}])
    }

    /// Returns true if the operation requires the operator's token.
    pub fn is_operators(&self) -> bool {
        self.description["security"] == json!([{"operator": []}])
    }

    /// Returns the schema of the JSON body of requests, if they have one.
    pub fn body(&self) -> Option<&Value> {
        let schema = &self.description["requestBody"]["content"]["application/json"]["schema"];
        (!schema.is_null()).then_some(schema)
    }

    /// Returns the names of the parameters of a kind: `path`, `query` or `header`.
    pub fn parameters(&self, kind: &str) -> Vec<&str> {
        let all = self.description["parameters"].as_array().into_iter().flatten();
        let of_kind = all.filter(|parameter| parameter["in"] == kind);
        of_kind.map(|parameter| parameter["name"].as_str().unwrap()).collect()
    }

    /// Returns the schema of the JSON body of responses with this status. Returns `Some(None)` if they have no such
    /// body, and `None` if the document has no response with this status.
    pub fn response(&self, status: u16) -> Option<Option<&Value>> {
        let response = self.description["responses"].get(status.to_string())?;
        Some(response["content"].get("application/json").map(|content| &content["schema"]))
    }
}
