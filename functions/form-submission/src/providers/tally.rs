//! Tally: `{eventId, eventType, data: {fields: [{key, label, type, value, options?}]}}`.

use std::collections::BTreeMap;

use api::fields::Errors;
use serde_json::Value;

use super::Delivery;
use super::members::Members;
use crate::flatten::{texts, unknown};
use crate::sent::SUBMITTED_AT;
use form_mapping::answers::{Answers, Collector, FieldAnswer, Kind, scalar};
use form_mapping::names::names;

/// The event that reports a response.
const RESPONSE: &str = "FORM_RESPONSE";

/// The field type for an email address.
const EMAIL: &str = "INPUT_EMAIL";

/// The field type whose boxes also occur as fields of their own.
const CHECKBOXES: &str = "CHECKBOXES";

/// The field type whose value has a list of columns for each row.
const MATRIX: &str = "MATRIX";

/// The field types whose value is a text, a number, true or false, or a list of these or of files. Choices are ids of
/// options.
const KNOWN: [&str; 19] = [
    "CALCULATED_FIELDS",
    CHECKBOXES,
    "DROPDOWN",
    "FILE_UPLOAD",
    "HIDDEN_FIELDS",
    "INPUT_DATE",
    "INPUT_LINK",
    "INPUT_NUMBER",
    "INPUT_PHONE_NUMBER",
    "INPUT_TEXT",
    "INPUT_TIME",
    "LINEAR_SCALE",
    "MULTIPLE_CHOICE",
    "MULTI_SELECT",
    "PAYMENT",
    "RANKING",
    "RATING",
    "SIGNATURE",
    "TEXTAREA",
];

pub(super) fn read(hook: &Members<'_>, errors: &mut Errors) -> Option<Delivery> {
    let id = hook.text("eventId", errors);
    let kind = hook.text("eventType", errors);
    if kind.as_deref().is_some_and(|kind| kind != RESPONSE) {
        return Some(Delivery::other(id?));
    }
    let data = hook.object("data", errors);
    let answers = data.as_ref().and_then(|data| answers(data, errors));
    kind?;
    let made_at = data?.str("createdAt").or_else(|| hook.str("createdAt"));
    Some(Delivery::submission(id?, answers?).made_at(made_at))
}

fn answers(data: &Members<'_>, errors: &mut Errors) -> Option<Answers> {
    let fields = data.objects("fields", errors)?;
    let questions: Vec<&str> = fields
        .iter()
        .filter(|field| field.entries("options").next().is_some())
        .filter_map(|f| f.str("key"))
        .collect();
    let mut out = Collector::default();
    // All fields are read before the first invalid one ends the list, so that every error is reported.
    let read: Vec<_> = fields.iter().map(|field| answer(field, &questions, errors)).collect();
    for answer in read.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten() {
        out.push(answer);
    }
    for (name, about) in [("createdAt", SUBMITTED_AT), ("formName", "form_name"), ("formId", "form_id")] {
        if let Some(text) = data.str(name) {
            out.push(FieldAnswer::about(about, text));
        }
    }
    Some(out.finish())
}

/// Returns the answer in a field. Returns `Some(None)` if it has none, or if another field contains the same answer.
/// Returns `None` if the field is invalid.
fn answer(field: &Members<'_>, questions: &[&str], errors: &mut Errors) -> Option<Option<FieldAnswer>> {
    let key = field.text("key", errors);
    let kind = field.text("type", errors);
    let (key, kind) = (key?, kind?);
    let Some(value) = field.get("value") else { return Some(None) };
    if kind == CHECKBOXES && value.is_boolean() && is_box_of(&key, questions) {
        return Some(None);
    }
    let names = names([field.str("label"), Some(key.as_str())]);
    let texts = match kind.as_str() {
        EMAIL => {
            return Some(Some(texts(value).map_or_else(
                || unknown(names.clone(), value),
                |texts| FieldAnswer::new(names.clone(), Kind::Email, texts),
            )));
        }
        MATRIX => matrix(value, &options(field, "rows"), &options(field, "columns")),
        kind if KNOWN.contains(&kind) => texts(value).map(|texts| chosen(texts, &options(field, "options"))),
        _ => None,
    };
    Some(Some(match texts {
        Some(texts) => FieldAnswer::new(names, Kind::Text, texts),
        None => unknown(names, value),
    }))
}

/// Returns true if the key belongs to a box of one of the questions.
fn is_box_of(key: &str, questions: &[&str]) -> bool {
    questions.iter().any(|question| key.strip_prefix(question).is_some_and(|rest| rest.starts_with('_')))
}

/// Returns the texts of the options in `list` by their ids.
fn options(field: &Members<'_>, list: &str) -> BTreeMap<String, String> {
    let text = |option: &Value, name| option.get(name).and_then(scalar);
    field.entries(list).filter_map(|option| Some((text(option, "id")?, text(option, "text")?))).collect()
}

/// Replaces the ids of options by their texts. A text that is not an option's id was entered by the person, and stays.
fn chosen(texts: Vec<String>, options: &BTreeMap<String, String>) -> Vec<String> {
    texts.into_iter().map(|text| options.get(&text).cloned().unwrap_or(text)).collect()
}

/// Returns the answered rows, each as `row: column`.
fn matrix(
    value: &Value,
    rows: &BTreeMap<String, String>,
    columns: &BTreeMap<String, String>,
) -> Option<Vec<String>> {
    let lines = value.as_object()?.iter().map(|(row, value)| {
        let row = rows.get(row).unwrap_or(row);
        let columns = chosen(texts(value)?, columns);
        Some(columns.into_iter().map(move |column| format!("{row}: {column}")).collect::<Vec<_>>())
    });
    Some(lines.collect::<Option<Vec<_>>>()?.concat())
}
