//! The committed OpenAPI document against the declarations of the functions and the routes of the template.

use std::collections::BTreeSet;
use std::path::PathBuf;

use domain::Timestamp;
use domain::ids::FormId;
use serde_json::Value;
use testkit::{Api, at};
use utoipa::openapi::OpenApi;

use super::operations::{Operation, operations};
use super::{functions, merged};
use crate::dependencies::repository;
use crate::template::routes::{Route, public_routes, template_routes};

/// Returns the path of the committed document, which the function `account` serves.
fn committed() -> PathBuf {
    repository().join("functions/account/openapi.json")
}

fn pretty(document: &OpenApi) -> String {
    serde_json::to_string_pretty(document).unwrap() + "\n"
}

/// Returns true if the tests write the committed document, instead of comparing it.
#[expect(clippy::disallowed_methods, reason = "the caller of the tests sets this variable")]
fn updates_document() -> bool {
    std::env::var("UPDATE").is_ok_and(|value| value == "1")
}

#[test]
fn committed_document_equals_the_declarations() {
    let declared = pretty(&merged());
    if updates_document() {
        std::fs::write(committed(), &declared).unwrap();
    }
    let is_equal = std::fs::read_to_string(committed()).unwrap() == declared;
    assert!(
        is_equal,
        "functions/account/openapi.json differs from the declarations of the functions; \
         `UPDATE=1 cargo test -p tests openapi` updates it"
    );
}

#[tokio::test(start_paused = true)]
async fn document_is_public() {
    let api = Api::start(at("2026-11-10T12:00:00.000Z")).await;
    let served = api.get("/v1/openapi.json").await.expect(200);
    if !updates_document() {
        assert_eq!(served, serde_json::to_value(merged()).unwrap());
    }
    // The operation ignores the token, so that an old token is not an error.
    assert_eq!(api.get("/v1/openapi.json").token("tmk_unknown").await.expect(200), served);
}

#[tokio::test(start_paused = true)]
async fn document_is_cacheable_and_has_an_etag() {
    let api = Api::start(at("2026-11-10T12:00:00.000Z")).await;
    let read = api.get("/v1/openapi.json").await;
    let tag = read.header("etag").unwrap().to_owned();
    assert_eq!(read.header("cache-control"), Some("public, max-age=86400"));
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let reply = api.get("/v1/openapi.json").header("if-none-match", &known).await;
        assert_eq!((reply.status, reply.text()), (304, ""), "{known}");
        assert_eq!(reply.header("etag"), Some(&*tag));
        assert_eq!(reply.header("cache-control"), Some("public, max-age=86400"));
    }
    for other in ["\"other\"", "W/\"other\"", "", "tag"] {
        let reply = api.get("/v1/openapi.json").header("if-none-match", other).await;
        assert_eq!((reply.status, reply.body.len()), (200, read.body.len()), "{other}");
    }
}

#[test]
fn path_variables_have_a_format() {
    for operation in operations(&serde_json::to_value(merged()).unwrap()) {
        for parameter in operation.description["parameters"].as_array().into_iter().flatten() {
            let schema = &parameter["schema"];
            let has_format = schema["pattern"].is_string() || schema["format"].is_string();
            assert!(parameter["in"] != "path" || has_format, "{operation} {parameter}");
        }
    }
}

#[test]
fn id_formats_match_the_created_ids() {
    let document = serde_json::to_value(merged()).unwrap();
    let id = |schema: &str| document["components"]["schemas"][schema]["properties"]["id"].clone();
    let (contact, form) = (id("Contact"), id("Form"));
    assert_eq!(contact["pattern"], "^(0|[1-9][0-9]{0,15})$");
    assert_eq!((&contact["minLength"], &contact["maxLength"]), (&1.into(), &16.into()));
    assert_eq!(form["pattern"], "^frm_[0-7][0-9a-hjkmnp-tv-z]{25}$");
    assert_eq!((&form["minLength"], &form["maxLength"]), (&30.into(), &30.into()));
    // The digits of a prefixed id, without i, l, o and u.
    let digits = |id: FormId| id.to_string().split_off(4);
    assert_eq!(digits(FormId::new(Timestamp::MIN, 0)).len(), 26);
    let every = (0..32).map(|digit| digits(FormId::new(Timestamp::MIN, digit)).split_off(25));
    assert_eq!(every.collect::<String>(), "0123456789abcdefghjkmnpqrstvwxyz");
}

fn routes(operations: &[Operation]) -> BTreeSet<Route> {
    operations.iter().map(|operation| (operation.method.to_string(), operation.path.clone())).collect()
}

#[test]
fn described_routes_equal_the_templates_routes() {
    let mut declared = template_routes();
    // The console is for people and not described.
    declared.remove("console");
    // HubSpot describes the CRM API.
    declared.remove("hubspot-crm");
    for (function, document) in functions() {
        let described = routes(&operations(&serde_json::to_value(document).unwrap()));
        assert_eq!(described, declared[function], "{function}");
    }
    assert_eq!(declared.len(), functions().len());
}

#[test]
fn public_operations_equal_the_templates_public_routes() {
    let mut operations = operations(&serde_json::to_value(merged()).unwrap());
    operations.retain(Operation::is_public);
    let mut declared = public_routes();
    declared.retain(|(method, path)| method != "ANY" && !path.starts_with("/console"));
    assert_eq!(routes(&operations), declared);
}

#[test]
fn operations_have_unique_ids_and_descriptions() {
    let operations = operations(&serde_json::to_value(merged()).unwrap());
    let names: BTreeSet<&str> = operations.iter().map(|operation| operation.text("operationId")).collect();
    assert_eq!(names.len(), operations.len(), "{names:?}");
    for operation in &operations {
        assert!(operation.text("summary").ends_with('.'), "{operation}");
        let responses = operation.description["responses"].as_object().unwrap();
        for (status, response) in responses {
            assert!(
                response["description"].as_str().is_some_and(|text| !text.is_empty()),
                "{operation} {status}"
            );
            // The response of a declared refusal has no content if its description is not a known slug.
            let is_refusal = status.as_str() >= "400";
            assert!(!is_refusal || response["content"].is_object(), "{operation} {status}");
        }
        assert!(!responses.contains_key("default"), "{operation} has an undescribed response");
    }
}

#[test]
fn schemas_and_fields_have_descriptions() {
    let document = serde_json::to_value(merged()).unwrap();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert_described(schema, name);
    }
}

/// Panics if a field within this schema has no description.
fn assert_described(schema: &Value, place: &str) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        let parts = ["oneOf", "allOf"].into_iter().filter_map(|of| field[of].as_array()).flatten();
        let is_described = |schema: &Value| schema["description"].is_string() || schema["$ref"].is_string();
        assert!(is_described(field) || parts.into_iter().any(is_described), "{place} is not described");
        assert_described(field, &place);
    }
}
