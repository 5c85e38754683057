//! `POST /v1/contacts/search`.

use api::fields::{Fields, FromFields, Place};
use api::openapi::one_of;
use api::paging::{Page, Paging};
use api::parse::{list, nested, object, parsed};
use api::views::ContactView;
use api::{AccountCaller, Context, Problem, ReadRequest, respond};
use axum::extract::State;
use axum::response::Response;
use domain::filter::{Condition, FieldName, Filter, FilterError, Operator};
use domain::ids::ContactId;
use domain::limits::{FILTER_CONDITIONS_MAX, FILTER_GROUPS_MAX, FILTER_VALUES_MAX};
use serde::Serialize;
use serde_json::Value;
use store::Search;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;

use crate::find::page;

/// Which contacts are looked for, and which page of them.
pub(crate) struct Asked {
    filter: Filter,
    paging: Paging<ContactId>,
}

impl FromFields for Asked {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let groups = fields.required("filterGroups", list(0..=FILTER_GROUPS_MAX, nested::<Group>()));
        let paging = Paging::read(fields);
        let groups = groups?.into_iter().map(|Group(conditions)| conditions).collect();
        let filter = match Filter::new(groups) {
            Ok(filter) => Some(filter),
            Err(errors) => refuse(fields, errors),
        };
        Some(Self { filter: filter?, paging: paging? })
    }
}

/// Conditions that all have to hold.
struct Group(Vec<Condition>);

impl FromFields for Group {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        fields.required("filters", list(1..=FILTER_CONDITIONS_MAX, object(condition))).map(Self)
    }
}

fn condition(fields: &mut Fields<'_>) -> Option<Condition> {
    let name = fields.required("propertyName", parsed::<FieldName>());
    let operator = fields.required("operator", parsed::<Operator>());
    let value = fields.optional("value", operand);
    let values = fields.optional("values", list(0..=FILTER_VALUES_MAX, operand));
    let high_value = fields.optional("highValue", operand);
    let (name, operator, value, values, high_value) = (name?, operator?, value?, values?, high_value?);
    let (name, operator) = (name.as_str(), operator.as_str());
    match Condition::new(name, operator, value.as_deref(), values.as_deref(), high_value.as_deref()) {
        Ok(condition) => Some(condition),
        Err(errors) => refuse(fields, errors),
    }
}

fn refuse<T>(fields: &mut Fields<'_>, errors: Vec<FilterError>) -> Option<T> {
    for error in errors {
        fields.refuse::<()>(error.field, error.message);
    }
    None
}

/// A text, or a number or truth that is taken as one.
fn operand(value: Value, place: &mut Place<'_>) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            place.refuse("expected a string, a number, true or false")
        }
    }
}

/// Which contacts are looked for, and which page of them.
#[derive(ToSchema)]
#[schema(as = ContactSearch, rename_all = "camelCase")]
#[expect(dead_code, reason = "it describes the body that Asked reads")]
struct SearchSchema {
    /// Contacts are found that all filters of at least one group hold for; without groups, all of them.
    #[schema(max_items = 10)]
    filter_groups: Vec<GroupSchema>,
    /// How many results a page has.
    #[schema(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
    /// The cursor of the page before: results after it.
    #[schema(nullable = false, min_length = 1, max_length = 1024, pattern = "^[A-Za-z0-9_-]+$")]
    after: Option<String>,
}

/// Filters that all have to hold.
#[derive(ToSchema)]
#[schema(as = FilterGroup)]
#[expect(dead_code, reason = "it describes what Group reads")]
struct GroupSchema {
    /// The filters.
    #[schema(min_items = 1, max_items = 10)]
    filters: Vec<FilterSchema>,
}

/// A condition on one field of a contact.
#[derive(ToSchema)]
#[schema(as = Filter, rename_all = "camelCase")]
#[expect(dead_code, reason = "it describes what condition reads")]
struct FilterSchema {
    /// A property, or `email`, `unsubscribed`, `bounced`, `created_at`, `updated_at`, `hs_marketable_status`,
    /// `hs_marketable_until_renewal`, `hs_marketable_reason_type`, `hs_marketable_reason_id`.
    property_name: String,
    #[schema(schema_with = operator)]
    operator: String,
    /// What it is compared with; with `BETWEEN`, the lower end.
    #[schema(nullable = false)]
    value: Option<OperandSchema>,
    /// What it is compared with by `IN` and `NOT_IN`.
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    values: Option<Vec<OperandSchema>>,
    /// The upper end of `BETWEEN`.
    #[schema(nullable = false)]
    high_value: Option<OperandSchema>,
}

