//! The filters of a list in a response.
//!
//! A branch comes back as it means, not as it was written: a filter that a list got in two spellings has one here. Some
//! conditions of segments have no operation in `HubSpot`'s format. They come back in the type `STRING` with their own
//! operator, so no condition is left out of sight.

use domain::filter::{Condition, ConditionParts, Filter, Operator};
use domain::property_definition::ValueType;
use serde_json::{Value, json};

use super::branch::{Compared, Kind};
use super::time_point;
use crate::definitions::Definitions;
use crate::field::Field;

/// Returns the branch of a filter.
pub(super) fn branch_of(filter: &Filter, definitions: &Definitions) -> Value {
    let mut groups: Vec<Value> =
        filter.groups().iter().map(|group| and(group.iter().map(|one| view(one, definitions)))).collect();
    if groups.is_empty() {
        // A filter without groups matches all contacts, and so does a branch without filters.
        groups.push(and([]));
    }
    json!({"filterBranchType": "OR", "filterBranchOperator": "OR", "filterBranches": groups, "filters": []})
}

fn and(filters: impl IntoIterator<Item = Value>) -> Value {
    let filters: Vec<Value> = filters.into_iter().collect();
    json!({"filterBranchType": "AND", "filterBranchOperator": "AND", "filterBranches": [], "filters": filters})
}

/// The names of properties whose conditions have other names.
const RENAMED: [(&str, &str); 4] = [
    ("created_at", "createdate"),
    ("updated_at", "lastmodifieddate"),
    ("unsubscribed", "hs_email_optout"),
    ("bounced", "hs_email_hard_bounce_reason_enum"),
];

fn view(condition: &Condition, definitions: &Definitions) -> Value {
    let parts = condition.parts();
    let renamed = RENAMED.iter().find(|(own, _)| *own == parts.name);
    let property = renamed.map_or(parts.name.as_str(), |(_, property)| property);
    let kind = Field::named(property).and_then(|field| Compared::of(&field));
    let kind = kind.map_or(Kind::Text, |compared| compared.kind);
    let value_type = definitions.get(property).map(|definition| definition.value_type);
    let shown = Shown { parts, kind, value_type };
    let operation = shown.operation().unwrap_or_else(|| shown.own());
    json!({"filterType": "PROPERTY", "property": property, "operation": operation})
}

/// A condition on a property.
struct Shown<'c> {
    parts: &'c ConditionParts,
    kind: Kind,
    value_type: Option<ValueType>,
}

/// Returns an operation.
fn operation(kind: &str, operator: &str, includes_absent: bool, operands: Value) -> Value {
    let mut operation = json!({
        "operationType": kind, "operator": operator, "includeObjectsWithNoValueSet": includes_absent,
    });
    if let (Some(operation), Value::Object(operands)) = (operation.as_object_mut(), operands) {
        operation.extend(operands);
    }
    operation
}

fn presence(is_known: bool) -> Value {
    operation("ALL_PROPERTY", if is_known { "IS_KNOWN" } else { "IS_UNKNOWN" }, !is_known, json!({}))
}

/// Returns the JSON number with this text, if it has no other spelling.
fn number(text: &str) -> Option<Value> {
    let number: serde_json::Number = serde_json::from_str(text).ok()?;
    (number.to_string() == text).then_some(Value::Number(number))
}

