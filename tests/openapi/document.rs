//! The committed document is what the functions declare, and has the routes that the template has.

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

/// Where the document stands. The function `account` serves it.
fn committed() -> PathBuf {
    repository().join("functions/account/openapi.json")
}

fn pretty(document: &OpenApi) -> String {
    serde_json::to_string_pretty(document).unwrap() + "\n"
}

/// Whether the document is to be written anew.
#[expect(clippy::disallowed_methods, reason = "it is how whoever runs the tests says so")]
fn is_to_be_updated() -> bool {
    std::env::var("UPDATE").is_ok_and(|value| value == "1")
}

#[test]
fn the_committed_document_is_what_the_functions_declare() {
    let declared = pretty(&merged());
    if is_to_be_updated() {
        std::fs::write(committed(), &declared).unwrap();
    }
    let is_the_same = std::fs::read_to_string(committed()).unwrap() == declared;
    assert!(
        is_the_same,
        "functions/account/openapi.json is not what the functions declare; `UPDATE=1 cargo test -p tests openapi` \
         writes it anew"
    );
}

#[tokio::test(start_paused = true)]
async fn the_document_is_served_to_everybody() {
    let api = Api::start(at("2026-11-10T12:00:00.000Z")).await;
    let served = api.get("/v1/openapi.json").await.expect(200);
    if !is_to_be_updated() {
        assert_eq!(served, serde_json::to_value(merged()).unwrap());
    }
    // Nobody is asked who they are, so that an old token does no harm.
    assert_eq!(api.get("/v1/openapi.json").token("tmk_unknown").await.expect(200), served);
}

#[tokio::test(start_paused = true)]
async fn document_is_kept_for_a_day_and_asked_for_by_its_tag() {
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
fn every_variable_of_a_path_has_a_form() {
    for operation in operations(&serde_json::to_value(merged()).unwrap()) {
        for parameter in operation.description["parameters"].as_array().into_iter().flatten() {
            let schema = &parameter["schema"];
            let has_form = schema["pattern"].is_string() || schema["format"].is_string();
            assert!(parameter["in"] != "path" || has_form, "{operation} {parameter}");
        }
    }
}

#[test]
fn ids_in_the_document_are_those_that_the_code_makes() {
    let document = serde_json::to_value(merged()).unwrap();
    let id = |schema: &str| document["components"]["schemas"][schema]["properties"]["id"].clone();
    let (contact, form) = (id("Contact"), id("Form"));
    assert_eq!(contact["pattern"], "^(0|[1-9][0-9]{0,15})$");
    assert_eq!((&contact["minLength"], &contact["maxLength"]), (&1.into(), &16.into()));
    assert_eq!(form["pattern"], "^frm_[0-7][0-9a-hjkmnp-tv-z]{25}$");
    assert_eq!((&form["minLength"], &form["maxLength"]), (&30.into(), &30.into()));
    // The digits of a prefixed id, which leave out i, l, o and u.
    let digits = |id: FormId| id.to_string().split_off(4);
    assert_eq!(digits(FormId::new(Timestamp::MIN, 0)).len(), 26);
    let every = (0..32).map(|digit| digits(FormId::new(Timestamp::MIN, digit)).split_off(25));
    assert_eq!(every.collect::<String>(), "0123456789abcdefghjkmnpqrstvwxyz");
}

fn routes(operations: &[Operation]) -> BTreeSet<Route> {
    operations.iter().map(|operation| (operation.method.to_string(), operation.path.clone())).collect()
}

#[test]
fn each_function_describes_the_routes_that_the_template_gives_it() {
    let declared = template_routes();
    for (function, document) in functions() {
        let described = routes(&operations(&serde_json::to_value(document).unwrap()));
        assert_eq!(described, declared[function], "{function}");
    }
    assert_eq!(declared.len(), functions().len());
}

#[test]
fn the_operations_that_need_no_token_are_the_templates_public_routes() {
    let mut operations = operations(&serde_json::to_value(merged()).unwrap());
    operations.retain(Operation::is_public);
    assert_eq!(routes(&operations), public_routes());
}

#[test]
fn operations_have_names_of_their_own_and_say_what_they_are() {
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
            // A refusal that names no known slug has been left as it was declared.
            let is_refusal = status.as_str() >= "400";
            assert!(!is_refusal || response["content"].is_object(), "{operation} {status}");
        }
        assert!(!responses.contains_key("default"), "{operation} may answer with anything");
    }
}

#[test]
fn every_schema_and_every_field_is_described() {
    let document = serde_json::to_value(merged()).unwrap();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        undescribed(schema, name);
    }
}

/// Fails for a field without a description, within this schema.
fn undescribed(schema: &Value, place: &str) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        let parts = ["oneOf", "allOf"].into_iter().filter_map(|of| field[of].as_array()).flatten();
        let says = |schema: &Value| schema["description"].is_string() || schema["$ref"].is_string();
        assert!(says(field) || parts.into_iter().any(says), "{place} is not described");
        undescribed(field, &place);
    }
}
