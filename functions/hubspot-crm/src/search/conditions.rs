//! The filters of a search.

use domain::filter::{Condition, FieldName, Filter};
use domain::limits::{CRM_QUERY_TERMS_MAX, CRM_SEARCH_GROUP_FILTERS_MAX, CRM_SEARCH_GROUPS_MAX};
use serde_json::Value;

use crate::envelope::Failure;
use crate::field::Field;

/// The properties in which `query` searches.
const QUERIED: [&str; 7] = ["firstname", "lastname", "email", "phone", "mobilephone", "fax", "company"];

/// Returns the field of a filter or an order. `None` if there is no such property.
pub(super) fn field_name(name: &str) -> Option<FieldName> {
    Some(match Field::named(name)? {
        Field::Email => FieldName::Email,
        Field::Created => FieldName::CreatedAt,
        Field::Modified => FieldName::UpdatedAt,
        Field::Id => FieldName::HsObjectId,
        Field::Unsubscribed => FieldName::Unsubscribed,
        Field::Status => FieldName::HsMarketableStatus,
        Field::UntilRenewal => FieldName::HsMarketableUntilRenewal,
        Field::ReasonType => FieldName::HsMarketableReasonType,
        Field::ReasonId => FieldName::HsMarketableReasonId,
        Field::Stored(name) => FieldName::Property(name),
        Field::Bounced => FieldName::Bounced,
        Field::AdditionalEmails | Field::EmailDomain | Field::LeavesAt => return None,
    })
}

/// Reads the groups of conditions. `filters` outside groups are one group.
///
/// # Errors
///
/// A refusal that names the first wrong filter.
pub(super) fn groups(body: &Value) -> Result<Vec<Vec<Condition>>, Failure> {
    let mut given: Vec<&Value> = list(body, "filterGroups")?.iter().collect();
    let own = list(body, "filters")?;
    if !own.is_empty() {
        given.push(body);
    }
    if given.len() > CRM_SEARCH_GROUPS_MAX {
        return Err(Failure::invalid(format!(
            "filterGroups: expected at most {CRM_SEARCH_GROUPS_MAX} groups"
        )));
    }
    let groups = given.into_iter().map(group).collect::<Result<Vec<_>, _>>()?;
    // A group without filters selects everything.
    if groups.iter().any(Vec::is_empty) { Ok(Vec::new()) } else { Ok(groups) }
}

fn list<'v>(value: &'v Value, name: &str) -> Result<&'v [Value], Failure> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(Failure::invalid(format!("{name}: expected an array"))),
    }
}

fn group(group: &Value) -> Result<Vec<Condition>, Failure> {
    let filters = list(group, "filters")?;
    if filters.len() > CRM_SEARCH_GROUP_FILTERS_MAX {
        let message = format!("filters: expected at most {CRM_SEARCH_GROUP_FILTERS_MAX} filters in a group");
        return Err(Failure::invalid(message));
    }
    filters.iter().map(condition).collect()
}

fn condition(filter: &Value) -> Result<Condition, Failure> {
    let text = |name: &str| filter.get(name).filter(|value| !value.is_null()).map(operand);
    let name = text("propertyName").unwrap_or_default();
    let operator = text("operator").unwrap_or_default();
    let field = field_name(&name).ok_or_else(|| super::undefined(&name))?;
    let values = list(filter, "values")?;
    let values: Option<Vec<String>> = (!values.is_empty()).then(|| values.iter().map(operand).collect());
    let (value, high) = (text("value"), text("highValue"));
    let condition = match field {
        FieldName::Bounced => bounced(&operator, value.as_deref(), values.as_deref()),
        _ => Condition::new(field.as_str(), &operator, value.as_deref(), values.as_deref(), high.as_deref()),
    };
    condition.map_err(|errors| {
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        Failure::invalid(format!("There was a problem with the request: {name}: {first}"))
    })
}

/// Returns the condition on the reason of a bounce. The reason is not known, only that there was one.
fn bounced(
    operator: &str,
    value: Option<&str>,
    values: Option<&[String]>,
) -> Result<Condition, Vec<domain::filter::FilterError>> {
    let is_set = match operator {
        "HAS_PROPERTY" => true,
        "NOT_HAS_PROPERTY" => false,
        _ => return Condition::new("bounced", operator, value, values, None),
    };
    Condition::new("bounced", "EQ", Some(if is_set { "true" } else { "false" }), None, None)
}

/// Returns an operand as a text. Clients send numbers and booleans, too.
fn operand(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns the names of the stored properties in these groups.
pub(super) fn stored(groups: &[Vec<Condition>]) -> impl Iterator<Item = &str> {
    groups.iter().flatten().filter_map(|condition| match condition.field() {
        FieldName::Property(name) => Some(name.as_str()),
        _ => None,
    })
}

/// Returns the filter of these groups and of the words in `query`, each of which must be in one of the searched properties.
///
/// # Errors
///
/// A refusal of too many words.
pub(super) fn filter(groups: Vec<Vec<Condition>>, body: &Value) -> Result<Filter, Failure> {
    let filter = Filter::new(groups).map_err(|errors| {
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        Failure::invalid(format!("There was a problem with the request: {first}"))
    })?;
    let query = body.get("query").and_then(Value::as_str).unwrap_or_default();
    let terms: Vec<&str> = query.split_whitespace().collect();
    if terms.len() > CRM_QUERY_TERMS_MAX {
        return Err(Failure::invalid(format!("query: expected at most {CRM_QUERY_TERMS_MAX} words")));
    }
    let any = |term: &&str| {
        let pattern = format!("{term}*");
        let conditions =
            QUERIED.iter().map(|name| Condition::new(name, "CONTAINS_TOKEN", Some(&pattern), None, None));
        let errors = |_| Failure::invalid("query: expected words of letters and digits");
        conditions.collect::<Result<Vec<_>, _>>().map_err(errors)
    };
    Ok(filter.and_any_of_each(terms.iter().map(any).collect::<Result<_, _>>()?))
}
