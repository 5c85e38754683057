//! Parsers that the requests of several routes share.

use api::fields::{FieldPath, Parse as _, Reported};
use api::parse::{Parser, boolean, or_null, string};
use api::path::PathText;
use api::{Problem, describe, parse};
use axum::extract::FromRequestParts;
use domain::address::EmailAddress;
use domain::limits::{PROPERTIES_MAX, PROPERTY_VALUE_BYTES_MAX};
use domain::property::PropertyName;
use http::request::Parts;
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};

/// Properties to set, or to remove if the value is `None`.
pub(crate) type PropertyChanges = Vec<(PropertyName, Option<String>)>;

/// Parses properties by name. A text sets a property. `null` and an empty text remove it, and have no effect on a
/// property that is not stored.
pub(crate) fn properties() -> impl Parser<Output = PropertyChanges> {
    parse::new(read_properties, |components| {
        let mut reference = |name, schema| {
            components.push((String::from(name), schema));
            Ref::from_schema_name(name)
        };
        let value = reference("PropertyValue", property_value());
        describe::map(property_name(), value.into(), None).into()
    })
}

fn read_properties(value: Value, path: &mut FieldPath<'_>) -> Result<PropertyChanges, Reported> {
    let values = parse::members(value, path)?;
    if values.values().filter(|value| !value.is_null() && *value != "").count() > PROPERTIES_MAX {
        return path.reject(format!("expected at most {PROPERTIES_MAX} properties"));
    }
    // Every property is parsed before the first error is returned, so that every error is listed.
    let read: Vec<_> =
        values.into_iter().map(|(name, value)| property(&name, value, &mut path.field(&name))).collect();
    read.into_iter().collect()
}

fn property(
    name: &str,
    value: Value,
    path: &mut FieldPath<'_>,
) -> Result<(PropertyName, Option<String>), Reported> {
    let name = PropertyName::parse(name).or_else(|error| path.reject(error.to_string()))?;
    let Some(value) = or_null(string()).parse(value, path)? else { return Ok((name, None)) };
    match name.check_value(&value) {
        Ok(()) => Ok((name, Some(value).filter(|value| !value.is_empty()))),
        Err(error) => path.reject(error.to_string()),
    }
}

/// Returns the schema of a property's name, as the key of an object.
fn property_name() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(PropertyName::pattern())).into()
}

/// Returns the schema of a property's value in a request.
fn property_value() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some("The value of a property. `null` or an empty text removes the property."))
        .max_length(Some(PROPERTY_VALUE_BYTES_MAX))
        // Tab, line feed and carriage return are the control characters that a value may have.
        .pattern(Some(r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"))
        .into()
}

/// Parses the flag of an unsubscribed address.
pub(crate) fn unsubscribed() -> impl Parser<Output = bool> {
    boolean().about("True if the contact has unsubscribed from marketing.")
}

/// Parses the flag of an address that has bounced.
pub(crate) fn bounced() -> impl Parser<Output = bool> {
    boolean().about("True if email to the address has bounced.")
}

/// The email address in a path, percent-decoded.
pub(crate) struct PathEmail(pub(crate) EmailAddress);

impl<S: Send + Sync> FromRequestParts<S> for PathEmail {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let PathText(text) = PathText::from_request_parts(parts, state).await?;
        let email = EmailAddress::parse(&text);
        email.map(Self).map_err(|error| Problem::invalid_field("email", error.to_string()))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use api::fields::{Fields, FromFields};
    use serde_json::json;

    use super::*;

    /// Returns the body, or the fields with errors.
    pub(crate) fn read<T: FromFields>(body: &Value) -> Result<T, Vec<String>> {
        api::reading::read(body).map_err(|errors| errors.into_iter().map(|(field, _)| field).collect())
    }

    struct Body(PropertyChanges);

    impl FromFields for Body {
        fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
            fields.required("properties", properties()).map(Self)
        }
    }

    fn read_body(properties: &Value) -> Result<Vec<(String, Option<String>)>, Vec<String>> {
        let Body(read) = read(&json!({"properties": properties}))?;
        Ok(read.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
    }

    #[test]
    fn properties_are_set_and_removed() {
        assert_eq!(
            read_body(&json!({"firstname": "Ada", "title": null, "empty": ""})),
            Ok(vec![
                ("empty".into(), None),
                ("firstname".into(), Some("Ada".into())),
                ("title".into(), None),
            ])
        );
        assert_eq!(read_body(&json!({})), Ok(vec![]));
    }

    #[test]
    fn every_bad_property_is_named() {
        let long = "x".repeat(PROPERTY_VALUE_BYTES_MAX + 1);
        assert_eq!(
            read_body(&json!({
                "Name": "a", "age": 36, "bell": "\u{7}", "email": "a@b", "hs_x": null, "long": long, "ok": "a", "yes": true,
            })),
            Err(["Name", "age", "bell", "email", "hs_x", "long", "yes"]
                .map(|name| format!("properties.{name}"))
                .to_vec())
        );
        for body in [json!([]), json!("a"), json!(null)] {
            assert_eq!(read_body(&body), Err(vec!["properties".to_owned()]));
        }
    }

    #[test]
    fn number_of_set_properties_is_bounded() {
        let many = |count: usize, value: &Value| {
            Value::Object((0..count).map(|number| (format!("p{number}"), value.clone())).collect())
        };
        assert_eq!(read_body(&many(200, &json!("a"))).unwrap().len(), 200);
        assert_eq!(read_body(&many(201, &json!("a"))), Err(vec!["properties".to_owned()]));
        assert_eq!(read_body(&many(300, &json!(null))).unwrap().len(), 300);
    }
}
