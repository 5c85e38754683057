//! The definition of a property in a request.

use domain::property::PropertyName;
use domain::property_definition::{Choice, FieldType, PropertyDefinition, ValueType};
use serde_json::{Map, Value};

use super::check_group;
use crate::definitions::standard::GROUPS;
use crate::envelope::Failure;
use crate::session::Session;

/// The members of a definition that a request has. Unknown members are ignored, because clients send back what they have
/// read.
pub(crate) struct PropertyFields {
    name: Option<String>,
    label: Option<String>,
    value_type: Option<ValueType>,
    field_type: Option<FieldType>,
    group: Option<String>,
    description: Option<String>,
    options: Option<Vec<Choice>>,
    display_order: Option<i64>,
    is_hidden: Option<bool>,
    is_form_field: Option<bool>,
}

/// The members that a new property needs, in `HubSpot`'s words.
const REQUIRED: [&str; 5] = ["name", "label", "type", "fieldType", "groupName"];

impl PropertyFields {
    /// Reads the members of a request.
    ///
    /// # Errors
    ///
    /// A refusal that names the member with another type, or with a meaning that is not supported.
    pub(crate) fn read(input: &Value) -> Result<Self, Failure> {
        let empty = Map::new();
        let members = Members(input.as_object().unwrap_or(&empty));
        if members.flag("hasUniqueValue")? == Some(true) {
            return Err(wrong("hasUniqueValue", "expected false, because only email identifies contacts"));
        }
        if members.text("calculationFormula")?.is_some_and(|formula| !formula.is_empty()) {
            return Err(wrong("calculationFormula", "expected none, because values are not calculated"));
        }
        Ok(Self {
            name: members.text("name")?,
            label: members.text("label")?,
            value_type: members.variant("type")?,
            field_type: members.variant("fieldType")?,
            group: members.text("groupName")?,
            description: members.text("description")?,
            options: members.options()?,
            display_order: members.number("displayOrder")?,
            is_hidden: members.flag("hidden")?,
            is_form_field: members.flag("formField")?,
        })
    }

    /// Returns the definition of a new property.
    ///
    /// # Errors
    ///
    /// A refusal that names the missing or invalid member.
    pub(crate) fn new_definition(&self, groups: &[String]) -> Result<PropertyDefinition, Failure> {
        let given =
            [self.name.is_some(), self.label.is_some(), self.value_type.is_some(), self.field_type.is_some()];
        let given = given.into_iter().chain([self.group.is_some()]);
        let missing: Vec<&str> =
            REQUIRED.into_iter().zip(given).filter(|(_, given)| !given).map(|(name, _)| name).collect();
        let (Some(name), true) = (&self.name, missing.is_empty()) else {
            let missing = missing.join(", ");
            return Err(Failure::invalid(format!("Some required fields were not set: [{missing}]")));
        };
        let name = PropertyName::parse(name).map_err(|error| wrong("name", &error.to_string()))?;
        let mut definition = PropertyDefinition::of_used(name);
        definition.is_form_field = false;
        self.change(&mut definition, groups)?;
        Ok(definition)
    }

    /// Changes the members of a definition that the request has. The name stays.
    ///
    /// # Errors
    ///
    /// A refusal that names the invalid member.
    pub(crate) fn change(
        &self,
        definition: &mut PropertyDefinition,
        groups: &[String],
    ) -> Result<(), Failure> {
        if let Some(group) = &self.group {
            check_group(group, groups)?;
        }
        if self.label.as_deref().is_some_and(|label| label.trim().is_empty()) {
            return Err(wrong("label", "expected a text that is not empty"));
        }
        let set = |from: &Option<String>, to: &mut String| {
            if let Some(text) = from {
                text.clone_into(to);
            }
        };
        set(&self.label, &mut definition.label);
        set(&self.group, &mut definition.group);
        set(&self.description, &mut definition.description);
        definition.value_type = self.value_type.unwrap_or(definition.value_type);
        definition.field_type = self.field_type.unwrap_or(definition.field_type);
        definition.display_order = self.display_order.unwrap_or(definition.display_order);
        definition.is_hidden = self.is_hidden.unwrap_or(definition.is_hidden);
        definition.is_form_field = self.is_form_field.unwrap_or(definition.is_form_field);
        if let Some(options) = &self.options {
            definition.options.clone_from(options);
        }
        if definition.value_type != ValueType::Enumeration {
            // Clients send the two options of a flag, and those of an enumeration that becomes a text.
            definition.options.clear();
        }
        definition.check().map_err(|(field, expected)| wrong(field, &expected))
    }
}

/// Returns the names of the account's own groups, if one of the requests names a group that is not standard.
pub(crate) async fn group_names(
    session: &Session,
    requests: &[&PropertyFields],
) -> Result<Vec<String>, Failure> {
    let mut named = requests.iter().filter_map(|request| request.group.as_deref());
    if named.all(|group| is_known_group(group, &[])) {
        return Ok(Vec::new());
    }
    let groups = session.context.store.property_groups(session.account()).await?;
    Ok(groups.into_iter().map(|group| group.name).collect())
}

