//! Bodies of requests: what their schemas owe to the way in which they are read.
//!
//! A body is closed: a field that its schema does not name is an error. In a request with a token, a text with a bounded
//! length is one line, because [`text`](crate::parse::text) reads it. What the public sends is read more tolerantly.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{AdditionalProperties, AllOf, ArrayItems, Object, Schema, SchemaType, Type};
use utoipa::openapi::{OpenApi, Ref, RefOr};

use super::{is_in_others_words, needs_token, operations};

/// What a reference to a schema begins with.
const SCHEMAS: &str = "#/components/schemas/";

/// A line that is not blank.
const LINE: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";

/// The schemas of a document, by name.
type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Describes how the bodies of all requests are read, but for those that are in the words of another API.
pub(super) fn describe(document: &mut OpenApi) {
    let schemas =
        document.components.as_ref().map(|components| components.schemas.clone()).unwrap_or_default();
    let (mut publics, mut others) = (Reader::new(false, &schemas), Reader::new(true, &schemas));
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations(item).filter(|(_, operation)| !is_in_others_words(operation)) {
            let reader = if needs_token(operation) { &mut others } else { &mut publics };
            let Some(RefOr::T(body)) = &mut operation.request_body else { continue };
            for content in body.content.values_mut() {
                if let RefOr::T(content) = content
                    && let Some(schema) = &mut content.schema
                {
                    reader.describe(schema);
                }
            }
        }
    }
    let mut described = publics.described();
    described.extend(others.described());
    if let Some(components) = &mut document.components {
        components.schemas.extend(described);
    }
}

/// The way in which the bodies of some requests are read.
struct Reader<'s> {
    /// Whether texts are lines.
    reads_lines: bool,
    /// The schemas as they are declared.
    schemas: &'s Schemas,
    /// The names of schemas that are still to be described.
    named: Vec<String>,
}

impl<'s> Reader<'s> {
    fn new(reads_lines: bool, schemas: &'s Schemas) -> Self {
        Self { reads_lines, schemas, named: Vec::new() }
    }

    /// Returns the schemas that were named so far, and those that they name in turn.
    fn described(mut self) -> Schemas {
        let mut described = Schemas::new();
        while let Some(name) = self.named.pop() {
            if let Some(schema) = self.schemas.get(&name).filter(|_| !described.contains_key(&name)) {
                let mut schema = schema.clone();
                self.describe(&mut schema);
                described.insert(name, schema);
            }
        }
        described
    }

    fn describe(&mut self, schema: &mut RefOr<Schema>) {
        match schema {
            RefOr::Ref(reference) => self.named.extend(name_of(reference).map(str::to_owned)),
            RefOr::T(Schema::Object(object)) => self.describe_object(object),
            RefOr::T(Schema::Array(array)) => {
                if let ArrayItems::RefOrSchema(items) = &mut array.items {
                    self.describe(items);
                }
            }
            RefOr::T(Schema::OneOf(one_of)) => one_of.items.iter_mut().for_each(|item| self.describe(item)),
            RefOr::T(Schema::AnyOf(any_of)) => any_of.items.iter_mut().for_each(|item| self.describe(item)),
            RefOr::T(Schema::AllOf(all_of)) => {
                let mut whole = joined(all_of, self.schemas);
                self.describe_object(&mut whole);
                *schema = RefOr::T(Schema::Object(whole));
            }
            RefOr::T(_) => {}
        }
    }

    fn describe_object(&mut self, object: &mut Object) {
        for property in object.properties.values_mut() {
            self.describe(property);
            match property {
                RefOr::T(Schema::Object(text)) if self.reads_lines && is_bounded_text(text) => {
                    text.pattern = Some(LINE.to_owned());
                }
                _ => {}
            }
        }
        match object.additional_properties.as_deref_mut() {
            Some(AdditionalProperties::RefOr(others)) => self.describe(others),
            Some(AdditionalProperties::FreeForm(_)) => {}
            // An object of which nothing is said may hold anything.
            None if object.properties.is_empty() => {}
            None => object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false))),
        }
    }
}

/// Returns true for a text with a length and nothing more.
fn is_bounded_text(object: &Object) -> bool {
    let is_text = match &object.schema_type {
        SchemaType::Type(kind) => *kind == Type::String,
        SchemaType::Array(kinds) => kinds.contains(&Type::String),
        SchemaType::AnyValue => false,
    };
    let says_more = object.pattern.is_some() || object.format.is_some() || object.enum_values.is_some();
    is_text && object.max_length.is_some() && !says_more
}

/// Returns the one object that several describe together. Were each of them closed, none would allow the fields of the
/// others.
fn joined(all_of: &AllOf, schemas: &Schemas) -> Object {
    let mut whole = Object::new();
    whole.description.clone_from(&all_of.description);
    for part in all_of.items.iter().filter_map(|part| object(part, schemas)) {
        whole.properties.extend(part.properties);
        whole.required.extend(part.required);
        whole.description = whole.description.or(part.description);
        whole.additional_properties = whole.additional_properties.or(part.additional_properties);
    }
    whole
}

fn object(schema: &RefOr<Schema>, schemas: &Schemas) -> Option<Object> {
    match schema {
        RefOr::Ref(reference) => object(schemas.get(name_of(reference)?)?, schemas),
        RefOr::T(Schema::Object(object)) => Some(object.clone()),
        RefOr::T(Schema::AllOf(all_of)) => Some(joined(all_of, schemas)),
        RefOr::T(_) => None,
    }
}

fn name_of(reference: &Ref) -> Option<&str> {
    reference.ref_location.strip_prefix(SCHEMAS)
}
