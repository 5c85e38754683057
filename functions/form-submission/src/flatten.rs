//! Conversion of JSON of any shape to answers, for senders without a fixed format and for values with parts.
//!
//! - A text, a number, `true` or `false` is one answer. A list of them is one answer with several values. `null` and an
//!   empty list have no value.
//! - An object with a `url` and a file's name, type or size is a file. Its answer is the URL.
//! - An object with a `value` and a name or a type describes one field, and so does each object in a list of them. If
//!   it has no name, its path is the name.
//! - Any other object is split into its members. The member `first` of `name` is the field `name[first]`, as in HTML
//!   forms. The form's map may name the member, or the whole object by the outermost name.
//! - Any other value, such as a list of other objects, has an unknown type.

use domain::usual_names::{AddressName, address_name};
use serde_json::{Map, Value};

use form_mapping::answers::{Collector, FieldAnswer, Kind, scalar};
use form_mapping::names::names;

/// The members that contain a field's name, in an object that describes one field.
const FIELD_NAMES: [&str; 4] = ["name", "label", "title", "key"];

/// The members that contain a field's type, in an object that describes one field.
const FIELD_TYPES: [&str; 3] = ["type", "field_type", "fieldType"];

/// The members that distinguish a file from another object with a `url`.
const OF_A_FILE: [&str; 6] = ["name", "filename", "fileName", "mimeType", "type", "size"];

/// The names of a field, and the names of the outermost field that contains it.
#[derive(Clone)]
pub(crate) struct Path {
    own: Vec<String>,
    whole: Vec<String>,
}

impl Path {
    /// Creates the path of a field that is not part of another field.
    pub(crate) fn new(own: Vec<String>) -> Self {
        Self { own, whole: Vec::new() }
    }

    fn part(&self, name: &str) -> Self {
        let own: Vec<String> = self.own.iter().map(|own| format!("{own}[{name}]")).collect();
        let whole = if self.whole.is_empty() { &self.own } else { &self.whole };
        Self { own: names(own.iter().map(|own| Some(own.as_str()))), whole: whole.clone() }
    }

    fn names(&self) -> Vec<String> {
        names(self.own.iter().chain(&self.whole).map(|name| Some(name.as_str())))
    }
}

/// Adds each member of an object as a field. Members named in `about` are facts about the submission, not answers.
pub(crate) fn members(values: &Map<String, Value>, about: &[&str], out: &mut Collector) {
    for (name, value) in values {
        if about.contains(&name.as_str()) {
            if let Some(text) = scalar(value) {
                out.push(FieldAnswer::about(name, text));
            }
        } else {
            field(&Path::new(names([Some(name.as_str())])), value, out);
        }
    }
}

/// Adds a value as the answer to a field.
pub(crate) fn field(path: &Path, value: &Value, out: &mut Collector) {
    if let Some(texts) = texts(value) {
        out.push(FieldAnswer::new(path.names(), Kind::Text, texts));
        return;
    }
    match value {
        Value::Object(values) if is_described(values) => {
            let id = values.get("id").and_then(scalar);
            described(path.own.iter().map(String::as_str).chain(id.as_deref()), values, out);
        }
        Value::Array(entries) if entries.iter().all(|entry| entry.as_object().is_some_and(is_described)) => {
            for values in entries.iter().filter_map(Value::as_object) {
                // The path names the whole list, so an entry's own id comes first.
                let id = values.get("id").and_then(scalar);
                described(id.as_deref().into_iter().chain(path.own.iter().map(String::as_str)), values, out);
            }
        }
        Value::Object(values) => {
            for (name, value) in values {
                field(&path.part(name), value, out);
            }
        }
        _ => out.push(unknown(path.names(), value)),
    }
}

/// Returns an answer of unknown type. Its value is compact JSON, unless it is a text, a number or a boolean.
pub(crate) fn unknown(names: Vec<String>, value: &Value) -> FieldAnswer {
    let text = scalar(value).unwrap_or_else(|| value.to_string());
    FieldAnswer::new(names, Kind::Unknown, vec![text])
}

/// Returns the texts of a value that is one or several texts or files. Returns `None` for any other value.
pub(crate) fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::Array(entries) => {
            let entries = entries.iter().filter(|entry| !entry.is_null());
            entries.map(|entry| scalar(entry).or_else(|| file(entry))).collect()
        }
        value => scalar(value).or_else(|| file(value)).map(|text| vec![text]),
    }
}

/// Returns the URL of a file. Returns `None` if the value is not a file.
fn file(value: &Value) -> Option<String> {
    let values = value.as_object()?;
    let url = values.get("url")?.as_str()?;
    OF_A_FILE.iter().any(|name| values.contains_key(*name)).then(|| url.to_owned())
}

/// Returns true if the object describes one field.
pub(crate) fn is_described(values: &Map<String, Value>) -> bool {
    let mut describing = FIELD_NAMES.iter().chain(&FIELD_TYPES);
    values.contains_key("value") && describing.any(|name| values.get(*name).is_some_and(Value::is_string))
}

/// Adds the field that an object describes. `outer` contains further names, besides those in the object.
fn described<'n>(outer: impl Iterator<Item = &'n str>, values: &'n Map<String, Value>, out: &mut Collector) {
    let text = |name: &&str| values.get(*name).and_then(Value::as_str);
    let own = names(FIELD_NAMES.iter().map(text).chain(outer.map(Some)));
    let value = values.get("value").unwrap_or(&Value::Null);
    match texts(value) {
        Some(texts) if FIELD_TYPES.iter().filter_map(text).any(is_address) => {
            out.push(FieldAnswer::new(own, Kind::Email, texts));
        }
        _ => field(&Path::new(own), value, out),
    }
}

/// Returns true if the field type is one for email addresses.
fn is_address(kind: &str) -> bool {
    matches!(address_name(kind), Some(AddressName::Usual(_)))
}
