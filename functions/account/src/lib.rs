//! The routes of accounts: their terms, usage, statements, events, users and tokens, and the API's OpenAPI document.

mod account;
mod accounts;
mod contract;
mod events;
mod openapi;
mod timeline;
mod tokens;
mod usage;
mod users;

use api::{Context, Routes, routes};

/// Returns the routes with their OpenAPI descriptions.
pub fn api() -> impl Routes<Context> {
    routes!(
        accounts::create_account,
        accounts::list_accounts,
        accounts::get_account_by_id,
        accounts::update_contract,
        accounts::create_admin_token,
        account::get_account,
        account::update_account,
        account::advance_test_clock,
        usage::get_usage,
        usage::list_statements,
        timeline::get_timeline,
        timeline::get_forecast,
        events::list_events,
        users::create_user,
        users::list_users,
        users::update_user,
        tokens::create_token,
        tokens::list_tokens,
        tokens::delete_token,
        openapi::get_openapi_document
    )
}

/// Returns the router that `main` runs and the local stack merges.
pub fn router(context: Context) -> axum::Router {
    api::router::routes(api(), context)
}

/// Returns the OpenAPI document of these routes alone.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    api::openapi::describe(api())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Returns all operations, each with its path and method.
    fn operations() -> Vec<(String, String, Value)> {
        let document = serde_json::to_value(openapi()).unwrap();
        let paths = document["paths"].as_object().unwrap().clone().into_iter();
        let flat = paths.flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().clone().into_iter();
            methods.map(move |(method, operation)| (path.clone(), method, operation))
        });
        flat.collect()
    }

    #[test]
    fn every_operation_has_a_complete_description() {
        let operations = operations();
        assert_eq!(operations.len(), 20);
        let tags: Vec<&str> = api::openapi::TAGS.iter().map(|(tag, _)| *tag).collect();
        for (path, method, operation) in operations {
            assert!(
                operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')),
                "{method} {path}"
            );
            assert!(tags.contains(&operation["tags"][0].as_str().unwrap()), "{method} {path}");
            let refusals =
                operation["responses"].as_object().unwrap().keys().filter(|status| status.as_str() >= "400");
            assert!(refusals.count() >= 4, "{method} {path}");
            let has_body = ["post", "patch"].contains(&method.as_str()) && path != "/v1/accounts/{id}/tokens";
            assert_eq!(operation["requestBody"].is_object(), has_body, "{method} {path}");
            let keys = operation["parameters"].to_string().contains("Idempotency-Key");
            assert_eq!(keys, method != "get", "{method} {path}");
        }
    }

    #[test]
    fn accounts_require_operator_and_document_is_public() {
        for (path, method, operation) in operations() {
            let security = match path.as_str() {
                path if path.starts_with("/v1/accounts") => json!([{"operator": []}]),
                "/v1/openapi.json" => json!([{}]),
                _ => Value::Null,
            };
            assert_eq!(operation["security"], security, "{method} {path}");
        }
    }
}
