//! Filters of contacts in requests and responses. The names of their members are those of HubSpot's search.

use domain::filter::{Condition, FieldName, Filter, FilterError, Operator};
use domain::limits::{FILTER_CONDITIONS_MAX, FILTER_GROUPS_MAX, FILTER_VALUES_MAX};
use domain::property::PropertyName;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::describe::documented;
use crate::fields::{Components, FieldPath, Fields, FromFields, Reported};
use crate::parse::{self, Parser, checked, list, nested, parsed, variant};

/// The name of the field that contains a filter.
pub const FILTER_GROUPS: &str = "filterGroups";

/// Parses the groups of a filter.
///
/// ```
/// use api::fields::{Fields, FromFields, Reported};
/// use api::filter::{FILTER_GROUPS, filter_groups};
/// use domain::filter::Filter;
///
/// struct NewSegment {
///     filter: Filter,
/// }
///
/// impl FromFields for NewSegment {
///     fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
///         Ok(Self { filter: fields.required(FILTER_GROUPS, filter_groups())? })
///     }
/// }
/// ```
pub fn filter_groups() -> impl Parser<Output = Filter> {
    let groups = list(0..=FILTER_GROUPS_MAX, nested::<Group>());
    let filter = checked(groups, |groups: Vec<Group>| {
        let groups = groups.into_iter().map(|Group(conditions)| conditions).collect();
        // The list's bounds are those of a filter, so there is no error.
        Filter::new(groups).map_err(|_| "is not a valid filter")
    });
    filter.about(
        "A contact is found if it meets all filters of at least one group. Without groups, all contacts are found.",
    )
}

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
        let name = parsed::<FieldName>().with(|name| name.pattern = Some(field_pattern())).about(
            "A property, or `email`, `unsubscribed`, `bounced`, `created_at`, `updated_at`, `hs_marketable_status`, \
             `hs_marketable_until_renewal`, `hs_marketable_reason_type`, `hs_marketable_reason_id`, `hs_object_id`, \
             which is the contact's id.",
        );
        let name = fields.required("propertyName", name);
        let operator = fields.required("operator", variant::<Operator>().about("The comparison."));
        let value = operand().about("The value to compare with. For `BETWEEN` it is the lower end. With `EQ` and `NEQ` an empty text stands for the \
             absence of the property.");
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

/// Returns the pattern of the names of fields.
fn field_pattern() -> String {
    let named = FieldName::NAMED.map(|field| format!("^{}$", field.as_str()));
    format!("{}|{}", named.join("|"), PropertyName::pattern())
}

fn reject<T>(fields: &mut impl Fields, errors: Vec<FilterError>) -> Result<T, Reported> {
    let rejected = errors.into_iter().map(|error| fields.reject(error.field, error.message));
    // A condition is rejected with at least one error.
    rejected.last().unwrap_or_else(|| fields.reject("propertyName", "is not a valid filter"))
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

/// The view of one group of a filter. A request with the same groups has the same filter. The schema is that of a
/// request's group.
#[derive(Serialize, Clone, PartialEq, Eq)]
pub struct FilterGroupView {
    filters: Vec<FilterView>,
}

#[derive(Serialize, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct FilterView {
    property_name: String,
    operator: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high_value: Option<String>,
}

impl FilterGroupView {
    /// Returns the views of all groups of a filter.
    #[must_use]
    pub fn all(filter: &Filter) -> Vec<Self> {
        let groups = filter.groups().iter();
        groups.map(|group| Self { filters: group.iter().map(FilterView::new).collect() }).collect()
    }
}

impl FilterView {
    fn new(condition: &Condition) -> Self {
        let parts = condition.parts();
        Self {
            property_name: parts.name.clone(),
            operator: parts.operator.as_str(),
            value: parts.value.clone(),
            values: parts.values.clone(),
            high_value: parts.high_value.clone(),
        }
    }
}

impl PartialSchema for FilterGroupView {
    fn schema() -> RefOr<Schema> {
        Group::schema()
    }
}

impl ToSchema for FilterGroupView {
    fn name() -> std::borrow::Cow<'static, str> {
        Group::name()
    }

    fn schemas(schemas: &mut Components) {
        Group::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fields::{Errors, Parse};

    fn read(groups: &Value) -> Filter {
        let mut errors = Errors::default();
        filter_groups().parse(groups.clone(), &mut FieldPath::root(false, &mut errors)).unwrap()
    }

    fn view(filter: &Filter) -> Value {
        serde_json::to_value(FilterGroupView::all(filter)).unwrap()
    }

    #[test]
    fn view_repeats_the_request_with_texts() {
        let groups = json!([
            {"filters": [
                {"propertyName": "age", "operator": "BETWEEN", "value": 1.5, "highValue": "40"},
                {"propertyName": "bounced", "operator": "EQ", "value": false},
            ]},
            {"filters": [
                {"propertyName": "city", "operator": "IN", "values": ["Paris", 7, true]},
                {"propertyName": "phone", "operator": "NOT_HAS_PROPERTY"},
            ]},
        ]);
        let expected = json!([
            {"filters": [
                {"propertyName": "age", "operator": "BETWEEN", "value": "1.5", "highValue": "40"},
                {"propertyName": "bounced", "operator": "EQ", "value": "false"},
            ]},
            {"filters": [
                {"propertyName": "city", "operator": "IN", "values": ["Paris", "7", "true"]},
                {"propertyName": "phone", "operator": "NOT_HAS_PROPERTY"},
            ]},
        ]);
        let filter = read(&groups);
        assert_eq!(view(&filter), expected);
        assert!(read(&expected) == filter);
        assert_eq!(view(&Filter::default()), json!([]));
    }

    #[test]
    fn view_contains_the_instant_that_a_date_means() {
        let dated = |value: Value| json!([{"filters": [{"propertyName": "created_at", "operator": "GTE", "value": value}]}]);
        let instant = dated(json!("2026-11-21T00:00:00.000Z"));
        for value in [json!("2026-11-21"), json!("2026-11-21T01:00:00+01:00"), json!(1_795_219_200_000_u64)] {
            assert_eq!(view(&read(&dated(value))), instant);
        }
    }
}
