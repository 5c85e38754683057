//! `/crm/v3/properties/contacts`: the definitions of properties, and the values that they allow.

use domain::limits::CRM_PROPERTIES_MAX;
use domain::property::PropertyName;
use domain::property_definition::{PropertyDefinition, STANDARD};
use serde_json::{Value, json};
use store::Defining;
use testkit::{Api, Observer, Reply, Tenant};

use crate::http::{column, one_account};

const PROPERTIES: &str = "/crm/v3/properties/contacts";
const CONTACTS: &str = "/crm/v3/objects/contacts";

/// Asserts the status of a response, and returns its body.
#[track_caller]
fn body_of(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/json"));
    reply.json()
}

/// Asserts that a response is a refusal in `HubSpot`'s envelope. Returns the envelope.
#[track_caller]
fn refusal(reply: &Reply, status: u16, category: &str) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text());
    let envelope = reply.json();
    assert_eq!(
        (&envelope["status"], &envelope["category"]),
        (&json!("error"), &json!(category)),
        "{envelope}"
    );
    assert_eq!(envelope["correlationId"].as_str().map(str::len), Some(36), "{envelope}");
    envelope
}

fn tier() -> Value {
    json!({"name": "tier", "label": "Tier", "type": "enumeration", "fieldType": "select", "groupName":
        "contactinformation", "options": [{"label": "Gold", "value": "gold"}, {"label": "Silver", "value": "silver"}]})
}

async fn define(api: &Api, account: &Tenant, property: &Value) -> Value {
    body_of(&api.post(PROPERTIES).token(&account.token).json(property).await, 201)
}

async fn names(api: &Api, account: &Tenant) -> Vec<String> {
    let listed = body_of(&api.get(PROPERTIES).token(&account.token).await, 200);
    column(&listed["results"], "name").into_iter().map(str::to_owned).collect()
}

async fn read(api: &Api, account: &Tenant, name: &str) -> Reply {
    api.get(&format!("{PROPERTIES}/{name}")).token(&account.token).await
}

async fn create_contact(api: &Api, account: &Tenant, properties: &Value) -> Reply {
    api.post(CONTACTS).token(&account.token).json(&json!({"properties": properties})).await
}

/// Returns the errors of a refused contact: the name and the code of each.
#[track_caller]
fn errors_of(reply: &Reply) -> Vec<(String, String)> {
    let envelope = refusal(reply, 400, "VALIDATION_ERROR");
    let message = envelope["message"].as_str().unwrap();
    let array =
        message.strip_prefix("Property values were not valid: ").expect("the text that programs parse");
    let array: Vec<Value> = serde_json::from_str(array).unwrap();
    let text = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
    let named = |error: &Value| (text(error, "name"), text(error, "error"));
    let of_errors = envelope["errors"].as_array().unwrap().iter();
    let codes: Vec<String> = of_errors.map(|error| text(error, "code")).collect();
    let pairs: Vec<_> = array.iter().map(named).collect();
    assert_eq!(codes, pairs.iter().map(|(_, code)| code.clone()).collect::<Vec<_>>());
    pairs
}

