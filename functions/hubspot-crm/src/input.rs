//! The properties in a request, checked against their definitions and the caller's permission.

use domain::address::EmailAddress;
use domain::patch::Patch;
use domain::permission::Principal;
use domain::property::PropertyName;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::definitions::{Definitions, ValueError};
use crate::envelope::{Category, Detail, ErrorContext, Failure};
use crate::field::Field;

/// The changes that the properties of a request make.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    /// The address.
    pub(crate) email: Patch<EmailAddress>,
    /// The properties to set. Those without a value are removed.
    pub(crate) properties: Vec<(PropertyName, Option<String>)>,
    /// True to set the contact marketing, false to queue it to leave.
    pub(crate) status: Option<bool>,
    /// The names of all properties in the request.
    pub(crate) names: Vec<String>,
}

/// The errors of properties, by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PropertyErrors(Vec<(String, ValueError)>);

/// An error of one property, in the form in which programs read it from the message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PropertyErrorView<'e> {
    is_valid: bool,
    message: &'e str,
    error: &'static str,
    name: &'e str,
    localized_error_message: &'e str,
    portal_id: u32,
}

impl PropertyErrors {
    /// Returns the error of a contact that can't become marketing.
    pub(crate) fn not_marketing(message: impl Into<String>) -> Self {
        let error = ValueError { code: "MARKETING_CONTACTS_LIMIT", message: message.into() };
        Self(vec![("hs_marketable_status".to_owned(), error)])
    }

    /// Returns the refusal. Programs read the array in its message, drop the named properties and send the request again.
    /// `portal` is the account's portal number.
    pub(crate) fn refusal(&self, portal: u32) -> Failure {
        let view = |(name, error): &(String, ValueError)| {
            serde_json::to_value(PropertyErrorView {
                is_valid: false,
                message: &error.message,
                error: error.code,
                name,
                localized_error_message: &error.message,
                portal_id: portal,
            })
            .unwrap_or_default()
        };
        let array = Value::Array(self.0.iter().map(view).collect());
        let message = format!("Property values were not valid: {array}");
        let mut failure = Failure::new(Category::ValidationError, message);
        failure.errors = self.0.iter().map(Self::detail).collect();
        failure
    }

    fn detail((name, error): &(String, ValueError)) -> Detail {
        let context = ErrorContext::from([("propertyName", vec![name.clone()])]);
        Detail { message: error.message.clone(), code: Some(error.code), place: None, context }
    }
}

impl Changes {
    /// Reads the properties of a request.
    ///
    /// # Errors
    ///
    /// The error of each property that has one.
    pub(crate) fn read(
        properties: &Map<String, Value>,
        definitions: &Definitions,
        principal: &Principal,
    ) -> Result<Self, PropertyErrors> {
        let mut changes = Self::default();
        let mut errors = Vec::new();
        for (name, value) in properties {
            if let Err(error) = changes.add(name, value, definitions, principal) {
                errors.push((name.clone(), error));
            }
        }
        if errors.is_empty() { Ok(changes) } else { Err(PropertyErrors(errors)) }
    }

    fn add(
        &mut self,
        name: &str,
        value: &Value,
        definitions: &Definitions,
        principal: &Principal,
    ) -> Result<(), ValueError> {
        let definition = definitions.get(name).ok_or_else(|| undefined(name))?;
        let field = Field::named(name).ok_or_else(|| undefined(name))?;
        let needs_permission = field == Field::Status && !principal.modify_marketing_contacts;
        if definition.is_read_only || needs_permission {
            let message = format!("\"{name}\" is a read only property; its value cannot be set.");
            return Err(ValueError { code: "READ_ONLY_VALUE", message });
        }
        let value = definition.normalized(&text(name, value)?)?;
        let given = Some(value).filter(|value| !value.is_empty());
        match field {
            Field::Email => self.email = address(given.as_deref())?,
            Field::Status => self.status = given.map(|value| value == "true"),
            Field::Stored(name) => {
                if let Some(value) = &given {
                    name.check_value(value)
                        .map_err(|error| ValueError { code: "INVALID_STRING", message: error.to_string() })?;
                }
                self.properties.push((name, given));
            }
            _ => return Err(undefined(name)),
        }
        self.names.push(name.to_owned());
        Ok(())
    }

    /// Returns the address that a new contact has.
    pub(crate) fn new_email(&self) -> Option<&EmailAddress> {
        match &self.email {
            Patch::Set(email) => Some(email),
            Patch::Keep | Patch::Remove => None,
        }
    }
}

/// Returns the value as a text. Clients send numbers and booleans, too.
fn text(name: &str, value: &Value) -> Result<String, ValueError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null => Ok(String::new()),
        Value::Array(_) | Value::Object(_) => Err(ValueError {
            code: "INVALID_STRING",
            message: format!("{name} must be a text, a number or a boolean"),
        }),
    }
}

fn address(value: Option<&str>) -> Result<Patch<EmailAddress>, ValueError> {
    let Some(value) = value else { return Ok(Patch::Remove) };
    let email = EmailAddress::parse(value);
    email.map(Patch::Set).map_err(|_| ValueError {
        code: "INVALID_EMAIL",
        message: format!("Email address {value} is invalid"),
    })
}

fn undefined(name: &str) -> ValueError {
    ValueError { code: "PROPERTY_DOESNT_EXIST", message: format!("Property \"{name}\" does not exist") }
}

/// Returns an id in a JSON object. Some clients send ids as numbers.
pub(crate) fn text_or_number(input: &Value, name: &str) -> Option<String> {
    match input.get(name)? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Returns the properties of an object in a request.
///
/// # Errors
///
/// A refusal if `properties` is not an object.
pub(crate) fn properties_of(input: &Value) -> Result<Map<String, Value>, Failure> {
    match input.get("properties") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(properties)) => Ok(properties.clone()),
        Some(_) => Err(Failure::invalid("Invalid input JSON: properties must be an object")),
    }
}