impl Shown<'_> {
    /// Returns the operation, if `HubSpot`'s format has one.
    fn operation(&self) -> Option<Value> {
        let value = self.parts.value.as_deref();
        match self.parts.operator {
            Operator::HasProperty => Some(presence(true)),
            Operator::NotHasProperty => Some(presence(false)),
            Operator::Eq => self.equal(value?, false),
            Operator::Neq => self.equal(value?, true),
            Operator::In => self.among(self.parts.values.as_deref()?, false),
            Operator::NotIn => self.among(self.parts.values.as_deref()?, true),
            Operator::Lt => self.ordered(value?, "IS_LESS_THAN", "IS_BEFORE", "EXCLUSIVE"),
            Operator::Lte => self.ordered(value?, "IS_LESS_THAN_OR_EQUAL_TO", "IS_BEFORE", "INCLUSIVE"),
            Operator::Gt => self.ordered(value?, "IS_GREATER_THAN", "IS_AFTER", "EXCLUSIVE"),
            Operator::Gte => self.ordered(value?, "IS_GREATER_THAN_OR_EQUAL_TO", "IS_AFTER", "INCLUSIVE"),
            Operator::Between => self.between(value?, self.parts.high_value.as_deref()?),
            Operator::ContainsToken => self.contains(value?, "CONTAINS", false),
            Operator::NotContainsToken => self.contains(value?, "DOES_NOT_CONTAIN", true),
        }
    }

    fn equal(&self, value: &str, is_negated: bool) -> Option<Value> {
        if value.is_empty() {
            return Some(presence(is_negated));
        }
        let operator = if is_negated { "IS_NOT_EQUAL_TO" } else { "IS_EQUAL_TO" };
        match self.kind {
            Kind::Flag | Kind::Mark => {
                let flag: bool = value.to_lowercase().parse().ok()?;
                Some(operation("BOOL", operator, is_negated, json!({"value": flag})))
            }
            Kind::Instant => None,
            Kind::Id => Some(operation("NUMBER", operator, is_negated, json!({"value": number(value)?}))),
            Kind::Text => {
                let number = number(value).filter(|_| self.value_type == Some(ValueType::Number));
                let (kind, value) = number.map_or(("STRING", json!(value)), |number| ("NUMBER", number));
                Some(operation(kind, operator, is_negated, json!({"value": value})))
            }
        }
    }

    fn among(&self, values: &[String], is_negated: bool) -> Option<Value> {
        let named: Vec<&String> = values.iter().filter(|value| !value.is_empty()).collect();
        if named.is_empty() {
            return Some(presence(is_negated));
        }
        // An empty operand stands for the absence of the property.
        let includes_absent = (named.len() < values.len()) != is_negated;
        let is_enumeration = matches!(self.kind, Kind::Flag | Kind::Mark)
            || matches!(self.value_type, Some(ValueType::Enumeration | ValueType::Bool));
        let (kind, operator) = match (is_enumeration, is_negated) {
            (true, false) => ("ENUMERATION", "IS_ANY_OF"),
            (true, true) => ("ENUMERATION", "IS_NONE_OF"),
            (false, false) => ("MULTISTRING", "IS_EQUAL_TO"),
            (false, true) => ("MULTISTRING", "IS_NOT_EQUAL_TO"),
        };
        (self.kind != Kind::Instant)
            .then(|| operation(kind, operator, includes_absent, json!({"values": named})))
    }

    fn ordered(&self, value: &str, of_number: &str, of_time: &str, endpoint: &str) -> Option<Value> {
        if self.kind == Kind::Instant {
            let point = time_point::view(value)?;
            let operands = json!({"type": "TIME_POINT", "timePoint": point, "endpointBehavior": endpoint});
            return Some(operation("TIME_POINT", of_time, false, operands));
        }
        Some(operation("NUMBER", of_number, false, json!({"value": number(value)?})))
    }

    fn between(&self, low: &str, high: &str) -> Option<Value> {
        if self.kind == Kind::Instant {
            let operands = json!({
                "type": "TIME_RANGED",
                "lowerBoundTimePoint": time_point::view(low)?, "lowerBoundEndpointBehavior": "INCLUSIVE",
                "upperBoundTimePoint": time_point::view(high)?, "upperBoundEndpointBehavior": "INCLUSIVE",
            });
            return Some(operation("TIME_RANGED", "IS_BETWEEN", false, operands));
        }
        let operands = json!({"lowerBound": number(low)?, "upperBound": number(high)?});
        Some(operation("NUMBER_RANGED", "IS_BETWEEN", false, operands))
    }

    fn contains(&self, pattern: &str, operator: &str, includes_absent: bool) -> Option<Value> {
        let part = pattern.strip_prefix('*')?.strip_suffix('*')?;
        let is_plain = self.kind == Kind::Text && !part.is_empty() && !part.contains('*');
        is_plain.then(|| operation("MULTISTRING", operator, includes_absent, json!({"values": [part]})))
    }

    /// Returns the condition with its own operator.
    fn own(&self) -> Value {
        let ConditionParts { operator, value, values, high_value, .. } = self.parts;
        let mut operands = json!({"value": value.clone().unwrap_or_default()});
        if let Some(values) = values {
            operands = json!({"values": values});
        }
        if let Some(high_value) = high_value {
            operands = json!({"value": value, "highValue": high_value});
        }
        operation("STRING", operator.as_str(), false, operands)
    }
}