fn operator() -> Schema {
    one_of(Operator::ALL.iter().map(|operator| operator.as_str()), "How the field is compared.")
}

/// A text, or what is taken as one.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = FilterOperand)]
#[expect(dead_code, reason = "it describes what operand reads")]
enum OperandSchema {
    Text(String),
    Number(f64),
    Truth(bool),
}

/// Searches contacts.
///
/// In the order in which they were made, as of now. Texts compare without case, numbers as numbers. A page may hold fewer
/// results than `limit`, even none, and still have a next one: a search that finds little goes on from there.
#[utoipa::path(
    post, path = "/v1/contacts/search", tag = "Contacts", request_body = SearchSchema,
    responses((status = 200, description = "A page of contacts.", body = Page<ContactView>)),
)]
pub(crate) async fn search_contacts(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    lookup: ReadRequest<Asked>,
) -> Result<Response, Problem> {
    let Asked { filter, paging: Paging { limit, after } } = &lookup.body;
    let asked = Search { account: principal.account, filter: Some(filter), after: *after, limit: *limit };
    let found = context.store.search(asked, context.clock.now()).await?;
    respond::ok(&page(&found))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::body::tests::read;

    fn wrong(body: &Value) -> Vec<String> {
        read::<Asked>(body).err().unwrap()
    }

    fn with_filters(filters: &Value) -> Value {
        json!({"filterGroups": [{"filters": filters}]})
    }

    #[test]
    fn operands_are_texts_numbers_and_truths() {
        let filters = json!([
            {"propertyName": "age", "operator": "GT", "value": 36},
            {"propertyName": "age", "operator": "BETWEEN", "value": 1.5, "highValue": "40"},
            {"propertyName": "bounced", "operator": "EQ", "value": false},
            {"propertyName": "city", "operator": "IN", "values": ["Paris", 7, true]},
            {"propertyName": "created_at", "operator": "LT", "value": 1_795_377_541_123_u64},
            {"propertyName": "phone", "operator": "NOT_HAS_PROPERTY"},
        ]);
        let asked: Asked = read(&with_filters(&filters)).ok().unwrap();
        assert_eq!((asked.paging.limit, asked.paging.after), (100, None));
    }

    #[test]
    fn a_search_without_groups_is_for_all() {
        assert!(read::<Asked>(&json!({"filterGroups": [], "limit": 1})).is_ok());
        assert_eq!(wrong(&json!({})), ["filterGroups"]);
    }

    #[test]
    fn everything_that_is_wrong_is_named_by_its_place() {
        assert_eq!(
            wrong(&json!({
                "filterGroups": [
                    {"filters": [
                        {"propertyName": "age", "operator": "GT", "value": 36},
                        {"propertyName": "created_at", "operator": "LT", "value": "soon"},
                        {"propertyName": "First Name", "operator": "EQUALS", "value": "x"},
                        {"propertyName": "age", "operator": "EQ"},
                        {"operator": "EQUALS", "values": []},
                    ]},
                    {"filters": []},
                    {"filters": [{"propertyName": "age", "operator": "EQ", "value": null, "colour": 1}], "name": "x"},
                    7,
                ],
                "limit": 0, "after": "x", "sorts": [],
            })),
            [
                "filterGroups[0].filters[1].value",
                "filterGroups[0].filters[2].propertyName",
                "filterGroups[0].filters[2].operator",
                "filterGroups[0].filters[3].value",
                "filterGroups[0].filters[4].propertyName",
                "filterGroups[0].filters[4].operator",
                "filterGroups[1].filters",
                "filterGroups[2].filters[0].value",
                "filterGroups[2].filters[0].colour",
                "filterGroups[2].name",
                "filterGroups[3]",
                "limit",
                "after",
                "sorts",
            ]
        );
    }

    #[test]
    fn groups_filters_and_values_are_bounded() {
        let filter = json!({"propertyName": "age", "operator": "HAS_PROPERTY"});
        assert_eq!(wrong(&with_filters(&json!(vec![filter.clone(); 11]))), ["filterGroups[0].filters"]);
        assert_eq!(wrong(&json!({"filterGroups": vec![json!({"filters": [filter]}); 11]})), ["filterGroups"]);
        let values = json!([{"propertyName": "age", "operator": "IN", "values": vec![1; 101]}]);
        assert_eq!(wrong(&with_filters(&values)), ["filterGroups[0].filters[0].values"]);
    }
}
