//! Standard Webhooks 1.0: any JSON object, with the delivery's id in a signed header.

use api::fields::Errors;
use http::HeaderMap;

use super::Delivery;
use super::flatten;
use super::members::Members;
use super::posted::without_wrapping;
use crate::answers::Collector;

/// The header that holds the delivery's id.
const ID: &str = "webhook-id";

/// What stands beside `data`, by the recommended form of the payload.
const BESIDE_DATA: [&str; 4] = ["type", "timestamp", "id", "created_at"];

/// The answers are those in `data`, if that is an object, or else all that the body says.
pub(super) fn read(headers: &HeaderMap, hook: &Members<'_>, errors: &mut Errors) -> Option<Delivery> {
    let id = headers.get(ID).and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    if id.is_none() {
        errors.note(ID, "is required: a text");
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
    Some(Delivery::submission(id?, out.finish()))
}
