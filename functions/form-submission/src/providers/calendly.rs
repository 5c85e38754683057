//! Calendly: `{event: "invitee.created", payload: {uri, email, name, questions_and_answers}}`.

use api::fields::Errors;

use super::Delivery;
use super::members::Members;
use crate::flatten::texts;
use crate::sent::SUBMITTED_AT;
use form_mapping::answers::{Answers, Collector, FieldAnswer, Kind, scalar};
use form_mapping::names::names;

/// The event that reports a new appointment.
const CREATED: &str = "invitee.created";

/// The members with the invitee's own data, besides the answers to the account's questions.
const OF_THE_PERSON: [&str; 5] = ["name", "first_name", "last_name", "timezone", "text_reminder_number"];

pub(super) fn read(hook: &Members<'_>, errors: &mut Errors) -> Option<Delivery> {
    let kind = hook.text("event", errors);
    let payload = hook.object("payload", errors)?;
    let id = payload.text("uri", errors);
    if kind.as_deref().is_some_and(|kind| kind != CREATED) {
        return Some(Delivery::other(id?));
    }
    kind?;
    let answers = answers(&payload, errors);
    Some(Delivery::submission(id?, answers?))
}

fn answers(payload: &Members<'_>, errors: &mut Errors) -> Option<Answers> {
    let mut out = Collector::default();
    if let Some(email) = payload.get("email").and_then(texts) {
        out.push(FieldAnswer::new(vec!["email".to_owned()], Kind::Email, email));
    }
    for name in OF_THE_PERSON {
        if let Some(text) = payload.get(name).and_then(scalar) {
            out.push(FieldAnswer::text(name, text));
        }
    }
    if payload.get("questions_and_answers").is_some() {
        for pair in payload.objects("questions_and_answers", errors)? {
            let texts = pair.get("answer").and_then(texts).unwrap_or_default();
            out.push(FieldAnswer::new(names([pair.str("question")]), Kind::Text, texts));
        }
    }
    for (name, value) in payload.within("tracking").iter().flat_map(Members::values) {
        if let Some(text) = scalar(value) {
            out.push(FieldAnswer::new(names([Some(name.as_str())]), Kind::About, vec![text]));
        }
    }
    if let Some(at) = payload.str("created_at") {
        out.push(FieldAnswer::about(SUBMITTED_AT, at));
    }
    Some(out.finish())
}
