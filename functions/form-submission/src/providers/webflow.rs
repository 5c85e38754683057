//! Webflow: `{triggerType, payload: {id, name, data: {…}, submittedAt}}`.

use api::fields::Errors;

use super::Delivery;
use super::members::Members;
use crate::flatten;
use crate::sent::{PAGE_URL, SUBMITTED_AT};
use form_mapping::answers::{Answers, Collector, FieldAnswer};

/// The event that reports a submission.
const SUBMISSION: &str = "form_submission";

pub(super) fn read(hook: &Members<'_>, errors: &mut Errors) -> Option<Delivery> {
    let kind = hook.text("triggerType", errors);
    let payload = hook.object("payload", errors)?;
    let id = payload.text("id", errors);
    if kind.as_deref().is_some_and(|kind| kind != SUBMISSION) {
        return Some(Delivery::other(id?));
    }
    let data = payload.object("data", errors);
    kind?;
    Some(Delivery::submission(id?, answers(&payload, &data?)))
}

fn answers(payload: &Members<'_>, data: &Members<'_>) -> Answers {
    let mut out = Collector::default();
    flatten::members(data.values(), &[], &mut out);
    for (name, about) in [("submittedAt", SUBMITTED_AT), ("name", "form_name"), ("pageUrl", PAGE_URL)] {
        if let Some(text) = payload.str(name) {
            out.push(FieldAnswer::about(about, text));
        }
    }
    out.finish()
}
