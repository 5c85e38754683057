//! `POST /v1/contacts/search`: searches for contacts.

use api::describe::documented;
use api::fields::{FieldPath, Fields, FromFields, Reported};
use api::paging::{Page, Paging};
use api::parse::{Parser, list, nested, parsed, variant};
use api::views::ContactView;
use api::{AccountCaller, Context, Problem, ReadRequest, parse, respond};
use axum::extract::State;
use axum::response::Response;
use domain::filter::{Condition, FieldName, Filter, FilterError, Operator};
use domain::ids::ContactId;
use domain::limits::{FILTER_CONDITIONS_MAX, FILTER_GROUPS_MAX, FILTER_VALUES_MAX};
use serde::Serialize;
use serde_json::Value;
use store::Search;
use utoipa::{PartialSchema, ToSchema};

use crate::find::page;

/// A search for contacts and the requested page of its results.
pub(crate) struct ContactSearch {
    filter: Filter,
    paging: Paging<ContactId>,
}

impl FromFields for ContactSearch {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let groups = list(0..=FILTER_GROUPS_MAX, nested::<Group>()).about(
            "A contact is found if it meets all filters of at least one group. Without groups, all contacts are found.",
        );
        let groups = fields.required("filterGroups", groups);
        let paging = Paging::read(fields);
        let groups = groups?.into_iter().map(|Group(conditions)| conditions).collect();
        let filter = match Filter::new(groups) {
            Ok(filter) => Ok(filter),
            Err(errors) => reject(fields, errors),
        };
        Ok(Self { filter: filter?, paging: paging? })
    }
}

documented! { ContactSearch as "ContactSearch": "A search for contacts and the requested page of its results." }

/// Conditions, all of which a contact meets.
struct Group(Vec<Condition>);

impl FromFields for Group {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let filters = list(1..=FILTER_CONDITIONS_MAX, nested::<NamedCondition>()).about("The filters.");
        let filters = fields.required("filters", filters)?;
        Ok(Self(filters.into_iter().map(|NamedCondition(condition)| condition).collect()))
    }
}

documented! { Group as "FilterGroup": "Filters, all of which a contact meets." }

/// A condition whose members have the names of HubSpot's search.
struct NamedCondition(Condition);

impl FromFields for NamedCondition {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = parsed::<FieldName>().about(
            "A property, or `email`, `unsubscribed`, `bounced`, `created_at`, `updated_at`, `hs_marketable_status`, \
             `hs_marketable_until_renewal`, `hs_marketable_reason_type`, `hs_marketable_reason_id`.",
        );
        let name = fields.required("propertyName", name);
        let operator = fields.required("operator", variant::<Operator>().about("The comparison."));
        let value = operand().about("The value to compare with. For `BETWEEN` it is the lower end.");
        let value = fields.optional("value", value);
        let values =
            list(0..=FILTER_VALUES_MAX, operand()).about("The values of `IN` and `NOT_IN`, at least one.");
        let values = fields.optional("values", values);
        let high_value = fields.optional("highValue", operand().about("The upper end of `BETWEEN`."));
        let (name, operator, value, values, high_value) = (name?, operator?, value?, values?, high_value?);
        let (name, operator) = (name.as_str(), operator.as_str());
        match Condition::new(name, operator, value.as_deref(), values.as_deref(), high_value.as_deref()) {
            Ok(condition) => Ok(Self(condition)),
            Err(errors) => reject(fields, errors),
        }
    }
}

documented! { NamedCondition as "Filter": "A condition on one field of a contact." }

fn reject<T>(fields: &mut impl Fields, errors: Vec<FilterError>) -> Result<T, Reported> {
    let rejected = errors.into_iter().map(|error| fields.reject(error.field, error.message));
    // A filter is rejected with at least one error.
    rejected.last().unwrap_or_else(|| fields.reject("filterGroups", "is not a valid filter"))
}

/// Parses a text, or a number or a boolean as a text.
fn operand() -> impl Parser<Output = String> {
    let operand = parse::new(read_operand, |_| OperandSchema::schema());
    operand.schema_of::<OperandSchema>()
}

fn read_operand(value: Value, path: &mut FieldPath<'_>) -> Result<String, Reported> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            path.reject("expected a string, a number, true or false")
        }
    }
}

/// A text, or a number or a boolean that is read as a text.
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
/// The results are in the order of their creation, with their current state. Texts are compared without case, numbers
/// as numbers. A page may have fewer results than `limit`, or none, and still have a next page, because one request
/// examines a limited number of contacts.
#[utoipa::path(
    post, path = "/v1/contacts/search", tag = "Contacts", request_body = ContactSearch,
    responses((status = 200, description = "A page of contacts.", body = Page<ContactView>)),
)]
pub(crate) async fn search_contacts(
    State(context): State<Context>,
    AccountCaller(principal): AccountCaller,
    request: ReadRequest<ContactSearch>,
) -> Result<Response, Problem> {
    let ContactSearch { filter, paging: Paging { limit, after } } = &request.body;
    let search = Search { account: principal.account, filter: Some(filter), after: *after, limit: *limit };
    let found = context.store.search(search, context.clock.now()).await?;
    respond::ok(&page(&found))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::body::tests::read;

    fn wrong(body: &Value) -> Vec<String> {
        read::<ContactSearch>(body).err().unwrap()
    }

    fn with_filters(filters: &Value) -> Value {
        json!({"filterGroups": [{"filters": filters}]})
    }

    #[test]
    fn operands_are_texts_numbers_and_booleans() {
        let filters = json!([
            {"propertyName": "age", "operator": "GT", "value": 36},
            {"propertyName": "age", "operator": "BETWEEN", "value": 1.5, "highValue": "40"},
            {"propertyName": "bounced", "operator": "EQ", "value": false},
            {"propertyName": "city", "operator": "IN", "values": ["Paris", 7, true]},
            {"propertyName": "created_at", "operator": "LT", "value": 1_795_377_541_123_u64},
            {"propertyName": "phone", "operator": "NOT_HAS_PROPERTY"},
        ]);
        let search: ContactSearch = read(&with_filters(&filters)).ok().unwrap();
        assert_eq!((search.paging.limit, search.paging.after), (100, None));
    }

    #[test]
    fn search_without_groups_is_valid() {
        assert!(read::<ContactSearch>(&json!({"filterGroups": [], "limit": 1})).is_ok());
        assert_eq!(wrong(&json!({})), ["filterGroups"]);
    }

    #[test]
    fn all_errors_are_listed_by_path() {
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
