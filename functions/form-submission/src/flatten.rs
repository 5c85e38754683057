//! JSON of any shape made answers: for senders that have no shape of their own, and for values that have parts.
//!
//! - Texts, numbers, true and false are answers; `null` and an empty list say nothing; a list of such values is one
//!   answer with several.
//! - An object with a `url` and a file's name, type or size is a file, and its answer is the URL.
//! - An object with a `value` that says its name or its type describes one field: so does each of a list of them. Without
//!   a name in it, its path is its name.
//! - Any other object is taken apart: the part `first` of `name` is the field `name[first]`, as HTML forms write it. The
//!   form's map may speak of the part, or of the whole by the outermost name.
//! - What then remains, such as a list of objects, is of an unknown type.

use domain::usual_names::{AddressName, address_name};
use serde_json::{Map, Value};

use form_mapping::answers::{Collector, FieldAnswer, Kind, scalar};
use form_mapping::names::names;

/// The members of an object with a field's own value that say how it is called.
const FIELD_NAMES: [&str; 4] = ["name", "label", "title", "key"];

/// The members of an object with a field's own value that say of which type it is.
const FIELD_TYPES: [&str; 3] = ["type", "field_type", "fieldType"];

/// The members that only the description of a file has besides its `url`.
const OF_A_FILE: [&str; 6] = ["name", "filename", "fileName", "mimeType", "type", "size"];

/// The names of a field, and those of the field that it is a part of.
#[derive(Clone)]
pub(crate) struct Path {
    own: Vec<String>,
    whole: Vec<String>,
}

impl Path {
    /// A field that is a part of none.
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

/// Takes each member of an object as a field. Members with one of the names in `about` are said of the submission.
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

/// Takes a value as what was answered in a field.
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
                // The path is that of the whole list.
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

/// An answer of a type that nothing is known of. Whoever maps it has it as compact JSON.
pub(crate) fn unknown(names: Vec<String>, value: &Value) -> FieldAnswer {
    let text = scalar(value).unwrap_or_else(|| value.to_string());
    FieldAnswer::new(names, Kind::Unknown, vec![text])
}

/// The texts of a value that is one or several texts or files; none for any other.
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

/// The URL of a file.
fn file(value: &Value) -> Option<String> {
    let values = value.as_object()?;
    let url = values.get("url")?.as_str()?;
    OF_A_FILE.iter().any(|name| values.contains_key(*name)).then(|| url.to_owned())
}

/// Returns true for an object that describes one field.
pub(crate) fn is_described(values: &Map<String, Value>) -> bool {
    let mut describing = FIELD_NAMES.iter().chain(&FIELD_TYPES);
    values.contains_key("value") && describing.any(|name| values.get(*name).is_some_and(Value::is_string))
}

/// Takes an object that describes one field, which has these names besides those that it says.
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

/// Returns true for the name of a type of field that asks for an e-mail address.
fn is_address(kind: &str) -> bool {
    matches!(address_name(kind), Some(AddressName::Usual(_)))
}
