//! The request bodies of `HubSpot`'s form endpoint.
//!
//! They are parsed tolerantly, because code that was written for `HubSpot` sends members that only `HubSpot` uses, such
//! as cookies and consents. These members are ignored, and so are the fields of other objects than contacts.

use api::json::mended;
use chrono::{DateTime, NaiveDateTime};
use domain::Timestamp;
use domain::limits::{SECONDS_OF_AN_INSTANT_MAX, SUBMISSION_FIELDS_MAX};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::{Error, ErrorType, Refusal};
use crate::sent::{Sent, is_page_url};
use form_mapping::answers::{Collector, FieldAnswer, plain};
use form_mapping::names::names;

/// The object type id of a contact.
const CONTACT: &str = "0-1";

/// A submission to HubSpot's form endpoint. Other members are ignored, such as cookies, consents and validation.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = HubSpotSubmission)]
pub(super) struct Submission {
    /// The form's fields by their own names, at most 200. One of them must be the address: the field that the form maps
    /// to `email`, or else a field with a usual name, such as `email` or `your_email`.
    #[schema(max_items = 200)]
    fields: Vec<Field>,
    /// The instant at which the contact sent it, in milliseconds since 1970; seconds and ISO 8601 are accepted as well.
    /// Stored only if the form maps `submitted_at`.
    submitted_at: Option<Value>,
    /// The page with the form.
    context: Option<PageContext>,
}

/// One field of a submission.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = HubSpotField)]
struct Field {
    /// The field's own name.
    name: String,
    /// The value; several values have `;` between them. `null` and an empty text change no stored property.
    #[schema(value_type = Option<String>)]
    value: Option<Scalar>,
    /// The type of object that the field belongs to. Fields of other objects than contacts (`0-1`) are ignored.
    #[schema(default = "0-1")]
    object_type_id: Option<String>,
}

/// A text, or a number or boolean that is read as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Truth(bool),
}

/// The page with the form.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = HubSpotContext)]
struct PageContext {
    /// The address of the page. Stored only if it is http or https, with at most 2048 characters, and the form maps
    /// `page_url`; another value is ignored.
    page_uri: Option<Value>,
}

/// Parses a body.
///
/// # Errors
///
/// An error in `HubSpot`'s format, for a body that `HubSpot` would refuse as well.
pub(super) fn read(body: &[u8]) -> Result<Sent, Refusal> {
    let submission: Submission =
        serde_json::from_str(&mended(body)).map_err(|error| Refusal::not_readable(&error))?;
    if submission.fields.len() > SUBMISSION_FIELDS_MAX {
        let message = format!("expected at most {SUBMISSION_FIELDS_MAX} fields");
        return Err(Refusal::Invalid(vec![Error::new("fields", &message, ErrorType::TooManyValues)]));
    }
    let mut fields = Collector::default();
    submission.fields.into_iter().filter_map(answer).for_each(|answer| fields.push(answer));
    let page_uri = submission.context.and_then(|context| context.page_uri);
    Ok(Sent {
        fields: fields.finish().into_vec(),
        submission_id: None,
        submitted_at: submission.submitted_at.as_ref().and_then(instant).map(|at| at.to_string()),
        page_url: page_uri.as_ref().and_then(Value::as_str).filter(|uri| is_page_url(uri)).map(str::to_owned),
        is_form_post: false,
    })
}

/// Converts a field of a contact to an answer. Returns `None` for a field of another object or without a value.
fn answer(field: Field) -> Option<FieldAnswer> {
    if field.object_type_id.is_some_and(|kind| kind != CONTACT) {
        return None;
    }
    let value = match field.value? {
        Scalar::Text(text) => text,
        Scalar::Number(number) => plain(&number),
        Scalar::Truth(flag) => flag.to_string(),
    };
    Some(FieldAnswer::of_names(names([Some(field.name.as_str())]), value))
}

