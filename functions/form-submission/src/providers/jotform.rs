//! Jotform: a form post with `submissionID` and `rawRequest`, which is JSON with names such as `q3_email`.
//!
//! Jotform adds the number of the question to each name, so that names are unique. The number is a prefix, sometimes
//! twice, and may also be a suffix: `q3_q3_email3`.

use api::Problem;
use api::fields::Errors;
use axum::body::Bytes;
use domain::usual_names;
use http::HeaderMap;
use serde_json::{Map, Value};

use super::members;
use super::{Delivery, Event};
use crate::flatten::{self, Path};
use crate::sent;
use form_mapping::answers::{Answers, Collector, FieldAnswer, scalar};
use form_mapping::names::names;

const ID: &str = "submissionID";
const ANSWERS: &str = "rawRequest";

pub(super) fn read(headers: &HeaderMap, body: &Bytes) -> Result<Delivery, Problem> {
    let pairs = sent::form_post(headers, body)?.ok_or_else(sent::unsupported)?;
    let part = |wanted: &str| {
        let found = pairs.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let mut errors = Errors::default();
    for name in [ID, ANSWERS].into_iter().filter(|name| part(name).is_none()) {
        errors.push(name, "is required: a text");
    }
    let document = part(ANSWERS).map(|text| members::parse(text.as_bytes()));
    if let Some(Err(_)) = document {
        errors.push(ANSWERS, "expected a JSON object");
    }
    errors.check()?;
    let about = [("formTitle", "form_name"), ("formID", "form_id"), ("ip", "ip")];
    let about = about.into_iter().filter_map(|(name, about)| Some(FieldAnswer::about(about, part(name)?)));
    let event = Event::Submission(answers(&document.transpose()?.unwrap_or_default(), about));
    Ok(Delivery { id: part(ID).map(str::to_owned), event, ..Delivery::default() })
}

/// Returns the answers. Members without a number are Jotform's own, except for the addresses of uploaded files.
fn answers(document: &Map<String, Value>, about: impl Iterator<Item = FieldAnswer>) -> Answers {
    let mut out = Collector::default();
    for (name, value) in document {
        let names = match question(name) {
            Some((number, label)) => names([usual_without(number, label), Some(label), Some(name)]),
            None if is_upload(value) => names([Some(name.as_str())]),
            None => continue,
        };
        match whole(value) {
            Some(text) => out.push(FieldAnswer::of_names(names, text)),
            None => flatten::field(&Path::new(names), value, &mut out),
        }
    }
    about.for_each(|answer| out.push(answer));
    out.finish()
}

/// Returns the number of a question and its label: `3` and `email` for `q3_email` and for `q3_q3_email`.
fn question(name: &str) -> Option<(&str, &str)> {
    let (number, label) = name.strip_prefix('q')?.split_once('_')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let prefix_bytes = name.len() - label.len();
    let prefix = name.get(..prefix_bytes)?;
    let label = label.strip_prefix(prefix).unwrap_or(label);
    (is_number && !label.is_empty()).then_some((number, label))
}

/// Returns the label without the question's number at its end, if the rest is a usual name.
fn usual_without<'l>(number: &str, label: &'l str) -> Option<&'l str> {
    label.strip_suffix(number).filter(|label| usual_names::property(label).is_some())
}

fn is_upload(value: &Value) -> bool {
    let is_address = |entry: &Value| {
        entry.as_str().is_some_and(|text| text.starts_with("https://") || text.starts_with("http://"))
    };
    value.as_array().is_some_and(|entries| !entries.is_empty() && entries.iter().all(is_address))
}

/// Returns a date or a telephone number as one text, because Jotform sends each as an object of parts.
fn whole(value: &Value) -> Option<String> {
    let parts = value.as_object()?;
    let part = |name: &str| parts.get(name).and_then(scalar).filter(|text| !text.is_empty());
    if let (Some(year), Some(month), Some(day)) = (part("year"), part("month"), part("day")) {
        let date = format!("{year:0>4}-{month:0>2}-{day:0>2}");
        return Some(match (part("hour"), part("min")) {
            (Some(hour), Some(minute)) if part("ampm").is_none() => format!("{date}T{hour:0>2}:{minute:0>2}"),
            _ => date,
        });
    }
    if let Some(full) = part("full").filter(|_| parts.len() == 1) {
        return Some(full);
    }
    let is_number = parts.keys().all(|name| ["country", "area", "phone"].contains(&name.as_str()));
    let number = ["country", "area", "phone"].into_iter().filter_map(part).collect::<Vec<_>>().join(" ");
    (is_number && !number.is_empty()).then_some(number)
}
