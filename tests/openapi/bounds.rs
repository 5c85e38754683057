//! The bounds of the document are those that are held: what lies at one is taken, and what lies beyond it is named.

use serde_json::{Value, json};
use testkit::{Api, at};

use super::operations;
use super::schema::Schemas;
use crate::http::walk::Fixture;

/// One field of a body: where it stands, its schema, and the body that has nothing but it.
struct Field<'s> {
    place: String,
    schema: &'s Value,
    body: Box<dyn Fn(Value) -> Value + 's>,
}

/// A value to send in a field, and whether it is to be named as wrong.
struct Probe {
    value: Value,
    is_wrong: bool,
}

/// Every field of the schema, however deep it lies.
fn fields<'s>(schemas: &'s Schemas, schema: &'s Value) -> Vec<Field<'s>> {
    let shapes = schemas.shapes(schema).into_iter();
    let own = shapes.flat_map(|shape| shape.fields).flat_map(|(name, field)| {
        let body = move |value: Value| json!({name: value});
        let within = entries_and_fields(schemas, field).into_iter().map(move |inner| Field {
            place: format!("{name}{}{}", if inner.place.starts_with('[') { "" } else { "." }, inner.place),
            schema: inner.schema,
            body: Box::new(move |value| body((inner.body)(value))),
        });
        let itself = Field { place: name.to_owned(), schema: schemas.target(field), body: Box::new(body) };
        std::iter::once(itself).chain(within).collect::<Vec<_>>()
    });
    own.collect()
}

/// The fields of an object, or of the entries of a list.
fn entries_and_fields<'s>(schemas: &'s Schemas, schema: &'s Value) -> Vec<Field<'s>> {
    let target = schemas.target(schema);
    if target["type"] != "array" {
        return fields(schemas, schema);
    }
    let inner = fields(schemas, &target["items"]).into_iter().map(|inner| Field {
        place: format!("[0].{}", inner.place),
        schema: inner.schema,
        body: Box::new(move |value| json!([(inner.body)(value)])),
    });
    inner.collect()
}

/// What lies at the bounds of a field and beyond them.
fn probes(schema: &Value) -> Vec<Probe> {
    let mut probes = Vec::new();
    let mut probe = |value: Value, is_wrong: bool| probes.push(Probe { value, is_wrong });
    let bound = |name: &str| schema[name].as_u64();
    let text = |length: u64| json!("x".repeat(usize::try_from(length).unwrap()));
    let list = |length: u64| json!(vec![Value::Null; usize::try_from(length).unwrap()]);
    for word in schema["enum"].as_array().into_iter().flatten() {
        probe(word.clone(), false);
        probe(json!(format!("{}_", word.as_str().unwrap())), true);
    }
    // A text of a format has to be more than long enough.
    let is_free = schema["format"].is_null();
    if let Some(most) = bound("maxLength") {
        probe(text(most + 1), true);
        if is_free {
            probe(text(most), false);
        }
    }
    if let Some(least) = bound("minLength") {
        probe(text(least - 1), true);
        if is_free {
            probe(text(least), false);
        }
    }
    if schema["pattern"].is_string() {
        // No pattern takes a control character.
        probe(json!("\u{1}".repeat(usize::try_from(bound("minLength").unwrap_or(1)).unwrap())), true);
    }
    if let Some(most) = bound("maximum") {
        probe(json!(most), false);
        probe(json!(most + 1), true);
    }
    if let Some(least) = bound("minimum") {
        probe(json!(least), false);
        probe(least.checked_sub(1).map_or(json!(-1), Value::from), true);
    }
    if let Some(most) = bound("maxItems") {
        probe(list(most), false);
        probe(list(most + 1), true);
    }
    if let Some(least) = bound("minItems") {
        probe(list(least), false);
        probe(list(least - 1), true);
    }
    probes
}

/// Names that an object whose names are data does not take.
fn wrong_keys(keys: &Value) -> Vec<String> {
    let pattern = keys["pattern"].as_str().map(|_| "\u{dc}".to_owned());
    let long = keys["maxLength"].as_u64().map(|most| "x".repeat(usize::try_from(most).unwrap() + 1));
    let short = keys["minLength"].as_u64().map(|least| "x".repeat(usize::try_from(least).unwrap() - 1));
    pattern.into_iter().chain(long).chain(short).collect()
}

/// Whether what lies at a field's bound may be wrong for another reason, or beyond it be taken until more is said.
fn is_excused(place: &str, probe: &Probe) -> bool {
    match place {
        // A cursor, and the id of a user, has to be one.
        "after" | "user_id" => !probe.is_wrong,
        // At most the limit in force.
        "tier_limit_at_renewal" => !probe.is_wrong,
        // How many values there have to be depends on the operator.
        "filterGroups[0].filters[0].values" => probe.value == json!([]),
        _ => false,
    }
}

#[tokio::test]
async fn every_bound_of_every_body_is_held() {
    let (operations, schemas) = operations::api();
    let walk = Fixture::start(Api::start(at("2026-11-10T12:00:00.000Z")).await).await;
    let mut sent = 0;
    for operation in &operations {
        let Some(schema) = operation.body() else { continue };
        for Field { place, schema, body } in fields(&schemas, schema) {
            let keys = &schema["propertyNames"];
            for key in wrong_keys(keys) {
                sent += 1;
                let reply = walk.request(operation).json(&body(json!({key.clone(): null}))).await;
                // As `api::fields` shows a name that is the caller's.
                let mut shown: String = key.replace('\u{1}', "\u{fffd}").chars().take(100).collect();
                if key.chars().count() > 100 {
                    shown.push('…');
                }
                let is_named =
                    reply.status == 400 && reply.invalid_fields().contains(&format!("{place}.{shown}"));
                assert!(is_named, "{operation} {place} {shown:?} {}", reply.text());
            }
            for probe in probes(schema).into_iter().filter(|probe| !is_excused(&place, probe)) {
                sent += 1;
                let reply = walk.request(operation).json(&body(probe.value.clone())).await;
                let is_named = reply.status == 400 && reply.invalid_fields().contains(&place);
                let shown: String = probe.value.to_string().chars().take(80).collect();
                assert_eq!(is_named, probe.is_wrong, "{operation} {place} {shown} {}", reply.text());
            }
        }
    }
    assert!(sent > 200, "{sent}");
}
