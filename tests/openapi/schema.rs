//! A reader of the document's schemas: it lists the shapes of objects and checks values against schemas.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::calendar::parse_date;
use serde_json::{Map, Value, json};

/// The schemas of a document, by name.
pub struct Schemas(Map<String, Value>);

/// One set of fields that an object can have.
#[derive(Clone, Default)]
pub struct Shape<'s> {
    /// The schemas of the fields, by name.
    pub fields: BTreeMap<&'s str, &'s Value>,
    /// The names of the required fields.
    pub required: BTreeSet<&'s str>,
    /// The schema of other entries, if names are data.
    pub others: Option<&'s Value>,
}

impl Schemas {
    /// Reads the schemas of a document.
    pub fn of(document: &Value) -> Self {
        Self(document["components"]["schemas"].as_object().unwrap().clone())
    }

    /// Returns the schema itself, or the schema that it refers to.
    pub fn target<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match schema["$ref"].as_str() {
            Some(name) => &self.0[name.strip_prefix("#/components/schemas/").unwrap()],
            None => schema,
        }
    }

    /// Returns the shapes that an object of the schema can have. The list is empty if the schema describes no fields.
    pub fn shapes<'s>(&'s self, schema: &'s Value) -> Vec<Shape<'s>> {
        let schema = self.target(schema);
        if let Some(alternatives) = schema["oneOf"].as_array() {
            return alternatives.iter().flat_map(|schema| self.shapes(schema)).collect();
        }
        let own = Shape {
            fields: schema["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, field)| (&**name, field))
                .collect(),
            required: schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
            others: schema.get("additionalProperties").filter(|others| **others != json!(false)),
        };
        let parts = schema["allOf"].as_array().into_iter().flatten();
        let whole = parts.fold(own, |whole, part| whole.and(self.shapes(part)));
        let is_described = !whole.fields.is_empty() || whole.others.is_some();
        is_described.then_some(whole).into_iter().collect()
    }

    /// Returns true if the schema does not restrict the value.
    pub fn accepts_any_value(&self, schema: &Value) -> bool {
        let keywords = ["type", "oneOf", "allOf", "properties", "additionalProperties"];
        let schema = self.target(schema);
        keywords.iter().all(|keyword| schema.get(keyword).is_none())
    }

    /// Returns the first mismatch of a value with its place, or `None` if the value matches the schema. Entries that
    /// the schema does not describe are mismatches, because responses have no undescribed members.
    pub fn mismatch(&self, schema: &Value, value: &Value, place: &str) -> Option<String> {
        let schema = self.target(schema);
        if self.accepts_any_value(schema) {
            return None;
        }
        if let Some(alternatives) = schema["oneOf"].as_array() {
            let problems: Option<Vec<_>> =
                alternatives.iter().map(|schema| self.mismatch(schema, value, place)).collect();
            return problems.map(|problems| problems.join(" and "));
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => vec!["object"],
        };
        let fits = types.iter().any(|name| match *name {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_u64() || value.is_i64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("{place} has the type {other}"),
        });
        if !fits {
            return Some(format!("{place} is not of the type {}", types.join(" or ")));
        }
        match value {
            Value::String(text) => misfit(schema, text).map(|problem| format!("{place} {problem}")),
            Value::Number(number) => {
                let out = |bound: &str, is_out: fn(f64, f64) -> bool| {
                    schema[bound].as_f64().is_some_and(|bound| is_out(number.as_f64().unwrap(), bound))
                };
                let is_out = out("minimum", |number, least| number < least)
                    || out("maximum", |number, most| number > most);
                is_out.then(|| format!("{place} is out of bounds"))
            }
            Value::Array(entries) => entries
                .iter()
                .enumerate()
                .find_map(|(at, entry)| self.mismatch(&schema["items"], entry, &format!("{place}[{at}]"))),
            Value::Object(entries) => self.mismatched_object(schema, entries, place),
            Value::Null | Value::Bool(_) => None,
        }
    }

    fn mismatched_object(&self, schema: &Value, entries: &Map<String, Value>, place: &str) -> Option<String> {
        // An object without a described shape may have any entries.
        let shape = self.shapes(schema).into_iter().next()?;
        if let Some(missing) = shape.required.iter().find(|name| !entries.contains_key(**name)) {
            return Some(format!("{place}.{missing} is missing"));
        }
        entries.iter().find_map(|(name, value)| {
            let place = format!("{place}.{name}");
            match shape.fields.get(name.as_str()).copied().or(shape.others) {
                Some(schema) => self.mismatch(schema, value, &place),
                None => Some(format!("{place} is not described")),
            }
        })
    }
}