/// Parses the instant at which the contact sent it, by the contact's own clock. `HubSpot` writes milliseconds since
/// 1970. Other senders write seconds or ISO 8601. Returns `None` for another value.
fn instant(at: &Value) -> Option<Timestamp> {
    let number = at.as_f64().or_else(|| at.as_str()?.trim().parse().ok()).filter(|number| number.is_finite());
    let millis = match number {
        Some(number) if number.abs() < SECONDS_OF_AN_INSTANT_MAX => number * 1000.0,
        Some(number) => number,
        None => return iso_8601(at.as_str()?.trim()),
    };
    let bounds = Timestamp::MIN.millis()..=Timestamp::MAX.millis();
    #[expect(clippy::cast_possible_truncation, reason = "a cast saturates at the bounds")]
    let millis = millis as i64;
    bounds.contains(&millis).then(|| Timestamp::from_millis(millis))
}

/// Parses the instant of a date and time. Without an offset it is in UTC.
fn iso_8601(text: &str) -> Option<Timestamp> {
    let offset = ["%+", "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z"];
    let of_offset = offset.into_iter().find_map(|format| DateTime::parse_from_str(text, format).ok());
    let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let at = of_offset.map(|at| at.to_utc()).or_else(|| {
        local
            .into_iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .map(|at| at.and_utc())
    })?;
    let at = at.timestamp_millis();
    (Timestamp::MIN.millis()..=Timestamp::MAX.millis()).contains(&at).then(|| Timestamp::from_millis(at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read_value(body: &Value) -> Result<Sent, Refusal> {
        read(body.to_string().as_bytes())
    }

    /// Returns the types of the errors. The list is empty for a body that can't be parsed.
    fn refused(body: &Value) -> Vec<ErrorType> {
        match read_value(body) {
            Ok(_) => panic!("{body} was accepted"),
            Err(Refusal::Invalid(errors)) => errors.iter().map(|error| error.error_type).collect(),
            Err(_) => Vec::new(),
        }
    }

    #[test]
    fn documented_request_is_parsed() {
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
        let Ok(sent) = sent else { panic!("the request was refused") };
        let fields: Vec<(&str, &str)> =
            sent.fields.iter().map(|answer| (answer.name(), answer.values[0].as_str())).collect();
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
    fn instant_is_read_in_every_usual_form() {
        for at in [
            json!(1_517_927_174_000_i64),
            json!("1517927174000"),
            json!(1_517_927_174),
            json!("1517927174"),
            json!(1_517_927_174.0),
            json!("2018-02-06T14:26:14Z"),
            json!("2018-02-06T15:26:14+01:00"),
            json!("2018-02-06T15:26:14.000+0100"),
            json!(" 2018-02-06T14:26:14 "),
            json!("2018-02-06 14:26:14"),
        ] {
            assert_eq!(
                instant(&at).map(|at| at.to_string()).as_deref(),
                Some("2018-02-06T14:26:14.000Z"),
                "{at}"
            );
        }
        assert_eq!(instant(&json!("0")), Some(Timestamp::MIN));
        for at in [
            json!(-1),
            json!("2018-02-06"),
            json!("NaN"),
            json!("inf"),
            json!(u64::MAX),
            json!([1]),
            json!(true),
        ] {
            assert_eq!(instant(&at), None, "{at}");
        }
    }

    #[test]
    fn errors_have_the_types_of_hubspot() {
        let many: Vec<Value> =
            (0..=SUBMISSION_FIELDS_MAX).map(|n| json!({"name": format!("f{n}"), "value": "a"})).collect();
        assert_eq!(refused(&json!({"fields": many})), [ErrorType::TooManyValues]);
        for page in [json!("here"), json!("app://page"), json!(7), json!(null)] {
            let sent = read_value(&json!({"fields": [], "context": {"pageUri": page}}));
            assert!(sent.is_ok_and(|sent| sent.page_url.is_none()), "{page}");
        }
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
