//! Access by name to the members of a provider's JSON. A member that is missing or has the wrong type is reported with
//! its path. Members that are not requested are ignored.

use api::Problem;
use api::fields::Errors;
use api::json::mended;
use serde_json::{Map, Value};

use form_mapping::answers::scalar;

/// A JSON object in a provider's body, and its path.
pub(super) struct Members<'v> {
    path: String,
    values: &'v Map<String, Value>,
}

/// Parses a body that is one JSON object. Broken JSON is repaired first (see [`mended`]).
///
/// # Errors
///
/// `invalid-request`. The message repeats no part of the body.
pub(super) fn parse(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_str(&mended(body)) {
        Ok(Value::Object(values)) => Ok(values),
        Ok(_) => Err(Problem::invalid_field("", "the body is not a JSON object")),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let message = format!("the body is not valid JSON at line {line}, column {column}");
            Err(Problem::invalid_field("", message))
        }
    }
}

impl<'v> Members<'v> {
    /// Wraps the object that is the whole body.
    pub(super) fn root(values: &'v Map<String, Value>) -> Self {
        Self { path: String::new(), values }
    }

    /// Returns all members.
    pub(super) fn values(&self) -> &'v Map<String, Value> {
        self.values
    }

    /// Returns a member's value. Returns `None` if it is missing or `null`.
    pub(super) fn get(&self, name: &str) -> Option<&'v Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// Returns a member's text. Returns `None` if the member is not a text.
    pub(super) fn str(&self, name: &str) -> Option<&'v str> {
        self.get(name)?.as_str()
    }

    /// Returns the entries of a list. Yields nothing if the member is not a list.
    pub(super) fn entries(&self, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
        self.get(name).and_then(Value::as_array).into_iter().flatten()
    }

    /// Returns a nested object. Returns `None` if the member is not an object.
    pub(super) fn within(&self, name: &str) -> Option<Members<'v>> {
        let values = self.get(name)?.as_object()?;
        Some(Members { path: self.path(name), values })
    }

    /// Returns a required text that is not empty. A number counts as its text.
    pub(super) fn text(&self, name: &str, errors: &mut Errors) -> Option<String> {
        let text = self.get(name).filter(|value| !value.is_boolean()).and_then(scalar);
        self.needed(name, "a text", text.filter(|text| !text.is_empty()), errors)
    }

    /// Returns a required object.
    pub(super) fn object(&self, name: &str, errors: &mut Errors) -> Option<Members<'v>> {
        self.needed(name, "an object", self.within(name), errors)
    }

    /// Returns a required list of objects.
    pub(super) fn objects(&self, name: &str, errors: &mut Errors) -> Option<Vec<Members<'v>>> {
        let list = self.needed(name, "a list", self.get(name).and_then(Value::as_array), errors)?;
        let path = self.path(name);
        let entries = list.iter().enumerate().map(|(index, entry)| {
            let path = format!("{path}[{index}]");
            match entry {
                Value::Object(values) => Some(Members { path, values }),
                _ => {
                    errors.push(path, "expected an object");
                    None
                }
            }
        });
        // All entries are read before the first invalid one ends the list, so that every error is reported.
        let entries: Vec<_> = entries.collect();
        entries.into_iter().collect()
    }

    fn needed<T>(&self, name: &str, what: &str, found: Option<T>, errors: &mut Errors) -> Option<T> {
        if found.is_none() {
            let message = if self.get(name).is_some() {
                format!("expected {what}")
            } else {
                format!("is required: {what}")
            };
            errors.push(self.path(name), message);
        }
        found
    }

    fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}