impl<'s> Shape<'s> {
    /// Returns the shape with the fields of this one and the others. `others` has at most one shape.
    fn and(mut self, others: Vec<Shape<'s>>) -> Self {
        for other in others {
            self.fields.extend(other.fields);
            self.required.extend(other.required);
            self.others = self.others.or(other.others);
        }
        self
    }
}

/// Returns the mismatch of a text with its schema, if it has one.
fn misfit(schema: &Value, text: &str) -> Option<&'static str> {
    let is_one_of = schema["enum"].as_array().is_none_or(|words| words.iter().any(|word| word == text));
    let length = text.chars().count() as u64;
    let is_short_enough = schema["maxLength"].as_u64().is_none_or(|most| length <= most);
    let is_long_enough = schema["minLength"].as_u64().is_none_or(|least| length >= least);
    let has_format = match schema["format"].as_str() {
        // An instant has one spelling only: UTC with milliseconds.
        Some("date-time") => text.parse::<Timestamp>().is_ok_and(|at| at.to_string() == text),
        Some("date") => parse_date(text).is_ok(),
        _ => true,
    };
    [
        (is_one_of, "is not one of the allowed texts"),
        (is_short_enough && is_long_enough, "is too long or too short"),
        (has_format, "does not have the required format"),
    ]
    .into_iter()
    .find_map(|(right, problem)| (!right).then_some(problem))
}

#[test]
fn mismatches_are_reported_with_their_place() {
    let document = json!({"components": {"schemas": {
        "Kind": {"type": "string", "enum": ["form"]},
        "Named": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 3}}},
        "Whole": {"allOf": [{"$ref": "#/components/schemas/Named"}, {"type": "object", "properties": {
            "kind": {"$ref": "#/components/schemas/Kind"}, "at": {"type": ["string", "null"], "format": "date-time"},
            "counts": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
            "list": {"type": "array", "items": {"oneOf": [{"type": "boolean"}, {"type": "number"}]}},
        }}]},
    }}});
    let schemas = Schemas::of(&document);
    let whole = json!({"$ref": "#/components/schemas/Whole"});
    let mismatch = |value: Value| schemas.mismatch(&whole, &value, "it");
    let valid = json!({"name": "Ada", "kind": "form", "at": "2026-11-21T19:59:01.123Z", "counts": {"a": 1}, "list": [true, 1.5]});
    assert_eq!(mismatch(valid), None);
    assert_eq!(mismatch(json!({"name": "Ada", "at": null})), None);
    for (value, problem) in [
        (json!({}), "it.name is missing"),
        (json!({"name": 1}), "it.name is not of the type string"),
        (json!({"name": "Adam"}), "it.name is too long or too short"),
        (json!({"name": "Ada", "kind": "chat"}), "it.kind is not one of the allowed texts"),
        (json!({"name": "Ada", "at": "2026-11-21T19:59:01Z"}), "it.at does not have the required format"),
        (json!({"name": "Ada", "counts": {"a": -1}}), "it.counts.a is out of bounds"),
        (json!({"name": "Ada", "colour": 1}), "it.colour is not described"),
        (
            json!({"name": "Ada", "list": [1, "a"]}),
            "it.list[1] is not of the type boolean and it.list[1] is not of the type number",
        ),
        (json!([]), "it is not of the type object"),
    ] {
        assert_eq!(mismatch(value).as_deref(), Some(problem));
    }
}
