//! The order of a search's results.

use domain::filter::{Direction, FieldName, Sort};
use serde_json::Value;

use super::conditions::field_name;
use crate::envelope::Failure;

/// The order of results.
pub(super) struct Order(Sort);

impl Order {
    /// Reads the rules of a request, of which there may be one: an object, or the name of a property, with `-` before it
    /// for the descending order. By default the oldest contact is first.
    ///
    /// # Errors
    ///
    /// A refusal of several rules, or of an unknown property.
    pub(super) fn read(sorts: Option<&Value>) -> Result<Self, Failure> {
        let rules = match sorts {
            None | Some(Value::Null) => return Ok(Self(Sort::default())),
            Some(Value::Array(rules)) => rules.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        match rules {
            [] => Ok(Self(Sort::default())),
            [rule] => Self::read_rule(rule),
            _ => Err(Failure::invalid("sorts: only one sort rule is supported")),
        }
    }

    fn read_rule(rule: &Value) -> Result<Self, Failure> {
        let (name, direction) = match rule {
            Value::String(text) => match text.strip_prefix('-') {
                Some(name) => (name, Direction::Descending),
                None => (text.as_str(), Direction::Ascending),
            },
            _ => {
                let name = rule.get("propertyName").and_then(Value::as_str).unwrap_or_default();
                let direction = rule.get("direction").and_then(Value::as_str).unwrap_or("ASCENDING");
                let direction = direction
                    .parse()
                    .map_err(|_| Failure::invalid("sorts: expected the direction ASCENDING or DESCENDING"))?;
                (name, direction)
            }
        };
        let field = field_name(name);
        let field = field.ok_or_else(|| super::undefined(name))?;
        // The order of creation is the order of ids, by which contacts are stored.
        let field = if field == FieldName::CreatedAt { FieldName::HsObjectId } else { field };
        Ok(Self(Sort { field, direction }))
    }

    /// Returns the name of the stored property by which the results are sorted.
    pub(super) fn stored(&self) -> Option<&str> {
        match &self.0.field {
            FieldName::Property(name) => Some(name.as_str()),
            _ => None,
        }
    }

    /// Returns the order.
    pub(super) fn sort(&self) -> &Sort {
        &self.0
    }
}
