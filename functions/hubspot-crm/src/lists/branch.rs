//! The filters of a list in a request: a branch `OR` of branches `AND` of filters of properties.
//!
//! Tidemark's own filters have the same form: groups of conditions. Every other part is refused by its name, because a
//! list without it would have other members.

use domain::filter::{Condition, Filter, FilterError};
use serde_json::Value;

use super::operation;
use crate::definitions::Definitions;
use crate::envelope::Failure;
use crate::field::Field;

/// The kind of a property's values, which determines the operations on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A stored text, which may be absent.
    Text,
    /// A flag that every contact has.
    Flag,
    /// A flag of which a contact shows nothing if it is off.
    Mark,
    /// An instant that every contact has.
    Instant,
    /// The contact's id.
    Id,
}

/// A property of a filter: its name in conditions, and its kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Compared {
    pub(super) name: String,
    pub(super) kind: Kind,
}

impl Compared {
    /// Returns the field of conditions that a property shows. `None` if conditions cannot compare it.
    pub(super) fn of(field: &Field) -> Option<Self> {
        let (name, kind) = match field {
            Field::Email => ("email", Kind::Text),
            Field::Created => ("created_at", Kind::Instant),
            Field::Modified => ("updated_at", Kind::Instant),
            Field::Id => ("hs_object_id", Kind::Id),
            Field::Unsubscribed => ("unsubscribed", Kind::Mark),
            Field::Bounced => ("bounced", Kind::Mark),
            Field::Status => ("hs_marketable_status", Kind::Flag),
            Field::UntilRenewal => ("hs_marketable_until_renewal", Kind::Flag),
            Field::ReasonType => ("hs_marketable_reason_type", Kind::Text),
            Field::Stored(name) => (name.as_str(), Kind::Text),
            // Conditions compare the id of the source, of which the property shows the name.
            Field::ReasonId => return None,
            _ => return None,
        };
        Some(Self { name: name.to_owned(), kind })
    }
}

/// Reads a branch.
///
/// # Errors
///
/// A refusal that names the part of the branch that is wrong or not supported.
pub(super) fn read(branch: &Value, definitions: &Definitions) -> Result<Filter, Failure> {
    let place = "filterBranch";
    let groups = match branch_type(branch, place)? {
        "OR" => alternatives(branch, place, definitions)?,
        "AND" => vec![group(branch, place, definitions)?],
        _ => return Err(refused(&format!("{place}.filterBranchType"), "expected OR at the root")),
    };
    if groups.is_empty() {
        return Err(refused(
            &format!("{place}.filterBranches"),
            "expected at least one AND branch with a filter",
        ));
    }
    Filter::new(groups).map_err(|errors| {
        let message = errors.first().map(|error| error.message.clone()).unwrap_or_default();
        refused(place, &message)
    })
}

/// Returns the groups of conditions of an `OR` branch.
fn alternatives(
    branch: &Value,
    place: &str,
    definitions: &Definitions,
) -> Result<Vec<Vec<Condition>>, Failure> {
    let mut groups = Vec::new();
    for (index, child) in array(branch, "filterBranches").enumerate() {
        let place = format!("{place}.filterBranches[{index}]");
        if branch_type(child, &place)? != "AND" {
            return Err(refused(&format!("{place}.filterBranchType"), "expected AND below OR"));
        }
        groups.push(group(child, &place, definitions)?);
    }
    for (index, filter) in array(branch, "filters").enumerate() {
        groups.push(conditions(filter, &format!("{place}.filters[{index}]"), definitions)?);
    }
    Ok(groups)
}

/// Returns the conditions of an `AND` branch.
fn group(branch: &Value, place: &str, definitions: &Definitions) -> Result<Vec<Condition>, Failure> {
    if array(branch, "filterBranches").next().is_some() {
        let message = "branches below AND are not supported";
        return Err(refused(&format!("{place}.filterBranches"), message));
    }
    let mut group = Vec::new();
    for (index, filter) in array(branch, "filters").enumerate() {
        group.extend(conditions(filter, &format!("{place}.filters[{index}]"), definitions)?);
    }
    if group.is_empty() {
        return Err(refused(&format!("{place}.filters"), "expected at least one filter"));
    }
    Ok(group)
}

fn branch_type<'b>(branch: &'b Value, place: &str) -> Result<&'b str, Failure> {
    let kind = branch.get("filterBranchType").and_then(Value::as_str);
    kind.ok_or_else(|| refused(&format!("{place}.filterBranchType"), "is required"))
}

fn array<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Returns the conditions that a filter means together.
fn conditions(filter: &Value, place: &str, definitions: &Definitions) -> Result<Vec<Condition>, Failure> {
    if filter.get("filterType").and_then(Value::as_str) != Some("PROPERTY") {
        return Err(refused(&format!("{place}.filterType"), "expected PROPERTY, which alone is supported"));
    }
    let name = filter.get("property").and_then(Value::as_str).unwrap_or_default();
    let place_of_name = format!("{place}.property");
    let field = definitions.get(name).and_then(|_| Field::named(name));
    let field =
        field.ok_or_else(|| refused(&place_of_name, &format!("Property \"{name}\" does not exist")))?;
    let compared =
        Compared::of(&field).ok_or_else(|| refused(&place_of_name, "lists cannot filter by it"))?;
    let place = format!("{place}.operation");
    let tests = operation::read(filter.get("operation").unwrap_or(&Value::Null), compared.kind, &place)?;
    let condition = |test: operation::Test| {
        let (value, values, high) =
            (test.value.as_deref(), test.values.as_deref(), test.high_value.as_deref());
        Condition::new(&compared.name, test.operator.as_str(), value, values, high)
    };
    let read: Result<Vec<_>, Vec<FilterError>> = tests.into_iter().map(condition).collect();
    read.map_err(|errors| {
        let message = errors.first().map(|error| error.message.clone()).unwrap_or_default();
        refused(&place, &message)
    })
}

/// Returns the refusal of a part of a branch.
pub(super) fn refused(place: &str, message: &str) -> Failure {
    Failure::invalid(format!("{place}: {message}"))
}
