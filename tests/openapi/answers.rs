//! Responses of the API against the schemas in the OpenAPI document.

use api::ProblemType;
use serde_json::json;
use testkit::{Api, at};

use super::operations;
use crate::http::walk::Fixture;

#[tokio::test(start_paused = true)]
async fn responses_match_their_schemas() {
    let (operations, schemas) = operations::every();
    let fixture = Fixture::start(Api::with_stream(at("2026-11-10T12:00:00.000Z")).await).await;
    for (operation, reply) in fixture.all(&operations).await {
        if reply.header("content-type").is_some_and(|media_type| media_type.starts_with("text/csv")) {
            continue;
        }
        let schema = operation.response(reply.status);
        let schema = schema.unwrap_or_else(|| panic!("{operation} {} {}", reply.status, reply.text()));
        match schema {
            None => assert_eq!(reply.text(), "", "{operation}"),
            Some(schema) => {
                let body = reply.expect(reply.status);
                assert_eq!(schemas.mismatch(schema, &body, &operation.to_string()), None, "{body}");
            }
        }
        for (header, name) in [("etag", "ETag"), ("location", "Location")] {
            let described = &operation.description["responses"][reply.status.to_string()]["headers"][name];
            assert_eq!(reply.header(header).is_some(), described.is_object(), "{operation} {name}");
        }
    }
    fixture.api.assert_exact(&fixture.account).await;
}

#[tokio::test(start_paused = true)]
async fn problems_match_their_schema() {
    let (operations, schemas) = operations::api();
    let fixture = Fixture::start(Api::with_stream(at("2026-11-10T12:00:00.000Z")).await).await;
    let problem = json!({"$ref": "#/components/schemas/Problem"});
    for operation in operations.iter().filter(|operation| !operation.is_public()) {
        let body = operation.body().map(|_| json!({"colour": 1}));
        let reply = fixture.request_with(operation, "colour=1", body.as_ref()).await;
        let document = reply.problem(ProblemType::InvalidRequest);
        assert_eq!(schemas.mismatch(&problem, &document, &operation.to_string()), None, "{document}");
    }
    let duplicate = json!({"email": "Wanda.First@private.example"});
    let reply = fixture.api.post("/v1/contacts").token(&fixture.account.token).json(&duplicate).await;
    assert_eq!(schemas.mismatch(&problem, &reply.problem(ProblemType::ContactExists), ""), None);
}
