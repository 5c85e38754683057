//! Standard Webhooks 1.0: any JSON object, with the delivery's id in a signed header.

use api::fields::Errors;
use domain::provider::Provider;
use http::HeaderMap;

use super::members::Members;
use super::posted::without_wrapping;
use super::verify::delivery_id;
use super::{Delivery, Event};
use crate::flatten;
use form_mapping::answers::Collector;

/// The members beside `data` in the payload format that the standard recommends.
const BESIDE_DATA: [&str; 4] = ["type", "timestamp", "id", "created_at"];

/// Parses a webhook. The answers are in `data` if it is an object, and otherwise in the body itself.
pub(super) fn read(headers: &HeaderMap, hook: &Members<'_>, errors: &mut Errors) -> Option<Delivery> {
    let id = delivery_id(Provider::StandardWebhooks, headers);
    if id.is_none() {
        errors.push("webhook-id", "is required: a text");
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