#[tokio::test(start_paused = true)]
async fn every_account_has_the_standard_properties() {
    let (api, account) = one_account(json!({})).await;
    let listed = body_of(&api.get(PROPERTIES).token(&account.token).await, 200);
    let results = listed["results"].as_array().unwrap();
    assert_eq!(results.len(), STANDARD.len());
    for property in results {
        for member in ["name", "label", "type", "fieldType", "groupName", "description"] {
            assert!(property[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {property}");
        }
        assert!(property["options"].is_array() && property["hubspotDefined"] == true, "{property}");
        assert_eq!(property["modificationMetadata"]["archivable"], false);
    }
    let status = body_of(&read(&api, &account, "hs_marketable_status").await, 200);
    let described = ["type", "fieldType"].map(|member| status[member].as_str().unwrap());
    assert_eq!(described, ["enumeration", "booleancheckbox"]);
    assert_eq!(column(&status["options"], "value"), ["true", "false"]);
}

#[tokio::test(start_paused = true)]
async fn status_is_read_only_without_the_permission() {
    let (api, account) = one_account(json!({})).await;
    let plain = api.integration(&account, json!({})).await;
    let allowed = api.integration(&account, json!({"modify_marketing_contacts": true})).await;
    for (token, expected) in [(&plain.token, true), (&allowed.token, false)] {
        let path = format!("{PROPERTIES}/hs_marketable_status");
        let status = body_of(&api.get(&path).token(token).await, 200);
        assert_eq!(status["modificationMetadata"]["readOnlyValue"], expected);
        let listed = api.get("/properties/v2/contact/properties").token(token).await.json();
        let listed = listed.as_array().unwrap().iter();
        let status = listed.clone().find(|property| property["name"] == "hs_marketable_status").unwrap();
        assert_eq!(status["readOnlyValue"], expected);
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_name_is_refused_with_the_text_that_programs_parse() {
    let (api, account) = one_account(json!({})).await;
    let reply = create_contact(&api, &account, &json!({"firstname": "Ada", "plan": "gold"})).await;
    assert_eq!(errors_of(&reply), [("plan".to_owned(), "PROPERTY_DOESNT_EXIST".to_owned())]);
    let envelope = reply.json();
    let error = &envelope["errors"][0];
    assert_eq!(error["message"], "Property \"plan\" does not exist");
    assert_eq!(error["context"], json!({"propertyName": ["plan"]}));
    let unknown = refusal(&read(&api, &account, "plan").await, 404, "OBJECT_NOT_FOUND");
    assert_eq!(unknown["message"], "Property \"plan\" does not exist");
}

#[tokio::test(start_paused = true)]
async fn property_is_created_changed_and_archived() {
    let (api, account) = one_account(json!({})).await;
    let created = define(&api, &account, &tier()).await;
    assert_eq!((&created["type"], &created["hubspotDefined"]), (&json!("enumeration"), &json!(false)));
    assert_eq!(body_of(&read(&api, &account, "tier").await, 200), created);
    let contact = create_contact(&api, &account, &json!({"firstname": "Ada", "tier": "gold"})).await;
    let contact = body_of(&contact, 201);
    assert_eq!(contact["properties"]["tier"], "gold");

    let path = format!("{PROPERTIES}/tier");
    let options = json!([{"label": "Platinum", "value": "platinum"}]);
    let change = json!({"label": "Level", "options": options});
    let changed = body_of(&api.patch(&path).token(&account.token).json(&change).await, 200);
    assert_eq!((&changed["label"], &changed["fieldType"]), (&json!("Level"), &json!("select")));
    let refused = create_contact(&api, &account, &json!({"firstname": "Bob", "tier": "gold"})).await;
    assert_eq!(errors_of(&refused), [("tier".to_owned(), "INVALID_OPTION".to_owned())]);
    // A stored value that is no option any more is shown as it is.
    let id = contact["id"].as_str().unwrap();
    let shown = api.get(&format!("{CONTACTS}/{id}?properties=tier")).token(&account.token).await;
    assert_eq!(body_of(&shown, 200)["properties"]["tier"], "gold");

    for _ in 0..2 {
        assert_eq!(api.delete(&path).token(&account.token).await.status, 204);
    }
    refusal(&read(&api, &account, "tier").await, 404, "OBJECT_NOT_FOUND");
    let archived = format!("{PROPERTIES}?archived=true");
    let archived = body_of(&api.get(&archived).token(&account.token).await, 200);
    assert_eq!(column(&archived["results"], "name"), ["tier"]);
    assert_eq!(archived["results"][0]["archived"], true);
    let again = create_contact(&api, &account, &json!({"firstname": "Bob", "tier": "platinum"})).await;
    assert_eq!(errors_of(&again), [("tier".to_owned(), "PROPERTY_DOESNT_EXIST".to_owned())]);
    assert_eq!(define(&api, &account, &tier()).await["label"], "Tier");
}

#[tokio::test(start_paused = true)]
async fn standard_property_cannot_be_changed_or_archived() {
    let (api, account) = one_account(json!({})).await;
    let path = format!("{PROPERTIES}/hs_lead_status");
    let token = &account.token;
    refusal(&api.patch(&path).token(token).json(&json!({"label": "X"})).await, 400, "VALIDATION_ERROR");
    refusal(&api.delete(&path).token(token).await, 400, "VALIDATION_ERROR");
    let standard = json!({"name": "firstname", "label": "Name", "type": "string", "fieldType": "text",
        "groupName": "contactinformation"});
    let refused = refusal(&api.post(PROPERTIES).token(token).json(&standard).await, 409, "CONFLICT");
    assert_eq!(refused["message"], "A property named 'firstname' already exists.");
}

#[tokio::test(start_paused = true)]
async fn property_that_two_clients_create_at_once_exists_once() {
    let (api, account) = one_account(json!({})).await;
    let tier = tier();
    let post = || async { api.post(PROPERTIES).token(&account.token).json(&tier).await.status };
    let (one, other, third) = tokio::join!(post(), post(), post());
    let mut statuses = [one, other, third];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
    assert_eq!(names(&api, &account).await.iter().filter(|name| *name == "tier").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn invalid_definition_is_refused() {
    let (api, account) = one_account(json!({})).await;
    for (member, value, expected) in [
        ("name", json!("Tier 1"), "name: expected a name of a to z"),
        ("name", Value::Null, "Some required fields were not set: [name]"),
        ("groupName", json!("nowhere"), "groupName: the group of properties \"nowhere\" does not exist"),
        ("fieldType", json!("text"), "fieldType: expected one of"),
        ("type", json!("json"), "type: expected one of"),
        ("hasUniqueValue", json!(true), "hasUniqueValue: expected false"),
    ] {
        let mut property = tier();
        property[member] = value;
        let reply = api.post(PROPERTIES).token(&account.token).json(&property).await;
        let message = refusal(&reply, 400, "VALIDATION_ERROR")["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn name_first_used_elsewhere_is_a_text_after_the_feed() {
    let (api, account) = one_account(json!({})).await;
    let mut observer = Observer::of(&api.table).await;
    let properties = json!({"plan": "gold", "firstname": "Ada", "hs_lead_status": "someday"});
    let id = api.contact(&account.token, json!({"properties": properties})).await;
    let path = format!("{CONTACTS}/{id}?properties=plan,hs_lead_status");
    let shown = body_of(&api.get(&path).token(&account.token).await, 200);
    assert_eq!(shown["properties"].get("plan"), None, "not defined yet");
    assert_eq!(shown["properties"]["hs_lead_status"], "someday", "a value that is no option is shown");
    let _ = observer.follow(&api.table, api.clock.now()).await;

    let plan = body_of(&read(&api, &account, "plan").await, 200);
    assert_eq!(["type", "fieldType", "label"].map(|member| &plan[member]), ["string", "text", "Plan"]);
    let shown = body_of(&api.get(&path).token(&account.token).await, 200);
    assert_eq!(shown["properties"]["plan"], "gold");
    let _ = body_of(&create_contact(&api, &account, &json!({"lastname": "B", "plan": "silver"})).await, 201);
    let own = names(&api, &account).await.len() - STANDARD.len();
    assert_eq!(own, 1, "standard names are not defined again");

    // A name that the account has archived stays archived when it is used again.
    assert_eq!(api.delete(&format!("{PROPERTIES}/plan")).token(&account.token).await.status, 204);
    let _ = api.contact(&account.token, json!({"properties": {"plan": "bronze"}})).await;
    let _ = observer.follow(&api.table, api.clock.now()).await;
    refusal(&read(&api, &account, "plan").await, 404, "OBJECT_NOT_FOUND");
}

#[tokio::test(start_paused = true)]
async fn account_never_sees_the_definitions_of_another() {
    let (api, account) = one_account(json!({})).await;
    let other = api.account(json!({})).await;
    let _ = define(&api, &account, &tier()).await;
    let group = json!({"name": "shop", "label": "Shop"});
    let groups = format!("{PROPERTIES}/groups");
    let _ = body_of(&api.post(&groups).token(&account.token).json(&group).await, 201);
    assert!(!names(&api, &other).await.contains(&"tier".to_owned()));
    refusal(&read(&api, &other, "tier").await, 404, "OBJECT_NOT_FOUND");
    refusal(&api.delete(&format!("{PROPERTIES}/tier")).token(&other.token).await, 404, "OBJECT_NOT_FOUND");
    refusal(&api.get(&format!("{groups}/shop")).token(&other.token).await, 404, "OBJECT_NOT_FOUND");
    let refused = create_contact(&api, &other, &json!({"firstname": "A", "tier": "gold"})).await;
    assert_eq!(errors_of(&refused), [("tier".to_owned(), "PROPERTY_DOESNT_EXIST".to_owned())]);
    let used = json!({"inputs": [{"name": "tier"}]});
    let path = format!("{PROPERTIES}/batch/read");
    assert_eq!(api.post(&path).token(&other.token).json(&used).await.status, 207);
}

#[tokio::test(start_paused = true)]
async fn value_that_does_not_fit_its_type_is_refused() {
    let (api, account) = one_account(json!({})).await;
    for (name, value_type, field) in [
        ("a_bool", "bool", "booleancheckbox"),
        ("a_date", "date", "date"),
        ("a_datetime", "datetime", "date"),
        ("a_number", "number", "number"),
        ("a_phone", "phone_number", "phonenumber"),
        ("many", "enumeration", "checkbox"),
    ] {
        let mut property = json!({"name": name, "label": name, "type": value_type, "fieldType": field,
            "groupName": "contactinformation"});
        if name == "many" {
            property["options"] = json!([{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]);
        }
        let _ = define(&api, &account, &property).await;
    }
    let bad = json!({"a_bool": "yes", "a_date": 1_795_219_200_001_u64, "a_datetime": "soon", "a_number": "1,5",
        "many": "a;c", "hs_language": "klingon", "hs_object_id": "1", "email": "no address"});
    let reply = create_contact(&api, &account, &bad).await;
    let mut errors = errors_of(&reply);
    errors.sort();
    let expected = [
        ("a_bool", "INVALID_OPTION"),
        ("a_date", "INVALID_DATE"),
        ("a_datetime", "INVALID_DATE"),
        ("a_number", "INVALID_NUMBER"),
        ("email", "INVALID_EMAIL"),
        ("hs_language", "INVALID_OPTION"),
        ("hs_object_id", "READ_ONLY_VALUE"),
        ("many", "INVALID_OPTION"),
    ];
    assert_eq!(errors, expected.map(|(name, code)| (name.to_owned(), code.to_owned())));
    let good = json!({"a_bool": true, "a_date": 1_795_219_200_000_u64, "a_datetime": "2026-11-21T20:00:00+01:00",
        "a_number": 1.5, "a_phone": "+49 30 1234", "many": "b;a", "hs_language": "de-at"});
    let created = body_of(&create_contact(&api, &account, &good).await, 201);
    for (name, value) in [
        ("a_bool", "true"),
        ("a_date", "2026-11-21"),
        ("a_datetime", "2026-11-21T19:00:00.000Z"),
        ("a_number", "1.5"),
        ("a_phone", "+49 30 1234"),
        ("many", "b;a"),
        ("hs_language", "de-at"),
    ] {
        assert_eq!(created["properties"][name], value, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn many_properties_are_created_read_and_archived() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let named = |name: &str| {
        let mut property = tier();
        property["name"] = json!(name);
        property
    };
    let post = |operation: &str, inputs: Value| {
        let path = format!("{PROPERTIES}/batch/{operation}");
        let body = json!({"inputs": inputs});
        let api = &api;
        async move { api.post(&path).token(token).json(&body).await }
    };
    let created = body_of(&post("create", json!([named("a"), named("b")])).await, 201);
    assert_eq!((&created["status"], created["results"].as_array().unwrap().len()), (&json!("COMPLETE"), 2));
    let partly = body_of(&post("create", json!([named("b"), named("c"), named("c")])).await, 207);
    assert_eq!(column(&partly["results"], "name"), ["c"]);
    assert_eq!((&partly["numErrors"], &partly["errors"][0]["category"]), (&json!(2), &json!("CONFLICT")));
    let read = body_of(&post("read", json!([{"name": "a"}, {"name": "city"}, {"name": "z"}])).await, 207);
    assert_eq!(column(&read["results"], "name"), ["a", "city"]);
    assert_eq!(read["errors"][0]["context"], json!({"name": ["z"]}));
    let archived = post("archive", json!([{"name": "a"}, {"name": "b"}, {"name": "z"}])).await;
    assert_eq!((archived.status, archived.text()), (204, ""));
    assert!(!names(&api, &account).await.iter().any(|name| name == "a" || name == "b"));
    let too_many: Vec<Value> = (0..101).map(|number| named(&format!("p{number}"))).collect();
    refusal(&post("create", json!(too_many)).await, 400, "VALIDATION_ERROR");
    // More than one transaction writes.
    let hundred: Vec<Value> = (0..100).map(|number| named(&format!("p{number}"))).collect();
    assert_eq!(post("create", json!(hundred)).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn group_is_created_changed_and_deleted_when_it_is_empty() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let groups = format!("{PROPERTIES}/groups");
    let shop = format!("{groups}/shop");
    let body = json!({"name": "shop", "label": "Shop", "displayOrder": 2});
    let created = body_of(&api.post(&groups).token(token).json(&body).await, 201);
    assert_eq!(created, json!({"name": "shop", "label": "Shop", "displayOrder": 2, "archived": false}));
    refusal(&api.post(&groups).token(token).json(&body).await, 409, "CONFLICT");
    let label = json!({"label": "Store"});
    assert_eq!(body_of(&api.patch(&shop).token(token).json(&label).await, 200)["label"], "Store");
    let mut property = tier();
    property["groupName"] = json!("shop");
    let _ = define(&api, &account, &property).await;
    refusal(&api.delete(&shop).token(token).await, 400, "VALIDATION_ERROR");
    let listed = body_of(&api.get(&groups).token(token).await, 200);
    assert!(column(&listed["results"], "name").contains(&"shop"));
    assert_eq!(api.delete(&format!("{PROPERTIES}/tier")).token(token).await.status, 204);
    assert_eq!(api.delete(&shop).token(token).await.status, 204);
    refusal(&api.get(&shop).token(token).await, 404, "OBJECT_NOT_FOUND");
    refusal(&api.delete(&format!("{groups}/contactinformation")).token(token).await, 400, "VALIDATION_ERROR");
}

#[tokio::test(start_paused = true)]
async fn connectors_find_the_older_list_and_the_schemas() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let listed = api.get("/properties/v2/contact/properties").token(token).await.json();
    assert_eq!(listed.as_array().unwrap().len(), STANDARD.len());
    assert!(listed[0]["type"].is_string() && listed[0]["readOnlyValue"].is_boolean());
    for path in ["/crm/v3/schemas", "/crm-object-schemas/v3/schemas", "/crm/schemas/2026-03/"] {
        assert_eq!(body_of(&api.get(path).token(token).await, 200), json!({"results": []}), "{path}");
    }
    let contacts = body_of(&api.get("/crm/v3/schemas/0-1").token(token).await, 200);
    assert_eq!((&contacts["id"], &contacts["fullyQualifiedName"]), (&json!("0-1"), &json!("CONTACT")));
    for path in ["/crm/v3/properties/contact/", "/crm/properties/2026-03/0-1", "//crm/v3/properties/contacts"]
    {
        assert_eq!(api.get(path).token(token).await.status, 200, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn own_properties_are_limited() {
    let (api, account) = one_account(json!({})).await;
    let mut observer = Observer::of(&api.table).await;
    let definition = |number| {
        let name = PropertyName::parse(&format!("p{number}")).unwrap();
        PropertyDefinition::of_used(name)
    };
    let all: Vec<_> = (0..=CRM_PROPERTIES_MAX).map(definition).collect();
    let results = api.table.store.define_properties(account.id, &all, api.clock.now()).await.unwrap();
    let (last, others) = results.split_last().unwrap();
    assert_eq!(last, &Defining::LimitReached);
    assert!(others.iter().all(|result| matches!(result, Defining::Created(_))));
    let reply = api.post(PROPERTIES).token(&account.token).json(&tier()).await;
    let refused = refusal(&reply, 400, "LIMIT_EXCEEDED");
    assert_eq!(refused["message"], "An account has at most 1000 properties of its own.");
    // A name beyond the limit is not defined, and does not stop the feed.
    let _ = api.contact(&account.token, json!({"properties": {"plan": "gold"}})).await;
    let _ = observer.follow(&api.table, api.clock.now()).await;
    refusal(&read(&api, &account, "plan").await, 404, "OBJECT_NOT_FOUND");
    // An archived property does not count.
    assert_eq!(api.delete(&format!("{PROPERTIES}/p0")).token(&account.token).await.status, 204);
    let _ = define(&api, &account, &tier()).await;
}
