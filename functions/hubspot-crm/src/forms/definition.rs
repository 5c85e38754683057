//! The definition of a form: its name, its fields, and the appearance that site tools read back.
//!
//! The names of the fields and the address of the redirect are settings of the form. The rest is stored as it is given and
//! has no effect on submissions. Members that clients require are filled in.

use std::collections::BTreeSet;

use domain::limits::{CRM_FORM_APPEARANCE_BYTES_MAX, NAME_CHARS_MAX};
use form_mapping::web_address::redirect_url;
use serde_json::{Map, Value, json};
use store::Form;

use super::fields;
use crate::envelope::Failure;

/// The members of a definition that are stored as the form's appearance.
const APPEARANCE: [&str; 4] = ["fieldGroups", "configuration", "displayOptions", "legalConsentOptions"];

/// A definition in a request.
#[derive(Debug)]
pub(super) struct Given {
    /// The name. `None` if it does not change.
    pub(super) name: Option<String>,
    /// The names of the fields that the form accepts. `None` accepts all.
    pub(super) fields: Option<BTreeSet<String>>,
    pub(super) redirect_url: Option<String>,
    pub(super) appearance: String,
}

impl Given {
    /// Reads a definition. Members that are missing are those of `form`, if it is given, and otherwise have their defaults.
    ///
    /// # Errors
    ///
    /// A refusal that names the member that is wrong.
    pub(super) fn read(input: &Value, form: Option<&Form>) -> Result<Self, Failure> {
        if input.get("formType").is_some_and(|kind| kind != "hubspot") {
            return Err(Failure::invalid("formType: expected hubspot, because there is no other type"));
        }
        if input.get("archived") == Some(&Value::Bool(true)) {
            return Err(Failure::invalid("archived: a form is archived by DELETE"));
        }
        let mut parts = form.map(appearance_of).unwrap_or_default();
        for name in APPEARANCE {
            if let Some(part) = input.get(name).filter(|part| !part.is_null()) {
                parts.insert(name.to_owned(), part.clone());
            }
        }
        if let Some(groups) = parts.get_mut("fieldGroups") {
            fields::complete(groups)?;
        }
        let names = parts.get("fieldGroups").map(fields::names).transpose()?.unwrap_or_default();
        // A form whose definition does not change its fields keeps those that it accepts.
        let fields = match form {
            Some(form) if input.get("fieldGroups").is_none() => form.fields.clone(),
            _ => Some(names).filter(|names| !names.is_empty()),
        };
        let redirect_url = match form {
            Some(form) if input.pointer("/configuration/postSubmitAction").is_none() => {
                form.redirect_url.clone()
            }
            _ => redirect(parts.get("configuration").unwrap_or(&Value::Null))?,
        };
        complete_objects(&mut parts)?;
        let appearance = Value::Object(parts).to_string();
        if appearance.len() > CRM_FORM_APPEARANCE_BYTES_MAX {
            let message = format!(
                "fieldGroups: expected at most {CRM_FORM_APPEARANCE_BYTES_MAX} bytes in the definition"
            );
            return Err(Failure::invalid(message));
        }
        Ok(Self { name: name(input)?, fields, redirect_url, appearance })
    }
}

