//! Jotform: a form post with `submissionID` and `rawRequest`, which is JSON with names such as `q3_email`.

use api::Problem;
use api::fields::Errors;
use axum::body::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};

use super::flatten::{self, Path};
use super::members::{self, scalar};
use super::names::names;
use super::{Delivery, Event};
use crate::answers::{Answer, Answers, Collector, Kind};
use crate::sent;

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
        errors.note(name, "is required: a text");
    }
    let said = part(ANSWERS).map(|text| members::parse(text.as_bytes()));
    if let Some(Err(_)) = said {
        errors.note(ANSWERS, "expected a JSON object");
    }
    errors.check()?;
    let about = [("formTitle", "form_name"), ("formID", "form_id"), ("ip", "ip")];
    let about = about.into_iter().filter_map(|(name, about)| Some(Answer::about(about, part(name)?)));
    let event = Event::Submission(answers(&said.transpose()?.unwrap_or_default(), about));
    Ok(Delivery { id: part(ID).map(str::to_owned), event })
}

/// What people answered. All that is not numbered is Jotform's own, except for the addresses of uploaded files.
fn answers(said: &Map<String, Value>, about: impl Iterator<Item = Answer>) -> Answers {
    let mut out = Collector::default();
    for (name, value) in said {
        let label = match label(name) {
            Some(label) => label,
            None if is_upload(value) => name,
            None => continue,
        };
        let names = names([Some(label), Some(name.as_str())]);
        match whole(value) {
            Some(text) => out.push(Answer::new(names, Kind::Text, vec![text])),
            None => flatten::field(&Path::new(names), value, &mut out),
        }
    }
    about.for_each(|answer| out.push(answer));
    out.finish()
}

/// What stands after the number of a field: `email` of `q3_email`.
fn label(name: &str) -> Option<&str> {
    let (number, label) = name.strip_prefix('q')?.split_once('_')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !label.is_empty()).then_some(label)
}

fn is_upload(value: &Value) -> bool {
    let is_address = |entry: &Value| {
        entry.as_str().is_some_and(|text| text.starts_with("https://") || text.starts_with("http://"))
    };
    value.as_array().is_some_and(|entries| !entries.is_empty() && entries.iter().all(is_address))
}

/// The one text of what Jotform takes apart though people take it as a whole: a date, and a telephone number.
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
