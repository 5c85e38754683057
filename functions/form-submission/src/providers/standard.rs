//! Standard Webhooks 1.0: any JSON object, with the delivery's id in a signed header.

use api::fields::Errors;
use domain::provider::Provider;
use http::HeaderMap;

use super::members::Members;
use super::posted::without_wrapping;
use super::verify::delivery_id;
use super::{Delivery, Event};
use crate::answers::Collector;
use crate::flatten;

/// What stands beside `data`, by the recommended form of the payload.
const BESIDE_DATA: [&str; 4] = ["type", "timestamp", "id", "created_at"];

/// Words of event types that tell of an end. The contact in such an event has not sent a form.
const ENDS: [&str; 19] = [
    "archived",
    "bounce",
    "bounced",
    "canceled",
    "cancelled",
    "complained",
    "complaint",
    "deactivated",
    "delete",
    "deleted",
    "destroyed",
    "erased",
    "expired",
    "removed",
    "suppressed",
    "terminated",
    "unsubscribe",
    "unsubscribed",
    "unsubscription",
];

/// The answers are those in `data`, if that is an object, or else all that the body says.
pub(super) fn read(headers: &HeaderMap, hook: &Members<'_>, errors: &mut Errors) -> Option<Delivery> {
    let id = delivery_id(Provider::StandardWebhooks, headers);
    if id.is_none() {
        errors.note("webhook-id", "is required: a text");
    }
    let mut out = Collector::default();
    match hook.within("data") {
        Some(data) => {
            without_wrapping(&data, &[], &mut out);
            let beside = hook.values().iter().filter(|(name, _)| BESIDE_DATA.contains(&name.as_str()));
            let beside = beside.map(|(name, value)| (name.clone(), value.clone())).collect();
            flatten::members(&beside, &BESIDE_DATA, &mut out);
        }
        None => without_wrapping(hook, &[], &mut out),
    }
    let event_type = hook.str("type").map(str::to_owned);
    Some(Delivery { id: Some(id?), event: Event::Submission(out.finish()), event_type, made_at: None })
}

/// Returns true for an event type that tells of an end, such as `contact.deleted` or `emailBounced`.
pub(crate) fn tells_of_an_end(event_type: &str) -> bool {
    let mut word = String::new();
    let mut last = ' ';
    for c in event_type.chars().chain([' ']) {
        let is_new = !c.is_alphanumeric() || (last.is_lowercase() && c.is_uppercase());
        if is_new && ENDS.contains(&word.as_str()) {
            return true;
        }
        if is_new {
            word.clear();
        }
        if c.is_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        }
        last = c;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_types_that_tell_of_an_end_are_known() {
        for event_type in [
            "contact.deleted",
            "deleted",
            "CONTACT_DELETED",
            "email-bounced",
            "emailComplained",
            "subscription.cancelled",
            "subscription.canceled.v2",
            "list/unsubscribe",
        ] {
            assert!(tells_of_an_end(event_type), "{event_type}");
        }
        for event_type in
            ["", "contact.created", "form.submitted", "undeleted", "trial.ending", "contact.updated"]
        {
            assert!(!tells_of_an_end(event_type), "{event_type}");
        }
    }
}
