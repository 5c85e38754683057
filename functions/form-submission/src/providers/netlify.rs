//! Netlify: `{id, form_id, data: {…}, created_at, ordered_human_fields?}`.

use api::fields::Errors;

use super::Delivery;
use super::members::Members;
use crate::flatten::{self, Path};
use crate::sent::SUBMITTED_AT;
use form_mapping::answers::{Answers, Collector, FieldAnswer, scalar};
use form_mapping::names::names;

/// The members that Netlify adds to the data.
const OWN: [&str; 3] = ["ip", "user_agent", "referrer"];

pub(super) fn read(hook: &Members<'_>, errors: &mut Errors) -> Option<Delivery> {
    let id = hook.text("id", errors);
    let data = hook.object("data", errors);
    Some(Delivery::submission(id?, answers(hook, &data?)).made_at(hook.str("created_at")))
}

fn answers(hook: &Members<'_>, data: &Members<'_>) -> Answers {
    let mut out = Collector::default();
    for (name, value) in data.values() {
        match scalar(value).filter(|_| OWN.contains(&name.as_str())) {
            Some(text) => out.push(FieldAnswer::about(name, text)),
            None => {
                let names = names([Some(name.as_str()), title(hook, name)]);
                flatten::field(&Path::new(names), value, &mut out);
            }
        }
    }
    for (name, about) in [("created_at", SUBMITTED_AT), ("form_name", "form_name"), ("form_id", "form_id")] {
        if let Some(text) = hook.str(name) {
            out.push(FieldAnswer::about(about, text));
        }
    }
    out.finish()
}

/// Returns the title that Netlify shows for a field.
fn title<'v>(hook: &Members<'v>, name: &str) -> Option<&'v str> {
    let mut fields = hook.entries("ordered_human_fields");
    let field = fields.find(|field| field.get("name").and_then(serde_json::Value::as_str) == Some(name))?;
    field.get("title")?.as_str()
}
