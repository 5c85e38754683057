//! Bodies of requests without other fields than those that are described.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{AdditionalProperties, AllOf, ArrayItems, Object, Schema};
use utoipa::openapi::{OpenApi, Ref, RefOr};

use super::{is_in_others_words, operations};

/// What a reference to a schema begins with.
const SCHEMAS: &str = "#/components/schemas/";

/// The schemas of a document, by name.
type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Closes the bodies of all requests that are read strictly.
pub(super) fn close_requests(document: &mut OpenApi) {
    let mut schemas =
        document.components.as_ref().map(|components| components.schemas.clone()).unwrap_or_default();
    let mut named = Vec::new();
    for item in document.paths.paths.values_mut() {
        let strict = operations(item).filter(|(_, operation)| !is_in_others_words(operation));
        for (_, operation) in strict {
            let Some(RefOr::T(body)) = &mut operation.request_body else { continue };
            for content in body.content.values_mut() {
                if let RefOr::T(content) = content
                    && let Some(schema) = &mut content.schema
                {
                    close(schema, &schemas, &mut named);
                }
            }
        }
    }
    close_named(&mut schemas, named);
    if let Some(components) = &mut document.components {
        components.schemas = schemas;
    }
}

/// Closes the schemas with these names, and those that they name in turn.
fn close_named(schemas: &mut Schemas, mut named: Vec<String>) {
    let as_declared = schemas.clone();
    let mut closed = Vec::new();
    while let Some(name) = named.pop() {
        if let Some(schema) = schemas.get_mut(&name).filter(|_| !closed.contains(&name)) {
            close(schema, &as_declared, &mut named);
            closed.push(name);
        }
    }
}

/// Closes every object of the schema that has fixed fields, and adds the names of other schemas to `named`.
fn close(schema: &mut RefOr<Schema>, schemas: &Schemas, named: &mut Vec<String>) {
    match schema {
        RefOr::Ref(reference) => named.extend(name_of(reference).map(str::to_owned)),
        RefOr::T(Schema::Object(object)) => close_object(object, schemas, named),
        RefOr::T(Schema::Array(array)) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                close(items, schemas, named);
            }
        }
        RefOr::T(Schema::OneOf(one_of)) => {
            one_of.items.iter_mut().for_each(|item| close(item, schemas, named));
        }
        RefOr::T(Schema::AnyOf(any_of)) => {
            any_of.items.iter_mut().for_each(|item| close(item, schemas, named));
        }
        RefOr::T(Schema::AllOf(all_of)) => {
            let mut whole = joined(all_of, schemas);
            close_object(&mut whole, schemas, named);
            *schema = RefOr::T(Schema::Object(whole));
        }
        RefOr::T(_) => {}
    }
}

fn close_object(object: &mut Object, schemas: &Schemas, named: &mut Vec<String>) {
    object.properties.values_mut().for_each(|property| close(property, schemas, named));
    match object.additional_properties.as_deref_mut() {
        Some(AdditionalProperties::RefOr(others)) => close(others, schemas, named),
        Some(AdditionalProperties::FreeForm(_)) => {}
        // An object of which nothing is said may hold anything.
        None if object.properties.is_empty() => {}
        None => object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false))),
    }
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
