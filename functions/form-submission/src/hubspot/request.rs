//! What site code posts to `HubSpot`'s form endpoint.
//!
//! It is read tolerantly: code that was written for `HubSpot` sends members that mean something there alone, such as
//! cookies and consents. They are left out, as are the fields of other objects than contacts.

use domain::Timestamp;
use domain::limits::SUBMISSION_FIELDS_MAX;
use serde::Deserialize;
use serde_json::Value;

use super::answer::{Error, ErrorType, Refusal};
use crate::sent::Sent;

/// The type of object that a contact is.
const CONTACT: &str = "0-1";

/// A submission, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Submission {
    fields: Vec<Field>,
    submitted_at: Option<Value>,
    context: Option<PageContext>,
}

/// One field's value.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    name: String,
    value: Option<Scalar>,
    object_type_id: Option<String>,
}

/// A text, or what is taken as one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Truth(bool),
}

/// What is said of the page that the form stands on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageContext {
    page_uri: Option<String>,
}

/// Reads a body.
///
/// # Errors
///
/// What `HubSpot` would refuse as well, said as `HubSpot` says it.
pub(super) fn read(body: &[u8]) -> Result<Sent, Refusal> {
    let submission: Submission =
        serde_json::from_slice(body).map_err(|error| Refusal::not_readable(&error))?;
    if submission.fields.len() > SUBMISSION_FIELDS_MAX {
        let message = format!("expected at most {SUBMISSION_FIELDS_MAX} fields");
        return Err(Refusal::Invalid(vec![Error::new("fields", &message, ErrorType::TooManyValues)]));
    }
    let sent = Sent {
        fields: submission.fields.into_iter().filter_map(pair).collect(),
        submission_id: None,
        submitted_at: submission.submitted_at.as_ref().and_then(instant),
        page_url: submission.context.and_then(|context| context.page_uri).filter(|uri| !uri.is_empty()),
        is_form_post: false,
    };
    let problems = sent.problems();
    // An instant is written by `instant`, and there is no id.
    let errors =
        problems.iter().map(|(_, message)| Error::new("context.pageUri", message, ErrorType::InvalidPageUri));
    match errors.collect::<Vec<_>>() {
        errors if errors.is_empty() => Ok(sent),
        errors => Err(Refusal::Invalid(errors)),
    }
}

/// A contact's field as its name and value; none if it is another object's or has no value.
fn pair(field: Field) -> Option<(String, String)> {
    if field.object_type_id.is_some_and(|kind| kind != CONTACT) {
        return None;
    }
    let value = match field.value? {
        Scalar::Text(text) => text,
        Scalar::Number(number) => number.to_string(),
        Scalar::Truth(flag) => flag.to_string(),
    };
    Some((field.name, value))
}

/// When the person sent it, by their own clock: milliseconds since 1970. What is no instant says nothing.
fn instant(at: &Value) -> Option<String> {
    let millis = at.as_i64().or_else(|| at.as_str()?.parse().ok())?;
    let at = Timestamp::from_millis(millis);
    (at.millis() == millis).then(|| at.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read_value(body: &Value) -> Result<Sent, Refusal> {
        read(body.to_string().as_bytes())
    }

    /// The types of the errors; none for a body that can't be read.
    fn refused(body: &Value) -> Vec<ErrorType> {
        match read_value(body) {
            Ok(_) => panic!("{body} was taken"),
            Err(Refusal::Invalid(errors)) => errors.iter().map(|error| error.error_type).collect(),
            Err(_) => Vec::new(),
        }
    }

    #[test]
    fn a_documented_request_is_read() {
        let sent = read_value(&json!({
            "submittedAt": "1517927174000",
            "fields": [
                {"objectTypeId": "0-1", "name": "email", "value": "ada@example.org"},
                {"name": "firstname", "value": "Ada"},
                {"objectTypeId": "0-2", "name": "name", "value": "Example Ltd"},
                {"objectTypeId": "0-1", "name": "colour", "value": "red;blue"},
                {"name": "age", "value": 36}, {"name": "agreed", "value": true}, {"name": "empty", "value": null},
                {"name": "nothing"},
            ],
            "context": {"hutk": "a:b", "pageUri": "https://www.example.org/page", "pageName": "A page", "ipAddress": "192.0.2.1"},
            "legalConsentOptions": {"consent": {"consentToProcess": true, "text": "I agree", "communications": []}},
            "skipValidation": true,
        }));
        let Ok(sent) = sent else { panic!("it is read") };
        let fields: Vec<(&str, &str)> = sent.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(
            fields,
            [
                ("email", "ada@example.org"),
                ("firstname", "Ada"),
                ("colour", "red;blue"),
                ("age", "36"),
                ("agreed", "true")
            ]
        );
        assert_eq!(
            (sent.submitted_at.as_deref(), sent.page_url.as_deref(), sent.submission_id),
            (Some("2018-02-06T14:26:14.000Z"), Some("https://www.example.org/page"), None)
        );
    }

    #[test]
    fn an_instant_is_read_from_a_number_or_its_text_and_from_nothing_else() {
        for (at, read) in [
            (json!(1_517_927_174_000_i64), Some("2018-02-06T14:26:14.000Z")),
            (json!("0"), Some("1970-01-01T00:00:00.000Z")),
            (json!(-1), None),
            (json!(1.5), None),
            (json!("2018-02-06"), None),
            (json!(u64::MAX), None),
            (json!([1]), None),
        ] {
            assert_eq!(instant(&at).as_deref(), read, "{at}");
        }
    }

    #[test]
    fn what_is_wrong_has_the_type_that_hubspot_gives_it() {
        let many: Vec<Value> =
            (0..=SUBMISSION_FIELDS_MAX).map(|n| json!({"name": format!("f{n}"), "value": "a"})).collect();
        assert_eq!(refused(&json!({"fields": many})), [ErrorType::TooManyValues]);
        assert_eq!(
            refused(&json!({"fields": [], "context": {"pageUri": "here"}})),
            [ErrorType::InvalidPageUri]
        );
        for body in [
            json!(null),
            json!({}),
            json!({"fields": {"email": "a"}}),
            json!({"fields": [{"value": "a"}]}),
            json!({"fields": [{"name": "a", "value": {"b": 1}}]}),
            json!({"fields": [], "context": 1}),
        ] {
            assert_eq!(refused(&body), [], "{body}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_on_garbage(body in any::<Vec<u8>>()) {
            let _ = read(&body);
        }
    }
}