fn name(input: &Value) -> Result<Option<String>, Failure> {
    let Some(name) = input.get("name") else { return Ok(None) };
    let name = name.as_str().map(str::trim).unwrap_or_default();
    if (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.contains(char::is_control) {
        Ok(Some(name.to_owned()))
    } else {
        Err(Failure::invalid(format!("name: expected a name of 1 to {NAME_CHARS_MAX} characters")))
    }
}

/// Returns the address of the redirect after a submission.
fn redirect(configuration: &Value) -> Result<Option<String>, Failure> {
    let place = "configuration.postSubmitAction";
    let Some(action) = configuration.get("postSubmitAction").filter(|action| !action.is_null()) else {
        return Ok(None);
    };
    let value = action.get("value").and_then(Value::as_str).unwrap_or_default();
    match action.get("type").and_then(Value::as_str) {
        Some("thank_you") => Ok(None),
        Some("redirect_url") => {
            let url = redirect_url(value);
            url.map(Some).map_err(|message| Failure::invalid(format!("{place}.value: {message}")))
        }
        _ => Err(Failure::invalid(format!("{place}.type: expected thank_you or redirect_url"))),
    }
}

/// Returns the stored appearance of a form.
fn appearance_of(form: &Form) -> Map<String, Value> {
    // The text was written by this program. If a later one can't read it, the form has the usual appearance.
    let stored = form.appearance.as_deref().and_then(|text| serde_json::from_str(text).ok());
    stored.unwrap_or_default()
}

/// Adds the members of objects that clients require.
///
/// # Errors
///
/// A refusal of a member that is no object.
fn complete_objects(parts: &mut Map<String, Value>) -> Result<(), Failure> {
    for (name, usual) in [
        ("configuration", configuration()),
        ("displayOptions", display_options()),
        ("legalConsentOptions", legal()),
    ] {
        let part = parts.entry(name).or_insert_with(|| usual.clone());
        if !part.is_object() {
            return Err(Failure::invalid(format!("{name}: expected an object")));
        }
        add_missing(part, &usual);
    }
    Ok(())
}

/// Adds the members of an object that it lacks, also to the objects in it.
pub(super) fn add_missing(value: &mut Value, usual: &Value) {
    let (Some(members), Some(usual)) = (value.as_object_mut(), usual.as_object()) else { return };
    for (name, usual) in usual {
        match members.get_mut(name) {
            Some(member) if !member.is_null() => add_missing(member, usual),
            _ => {
                members.insert(name.clone(), usual.clone());
            }
        }
    }
}

fn configuration() -> Value {
    json!({
        "language": "en",
        "cloneable": true,
        "editable": true,
        "archivable": true,
        "recaptchaEnabled": false,
        "createNewContactForNewEmail": false,
        "prePopulateKnownValues": true,
        "allowLinkToResetKnownValues": false,
        "notifyContactOwner": false,
        "notifyRecipients": [],
        "lifecycleStages": [],
        "postSubmitAction": {"type": "thank_you", "value": ""},
    })
}

fn display_options() -> Value {
    json!({
        "renderRawHtml": false,
        "theme": "default_style",
        "submitButtonText": "Submit",
        "style": {
            "fontFamily": "arial, helvetica, sans-serif",
            "backgroundWidth": "100%",
            "labelTextColor": "#33475b",
            "labelTextSize": "11px",
            "helpTextColor": "#7C98B6",
            "helpTextSize": "11px",
            "legalConsentTextColor": "#33475b",
            "legalConsentTextSize": "14px",
            "submitColor": "#ff7a59",
            "submitAlignment": "left",
            "submitFontColor": "#ffffff",
            "submitSize": "12px",
        },
    })
}

fn legal() -> Value {
    json!({"type": "none"})
}

/// Returns the view of a form.
pub(super) fn view(form: &Form) -> Value {
    let mut parts = appearance_of(form);
    parts.entry("fieldGroups").or_insert_with(|| fields::usual(form.fields.as_ref()));
    // The stored parts are objects, because requests with others are refused.
    if complete_objects(&mut parts).is_err() {
        parts = Map::from_iter([("fieldGroups".to_owned(), fields::usual(form.fields.as_ref()))]);
        let _ = complete_objects(&mut parts);
    }
    if let Some(action) = parts.get_mut("configuration").and_then(|part| part.get_mut("postSubmitAction")) {
        show_redirect(action, form.redirect_url.as_deref());
    }
    parts.extend([
        ("id".to_owned(), json!(form.id.guid())),
        ("formType".to_owned(), json!("hubspot")),
        ("name".to_owned(), json!(form.name)),
        ("createdAt".to_owned(), json!(form.created_at.to_string())),
        ("updatedAt".to_owned(), json!(form.updated_at.to_string())),
        ("archived".to_owned(), json!(false)),
    ]);
    Value::Object(parts)
}

/// Shows the form's own setting of the redirect, which other programs may have changed.
fn show_redirect(action: &mut Value, redirect_url: Option<&str>) {
    let is_redirect = action.get("type").is_some_and(|kind| kind == "redirect_url");
    match redirect_url {
        Some(url) => *action = json!({"type": "redirect_url", "value": url}),
        None if is_redirect => *action = json!({"type": "thank_you", "value": ""}),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_members_have_their_defaults() {
        let given = Given::read(&json!({"name": "A", "configuration": {"language": "de"}}), None).unwrap();
        let parts: Value = serde_json::from_str(&given.appearance).unwrap();
        assert_eq!(parts["configuration"]["language"], "de");
        assert_eq!(parts["configuration"]["editable"], true);
        assert_eq!(parts["displayOptions"]["style"].as_object().unwrap().len(), 12);
        assert_eq!(parts["legalConsentOptions"], json!({"type": "none"}));
        assert!(given.fields.is_none() && given.redirect_url.is_none());
    }

    #[test]
    fn redirect_and_fields_become_settings() {
        let given = Given::read(
            &json!({
                "name": "A",
                "fieldGroups": [{"fields": [{"name": "email", "fieldType": "email"}, {"name": "city"}]}],
                "configuration": {"postSubmitAction": {"type": "redirect_url", "value": "https://example.org/thanks"}},
            }),
            None,
        )
        .unwrap();
        assert_eq!(given.fields.unwrap(), ["city".to_owned(), "email".to_owned()].into());
        assert_eq!(given.redirect_url.as_deref(), Some("https://example.org/thanks"));
    }

    #[test]
    fn refusal_names_the_member() {
        for (input, member) in [
            (json!({"formType": "flow"}), "formType"),
            (json!({"archived": true}), "archived"),
            (json!({"name": ""}), "name"),
            (json!({"name": 7}), "name"),
            (json!({"configuration": 7}), "configuration"),
            (json!({"legalConsentOptions": []}), "legalConsentOptions"),
            (
                json!({"configuration": {"postSubmitAction": {"type": "x"}}}),
                "configuration.postSubmitAction.type",
            ),
            (
                json!({"configuration": {"postSubmitAction": {"type": "redirect_url", "value": "javascript:1"}}}),
                "configuration.postSubmitAction.value",
            ),
        ] {
            let message = Given::read(&input, None).unwrap_err().message;
            assert!(message.starts_with(&format!("{member}: ")), "{message}");
        }
    }
}
