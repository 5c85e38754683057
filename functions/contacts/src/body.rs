//! What the bodies of several routes have in common.

use api::fields::Place;
use api::path::PathText;
use api::{Problem, parse};
use axum::extract::FromRequestParts;
use domain::address::EmailAddress;
use domain::limits::PROPERTIES_MAX;
use domain::property::PropertyName;
use http::request::Parts;
use serde_json::Value;

/// Properties to set, or to remove where there is no value.
pub(crate) type PropertyChanges = Vec<(PropertyName, Option<String>)>;

/// Properties by name: a text sets one, `null` removes it. Where there is nothing to remove, `null` does nothing.
pub(crate) fn properties(value: Value, place: &mut Place<'_>) -> Option<PropertyChanges> {
    let Value::Object(values) = value else { return place.refuse("expected an object") };
    if values.values().filter(|value| !value.is_null()).count() > PROPERTIES_MAX {
        return place.refuse(format!("expected at most {PROPERTIES_MAX} properties"));
    }
    // Every property is read, so that every problem is listed, before the first bad one decides.
    let read: Vec<_> =
        values.into_iter().map(|(name, value)| property(&name, value, &mut place.field(&name))).collect();
    read.into_iter().collect()
}

fn property(name: &str, value: Value, place: &mut Place<'_>) -> Option<(PropertyName, Option<String>)> {
    let name = match PropertyName::parse(name) {
        Ok(name) => name,
        Err(error) => return place.refuse(error.to_string()),
    };
    let Some(value) = parse::or_null(parse::string())(value, place)? else { return Some((name, None)) };
    match name.check_value(&value) {
        Ok(()) => Some((name, Some(value))),
        Err(error) => place.refuse(error.to_string()),
    }
}

/// The address in a path.
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
    use api::fields::{Errors, FromFields};
    use api::request::RequestBody as _;
    use domain::limits::PROPERTY_VALUE_BYTES_MAX;
    use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;

    /// What a body is read as, or the fields that are wrong with it.
    pub(crate) fn read<T: FromFields>(body: &Value) -> Result<T, Vec<String>> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let mut errors = Errors::default();
        let found = T::from_bytes(&headers, body.to_string().as_bytes(), &mut errors).unwrap();
        match errors.check() {
            Ok(()) => Ok(found.unwrap()),
            Err(problem) => {
                assert!(found.is_none());
                Err(problem.errors().iter().map(|error| error.field.clone()).collect())
            }
        }
    }

    struct Body(PropertyChanges);

    impl FromFields for Body {
        fn read(fields: &mut api::fields::Fields<'_>) -> Option<Self> {
            fields.required("properties", properties).map(Self)
        }
    }

    fn read_properties(properties: &Value) -> Result<Vec<(String, Option<String>)>, Vec<String>> {
        let Body(read) = read(&json!({"properties": properties}))?;
        Ok(read.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
    }

    #[test]
    fn properties_are_set_and_removed() {
        assert_eq!(
            read_properties(&json!({"firstname": "Ada", "title": null, "empty": ""})),
            Ok(vec![
                ("empty".into(), Some(String::new())),
                ("firstname".into(), Some("Ada".into())),
                ("title".into(), None),
            ])
        );
        assert_eq!(read_properties(&json!({})), Ok(vec![]));
    }

    #[test]
    fn every_bad_property_is_named() {
        let long = "x".repeat(PROPERTY_VALUE_BYTES_MAX + 1);
        assert_eq!(
            read_properties(&json!({
                "Name": "a", "age": 36, "bell": "\u{7}", "email": "a@b", "hs_x": null, "long": long, "ok": "a", "yes": true,
            })),
            Err(["Name", "age", "bell", "email", "hs_x", "long", "yes"]
                .map(|name| format!("properties.{name}"))
                .to_vec())
        );
        for body in [json!([]), json!("a"), json!(null)] {
            assert_eq!(read_properties(&body), Err(vec!["properties".to_owned()]));
        }
    }

    #[test]
    fn no_more_are_set_than_a_contact_holds() {
        let many = |count: usize, value: &Value| {
            Value::Object((0..count).map(|number| (format!("p{number}"), value.clone())).collect())
        };
        assert_eq!(read_properties(&many(200, &json!("a"))).unwrap().len(), 200);
        assert_eq!(read_properties(&many(201, &json!("a"))), Err(vec!["properties".to_owned()]));
        assert_eq!(read_properties(&many(300, &json!(null))).unwrap().len(), 300);
    }
}
