//! The HTTP API: its routes, their functions, and the routes that require no token.

use std::collections::{BTreeMap, BTreeSet};

use yaml_serde::Value;

use super::document::{Template, entries, function_of, intrinsic, number, text, texts};

/// A route: the method in upper case, and the path with named variables.
pub(crate) type Route = (String, String);

/// Returns the template's routes of each function, by the function's folder. Functions without routes are omitted.
///
/// # Panics
/// Panics if a function declares a route twice.
pub(crate) fn template_routes() -> BTreeMap<String, BTreeSet<Route>> {
    let mut routes: BTreeMap<String, BTreeSet<Route>> = BTreeMap::new();
    for event in http_events(&Template::read()) {
        let route = (event.method.clone(), event.path.clone());
        assert!(
            routes.entry(event.function).or_default().insert(route),
            "{} {} twice",
            event.method,
            event.path
        );
    }
    routes
}

/// Returns the routes that require no token.
///
/// # Panics
/// Panics if a route names any authorizer other than `NONE`.
pub(crate) fn public_routes() -> BTreeSet<Route> {
    let events = http_events(&Template::read()).into_iter();
    let public = events.filter(|event| event.authorizer.is_some());
    public
        .map(|event| {
            assert_eq!(event.authorizer.as_deref(), Some("NONE"), "{} {}", event.method, event.path);
            (event.method, event.path)
        })
        .collect()
}

/// A route, as an event of its function.
struct HttpEvent {
    function: String,
    method: String,
    path: String,
    api: String,
    authorizer: Option<String>,
}

fn http_events(template: &Template) -> Vec<HttpEvent> {
    let functions = template.resources().into_iter();
    let functions = functions.filter(|(_, resource)| text(&resource["Type"]) == "AWS::Serverless::Function");
    functions
        .flat_map(|(_, resource)| {
            let function = function_of(&resource["Properties"]).to_owned();
            let events = entries(&resource["Properties"]["Events"]).map(|(_, event)| event);
            let events = events.filter(|event| text(&event["Type"]) == "HttpApi");
            events.map(|event| http_event(&function, &event["Properties"])).collect::<Vec<_>>()
        })
        .collect()
}

fn http_event(function: &str, properties: &Value) -> HttpEvent {
    HttpEvent {
        function: function.to_owned(),
        method: text(&properties["Method"]).to_owned(),
        path: text(&properties["Path"]).to_owned(),
        api: intrinsic(&properties["ApiId"]),
        authorizer: properties["Auth"]["Authorizer"].as_str().map(str::to_owned),
    }
}

#[test]
fn route_is_declared_once_and_belongs_to_the_api() {
    let mut seen = BTreeSet::new();
    for event in http_events(&Template::read()) {
        assert_eq!(event.api, "!Ref Api");
        let method = event.method.as_str();
        assert!(
            ["ANY", "DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"].contains(&method),
            "{method} {}",
            event.path
        );
        let begins = ["/v1/", "/console", "/submissions/v3/integration/"];
        // The function itself knows the paths of the CRM API.
        let is_crm = event.function == "hubspot-crm" && method == "ANY" && event.path.ends_with("/{path+}");
        assert!(is_crm || begins.iter().any(|begin| event.path.starts_with(begin)), "{}", event.path);
        assert!(seen.insert((event.method.clone(), shape(&event.path))), "{method} {} twice", event.path);
    }
}

/// Returns a path without the names of its variables, because routes that differ only in these names are the same.
fn shape(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn only_functions_with_routers_have_routes() {
    let functions: Vec<String> = template_routes().into_keys().collect();
    assert_eq!(
        functions,
        [
            "account",
            "automations",
            "bulk-jobs",
            "console",
            "contacts",
            "files",
            "form-submission",
            "forms",
            "hubspot-crm",
            "segments",
            "set-marketing",
            "set-non-marketing-pending"
        ]
    );
}

#[test]
fn every_route_except_the_public_ones_requires_a_token() {
    let template = Template::read();
    assert_eq!(text(&template.properties("Api")["Auth"]["DefaultAuthorizer"]), "Token");
    let public = public_routes();
    let expected = [
        ("ANY", "/account-info/{path+}"),
        ("ANY", "/companies/{path+}"),
        ("ANY", "/crm-object-schemas/{path+}"),
        ("ANY", "/crm/{path+}"),
        ("ANY", "/marketing/{path+}"),
        ("ANY", "/oauth/{path+}"),
        ("ANY", "/properties/{path+}"),
        ("GET", "/console"),
        ("GET", "/console/{path+}"),
        ("GET", "/v1/openapi.json"),
        ("OPTIONS", "/submissions/v3/integration/submit/{portal_id}/{form_guid}"),
        ("OPTIONS", "/v1/forms/{form_id}/submissions"),
        ("POST", "/console/{path+}"),
        ("POST", "/submissions/v3/integration/submit/{portal_id}/{form_guid}"),
        ("POST", "/v1/forms/{form_id}/submissions"),
        ("POST", "/v1/hooks/{form_id}"),
    ];
    assert_eq!(public, expected.map(|(method, path)| (method.to_owned(), path.to_owned())).into());
}

#[test]
fn authorizer_uses_the_response_format_of_the_api() {
    let template = Template::read();
    let token = &template.properties("Api")["Auth"]["Authorizers"]["Token"];
    assert_eq!(intrinsic(&token["FunctionArn"]), "!GetAtt AuthorizerFunction.Arn");
    assert_eq!(text(&token["AuthorizerPayloadFormatVersion"]), "2.0");
    assert_eq!(token["EnableSimpleResponses"].as_bool(), Some(true));
    assert_eq!(token["EnableFunctionDefaultPermissions"].as_bool(), Some(true));
    assert_eq!(texts(&token["Identity"]["Headers"]), ["Authorization"]);
    assert_eq!(intrinsic(&token["Identity"]["ReauthorizeEvery"]), "!Ref AuthorizerCacheSeconds");
    let cache = &template.root()["Parameters"]["AuthorizerCacheSeconds"];
    assert!(number(&cache["Default"]) <= 5, "a deleted token stops working within seconds");
    assert!(number(&cache["MaxValue"]) <= 60);
}

#[test]
fn operator_token_parameter_is_a_hidden_digest() {
    let template = Template::read();
    let parameter = &template.root()["Parameters"]["OperatorTokenSha256"];
    assert_eq!(parameter["NoEcho"].as_bool(), Some(true));
    assert_eq!(text(&parameter["AllowedPattern"]), "^[0-9a-f]{64}(,[0-9a-f]{64})?$");
    assert!(parameter["Default"].is_null(), "a default token would be publicly known");
}

#[test]
fn access_logs_contain_nothing_that_a_caller_sent() {
    let template = Template::read();
    let format = text(&template.properties("Api")["AccessLogSettings"]["Format"]);
    let fields: BTreeMap<String, String> = serde_json::from_str(format).unwrap();
    let logged: BTreeSet<&str> = fields.values().map(String::as_str).collect();
    let allowed = [
        "$context.integrationLatency",
        "$context.integrationStatus",
        "$context.requestId",
        "$context.requestTime",
        "$context.responseLatency",
        "$context.responseLength",
        "$context.routeKey",
        "$context.status",
    ];
    assert_eq!(logged, allowed.into());
}
