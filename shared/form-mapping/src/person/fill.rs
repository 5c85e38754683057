//! The properties that answers fill.
//!
//! - A field that the form maps fills its target. If several fields have one target, their values are joined with
//!   `;`, like those of checkboxes.
//! - Any other field fills the property that its name usually means (`First Name` is `firstname`). Otherwise it fills
//!   the property with the name nearest to its own, or a name built from a digest if there is none.
//! - Two fields never fill one property, unless the form maps them to it. The field with the property's own name has
//!   priority, then the more usual name. The other field fills the property nearest to its own name, with a number if
//!   that is also filled. It is left out if its values are the same.
//! - A field is left out if the form's map already fills the property of its own name.

use std::collections::{BTreeMap, BTreeSet};

use domain::property::{PropertyName, field_key, made_name, tidy_name};
use domain::usual_names::{self, UsualProperty};
use store::FieldTarget;

use super::Placed;
use crate::answers::FieldAnswer;

/// The separator between the values of one property.
const SEPARATOR: &str = ";";

/// A field that the form does not map, with the values of all answers in it.
struct Field {
    /// The keys by which the field's names compare.
    keys: Vec<String>,
    /// The property that the field's name usually means.
    usual: Option<UsualProperty>,
    /// The property with the name nearest to the field's own.
    nearest: PropertyName,
    values: Vec<String>,
}

/// The values of each property.
type Filled = BTreeMap<PropertyName, Vec<String>>;

/// Returns the properties that these answers fill, each with its value.
pub(super) fn properties(placed: &[&Placed<'_>]) -> Vec<(PropertyName, Option<String>)> {
    let mut filled = mapped(placed);
    let by_map: BTreeSet<PropertyName> = filled.keys().cloned().collect();
    let others = by_usual_name(unmapped(placed), &by_map, &mut filled);
    by_nearest_name(others, &by_map, &mut filled);
    filled.into_iter().map(|(name, values)| (name, Some(values.join(SEPARATOR)))).collect()
}

fn mapped(placed: &[&Placed<'_>]) -> Filled {
    let mut filled = Filled::new();
    for placed in placed {
        if let Some(FieldTarget::Property(property)) = placed.target {
            filled.entry(property.clone()).or_default().extend(placed.values());
        }
    }
    filled
}

/// Returns the fields that the form does not map, in the order of their names. So two fields that would fill one
/// property have the same result in whatever order they arrive.
fn unmapped(placed: &[&Placed<'_>]) -> Vec<Field> {
    let mut fields: BTreeMap<Vec<String>, Field> = BTreeMap::new();
    for placed in placed.iter().filter(|placed| placed.target.is_none()) {
        let keys: Vec<String> = placed.answer.own_names().map(field_key).collect();
        if let Some(field) = fields.get_mut(&keys) {
            field.values.extend(placed.values());
        } else if let Some(nearest) = nearest(placed.answer) {
            let usual = placed.answer.own_names().find_map(usual_names::property);
            let field = Field { keys: keys.clone(), usual, nearest, values: placed.values().collect() };
            fields.insert(keys, field);
        }
    }
    fields.into_values().collect()
}

/// Returns the property with the name nearest to one of an answer's names, or one built from a digest. Returns `None`
/// for names without any letter or digit.
fn nearest(answer: &FieldAnswer) -> Option<PropertyName> {
    let mut names = answer.names.iter();
    names.find_map(|name| tidy_name(name)).or_else(|| answer.names.iter().find_map(|name| made_name(name)))
}

/// Fills the properties that names usually mean, and returns the fields that filled none.
fn by_usual_name(fields: Vec<Field>, by_map: &BTreeSet<PropertyName>, filled: &mut Filled) -> Vec<Field> {
    let (mut usual, mut others) = (Vec::new(), Vec::new());
    for field in fields {
        match field.usual.clone() {
            Some(wanted) => usual.push((wanted, field)),
            None => others.push(field),
        }
    }
    usual.sort_by_key(|(wanted, field)| (!field.is_called(&wanted.property), wanted.place));
    for (wanted, field) in usual {
        let property = wanted.property;
        match filled.get(&property) {
            None => {
                filled.insert(property, field.values);
            }
            Some(values) if *values == field.values => {}
            Some(_) if by_map.contains(&property) && field.is_called(&property) => {}
            Some(_) => others.push(field),
        }
    }
    others
}

fn by_nearest_name(mut fields: Vec<Field>, by_map: &BTreeSet<PropertyName>, filled: &mut Filled) {
    fields.sort_by(|one, other| {
        let order = |field: &Field| (!field.is_called(&field.nearest), field.keys.clone());
        order(one).cmp(&order(other))
    });
    for field in fields.into_iter().filter(|field| !by_map.contains(&field.nearest)) {
        let mut property = field.nearest.clone();
        let mut number = 2;
        while filled.contains_key(&property) {
            property = field.nearest.numbered(number);
            number += 1;
        }
        filled.insert(property, field.values);
    }
}

impl Field {
    /// Returns true if one of the field's names is the property's name.
    fn is_called(&self, property: &PropertyName) -> bool {
        self.keys.iter().any(|key| key == property.as_str())
    }
}
