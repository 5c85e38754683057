//! What is answered is what is described.

use api::ProblemType;
use serde_json::json;
use testkit::{Api, at};

use super::operations;
use crate::http::walk::Fixture;

#[tokio::test(start_paused = true)]
async fn every_operation_answers_as_it_is_described() {
    let (operations, schemas) = operations::every();
    let walk = Fixture::start(Api::start(at("2026-11-10T12:00:00.000Z")).await).await;
    for (operation, reply) in walk.all(&operations).await {
        let schema = operation.answer(reply.status);
        let schema = schema.unwrap_or_else(|| panic!("{operation} {} {}", reply.status, reply.text()));
        match schema {
            None => assert_eq!(reply.text(), "", "{operation}"),
            Some(schema) => {
                let answer = reply.expect(reply.status);
                assert_eq!(schemas.mismatch(schema, &answer, &operation.to_string()), None, "{answer}");
            }
        }
        for (header, name) in [("etag", "ETag"), ("location", "Location")] {
            let described = &operation.description["responses"][reply.status.to_string()]["headers"][name];
            assert_eq!(reply.header(header).is_some(), described.is_object(), "{operation} {name}");
        }
    }
    walk.api.assert_exact(&walk.account).await;
}

#[tokio::test(start_paused = true)]
async fn every_problem_is_the_document_that_is_described() {
    let (operations, schemas) = operations::api();
    let walk = Fixture::start(Api::start(at("2026-11-10T12:00:00.000Z")).await).await;
    let problem = json!({"$ref": "#/components/schemas/Problem"});
    for operation in operations.iter().filter(|operation| !operation.is_public()) {
        let body = operation.body().map(|_| json!({"colour": 1}));
        let reply = walk.request_with(operation, "colour=1", body.as_ref()).await;
        let told = reply.problem(ProblemType::InvalidRequest);
        assert_eq!(schemas.mismatch(&problem, &told, &operation.to_string()), None, "{told}");
    }
    let again = json!({"email": "Wanda.First@private.example"});
    let reply = walk.api.post("/v1/contacts").token(&walk.account.token).json(&again).await;
    assert_eq!(schemas.mismatch(&problem, &reply.problem(ProblemType::ContactExists), ""), None);
}
