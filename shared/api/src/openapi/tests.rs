//! Tests of [`describe`] with a small API.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::ToSchema;

use super::*;
use crate::routes;

#[derive(ToSchema)]
#[expect(dead_code, reason = "it is described only")]
struct Inner {
    on: bool,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it is described only")]
struct Data {
    inner: Vec<Inner>,
    names: BTreeMap<String, Inner>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it is described only")]
struct NewThing {
    name: String,
    #[schema(min_length = 1, max_length = 200)]
    title: Option<String>,
    #[schema(inline)]
    #[serde(flatten)]
    data: Data,
}

#[derive(ToSchema)]
#[schema(as = Contact)]
#[expect(dead_code, reason = "it is described only")]
struct View {
    id: String,
    user_id: Option<String>,
    #[schema(max_length = 100)]
    form_id: String,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it is described only")]
struct TheirError {
    message: String,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it is described only")]
struct TheirThing {
    name: String,
}

/// Creates a thing.
#[utoipa::path(
    post, path = "/v1/things", params(IdempotencyKey), request_body = NewThing,
    responses(
        (status = 201, description = "The thing.", body = View),
        (status = 403, description = "not-a-sandbox"),
        (status = 409, description = "contact-exists, last-admin"),
        (status = 410, description = "gone-for-good"),
    ),
)]
async fn make() {}

/// Reads a thing.
#[utoipa::path(
    get, path = "/v1/forms/{id}/of/{form_id}", security(()),
    params(("id" = String, Path), ("form_id" = String, Path)),
    responses((status = 200, description = "The thing.", body = View)),
)]
async fn read() {}

/// Returns a fixed text.
#[utoipa::path(get, path = "/v1/fixed", security(()), responses((status = 200, description = "It.")))]
async fn fixed() {}

/// Creates a thing in the format of another API.
#[utoipa::path(
    post, path = "/theirs", request_body = TheirThing,
    responses((status = 200, description = "It."), (status = "default", description = "In another format.", body = TheirError)),
)]
async fn make_theirs() {}

fn described() -> Value {
    serde_json::to_value(describe::<()>(routes!(make, read, fixed, make_theirs))).unwrap()
}

/// Returns each status with the slugs of its problems, and true if API Gateway also responds with it.
fn refusals(document: &Value, path: &str, method: &str) -> Vec<(u16, Vec<String>, bool)> {
    let responses = document["paths"][path][method]["responses"].as_object().unwrap();
    let refusals = responses.iter().filter_map(|(status, response)| {
        let name = response["$ref"].as_str()?.strip_prefix("#/components/responses/")?;
        let content = &document["components"]["responses"][name]["content"];
        let types = content[crate::problem::PROBLEM_JSON]["schema"]["allOf"][1]["properties"]["type"]["enum"]
            .as_array();
        let slugs = types
            .into_iter()
            .flatten()
            .map(|kind| kind.as_str().unwrap().strip_prefix("urn:tidemark:problem:").unwrap().to_owned());
        Some((status.parse().unwrap(), slugs.collect(), content["application/json"].is_object()))
    });
    refusals.collect()
}

fn refusal(status: u16, slugs: &[&str], is_gateways: bool) -> (u16, Vec<String>, bool) {
    (status, slugs.iter().map(|&slug| slug.to_owned()).collect(), is_gateways)
}

#[test]
fn refusals_are_derived_and_declared() {
    let document = described();
    assert_eq!(
        refusals(&document, "/v1/things", "post"),
        [
            refusal(400, &["invalid-request"], false),
            refusal(401, &["unauthenticated"], true),
            refusal(403, &["permission-denied", "not-a-sandbox"], true),
            refusal(409, &["contact-exists", "last-admin"], false),
            refusal(412, &["version-mismatch"], false),
            refusal(413, &["payload-too-large"], true),
            refusal(415, &["unsupported-media-type"], false),
            refusal(422, &["idempotency-key-reused"], false),
            refusal(429, &[], true),
            refusal(500, &["internal"], true),
            refusal(503, &["unavailable"], true),
        ]
    );
    assert_eq!(
        refusals(&document, "/v1/forms/{id}/of/{form_id}", "get"),
        [
            refusal(400, &["invalid-request"], false),
            refusal(404, &["not-found"], false),
            refusal(413, &[], true),
            refusal(429, &[], true),
            refusal(500, &["internal"], true),
            refusal(503, &["unavailable"], true),
        ]
    );
    let gateways_alone = [413, 429, 500, 503].map(|status| refusal(status, &[], true));
    assert_eq!(refusals(&document, "/v1/fixed", "get"), gateways_alone);
}

#[test]
fn response_without_slugs_is_kept() {
    let document = described();
    let response = &document["paths"]["/v1/things"]["post"]["responses"]["410"];
    assert_eq!(*response, json!({"description": "gone-for-good"}));
}

#[test]
fn refusals_in_a_foreign_format_have_one_response_each() {
    let document = described();
    let responses = document["paths"]["/theirs"]["post"]["responses"].as_object().unwrap();
    assert_eq!(
        responses.keys().collect::<Vec<_>>(),
        ["200", "400", "401", "403", "413", "415", "429", "500", "503"]
    );
    let theirs = json!({"$ref": "#/components/schemas/TheirError"});
    assert_eq!(responses["400"]["content"]["application/json"]["schema"], theirs);
    let either = json!({"anyOf": [theirs, {"$ref": "#/components/schemas/GatewayMessage"}]});
    assert_eq!(responses["401"]["content"]["application/json"]["schema"], either);
}

#[test]
fn ids_have_the_format_of_their_kind() {
    let document = described();
    let pattern = |prefix: &str| json!(format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"));
    let parameters = &document["paths"]["/v1/forms/{id}/of/{form_id}"]["get"]["parameters"];
    assert_eq!(
        [&parameters[0]["schema"]["pattern"], &parameters[1]["schema"]["pattern"]],
        [&pattern("frm"); 2]
    );
    let fields = &document["components"]["schemas"]["Contact"]["properties"];
    assert_eq!(
        (&fields["id"]["pattern"], &fields["id"]["minLength"]),
        (&json!("^(0|[1-9][0-9]{0,15})$"), &json!(1))
    );
    assert_eq!(fields["form_id"]["pattern"], Value::Null, "it has a bound of its own");
}

#[test]
fn document_lists_its_servers() {
    let servers = described()["servers"].clone();
    assert_eq!(servers[0]["url"], "/");
    assert_eq!(servers[1]["url"], "http://127.0.0.1:8787");
}