#[cfg(test)]
mod tests {
    use super::super::branch::read;
    use super::*;

    fn filter(property: &str, operation: &Value) -> Value {
        json!({"filterType": "PROPERTY", "property": property, "operation": operation})
    }

    fn root(groups: &[Vec<Value>]) -> Value {
        let groups: Vec<Value> = groups.iter().map(|group| and(group.clone())).collect();
        json!({"filterBranchType": "OR", "filterBranchOperator": "OR", "filterBranches": groups, "filters": []})
    }

    /// Returns the message of the refusal of one operation.
    fn message(property: &str, operation: &Value) -> String {
        let branch = root(&[vec![filter(property, operation)]]);
        read(&branch, &Definitions::default()).map(|_| ()).unwrap_err().message
    }

    fn date(hour: u32) -> Value {
        time_point::view(&format!("2026-11-01T{hour:02}:00:00.000Z")).unwrap()
    }

    #[test]
    fn branch_comes_back_as_it_was_given() {
        let with = |kind: &str, operator: &str, absent: bool, operands: Value| {
            operation(kind, operator, absent, operands)
        };
        let first = vec![
            filter("firstname", &with("STRING", "IS_EQUAL_TO", false, json!({"value": "Ada"}))),
            filter("lastname", &with("STRING", "IS_NOT_EQUAL_TO", true, json!({"value": "King"}))),
            filter("phone", &presence(true)),
            filter("email", &with("MULTISTRING", "CONTAINS", false, json!({"values": ["@example."]}))),
            filter("email", &with("MULTISTRING", "DOES_NOT_CONTAIN", true, json!({"values": ["spam"]}))),
            filter(
                "createdate",
                &with(
                    "TIME_POINT",
                    "IS_AFTER",
                    false,
                    json!({
                        "type": "TIME_POINT", "timePoint": date(7), "endpointBehavior": "EXCLUSIVE",
                    }),
                ),
            ),
            filter("hs_object_id", &with("NUMBER", "IS_GREATER_THAN", false, json!({"value": 7}))),
        ];
        let second = vec![
            filter("lastname", &with("MULTISTRING", "IS_EQUAL_TO", true, json!({"values": ["a", "b"]}))),
            filter("firstname", &with("MULTISTRING", "IS_NOT_EQUAL_TO", false, json!({"values": ["c"]}))),
            filter("hs_marketable_status", &with("BOOL", "IS_EQUAL_TO", false, json!({"value": true}))),
            filter(
                "hs_marketable_until_renewal",
                &with("ENUMERATION", "IS_ANY_OF", false, json!({"values": ["false"]})),
            ),
            filter(
                "lastmodifieddate",
                &with(
                    "TIME_RANGED",
                    "IS_BETWEEN",
                    false,
                    json!({
                        "type": "TIME_RANGED",
                        "lowerBoundTimePoint": date(1), "lowerBoundEndpointBehavior": "INCLUSIVE",
                        "upperBoundTimePoint": date(2), "upperBoundEndpointBehavior": "INCLUSIVE",
                    }),
                ),
            ),
            filter("phone", &presence(false)),
        ];
        let (branch, definitions) = (root(&[first, second]), Definitions::default());
        let read = read(&branch, &definitions).unwrap();
        assert_eq!(branch_of(&read, &definitions), branch);
    }