/// Returns true for a group that every account has, or one of its own.
pub(crate) fn is_known_group(group: &str, own: &[String]) -> bool {
    GROUPS.iter().any(|(standard, _)| *standard == group) || own.iter().any(|name| name == group)
}

/// Returns the refusal of a member.
pub(crate) fn wrong(member: &str, expected: &str) -> Failure {
    Failure::invalid(format!("{member}: {expected}"))
}

/// The members of an object in a request.
pub(crate) struct Members<'v>(pub(crate) &'v Map<String, Value>);

impl Members<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        let text =
            |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| wrong(name, "expected a text"));
        self.get(name).map(text).transpose()
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        let flag = |value: &Value| value.as_bool().ok_or_else(|| wrong(name, "expected true or false"));
        self.get(name).map(flag).transpose()
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Failure> {
        let number = |value: &Value| value.as_i64().ok_or_else(|| wrong(name, "expected a whole number"));
        self.get(name).map(number).transpose()
    }

    fn variant<T>(&self, name: &str) -> Result<Option<T>, Failure>
    where
        T: std::str::FromStr<Err = domain::string_enum::UnknownVariant>,
    {
        let parse = |text: String| text.parse().map_err(|error: T::Err| wrong(name, &error.to_string()));
        self.text(name)?.map(parse).transpose()
    }

    fn options(&self) -> Result<Option<Vec<Choice>>, Failure> {
        let Some(value) = self.get("options") else { return Ok(None) };
        let options = value.as_array().ok_or_else(|| wrong("options", "expected an array"))?;
        let option = |(place, option): (i64, &Value)| {
            let members = option.as_object().ok_or_else(|| wrong("options", "expected objects"))?;
            let members = Members(members);
            let label = members.text("label")?;
            let value = members.text("value")?.or_else(|| label.clone());
            let value = value.ok_or_else(|| wrong("options", "expected a value in each"))?;
            Ok(Choice {
                label: label.unwrap_or_else(|| value.clone()),
                value,
                description: members.text("description")?.unwrap_or_default(),
                display_order: members.number("displayOrder")?.unwrap_or(place),
                is_hidden: members.flag("hidden")?.unwrap_or_default(),
            })
        };
        (0..).zip(options).map(option).collect::<Result<_, _>>().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition(input: &Value) -> Result<PropertyDefinition, String> {
        let fields = PropertyFields::read(input).map_err(|failure| failure.message)?;
        fields.new_definition(&["own".to_owned()]).map_err(|failure| failure.message)
    }

    fn with(changes: &Value) -> Value {
        let mut input = json!({"name": "tier", "label": "Tier", "type": "enumeration", "fieldType": "select",
            "groupName": "own", "options": [{"label": "Gold", "value": "gold", "displayOrder": 1},
            {"label": "Silver"}]});
        let members = input.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        input
    }

    #[test]
    fn new_property_has_the_members_of_the_request() {
        let tier = definition(&with(&json!({"hidden": true, "displayOrder": 3, "unknown": 7}))).unwrap();
        assert_eq!((tier.label.as_str(), tier.group.as_str()), ("Tier", "own"));
        assert_eq!((tier.display_order, tier.is_hidden, tier.is_form_field), (3, true, false));
        let options: Vec<(&str, i64)> =
            tier.options.iter().map(|option| (option.value.as_str(), option.display_order)).collect();
        assert_eq!(options, [("gold", 1), ("Silver", 1)]);
    }

    #[test]
    fn invalid_member_is_named() {
        for (changes, expected) in [
            (json!({"name": null, "label": null}), "Some required fields were not set: [name, label]"),
            (json!({"groupName": null}), "Some required fields were not set: [groupName]"),
            (json!({"name": "Tier"}), "name: expected a name of a to z"),
            (json!({"name": "hs_tier"}), "name: expected a name without the prefix hs_"),
            (json!({"name": "id"}), "name: this name is reserved"),
            (json!({"label": " "}), "label: expected a text that is not empty"),
            (json!({"label": 7}), "label: expected a text"),
            (json!({"type": "text"}), "type: expected one of bool, date"),
            (
                json!({"fieldType": "date"}),
                "fieldType: expected one of booleancheckbox, checkbox, radio, select",
            ),
            (json!({"groupName": "other"}), "groupName: the group of properties \"other\" does not exist"),
            (json!({"options": [{}]}), "options: expected a value in each"),
            (json!({"options": "a"}), "options: expected an array"),
            (json!({"hidden": "no"}), "hidden: expected true or false"),
            (json!({"displayOrder": "1"}), "displayOrder: expected a whole number"),
            (json!({"hasUniqueValue": true}), "hasUniqueValue: expected false"),
            (json!({"calculationFormula": "1+1"}), "calculationFormula: expected none"),
        ] {
            let error = definition(&with(&changes)).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn options_of_a_flag_are_left_out() {
        let options = json!([{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]);
        let changes = json!({"type": "bool", "fieldType": "booleancheckbox", "options": options});
        assert!(definition(&with(&changes)).unwrap().options.is_empty());
    }
}
