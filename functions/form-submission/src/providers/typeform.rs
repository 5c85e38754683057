//! Typeform: `{event_id, event_type, form_response: {hidden, definition: {fields}, answers}}`.

use std::collections::BTreeMap;

use api::fields::Errors;
use serde_json::Value;

use super::Delivery;
use super::members::Members;
use crate::flatten::{texts, unknown};
use crate::sent::SUBMITTED_AT;
use form_mapping::answers::{Answers, Collector, FieldAnswer, Kind, scalar};
use form_mapping::names::{is_opaque, names};

/// The event that reports a complete response. Events of partial responses are ignored.
const RESPONSE: &str = "form_response";

/// The answer types whose value is a text, a number, true or false.
const PLAIN: [&str; 7] = ["text", "phone_number", "number", "boolean", "date", "url", "file_url"];

/// The member of a choice with the text that the person entered instead of an option.
const OTHER: &str = "other";

pub(super) fn read(hook: &Members<'_>, errors: &mut Errors) -> Option<Delivery> {
    let id = hook.text("event_id", errors);
    let kind = hook.text("event_type", errors);
    if kind.as_deref().is_some_and(|kind| kind != RESPONSE) {
        return Some(Delivery::other(id?));
    }
    let response = hook.object("form_response", errors);
    let answers = response.as_ref().and_then(|response| answers(response, errors));
    kind?;
    Some(Delivery::submission(id?, answers?).made_at(response?.str("submitted_at")))
}

fn answers(response: &Members<'_>, errors: &mut Errors) -> Option<Answers> {
    let titles = titles(response);
    let mut out = Collector::default();
    for (name, value) in response.within("hidden").iter().flat_map(Members::values) {
        if let Some(text) = scalar(value) {
            out.push(FieldAnswer::new(names([Some(name.as_str())]), Kind::Text, vec![text]));
        }
    }
    if response.get("answers").is_some() {
        // All answers are read before the first invalid one ends the list, so that every error is reported.
        let given = response.objects("answers", errors)?;
        let read: Vec<_> = given.iter().map(|given| answer(given, &titles, errors)).collect();
        read.into_iter().collect::<Option<Vec<_>>>()?.into_iter().for_each(|answer| out.push(answer));
    }
    for (name, about) in [("submitted_at", SUBMITTED_AT), ("landed_at", "landed_at"), ("form_id", "form_id")]
    {
        if let Some(text) = response.str(name) {
            out.push(FieldAnswer::about(about, text));
        }
    }
    Some(out.finish())
}

/// Returns the titles of the questions by their fields' ids.
fn titles<'v>(response: &Members<'v>) -> BTreeMap<&'v str, &'v str> {
    let definition = response.within("definition");
    let fields = definition.iter().flat_map(|definition| definition.entries("fields"));
    let text = |field: &'v Value, name| field.get(name).and_then(Value::as_str);
    fields.filter_map(|field| Some((text(field, "id")?, text(field, "title")?))).collect()
}

fn answer(given: &Members<'_>, titles: &BTreeMap<&str, &str>, errors: &mut Errors) -> Option<FieldAnswer> {
    let kind = given.text("type", errors);
    let field = given.object("field", errors)?;
    let id = field.text("id", errors)?;
    let title = titles.get(id.as_str()).copied();
    let reference = field.str("ref");
    let (readable, opaque) =
        if reference.is_some_and(is_opaque) { (None, reference) } else { (reference, None) };
    let names = names([readable, title, Some(id.as_str()), opaque]);
    let kind = kind?;
    let value = given.get(&kind).unwrap_or(&Value::Null);
    let of =
        |kind, texts: Option<Vec<String>>| texts.map(|texts| FieldAnswer::new(names.clone(), kind, texts));
    let known = match kind.as_str() {
        "email" => of(Kind::Email, texts(value)),
        "choice" => of(Kind::Text, choices(value, "label")),
        "choices" => of(Kind::Text, choices(value, "labels")),
        "payment" => of(Kind::Text, value.get("amount").and_then(texts)),
        kind if PLAIN.contains(&kind) => of(Kind::Text, texts(value)),
        _ => None,
    };
    Some(known.unwrap_or_else(|| unknown(names, value)))
}

/// Returns the labels of the chosen options, and the text that the person entered.
fn choices(value: &Value, labels: &str) -> Option<Vec<String>> {
    let chosen = value.as_object()?;
    let texts = |name: &str| chosen.get(name).map_or_else(|| Some(Vec::new()), texts);
    Some([texts(labels)?, texts(OTHER)?].concat())
}