    #[test]
    fn operation_means_its_condition() {
        let parts = |property: &str, operation: Value| {
            let read = read(&root(&[vec![filter(property, &operation)]]), &Definitions::default()).unwrap();
            let parts = read.groups()[0][0].parts().clone();
            (parts.name, parts.operator, parts.value, parts.values)
        };
        let named =
            |name: &str, operator, value: &str| (name.to_owned(), operator, Some(value.to_owned()), None);
        let equal =
            |value: Value| json!({"operationType": "BOOL", "operator": "IS_EQUAL_TO", "value": value});
        assert_eq!(
            parts("hs_marketable_status", equal(json!(false))),
            named("hs_marketable_status", Operator::Eq, "false")
        );
        let text = json!({
            "operationType": "STRING", "operator": "IS_EQUAL_TO", "value": "Ada", "includeObjectsWithNoValueSet": true,
        });
        let values = Some(vec!["Ada".to_owned(), String::new()]);
        assert_eq!(parts("firstname", text), ("firstname".to_owned(), Operator::In, None, values));
        let after = json!({
            "operationType": "TIME_POINT", "operator": "IS_BEFORE", "endpointBehavior": "INCLUSIVE",
            "timePoint": {"timeType": "DATE", "zoneId": "Europe/Berlin", "year": 2026, "month": 11, "day": 1},
        });
        assert_eq!(
            parts("createdate", after),
            named("created_at", Operator::Lte, "2026-10-31T23:00:00.000Z")
        );
    }

    #[test]
    fn refusal_names_the_part() {
        let place = "filterBranch.filterBranches[0].filters[0]";
        for (property, given, part) in [
            ("nickname", json!({}), "property"),
            ("hs_marketable_reason_id", json!({}), "property"),
            ("firstname", json!({"operationType": "ROLLING_DATE_RANGE"}), "operation.operationType"),
            (
                "firstname",
                json!({"operationType": "STRING", "operator": "STARTS_WITH", "value": "a"}),
                "operation.operator",
            ),
            ("firstname", json!({"operationType": "STRING", "operator": "IS_EQUAL_TO"}), "operation.value"),
            (
                "firstname",
                json!({"operationType": "MULTISTRING", "operator": "CONTAINS", "values": ["a", "b"]}),
                "operation.values",
            ),
            (
                "firstname",
                json!({"operationType": "STRING", "operator": "CONTAINS", "value": "a b"}),
                "operation.value",
            ),
            (
                "firstname",
                json!({"operationType": "NUMBER", "operator": "IS_LESS_THAN", "value": "1e9"}),
                "operation.value",
            ),
            (
                "firstname",
                json!({"operationType": "TIME_POINT", "operator": "IS_AFTER"}),
                "operation.operationType",
            ),
            (
                "createdate",
                json!({"operationType": "TIME_POINT", "operator": "IS_AFTER", "timePoint": {"timeType": "INDEXED"}}),
                "operation.timePoint.timeType",
            ),
            (
                "hs_marketable_status",
                json!({"operationType": "BOOL", "operator": "IS_EQUAL_TO", "value": "maybe"}),
                "operation",
            ),
        ] {
            let message = message(property, &given);
            assert!(message.starts_with(&format!("{place}.{part}: ")), "{message}");
        }
    }

    #[test]
    fn branch_of_another_form_is_refused() {
        let one = filter("phone", &presence(true));
        let or =
            |branches: Value| json!({"filterBranchType": "OR", "filterBranches": branches, "filters": []});
        for (branch, part) in [
            (json!(null), "filterBranch.filterBranchType"),
            (or(json!([])), "filterBranch.filterBranches"),
            (or(json!([and([])])), "filterBranch.filterBranches[0].filters"),
            (or(json!([or(json!([]))])), "filterBranch.filterBranches[0].filterBranchType"),
            (
                or(
                    json!([{"filterBranchType": "AND", "filterBranches": [and([one.clone()])], "filters": [one]}]),
                ),
                "filterBranch.filterBranches[0].filterBranches",
            ),
            (
                or(json!([and([json!({"filterType": "IN_LIST"})])])),
                "filterBranch.filterBranches[0].filters[0].filterType",
            ),
        ] {
            let message = read(&branch, &Definitions::default()).map(|_| ()).unwrap_err().message;
            assert!(message.starts_with(&format!("{part}: ")), "{message}");
        }
    }

    #[test]
    fn condition_without_an_operation_keeps_its_operator() {
        let word = Condition::new("firstname", "CONTAINS_TOKEN", Some("ada"), None, None).unwrap();
        let shown = view(&word, &Definitions::default());
        assert_eq!(shown["operation"]["operator"], "CONTAINS_TOKEN");
        assert_eq!(shown["operation"]["value"], "ada");
    }
}
