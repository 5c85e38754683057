//! The in-process engine compared with the engine's own HTTP server: both receive the same requests in the same order.

use axum::body::{Body, to_bytes};
use dynoxide::Database;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use testkit::{TABLE, TestTable};
use tidemark::engine::Operations;

/// Attributes of responses that differ between tables: the creation times and the random id.
const TABLE_SPECIFIC: [&str; 3] = ["CreationDateTime", "TableId", "LastUpdateToPayPerRequestDateTime"];

fn key(pk: &str) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": "ITEM"}})
}

fn item(pk: &str, count: u32) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": "ITEM"}, "count": {"N": count.to_string()}, "bytes": {"B": "AAEC"},
        "tags": {"SS": ["b", "a"]}, "parts": {"NS": ["10", "9"]}, "list": {"L": [{"BOOL": true}, {"NULL": true}]},
        "leaving_pk": {"S": "left"}, "text": {"S": "é\u{1F600}"}})
}

fn transaction(token: &str, items: Vec<Value>) -> Value {
    json!({"ClientRequestToken": token, "TransactItems": items, "ReturnConsumedCapacity": "INDEXES"})
}

/// Returns the requests: each operation that the program sends, and each refusal that it distinguishes.
fn requests() -> Vec<(&'static str, Value)> {
    let table = json!({"TableName": TABLE});
    let with = |more: Value| {
        let mut request = table.clone();
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let absent = "attribute_not_exists(pk)";
    let put = |pk: &str, count| json!({"Put": {"TableName": TABLE, "Item": item(pk, count)}});
    let put_new = |pk: &str| {
        json!({"Put": {"TableName": TABLE, "Item": item(pk, 1), "ConditionExpression": absent,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}})
    };
    let add = json!({"TableName": TABLE, "Key": key("a"), "UpdateExpression": "ADD #count :one",
        "ExpressionAttributeNames": {"#count": "count"}, "ExpressionAttributeValues": {":one": {"N": "1"}}});
    let large = json!({"pk": {"S": "large"}, "sk": {"S": "ITEM"}, "text": {"S": "x".repeat(410_000)}});
    vec![
        ("DescribeTable", table.clone()),
        ("DescribeTimeToLive", table.clone()),
        (
            "CreateTable",
            with(json!({"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST"})),
        ),
        ("PutItem", with(json!({"Item": item("a", 1), "ConditionExpression": absent}))),
        ("PutItem", with(json!({"Item": item("a", 1), "ConditionExpression": absent}))),
        ("PutItem", with(json!({"Item": large}))),
        ("PutItem", with(json!({"Item": {"pk": {"S": "no sort key"}}}))),
        ("PutItem", json!({"TableName": "elsewhere", "Item": item("a", 1)})),
        ("TransactWriteItems", transaction("first", vec![put("b", 1), json!({"Update": add})])),
        // A repeated token, first with the same items and then with others.
        ("TransactWriteItems", transaction("first", vec![put("b", 1), json!({"Update": add})])),
        ("TransactWriteItems", transaction("first", vec![put("b", 2)])),
        ("TransactWriteItems", transaction("second", vec![put_new("c"), put_new("a")])),
        ("TransactWriteItems", transaction("third", vec![put("d", 1), put("d", 2)])),
        ("TransactWriteItems", transaction("fourth", Vec::new())),
        (
            "UpdateItem",
            with(json!({"Key": key("b"), "UpdateExpression": "DELETE tags :tag", "ReturnValues": "ALL_NEW",
            "ExpressionAttributeValues": {":tag": {"SS": ["b"]}}})),
        ),
        (
            "UpdateItem",
            with(json!({"Key": key("z"), "UpdateExpression": "SET a = :a",
            "ConditionExpression": "attribute_exists(pk)", "ExpressionAttributeValues": {":a": {"S": ""}}})),
        ),
        ("UpdateItem", with(json!({"Key": key("b"), "UpdateExpression": "SET"}))),
        (
            "GetItem",
            with(json!({"Key": key("b"), "ConsistentRead": true, "ReturnConsumedCapacity": "TOTAL"})),
        ),
        ("GetItem", with(json!({"Key": key("nowhere")}))),
        (
            "BatchGetItem",
            json!({"RequestItems": {TABLE: {"Keys": [key("a"), key("b"), key("nowhere")],
            "ConsistentRead": true}}, "ReturnConsumedCapacity": "TOTAL"}),
        ),
        ("BatchGetItem", json!({"RequestItems": {TABLE: {"Keys": [key("a"), key("a")]}}})),
        (
            "Query",
            with(json!({"KeyConditionExpression": "pk = :pk", "ConsistentRead": true, "Limit": 1,
            "ExpressionAttributeValues": {":pk": {"S": "a"}}})),
        ),
        (
            "Query",
            with(json!({"IndexName": "leaving", "KeyConditionExpression": "leaving_pk = :pk", "Limit": 1,
            "ExpressionAttributeValues": {":pk": {"S": "left"}}})),
        ),
        (
            "Query",
            with(json!({"IndexName": "none", "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": "a"}}})),
        ),
        ("Scan", table.clone()),
        (
            "DeleteItem",
            with(json!({"Key": key("a"), "ConditionExpression": "#count = :count",
            "ExpressionAttributeNames": {"#count": "count"},
            "ExpressionAttributeValues": {":count": {"N": "1"}}})),
        ),
        ("BatchWriteItem", json!({"RequestItems": {TABLE: [{"DeleteRequest": {"Key": key("b")}}]}})),
        ("Scan", table),
    ]
}

/// Sends a request to the engine's server, with the signature fields that the server requires.
async fn send(endpoint: &str, operation: &str, body: &Value) -> (u16, String) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let signature = "AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, \
        SignedHeaders=host, Signature=00";
    let request = http::Request::post(endpoint)
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header("x-amz-date", "20260101T000000Z")
        .header("authorization", signature)
        .header("content-type", "application/x-amz-json-1.0")
        .body(Body::from(body.to_string()));
    let response = client.request(request.unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(Body::new(response.into_body()), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Returns a response's body without the attributes that are specific to a table.
fn comparable(body: &str) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.retain(|name, _| !TABLE_SPECIFIC.contains(&name.as_str()));
                members.values_mut().for_each(strip);
            }
            Value::Array(elements) => elements.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut body: Value = serde_json::from_str(body).unwrap();
    strip(&mut body);
    // The server prefixes the number of validation errors, and the in-process engine returns only the error.
    if let Some(message) = body["message"].as_str() {
        body["message"] = json!(message.trim_start_matches("1 validation error detected: "));
    }
    body
}

#[tokio::test]
async fn in_process_engine_answers_like_its_server() {
    let served = TestTable::start().await;
    let database = Database::memory().unwrap();
    let engine = tidemark::engine::Engine::over(database.clone());
    let definition = tidemark::table::table_definition().unwrap().without_stream();
    definition.ensure(&engine.client(), TABLE).await.unwrap();
    let operations = Operations::new(database);
    let mut refused = 0;
    for (operation, request) in requests() {
        let (status, response) = operations.call(operation, request.to_string().as_bytes());
        let (wire_status, wire_response) = send(served.endpoint(), operation, &request).await;
        let description = format!("{operation} {:.300}", request.to_string());
        assert_eq!(status.as_u16(), wire_status, "{description}: {response} {wire_response}");
        assert_eq!(comparable(&response), comparable(&wire_response), "{description}");
        refused += u32::from(!status.is_success());
    }
    assert_eq!(refused, 14, "the list must contain this number of refusals");
}
