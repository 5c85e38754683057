//! Senders without a fixed format. The account configures in the sender which fields it sends, and whether it sends
//! them as JSON or as a form post.

use api::Problem;
use api::body::require_json;
use axum::body::Bytes;
use http::HeaderMap;

use super::members::{self, Members};
use super::{Delivery, Event};
use crate::flatten;
use crate::sent::{self, PAGE_URL, SUBMISSION_ID, SUBMITTED_AT};
use form_mapping::answers::{Collector, FieldAnswer, scalar};

/// The names with a meaning in the bodies of such a sender.
pub(super) struct Posted {
    /// The names that the submission's id may have, the most reliable first.
    ids: &'static [&'static str],
    /// The names of facts about the submission, including those of the id.
    about: &'static [&'static str],
}

/// The names that the webhooks add-on of Gravity Forms uses. It sends whole entries, in which a field's name is its
/// number, or fields that the account selects, under names that the account chooses.
pub(super) const GRAVITY_FORMS: Posted = Posted {
    ids: &["id", "entry_id", SUBMISSION_ID],
    about: &[
        "id",
        "entry_id",
        SUBMISSION_ID,
        SUBMITTED_AT,
        PAGE_URL,
        "form_id",
        "form_title",
        "post_id",
        "date_created",
        "date_updated",
        "is_starred",
        "is_read",
        "ip",
        "source_url",
        "source_id",
        "user_agent",
        "currency",
        "payment_status",
        "payment_date",
        "payment_amount",
        "payment_method",
        "transaction_id",
        "transaction_type",
        "is_fulfilled",
        "created_by",
        "status",
    ],
};

/// The names that the webhooks add-on of `WPForms` uses. It sends fields that the account selects, under names that the
/// account chooses.
pub(super) const WPFORMS: Posted = Posted {
    ids: &["entry_id", SUBMISSION_ID],
    about: &[
        "entry_id",
        SUBMISSION_ID,
        SUBMITTED_AT,
        PAGE_URL,
        "form_id",
        "form_name",
        "form_title",
        "entry_date",
    ],
};

/// The names that any other sender may use. `id` is not among them, because it may be the contact's id. A second
/// submission by that contact would then be regarded as a repeated delivery.
pub(super) const GENERIC: Posted = Posted {
    ids: &[SUBMISSION_ID, "entry_id"],
    about: &[SUBMISSION_ID, "entry_id", SUBMITTED_AT, PAGE_URL, "form_id", "form_name"],
};

/// Parses a body in any of the three encodings. A JSON object is accepted even with the media type of a form post.
pub(super) fn read(posted: &Posted, headers: &HeaderMap, body: &Bytes) -> Result<Delivery, Problem> {
    let object = match sent::disguised_object(headers, body) {
        None if require_json(headers).is_ok() => Some(members::parse(body)?),
        object => object,
    };
    let mut out = Collector::default();
    let id = if let Some(object) = object {
        let members = Members::root(&object);
        without_wrapping(&members, posted.about, &mut out);
        first(posted.ids, |wanted| members.get(wanted).and_then(scalar).filter(|id| !id.is_empty()))
    } else {
        let pairs = sent::form_post(headers, body)?.ok_or_else(sent::unsupported)?;
        let id = first(posted.ids, |wanted| {
            let named = pairs.iter().filter(|(name, _)| name == wanted);
            named.map(|(_, value)| value.clone()).find(|value| !value.is_empty())
        });
        let (about, fields): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|(name, _)| posted.about.contains(&name.as_str()));
        sent::fields(&fields, &mut out);
        about.into_iter().for_each(|(name, value)| out.push(FieldAnswer::about(name, value)));
        id
    };
    Ok(Delivery { id, event: Event::Submission(out.finish()), ..Delivery::default() })
}

fn first(ids: &[&str], find: impl Fn(&str) -> Option<String>) -> Option<String> {
    ids.iter().find_map(|wanted| find(wanted))
}

/// Adds the members of an object as fields. If `fields` is an object, its members are added as if they were members of
/// the outer object.
pub(super) fn without_wrapping(members: &Members<'_>, about: &[&str], out: &mut Collector) {
    let Some(fields) = members.within("fields") else {
        flatten::members(members.values(), about, out);
        return;
    };
    flatten::members(fields.values(), &[], out);
    let mut beside = members.values().clone();
    beside.remove("fields");
    flatten::members(&beside, about, out);
}
