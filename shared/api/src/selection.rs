//! Selections: the contacts that a request for many contacts selects.

use std::collections::BTreeSet;

use domain::ids::{ContactId, JobId, SegmentId};
use domain::limits::EXCEPT_MAX;
use store::{Selected, Selection};

use crate::contacts::{named_contacts, references};
use crate::describe::documented;
use crate::fields::{Fields, FromFields, Reported};
use crate::filter::{FILTER_GROUPS, filter_groups};
use crate::parse::{Parser, list, opaque_id, parsed};

/// Contacts that a request selects.
pub struct SelectionBody(pub Selected);

impl FromFields for SelectionBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let one = fields.exactly_one(&["contacts", FILTER_GROUPS, "segment_id", "job_id"]);
        let contacts = fields.optional("contacts", named_contacts().about("The contacts, by id or address."));
        let filter = fields.optional(FILTER_GROUPS, filter_groups());
        let segment = parsed::<SegmentId>().about("The contacts of this segment.");
        let segment = fields.optional("segment_id", segment);
        let job = parsed::<JobId>().about(
            "The contacts that this job changed and whose marketing state nothing else has changed since.",
        );
        let job = fields.optional("job_id", job);
        let except = list(0..=EXCEPT_MAX, opaque_id()).about("The ids of contacts that are not selected.");
        let except = fields.optional("except", except);
        one?;
        let by = match (contacts?, filter?, segment?, job?) {
            (Some(contacts), ..) => Selection::Contacts(references(&contacts)),
            (_, Some(filter), ..) => Selection::Filter(filter),
            (_, _, Some(segment), _) => Selection::Segment(segment),
            (.., Some(job)) => Selection::Job(job),
            // Exactly one is present, so this is never reached.
            _ => return fields.reject("contacts", "is required"),
        };
        Ok(Self(Selected { by, except: known(&except?.unwrap_or_default()) }))
    }
}

documented! { SelectionBody as "Selection": "Contacts that a request selects." }

/// Returns the ids that are well-formed. Ids are opaque to callers, so another text is the id of no contact.
fn known(ids: &[String]) -> BTreeSet<ContactId> {
    ids.iter().filter_map(|id| id.parse().ok()).collect()
}
