//! The fields of a form's definition.

use std::collections::BTreeSet;

use domain::limits::{CRM_FORM_DEPTH_MAX, FORM_FIELD_NAME_CHARS_MAX, SUBMISSION_FIELDS_MAX};
use serde_json::{Value, json};

use super::definition::add_missing;
use crate::envelope::Failure;
use crate::lists::CONTACTS;

/// Adds the members of groups and fields that clients require.
///
/// # Errors
///
/// A refusal of groups and fields that are not objects, or of a field without a name.
pub(super) fn complete(groups: &mut Value) -> Result<(), Failure> {
    let groups = groups.as_array_mut().ok_or_else(|| Failure::invalid("fieldGroups: expected an array"))?;
    for (index, group) in groups.iter_mut().enumerate() {
        let place = format!("fieldGroups[{index}]");
        if !group.is_object() {
            return Err(Failure::invalid(format!("{place}: expected an object")));
        }
        add_missing(group, &json!({"groupType": "default_group", "richTextType": "text", "fields": []}));
        complete_fields(group, &place)?;
    }
    Ok(())
}

fn complete_fields(group: &mut Value, place: &str) -> Result<(), Failure> {
    let fields = group.get_mut("fields").and_then(Value::as_array_mut);
    let fields = fields.ok_or_else(|| Failure::invalid(format!("{place}.fields: expected an array")))?;
    for (index, field) in fields.iter_mut().enumerate() {
        complete_field(field, &format!("{place}.fields[{index}]"), 0)?;
    }
    Ok(())
}

fn complete_field(field: &mut Value, place: &str, depth: usize) -> Result<(), Failure> {
    let name = field.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !(1..=FORM_FIELD_NAME_CHARS_MAX).contains(&name.chars().count()) {
        let message = format!("{place}.name: expected a name of 1 to {FORM_FIELD_NAME_CHARS_MAX} characters");
        return Err(Failure::invalid(message));
    }
    if depth > CRM_FORM_DEPTH_MAX {
        return Err(Failure::invalid(format!("{place}.dependentFields: expected fewer levels")));
    }
    let kind = field.get("fieldType").and_then(Value::as_str).unwrap_or(usual_type(&name)).to_owned();
    add_missing(field, &usual_members(&name, &kind));
    let dependent = field.get_mut("dependentFields").and_then(Value::as_array_mut);
    let dependent =
        dependent.ok_or_else(|| Failure::invalid(format!("{place}.dependentFields: expected an array")))?;
    for (index, one) in dependent.iter_mut().enumerate() {
        let place = format!("{place}.dependentFields[{index}].dependentField");
        let missing = || Failure::invalid(format!("{place}: is required"));
        complete_field(one.get_mut("dependentField").ok_or_else(missing)?, &place, depth + 1)?;
    }
    Ok(())
}

fn usual_type(name: &str) -> &'static str {
    match name {
        "email" => "email",
        "phone" => "phone",
        "mobilephone" => "mobile_phone",
        _ => "single_line_text",
    }
}

/// Returns the members that clients require of a field of this type.
fn usual_members(name: &str, kind: &str) -> Value {
    let mut members = json!({
        "objectTypeId": CONTACTS,
        "name": name,
        "label": name,
        "required": name == "email",
        "hidden": false,
        "dependentFields": [],
        "fieldType": kind,
    });
    let more = match kind {
        "email" => json!({"validation": {"blockedEmailDomains": [], "useDefaultBlockList": false}}),
        "phone" => json!({
            "useCountryCodeSelect": false, "validation": {"minAllowedDigits": 7, "maxAllowedDigits": 20},
        }),
        "mobile_phone" => json!({"validation": {"minAllowedDigits": 7, "maxAllowedDigits": 20}}),
        "dropdown" | "radio" | "multiple_checkboxes" | "payment_link_radio" => {
            json!({"options": [], "defaultValues": []})
        }
        "file" => json!({"allowMultipleFiles": false}),
        _ => json!({}),
    };
    add_missing(&mut members, &more);
    members
}

/// Returns the names of all fields.
///
/// # Errors
///
/// A refusal of more fields than a submission may have.
pub(super) fn names(groups: &Value) -> Result<BTreeSet<String>, Failure> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Value> = each(groups).flat_map(|group| each_of(group, "fields")).collect();
    while let Some(field) = open.pop() {
        found.extend(field.get("name").and_then(Value::as_str).map(str::to_owned));
        open.extend(each_of(field, "dependentFields").filter_map(|one| one.get("dependentField")));
    }
    if found.len() > SUBMISSION_FIELDS_MAX {
        return Err(Failure::invalid(format!(
            "fieldGroups: expected at most {SUBMISSION_FIELDS_MAX} fields"
        )));
    }
    Ok(found)
}

fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn each_of<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Returns the groups of a form that has no definition: the address, and the fields that it accepts.
pub(super) fn usual(accepted: Option<&BTreeSet<String>>) -> Value {
    let others = accepted.into_iter().flatten().map(String::as_str).filter(|name| *name != "email");
    let fields: Vec<Value> =
        std::iter::once("email").chain(others).map(|name| usual_members(name, usual_type(name))).collect();
    let group =
        |field: Value| json!({"groupType": "default_group", "richTextType": "text", "fields": [field]});
    fields.into_iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_members_of_a_field_are_kept() {
        let dependent = json!({"dependentCondition": {"operator": "eq"}, "dependentField": {"name": "why"}});
        let mut groups = json!([{"fields": [
            {"name": "email", "label": "Your address", "required": true, "validation": {"useDefaultBlockList": true}},
            {"name": "size", "fieldType": "dropdown", "options": [{"label": "S", "value": "s", "displayOrder": 0}],
             "dependentFields": [dependent]},
        ]}]);
        complete(&mut groups).unwrap();
        let fields = &groups[0]["fields"];
        assert_eq!(fields[0]["label"], "Your address");
        assert_eq!(fields[0]["validation"], json!({"blockedEmailDomains": [], "useDefaultBlockList": true}));
        assert_eq!(
            (&fields[1]["defaultValues"], &fields[1]["options"][0]["value"]),
            (&json!([]), &json!("s"))
        );
        assert_eq!(fields[1]["dependentFields"][0]["dependentField"]["fieldType"], "single_line_text");
        assert_eq!(names(&groups).unwrap(), ["email", "size", "why"].map(str::to_owned).into());
    }

    #[test]
    fn refusal_names_the_field() {
        let mut deep = json!({"name": "a"});
        for _ in 0..=CRM_FORM_DEPTH_MAX {
            deep = json!({"name": "a", "dependentFields": [{"dependentField": deep}]});
        }
        for (mut groups, part) in [
            (json!({}), "fieldGroups: "),
            (json!([7]), "fieldGroups[0]: "),
            (json!([{"fields": 7}]), "fieldGroups[0].fields: "),
            (json!([{"fields": [{}]}]), "fieldGroups[0].fields[0].name: "),
            (json!([{"fields": [7]}]), "fieldGroups[0].fields[0].name: "),
            (
                json!([{"fields": [{"name": "a", "dependentFields": [{}]}]}]),
                "fieldGroups[0].fields[0].dependentFields[0].dependentField: ",
            ),
            (json!([{"fields": [deep]}]), "expected fewer levels"),
        ] {
            let message = complete(&mut groups).unwrap_err().message;
            assert!(message.contains(part), "{message}");
        }
    }
}
