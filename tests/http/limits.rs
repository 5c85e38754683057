//! The maximum numbers of forms, users and tokens of an account.

use std::collections::HashMap;

use api::ProblemType;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::limits::{FORMS_MAX, TOKENS_MAX, USERS_MAX};
use serde_json::{Value, json};
use testkit::{Api, OPERATOR_TOKEN, TABLE, Tenant};

use super::one_account;

/// Stores these counts in the account's item, without creating the forms, users and tokens.
async fn store_counts(api: &Api, account: &Tenant, numbers: [(&str, usize); 3]) {
    let numbers = numbers.map(|(kind, number)| (kind.to_owned(), AttributeValue::N(number.to_string())));
    let update =
        api.table.client.update_item().table_name(TABLE).update_expression("SET holdings = :numbers");
    let update = update.key("pk", AttributeValue::S(format!("ACCOUNT#{}", account.id)));
    let update = update.key("sk", AttributeValue::S("ACCOUNT".to_owned()));
    let value = AttributeValue::M(HashMap::from(numbers));
    update.expression_attribute_values(":numbers", value).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn full_account_refuses_further_forms_users_and_tokens() {
    let (api, account) = one_account(json!({})).await;
    let bodies = [
        ("/v1/forms", json!({"name": "Newsletter"})),
        ("/v1/users", json!({"name": "Ada", "email": "ada@example.org"})),
        ("/v1/tokens", json!({"integration": {"name": "Shop"}})),
    ];
    let post = async |path: &str, body: &Value| api.post(path).token(&account.token).json(body).await;
    let full = [("forms", FORMS_MAX), ("users", USERS_MAX), ("tokens", TOKENS_MAX)];
    store_counts(&api, &account, full.map(|(kind, max)| (kind, max - 1))).await;
    for (path, body) in &bodies {
        let _ = post(path, body).await.expect(201);
        let problem = post(path, body).await.problem(ProblemType::LimitReached);
        let kind = path.trim_start_matches("/v1/");
        assert_eq!(problem["detail"], format!("An account has at most 1000 {kind}."));
    }
    // Deleting a form frees capacity for another.
    let forms = api.get("/v1/forms").token(&account.token).await.expect(200);
    let form = format!("/v1/forms/{}", forms["results"][0]["id"].as_str().unwrap());
    let _ = api.delete(&form).token(&account.token).await.expect(204);
    let _ = post("/v1/forms", &bodies[0].1).await.expect(201);
    // The operator can still create a token.
    let path = format!("/v1/accounts/{}/tokens", account.id);
    let created = api.post(&path).token(OPERATOR_TOKEN).await.expect(201);
    assert_eq!(api.get("/v1/users").token(created["token"].as_str().unwrap()).await.status, 200);
}
